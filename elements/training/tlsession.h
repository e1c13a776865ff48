/* SPDX-License-Identifier: BSD-3-Clause */

/* One run: the model, its trainer, the phase that is played and where the run
 * stands. It knows neither pads nor messages, so that every decision about
 * what is learned and saved is made, and can be tested, here. From one thread
 * at a time. */

#ifndef TL_SESSION_H
#define TL_SESSION_H

#include <tlbatchmeta.h>
#include <tlscores.h>
#include <tlshimloader.h>

#include "tlphasetracker.h"
#include "tltrainsettings.h"
#include "tlweights.h"

G_BEGIN_DECLS

typedef struct TlSession TlSession;

/* What a session is made from; all borrowed for its life but the last three,
 * which are copied. */
typedef struct
{
  const TlShim *shim;
  const TlTrainSettings *settings;
  const TlWeights *weights; /* the checkpoint, if it is resumed */
  gboolean resume;
  const TlDatasetInfo *dataset;
  const TlTransform *transform; /* NULL: nobody said */
  TlBatchInfo batch;
} TlSessionConfig;

/* Builds the model and, unless no training samples are played, the trainer;
 * restores both on a resume. Every refusal is a sentence for the user.
 * *transferred*. */
TlStatus tl_session_new (const TlSessionConfig *config, TlSession **ret,
    TlError *error);
void tl_session_free (TlSession *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TlSession, tl_session_free)

/* TL_ERROR_ARGUMENT if the checkpoint has all epochs of the data set already. */
TlStatus tl_session_check_left (const TlWeights *checkpoint,
    const TlDatasetInfo *dataset, TlError *error);

/* Without training samples: metrics only. */
gboolean tl_session_is_evaluation (const TlSession *self);
gboolean tl_session_has_new_head (const TlSession *self);

/* Borrowed. */
TlModel *tl_session_model (const TlSession *self);
const TlModelInfo *tl_session_model_info (const TlSession *self);
const TlState *tl_session_state (const TlSession *self);

/* Learning rate of an epoch. */
gdouble tl_session_lr (const TlSession *self, guint32 epoch);

/* Trains on a batch or evaluates it, as its split says. @pixels is the packed
 * batch. A phase that is not the one before begins. */
TlStatus tl_session_step (TlSession *self, const TlBatchMeta *batch,
    const guint8 *pixels, TlStepResult *ret, TlError *error);

typedef struct
{
  TlPhase phase;
  guint64 skipped;
  gboolean complete;
  gboolean ends_epoch; /* a checkpoint is due */
  TlScoresSummary summary;
  const guint64 *confusion; /* borrowed until the next step; or NULL */
} TlPhaseReport;

/* The phase has ended: its metrics become the split's last ones and the cursor
 * moves to the next phase. */
void tl_session_end_phase (TlSession *self, const TlEndedPhase *ended,
    TlPhaseReport *ret);

/* Whether anything was learned or measured since the last mark_saved. */
gboolean tl_session_is_dirty (const TlSession *self);
void tl_session_mark_saved (TlSession *self);

/* A checkpoint of the run as it stands, *transferred*. In a validation it says
 * that this validation is to begin again. Not for evaluations. */
TlStatus tl_session_save (TlSession *self, TlStateKind kind, GstBuffer **ret,
    TlError *error);

/* Whether the frozen tensors are those the run began with, bit for bit;
 * @n_frozen is their number. TL_ERROR_BACKEND if they are not. */
TlStatus tl_session_prove_frozen (TlSession *self, guint *n_frozen,
    TlError *error);

G_END_DECLS

#endif
