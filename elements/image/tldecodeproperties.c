/* SPDX-License-Identifier: BSD-3-Clause */

#include "tldecodesettings.h"

#include <tlcaps.h>
#include <tlrange.h>

#define DEFAULT_SIDE 224
#define DEFAULT_SCALE_MIN 0.08
#define DEFAULT_SCALE_MAX 1.0
#define DEFAULT_RATIO_MIN (3.0 / 4)
#define DEFAULT_RATIO_MAX (4.0 / 3)
#define DEFAULT_MAX_PIXELS G_GUINT64_CONSTANT (100000000)
#define MAX_RATIO 100

static const GEnumValue crop_values[] = {
    {TL_IMAGE_CROP_AUTO, "Random resized in the train split, else centre",
        "auto"},
    {TL_IMAGE_CROP_CENTER, "The centre, after resizing the short side",
        "center"},
    {TL_IMAGE_CROP_RANDOM, "Random resized, in every split", "random"},
    {TL_IMAGE_CROP_NONE, "None: stretched to width and height", "none"},
    {TL_IMAGE_CROP_PAD, "None: as large as fits, with black borders", "pad"},
    {0, NULL, NULL},
};

static const GEnumValue interpolation_values[] = {
    {TL_FILTER_BILINEAR, "Bilinear, antialiased", "bilinear"},
    {TL_FILTER_BICUBIC, "Bicubic, antialiased", "bicubic"},
    {0, NULL, NULL},
};

static const GEnumValue dct_scaling_values[] = {
    {TL_DCT_SCALING_OFF, "Never: the pixels are Pillow's", "off"},
    {TL_DCT_SCALING_AUTO,
        "In the train split, where the source stays twice the target", "auto"},
    {0, NULL, NULL},
};

static const GEnumValue on_error_values[] = {
    {TL_ON_ERROR_SKIP, "Leave the picture out and report it", "skip"},
    {TL_ON_ERROR_FAIL, "Stop with an error", "fail"},
    {0, NULL, NULL},
};

/* Registers the type on first use. */
static GType
enum_type (gsize *type, const gchar *name, const GEnumValue *values)
{
  if (g_once_init_enter (type)) {
    GType registered = g_enum_register_static (name, values);

    gst_type_mark_as_plugin_api (registered, 0);
    g_once_init_leave (type, registered);
  }
  return *type;
}

static const GEnumValue *
enum_values (TlDecodeSetting id)
{
  switch (id) {
    case TL_DECODE_CROP:
      return crop_values;
    case TL_DECODE_INTERPOLATION:
      return interpolation_values;
    case TL_DECODE_DCT_SCALING:
      return dct_scaling_values;
    default:
      return on_error_values;
  }
}

const gchar *
tl_decode_settings_nick (TlDecodeSetting id, gint value)
{
  const GEnumValue *values = enum_values (id);

  while (values->value != value)
    values++;
  return values->value_nick;
}

gboolean
tl_decode_settings_from_nick (TlDecodeSetting id, const gchar *nick,
    gint *value)
{
  for (const GEnumValue *v = enum_values (id); v->value_nick; v++) {
    if (g_str_equal (v->value_nick, nick)) {
      *value = v->value;
      return TRUE;
    }
  }
  return FALSE;
}

void
tl_decode_settings_init (TlDecodeSettings *self)
{
  *self = (TlDecodeSettings){
      .width = DEFAULT_SIDE,
      .height = DEFAULT_SIDE,
      .crop = TL_IMAGE_CROP_AUTO,
      .range = {DEFAULT_SCALE_MIN, DEFAULT_SCALE_MAX, DEFAULT_RATIO_MIN,
          DEFAULT_RATIO_MAX},
      .interpolation = TL_FILTER_BILINEAR,
      .dct_scaling = TL_DCT_SCALING_AUTO,
      .on_error = TL_ON_ERROR_SKIP,
      .options = {.max_pixels = DEFAULT_MAX_PIXELS},
  };
}

#define FLAGS                                                                  \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)

static void
install_uint (GObjectClass *klass, guint id, const gchar *name,
    const gchar *nick, const gchar *blurb, guint preset, guint min, guint max)
{
  g_object_class_install_property (klass, id,
      tl_param_spec_set_range (g_param_spec_uint (name, nick, blurb, 0,
                                   G_MAXUINT, preset, FLAGS),
          min, max));
}

/* A positive number up to @max. */
static void
install_double (GObjectClass *klass, guint id, const gchar *name,
    const gchar *nick, const gchar *blurb, gdouble preset, gdouble max)
{
  const TlRange range = {.min = 0, .max = max, .min_open = TRUE};

  g_object_class_install_property (klass, id,
      tl_param_spec_set_range_full (g_param_spec_double (name, nick, blurb,
                                        -G_MAXDOUBLE, G_MAXDOUBLE, preset,
                                        FLAGS),
          &range));
}

static void
install_geometry (GObjectClass *klass)
{
  static gsize crop_type, interpolation_type;

  install_uint (klass, TL_DECODE_WIDTH, "width", "Width",
      "Of the output, in pixels, 1 to 8192", DEFAULT_SIDE, 1,
      TL_MAX_SAMPLE_SIDE);
  install_uint (klass, TL_DECODE_HEIGHT, "height", "Height",
      "Of the output, in pixels, 1 to 8192", DEFAULT_SIDE, 1,
      TL_MAX_SAMPLE_SIDE);
  install_uint (klass, TL_DECODE_RESIZE, "resize", "Resize",
      "Short side before the centre crop, in pixels, up to 16384; 0: 256 for 224, in "
      "proportion otherwise",
      0, 0, 2 * TL_MAX_SAMPLE_SIDE);
  g_object_class_install_property (klass, TL_DECODE_CROP,
      g_param_spec_enum ("crop", "Crop", "Which part of a picture is used",
          enum_type (&crop_type, "TlImageCrop", crop_values),
          TL_IMAGE_CROP_AUTO, FLAGS));
  install_double (klass, TL_DECODE_SCALE_MIN, "scale-min", "Smallest scale",
      "Smallest share of a picture's area that a random crop takes, above 0, up to 1",
      DEFAULT_SCALE_MIN, 1);
  install_double (klass, TL_DECODE_SCALE_MAX, "scale-max", "Largest scale",
      "Largest share of a picture's area that a random crop takes, above 0, up to 1",
      DEFAULT_SCALE_MAX, 1);
  install_double (klass, TL_DECODE_RATIO_MIN, "ratio-min", "Smallest ratio",
      "Smallest width / height of a random crop, above 0, up to 100",
      DEFAULT_RATIO_MIN, MAX_RATIO);
  install_double (klass, TL_DECODE_RATIO_MAX, "ratio-max", "Largest ratio",
      "Largest width / height of a random crop, above 0, up to 100",
      DEFAULT_RATIO_MAX, MAX_RATIO);
  g_object_class_install_property (klass, TL_DECODE_INTERPOLATION,
      g_param_spec_enum ("interpolation", "Interpolation",
          "How pictures are resized",
          enum_type (&interpolation_type, "TlImageInterpolation",
              interpolation_values),
          TL_FILTER_BILINEAR, FLAGS));
  g_object_class_install_property (klass, TL_DECODE_REGION,
      g_param_spec_string ("region", "Region",
          "The part of every picture to use, \"x,y,width,height\" in pixels or "
          "per cent (\"10%,0,80%,100%\"), before anything else; empty: all",
          "", FLAGS));
}

static void
install_decoding (GObjectClass *klass)
{
  static gsize dct_scaling_type, on_error_type;

  g_object_class_install_property (klass, TL_DECODE_DCT_SCALING,
      g_param_spec_enum ("dct-scaling", "DCT scaling",
          "Whether large JPEG pictures may be decoded at 1/2, 1/4 or 1/8",
          enum_type (&dct_scaling_type, "TlImageDctScaling",
              dct_scaling_values),
          TL_DCT_SCALING_AUTO, FLAGS));
  g_object_class_install_property (klass, TL_DECODE_ON_ERROR,
      g_param_spec_enum ("on-error", "On error",
          "What happens when a picture cannot be decoded",
          enum_type (&on_error_type, "TlImageOnError", on_error_values),
          TL_ON_ERROR_SKIP, FLAGS));
  g_object_class_install_property (klass, TL_DECODE_MAX_ERRORS,
      g_param_spec_uint64 ("max-errors", "Most errors",
          "Stop with an error after more skipped pictures than this; 0: never",
          0, G_MAXUINT64, 0, FLAGS));
  g_object_class_install_property (klass, TL_DECODE_MAX_PIXELS,
      tl_param_spec_set_range (
          g_param_spec_uint64 ("max-pixels", "Most pixels",
              "Pictures with more pixels, 1 to 4000000000, are errors, before "
              "any memory is taken for them",
              0, G_MAXUINT64, DEFAULT_MAX_PIXELS, FLAGS),
          1, 4e9));
  g_object_class_install_property (klass, TL_DECODE_ACCEPT_TRUNCATED,
      g_param_spec_boolean ("accept-truncated", "Accept truncated",
          "Use what can be decoded of a damaged or cut picture", FALSE, FLAGS));
  g_object_class_install_property (klass, TL_DECODE_AUTO_ORIENT,
      g_param_spec_boolean ("auto-orient", "Auto orient",
          "Turn and mirror pictures as the EXIF orientation in the file says, "
          "before anything else",
          FALSE, FLAGS));
}

void
tl_decode_settings_install (GObjectClass *klass)
{
  install_geometry (klass);
  install_decoding (klass);
}

static gdouble *
range_value (TlDecodeSettings *self, guint id)
{
  switch (id) {
    case TL_DECODE_SCALE_MIN:
      return &self->range.scale_min;
    case TL_DECODE_SCALE_MAX:
      return &self->range.scale_max;
    case TL_DECODE_RATIO_MIN:
      return &self->range.ratio_min;
    default:
      return &self->range.ratio_max;
  }
}

void
tl_decode_settings_set_region (TlDecodeSettings *self, const gchar *text)
{
  if (g_strlcpy (self->region_text, text ? text : "", TL_PREPROCESS_TEXT)
      >= TL_PREPROCESS_TEXT)
    self->region_text[TL_PREPROCESS_TEXT - 2] = '?';
}

static void
note_demand (TlDecodeSettings *self, guint id, gboolean demanded)
{
  self->demanded = (self->demanded & ~(1u << id)) | (guint) demanded << id;
}

static gboolean
set_field (TlDecodeSettings *self, guint id, const GValue *value)
{
  switch (id) {
    case TL_DECODE_WIDTH:
      self->width = g_value_get_uint (value);
      return TRUE;
    case TL_DECODE_HEIGHT:
      self->height = g_value_get_uint (value);
      return TRUE;
    case TL_DECODE_RESIZE:
      self->resize = g_value_get_uint (value);
      return TRUE;
    case TL_DECODE_CROP:
      self->crop = (TlImageCrop) g_value_get_enum (value);
      return TRUE;
    case TL_DECODE_SCALE_MIN:
    case TL_DECODE_SCALE_MAX:
    case TL_DECODE_RATIO_MIN:
    case TL_DECODE_RATIO_MAX:
      *range_value (self, id) = g_value_get_double (value);
      return TRUE;
    case TL_DECODE_INTERPOLATION:
      self->interpolation = (TlFilter) g_value_get_enum (value);
      return TRUE;
    case TL_DECODE_REGION:
      tl_decode_settings_set_region (self, g_value_get_string (value));
      return TRUE;
    case TL_DECODE_DCT_SCALING:
      self->dct_scaling = (TlDctScaling) g_value_get_enum (value);
      return TRUE;
    case TL_DECODE_ON_ERROR:
      self->on_error = (TlOnError) g_value_get_enum (value);
      return TRUE;
    case TL_DECODE_MAX_ERRORS:
      self->max_errors = g_value_get_uint64 (value);
      return TRUE;
    case TL_DECODE_MAX_PIXELS:
      self->options.max_pixels = g_value_get_uint64 (value);
      return TRUE;
    case TL_DECODE_ACCEPT_TRUNCATED:
      self->options.accept_truncated = g_value_get_boolean (value);
      return TRUE;
    case TL_DECODE_AUTO_ORIENT:
      self->options.auto_orient = g_value_get_boolean (value);
      return TRUE;
    default:
      return FALSE;
  }
}

gboolean
tl_decode_settings_set (TlDecodeSettings *self, guint id, const GValue *value)
{
  if (!set_field (self, id, value))
    return FALSE;
  note_demand (self, id,
      !(id == TL_DECODE_RESIZE && self->resize == 0)
          && !(id == TL_DECODE_CROP && self->crop == TL_IMAGE_CROP_AUTO));
  return TRUE;
}

gboolean
tl_decode_settings_get (const TlDecodeSettings *self, guint id, GValue *value)
{
  switch (id) {
    case TL_DECODE_WIDTH:
      g_value_set_uint (value, self->width);
      return TRUE;
    case TL_DECODE_HEIGHT:
      g_value_set_uint (value, self->height);
      return TRUE;
    case TL_DECODE_RESIZE:
      g_value_set_uint (value, self->resize);
      return TRUE;
    case TL_DECODE_CROP:
      g_value_set_enum (value, (gint) self->crop);
      return TRUE;
    case TL_DECODE_SCALE_MIN:
    case TL_DECODE_SCALE_MAX:
    case TL_DECODE_RATIO_MIN:
    case TL_DECODE_RATIO_MAX:
      g_value_set_double (value, *range_value ((TlDecodeSettings *) self, id));
      return TRUE;
    case TL_DECODE_INTERPOLATION:
      g_value_set_enum (value, (gint) self->interpolation);
      return TRUE;
    case TL_DECODE_REGION:
      g_value_set_string (value, self->region_text);
      return TRUE;
    case TL_DECODE_DCT_SCALING:
      g_value_set_enum (value, (gint) self->dct_scaling);
      return TRUE;
    case TL_DECODE_ON_ERROR:
      g_value_set_enum (value, (gint) self->on_error);
      return TRUE;
    case TL_DECODE_MAX_ERRORS:
      g_value_set_uint64 (value, self->max_errors);
      return TRUE;
    case TL_DECODE_MAX_PIXELS:
      g_value_set_uint64 (value, self->options.max_pixels);
      return TRUE;
    case TL_DECODE_ACCEPT_TRUNCATED:
      g_value_set_boolean (value, self->options.accept_truncated);
      return TRUE;
    case TL_DECODE_AUTO_ORIENT:
      g_value_set_boolean (value, self->options.auto_orient);
      return TRUE;
    default:
      return FALSE;
  }
}
