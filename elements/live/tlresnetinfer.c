/* SPDX-License-Identifier: BSD-3-Clause */

/**
 * SECTION:element-resnetinfer
 * @title: resnetinfer
 * @short_description: Classifies every frame with a tlpipe checkpoint
 *
 * Takes RGB video of any size, leaves the pixels alone, and adds a TlResultMeta
 * to every frame; each result is also posted as a `tl-result` element message.
 * The frame is cropped and resized as the checkpoint says, by the code that
 * prepared the validation pictures while training. Samples that imagedecode has
 * prepared already (a `tl-transform` event came before them) are used as they
 * are; imagedecode takes its settings from this element (`tl-preprocess`).
 *
 * Every frame is classified before it goes on, so the element takes as long as
 * the model does. A frame that cannot be classified goes on with an absent
 * result and the reason in it; the video never stops for it.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 -m datasetsrc location=frames splits=valid ! imagedecode \
 *     ! resnetinfer checkpoint=run/best.safetensors ! fakesink
 * gst-launch-1.0 filesrc location=video.mkv ! decodebin ! videoconvert \
 *     ! video/x-raw,format=RGB ! resnetinfer checkpoint=run/best.safetensors \
 *     ! fakesink
 * ]|
 *
 * As YAML:
 * |[
 * - resnetinfer: {checkpoint: run/best.safetensors, top-k: 3}
 * ]|
 *
 * Runs in the streaming thread, with `n-threads` threads in the model. The same
 * frame and thread count give the same probabilities.
 *
 * Since: 0.1
 */

#include "tlresnetinfer.h"

#include <gst/video/video.h>

#include "tlclassifier.h"
#include "tlerror.h"
#include "tlevents.h"
#include "tlfail.h"
#include "tlframe.h"
#include "tlmessages.h"
#include "tlqueries.h"
#include "tlrange.h"
#include "tlresultmeta.h"
#include "tlsamplemeta.h"
#include "tlshimloader.h"

GST_DEBUG_CATEGORY_STATIC (resnetinfer_debug);
#define GST_CAT_DEFAULT resnetinfer_debug

enum
{
  PROP_0,
  PROP_CHECKPOINT,
  PROP_DEVICE,
  PROP_TOP_K,
  PROP_N_THREADS,
};

#define DEFAULT_CHECKPOINT ""
#define DEFAULT_DEVICE "auto"
#define DEFAULT_TOP_K 3
#define DEFAULT_N_THREADS 0

#define MAX_THREADS 1024

struct _TlResnetInfer
{
  GstBaseTransform parent;

  /* Properties, under the object lock. */
  gchar *checkpoint;
  gchar *device;
  guint top_k;
  guint n_threads;

  GstPadEventFunction base_event; /* GstBaseTransform's */

  /* Set in start, cleared in stop: under classifier_lock, which queries take.
   * They come in any state. */
  GMutex classifier_lock;
  TlClassifier *classifier;
  gfloat *probabilities;

  /* Streaming thread only. */
  GstVideoInfo info;
  gboolean prepared; /* imagedecode has cropped and resized already */
  gboolean refused;  /* what they did, which was said */
  gboolean warned;   /* that a frame could not be classified */
  guint64 serial;    /* of the last result */
};

#define CAPS GST_VIDEO_CAPS_MAKE ("RGB")

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (CAPS));

G_DEFINE_TYPE (TlResnetInfer, tl_resnet_infer, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE (resnetinfer, "resnetinfer", GST_RANK_NONE,
    TL_TYPE_RESNET_INFER)

/* ---- Properties ---- */

/* It may change while frames come, when an error would stop the video. */
static void
set_top_k (TlResnetInfer *self, guint top_k)
{
  gboolean is_refused;
  guint kept;

  GST_OBJECT_LOCK (self);
  is_refused = GST_STATE (self) > GST_STATE_READY
      && (top_k < 1 || top_k > TL_RESULT_MAX);
  if (!is_refused)
    self->top_k = top_k;
  kept = self->top_k;
  GST_OBJECT_UNLOCK (self);
  if (is_refused)
    GST_ELEMENT_WARNING (self, LIBRARY, SETTINGS,
        ("top-k=%u is out of range: expected 1 to %u. It stays %u.", top_k,
            TL_RESULT_MAX, kept),
        (NULL));
}

static void
tl_resnet_infer_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  TlResnetInfer *self = TL_RESNET_INFER (object);

  if (id == PROP_TOP_K) {
    set_top_k (self, g_value_get_uint (value));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_CHECKPOINT:
      g_free (self->checkpoint);
      self->checkpoint = g_value_dup_string (value);
      break;
    case PROP_DEVICE:
      g_free (self->device);
      self->device = g_value_dup_string (value);
      break;
    case PROP_N_THREADS:
      self->n_threads = g_value_get_uint (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
tl_resnet_infer_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  TlResnetInfer *self = TL_RESNET_INFER (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_CHECKPOINT:
      g_value_set_string (value, self->checkpoint);
      break;
    case PROP_DEVICE:
      g_value_set_string (value, self->device);
      break;
    case PROP_TOP_K:
      g_value_set_uint (value, self->top_k);
      break;
    case PROP_N_THREADS:
      g_value_set_uint (value, self->n_threads);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
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

static GstStateChangeReturn
tl_resnet_infer_change_state (GstElement *element, GstStateChange transition)
{
  if ((transition == GST_STATE_CHANGE_NULL_TO_READY
          || transition == GST_STATE_CHANGE_READY_TO_PAUSED)
      && !prepare (element))
    return GST_STATE_CHANGE_FAILURE;
  return GST_ELEMENT_CLASS (tl_resnet_infer_parent_class)
      ->change_state (element, transition);
}

/* *transferred*. */
static void
set_classifier (TlResnetInfer *self, TlClassifier *classifier)
{
  g_mutex_lock (&self->classifier_lock);
  g_clear_pointer (&self->classifier, tl_classifier_free);
  self->classifier = classifier;
  g_mutex_unlock (&self->classifier_lock);
}

static gboolean
tl_resnet_infer_start (GstBaseTransform *transform)
{
  TlResnetInfer *self = TL_RESNET_INFER (transform);
  TlClassifierOptions options = {0};
  TlClassifier *classifier = NULL;
  g_autofree gchar *checkpoint = NULL, *device = NULL;
  TlError error = TL_ERROR_INIT;
  TlStatus status;

  GST_OBJECT_LOCK (self);
  checkpoint = g_strdup (self->checkpoint);
  device = g_strdup (self->device);
  options.n_threads = self->n_threads;
  GST_OBJECT_UNLOCK (self);
  if (!checkpoint || !*checkpoint) {
    GST_ELEMENT_ERROR (self, LIBRARY, SETTINGS,
        ("No checkpoint is given: set checkpoint= to a file that tlpipe wrote, "
         "such as run/best.safetensors."),
        ("checkpoint is empty"));
    return FALSE;
  }
  options.checkpoint = checkpoint;
  options.device = device;
  status = tl_classifier_new (&options, &classifier, &error);
  if (status != TL_OK) {
    tl_element_post_error (GST_ELEMENT (self), status, &error);
    return FALSE;
  }
  self->probabilities = g_new (gfloat, tl_classifier_n_classes (classifier));
  set_classifier (self, classifier);
  self->prepared = FALSE;
  self->refused = FALSE;
  self->warned = FALSE;
  self->serial = 0;
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

static gint
compare_descending (gconstpointer a, gconstpointer b, gpointer data)
{
  const gfloat *probabilities = data;
  guint i = *(const guint *) a, j = *(const guint *) b;

  if (probabilities[i] != probabilities[j])
    return probabilities[i] < probabilities[j] ? 1 : -1;
  return i < j ? -1 : i > j;
}

static void
fill_top (TlResnetInfer *self, TlResultMeta *meta)
{
  guint n = tl_classifier_n_classes (self->classifier);
  const gchar *const *classes = tl_classifier_classes (self->classifier);
  g_autofree guint *order = g_new (guint, n);
  guint top_k;

  GST_OBJECT_LOCK (self);
  top_k = self->top_k;
  GST_OBJECT_UNLOCK (self);
  for (guint i = 0; i < n; i++)
    order[i] = i;
  g_qsort_with_data (order, n, sizeof *order, compare_descending,
      self->probabilities);
  meta->n = MIN (n, top_k);
  for (guint i = 0; i < meta->n; i++) {
    meta->top[i].index = order[i];
    meta->top[i].name = g_quark_from_string (classes[order[i]]);
    meta->top[i].probability = self->probabilities[order[i]];
  }
}

static TlStatus
classify (TlResnetInfer *self, GstBuffer *buffer, TlError *error)
{
  TlFrame frame;
  TlPixels pixels;
  TlStatus status =
      tl_frame_map (&frame, buffer, &self->info, GST_MAP_READ, error);

  if (status != TL_OK)
    return status;
  pixels = (TlPixels){
      .data = frame.first,
      .stride = (gsize) frame.stride,
      .width = frame.width,
      .height = frame.height,
  };
  if (frame.stride > 0)
    status = tl_classifier_run (self->classifier, &pixels, self->prepared,
        self->probabilities, error);
  else
    status = tl_fail (error, TL_ERROR_UNSUPPORTED,
        "A frame's rows lie from the bottom up: put videoconvert before "
        "resnetinfer.");
  tl_frame_unmap (&frame);
  return status;
}

static void
report_absent (TlResnetInfer *self, TlResultMeta *meta, TlStatus status,
    const TlError *error)
{
  meta->state = TL_RESULT_ABSENT;
  meta->reason = g_quark_from_string (error->message);
  if (!self->warned)
    GST_ELEMENT_WARNING (self, STREAM, FAILED,
        ("A frame could not be classified; the video goes on without results "
         "until one can: %s",
            error->message),
        ("status %d: %s", status, error->detail));
  self->warned = TRUE;
}

static GstFlowReturn
tl_resnet_infer_transform_ip (GstBaseTransform *transform, GstBuffer *buffer)
{
  TlResnetInfer *self = TL_RESNET_INFER (transform);
  GstClockTime begin = gst_util_get_timestamp ();
  TlError error = TL_ERROR_INIT;
  TlResultMeta *meta;
  TlStatus status;

  if (self->refused)
    return GST_FLOW_ERROR;
  status = classify (self, buffer, &error);
  meta = tl_buffer_add_result_meta (buffer);
  meta->pts = GST_BUFFER_PTS (buffer);
  meta->age = 0;
  meta->serial = ++self->serial;
  meta->inference_time = gst_util_get_timestamp () - begin;
  meta->model = tl_classifier_id (self->classifier);
  if (status == TL_OK) {
    meta->state = TL_RESULT_VALID;
    fill_top (self, meta);
    self->warned = FALSE;
  } else {
    report_absent (self, meta, status, &error);
  }
  gst_element_post_message (GST_ELEMENT (self),
      tl_message_new_result (GST_OBJECT (self), meta,
          tl_buffer_get_sample_meta (buffer)));
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
  self->prepared = TRUE;
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

  g_mutex_lock (&self->classifier_lock);
  is_answered = self->classifier != NULL;
  if (is_answered)
    tl_query_answer_preprocess (query,
        tl_classifier_preprocess (self->classifier));
  g_mutex_unlock (&self->classifier_lock);
  return is_answered;
}

static gboolean
tl_resnet_infer_query (GstBaseTransform *transform, GstPadDirection direction,
    GstQuery *query)
{
  if (direction == GST_PAD_SINK && tl_query_is_preprocess (query)
      && answer_preprocess (TL_RESNET_INFER (transform), query))
    return TRUE;
  return GST_BASE_TRANSFORM_CLASS (tl_resnet_infer_parent_class)
      ->query (transform, direction, query);
}

/* ---- End ---- */

static gboolean
tl_resnet_infer_stop (GstBaseTransform *transform)
{
  TlResnetInfer *self = TL_RESNET_INFER (transform);

  set_classifier (self, NULL);
  g_clear_pointer (&self->probabilities, g_free);
  return TRUE;
}

static void
tl_resnet_infer_finalize (GObject *object)
{
  TlResnetInfer *self = TL_RESNET_INFER (object);

  g_free (self->checkpoint);
  g_free (self->device);
  g_mutex_clear (&self->classifier_lock);
  G_OBJECT_CLASS (tl_resnet_infer_parent_class)->finalize (object);
}

/* ---- Type ---- */

static void
install_properties (GObjectClass *object_class)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  g_object_class_install_property (object_class, PROP_CHECKPOINT,
      g_param_spec_string ("checkpoint", "Checkpoint",
          "Checkpoint file of resnetfinetune (.safetensors); it carries the "
          "classes and the preprocessing",
          DEFAULT_CHECKPOINT, flags));
  g_object_class_install_property (object_class, PROP_DEVICE,
      g_param_spec_string ("device", "Device",
          "Where the model runs: auto, cpu, cuda or cuda:N", DEFAULT_DEVICE,
          flags));
  g_object_class_install_property (object_class, PROP_TOP_K,
      tl_param_spec_set_range (
          g_param_spec_uint ("top-k", "Top k",
              "Classes listed per frame, best first (1 to 16)", 0, G_MAXUINT,
              DEFAULT_TOP_K,
              G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
                  | GST_PARAM_MUTABLE_PLAYING),
          1, TL_RESULT_MAX));
  g_object_class_install_property (object_class, PROP_N_THREADS,
      tl_param_spec_set_range (
          g_param_spec_uint ("n-threads", "Threads",
              "CPU threads of the model, up to 1024; 0: as many as the affinity "
              "mask has",
              0, G_MAXUINT, DEFAULT_N_THREADS, flags),
          0, MAX_THREADS));
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
  g_mutex_init (&self->classifier_lock);
  self->checkpoint = g_strdup (DEFAULT_CHECKPOINT);
  self->device = g_strdup (DEFAULT_DEVICE);
  self->top_k = DEFAULT_TOP_K;
  self->n_threads = DEFAULT_N_THREADS;
  self->base_event = GST_PAD_EVENTFUNC (GST_BASE_TRANSFORM_SINK_PAD (self));
  gst_pad_set_event_full_function (GST_BASE_TRANSFORM_SINK_PAD (self),
      tl_resnet_infer_pad_event);
}
