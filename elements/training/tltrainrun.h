/* SPDX-License-Identifier: BSD-3-Clause */

/* resnetfinetune between PAUSED and READY: what it makes of the stream. The
 * element waits, answers and changes state; this trains, reports and pushes.
 *
 * Streaming thread only, but for tl_train_run_play_again,
 * tl_train_run_take_final and the fields under the lock. */

#ifndef TL_TRAIN_RUN_H
#define TL_TRAIN_RUN_H

#include "tltrainoutput.h"
#include "tltrainreport.h"
#include "tltrainvalues.h"

G_BEGIN_DECLS

typedef struct
{
  GstElement *element; /* all borrowed for the run's life */
  GstPad *srcpad;
  GMutex *lock; /* held while the session is used; not while pushing */
  const TlShim *shim;
  const TlTrainSettings *settings;
  const TlWeights *weights;
  gboolean resume;
  gint *save_requested; /* atomic; reset by who saves */
  void (*values_changed) (GstElement *element, const TlTrainValues *values);
  /* Waits while PAUSED and then sets @has_waited; FALSE: flushing or stopped. */
  gboolean (*pass_gate) (GstElement *element, gboolean *has_waited);
} TlTrainRunConfig;

typedef struct TlTrainRun TlTrainRun;

/* *transferred*. */
TlTrainRun *tl_train_run_new (const TlTrainRunConfig *config);

/* With the streaming thread gone; says so if the run was not over. */
void tl_train_run_free (TlTrainRun *self);

/* All of these give GST_FLOW_ERROR where an error was posted, here or by an
 * element that follows, then and ever after; GST_FLOW_EOS when the run is over;
 * GST_FLOW_FLUSHING where a flush or a stop came between. */

/* New batch caps, which must suit the network and, if it has begun, the run. */
GstFlowReturn tl_train_run_set_batch (TlTrainRun *self,
    const TlBatchInfo *batch);

/* tl-dataset, tl-transform or tl-phase: what is to come. */
GstFlowReturn tl_train_run_announce (TlTrainRun *self, GstEvent *event);

/* @was_paused: the time before it was not spent waiting for data. */
GstFlowReturn tl_train_run_batch (TlTrainRun *self, GstBuffer *buffer,
    gboolean was_paused);

/* tl-phase-end; may be the end of the run. */
GstFlowReturn tl_train_run_end_phase (TlTrainRun *self, const TlPhaseEnd *end);

/* EOS: the end of the run, or an interruption. */
GstFlowReturn tl_train_run_eos (TlTrainRun *self);

/* A flush has dropped what was under way. */
void tl_train_run_flush (TlTrainRun *self);

/* PLAYING after PAUSED: the end is told again, if it had come. Any thread. */
void tl_train_run_play_again (TlTrainRun *self);

/* With the lock held, from any thread, where @n_received of the checkpoints
 * have come to who writes them: one of what would be lost otherwise,
 * *transferred*, or NULL. */
GstBuffer *tl_train_run_take_final (TlTrainRun *self, guint64 n_received);

G_END_DECLS

#endif
