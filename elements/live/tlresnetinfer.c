/* SPDX-License-Identifier: BSD-3-Clause */

/**
 * SECTION:element-resnetinfer
 * @title: resnetinfer
 * @short_description: Classifies every frame with a tlpipe checkpoint
 *
 * Takes raw video of any format and size, leaves the pixels alone, and adds a TlResultMeta
 * to every frame; results are also posted as `tl-result` element messages.
 * The frame is cropped and resized as the checkpoint says, by the code that
 * prepared the validation pictures while training. Samples that imagedecode has
 * prepared already (a `tl-transform` event came before them) are used as they
 * are; imagedecode takes its settings from this element (`tl-preprocess`).
 *
 * With a live source the model works beside the video (`mode=async`): no frame
 * waits, each carries the newest result and its age, and frames that come while
 * the model works are passed over. Of files every frame waits for its own result
 * (`mode=sync`); a live line in that mode reports its latency.
 *
 * No fault of the model stops, delays or alters the video: frames go on with an
 * absent result and the reason in it, and after a pause it is tried again.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 -m datasetsrc location=frames splits=valid ! imagedecode \
 *     ! resnetinfer checkpoint=run/best.safetensors ! fakesink
 * gst-launch-1.0 filesrc location=video.mkv ! decodebin \
 *     ! resnetinfer checkpoint=run/best.safetensors ! fakesink
 * ]|
 *
 * As YAML:
 * |[
 * - resnetinfer: {checkpoint: run/best.safetensors, top-k: 3}
 * ]|
 *
 * The model runs in a thread of its own, with `n-threads` threads inside. The
 * same frame and thread count give the same probabilities.
 *
 * Since: 0.1
 */

#include "tlresnetinfer.h"

#include <gst/video/video.h>

#include "tlclassifier.h"
#include "tlerror.h"
#include "tlevents.h"
#include "tlinfersettings.h"
#include "tllabeller.h"
#include "tlqueries.h"
#include "tlrange.h"
#include "tlshimloader.h"

GST_DEBUG_CATEGORY_STATIC (resnetinfer_debug);
#define GST_CAT_DEFAULT resnetinfer_debug

/* The read-only properties first, then those of the settings. */
enum
{
  PROP_0,
  PROP_INFERENCE_TIME,
  PROP_INFERENCE_FPS,
  PROP_INFERENCE_P50,
  PROP_INFERENCE_P95,
  PROP_INFERENCE_P99,
  PROP_SETTINGS,
};

struct _TlResnetInfer
{
  GstBaseTransform parent;

  TlInferSettings settings; /* under the object lock */

  GstPadEventFunction base_event; /* GstBaseTransform's */

  /* Set in start, cleared in stop: under worker_lock, which queries, flushes and
   * state changes take. They come in any state. */
  GMutex worker_lock;
  TlClassifier *classifier;
  TlInferWorker *worker;

  /* Set in start, then of the streaming thread alone. */
  TlLabeller labeller;
  GstVideoInfo info;
  gboolean has_looked; /* whether upstream is live */
  gboolean refused;    /* what imagedecode did, which was said */
};

/* Of any kind of memory: the frames go on untouched, and those that cannot be
 * read get no result. */
#define CAPS GST_VIDEO_CAPS_MAKE_WITH_FEATURES ("ANY", GST_VIDEO_FORMATS_ALL)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (CAPS));

G_DEFINE_TYPE (TlResnetInfer, tl_resnet_infer, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE (resnetinfer, "resnetinfer", GST_RANK_NONE,
    TL_TYPE_RESNET_INFER)

/* ---- Properties ---- */

/* Whether a value that counts at once is out of range: an error would stop the
 * video. Under the object lock. */
static gboolean
is_refused (TlResnetInfer *self, const GValue *value, GParamSpec *pspec)
{
  const TlRange *range = tl_param_spec_get_range (pspec);
  g_auto (GValue) number = G_VALUE_INIT;

  if (GST_STATE (self) <= GST_STATE_READY || !range
      || !(pspec->flags & GST_PARAM_MUTABLE_PLAYING))
    return FALSE;
  g_value_init (&number, G_TYPE_DOUBLE);
  g_value_transform (value, &number);
  return !tl_range_contains (range, g_value_get_double (&number));
}

static void
warn_of_range (TlResnetInfer *self, const GValue *value, GParamSpec *pspec)
{
  g_autofree gchar *range =
      tl_range_to_string (tl_param_spec_get_range (pspec));
  g_autofree gchar *refused = gst_value_serialize (value);
  g_auto (GValue) kept = G_VALUE_INIT;
  g_autofree gchar *text = NULL;

  g_value_init (&kept, G_PARAM_SPEC_VALUE_TYPE (pspec));
  g_object_get_property (G_OBJECT (self), pspec->name, &kept);
  text = gst_value_serialize (&kept);
  GST_ELEMENT_WARNING (self, LIBRARY, SETTINGS,
      ("%s=%s is out of range: expected %s. It stays %s.", pspec->name, refused,
          range, text),
      (NULL));
}

static void
tl_resnet_infer_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  TlResnetInfer *self = TL_RESNET_INFER (object);
  gboolean refused;

  GST_OBJECT_LOCK (self);
  refused = is_refused (self, value, pspec);
  if (!refused)
    tl_infer_settings_set (&self->settings, id - PROP_SETTINGS, value);
  GST_OBJECT_UNLOCK (self);
  if (refused)
    warn_of_range (self, value, pspec);
}

static void
tl_resnet_infer_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  TlResnetInfer *self = TL_RESNET_INFER (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_INFERENCE_TIME:
      g_value_set_uint64 (value, tl_infer_stats_last (&self->labeller.stats));
      break;
    case PROP_INFERENCE_FPS:
      g_value_set_double (value, tl_infer_stats_rate (&self->labeller.stats));
      break;
    case PROP_INFERENCE_P50:
      g_value_set_uint64 (value,
          tl_infer_stats_percentile (&self->labeller.stats, 0.50));
      break;
    case PROP_INFERENCE_P95:
      g_value_set_uint64 (value,
          tl_infer_stats_percentile (&self->labeller.stats, 0.95));
      break;
    case PROP_INFERENCE_P99:
      g_value_set_uint64 (value,
          tl_infer_stats_percentile (&self->labeller.stats, 0.99));
      break;
    default:
      tl_infer_settings_get (&self->settings, id - PROP_SETTINGS, value);
  }
  GST_OBJECT_UNLOCK (self);
}

/* ---- Life cycle ---- */

/* What does not depend on the stream and must be right. */
static gboolean
prepare (GstElement *element)
{
  TlError error = TL_ERROR_INIT;

  if (!tl_element_check_ranges (element))
    return FALSE;
  if (tl_shim_load (&error))
    return TRUE;
  tl_element_post_error (element, TL_ERROR_NOT_FOUND, &error);
  return FALSE;
}

/* Ends the waiting of a frame, now and until FALSE: a flush or a stop. */
static void
interrupt (TlResnetInfer *self, gboolean is_interrupted)
{
  g_mutex_lock (&self->worker_lock);
  if (self->worker)
    tl_infer_worker_interrupt (self->worker, is_interrupted);
  g_mutex_unlock (&self->worker_lock);
}

static GstStateChangeReturn
tl_resnet_infer_change_state (GstElement *element, GstStateChange transition)
{
  if ((transition == GST_STATE_CHANGE_NULL_TO_READY
          || transition == GST_STATE_CHANGE_READY_TO_PAUSED)
      && !prepare (element))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    interrupt (TL_RESNET_INFER (element), TRUE);
  return GST_ELEMENT_CLASS (tl_resnet_infer_parent_class)
      ->change_state (element, transition);
}

static TlClassifier *
load (TlResnetInfer *self)
{
  TlClassifierOptions options = {0};
  TlClassifier *classifier = NULL;
  g_autofree gchar *checkpoint = NULL, *device = NULL;
  TlError error = TL_ERROR_INIT;
  TlStatus status;

  GST_OBJECT_LOCK (self);
  checkpoint = g_strdup (self->settings.checkpoint);
  device = g_strdup (self->settings.device);
  options.n_threads = self->settings.n_threads;
  GST_OBJECT_UNLOCK (self);
  if (!*checkpoint) {
    GST_ELEMENT_ERROR (self, LIBRARY, SETTINGS,
        ("No checkpoint is given: set checkpoint= to a file that tlpipe wrote, "
         "such as run/best.safetensors."),
        ("checkpoint is empty"));
    return NULL;
  }
  options.checkpoint = checkpoint;
  options.device = device;
  status = tl_classifier_new (&options, &classifier, &error);
  if (status == TL_OK)
    return classifier;
  tl_element_post_error (GST_ELEMENT (self), status, &error);
  return NULL;
}

/* @classifier: *transferred*. */
static gboolean
begin (TlResnetInfer *self, TlClassifier *classifier)
{
  TlInferWorker *worker = tl_infer_worker_new (classifier);
  guint timeout_ms;

  g_mutex_lock (&self->worker_lock);
  self->classifier = classifier;
  self->worker = worker;
  g_mutex_unlock (&self->worker_lock);
  GST_OBJECT_LOCK (self);
  timeout_ms = self->settings.timeout_ms;
  GST_OBJECT_UNLOCK (self);
  if (!worker) {
    GST_ELEMENT_ERROR (self, LIBRARY, FAILED,
        ("%d models of earlier runs hang and could not be ended; begin a new "
         "process.",
            TL_INFER_WORKER_MAX_LEFT),
        ("threads are left behind"));
    return FALSE;
  }
  if (tl_labeller_init (&self->labeller, GST_ELEMENT (self), worker,
          tl_classifier_classes (classifier), timeout_ms))
    return TRUE;
  GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT,
      ("Out of memory for the results of %u classes.",
          tl_classifier_n_classes (classifier)),
      (NULL));
  return FALSE;
}

static void
end (TlResnetInfer *self)
{
  TlInferWorker *worker;
  guint timeout_ms = self->labeller.timeout_ms;

  tl_labeller_clear (&self->labeller);
  g_mutex_lock (&self->worker_lock);
  worker = g_steal_pointer (&self->worker);
  g_clear_pointer (&self->classifier, tl_classifier_unref);
  g_mutex_unlock (&self->worker_lock);
  if (worker && !tl_infer_worker_stop (worker, timeout_ms))
    GST_ELEMENT_WARNING (self, LIBRARY, FAILED,
        ("The model has not answered for %u ms (timeout-ms); it is left "
         "behind, with its memory, until it does.",
            timeout_ms),
        (NULL));
}

static gboolean
tl_resnet_infer_start (GstBaseTransform *transform)
{
  TlResnetInfer *self = TL_RESNET_INFER (transform);
  TlClassifier *classifier = load (self);

  if (!classifier)
    return FALSE;
  if (!begin (self, classifier)) {
    end (self);
    return FALSE;
  }
  self->refused = FALSE;
  self->has_looked = FALSE;
  return TRUE;
}

static gboolean
tl_resnet_infer_set_caps (GstBaseTransform *transform, GstCaps *in,
    GstCaps *out)
{
  TlResnetInfer *self = TL_RESNET_INFER (transform);

  return gst_video_info_from_caps (&self->info, in);
}

/* ---- Data ---- */

/* Live is what says so of its latency; others can wait. */
static gboolean
is_upstream_live (TlResnetInfer *self)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  gboolean is_live = FALSE;

  if (gst_pad_peer_query (GST_BASE_TRANSFORM_SINK_PAD (self), query))
    gst_query_parse_latency (query, &is_live, NULL, NULL);
  return is_live;
}

/* Before the first frame of a stream. */
static void
look_upstream (TlResnetInfer *self, TlInferMode mode)
{
  TlLabeller *labeller = &self->labeller;

  labeller->is_live = is_upstream_live (self);
  labeller->is_sync = mode == TL_INFER_SYNC
      || (mode == TL_INFER_AUTO
          && (!labeller->is_live || labeller->is_prepared));
  self->has_looked = TRUE;
  GST_INFO_OBJECT (self, "%s, upstream is %slive",
      labeller->is_sync ? "sync" : "async", labeller->is_live ? "" : "not ");
}

static GstFlowReturn
tl_resnet_infer_transform_ip (GstBaseTransform *transform, GstBuffer *buffer)
{
  TlResnetInfer *self = TL_RESNET_INFER (transform);
  TlInferSettings settings;

  if (self->refused)
    return GST_FLOW_ERROR;
  GST_OBJECT_LOCK (self);
  settings = self->settings;
  GST_OBJECT_UNLOCK (self);
  if (!self->has_looked)
    look_upstream (self, settings.mode);
  tl_labeller_label (&self->labeller, buffer, &self->info, &settings);
  return GST_FLOW_OK;
}

/* ---- Events and queries ---- */

/* Samples prepared upstream must have been prepared for this model. */
static gboolean
accept_transform (TlResnetInfer *self, const TlPreprocess *given)
{
  TlPreprocess wanted = *tl_classifier_preprocess (self->classifier);
  g_autofree gchar *wanted_text = NULL, *given_text = NULL;

  /* Mean and std are the model's own; nothing upstream knows them. */
  memcpy (wanted.mean, given->mean, sizeof wanted.mean);
  memcpy (wanted.std, given->std, sizeof wanted.std);
  wanted_text = tl_preprocess_to_string (&wanted);
  given_text = tl_preprocess_to_string (given);
  self->labeller.is_prepared = TRUE;
  if (g_str_equal (wanted_text, given_text))
    return TRUE;
  /* The event is sticky: it may come again. */
  if (self->refused)
    return FALSE;
  self->refused = TRUE;
  GST_ELEMENT_ERROR (self, STREAM, FORMAT,
      ("The pictures were prepared for another model: imagedecode did \"%s\", "
       "but the checkpoint was trained with \"%s\". Leave imagedecode's "
       "properties at their defaults, it asks the model.",
          given_text, wanted_text),
      ("tl-transform differs from the checkpoint's preprocessing"));
  return FALSE;
}

static void
begin_stream (TlResnetInfer *self)
{
  if (self->labeller.worker)
    tl_labeller_begin_stream (&self->labeller);
  self->has_looked = FALSE;
}

static gboolean
tl_resnet_infer_sink_event (GstBaseTransform *transform, GstEvent *event)
{
  TlResnetInfer *self = TL_RESNET_INFER (transform);
  g_auto (TlTransform) found = {0};

  if (self->classifier && tl_event_parse_transform (event, &found)
      && !accept_transform (self, &found.preprocess)) {
    gst_event_unref (event);
    return FALSE;
  }
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_FLUSH_START:
      interrupt (self, TRUE);
      break;
    case GST_EVENT_FLUSH_STOP:
      interrupt (self, FALSE);
      begin_stream (self);
      break;
    case GST_EVENT_STREAM_START:
      begin_stream (self);
      self->labeller.is_prepared = FALSE;
      break;
    default:
      break;
  }
  return GST_BASE_TRANSFORM_CLASS (tl_resnet_infer_parent_class)
      ->sink_event (transform, event);
}

/* What a flush or a stop interrupts is FLUSHING: FALSE would be an error to who
 * pushes a frame behind a sticky event. */
static GstFlowReturn
tl_resnet_infer_pad_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  gboolean is_caps = GST_EVENT_TYPE (event) == GST_EVENT_CAPS;

  if (TL_RESNET_INFER (parent)->base_event (pad, parent, event))
    return GST_FLOW_OK;
  if (GST_PAD_IS_FLUSHING (GST_BASE_TRANSFORM_SRC_PAD (parent)))
    return GST_FLOW_FLUSHING;
  return is_caps ? GST_FLOW_NOT_NEGOTIATED : GST_FLOW_ERROR;
}

static gboolean
answer_preprocess (TlResnetInfer *self, GstQuery *query)
{
  gboolean is_answered;

  g_mutex_lock (&self->worker_lock);
  is_answered = self->classifier != NULL;
  if (is_answered)
    tl_query_answer_preprocess (query,
        tl_classifier_preprocess (self->classifier));
  g_mutex_unlock (&self->worker_lock);
  return is_answered;
}

/* Upstream's, and the time that frames wait here. */
static void
add_latency (TlResnetInfer *self, GstQuery *query)
{
  GstClockTime min, max, own;
  gboolean is_live;

  GST_OBJECT_LOCK (self);
  own = self->labeller.latency;
  GST_OBJECT_UNLOCK (self);
  gst_query_parse_latency (query, &is_live, &min, &max);
  min += own;
  if (GST_CLOCK_TIME_IS_VALID (max))
    max += own;
  gst_query_set_latency (query, is_live, min, max);
}

static gboolean
tl_resnet_infer_query (GstBaseTransform *transform, GstPadDirection direction,
    GstQuery *query)
{
  TlResnetInfer *self = TL_RESNET_INFER (transform);

  if (direction == GST_PAD_SINK && tl_query_is_preprocess (query)
      && answer_preprocess (self, query))
    return TRUE;
  if (!GST_BASE_TRANSFORM_CLASS (tl_resnet_infer_parent_class)
           ->query (transform, direction, query))
    return FALSE;
  if (direction == GST_PAD_SRC && GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    add_latency (self, query);
  return TRUE;
}

/* ---- End ---- */

static gboolean
tl_resnet_infer_stop (GstBaseTransform *transform)
{
  end (TL_RESNET_INFER (transform));
  return TRUE;
}

static void
tl_resnet_infer_finalize (GObject *object)
{
  TlResnetInfer *self = TL_RESNET_INFER (object);

  tl_infer_settings_clear (&self->settings);
  g_mutex_clear (&self->worker_lock);
  G_OBJECT_CLASS (tl_resnet_infer_parent_class)->finalize (object);
}

/* ---- Type ---- */

static void
install_time (GObjectClass *klass, guint id, const gchar *name,
    const gchar *nick, const gchar *blurb)
{
  g_object_class_install_property (klass, id,
      g_param_spec_uint64 (name, nick, blurb, 0, G_MAXUINT64, 0,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
install_properties (GObjectClass *klass)
{
  tl_infer_settings_install (klass, PROP_SETTINGS);
  install_time (klass, PROP_INFERENCE_TIME, "inference-time", "Inference time",
      "Nanoseconds that the last result took, preprocessing included; 0: none "
      "yet");
  g_object_class_install_property (klass, PROP_INFERENCE_FPS,
      g_param_spec_double ("inference-fps", "Inferences per second",
          "Results per second over the last 256", 0, G_MAXDOUBLE, 0,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  install_time (klass, PROP_INFERENCE_P50, "inference-p50",
      "Median inference time",
      "Nanoseconds that half of the last 256 results did not exceed");
  install_time (klass, PROP_INFERENCE_P95, "inference-p95",
      "95th percentile of the inference time",
      "Nanoseconds that 95 % of the last 256 results did not exceed");
  install_time (klass, PROP_INFERENCE_P99, "inference-p99",
      "99th percentile of the inference time",
      "Nanoseconds that 99 % of the last 256 results did not exceed");
}

static void
tl_resnet_infer_class_init (TlResnetInferClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *transform_class = GST_BASE_TRANSFORM_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (resnetinfer_debug, "resnetinfer", 0,
      "classifies frames with a fine-tuned ResNet");
  object_class->set_property = tl_resnet_infer_set_property;
  object_class->get_property = tl_resnet_infer_get_property;
  object_class->finalize = tl_resnet_infer_finalize;
  install_properties (object_class);

  gst_element_class_set_static_metadata (element_class, "ResNet classifier",
      "Filter/Analyzer/Video",
      "Classifies every frame with a tlpipe checkpoint", "tlpipe developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  element_class->change_state =
      GST_DEBUG_FUNCPTR (tl_resnet_infer_change_state);

  transform_class->start = GST_DEBUG_FUNCPTR (tl_resnet_infer_start);
  transform_class->set_caps = GST_DEBUG_FUNCPTR (tl_resnet_infer_set_caps);
  transform_class->transform_ip =
      GST_DEBUG_FUNCPTR (tl_resnet_infer_transform_ip);
  transform_class->sink_event = GST_DEBUG_FUNCPTR (tl_resnet_infer_sink_event);
  transform_class->query = GST_DEBUG_FUNCPTR (tl_resnet_infer_query);
  transform_class->stop = GST_DEBUG_FUNCPTR (tl_resnet_infer_stop);
}

static void
tl_resnet_infer_init (TlResnetInfer *self)
{
  g_mutex_init (&self->worker_lock);
  self->base_event = GST_PAD_EVENTFUNC (GST_BASE_TRANSFORM_SINK_PAD (self));
  gst_pad_set_event_full_function (GST_BASE_TRANSFORM_SINK_PAD (self),
      tl_resnet_infer_pad_event);
}
