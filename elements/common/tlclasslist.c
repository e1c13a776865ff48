/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlclasslist.h"
#include "tlevents.h"

#include <string.h>

static void
append_quoted (GString *json, const gchar *text)
{
  g_string_append_c (json, '"');
  for (; *text; text++) {
    guchar c = (guchar) *text;

    if (c == '"' || c == '\\')
      g_string_append_printf (json, "\\%c", c);
    else if (c < 0x20)
      g_string_append_printf (json, "\\u%04x", c);
    else
      g_string_append_c (json, (gchar) c);
  }
  g_string_append_c (json, '"');
}

gchar *
tl_class_list_to_json (const gchar *const *classes)
{
  GString *json = g_string_new ("[");

  for (guint i = 0; classes[i]; i++) {
    if (i > 0)
      g_string_append_c (json, ',');
    append_quoted (json, classes[i]);
  }
  g_string_append_c (json, ']');
  return g_string_free (json, FALSE);
}

static const gchar *
skip_blanks (const gchar *p)
{
  return p + strspn (p, " \t\r\n");
}

/* Four hexadecimal digits, or -1. */
static gint
parse_hex (const gchar *p)
{
  gint value = 0;

  for (guint i = 0; i < 4; i++) {
    gint digit = g_ascii_xdigit_value (p[i]);

    if (digit < 0)
      return -1;
    value = value << 4 | digit;
  }
  return value;
}

/* \uXXXX, or two of them for a surrogate pair; @p is at the u. */
static const gchar *
parse_unicode (const gchar *p, GString *text)
{
  gint high = parse_hex (p + 1), low;
  gunichar c = (gunichar) high;

  if (high <= 0 || (high >= 0xdc00 && high < 0xe000))
    return NULL;
  p += 5;
  if (high >= 0xd800 && high < 0xdc00) {
    if (p[0] != '\\' || p[1] != 'u')
      return NULL;
    low = parse_hex (p + 2);
    if (low < 0xdc00 || low > 0xdfff)
      return NULL;
    c = 0x10000u + (((gunichar) high - 0xd800u) << 10)
        + ((gunichar) low - 0xdc00u);
    p += 6;
  }
  g_string_append_unichar (text, c);
  return p;
}

/* What is behind a backslash. */
static const gchar *
parse_escape (const gchar *p, GString *text)
{
  static const gchar from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  const gchar *found;

  if (*p == 'u')
    return parse_unicode (p, text);
  found = *p ? strchr (from, *p) : NULL;
  if (!found)
    return NULL;
  g_string_append_c (text, to[found - from]);
  return p + 1;
}

/* The string at @p; returns what is behind it, or NULL. */
static const gchar *
parse_string (const gchar *p, GString *text)
{
  if (*p++ != '"')
    return NULL;
  while (p && *p != '"') {
    if ((guchar) *p < 0x20)
      return NULL;
    if (*p == '\\')
      p = parse_escape (p + 1, text);
    else
      g_string_append_c (text, *p++);
  }
  return p ? p + 1 : NULL;
}

static const gchar *
parse_name (const gchar *p, GPtrArray *names)
{
  g_autoptr (GString) text = g_string_new (NULL);

  p = parse_string (skip_blanks (p), text);
  if (!p || names->len == TL_MAX_CLASSES)
    return NULL;
  g_ptr_array_add (names, g_strdup (text->str));
  return skip_blanks (p);
}

gchar **
tl_class_list_from_json (const gchar *json, guint *n)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const gchar *p = skip_blanks (json);

  if (*p != '[' || !g_utf8_validate (json, -1, NULL))
    return NULL;
  do {
    p = parse_name (p + 1, names);
  } while (p && *p == ',');
  if (!p || *p != ']' || *skip_blanks (p + 1))
    return NULL;
  if (n)
    *n = names->len;
  g_ptr_array_add (names, NULL);
  return (gchar **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}

/* More would not be read. */
#define MAX_SHOWN 8

gchar *
tl_class_list_to_text (const gchar *const *classes)
{
  guint n = g_strv_length ((gchar **) classes);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < n && i < MAX_SHOWN; i++)
    g_string_append_printf (text, "%s%s", i ? ", " : "", classes[i]);
  if (n > MAX_SHOWN)
    g_string_append_printf (text, " and %u more", n - MAX_SHOWN);
  return g_string_free (text, FALSE);
}
