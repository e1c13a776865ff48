/* SPDX-License-Identifier: BSD-3-Clause */

/* resnetfinetune between PAUSED and READY: what it makes of the stream. The
 * element waits, answers and changes state; this trains, reports and pushes.
 *
 * Streaming thread only, but for tl_train_run_take_final and the fields under
 * the lock. */

#ifndef TL_TRAIN_RUN_H
#define TL_TRAIN_RUN_H

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
} TlTrainRunConfig;

typedef struct TlTrainRun TlTrainRun;

/* *transferred*. */
TlTrainRun *tl_train_run_new (const TlTrainRunConfig *config);

/* With the streaming thread gone; says so if the run was not over. */
void tl_train_run_free (TlTrainRun *self);

/* New batch caps. FALSE, with an error posted, if the run began with others. */
gboolean tl_train_run_set_batch (TlTrainRun *self, const TlBatchInfo *batch);

/* tl-dataset, tl-transform or tl-phase: what is to come. FALSE: an error was
 * posted. */
gboolean tl_train_run_announce (TlTrainRun *self, GstEvent *event);

/* A batch. GST_FLOW_EOS when the run is over, GST_FLOW_ERROR after an error
 * was posted. @was_paused: the time before it was not spent waiting. */
GstFlowReturn tl_train_run_batch (TlTrainRun *self, GstBuffer *buffer,
    gboolean was_paused);

/* tl-phase-end; may be the end of the run. FALSE: an error was posted. */
gboolean tl_train_run_end_phase (TlTrainRun *self, const TlPhaseEnd *end);

/* EOS: the end of the run, or an interruption. FALSE: an error was posted. */
gboolean tl_train_run_eos (TlTrainRun *self);

/* A flush has dropped what was under way. */
void tl_train_run_flush (TlTrainRun *self);

/* With the lock held, from any thread: a checkpoint of what has not been saved
 * yet, *transferred*, or NULL. */
GstBuffer *tl_train_run_take_final (TlTrainRun *self);

G_END_DECLS

#endif
