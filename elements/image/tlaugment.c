/* SPDX-License-Identifier: BSD-3-Clause */

/**
 * SECTION:element-augment
 * @title: augment
 * @short_description: random changes of training pictures
 *
 * Changes the pictures of the train split at random, with the semantics and
 * ranges of torchvision's RandomHorizontalFlip, RandomVerticalFlip,
 * RandomRotation, ColorJitter and RandomErasing, in this order. Without any
 * property half of the pictures are mirrored left to right, as in most recipes;
 * set flip=none where left and right matter. Pictures of other splits and
 * frames without a TlSampleMeta pass untouched.
 *
 * Takes and gives video/x-raw,format=RGB with TlSampleMeta; adds its settings
 * to the tl-transform event.
 *
 * Works on n-threads pictures at once and pushes them in order. Every draw is a
 * function of (seed, view, index) of the sample: threads, queues and restarts
 * change nothing.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 datasetsrc location=data ! imagedecode ! augment hue=0.05 ! fakesink
 * gst-launch-1.0 datasetsrc location=data ! imagedecode ! augment flip=none rotate=10 rotate-interpolation=bilinear ! batcher ! fakesink
 * ]|
 *
 * ## YAML
 * |[
 * - augment: {flip: both, rotate: 10, hue: 0.05, erase-probability: 0.25}
 * ]|
 *
 * Since: 0.1
 */

#include "tlaugment.h"

#include "tljitter.h"

#include <tlerror.h>
#include <tlevents.h>
#include <tlfail.h>
#include <tlframe.h>
#include <tlrange.h>
#include <tlsamplemeta.h>

GST_DEBUG_CATEGORY_STATIC (augment_debug);
#define GST_CAT_DEFAULT augment_debug

#define DEFAULT_FLIP TL_FLIP_HORIZONTAL
#define DEFAULT_FLIP_PROBABILITY 0.5
#define DEFAULT_ROTATE_INTERPOLATION TL_ROTATE_NEAREST
#define DEFAULT_AMOUNT 0.0
#define DEFAULT_ERASE_VALUE 0
#define MAX_ROTATE 180.0
#define MAX_FACTOR 10.0
#define MAX_HUE 0.5

enum
{
  PROP_0,
  PROP_FLIP,
  PROP_FLIP_PROBABILITY,
  PROP_ROTATE,
  PROP_ROTATE_INTERPOLATION,
  PROP_BRIGHTNESS,
  PROP_CONTRAST,
  PROP_SATURATION,
  PROP_HUE,
  PROP_ERASE_PROBABILITY,
  PROP_ERASE_VALUE,
};

struct _TlAugment
{
  TlOrderedElement parent;

  TlJitterRange settings; /* object lock */
  guint erase_value;      /* object lock; checked before it becomes a byte */

  TlJitterRange range; /* copy made in READY to PAUSED, then constant */
};

#define CAPS                                                                   \
  "video/x-raw, format=(string)RGB, width=(int)[1,max], height=(int)[1,max]"

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (CAPS));

G_DEFINE_TYPE (TlAugment, tl_augment, TL_TYPE_ORDERED_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE (augment, "augment", GST_RANK_NONE, TL_TYPE_AUGMENT)

#define TL_TYPE_AUGMENT_FLIP augment_flip_get_type ()
static GType
augment_flip_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
      {TL_FLIP_NONE, "Never", "none"},
      {TL_FLIP_HORIZONTAL, "Left and right", "horizontal"},
      {TL_FLIP_VERTICAL, "Top and bottom", "vertical"},
      {TL_FLIP_BOTH, "Either, each drawn by itself", "both"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("TlAugmentFlip", values));
  return type;
}

#define TL_TYPE_AUGMENT_INTERPOLATION augment_interpolation_get_type ()
static GType
augment_interpolation_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
      {TL_ROTATE_NEAREST, "The nearest pixel", "nearest"},
      {TL_ROTATE_BILINEAR, "A mean of the four around", "bilinear"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("TlAugmentInterpolation", values));
  return type;
}

static gboolean
tl_augment_start (TlOrderedElement *element)
{
  TlAugment *self = TL_AUGMENT (element);

  GST_OBJECT_LOCK (self);
  self->range = self->settings;
  self->range.erase_value = (guint8) self->erase_value;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static gpointer
make_rotator (TlOrderedElement *element)
{
  return tl_rotator_new ();
}

static void
free_rotator (gpointer rotator)
{
  tl_rotator_free (rotator);
}

static gboolean
tl_augment_accept (TlOrderedElement *element, TlOrderedJob *job)
{
  TlAugment *self = TL_AUGMENT (element);
  TlSampleMeta *sample = tl_buffer_get_sample_meta (job->input);

  return sample && sample->split == TL_SPLIT_TRAIN
      && GST_VIDEO_INFO_FORMAT (&job->info) == GST_VIDEO_FORMAT_RGB
      && tl_jitter_range_is_active (&self->range);
}

static void
augment_frame (TlAugment *self, const TlFrame *frame, TlRotator *rotator,
    TlOrderedJob *job)
{
  TlSampleMeta *sample = tl_buffer_get_sample_meta (job->output);
  const TlRaster raster = {
      .data = frame->first,
      .stride = (gsize) frame->stride,
      .width = frame->width,
      .height = frame->height,
  };
  TlJitter jitter;

  tl_jitter_draw (&self->range, raster.width, raster.height, sample->seed,
      sample->view, sample->index, &jitter);
  job->status = tl_jitter_apply (&jitter, &raster, rotator, &job->error);
}

static void
tl_augment_work (TlOrderedElement *element, gpointer rotator, TlOrderedJob *job)
{
  TlFrame frame;

  job->output = gst_buffer_make_writable (g_steal_pointer (&job->input));
  job->status = tl_frame_map (&frame, job->output, &job->info,
      GST_MAP_READWRITE, &job->error);
  if (job->status != TL_OK)
    return;
  if (frame.stride > 0)
    augment_frame (TL_AUGMENT (element), &frame, rotator, job);
  else
    job->status = tl_fail (&job->error, TL_ERROR_UNSUPPORTED,
        "A frame's rows lie from the bottom up: put videoconvert before "
        "augment.");
  tl_frame_unmap (&frame);
}

static void
post_error (GstElement *element, const TlOrderedJob *job)
{
  if (job->status == TL_ERROR_MEMORY)
    tl_element_post_error (element, job->status, &job->error);
  else
    GST_ELEMENT_ERROR (element, STREAM, FORMAT, ("%s", job->error.message),
        ("status %d", job->status));
}

static GstFlowReturn
tl_augment_finish (TlOrderedElement *element, TlOrderedJob *job)
{
  if (job->status == TL_OK)
    return TL_ORDERED_ELEMENT_CLASS (tl_augment_parent_class)
        ->finish (element, job);
  if (tl_ordered_element_begin_error (element)) {
    post_error (GST_ELEMENT (element), job);
    tl_ordered_element_fail (element);
  }
  return GST_FLOW_ERROR;
}

static void
append_choice (GString *text, const gchar *name, GType type, gint value)
{
  g_autoptr (GEnumClass) choices = g_type_class_ref (type);

  g_string_append_printf (text, " %s=%s", name,
      g_enum_get_value (choices, value)->value_nick);
}

static void
append_number (GString *text, const gchar *name, gdouble value)
{
  gchar buffer[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append_printf (text, " %s=%s", name,
      g_ascii_dtostr (buffer, sizeof buffer, value));
}

/* The same text for the same settings, whatever the locale. */
static gchar *
describe_settings (TlAugment *self)
{
  const TlJitterRange *range = &self->range;
  GString *text = g_string_new ("augment");

  append_choice (text, "flip", TL_TYPE_AUGMENT_FLIP, (gint) range->flip);
  append_number (text, "flip-probability", range->flip_probability);
  append_number (text, "rotate", range->rotate);
  append_choice (text, "rotate-interpolation", TL_TYPE_AUGMENT_INTERPOLATION,
      (gint) range->rotate_filter);
  append_number (text, "brightness", range->brightness);
  append_number (text, "contrast", range->contrast);
  append_number (text, "saturation", range->saturation);
  append_number (text, "hue", range->hue);
  append_number (text, "erase-probability", range->erase_probability);
  append_number (text, "erase-value", range->erase_value);
  return g_string_free (text, FALSE);
}

static gboolean
tl_augment_event (TlOrderedElement *element, GstEvent *event)
{
  TlAugment *self = TL_AUGMENT (element);
  g_auto (TlTransform) transform = {0};

  if (tl_event_parse_transform (event, &transform)) {
    g_autofree gchar *text = describe_settings (self);
    GstEvent *added = tl_event_append_transform (event, text);

    gst_event_unref (event);
    event = added;
  }
  return TL_ORDERED_ELEMENT_CLASS (tl_augment_parent_class)
      ->event (element, event);
}

static gdouble *
amount_of (TlAugment *self, guint id)
{
  switch (id) {
    case PROP_FLIP_PROBABILITY:
      return &self->settings.flip_probability;
    case PROP_ROTATE:
      return &self->settings.rotate;
    case PROP_BRIGHTNESS:
      return &self->settings.brightness;
    case PROP_CONTRAST:
      return &self->settings.contrast;
    case PROP_SATURATION:
      return &self->settings.saturation;
    case PROP_HUE:
      return &self->settings.hue;
    case PROP_ERASE_PROBABILITY:
      return &self->settings.erase_probability;
    default:
      return NULL;
  }
}

static void
tl_augment_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  TlAugment *self = TL_AUGMENT (object);
  gdouble *amount = amount_of (self, id);

  GST_OBJECT_LOCK (self);
  if (amount)
    *amount = g_value_get_double (value);
  else if (id == PROP_FLIP)
    self->settings.flip = (TlFlip) g_value_get_enum (value);
  else if (id == PROP_ROTATE_INTERPOLATION)
    self->settings.rotate_filter = (TlRotateFilter) g_value_get_enum (value);
  else if (id == PROP_ERASE_VALUE)
    self->erase_value = g_value_get_uint (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (self);
}

static void
tl_augment_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  TlAugment *self = TL_AUGMENT (object);
  const gdouble *amount = amount_of (self, id);

  GST_OBJECT_LOCK (self);
  if (amount)
    g_value_set_double (value, *amount);
  else if (id == PROP_FLIP)
    g_value_set_enum (value, (gint) self->settings.flip);
  else if (id == PROP_ROTATE_INTERPOLATION)
    g_value_set_enum (value, (gint) self->settings.rotate_filter);
  else if (id == PROP_ERASE_VALUE)
    g_value_set_uint (value, self->erase_value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (self);
}

static void
tl_augment_constructed (GObject *object)
{
  TlOrderedElement *element = TL_ORDERED_ELEMENT (object);

  G_OBJECT_CLASS (tl_augment_parent_class)->constructed (object);
  GST_PAD_SET_PROXY_CAPS (tl_ordered_element_get_sink_pad (element));
  GST_PAD_SET_PROXY_CAPS (tl_ordered_element_get_src_pad (element));
}

static void
tl_augment_init (TlAugment *self)
{
  self->settings.flip = DEFAULT_FLIP;
  self->settings.flip_probability = DEFAULT_FLIP_PROBABILITY;
  self->settings.rotate_filter = DEFAULT_ROTATE_INTERPOLATION;
  self->erase_value = DEFAULT_ERASE_VALUE;
}

static void
install_amount (GObjectClass *klass, guint id, const gchar *name,
    const gchar *nick, const gchar *blurb, gdouble preset, gdouble max)
{
  g_object_class_install_property (klass, id,
      tl_param_spec_set_range (g_param_spec_double (name, nick, blurb,
                                   -G_MAXDOUBLE, G_MAXDOUBLE, preset,
                                   G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
                                       | GST_PARAM_MUTABLE_READY),
          0, max));
}

static void
install_geometry (GObjectClass *klass)
{
  g_object_class_install_property (klass, PROP_FLIP,
      g_param_spec_enum ("flip", "Flip", "Which way pictures are mirrored",
          TL_TYPE_AUGMENT_FLIP, DEFAULT_FLIP,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));
  install_amount (klass, PROP_FLIP_PROBABILITY, "flip-probability",
      "Flip probability", "Share of the pictures that is mirrored, 0 to 1",
      DEFAULT_FLIP_PROBABILITY, 1);
  install_amount (klass, PROP_ROTATE, "rotate", "Rotate",
      "Angle drawn from - this to + this, in degrees, 0 to 180; 0: never",
      DEFAULT_AMOUNT, MAX_ROTATE);
  g_object_class_install_property (klass, PROP_ROTATE_INTERPOLATION,
      g_param_spec_enum ("rotate-interpolation", "Rotate interpolation",
          "What a pixel of a rotated picture is made of",
          TL_TYPE_AUGMENT_INTERPOLATION, DEFAULT_ROTATE_INTERPOLATION,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));
}

static void
install_colour (GObjectClass *klass)
{
  install_amount (klass, PROP_BRIGHTNESS, "brightness", "Brightness",
      "Factor drawn from 1 - this (at least 0) to 1 + this, up to 10; 0: never",
      DEFAULT_AMOUNT, MAX_FACTOR);
  install_amount (klass, PROP_CONTRAST, "contrast", "Contrast",
      "Factor drawn from 1 - this (at least 0) to 1 + this, up to 10; 0: never",
      DEFAULT_AMOUNT, MAX_FACTOR);
  install_amount (klass, PROP_SATURATION, "saturation", "Saturation",
      "Factor drawn from 1 - this (at least 0) to 1 + this, up to 10; 0: never",
      DEFAULT_AMOUNT, MAX_FACTOR);
  install_amount (klass, PROP_HUE, "hue", "Hue",
      "Shift drawn from - this to + this, in full circles, 0 to 0.5; 0: never",
      DEFAULT_AMOUNT, MAX_HUE);
}

static void
install_erase (GObjectClass *klass)
{
  install_amount (klass, PROP_ERASE_PROBABILITY, "erase-probability",
      "Erase probability",
      "Share of the pictures in which a rectangle is erased, 0 to 1",
      DEFAULT_AMOUNT, 1);
  g_object_class_install_property (klass, PROP_ERASE_VALUE,
      tl_param_spec_set_range (
          g_param_spec_uint ("erase-value", "Erase value",
              "Red, green and blue of the erased rectangle, 0 to 255", 0,
              G_MAXUINT, DEFAULT_ERASE_VALUE,
              G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
                  | GST_PARAM_MUTABLE_READY),
          0, G_MAXUINT8));
}

static void
tl_augment_class_init (TlAugmentClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  TlOrderedElementClass *ordered_class = TL_ORDERED_ELEMENT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (augment_debug, "augment", 0,
      "random changes of training pictures");
  object_class->set_property = tl_augment_set_property;
  object_class->get_property = tl_augment_get_property;
  object_class->constructed = tl_augment_constructed;
  install_geometry (object_class);
  install_colour (object_class);
  install_erase (object_class);
  gst_element_class_set_static_metadata (element_class,
      "Training picture augmentation", "Filter/Effect/Video",
      "Flips, rotates, recolours and erases parts of the pictures of the train "
      "split at random",
      "tlpipe developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  ordered_class->start = tl_augment_start;
  ordered_class->context_new = make_rotator;
  ordered_class->context_free = free_rotator;
  ordered_class->accept = tl_augment_accept;
  ordered_class->work = tl_augment_work;
  ordered_class->finish = tl_augment_finish;
  ordered_class->event = tl_augment_event;
  gst_type_mark_as_plugin_api (TL_TYPE_AUGMENT_FLIP, 0);
  gst_type_mark_as_plugin_api (TL_TYPE_AUGMENT_INTERPOLATION, 0);
}
