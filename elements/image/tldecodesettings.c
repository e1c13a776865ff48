/* SPDX-License-Identifier: BSD-3-Clause */

#include "tldecodesettings.h"

#include <tlcaps.h>
#include <tlfail.h>
#include <tlrange.h>

#define DEFAULT_SIDE 224
#define DEFAULT_SCALE_MIN 0.08
#define DEFAULT_SCALE_MAX 1.0
#define DEFAULT_RATIO_MIN (3.0 / 4)
#define DEFAULT_RATIO_MAX (4.0 / 3)
#define DEFAULT_MAX_PIXELS G_GUINT64_CONSTANT (100000000)
#define MAX_RATIO 100

enum
{
  PROP_WIDTH = 1,
  PROP_HEIGHT,
  PROP_RESIZE,
  PROP_CROP,
  PROP_SCALE_MIN,
  PROP_SCALE_MAX,
  PROP_RATIO_MIN,
  PROP_RATIO_MAX,
  PROP_INTERPOLATION,
  PROP_REGION,
  PROP_DCT_SCALING,
  PROP_ON_ERROR,
  PROP_MAX_ERRORS,
  PROP_MAX_PIXELS,
  PROP_ACCEPT_TRUNCATED,
};

G_STATIC_ASSERT (PROP_ACCEPT_TRUNCATED == TL_DECODE_SETTINGS_N);

static const GEnumValue crop_values[] = {
    {TL_IMAGE_CROP_AUTO, "Random resized in the train split, else centre",
        "auto"},
    {TL_IMAGE_CROP_CENTER, "The centre, after resizing the short side",
        "center"},
    {TL_IMAGE_CROP_RANDOM, "Random resized, in every split", "random"},
    {TL_IMAGE_CROP_NONE, "None: stretched to width and height", "none"},
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

static const gchar *
nick_of (const GEnumValue *values, gint value)
{
  while (values->value != value)
    values++;
  return values->value_nick;
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
      .limits = {.max_pixels = DEFAULT_MAX_PIXELS},
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

  install_uint (klass, PROP_WIDTH, "width", "Width",
      "Of the output, in pixels, 1 to 8192", DEFAULT_SIDE, 1,
      TL_MAX_SAMPLE_SIDE);
  install_uint (klass, PROP_HEIGHT, "height", "Height",
      "Of the output, in pixels, 1 to 8192", DEFAULT_SIDE, 1,
      TL_MAX_SAMPLE_SIDE);
  install_uint (klass, PROP_RESIZE, "resize", "Resize",
      "Short side before the centre crop, in pixels, up to 16384; 0: 256 for 224, in "
      "proportion otherwise",
      0, 0, 2 * TL_MAX_SAMPLE_SIDE);
  g_object_class_install_property (klass, PROP_CROP,
      g_param_spec_enum ("crop", "Crop", "Which part of a picture is used",
          enum_type (&crop_type, "TlImageCrop", crop_values),
          TL_IMAGE_CROP_AUTO, FLAGS));
  install_double (klass, PROP_SCALE_MIN, "scale-min", "Smallest scale",
      "Smallest share of a picture's area that a random crop takes, above 0, up to 1",
      DEFAULT_SCALE_MIN, 1);
  install_double (klass, PROP_SCALE_MAX, "scale-max", "Largest scale",
      "Largest share of a picture's area that a random crop takes, above 0, up to 1",
      DEFAULT_SCALE_MAX, 1);
  install_double (klass, PROP_RATIO_MIN, "ratio-min", "Smallest ratio",
      "Smallest width / height of a random crop, above 0, up to 100",
      DEFAULT_RATIO_MIN, MAX_RATIO);
  install_double (klass, PROP_RATIO_MAX, "ratio-max", "Largest ratio",
      "Largest width / height of a random crop, above 0, up to 100",
      DEFAULT_RATIO_MAX, MAX_RATIO);
  g_object_class_install_property (klass, PROP_INTERPOLATION,
      g_param_spec_enum ("interpolation", "Interpolation",
          "How pictures are resized",
          enum_type (&interpolation_type, "TlImageInterpolation",
              interpolation_values),
          TL_FILTER_BILINEAR, FLAGS));
  g_object_class_install_property (klass, PROP_REGION,
      g_param_spec_string ("region", "Region",
          "The part of every picture to use, \"x,y,width,height\" in pixels or "
          "per cent (\"10%,0,80%,100%\"), before anything else; empty: all",
          "", FLAGS));
}

static void
install_decoding (GObjectClass *klass)
{
  static gsize dct_scaling_type, on_error_type;

  g_object_class_install_property (klass, PROP_DCT_SCALING,
      g_param_spec_enum ("dct-scaling", "DCT scaling",
          "Whether large JPEG pictures may be decoded at 1/2, 1/4 or 1/8",
          enum_type (&dct_scaling_type, "TlImageDctScaling",
              dct_scaling_values),
          TL_DCT_SCALING_AUTO, FLAGS));
  g_object_class_install_property (klass, PROP_ON_ERROR,
      g_param_spec_enum ("on-error", "On error",
          "What happens when a picture cannot be decoded",
          enum_type (&on_error_type, "TlImageOnError", on_error_values),
          TL_ON_ERROR_SKIP, FLAGS));
  g_object_class_install_property (klass, PROP_MAX_ERRORS,
      g_param_spec_uint64 ("max-errors", "Most errors",
          "Stop with an error after more skipped pictures than this; 0: never",
          0, G_MAXUINT64, 0, FLAGS));
  g_object_class_install_property (klass, PROP_MAX_PIXELS,
      tl_param_spec_set_range (
          g_param_spec_uint64 ("max-pixels", "Most pixels",
              "Pictures with more pixels, 1 to 4000000000, are errors, before "
              "any memory is taken for them",
              0, G_MAXUINT64, DEFAULT_MAX_PIXELS, FLAGS),
          1, 4e9));
  g_object_class_install_property (klass, PROP_ACCEPT_TRUNCATED,
      g_param_spec_boolean ("accept-truncated", "Accept truncated",
          "Use what can be decoded of a damaged or cut picture", FALSE, FLAGS));
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
    case PROP_SCALE_MIN:
      return &self->range.scale_min;
    case PROP_SCALE_MAX:
      return &self->range.scale_max;
    case PROP_RATIO_MIN:
      return &self->range.ratio_min;
    default:
      return &self->range.ratio_max;
  }
}

/* A text that is too long is cut to one that is surely no region. */
static void
set_region (TlDecodeSettings *self, const gchar *text)
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
    case PROP_WIDTH:
      self->width = g_value_get_uint (value);
      return TRUE;
    case PROP_HEIGHT:
      self->height = g_value_get_uint (value);
      return TRUE;
    case PROP_RESIZE:
      self->resize = g_value_get_uint (value);
      return TRUE;
    case PROP_CROP:
      self->crop = (TlImageCrop) g_value_get_enum (value);
      return TRUE;
    case PROP_SCALE_MIN:
    case PROP_SCALE_MAX:
    case PROP_RATIO_MIN:
    case PROP_RATIO_MAX:
      *range_value (self, id) = g_value_get_double (value);
      return TRUE;
    case PROP_INTERPOLATION:
      self->interpolation = (TlFilter) g_value_get_enum (value);
      return TRUE;
    case PROP_REGION:
      set_region (self, g_value_get_string (value));
      return TRUE;
    case PROP_DCT_SCALING:
      self->dct_scaling = (TlDctScaling) g_value_get_enum (value);
      return TRUE;
    case PROP_ON_ERROR:
      self->on_error = (TlOnError) g_value_get_enum (value);
      return TRUE;
    case PROP_MAX_ERRORS:
      self->max_errors = g_value_get_uint64 (value);
      return TRUE;
    case PROP_MAX_PIXELS:
      self->limits.max_pixels = g_value_get_uint64 (value);
      return TRUE;
    case PROP_ACCEPT_TRUNCATED:
      self->limits.accept_truncated = g_value_get_boolean (value);
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
      !(id == PROP_RESIZE && self->resize == 0)
          && !(id == PROP_CROP && self->crop == TL_IMAGE_CROP_AUTO));
  return TRUE;
}

gboolean
tl_decode_settings_get (const TlDecodeSettings *self, guint id, GValue *value)
{
  switch (id) {
    case PROP_WIDTH:
      g_value_set_uint (value, self->width);
      return TRUE;
    case PROP_HEIGHT:
      g_value_set_uint (value, self->height);
      return TRUE;
    case PROP_RESIZE:
      g_value_set_uint (value, self->resize);
      return TRUE;
    case PROP_CROP:
      g_value_set_enum (value, (gint) self->crop);
      return TRUE;
    case PROP_SCALE_MIN:
    case PROP_SCALE_MAX:
    case PROP_RATIO_MIN:
    case PROP_RATIO_MAX:
      g_value_set_double (value, *range_value ((TlDecodeSettings *) self, id));
      return TRUE;
    case PROP_INTERPOLATION:
      g_value_set_enum (value, (gint) self->interpolation);
      return TRUE;
    case PROP_REGION:
      g_value_set_string (value, self->region_text);
      return TRUE;
    case PROP_DCT_SCALING:
      g_value_set_enum (value, (gint) self->dct_scaling);
      return TRUE;
    case PROP_ON_ERROR:
      g_value_set_enum (value, (gint) self->on_error);
      return TRUE;
    case PROP_MAX_ERRORS:
      g_value_set_uint64 (value, self->max_errors);
      return TRUE;
    case PROP_MAX_PIXELS:
      g_value_set_uint64 (value, self->limits.max_pixels);
      return TRUE;
    case PROP_ACCEPT_TRUNCATED:
      g_value_set_boolean (value, self->limits.accept_truncated);
      return TRUE;
    default:
      return FALSE;
  }
}

TlStatus
tl_decode_settings_check (TlDecodeSettings *self, TlError *error)
{
  const TlCropRange *range = &self->range;
  TlStatus status = tl_region_parse (self->region_text, &self->region, error);

  if (status != TL_OK)
    return status;
  if (range->scale_min > range->scale_max)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "scale-min (%g) is larger than scale-max (%g).", range->scale_min,
        range->scale_max);
  if (range->ratio_min > range->ratio_max)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "ratio-min (%g) is larger than ratio-max (%g).", range->ratio_min,
        range->ratio_max);
  if (self->resize == 0)
    self->resize = tl_crop_auto_resize (self->width, self->height);
  return TL_OK;
}

/* The region without blanks and in one notation; "" for the whole picture. */
static void
describe_region (const TlDecodeSettings *self, gchar *text, gsize size)
{
  const TlRegion *region = &self->region;
  GString *line = g_string_new (NULL);

  for (guint i = 0; i < 4; i++) {
    gchar number[G_ASCII_DTOSTR_BUF_SIZE];

    g_ascii_formatd (number, sizeof number, "%.6g", region->values[i]);
    g_string_append_printf (line, "%s%s%s", i ? "," : "", number,
        region->percent[i] ? "%" : "");
  }
  if (g_str_equal (line->str, "0%,0%,100%,100%"))
    g_string_truncate (line, 0);
  g_strlcpy (text, line->str, size);
  g_string_free (line, TRUE);
}

void
tl_decode_settings_to_preprocess (const TlDecodeSettings *self,
    TlPreprocess *preprocess)
{
  const gchar *crop = self->crop == TL_IMAGE_CROP_NONE ? "none" : "center";

  tl_preprocess_init (preprocess);
  preprocess->width = (gint) self->width;
  preprocess->height = (gint) self->height;
  preprocess->resize = (gint) self->resize;
  g_strlcpy (preprocess->crop, crop, sizeof preprocess->crop);
  g_strlcpy (preprocess->interpolation,
      nick_of (interpolation_values, (gint) self->interpolation),
      sizeof preprocess->interpolation);
  describe_region (self, preprocess->region, sizeof preprocess->region);
}

/* The value with this nick, or NULL. */
static const GEnumValue *
find_nick (const GEnumValue *values, const gchar *nick)
{
  for (; values->value_nick; values++) {
    if (g_str_equal (values->value_nick, nick))
      return values;
  }
  return NULL;
}

/* Puts what @model says into @wanted. */
static TlStatus
read_model (const TlPreprocess *model, TlDecodeSettings *wanted, TlError *error)
{
  const GEnumValue *crop = find_nick (crop_values, model->crop);
  const GEnumValue *interpolation =
      find_nick (interpolation_values, model->interpolation);

  if (!crop || crop->value == TL_IMAGE_CROP_AUTO
      || crop->value == TL_IMAGE_CROP_RANDOM)
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "The model that follows was trained with crop=%s, which imagedecode "
        "does not know.",
        model->crop);
  if (!interpolation)
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "The model that follows was trained with interpolation=%s, which "
        "imagedecode does not know.",
        model->interpolation);
  if (model->auto_orient)
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "The model that follows was trained with auto-orient=true, but "
        "imagedecode does not turn pictures.");
  wanted->width = (guint) model->width;
  wanted->height = (guint) model->height;
  wanted->resize = (guint) model->resize;
  wanted->crop = (TlImageCrop) crop->value;
  wanted->interpolation = (TlFilter) interpolation->value;
  set_region (wanted, model->region);
  return tl_region_parse (wanted->region_text, &wanted->region, error);
}

/* What can be compared of a property; *transferred*. */
static gchar *
value_to_text (const TlDecodeSettings *self, guint id)
{
  gchar region[TL_PREPROCESS_TEXT];

  switch (id) {
    case PROP_WIDTH:
      return g_strdup_printf ("%u", self->width);
    case PROP_HEIGHT:
      return g_strdup_printf ("%u", self->height);
    case PROP_RESIZE:
      return g_strdup_printf ("%u", self->resize);
    case PROP_CROP:
      return g_strdup (nick_of (crop_values, (gint) self->crop));
    case PROP_INTERPOLATION:
      return g_strdup (
          nick_of (interpolation_values, (gint) self->interpolation));
    default:
      describe_region (self, region, sizeof region);
      return g_strdup_printf ("\"%s\"", region);
  }
}

TlStatus
tl_decode_settings_adopt (TlDecodeSettings *self, const TlPreprocess *model,
    TlError *error)
{
  static const struct
  {
    guint id;
    const gchar *name;
  } shared[] = {
      {PROP_WIDTH, "width"},
      {PROP_HEIGHT, "height"},
      {PROP_CROP, "crop"},
      {PROP_RESIZE, "resize"},
      {PROP_INTERPOLATION, "interpolation"},
      {PROP_REGION, "region"},
  };
  TlDecodeSettings wanted = *self;
  TlStatus status = read_model (model, &wanted, error);

  for (guint i = 0; i < G_N_ELEMENTS (shared) && status == TL_OK; i++) {
    g_autofree gchar *mine = value_to_text (self, shared[i].id);
    g_autofree gchar *models = value_to_text (&wanted, shared[i].id);

    /* Pictures that are stretched are not resized first. */
    if (shared[i].id == PROP_RESIZE && wanted.crop == TL_IMAGE_CROP_NONE)
      continue;
    if (self->demanded >> shared[i].id & 1 && !g_str_equal (mine, models))
      status = tl_fail (error, TL_ERROR_ARGUMENT,
          "%s=%s was set, but the model that follows was trained with %s=%s: "
          "leave %s out, or take another checkpoint.",
          shared[i].name, mine, shared[i].name, models, shared[i].name);
  }
  if (status == TL_OK)
    *self = wanted;
  return status;
}

gchar *
tl_decode_settings_describe (const TlDecodeSettings *self)
{
  const gdouble numbers[] = {self->range.scale_min, self->range.scale_max,
      self->range.ratio_min, self->range.ratio_max};
  static const gchar *const names[] = {"scale-min", "scale-max", "ratio-min",
      "ratio-max"};
  gchar region[TL_PREPROCESS_TEXT];
  GString *text = g_string_new ("imagedecode");

  describe_region (self, region, sizeof region);
  g_string_append_printf (text,
      " width=%u height=%u resize=%u crop=%s interpolation=%s region=%s "
      "dct-scaling=%s accept-truncated=%s max-pixels=%" G_GUINT64_FORMAT,
      self->width, self->height, self->resize,
      nick_of (crop_values, (gint) self->crop),
      nick_of (interpolation_values, (gint) self->interpolation), region,
      nick_of (dct_scaling_values, (gint) self->dct_scaling),
      self->limits.accept_truncated ? "true" : "false",
      self->limits.max_pixels);
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++) {
    gchar number[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append_printf (text, " %s=%s", names[i],
        g_ascii_dtostr (number, sizeof number, numbers[i]));
  }
  g_string_append_printf (text, " decoder=%s", tl_image_decoder_version ());
  return g_string_free (text, FALSE);
}
