/* SPDX-License-Identifier: BSD-3-Clause */

#include "tltrainrun.h"

#include <tlerror.h>
#include <tlfail.h>

/* The network halves its pictures five times. */
#define MIN_SIDE 32

struct TlTrainRun
{
  TlTrainRunConfig config;
  guint64 checkpoint_every;

  /* What was announced. */
  TlDatasetInfo *dataset;
  TlTransform transform;
  gboolean has_transform;
  TlBatchInfo batch;
  gboolean has_batch;

  TlSession *session; /* under the lock */
  TlPhaseTracker tracker;
  TlTrainReport report;
  TlTrainValues values;
  TlTrainOutput output;
  gboolean is_over;
  gboolean has_failed;
};

TlTrainRun *
tl_train_run_new (const TlTrainRunConfig *config)
{
  TlTrainRun *self = g_new0 (TlTrainRun, 1);

  self->config = *config;
  self->output = (TlTrainOutput){.element = config->element,
      .srcpad = config->srcpad,
      .lock = config->lock,
      .due = TL_STATE_INTERRUPTED};
  self->checkpoint_every =
      tl_train_settings_get_checkpoint_every (config->settings);
  tl_train_values_reset (&self->values);
  return self;
}

void
tl_train_run_free (TlTrainRun *self)
{
  tl_train_report_end (&self->report,
      self->has_failed ? GST_PROGRESS_TYPE_ERROR : GST_PROGRESS_TYPE_CANCELED,
      "stopped after step %" G_GUINT64_FORMAT, self->values.step);
  tl_train_report_clear (&self->report);
  tl_session_free (self->session);
  tl_transform_clear (&self->transform);
  tl_dataset_info_free (self->dataset);
  g_free (self);
}

/* Before an error that is posted. */
static GstFlowReturn
begin_failure (TlTrainRun *self)
{
  self->has_failed = TRUE;
  tl_train_report_end (&self->report, GST_PROGRESS_TYPE_ERROR, "failed");
  return GST_FLOW_ERROR;
}

static GstFlowReturn
fail (TlTrainRun *self, TlStatus status, const TlError *error)
{
  GstFlowReturn flow = begin_failure (self);

  tl_element_post_error (self->config.element, status, error);
  return flow;
}

/* What every batch and event gets once the run does not go on. */
static GstFlowReturn
get_flow (const TlTrainRun *self)
{
  if (self->has_failed)
    return GST_FLOW_ERROR;
  return self->is_over ? GST_FLOW_EOS : self->output.flow;
}

/* ---- The session ---- */

static void
warn_at_start (TlTrainRun *self)
{
  GstElement *element = self->config.element;

  if (tl_session_is_evaluation (self->session))
    return;
  if (strcmp (tl_weights_sha256 (self->config.weights), "random") == 0)
    GST_ELEMENT_WARNING (element, LIBRARY, SETTINGS,
        ("weights=random starts without pretraining: this is not transfer "
         "learning, and needs far more pictures and epochs."),
        (NULL));
  if (!gst_pad_is_linked (self->config.srcpad))
    GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
        ("Nothing follows %s, so what it learns is not saved: add "
         "\"! checkpointsink location=FOLDER\".",
            GST_OBJECT_NAME (element)),
        (NULL));
}

static GstFlowReturn
make_session (TlTrainRun *self)
{
  TlSessionConfig config = {.shim = self->config.shim,
      .settings = self->config.settings,
      .weights = self->config.weights,
      .resume = self->config.resume,
      .dataset = self->dataset,
      .transform = self->has_transform ? &self->transform : NULL,
      .batch = self->batch};
  TlError error = TL_ERROR_INIT;
  TlSession *session;
  TlStatus status = tl_session_new (&config, &session, &error);

  if (status != TL_OK)
    return fail (self, status, &error);
  g_mutex_lock (self->config.lock);
  self->session = session;
  g_mutex_unlock (self->config.lock);
  self->values.step = tl_session_state (session)->step;
  tl_train_report_init (&self->report, self->config.element,
      self->dataset->epochs, self->config.settings->report_interval);
  tl_train_report_model (&self->report, self->config.shim, session,
      self->config.weights);
  warn_at_start (self);
  return GST_FLOW_OK;
}

/* The model is built when the first batch has come: then the classes, the
 * transform and the batch size are known. */
static GstFlowReturn
ensure_session (TlTrainRun *self)
{
  GstElement *element = self->config.element;
  GstFlowReturn flow = get_flow (self);

  if (self->session || flow != GST_FLOW_OK)
    return flow;
  if (self->dataset && self->has_batch)
    return make_session (self);
  flow = begin_failure (self);
  if (!self->dataset)
    GST_ELEMENT_ERROR (element, STREAM, FORMAT,
        ("Batches came without the list of classes: begin the pipeline with "
         "datasetsrc."),
        ("no tl-dataset event"));
  else
    GST_ELEMENT_ERROR (element, CORE, NEGOTIATION,
        ("Batches came without caps: put batcher before %s.",
            GST_OBJECT_NAME (element)),
        (NULL));
  return flow;
}

/* ---- Checkpoints ---- */

static GstFlowReturn
push_checkpoint (TlTrainRun *self, TlStateKind kind)
{
  TlError error = TL_ERROR_INIT;
  GstFlowReturn flow;
  TlStatus status =
      tl_train_output_push (&self->output, self->session, kind, &flow, &error);

  return status == TL_OK ? flow : fail (self, status, &error);
}

/* Nothing is called finished without the proof. */
static TlStatus
prove_if_finished (TlTrainRun *self, TlError *error)
{
  guint n_frozen;

  if (!tl_session_is_dirty (self->session)
      || self->output.due != TL_STATE_FINISHED)
    return TL_OK;
  return tl_session_prove_frozen (self->session, &n_frozen, error);
}

GstBuffer *
tl_train_run_take_final (TlTrainRun *self, guint64 n_received)
{
  TlError error = TL_ERROR_INIT;
  GstBuffer *buffer;
  TlStatus status;

  /* What a failed step left behind must not replace a good file. */
  if (!self->session || self->has_failed
      || self->config.settings->on_stop != TL_ON_STOP_CHECKPOINT)
    return NULL;
  status = prove_if_finished (self, &error);
  if (status == TL_OK)
    status = tl_train_output_take_again (&self->output, self->session,
        n_received, &buffer, &error);
  if (status == TL_OK)
    return buffer;
  GST_ELEMENT_WARNING (self->config.element, LIBRARY, FAILED,
      ("The last steps were not saved: %s", error.message),
      ("%s", error.detail));
  return NULL;
}

/* ---- The end ---- */

static void
send_eos (TlTrainRun *self)
{
  self->is_over = TRUE;
  tl_train_output_end (&self->output);
}

static GstFlowReturn
finish_evaluation (TlTrainRun *self)
{
  tl_train_report_end (&self->report, GST_PROGRESS_TYPE_COMPLETE,
      "evaluated %s", tl_weights_path (self->config.weights));
  send_eos (self);
  return GST_FLOW_EOS;
}

static gchar *
describe_proof (const TlTrainRun *self, guint n_frozen)
{
  g_autofree gchar *file =
      g_path_get_basename (tl_weights_path (self->config.weights));

  if (n_frozen == 0)
    return g_strdup ("nothing was frozen");
  return g_strdup_printf ("frozen tensors (%u) are bit for bit those of %s",
      n_frozen, file);
}

static GstFlowReturn
finish_training (TlTrainRun *self)
{
  TlError error = TL_ERROR_INIT;
  g_autofree gchar *proof = NULL;
  GstFlowReturn flow;
  guint n_frozen = 0;
  TlStatus status = tl_session_prove_frozen (self->session, &n_frozen, &error);

  if (status != TL_OK)
    return fail (self, status, &error);
  flow = push_checkpoint (self, TL_STATE_FINISHED);
  if (flow != GST_FLOW_OK)
    return flow;
  proof = describe_proof (self, n_frozen);
  tl_train_report_end (&self->report, GST_PROGRESS_TYPE_COMPLETE,
      "finished with epoch %u, step %" G_GUINT64_FORMAT "; %s",
      tl_session_state (self->session)->epoch,
      tl_session_state (self->session)->step, proof);
  send_eos (self);
  return GST_FLOW_EOS;
}

/* ---- Phases ---- */

static void
publish (TlTrainRun *self)
{
  self->values.step = tl_session_state (self->session)->step;
  self->config.values_changed (self->config.element, &self->values);
}

static void
publish_phase (TlTrainRun *self, const TlPhaseReport *phase)
{
  self->values.epoch = phase->phase.epoch + 1;
  if (phase->phase.split == TL_SPLIT_TRAIN) {
    self->values.loss = phase->summary.loss;
    self->values.accuracy = phase->summary.accuracy;
  } else {
    self->values.val_accuracy = phase->summary.accuracy;
  }
  publish (self);
}

/* What the checkpoint after the phase says of the run: the same if a stop takes
 * it. */
static TlStateKind
get_kind_due (const TlTrainRun *self, const TlEndedPhase *ended,
    const TlPhaseReport *report)
{
  if (ended->phase.final)
    return TL_STATE_FINISHED;
  return report->ends_epoch && self->checkpoint_every > 0
      ? TL_STATE_RUNNING
      : TL_STATE_INTERRUPTED;
}

/* GST_FLOW_EOS when it was the last phase. */
static GstFlowReturn
conclude_phase (TlTrainRun *self, const TlEndedPhase *ended)
{
  GstFlowReturn flow = ensure_session (self);
  TlPhaseReport report;

  if (flow != GST_FLOW_OK)
    return flow;
  g_mutex_lock (self->config.lock);
  tl_session_end_phase (self->session, ended, &report);
  self->output.due = get_kind_due (self, ended, &report);
  g_mutex_unlock (self->config.lock);
  tl_train_report_phase (&self->report, self->session, &report);
  publish_phase (self, &report);

  if (tl_session_is_evaluation (self->session))
    return ended->phase.final ? finish_evaluation (self) : GST_FLOW_OK;
  if (ended->phase.final)
    return finish_training (self);
  if (report.ends_epoch && self->checkpoint_every > 0)
    return push_checkpoint (self, TL_STATE_RUNNING);
  return GST_FLOW_OK;
}

/* ---- Announcements ---- */

static GstFlowReturn
refuse_change (TlTrainRun *self, const TlBatchInfo *batch)
{
  GstFlowReturn flow = begin_failure (self);

  GST_ELEMENT_ERROR (self->config.element, CORE, NEGOTIATION,
      ("Batches of %dx%d changed to %dx%d within the run: keep the size of "
       "pictures and batches.",
          self->batch.width, self->batch.height, batch->width, batch->height),
      ("batch-size %d, then %d", self->batch.batch_size, batch->batch_size));
  return flow;
}

static GstFlowReturn
refuse_size (TlTrainRun *self, const TlBatchInfo *batch)
{
  GstFlowReturn flow = begin_failure (self);

  GST_ELEMENT_ERROR (self->config.element, LIBRARY, SETTINGS,
      ("Pictures of %dx%d are too small: a ResNet takes %dx%d or more. Set "
       "width and height of imagedecode.",
          batch->width, batch->height, MIN_SIDE, MIN_SIDE),
      (NULL));
  return flow;
}

GstFlowReturn
tl_train_run_set_batch (TlTrainRun *self, const TlBatchInfo *batch)
{
  GstFlowReturn flow = get_flow (self);

  if (flow != GST_FLOW_OK)
    return flow;
  if (batch->width < MIN_SIDE || batch->height < MIN_SIDE)
    return refuse_size (self, batch);
  if (self->session
      && (batch->width != self->batch.width
          || batch->height != self->batch.height
          || batch->batch_size != self->batch.batch_size))
    return refuse_change (self, batch);
  self->batch = *batch;
  self->has_batch = TRUE;
  return GST_FLOW_OK;
}

static GstFlowReturn
take_dataset (TlTrainRun *self, TlDatasetInfo *dataset)
{
  TlError error = TL_ERROR_INIT;
  TlStatus status = TL_OK;

  if (self->session) {
    tl_dataset_info_free (dataset);
    return GST_FLOW_OK;
  }
  tl_dataset_info_free (self->dataset);
  self->dataset = dataset;
  if (self->config.resume)
    status = tl_session_check_left (self->config.weights, dataset, &error);
  return status == TL_OK ? GST_FLOW_OK : fail (self, status, &error);
}

/* Ends the phase before, if there is one and its end was not announced. */
static GstFlowReturn
take_phase (TlTrainRun *self, const TlPhase *phase)
{
  gboolean has_waited = FALSE;
  TlEndedPhase ended;

  if (self->tracker.is_open
      && !self->config.pass_gate (self->config.element, &has_waited))
    return GST_FLOW_FLUSHING;
  if (!tl_phase_tracker_begin (&self->tracker, phase, &ended))
    return GST_FLOW_OK;
  return conclude_phase (self, &ended);
}

GstFlowReturn
tl_train_run_announce (TlTrainRun *self, GstEvent *event)
{
  GstFlowReturn flow = get_flow (self);
  TlDatasetInfo *dataset;
  TlTransform transform;
  TlPhase phase;

  /* A sticky event that was refused comes again before the next buffer. */
  if (flow != GST_FLOW_OK)
    return flow;
  if ((dataset = tl_event_parse_dataset (event)))
    return take_dataset (self, dataset);
  if (tl_event_parse_transform (event, &transform)) {
    tl_transform_clear (&self->transform);
    self->transform = transform;
    self->has_transform = TRUE;
    return GST_FLOW_OK;
  }
  return tl_event_parse_phase (event, &phase) ? take_phase (self, &phase)
                                              : GST_FLOW_OK;
}

/* ---- Batches ---- */

static gboolean
is_save_due (TlTrainRun *self, const TlBatchMeta *batch)
{
  guint64 every = self->checkpoint_every;

  if (g_atomic_int_compare_and_exchange (self->config.save_requested, TRUE,
          FALSE))
    return !tl_session_is_evaluation (self->session);
  return batch->split == TL_SPLIT_TRAIN && every > 0
      && tl_session_state (self->session)->step % every == 0;
}

static GstFlowReturn
run_step (TlTrainRun *self, const TlBatchMeta *meta, GstBuffer *buffer,
    TlStepResult *ret)
{
  g_auto (GstBufferMapInfo) map = GST_MAP_INFO_INIT;
  TlError error = TL_ERROR_INIT;
  gsize size = gst_buffer_get_size (buffer);
  TlStatus status;

  if (size < tl_batch_info_size (&self->batch)
      || meta->n_valid > (guint32) self->batch.batch_size
      || !gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    tl_fail (&error, TL_ERROR_FORMAT,
        "A batch of %" G_GSIZE_FORMAT " byte%s with %u sample%s does not fit "
        "its caps: put batcher before this element.",
        size, size == 1 ? "" : "s", meta->n_valid,
        meta->n_valid == 1 ? "" : "s");
    return fail (self, TL_ERROR_FORMAT, &error);
  }
  g_mutex_lock (self->config.lock);
  self->output.due = TL_STATE_INTERRUPTED;
  status = tl_session_step (self->session, meta, map.data, ret, &error);
  g_mutex_unlock (self->config.lock);
  return status == TL_OK ? GST_FLOW_OK : fail (self, status, &error);
}

/* A pause that began while the model was loaded, or a checkpoint was pushed,
 * counts before the step. */
static GstFlowReturn
wait_for_turn (TlTrainRun *self)
{
  gboolean has_waited = FALSE;
  gboolean go_on = self->config.pass_gate (self->config.element, &has_waited);

  if (has_waited)
    tl_train_report_enter (&self->report, TRUE);
  return go_on ? GST_FLOW_OK : GST_FLOW_FLUSHING;
}

static GstFlowReturn
refuse_order (TlTrainRun *self, const TlBatchMeta *meta)
{
  GstFlowReturn flow = begin_failure (self);

  GST_ELEMENT_ERROR (self->config.element, STREAM, FORMAT,
      ("Samples %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
       " of %" G_GUINT64_FORMAT
       " of the %s phase of epoch %u come out of order: an "
       "element before %s repeats or reorders them.",
          meta->samples[0].position, meta->samples[meta->n_valid - 1].position,
          meta->n, tl_split_nick (meta->split), meta->epoch + 1,
          GST_OBJECT_NAME (self->config.element)),
      ("latest: epoch %u, %s, position %" G_GUINT64_FORMAT,
          self->tracker.latest_epoch + 1,
          tl_split_nick (self->tracker.latest_split), self->tracker.next));
  return flow;
}

/* The phase that the batch belongs to may be the next one. */
static GstFlowReturn
track (TlTrainRun *self, const TlBatchMeta *meta)
{
  TlPhase phase = {.epoch = meta->epoch,
      .split = meta->split,
      .n = meta->n,
      .first = meta->samples[0].position,
      .view = meta->view};
  TlEndedPhase ended;

  if (!tl_phase_tracker_has_order (&self->tracker, meta))
    return refuse_order (self, meta);
  if (!tl_phase_tracker_samples (&self->tracker, &phase, meta->n_valid,
          meta->samples[meta->n_valid - 1].position, &ended))
    return GST_FLOW_OK;
  return conclude_phase (self, &ended);
}

static GstFlowReturn
process (TlTrainRun *self, const TlBatchMeta *meta, GstBuffer *buffer)
{
  TlStepResult result = {.struct_size = sizeof result};
  GstFlowReturn flow;

  if ((flow = track (self, meta)) != GST_FLOW_OK
      || (flow = wait_for_turn (self)) != GST_FLOW_OK
      || (flow = run_step (self, meta, buffer, &result)) != GST_FLOW_OK)
    return flow;
  if (tl_train_report_step (&self->report, self->session, meta, &result,
          &self->values.loss, &self->values.accuracy)) {
    self->values.epoch = meta->epoch + 1;
    publish (self);
  }
  return is_save_due (self, meta) ? push_checkpoint (self, TL_STATE_RUNNING)
                                  : GST_FLOW_OK;
}

GstFlowReturn
tl_train_run_batch (TlTrainRun *self, GstBuffer *buffer, gboolean was_paused)
{
  const TlBatchMeta *meta = tl_buffer_get_batch_meta (buffer);
  GstFlowReturn flow = ensure_session (self);

  if (flow != GST_FLOW_OK)
    return flow;
  if (!meta || meta->n_valid == 0) {
    flow = begin_failure (self);
    GST_ELEMENT_ERROR (self->config.element, STREAM, FORMAT,
        ("A batch came without its samples: put batcher before %s.",
            GST_OBJECT_NAME (self->config.element)),
        ("no TlBatchMeta"));
    return flow;
  }
  tl_train_report_enter (&self->report, was_paused);
  flow = process (self, meta, buffer);
  tl_train_report_leave (&self->report);
  return flow;
}

/* ---- Ends ---- */

GstFlowReturn
tl_train_run_end_phase (TlTrainRun *self, const TlPhaseEnd *end)
{
  GstFlowReturn flow = get_flow (self);
  TlEndedPhase ended;

  if (flow != GST_FLOW_OK
      || !tl_phase_tracker_end (&self->tracker, end, &ended))
    return flow;
  return conclude_phase (self, &ended);
}

/* What an interruption leaves behind. */
static const gchar *
describe_rest (const TlTrainRun *self)
{
  if (!self->session || tl_session_is_evaluation (self->session))
    return "";
  if (!gst_pad_is_linked (self->config.srcpad)
      || self->output.flow != GST_FLOW_OK
      || self->config.settings->on_stop != TL_ON_STOP_CHECKPOINT)
    return "; what came after the last checkpoint is not saved";
  return "; resume= goes on from there";
}

static GstFlowReturn
interrupt (TlTrainRun *self)
{
  if (self->session && tl_session_is_dirty (self->session)
      && self->config.settings->on_stop == TL_ON_STOP_CHECKPOINT
      && push_checkpoint (self, TL_STATE_INTERRUPTED) == GST_FLOW_ERROR)
    return GST_FLOW_ERROR;
  tl_train_report_end (&self->report, GST_PROGRESS_TYPE_CANCELED,
      "interrupted in epoch %u after step %" G_GUINT64_FORMAT "%s",
      self->session ? tl_session_state (self->session)->epoch + 1 : 1,
      self->session ? tl_session_state (self->session)->step : 0,
      describe_rest (self));
  send_eos (self);
  return GST_FLOW_OK;
}

GstFlowReturn
tl_train_run_eos (TlTrainRun *self)
{
  TlEndedPhase ended;

  if (self->has_failed)
    return GST_FLOW_ERROR;
  if (!self->is_over && tl_phase_tracker_eos (&self->tracker, &ended)
      && conclude_phase (self, &ended) == GST_FLOW_ERROR)
    return GST_FLOW_ERROR;
  return self->is_over ? GST_FLOW_OK : interrupt (self);
}

void
tl_train_run_play_again (TlTrainRun *self)
{
  tl_train_output_end_again (&self->output);
}

void
tl_train_run_flush (TlTrainRun *self)
{
  tl_phase_tracker_flush (&self->tracker);
  if (!self->tracker.is_open || self->is_over)
    return;
  GST_ELEMENT_WARNING (self->config.element, STREAM, FAILED,
      ("A flush dropped samples of the %s phase of epoch %u: the phase is "
       "incomplete, and this run cannot be repeated exactly.",
          tl_split_nick (self->tracker.phase.split),
          self->tracker.phase.epoch + 1),
      (NULL));
}
