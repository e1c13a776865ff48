/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlresultlogsettings.h"

#include <tlsettings.h>

#define FORMAT_AUTO 0

/* ---- Types ---- */

static GType
register_enum (gsize *type, const gchar *name, const GEnumValue *values)
{
  if (g_once_init_enter (type))
    g_once_init_leave (type, g_enum_register_static (name, values));
  return (GType) *type;
}

static GType
format_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
      {FORMAT_AUTO, "By the ending of location", "auto"},
      {TL_RESULT_JSONL + 1, "An object of JSON per line", "jsonl"},
      {TL_RESULT_CSV + 1, "Comma-separated values with a header", "csv"},
      {TL_RESULT_VTT + 1, "WebVTT subtitles", "vtt"},
      {0, NULL, NULL},
  };

  return register_enum (&type, "TlResultLogFormat", values);
}

static GType
flush_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
      {TL_RESULT_FLUSH_NONE, "Once a second", "none"},
      {TL_RESULT_FLUSH_LINE, "Each entry to the system", "line"},
      {TL_RESULT_FLUSH_SYNC, "Each entry onto the disk", "sync"},
      {0, NULL, NULL},
  };

  return register_enum (&type, "TlResultLogFlush", values);
}

static GType
every_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
      {TL_RESULT_EVERY_RESULT, "Each result once", "result"},
      {TL_RESULT_EVERY_FRAME, "The result of each frame", "frame"},
      {0, NULL, NULL},
  };

  return register_enum (&type, "TlResultLogEvery", values);
}

/* ---- The table ---- */

#define AT(field) G_STRUCT_OFFSET (TlResultLogSettings, field)

static const TlSetting rows[] = {
    {"location", "Location",
        "File that the results go into; also a pipe or a device. May be empty "
        "where they only go to the pad text",
        TL_SETTING_STRING, AT (location), ""},
    {"format", "Format", "What is written", TL_SETTING_ENUM, AT (format), NULL,
        FORMAT_AUTO, {0}, format_type},
    {"append", "Append",
        "Go on below what is in the file, instead of emptying it",
        TL_SETTING_BOOLEAN, AT (append), NULL, FALSE},
    {"flush", "Flush", "When entries reach the file", TL_SETTING_ENUM,
        AT (flush), NULL, TL_RESULT_FLUSH_LINE, {0}, flush_type},
    {"every", "Every", "What has an entry in JSON lines and CSV",
        TL_SETTING_ENUM, AT (every), NULL, TL_RESULT_EVERY_RESULT, {0},
        every_type},
    {"top-k", "Top k",
        "Classes per entry, best first (1 to 16), as far as the result has "
        "them; CSV has columns for so many",
        TL_SETTING_UINT, AT (top_k), NULL, 3, {1, TL_RESULT_ENTRY_MAX}},
};

void
tl_result_log_settings_copy (TlResultLogSettings *self,
    const TlResultLogSettings *from)
{
  *self = *from;
  self->location = g_strdup (from->location);
}

void
tl_result_log_settings_clear (TlResultLogSettings *self)
{
  g_free (self->location);
  *self = (TlResultLogSettings){0};
}

gboolean
tl_result_log_settings_get_format (const TlResultLogSettings *self,
    TlResultFormat *ret)
{
  static const struct
  {
    const gchar *ending;
    TlResultFormat format;
  } known[] = {
      {".jsonl", TL_RESULT_JSONL},
      {".csv", TL_RESULT_CSV},
      {".vtt", TL_RESULT_VTT},
  };
  g_autofree gchar *name = g_ascii_strdown (self->location, -1);

  if (self->format != FORMAT_AUTO) {
    *ret = (TlResultFormat) (self->format - 1);
    return TRUE;
  }
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_str_has_suffix (name, known[i].ending)) {
      *ret = known[i].format;
      return TRUE;
    }
  return FALSE;
}

guint
tl_result_log_settings_install (GObjectClass *klass, guint first_id)
{
  tl_settings_install (klass, first_id, rows, G_N_ELEMENTS (rows));
  gst_type_mark_as_plugin_api (format_type (), 0);
  gst_type_mark_as_plugin_api (flush_type (), 0);
  gst_type_mark_as_plugin_api (every_type (), 0);
  return first_id + G_N_ELEMENTS (rows);
}

void
tl_result_log_settings_set (TlResultLogSettings *self, guint id,
    const GValue *value)
{
  tl_settings_set (self, &rows[id], value);
}

void
tl_result_log_settings_get (const TlResultLogSettings *self, guint id,
    GValue *value)
{
  tl_settings_get (self, &rows[id], value);
}
