/* SPDX-License-Identifier: BSD-3-Clause */

#include "tldecodesettings.h"

#include <tlfail.h>

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

TlCropKind
tl_decode_settings_crop_kind (const TlDecodeSettings *self)
{
  switch (self->crop) {
    case TL_IMAGE_CROP_NONE:
      return TL_CROP_NONE;
    case TL_IMAGE_CROP_PAD:
      return TL_CROP_PAD;
    default:
      return TL_CROP_CENTER;
  }
}

void
tl_decode_settings_to_preprocess (const TlDecodeSettings *self,
    TlPreprocess *preprocess)
{

  tl_preprocess_init (preprocess);
  preprocess->width = (gint) self->width;
  preprocess->height = (gint) self->height;
  preprocess->resize = (gint) self->resize;
  g_strlcpy (preprocess->crop,
      tl_crop_kind_nick (tl_decode_settings_crop_kind (self)),
      sizeof preprocess->crop);
  g_strlcpy (preprocess->interpolation,
      tl_decode_settings_nick (TL_DECODE_INTERPOLATION,
          (gint) self->interpolation),
      sizeof preprocess->interpolation);
  describe_region (self, preprocess->region, sizeof preprocess->region);
  preprocess->auto_orient = self->options.auto_orient;
}

static TlStatus
fail_unknown (const gchar *name, const gchar *value, TlError *error)
{
  return tl_fail (error, TL_ERROR_UNSUPPORTED,
      "The model that follows was trained with %s=%s, which imagedecode does "
      "not know.",
      name, value);
}

/* Puts what @model says into @wanted. */
static TlStatus
read_model (const TlPreprocess *model, TlDecodeSettings *wanted, TlError *error)
{
  TlCropKind kind;
  gint crop, interpolation;

  if (!tl_crop_kind_from_nick (model->crop, &kind)
      || !tl_decode_settings_from_nick (TL_DECODE_CROP, model->crop, &crop))
    return fail_unknown ("crop", model->crop, error);
  if (!tl_decode_settings_from_nick (TL_DECODE_INTERPOLATION,
          model->interpolation, &interpolation))
    return fail_unknown ("interpolation", model->interpolation, error);
  wanted->width = (guint) model->width;
  wanted->height = (guint) model->height;
  wanted->resize = (guint) model->resize;
  wanted->crop = (TlImageCrop) crop;
  wanted->interpolation = (TlFilter) interpolation;
  wanted->options.auto_orient = model->auto_orient;
  tl_decode_settings_set_region (wanted, model->region);
  return tl_region_parse (wanted->region_text, &wanted->region, error);
}

static const gchar *
bool_nick (gboolean value)
{
  return value ? "true" : "false";
}

/* What can be compared of a property; *transferred*. */
static gchar *
value_to_text (const TlDecodeSettings *self, guint id)
{
  gchar region[TL_PREPROCESS_TEXT];

  switch (id) {
    case TL_DECODE_WIDTH:
      return g_strdup_printf ("%u", self->width);
    case TL_DECODE_HEIGHT:
      return g_strdup_printf ("%u", self->height);
    case TL_DECODE_RESIZE:
      return g_strdup_printf ("%u", self->resize);
    case TL_DECODE_CROP:
      return g_strdup (
          tl_decode_settings_nick (TL_DECODE_CROP, (gint) self->crop));
    case TL_DECODE_INTERPOLATION:
      return g_strdup (tl_decode_settings_nick (TL_DECODE_INTERPOLATION,
          (gint) self->interpolation));
    case TL_DECODE_AUTO_ORIENT:
      return g_strdup (bool_nick (self->options.auto_orient));
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
      {TL_DECODE_WIDTH, "width"},
      {TL_DECODE_HEIGHT, "height"},
      {TL_DECODE_CROP, "crop"},
      {TL_DECODE_RESIZE, "resize"},
      {TL_DECODE_INTERPOLATION, "interpolation"},
      {TL_DECODE_REGION, "region"},
      {TL_DECODE_AUTO_ORIENT, "auto-orient"},
  };
  TlDecodeSettings wanted = *self;
  TlStatus status = read_model (model, &wanted, error);

  for (guint i = 0; i < G_N_ELEMENTS (shared) && status == TL_OK; i++) {
    g_autofree gchar *mine = value_to_text (self, shared[i].id);
    g_autofree gchar *models = value_to_text (&wanted, shared[i].id);

    /* Only a centre crop is resized first. */
    if (shared[i].id == TL_DECODE_RESIZE
        && tl_decode_settings_crop_kind (&wanted) != TL_CROP_CENTER)
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
      "auto-orient=%s dct-scaling=%s accept-truncated=%s "
      "max-pixels=%" G_GUINT64_FORMAT,
      self->width, self->height, self->resize,
      tl_decode_settings_nick (TL_DECODE_CROP, (gint) self->crop),
      tl_decode_settings_nick (TL_DECODE_INTERPOLATION,
          (gint) self->interpolation),
      region, bool_nick (self->options.auto_orient),
      tl_decode_settings_nick (TL_DECODE_DCT_SCALING, (gint) self->dct_scaling),
      bool_nick (self->options.accept_truncated), self->options.max_pixels);
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++) {
    gchar number[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append_printf (text, " %s=%s", names[i],
        g_ascii_dtostr (number, sizeof number, numbers[i]));
  }
  g_string_append_printf (text, " decoder=%s", tl_image_decoder_version ());
  return g_string_free (text, FALSE);
}
