/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlpreprocess.h"

#include "tlcaps.h"

#include <string.h>

void
tl_preprocess_init (TlPreprocess *self)
{
  *self = (TlPreprocess){
      .width = 224,
      .height = 224,
      .resize = 256,
      .crop = "center",
      .interpolation = "bilinear",
      .mean = {0.485, 0.456, 0.406},
      .std = {0.229, 0.224, 0.225},
  };
}

static void
append_triple (GString *text, const gchar *key, const gdouble v[3])
{
  gchar number[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append_printf (text, " %s=", key);
  for (guint i = 0; i < 3; i++)
    g_string_append_printf (text, "%s%s", i ? "," : "",
        g_ascii_formatd (number, sizeof number, "%.9g", v[i]));
}

gchar *
tl_preprocess_to_string (const TlPreprocess *self)
{
  GString *text = g_string_new (NULL);

  g_string_append_printf (text,
      "width=%d height=%d resize=%d crop=%s interpolation=%s region=%s "
      "auto-orient=%s",
      self->width, self->height, self->resize, self->crop, self->interpolation,
      self->region, self->auto_orient ? "true" : "false");
  append_triple (text, "mean", self->mean);
  append_triple (text, "std", self->std);
  return g_string_free (text, FALSE);
}

static gboolean
parse_int (const gchar *text, gint max, gint *ret)
{
  guint64 value;

  if (!g_ascii_string_to_unsigned (text, 10, 1, max, &value, NULL))
    return FALSE;
  *ret = (gint) value;
  return TRUE;
}

static gboolean
parse_text (const gchar *text, gchar ret[TL_PREPROCESS_TEXT])
{
  return g_strlcpy (ret, text, TL_PREPROCESS_TEXT) < TL_PREPROCESS_TEXT;
}

static gboolean
parse_triple (const gchar *text, gdouble min, gdouble ret[3])
{
  g_auto (GStrv) parts = g_strsplit (text, ",", 4);

  if (g_strv_length (parts) != 3)
    return FALSE;
  for (guint i = 0; i < 3; i++) {
    gchar *end;

    ret[i] = g_ascii_strtod (parts[i], &end);
    if (end == parts[i] || *end || !(ret[i] >= min && ret[i] <= 1e6))
      return FALSE;
  }
  return TRUE;
}

static gboolean
parse_field (TlPreprocess *self, const gchar *key, const gchar *value)
{
  if (g_str_equal (key, "width"))
    return parse_int (value, TL_MAX_SAMPLE_SIDE, &self->width);
  if (g_str_equal (key, "height"))
    return parse_int (value, TL_MAX_SAMPLE_SIDE, &self->height);
  if (g_str_equal (key, "resize"))
    return parse_int (value, 4 * TL_MAX_SAMPLE_SIDE, &self->resize);
  if (g_str_equal (key, "crop"))
    return parse_text (value, self->crop);
  if (g_str_equal (key, "interpolation"))
    return parse_text (value, self->interpolation);
  if (g_str_equal (key, "region"))
    return parse_text (value, self->region);
  if (g_str_equal (key, "auto-orient")) {
    self->auto_orient = g_str_equal (value, "true");
    return self->auto_orient || g_str_equal (value, "false");
  }
  if (g_str_equal (key, "mean"))
    return parse_triple (value, -1e6, self->mean);
  if (g_str_equal (key, "std"))
    return parse_triple (value, 1e-6, self->std);
  return FALSE;
}

/* In the order of tl_preprocess_to_string. */
static const gchar *const keys[] = {"width", "height", "resize", "crop",
    "interpolation", "region", "auto-orient", "mean", "std"};

gboolean
tl_preprocess_from_string (TlPreprocess *self, const gchar *text)
{
  g_auto (GStrv) fields = g_strsplit (text, " ", 16);
  TlPreprocess found;

  tl_preprocess_init (&found);
  if (g_strv_length (fields) != G_N_ELEMENTS (keys))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++) {
    gchar *value = strchr (fields[i], '=');

    if (!value)
      return FALSE;
    *value++ = '\0';
    if (!g_str_equal (fields[i], keys[i])
        || !parse_field (&found, keys[i], value))
      return FALSE;
  }
  *self = found;
  return TRUE;
}
