/* SPDX-License-Identifier: BSD-3-Clause */

#include "tljsonline.h"

#include <math.h>

#include <tlnumber.h>

static void
append_text (GString *line, const gchar *value)
{
  g_autofree gchar *valid = g_utf8_make_valid (value, -1);

  g_string_append_c (line, '"');
  for (const gchar *p = valid; *p; p++) {
    if (*p == '"' || *p == '\\')
      g_string_append_printf (line, "\\%c", *p);
    else if ((guchar) *p < 0x20 || *p == 0x7f)
      g_string_append_printf (line, "\\u%04x", (guchar) *p);
    else
      g_string_append_c (line, *p);
  }
  g_string_append_c (line, '"');
}

static void
append_key (GString *line, const gchar *key)
{
  if (line->str[line->len - 1] != '{')
    g_string_append_c (line, ',');
  append_text (line, key);
  g_string_append_c (line, ':');
}

GString *
tl_json_line_new (const gchar *type)
{
  GString *line = g_string_new ("{");

  tl_json_line_add_text (line, "type", type);
  return line;
}

void
tl_json_line_add_text (GString *line, const gchar *key, const gchar *value)
{
  if (!value)
    return;
  append_key (line, key);
  append_text (line, value);
}

void
tl_json_line_add_number (GString *line, const gchar *key, gdouble value)
{
  if (!isfinite (value))
    return;
  append_key (line, key);
  g_string_append (line, tl_number_decimal (value).text);
}

void
tl_json_line_add_count (GString *line, const gchar *key, guint64 value)
{
  append_key (line, key);
  g_string_append_printf (line, "%" G_GUINT64_FORMAT, value);
}

void
tl_json_line_add_truth (GString *line, const gchar *key, gboolean value)
{
  append_key (line, key);
  g_string_append (line, value ? "true" : "false");
}

/* ---- GValues ---- */

static void append_value (GString *line, const GValue *value);

static gboolean
append_field (GQuark field, const GValue *value, gpointer line)
{
  /* A text, a structure... */
  gboolean is_none =
      g_value_fits_pointer (value) && !g_value_peek_pointer (value);

  if (is_none
      || (G_VALUE_HOLDS_DOUBLE (value)
          && !isfinite (g_value_get_double (value))))
    return TRUE;
  append_key (line, g_quark_to_string (field));
  append_value (line, value);
  return TRUE;
}

static void
append_array (GString *line, const GValue *value)
{
  gboolean is_array = GST_VALUE_HOLDS_ARRAY (value);
  guint n = is_array ? gst_value_array_get_size (value)
                     : gst_value_list_get_size (value);

  g_string_append_c (line, '[');
  for (guint i = 0; i < n; i++) {
    if (i > 0)
      g_string_append_c (line, ',');
    append_value (line,
        is_array ? gst_value_array_get_value (value, i)
                 : gst_value_list_get_value (value, i));
  }
  g_string_append_c (line, ']');
}

static void
append_object (GString *line, const GstStructure *structure)
{
  g_string_append_c (line, '{');
  gst_structure_foreach (structure, append_field, line);
  g_string_append_c (line, '}');
}

static void
append_enum (GString *line, const GValue *value)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (G_VALUE_TYPE (value));
  const GEnumValue *found = g_enum_get_value (klass, g_value_get_enum (value));

  append_text (line, found ? found->value_nick : "");
}

static void
append_other (GString *line, const GValue *value)
{
  g_autofree gchar *text = gst_value_serialize (value);

  append_text (line, text ? text : "");
}

/* Within an array a double that is not finite has to have a place. */
static void
append_double (GString *line, gdouble value)
{
  g_string_append (line,
      isfinite (value) ? tl_number_decimal (value).text : "null");
}

static void
append_value (GString *line, const GValue *value)
{
  g_auto (GValue) number = G_VALUE_INIT;

  if (g_value_fits_pointer (value) && !g_value_peek_pointer (value)) {
    g_string_append (line, "null");
  } else if (GST_VALUE_HOLDS_ARRAY (value) || GST_VALUE_HOLDS_LIST (value)) {
    append_array (line, value);
  } else if (GST_VALUE_HOLDS_STRUCTURE (value)) {
    append_object (line, gst_value_get_structure (value));
  } else if (G_VALUE_HOLDS_STRING (value)) {
    append_text (line, g_value_get_string (value));
  } else if (G_VALUE_HOLDS_BOOLEAN (value)) {
    g_string_append (line, g_value_get_boolean (value) ? "true" : "false");
  } else if (G_VALUE_HOLDS_DOUBLE (value)) {
    append_double (line, g_value_get_double (value));
  } else if (G_VALUE_HOLDS_FLOAT (value)) {
    append_double (line, (gdouble) g_value_get_float (value));
  } else if (G_VALUE_HOLDS_ENUM (value)) {
    append_enum (line, value);
  } else if (G_VALUE_HOLDS_INT (value) || G_VALUE_HOLDS_INT64 (value)
      || G_VALUE_HOLDS_UINT (value) || G_VALUE_HOLDS_UINT64 (value)) {
    g_value_init (&number, G_TYPE_STRING);
    g_value_transform (value, &number);
    g_string_append (line, g_value_get_string (&number));
  } else {
    append_other (line, value);
  }
}

void
tl_json_line_add_structure (GString *line, const GstStructure *structure)
{
  gst_structure_foreach (structure, append_field, line);
}
