/* SPDX-License-Identifier: BSD-3-Clause */

/**
 * SECTION:element-resultoverlay
 * @title: resultoverlay
 * @short_description: Draws what the model says onto the video
 *
 * Takes raw video of every format and draws a card into a corner: the class and
 * its probability from the TlResultMeta that resnetinfer has added, "Uncertain"
 * where the model abstained, "No result" with the reason where there is none,
 * the age of a result that is too old, how many frames were passed over, and a
 * notice. Metas and all pixels outside the card stay as they are.
 *
 * Sizes follow the height of the video; pixels that are not square are honoured.
 * The card is drawn anew only when what it says changes. A frame that cannot be
 * drawn on goes on as it is, with one warning.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! video/x-raw,format=RGB \
 *     ! resnetinfer checkpoint=run/best.safetensors ! resultoverlay \
 *     ! videoconvert ! autovideosink
 * gst-launch-1.0 videotestsrc num-buffers=100 ! resultoverlay position=top-left \
 *     ! fakesink
 * ]|
 *
 * As YAML:
 * |[
 * - resultoverlay: {position: top-left, top-k: 2}
 * ]|
 *
 * Runs in the streaming thread. The same results, size and fonts give the same
 * pixels.
 *
 * Since: 0.1
 */

#include "tlresultoverlay.h"

#include <string.h>

#include <gst/video/video-overlay-composition.h>
#include <gst/video/video.h>

#include "tlrange.h"
#include "tlresultcard.h"
#include "tlresultmeta.h"
#include "tlvideoplanes.h"

GST_DEBUG_CATEGORY_STATIC (resultoverlay_debug);
#define GST_CAT_DEFAULT resultoverlay_debug

enum
{
  PROP_0,
  PROP_POSITION,
  PROP_SCALE,
  PROP_TOP_K,
  PROP_STALE_AFTER_MS,
  PROP_SHOW_NOTICE,
  PROP_NOTICE,
};

#define DEFAULT_POSITION TL_CARD_BOTTOM_LEFT
#define DEFAULT_SCALE 1.0
#define DEFAULT_TOP_K 3
#define DEFAULT_STALE_AFTER_MS 1000
#define DEFAULT_SHOW_NOTICE TRUE
#define DEFAULT_NOTICE "Research use only"

#define MIN_SCALE 0.25
#define MAX_SCALE 4.0
#define MAX_STALE_AFTER_MS 3600000

#define NO_META "The frames carry no result: put resnetinfer in front."

typedef struct
{
  TlCardPosition position;
  gdouble scale;
  guint top_k;
  guint stale_after_ms;
  gboolean show_notice;
  GRefString *notice; /* never NULL */
} Settings;

struct _TlResultOverlay
{
  GstBaseTransform parent;

  GstPadEventFunction base_event; /* GstBaseTransform's, of the sink pad */
  Settings settings;              /* under the object lock */

  /* Set in start, cleared in stop. */
  TlCardPainter *painter; /* NULL: no fonts */

  /* Streaming thread only. */
  GstVideoInfo info;
  guint n_classes; /* most that a result has had since the caps came */
  gboolean warned; /* that a frame could not be drawn on */

  /* The card as it was drawn last, and of what; NULL: not yet. */
  GstVideoOverlayComposition *drawn;
  TlCard card;
  TlCardView view;
  GRefString *notice; /* keeps card.notice */
};

#define CAPS GST_VIDEO_CAPS_MAKE (GST_VIDEO_OVERLAY_COMPOSITION_BLEND_FORMATS)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (CAPS));

G_DEFINE_TYPE (TlResultOverlay, tl_result_overlay, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE (resultoverlay, "resultoverlay", GST_RANK_NONE,
    TL_TYPE_RESULT_OVERLAY)

/* ---- Properties ---- */

#define TYPE_POSITION (get_position_type ())

static GType
get_position_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
      {TL_CARD_TOP_LEFT, "Top left corner", "top-left"},
      {TL_CARD_TOP_RIGHT, "Top right corner", "top-right"},
      {TL_CARD_BOTTOM_LEFT, "Bottom left corner", "bottom-left"},
      {TL_CARD_BOTTOM_RIGHT, "Bottom right corner", "bottom-right"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("TlResultPosition", values));
  return (GType) type;
}

static void
set_notice (Settings *settings, const gchar *notice)
{
  g_clear_pointer (&settings->notice, g_ref_string_release);
  settings->notice = g_ref_string_new (notice ? notice : "");
}

/* While frames come an error would stop the video: a value out of its range is
 * refused with a warning. Under the object lock. */
static gboolean
is_refused (TlResultOverlay *self, const GValue *value, GParamSpec *pspec)
{
  g_auto (GValue) number = G_VALUE_INIT;
  const TlRange *range = tl_param_spec_get_range (pspec);

  if (!range || GST_STATE (self) <= GST_STATE_READY)
    return FALSE;
  g_value_init (&number, G_TYPE_DOUBLE);
  g_value_transform (value, &number);
  return !tl_range_contains (range, g_value_get_double (&number));
}

static void
warn_refused (TlResultOverlay *self, const GValue *value, GParamSpec *pspec)
{
  g_autofree gchar *range =
      tl_range_to_string (tl_param_spec_get_range (pspec));
  g_autofree gchar *text = gst_value_serialize (value);

  GST_ELEMENT_WARNING (self, LIBRARY, SETTINGS,
      ("%s=%s is out of range: expected %s. It stays as it was.", pspec->name,
          text, range),
      (NULL));
}

static void
tl_result_overlay_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  TlResultOverlay *self = TL_RESULT_OVERLAY (object);
  Settings *settings = &self->settings;

  GST_OBJECT_LOCK (self);
  if (is_refused (self, value, pspec)) {
    GST_OBJECT_UNLOCK (self);
    warn_refused (self, value, pspec);
    return;
  }
  switch (id) {
    case PROP_POSITION:
      settings->position = (TlCardPosition) g_value_get_enum (value);
      break;
    case PROP_SCALE:
      settings->scale = g_value_get_double (value);
      break;
    case PROP_TOP_K:
      settings->top_k = g_value_get_uint (value);
      break;
    case PROP_STALE_AFTER_MS:
      settings->stale_after_ms = g_value_get_uint (value);
      break;
    case PROP_SHOW_NOTICE:
      settings->show_notice = g_value_get_boolean (value);
      break;
    case PROP_NOTICE:
      set_notice (settings, g_value_get_string (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
tl_result_overlay_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  TlResultOverlay *self = TL_RESULT_OVERLAY (object);
  const Settings *settings = &self->settings;

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_POSITION:
      g_value_set_enum (value, (gint) settings->position);
      break;
    case PROP_SCALE:
      g_value_set_double (value, settings->scale);
      break;
    case PROP_TOP_K:
      g_value_set_uint (value, settings->top_k);
      break;
    case PROP_STALE_AFTER_MS:
      g_value_set_uint (value, settings->stale_after_ms);
      break;
    case PROP_SHOW_NOTICE:
      g_value_set_boolean (value, settings->show_notice);
      break;
    case PROP_NOTICE:
      g_value_set_string (value, settings->notice);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

/* ---- Life cycle ---- */

static GstStateChangeReturn
tl_result_overlay_change_state (GstElement *element, GstStateChange transition)
{
  if ((transition == GST_STATE_CHANGE_NULL_TO_READY
          || transition == GST_STATE_CHANGE_READY_TO_PAUSED)
      && !tl_element_check_ranges (element))
    return GST_STATE_CHANGE_FAILURE;
  return GST_ELEMENT_CLASS (tl_result_overlay_parent_class)
      ->change_state (element, transition);
}

static void
forget_card (TlResultOverlay *self)
{
  g_clear_pointer (&self->drawn, gst_video_overlay_composition_unref);
  g_clear_pointer (&self->notice, g_ref_string_release);
}

static gboolean
tl_result_overlay_start (GstBaseTransform *transform)
{
  TlResultOverlay *self = TL_RESULT_OVERLAY (transform);

  self->warned = FALSE;
  self->n_classes = 0;
  self->painter = tl_card_painter_new ();
  if (!self->painter)
    GST_ELEMENT_WARNING (self, LIBRARY, INIT,
        ("Results are not shown: this system has no fonts. Install some, such "
         "as the package fonts-dejavu-core."),
        ("Pango lists no font families"));
  return TRUE;
}

static gboolean
tl_result_overlay_set_caps (GstBaseTransform *transform, GstCaps *incaps,
    GstCaps *outcaps)
{
  TlResultOverlay *self = TL_RESULT_OVERLAY (transform);

  forget_card (self);
  self->n_classes = 0;
  return gst_video_info_from_caps (&self->info, incaps);
}

static gboolean
tl_result_overlay_stop (GstBaseTransform *transform)
{
  TlResultOverlay *self = TL_RESULT_OVERLAY (transform);

  forget_card (self);
  g_clear_pointer (&self->painter, tl_card_painter_free);
  return TRUE;
}

static void
tl_result_overlay_finalize (GObject *object)
{
  g_ref_string_release (TL_RESULT_OVERLAY (object)->settings.notice);
  G_OBJECT_CLASS (tl_result_overlay_parent_class)->finalize (object);
}

/* ---- What to show ---- */

static void
fill_classes (TlCard *card, const TlResultMeta *meta)
{
  card->n = MIN (meta->n, TL_CARD_MAX);
  for (guint i = 0; i < card->n; i++) {
    gdouble p = meta->top[i].probability;

    card->top[i].name = g_quark_to_string (meta->top[i].name);
    if (!card->top[i].name)
      card->top[i].name = "?";
    card->top[i].percent = p > 0 ? (guint) (100 * MIN (p, 1) + 0.5) : 0;
  }
}

/* A result's age counts, not that of its absence. */
static void
fill_age (TlCard *card, const TlResultMeta *meta, guint stale_after_ms)
{
  guint64 limit = stale_after_ms * GST_MSECOND;

  if (limit == 0 || !GST_CLOCK_TIME_IS_VALID (meta->age) || meta->age <= limit)
    return;
  card->is_stale = TRUE;
  card->stale = (guint) MIN (meta->age / GST_SECOND, G_MAXUINT16);
}

/* Every byte of @card is set: cards are compared as bytes. */
static void
fill_card (TlResultOverlay *self, TlCard *card, const TlResultMeta *meta,
    const Settings *settings)
{
  memset (card, 0, sizeof *card);
  card->state = TL_CARD_ABSENT;
  if (!meta) {
    card->reason = NO_META;
  } else if (meta->state == TL_RESULT_ABSENT) {
    card->reason = g_quark_to_string (meta->reason);
  } else {
    card->state =
        meta->state == TL_RESULT_VALID ? TL_CARD_VALID : TL_CARD_UNCERTAIN;
    fill_classes (card, meta);
    fill_age (card, meta, settings->stale_after_ms);
    self->n_classes = MAX (self->n_classes, card->n);
  }
  if (meta)
    card->n_skipped = meta->n_skipped;
  card->n_rows = CLAMP (MIN (settings->top_k, self->n_classes), 1, TL_CARD_MAX);
  /* Room for a reason of two lines. */
  if (card->state == TL_CARD_ABSENT)
    card->n_rows = MAX (card->n_rows, 2);
  if (settings->show_notice)
    card->notice = settings->notice;
}

static void
fill_view (TlResultOverlay *self, TlCardView *view, const Settings *settings)
{
  memset (view, 0, sizeof *view);
  view->width = (guint) GST_VIDEO_INFO_WIDTH (&self->info);
  view->height = (guint) GST_VIDEO_INFO_HEIGHT (&self->info);
  view->pixel_aspect = (gdouble) GST_VIDEO_INFO_PAR_N (&self->info)
      / MAX (GST_VIDEO_INFO_PAR_D (&self->info), 1);
  view->position = settings->position;
  view->scale = settings->scale;
}

/* ---- Drawing ---- */

static GstVideoOverlayComposition *
draw_card (TlResultOverlay *self, const TlCard *card, const TlCardView *view)
{
  TlCardBox box = tl_card_painter_place (self->painter, card, view);
  gsize stride = (gsize) box.width * 4;
  g_autoptr (GstBuffer) pixels =
      gst_buffer_new_allocate (NULL, stride * box.height, NULL);
  GstVideoOverlayRectangle *rectangle;
  GstVideoOverlayComposition *composition;
  GstMapInfo map;
  gboolean is_drawn;

  if (!pixels || !gst_buffer_map (pixels, &map, GST_MAP_WRITE))
    return NULL;
  is_drawn =
      tl_card_painter_draw (self->painter, card, view, &box, map.data, stride);
  gst_buffer_unmap (pixels, &map);
  if (!is_drawn)
    return NULL;
  gst_buffer_add_video_meta (pixels, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, box.width, box.height);
  rectangle = gst_video_overlay_rectangle_new_raw (pixels, (gint) box.x,
      (gint) box.y, box.width, box.height,
      GST_VIDEO_OVERLAY_FORMAT_FLAG_PREMULTIPLIED_ALPHA);
  composition = gst_video_overlay_composition_new (rectangle);
  gst_video_overlay_rectangle_unref (rectangle);
  return composition;
}

/* Draws the card anew if it would look different. */
static gboolean
update_card (TlResultOverlay *self, const TlResultMeta *meta)
{
  Settings settings;
  TlCard card;
  TlCardView view;

  GST_OBJECT_LOCK (self);
  settings = self->settings;
  g_ref_string_acquire (settings.notice);
  GST_OBJECT_UNLOCK (self);
  fill_card (self, &card, meta, &settings);
  fill_view (self, &view, &settings);
  if (self->drawn && memcmp (&card, &self->card, sizeof card) == 0
      && memcmp (&view, &self->view, sizeof view) == 0) {
    g_ref_string_release (settings.notice);
    return TRUE;
  }
  forget_card (self);
  self->card = card;
  self->view = view;
  self->notice = settings.notice;
  self->drawn = draw_card (self, &card, &view);
  return self->drawn != NULL;
}

static gboolean
draw (TlResultOverlay *self, GstBuffer *buffer, TlError *error)
{
  GstVideoFrame frame;
  gboolean is_drawn;

  if (!update_card (self, tl_buffer_get_result_meta (buffer))) {
    g_strlcpy (error->message, "The card cannot be drawn.",
        sizeof error->message);
    return FALSE;
  }
  if (tl_video_planes_map (&frame, buffer, &self->info, GST_MAP_READWRITE,
          error)
      != TL_OK)
    return FALSE;
  is_drawn = gst_video_overlay_composition_blend (self->drawn, &frame);
  gst_video_frame_unmap (&frame);
  if (!is_drawn)
    g_strlcpy (error->message, "The card cannot be blended.",
        sizeof error->message);
  return is_drawn;
}

static GstFlowReturn
tl_result_overlay_transform_ip (GstBaseTransform *transform, GstBuffer *buffer)
{
  TlResultOverlay *self = TL_RESULT_OVERLAY (transform);
  TlError error = TL_ERROR_INIT;

  if (!self->painter || GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP))
    return GST_FLOW_OK;
  if (draw (self, buffer, &error)) {
    self->warned = FALSE;
    return GST_FLOW_OK;
  }
  if (!self->warned)
    GST_ELEMENT_WARNING (self, STREAM, FAILED,
        ("The result could not be drawn on a frame; the video goes on without "
         "it until it can: %s",
            error.message),
        (NULL));
  self->warned = TRUE;
  return GST_FLOW_OK;
}

/* ---- Events ---- */

/* GstBaseTransform takes an event that met a flushing pad for a failed one. */
static GstFlowReturn
tl_result_overlay_pad_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  gboolean is_caps = GST_EVENT_TYPE (event) == GST_EVENT_CAPS;

  if (TL_RESULT_OVERLAY (parent)->base_event (pad, parent, event))
    return GST_FLOW_OK;
  if (GST_PAD_IS_FLUSHING (GST_BASE_TRANSFORM_SRC_PAD (parent)))
    return GST_FLOW_FLUSHING;
  return is_caps ? GST_FLOW_NOT_NEGOTIATED : GST_FLOW_ERROR;
}

/* ---- Type ---- */

static void
install_properties (GObjectClass *object_class)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

  g_object_class_install_property (object_class, PROP_POSITION,
      g_param_spec_enum ("position", "Position",
          "Corner of the video that the result is shown in", TYPE_POSITION,
          DEFAULT_POSITION, flags));
  g_object_class_install_property (object_class, PROP_SCALE,
      tl_param_spec_set_range (
          g_param_spec_double ("scale", "Scale",
              "Size of the card, 0.25 to 4; 1: the usual one", -G_MAXDOUBLE,
              G_MAXDOUBLE, DEFAULT_SCALE, flags),
          MIN_SCALE, MAX_SCALE));
  g_object_class_install_property (object_class, PROP_TOP_K,
      tl_param_spec_set_range (
          g_param_spec_uint ("top-k", "Top k",
              "Classes shown, best first (1 to 16), as far as the result has "
              "them",
              0, G_MAXUINT, DEFAULT_TOP_K, flags),
          1, TL_CARD_MAX));
  g_object_class_install_property (object_class, PROP_STALE_AFTER_MS,
      tl_param_spec_set_range (
          g_param_spec_uint ("stale-after-ms", "Stale after",
              "Age of a result in milliseconds from which on it is marked as "
              "stale, up to 3600000; 0: never",
              0, G_MAXUINT, DEFAULT_STALE_AFTER_MS, flags),
          0, MAX_STALE_AFTER_MS));
  g_object_class_install_property (object_class, PROP_SHOW_NOTICE,
      g_param_spec_boolean ("show-notice", "Show notice",
          "Show the notice below the result", DEFAULT_SHOW_NOTICE, flags));
  g_object_class_install_property (object_class, PROP_NOTICE,
      g_param_spec_string ("notice", "Notice",
          "Text below the result, at most two lines", DEFAULT_NOTICE, flags));
}

static void
tl_result_overlay_class_init (TlResultOverlayClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *transform_class = GST_BASE_TRANSFORM_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (resultoverlay_debug, "resultoverlay", 0,
      "draws results onto video");
  object_class->set_property = tl_result_overlay_set_property;
  object_class->get_property = tl_result_overlay_get_property;
  object_class->finalize = tl_result_overlay_finalize;
  install_properties (object_class);
  gst_type_mark_as_plugin_api (TYPE_POSITION, 0);

  gst_element_class_set_static_metadata (element_class, "Result overlay",
      "Filter/Editor/Video", "Draws what the model says onto the video",
      "tlpipe developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  element_class->change_state =
      GST_DEBUG_FUNCPTR (tl_result_overlay_change_state);

  transform_class->start = GST_DEBUG_FUNCPTR (tl_result_overlay_start);
  transform_class->set_caps = GST_DEBUG_FUNCPTR (tl_result_overlay_set_caps);
  transform_class->transform_ip =
      GST_DEBUG_FUNCPTR (tl_result_overlay_transform_ip);
  transform_class->stop = GST_DEBUG_FUNCPTR (tl_result_overlay_stop);
}

static void
tl_result_overlay_init (TlResultOverlay *self)
{
  self->settings = (Settings){
      .position = DEFAULT_POSITION,
      .scale = DEFAULT_SCALE,
      .top_k = DEFAULT_TOP_K,
      .stale_after_ms = DEFAULT_STALE_AFTER_MS,
      .show_notice = DEFAULT_SHOW_NOTICE,
  };
  set_notice (&self->settings, DEFAULT_NOTICE);
  gst_base_transform_set_qos_enabled (GST_BASE_TRANSFORM (self), FALSE);
  self->base_event = GST_PAD_EVENTFUNC (GST_BASE_TRANSFORM_SINK_PAD (self));
  gst_pad_set_event_full_function (GST_BASE_TRANSFORM_SINK_PAD (self),
      tl_result_overlay_pad_event);
}
