/* SPDX-License-Identifier: BSD-3-Clause */

/* What resnetfinetune tells the bus: messages for programs, one readable line
 * per epoch for people, and who waited for whom. Streaming thread only. */

#ifndef TL_TRAIN_REPORT_H
#define TL_TRAIN_REPORT_H

#include <tlmessages.h>

#include "tlsession.h"

G_BEGIN_DECLS

typedef struct
{
  GstElement *element; /* borrowed */
  guint32 epochs;
  guint64 interval; /* us between two reports within a phase; 0: none */
  gboolean has_progress;

  /* Clock of the process, us; 0: not running. */
  gint64 entered;
  gint64 left;
  gint64 reported;

  /* Of the open phase, us. */
  gint64 waited;
  gint64 busy;

  /* Of the epoch so far. */
  GString *line;
  gint64 epoch_waited;
  gint64 epoch_busy;
  guint64 epoch_n;
  guint64 epoch_skipped;

  /* Since the last report within the phase. */
  guint64 recent_n;
  gdouble recent_loss; /* sum */
  guint64 recent_correct;
  gint64 recent_waited;
} TlTrainReport;

void tl_train_report_init (TlTrainReport *self, GstElement *element,
    guint32 epochs, guint interval_seconds);
void tl_train_report_clear (TlTrainReport *self);

/* The trainer has a batch to work on; it has done so. The time from leave to
 * enter was spent waiting for data, unless it was paused in between. */
void tl_train_report_enter (TlTrainReport *self, gboolean was_paused);
void tl_train_report_leave (TlTrainReport *self);

/* tl-model, and PROGRESS START with the same in one line. */
void tl_train_report_model (TlTrainReport *self, const TlShim *shim,
    TlSession *session, const TlWeights *weights);

/* Adds a step. Returns TRUE, having posted tl-metrics, if a report was due;
 * @loss and @accuracy are then those since the last one. */
gboolean tl_train_report_step (TlTrainReport *self, const TlSession *session,
    const TlBatchMeta *batch, const TlStepResult *step, gdouble *loss,
    gdouble *accuracy);

/* tl-metrics and tl-flow of a phase, and the line of an epoch that ended. */
void tl_train_report_phase (TlTrainReport *self, const TlSession *session,
    const TlPhaseReport *phase);

/* The last word on what PROGRESS START began; nothing if nothing is open. */
void tl_train_report_end (TlTrainReport *self, GstProgressType type,
    const gchar *format, ...) G_GNUC_PRINTF (3, 4);

G_END_DECLS

#endif
