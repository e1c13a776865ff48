/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlsession.h"

#include <math.h>

#include <tlfail.h>
#include <tlnumber.h>

#include "tlsessionsetup.h"

/* ---- Life ---- */

TlStatus
tl_session_new (const TlSessionConfig *config, TlSession **ret, TlError *error)
{
  g_autoptr (TlSession) self = g_new0 (TlSession, 1);
  TlStatus status;

  self->shim = config->shim;
  self->n_classes = config->dataset->n_classes;
  self->is_evaluation = config->dataset->counts[TL_SPLIT_TRAIN] == NULL;
  for (guint split = 0; split < TL_N_SPLITS; split++)
    self->is_played[split] = config->dataset->counts[split] != NULL;
  self->batch = config->batch;
  self->scores = tl_scores_new (self->n_classes);
  self->labels = g_new (gint32, config->batch.batch_size);
  self->logits =
      g_new (gfloat, (gsize) config->batch.batch_size * self->n_classes);
  status = tl_session_set_up (self, config, error);
  if (status == TL_OK)
    *ret = g_steal_pointer (&self);
  return status;
}

void
tl_session_free (TlSession *self)
{
  if (!self)
    return;
  tl_snapshot_free (self->snapshot);
  if (self->trainer)
    self->shim->trainer_free (self->trainer);
  if (self->model)
    self->shim->model_free (self->model);
  tl_scores_free (self->scores);
  tl_state_clear (&self->state);
  g_free (self->labels);
  g_free (self->logits);
  g_free (self);
}

gboolean
tl_session_is_evaluation (const TlSession *self)
{
  return self->is_evaluation;
}

gboolean
tl_session_has_new_head (const TlSession *self)
{
  return self->has_new_head;
}

TlModel *
tl_session_model (const TlSession *self)
{
  return self->model;
}

const TlModelInfo *
tl_session_model_info (const TlSession *self)
{
  return &self->info;
}

const TlState *
tl_session_state (const TlSession *self)
{
  return &self->state;
}

gdouble
tl_session_lr (const TlSession *self, guint32 epoch)
{
  return tl_schedule_lr (&self->schedule, epoch);
}

/* ---- Steps ---- */

static gboolean
is_open (const TlSession *self, guint32 epoch, TlSplit split)
{
  return self->in_phase && self->state.epoch == epoch
      && self->state.split == split;
}

static TlStatus
check_resumed_at (const TlSession *self, const TlBatchMeta *batch,
    TlError *error)
{
  if (batch->epoch == self->state.epoch && batch->split == self->state.split
      && batch->samples[0].position >= self->state.position)
    return TL_OK;
  return tl_fail (error, TL_ERROR_ARGUMENT,
      "The run is to go on with sample %" G_GUINT64_FORMAT
      " of the %s phase of epoch %u, but the source began with sample "
      "%" G_GUINT64_FORMAT
      " of the %s phase of epoch %u: resume needs a source that answers to "
      "tl-cursor, such as datasetsrc.",
      self->state.position, tl_split_nick (self->state.split),
      self->state.epoch + 1, batch->samples[0].position,
      tl_split_nick (batch->split), batch->epoch + 1);
}

/* Samples before the resume that did not count. The scores of a phase that is
 * resumed are there already. */
static guint64
count_skipped_before (const TlSession *self)
{
  TlScoresSummary so_far;

  tl_scores_summarize (self->scores, &so_far);
  return self->state.position - MIN (self->state.position, so_far.n);
}

static void
begin_phase (TlSession *self, guint32 epoch, TlSplit split)
{
  if (!self->is_resuming)
    tl_scores_reset (self->scores);
  self->skipped_before = self->is_resuming ? count_skipped_before (self) : 0;
  self->is_resuming = FALSE;
  self->in_phase = TRUE;
  self->state.epoch = epoch;
  self->state.split = split;
}

static TlStatus
take_labels (TlSession *self, const TlBatchMeta *batch, TlError *error)
{
  for (guint32 i = 0; i < batch->n_valid; i++) {
    const TlBatchSample *sample = &batch->samples[i];

    if (sample->label < 0 || (guint) sample->label >= self->n_classes)
      return tl_fail (error, TL_ERROR_ARGUMENT,
          "%s has the label %d, but the data set has %u classes, counted from "
          "0: training needs one label per sample.",
          sample->path ? sample->path : "A sample", sample->label,
          self->n_classes);
    self->labels[i] = sample->label;
  }
  return TL_OK;
}

static TlStatus
train (TlSession *self, const TlBatch *pictures, guint32 epoch,
    TlStepResult *ret, TlError *error)
{
  gdouble lr = tl_session_lr (self, epoch);
  TlStatus status = self->shim->trainer_step (self->trainer, pictures,
      self->labels, lr, ret, error);

  if (status == TL_OK) {
    self->state.step++;
    tl_scores_add_step (self->scores, pictures->n, (gdouble) ret->loss,
        ret->n_correct);
    return TL_OK;
  }
  if (error) {
    g_autofree gchar *reason = g_strdup (error->message);

    tl_fail (error, status,
        "Step %" G_GUINT64_FORMAT " (epoch %u, lr=%s) failed: %s",
        self->state.step + 1, epoch + 1, tl_number_decimal (lr).text, reason);
  }
  return status;
}

static TlStatus
evaluate (TlSession *self, const TlBatch *pictures, TlStepResult *ret,
    TlError *error)
{
  TlStatus status = self->shim->model_evaluate (self->model, pictures,
      self->labels, self->logits, ret, error);

  if (status != TL_OK)
    return status;
  if (tl_scores_add_logits (self->scores, self->logits, self->labels,
          pictures->n)
      != 0)
    return tl_fail (error, TL_ERROR_MEMORY,
        "Out of memory for the scores of the %s phase.",
        tl_split_nick (self->state.split));
  return TL_OK;
}

TlStatus
tl_session_step (TlSession *self, const TlBatchMeta *batch,
    const guint8 *pixels, TlStepResult *ret, TlError *error)
{
  TlBatch pictures = {.struct_size = sizeof pictures,
      .n = batch->n_valid,
      .height = (guint32) self->batch.height,
      .width = (guint32) self->batch.width,
      .pixels = pixels};
  TlStatus status = take_labels (self, batch, error);

  if (status == TL_OK && self->is_resuming)
    status = check_resumed_at (self, batch, error);
  if (status != TL_OK)
    return status;
  if (batch->split == TL_SPLIT_TRAIN && !self->trainer)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "Training samples came, but the data set was announced without any.");
  if (!is_open (self, batch->epoch, batch->split))
    begin_phase (self, batch->epoch, batch->split);

  ret->struct_size = sizeof *ret;
  status = batch->split == TL_SPLIT_TRAIN
      ? train (self, &pictures, batch->epoch, ret, error)
      : evaluate (self, &pictures, ret, error);
  if (status != TL_OK)
    return status;
  self->state.position = batch->samples[batch->n_valid - 1].position + 1;
  self->is_dirty = TRUE;
  return TL_OK;
}

/* ---- Phases ---- */

static void
append_metric (GString *text, const gchar *name, gdouble value)
{
  if (!isnan (value))
    g_string_append_printf (text, "%s=%s ", name,
        tl_number_decimal (value).text);
}

/* "loss=0.21 accuracy=0.94 ... n=153 skipped=0". */
static gchar *
describe_metrics (const TlSession *self, const TlPhaseReport *report)
{
  const TlScoresSummary *summary = &report->summary;
  GString *text = g_string_new (NULL);

  append_metric (text, "loss", summary->loss);
  append_metric (text, "accuracy", summary->accuracy);
  append_metric (text, "balanced-accuracy", summary->balanced_accuracy);
  append_metric (text, "auc", summary->auc);
  append_metric (text, "calibration-error", summary->calibration_error);
  if (report->phase.split == TL_SPLIT_TRAIN)
    append_metric (text, "lr", tl_session_lr (self, report->phase.epoch));
  g_string_append_printf (text,
      "n=%" G_GUINT64_FORMAT " skipped=%" G_GUINT64_FORMAT "%s", summary->n,
      report->skipped, report->complete ? "" : " complete=false");
  return g_string_free (text, FALSE);
}

/* The splits that are played follow each other, and then comes the next epoch.
 * An evaluation has no cursor to speak of. */
static gboolean
move_cursor (TlSession *self, const TlPhase *phase)
{
  guint next = phase->split + 1;
  gboolean ends_epoch;

  while (next < TL_N_SPLITS && !self->is_played[next])
    next++;
  ends_epoch = next == TL_N_SPLITS;
  self->in_phase = FALSE;
  self->state.epoch = phase->epoch + ends_epoch;
  self->state.split = ends_epoch ? TL_SPLIT_TRAIN : (TlSplit) next;
  self->state.position = 0;
  return ends_epoch;
}

void
tl_session_end_phase (TlSession *self, const TlEndedPhase *ended,
    TlPhaseReport *ret)
{
  const TlPhase *phase = &ended->phase;

  if (!is_open (self, phase->epoch, phase->split))
    begin_phase (self, phase->epoch, phase->split);
  *ret = (TlPhaseReport){
      .phase = *phase,
      .skipped = self->skipped_before + ended->skipped,
      .complete = ended->complete,
      .confusion = tl_scores_confusion (self->scores),
  };
  tl_scores_summarize (self->scores, &ret->summary);
  g_free (self->state.metrics[phase->split]);
  self->state.metrics[phase->split] = describe_metrics (self, ret);
  ret->ends_epoch = move_cursor (self, phase);
  self->is_dirty = TRUE;
}

/* ---- Checkpoints ---- */

gboolean
tl_session_is_dirty (const TlSession *self)
{
  return self->is_dirty && !self->is_evaluation;
}

void
tl_session_mark_saved (TlSession *self)
{
  self->is_dirty = FALSE;
}

TlStatus
tl_session_save (TlSession *self, TlStateKind kind, GstBuffer **ret,
    TlError *error)
{
  gchar sums[TL_SCORES_TEXT];
  TlState state = self->state;

  state.kind = kind;
  state.phase_sums = NULL;
  if (state.split != TL_SPLIT_TRAIN) {
    state.position = 0;
  } else if (state.position > 0) {
    tl_scores_to_text (self->scores, sums);
    state.phase_sums = sums;
  }
  if (!self->snapshot)
    self->snapshot = tl_snapshot_new (self->shim, self->model, self->trainer);
  return tl_snapshot_take (self->snapshot, &state, ret, error);
}

TlStatus
tl_session_prove_frozen (TlSession *self, guint *n_frozen, TlError *error)
{
  gchar now[TL_SHA256_HEX_SIZE];
  TlStatus status =
      tl_snapshot_hash_frozen (self->shim, self->model, now, n_frozen, error);

  if (status != TL_OK || strcmp (now, self->state.frozen_sha256) == 0)
    return status;
  return tl_fail (error, TL_ERROR_BACKEND,
      "Frozen tensors have changed while training (sha256 %s, was %s): do not "
      "use this model, and report this with the line that you ran.",
      now, self->state.frozen_sha256);
}
