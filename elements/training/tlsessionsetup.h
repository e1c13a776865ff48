/* SPDX-License-Identifier: BSD-3-Clause */

/* Inside of TlSession: its fields, and how they are filled. */

#ifndef TL_SESSION_SETUP_H
#define TL_SESSION_SETUP_H

#include "tlsession.h"
#include "tlsnapshot.h"

G_BEGIN_DECLS

struct TlSession
{
  const TlShim *shim;
  TlModel *model;
  TlTrainer *trainer; /* NULL: evaluation */
  TlModelInfo info;
  TlSchedule schedule;
  TlBatchInfo batch;
  guint n_classes;
  gboolean is_evaluation;
  gboolean is_played[TL_N_SPLITS];
  gboolean has_new_head;

  /* The settings, the last metrics and the cursor. epoch and split are those
   * of the open phase, position is the next sample wanted. */
  TlState state;
  gboolean in_phase;
  gboolean is_resuming; /* until the first batch */
  gboolean is_dirty;
  TlSnapshot *snapshot;   /* NULL until the first checkpoint */
  guint64 skipped_before; /* in the open phase, before the resume */
  TlScores *scores;       /* of the open phase */

  /* Room for one batch. */
  gint32 *labels;
  gfloat *logits;
};

/* Makes model and trainer and fills the state; restores them on a resume. */
TlStatus tl_session_set_up (TlSession *self, const TlSessionConfig *config,
    TlError *error);

G_END_DECLS

#endif
