/* SPDX-License-Identifier: BSD-3-Clause */

#include "tltrainreport.h"

#include <math.h>

#include <tlbytes.h>

#define PROGRESS_CODE "train"

void
tl_train_report_init (TlTrainReport *self, GstElement *element, guint32 epochs,
    guint interval_seconds)
{
  *self = (TlTrainReport){.element = element,
      .epochs = epochs,
      .interval = (guint64) interval_seconds * G_USEC_PER_SEC,
      .line = g_string_new (NULL)};
}

void
tl_train_report_clear (TlTrainReport *self)
{
  if (self->line)
    g_string_free (self->line, TRUE);
  *self = (TlTrainReport){0};
}

static void
post_progress (TlTrainReport *self, GstProgressType type, const gchar *text)
{
  g_autofree gchar *line = tl_message_make_line (text);

  gst_element_post_message (self->element,
      gst_message_new_progress (GST_OBJECT (self->element), type, PROGRESS_CODE,
          line));
}

/* ---- Time ---- */

void
tl_train_report_enter (TlTrainReport *self, gboolean was_paused)
{
  self->entered = g_get_monotonic_time ();
  if (self->left && !was_paused) {
    self->waited += self->entered - self->left;
    self->recent_waited += self->entered - self->left;
  }
  if (!self->reported)
    self->reported = self->entered;
}

void
tl_train_report_leave (TlTrainReport *self)
{
  self->left = g_get_monotonic_time ();
  self->busy += self->left - self->entered;
}

/* The time since enter belongs to the phase that is to be reported. */
static void
split_time (TlTrainReport *self)
{
  gint64 now = g_get_monotonic_time ();

  if (self->entered > self->left)
    self->busy += now - self->entered;
  self->entered = now;
}

static gdouble
per_second (guint64 n, gint64 us)
{
  return us > 0 ? (gdouble) n * G_USEC_PER_SEC / (gdouble) us : TL_ABSENT;
}

static gdouble
share (gint64 part, gint64 other)
{
  return part + other > 0 ? (gdouble) part / (gdouble) (part + other) : 0;
}

/* ---- The model ---- */

typedef struct
{
  guint64 parameters[TL_STAGE_FC + 1];
  gboolean frozen[TL_STAGE_FC + 1];
} Stages;

static TlStatus
count_tensor (const TlTensor *tensor, TlTensorRole role, void *user)
{
  Stages *stages = user;
  TlStage stage = tl_stage_of_tensor (tensor->name);

  if (!g_str_has_suffix (tensor->name, ".weight")
      && !g_str_has_suffix (tensor->name, ".bias"))
    return TL_OK;
  stages->parameters[stage] += (guint64) tl_tensor_numel (tensor);
  stages->frozen[stage] = role == TL_TENSOR_FROZEN;
  return TL_OK;
}

static guint
list_modules (const Stages *stages, TlModelModule *modules)
{
  guint n = 0;

  for (guint s = TL_STAGE_STEM; s <= TL_STAGE_FC; s++) {
    if (stages->parameters[s] > 0)
      modules[n++] = (TlModelModule){tl_stage_name (s), stages->parameters[s],
          stages->frozen[s]};
  }
  return n;
}

static gchar *
describe_model (const TlModelReport *report)
{
  g_autofree gchar *file = g_path_get_basename (report->weights);
  GString *text = g_string_new (NULL);

  g_string_append_printf (text,
      "%s from %s on %s, %s, %u thread%s, %s: ", report->arch, file,
      report->device, report->precision, report->n_threads,
      report->n_threads == 1 ? "" : "s", report->backend);
  if (report->n_trainable > 0)
    g_string_append_printf (text, "%s of ",
        tl_show_number (report->n_trainable).text);
  g_string_append_printf (text, "%s parameters%s",
      tl_show_number (report->n_parameters).text,
      report->n_trainable > 0 ? " train" : "");
  for (guint i = 0; i < report->n_modules; i++) {
    if (!report->modules[i].frozen)
      g_string_append_printf (text, " %s", report->modules[i].name);
  }
  g_string_append_printf (text, ", %s head for %u classes",
      report->new_head ? "a new" : "the file's", report->n_classes);
  return g_string_free (text, FALSE);
}

void
tl_train_report_model (TlTrainReport *self, const TlShim *shim,
    TlSession *session, const TlWeights *weights)
{
  const TlModelInfo *info = tl_session_model_info (session);
  TlBackendInfo backend = {.struct_size = sizeof backend};
  g_autofree gchar *backend_text = NULL, *text = NULL;
  TlModelModule modules[TL_STAGE_FC + 1];
  Stages stages = {{0}, {0}};
  TlModelReport report = {.arch = info->arch,
      .device = info->device.id,
      .precision = tl_session_state (session)->precision,
      .weights = tl_weights_path (weights),
      .n_classes = info->n_classes,
      .n_threads = info->n_threads,
      .new_head = tl_session_has_new_head (session),
      .n_parameters = info->n_parameters,
      .n_trainable = info->n_trainable,
      .modules = modules};

  if (shim->backend_describe (&backend, NULL) == TL_OK)
    backend_text = g_strdup_printf ("%s %s", backend.name, backend.version);
  report.backend = backend_text;
  if (shim->model_visit (tl_session_model (session), count_tensor, &stages,
          NULL)
      == TL_OK)
    report.n_modules = list_modules (&stages, modules);
  gst_element_post_message (self->element,
      tl_message_new_model (GST_OBJECT (self->element), &report));
  text = describe_model (&report);
  self->has_progress = TRUE;
  post_progress (self, GST_PROGRESS_TYPE_START, text);
}

/* ---- Steps ---- */

static void
post_metrics (TlTrainReport *self, const TlMetrics *metrics)
{
  gst_element_post_message (self->element,
      tl_message_new_metrics (GST_OBJECT (self->element), metrics));
}

static void
reset_recent (TlTrainReport *self, gint64 now)
{
  self->reported = now;
  self->recent_n = 0;
  self->recent_loss = 0;
  self->recent_correct = 0;
  self->recent_waited = 0;
}

static gdouble
lr_of (const TlSession *session, TlSplit split, guint32 epoch)
{
  return split == TL_SPLIT_TRAIN ? tl_session_lr (session, epoch) : TL_ABSENT;
}

/* gst-launch-1.0 sets the locale, which printf would follow. */
typedef struct
{
  gchar text[G_ASCII_DTOSTR_BUF_SIZE];
} Number;

static Number
format_number (const gchar *format, gdouble value)
{
  Number number;

  g_ascii_formatd (number.text, sizeof number.text, format, value);
  return number;
}

static gchar *
describe_epoch (const TlTrainReport *self, guint32 epoch)
{
  if (self->epochs == 0)
    return g_strdup_printf ("epoch %u", epoch + 1);
  return g_strdup_printf ("epoch %u/%u", epoch + 1, self->epochs);
}

static void
post_step_line (TlTrainReport *self, const TlBatchMeta *batch, gdouble loss,
    gdouble accuracy)
{
  g_autofree gchar *epoch = describe_epoch (self, batch->epoch);
  g_autofree gchar *text =
      g_strdup_printf ("%s: %s %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                       ", loss %s acc %s %%",
          epoch, tl_split_nick (batch->split),
          batch->samples[batch->n_valid - 1].position + 1, batch->n,
          format_number ("%.3f", loss).text,
          format_number ("%.1f", 100 * accuracy).text);

  post_progress (self, GST_PROGRESS_TYPE_CONTINUE, text);
}

gboolean
tl_train_report_step (TlTrainReport *self, const TlSession *session,
    const TlBatchMeta *batch, const TlStepResult *step, gdouble *loss,
    gdouble *accuracy)
{
  gint64 now = g_get_monotonic_time ();
  guint64 n = self->recent_n += batch->n_valid;
  TlMetrics metrics;

  self->recent_loss += (gdouble) step->loss * batch->n_valid;
  self->recent_correct += step->n_correct;
  if (self->interval == 0 || now - self->reported < (gint64) self->interval)
    return FALSE;
  *loss = self->recent_loss / (gdouble) n;
  *accuracy = (gdouble) self->recent_correct / (gdouble) n;
  metrics = (TlMetrics){.scope = TL_SCOPE_STEP,
      .split = batch->split,
      .epoch = batch->epoch,
      .epochs = self->epochs,
      .step = tl_session_state (session)->step,
      .n = n,
      .complete = TRUE,
      .loss = *loss,
      .accuracy = *accuracy,
      .balanced_accuracy = TL_ABSENT,
      .auc = TL_ABSENT,
      .lr = lr_of (session, batch->split, batch->epoch),
      .images_per_second = per_second (n, now - self->reported),
      .wait_ms = (gdouble) self->recent_waited / 1000};
  post_metrics (self, &metrics);
  post_step_line (self, batch, *loss, *accuracy);
  reset_recent (self, now);
  return TRUE;
}

/* ---- Phases and epochs ---- */

static void
append_phase (TlTrainReport *self, const TlPhaseReport *phase)
{
  const TlScoresSummary *summary = &phase->summary;
  GString *line = self->line;

  g_string_append_printf (line, "%s%s", line->len ? ", " : "",
      tl_split_nick (phase->phase.split));
  if (summary->n == 0) {
    g_string_append (line, " without samples");
    return;
  }
  g_string_append_printf (line, " loss %s acc %s %%",
      format_number ("%.3f", summary->loss).text,
      format_number ("%.1f", 100 * summary->accuracy).text);
  if (phase->phase.split != TL_SPLIT_TRAIN)
    g_string_append_printf (line, " (%.0f of %" G_GUINT64_FORMAT ")",
        round (summary->accuracy * (gdouble) summary->n), summary->n);
  if (!phase->complete)
    g_string_append (line, " (incomplete: a flush dropped samples)");
}

static void
post_epoch_line (TlTrainReport *self, guint32 epoch)
{
  g_autofree gchar *name = describe_epoch (self, epoch);
  GString *text = g_string_new (name);
  gint64 time = self->epoch_waited + self->epoch_busy;

  g_string_append_printf (text, ": %s", self->line->str);
  if (self->epoch_skipped > 0)
    g_string_append_printf (text, ", %" G_GUINT64_FORMAT " skipped",
        self->epoch_skipped);
  if (time > 0)
    g_string_append_printf (text, ", %.0f images/s, waited %.0f %% for data",
        per_second (self->epoch_n, time),
        100 * share (self->epoch_waited, self->epoch_busy));
  post_progress (self, GST_PROGRESS_TYPE_CONTINUE, text->str);
  g_string_free (text, TRUE);
  g_string_truncate (self->line, 0);
  self->epoch_waited = self->epoch_busy = 0;
  self->epoch_n = self->epoch_skipped = 0;
}

static void
post_phase_metrics (TlTrainReport *self, const TlSession *session,
    const TlPhaseReport *phase)
{
  const TlModelInfo *info = tl_session_model_info (session);
  TlMetrics metrics = {.scope = TL_SCOPE_PHASE,
      .split = phase->phase.split,
      .epoch = phase->phase.epoch,
      .epochs = self->epochs,
      .step = tl_session_state (session)->step,
      .n = phase->summary.n,
      .skipped = phase->skipped,
      .complete = phase->complete,
      .loss = phase->summary.loss,
      .accuracy = phase->summary.accuracy,
      .balanced_accuracy = phase->summary.balanced_accuracy,
      .auc = phase->summary.auc,
      .lr = lr_of (session, phase->phase.split, phase->phase.epoch),
      .images_per_second =
          per_second (phase->summary.n, self->waited + self->busy),
      .wait_ms = (gdouble) self->waited / 1000,
      .confusion = phase->confusion,
      .n_classes = info->n_classes};

  post_metrics (self, &metrics);
}

void
tl_train_report_phase (TlTrainReport *self, const TlSession *session,
    const TlPhaseReport *phase)
{
  split_time (self);
  post_phase_metrics (self, session, phase);
  gst_element_post_message (self->element,
      tl_message_new_flow (GST_OBJECT (self->element), phase->phase.epoch,
          phase->phase.split,
          (gdouble) (self->waited + self->busy) / G_USEC_PER_SEC,
          share (self->waited, self->busy)));
  append_phase (self, phase);
  self->epoch_waited += self->waited;
  self->epoch_busy += self->busy;
  self->epoch_n += phase->summary.n;
  self->epoch_skipped += phase->skipped;
  self->waited = self->busy = 0;
  reset_recent (self, g_get_monotonic_time ());
  if (phase->ends_epoch)
    post_epoch_line (self, phase->phase.epoch);
}

void
tl_train_report_end (TlTrainReport *self, GstProgressType type,
    const gchar *format, ...)
{
  g_autofree gchar *text = NULL;
  va_list args;

  if (!self->has_progress)
    return;
  self->has_progress = FALSE;
  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  post_progress (self, type, text);
}
