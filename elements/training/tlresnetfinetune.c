/* SPDX-License-Identifier: BSD-3-Clause */

/**
 * SECTION:element-resnetfinetune
 * @title: resnetfinetune
 * @short_description: fine-tunes a pretrained ResNet on the batches it gets
 *
 * Trains on the batches of the train split, evaluates the model on those of
 * the others, and pushes checkpoints. Only validation or test samples in the
 * stream make it an evaluation: metrics, no training, no checkpoint.
 *
 * It takes `application/x-tl-batch` with TlBatchMeta and the events tl-dataset,
 * tl-transform, tl-phase and tl-phase-end; it gives
 * `application/x-tl-checkpoint`, one whole safetensors file per buffer. It
 * answers the queries tl-cursor (with resume=), tl-preprocess (for a tlpipe
 * checkpoint) and, from downstream, tl-final-checkpoint. It posts tl-model,
 * tl-metrics and tl-flow, and GST_MESSAGE_PROGRESS "train" for people.
 *
 * It is a sink as far as the pipeline is concerned: it posts its own EOS when
 * the last phase has ended, so a pipeline may end with it.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 datasetsrc location=hymenoptera_data epochs=25 ! imagedecode ! augment ! batcher ! queue max-size-buffers=2 max-size-bytes=0 max-size-time=0 ! resnetfinetune weights=resnet18-f37072fd.pth ! checkpointsink location=run
 * gst-launch-1.0 datasetsrc location=hymenoptera_data splits=valid ! imagedecode ! batcher ! resnetfinetune weights=run/best.safetensors
 * ]|
 *
 * The first line as a pipeline file:
 * |[
 * tlpipe: 1
 * pipeline:
 *   - datasetsrc: {location: hymenoptera_data, epochs: 25}
 *   - imagedecode
 *   - augment
 *   - batcher
 *   - queue: {max-size-buffers: 2, max-size-bytes: 0, max-size-time: 0}
 *   - resnetfinetune: {weights: resnet18-f37072fd.pth}
 *   - checkpointsink: {location: run}
 * ]|
 *
 * Threads: it works on the thread that brings the batches; put a queue before
 * it. The backend uses n-threads CPU threads. While PAUSED it waits.
 *
 * Determinism: the same data set, seed, settings, build and n-threads give
 * checkpoints with the same bytes, also when the run was interrupted and
 * resumed.
 *
 * Since: 0.1
 */

#include "tlresnetfinetune.h"

#include <tlcaps.h>
#include <tlerror.h>
#include <tlfail.h>
#include <tlqueries.h>
#include <tlrange.h>
#include <tlweightscache.h>

#include "tlbatchpool.h"
#include "tlgate.h"
#include "tlorigin.h"
#include "tltrainrun.h"

GST_DEBUG_CATEGORY_STATIC (tl_resnet_finetune_debug);
#define GST_CAT_DEFAULT tl_resnet_finetune_debug

/* Properties: those of TlTrainValues, and behind them those of
 * TlTrainSettings. */
#define PROP_SETTINGS TL_TRAIN_VALUE_END

enum
{
  SIGNAL_SAVE_NOW,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (TL_CAPS_BATCH_TEMPLATE));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (TL_CAPS_CHECKPOINT_TEMPLATE));

struct _TlResnetFinetune
{
  GstElement parent;

  GstPad *sinkpad;
  GstPad *srcpad;

  /* Under the object lock. */
  TlTrainSettings settings;
  gboolean has_new_settings; /* since they were copied */
  TlTrainValues values;

  gint save_requested; /* atomic */

  /* Set from NULL to READY and from READY to PAUSED: a run keeps to the settings
   * it began with, and reads them without a lock. Queries come in any state:
   * weights and run_settings change under prepared_lock, which they take. Before
   * the object lock. */
  GMutex prepared_lock;
  TlTrainSettings run_settings;
  const TlShim *shim;
  TlWeights *weights; /* NULL: to be opened */

  TlGate gate; /* open while PLAYING */

  /* From READY to PAUSED and back. Under run_lock: the pointer, and the use of
   * its session. Taken for a step at a time, never while pushing or waiting. */
  GMutex run_lock;
  TlTrainRun *run;
};

G_DEFINE_TYPE_WITH_CODE (TlResnetFinetune, tl_resnet_finetune, GST_TYPE_ELEMENT,
    GST_DEBUG_CATEGORY_INIT (tl_resnet_finetune_debug, "resnetfinetune", 0,
        "ResNet fine-tuning"))
GST_ELEMENT_REGISTER_DEFINE (resnetfinetune, "resnetfinetune", GST_RANK_NONE,
    TL_TYPE_RESNET_FINETUNE)

/* ---- Properties ---- */

static void
tl_resnet_finetune_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  TlResnetFinetune *self = TL_RESNET_FINETUNE (object);

  GST_OBJECT_LOCK (self);
  tl_train_settings_set (&self->settings, id - PROP_SETTINGS, value);
  self->has_new_settings = TRUE;
  GST_OBJECT_UNLOCK (self);
}

static void
tl_resnet_finetune_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  TlResnetFinetune *self = TL_RESNET_FINETUNE (object);

  GST_OBJECT_LOCK (self);
  if (!tl_train_values_get (&self->values, id, value))
    tl_train_settings_get (&self->settings, id - PROP_SETTINGS, value);
  GST_OBJECT_UNLOCK (self);
}

/* From the streaming thread, no lock held. */
static void
values_changed (GstElement *element, const TlTrainValues *values)
{
  TlResnetFinetune *self = TL_RESNET_FINETUNE (element);

  GST_OBJECT_LOCK (self);
  self->values = *values;
  GST_OBJECT_UNLOCK (self);
  tl_train_values_notify (G_OBJECT (self));
}

static void
tl_resnet_finetune_save_now (TlResnetFinetune *self)
{
  g_atomic_int_set (&self->save_requested, TRUE);
}

/* ---- NULL to READY: every error that can be found before data flows ---- */

static gboolean
check_settings (TlResnetFinetune *self)
{
  TlDeviceInfo device = {.struct_size = sizeof device};
  TlError error = TL_ERROR_INIT;
  TlStatus status;

  if (!tl_element_check_ranges (GST_ELEMENT (self)))
    return FALSE;
  status = tl_train_settings_check (&self->run_settings, &error);
  if (status == TL_OK) {
    self->shim = tl_shim_load (&error);
    status = self->shim
        ? self->shim->device_open (self->run_settings.device, &device, &error)
        : TL_ERROR_NOT_FOUND;
  }
  if (status == TL_OK)
    return TRUE;
  tl_element_post_error (GST_ELEMENT (self), status, &error);
  return FALSE;
}

/* A name, a path, or "random". */
static TlStatus
open_pretrained (const TlTrainSettings *settings, TlWeights **ret,
    TlError *error)
{
  g_autofree gchar *path = NULL;
  TlStatus status = TL_OK;

  if (strcmp (settings->weights, "random") != 0)
    status = tl_weights_cache_resolve (settings->weights, settings->arch, &path,
        error);
  return status == TL_OK ? tl_weights_open (path, settings->arch, ret, error)
                         : status;
}

static TlStatus
open_weights (const TlTrainSettings *settings, TlWeights **ret, TlError *error)
{
  TlStatus status;

  if (*settings->resume == '\0')
    return open_pretrained (settings, ret, error);
  status = tl_weights_open (settings->resume, settings->arch, ret, error);
  if (status != TL_OK)
    return status;
  status = tl_origin_check (*ret, settings->weights, error);
  if (status != TL_OK)
    g_clear_pointer (ret, tl_weights_free);
  return status;
}

/* Without weights they are other ones than before. */
static void
copy_settings (TlResnetFinetune *self)
{
  g_mutex_lock (&self->prepared_lock);
  GST_OBJECT_LOCK (self);
  if (self->has_new_settings) {
    tl_train_settings_copy (&self->run_settings, &self->settings);
    g_clear_pointer (&self->weights, tl_weights_free);
  }
  self->has_new_settings = FALSE;
  GST_OBJECT_UNLOCK (self);
  g_mutex_unlock (&self->prepared_lock);
}

/* *transferred*. */
static void
set_weights (TlResnetFinetune *self, TlWeights *weights)
{
  g_mutex_lock (&self->prepared_lock);
  tl_weights_free (self->weights);
  self->weights = weights;
  g_mutex_unlock (&self->prepared_lock);
}

static gboolean
prepare (TlResnetFinetune *self)
{
  TlError error = TL_ERROR_INIT;
  TlWeights *weights = NULL;
  TlStatus status;

  copy_settings (self);
  if (self->weights)
    return TRUE;
  if (!check_settings (self))
    return FALSE;
  status = open_weights (&self->run_settings, &weights, &error);
  if (status == TL_OK) {
    set_weights (self, weights);
    return TRUE;
  }
  tl_element_post_error (GST_ELEMENT (self), status, &error);
  return FALSE;
}

/* ---- READY to PAUSED and back ---- */

static gboolean
pass_gate (GstElement *element, gboolean *has_waited)
{
  return tl_gate_pass (&TL_RESNET_FINETUNE (element)->gate, has_waited);
}

static gboolean
start (TlResnetFinetune *self)
{
  TlTrainRunConfig config = {.element = GST_ELEMENT (self),
      .srcpad = self->srcpad,
      .lock = &self->run_lock,
      .settings = &self->run_settings,
      .save_requested = &self->save_requested,
      .values_changed = values_changed,
      .pass_gate = pass_gate};

  if (!prepare (self))
    return FALSE;
  config.shim = self->shim;
  config.weights = self->weights;
  config.resume = *self->run_settings.resume != '\0';
  GST_OBJECT_LOCK (self);
  tl_train_values_reset (&self->values);
  GST_OBJECT_UNLOCK (self);
  g_atomic_int_set (&self->save_requested, FALSE);
  g_mutex_lock (&self->run_lock);
  self->run = tl_train_run_new (&config);
  g_mutex_unlock (&self->run_lock);
  tl_gate_reset (&self->gate);
  return TRUE;
}

/* FLUSH_STOP may have waited for the stream lock, and comes when the pads are
 * inactive already. */
static void
stop (TlResnetFinetune *self)
{
  GST_PAD_STREAM_LOCK (self->sinkpad);
  g_mutex_lock (&self->run_lock);
  g_clear_pointer (&self->run, tl_train_run_free);
  g_mutex_unlock (&self->run_lock);
  GST_PAD_STREAM_UNLOCK (self->sinkpad);
}

static GstStateChangeReturn
tl_resnet_finetune_change_state (GstElement *element, GstStateChange transition)
{
  TlResnetFinetune *self = TL_RESNET_FINETUNE (element);
  GstStateChangeReturn ret;

  switch (transition) {
    case GST_STATE_CHANGE_NULL_TO_READY:
      if (!prepare (self))
        return GST_STATE_CHANGE_FAILURE;
      break;
    case GST_STATE_CHANGE_READY_TO_PAUSED:
      if (!start (self))
        return GST_STATE_CHANGE_FAILURE;
      break;
    case GST_STATE_CHANGE_PAUSED_TO_PLAYING:
      tl_gate_set_open (&self->gate, TRUE);
      break;
    case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
      tl_gate_set_open (&self->gate, FALSE);
      break;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
      tl_gate_stop (&self->gate);
      break;
    default:
      break;
  }
  ret = GST_ELEMENT_CLASS (tl_resnet_finetune_parent_class)
            ->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY
      || (transition == GST_STATE_CHANGE_READY_TO_PAUSED
          && ret == GST_STATE_CHANGE_FAILURE))
    stop (self);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING
      && ret != GST_STATE_CHANGE_FAILURE)
    tl_train_run_play_again (self->run);
  if (transition == GST_STATE_CHANGE_READY_TO_NULL)
    set_weights (self, NULL);
  return ret;
}

/* ---- Data ---- */

static GstFlowReturn
tl_resnet_finetune_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  TlResnetFinetune *self = TL_RESNET_FINETUNE (parent);
  gboolean was_paused = FALSE;
  GstFlowReturn flow = GST_FLOW_FLUSHING;

  if (tl_gate_pass (&self->gate, &was_paused))
    flow = tl_train_run_batch (self->run, buffer, was_paused);
  gst_buffer_unref (buffer);
  return flow;
}

/* ---- Events ---- */

static GstFlowReturn
take_caps (TlResnetFinetune *self, GstEvent *event)
{
  TlBatchInfo batch;
  GstCaps *caps;

  gst_event_parse_caps (event, &caps);
  if (tl_batch_info_from_caps (&batch, caps))
    return tl_train_run_set_batch (self->run, &batch);
  GST_ELEMENT_ERROR (self, CORE, NEGOTIATION,
      ("%s needs batches: put batcher before it.", GST_OBJECT_NAME (self)),
      ("caps %" GST_PTR_FORMAT, caps));
  return GST_FLOW_NOT_NEGOTIATED;
}

static GstFlowReturn
take_custom (TlResnetFinetune *self, GstEvent *event)
{
  gboolean has_waited = FALSE;
  TlPhaseEnd end;

  if (!tl_event_parse_phase_end (event, &end))
    return tl_train_run_announce (self->run, event);
  if (!tl_gate_pass (&self->gate, &has_waited))
    return GST_FLOW_FLUSHING;
  return tl_train_run_end_phase (self->run, &end);
}

static GstFlowReturn
take_eos (TlResnetFinetune *self)
{
  gboolean has_waited = FALSE;

  if (!tl_gate_pass (&self->gate, &has_waited))
    return GST_FLOW_FLUSHING;
  return tl_train_run_eos (self->run);
}

/* Nothing is passed on: checkpoints are a stream of their own, and a flush of
 * the samples must not drop one. What a flush interrupts is FLUSHING: FALSE
 * would be an error to who pushes a buffer behind the event. */
static GstFlowReturn
tl_resnet_finetune_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  TlResnetFinetune *self = TL_RESNET_FINETUNE (parent);
  GstFlowReturn flow = GST_FLOW_OK;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      flow = take_caps (self, event);
      break;
    case GST_EVENT_CUSTOM_DOWNSTREAM:
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
      flow = take_custom (self, event);
      break;
    case GST_EVENT_EOS:
      flow = take_eos (self);
      break;
    case GST_EVENT_FLUSH_START:
      tl_gate_set_flushing (&self->gate, TRUE);
      break;
    case GST_EVENT_FLUSH_STOP:
      if (self->run)
        tl_train_run_flush (self->run);
      tl_gate_set_flushing (&self->gate, FALSE);
      break;
    default:
      break;
  }
  gst_event_unref (event);
  return flow;
}

/* ---- Queries ---- */

/* With prepared_lock, as the next one. */
static gboolean
answer_cursor (TlResnetFinetune *self, GstQuery *query)
{
  const TlState *state =
      self->weights ? tl_weights_state (self->weights) : NULL;
  TlCursor cursor = {.resume = TRUE};

  if (!state || *self->run_settings.resume == '\0')
    return FALSE;
  cursor.seed = state->seed;
  cursor.epoch = state->epoch;
  cursor.split = state->split;
  cursor.position = state->position;
  cursor.views = state->views;
  g_strlcpy (cursor.digest, state->digest, sizeof cursor.digest);
  cursor.classes = state->classes;
  cursor.counts = state->counts;
  tl_query_answer_cursor (query, &cursor);
  return TRUE;
}

/* What a checkpoint expects. Training makes its pictures as imagedecode says,
 * so there is no answer where training samples follow. */
static gboolean
answer_preprocess (TlResnetFinetune *self, GstQuery *query)
{
  const TlState *state =
      self->weights ? tl_weights_state (self->weights) : NULL;
  TlPreprocess preprocess;

  if (!state || tl_query_preprocess_trains (query)
      || !tl_preprocess_from_string (&preprocess, state->preprocess))
    return FALSE;
  tl_train_settings_get_normalization (&self->run_settings, &preprocess);
  tl_query_answer_preprocess (query, &preprocess);
  return TRUE;
}

static gboolean
answer_prepared (TlResnetFinetune *self, GstQuery *query)
{
  gboolean is_answered;

  g_mutex_lock (&self->prepared_lock);
  is_answered = tl_query_is_cursor (query) ? answer_cursor (self, query)
                                           : answer_preprocess (self, query);
  g_mutex_unlock (&self->prepared_lock);
  return is_answered;
}

/* Offers buffers that suit the backend. */
static gboolean
answer_allocation (TlResnetFinetune *self, GstQuery *query)
{
  g_autoptr (GstBufferPool) pool = NULL;
  TlBatchInfo batch;
  GstCaps *caps;

  gst_query_parse_allocation (query, &caps, NULL);
  if (!caps || !tl_batch_info_from_caps (&batch, caps)
      || tl_batch_info_size (&batch) > TL_BATCH_MAX_BYTES)
    return FALSE;
  pool = tl_batch_pool_new (&batch);
  gst_query_add_allocation_pool (query, pool,
      (guint) tl_batch_info_size (&batch), 0, 0);
  return TRUE;
}

static gboolean
tl_resnet_finetune_sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  TlResnetFinetune *self = TL_RESNET_FINETUNE (parent);

  if (tl_query_is_cursor (query) || tl_query_is_preprocess (query))
    return answer_prepared (self, query);
  if (GST_QUERY_TYPE (query) == GST_QUERY_ALLOCATION)
    return answer_allocation (self, query);
  return gst_pad_query_default (pad, parent, query);
}

/* Comes from the thread that stops the pipeline: waits for the running step;
 * no other is begun. */
static gboolean
answer_final_checkpoint (TlResnetFinetune *self, GstQuery *query)
{
  g_autoptr (GstBuffer) buffer = NULL;

  tl_gate_stop (&self->gate);
  g_mutex_lock (&self->run_lock);
  if (self->run)
    buffer = tl_train_run_take_final (self->run,
        tl_query_final_checkpoint_received (query));
  g_mutex_unlock (&self->run_lock);
  if (buffer)
    tl_query_answer_final_checkpoint (query, buffer);
  return TRUE;
}

static gboolean
tl_resnet_finetune_src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (tl_query_is_final_checkpoint (query))
    return answer_final_checkpoint (TL_RESNET_FINETUNE (parent), query);
  return gst_pad_query_default (pad, parent, query);
}

/* ---- Object ---- */

static void
tl_resnet_finetune_finalize (GObject *object)
{
  TlResnetFinetune *self = TL_RESNET_FINETUNE (object);

  tl_weights_free (self->weights);
  tl_train_settings_clear (&self->settings);
  tl_train_settings_clear (&self->run_settings);
  tl_gate_clear (&self->gate);
  g_mutex_clear (&self->run_lock);
  g_mutex_clear (&self->prepared_lock);
  G_OBJECT_CLASS (tl_resnet_finetune_parent_class)->finalize (object);
}

static void
tl_resnet_finetune_class_init (TlResnetFinetuneClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  object_class->set_property = tl_resnet_finetune_set_property;
  object_class->get_property = tl_resnet_finetune_get_property;
  object_class->finalize = tl_resnet_finetune_finalize;
  element_class->change_state = tl_resnet_finetune_change_state;

  tl_train_values_install (object_class);
  tl_train_settings_install (object_class, PROP_SETTINGS);

  /**
   * TlResnetFinetune::save-now:
   *
   * Asks for a checkpoint after the batch that is being worked on. Returns at
   * once; nothing is pushed from the caller's thread.
   *
   * Since: 0.1
   */
  signals[SIGNAL_SAVE_NOW] = g_signal_new_class_handler ("save-now",
      G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION,
      G_CALLBACK (tl_resnet_finetune_save_now), NULL, NULL, NULL, G_TYPE_NONE,
      0);

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "ResNet fine-tuning",
      "Sink/Analyzer/Training",
      "Fine-tunes a pretrained ResNet on batches and pushes checkpoints",
      "tlpipe developers");
}

static void
tl_resnet_finetune_init (TlResnetFinetune *self)
{
  tl_gate_init (&self->gate);
  g_mutex_init (&self->run_lock);
  g_mutex_init (&self->prepared_lock);
  tl_train_values_reset (&self->values);

  self->sinkpad = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_chain_function (self->sinkpad, tl_resnet_finetune_chain);
  gst_pad_set_event_full_function (self->sinkpad,
      tl_resnet_finetune_sink_event);
  gst_pad_set_query_function (self->sinkpad, tl_resnet_finetune_sink_query);
  gst_element_add_pad (GST_ELEMENT (self), self->sinkpad);

  self->srcpad = gst_pad_new_from_static_template (&src_template, "src");
  gst_pad_set_query_function (self->srcpad, tl_resnet_finetune_src_query);
  gst_pad_use_fixed_caps (self->srcpad);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_SINK);
}
