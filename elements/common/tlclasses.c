/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlclasses.h"

#include <string.h>

#include "tlevents.h"

static void
append_string (GString *json, const gchar *text)
{
  g_string_append_c (json, '"');
  for (const guchar *c = (const guchar *) text; *c; c++) {
    if (*c == '"' || *c == '\\')
      g_string_append_printf (json, "\\%c", *c);
    else if (*c < 0x20 || *c == 0x7f)
      g_string_append_printf (json, "\\u%04x", *c);
    else
      g_string_append_c (json, *c);
  }
  g_string_append_c (json, '"');
}

gchar *
tl_classes_to_json (const gchar *const *classes)
{
  GString *json = g_string_new ("[");

  for (guint i = 0; classes[i]; i++) {
    if (i)
      g_string_append_c (json, ',');
    append_string (json, classes[i]);
  }
  g_string_append_c (json, ']');
  return g_string_free (json, FALSE);
}

static const gchar *
skip_blanks (const gchar *p)
{
  return p + strspn (p, " \t\r\n");
}

static gboolean
parse_hex (const gchar **p, gunichar *ret)
{
  gunichar unit = 0;

  for (guint i = 0; i < 4; i++) {
    gint digit = g_ascii_xdigit_value (**p);

    if (digit < 0)
      return FALSE;
    unit = unit << 4 | (gunichar) digit;
    (*p)++;
  }
  *ret = unit;
  return TRUE;
}

/* Behind "\u": one unit, or a surrogate pair. */
static gboolean
parse_unicode (const gchar **p, GString *text)
{
  gunichar high, low;

  if (!parse_hex (p, &high) || high == 0)
    return FALSE;
  if (high >= 0xd800 && high < 0xdc00) {
    if ((*p)[0] != '\\' || (*p)[1] != 'u')
      return FALSE;
    *p += 2;
    if (!parse_hex (p, &low) || low < 0xdc00 || low > 0xdfff)
      return FALSE;
    high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
  }
  if (!g_unichar_validate (high))
    return FALSE;
  g_string_append_unichar (text, high);
  return TRUE;
}

static gboolean
parse_escape (const gchar **p, GString *text)
{
  static const gchar codes[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
  const gchar *code;

  if (**p == 'u') {
    (*p)++;
    return parse_unicode (p, text);
  }
  code = **p ? strchr (codes, **p) : NULL;
  if (!code)
    return FALSE;
  g_string_append_c (text, values[code - codes]);
  (*p)++;
  return TRUE;
}

/* Behind the opening quote. */
static gchar *
parse_string (const gchar **p)
{
  GString *text = g_string_new (NULL);
  gboolean good = TRUE;

  while (good && **p != '"' && (guchar) (*p)[0] >= 0x20) {
    gchar c = *(*p)++;

    if (c == '\\')
      good = parse_escape (p, text);
    else
      g_string_append_c (text, c);
  }
  if (!good || **p != '"' || !g_utf8_validate (text->str, text->len, NULL)) {
    g_string_free (text, TRUE);
    return NULL;
  }
  (*p)++;
  return g_string_free (text, FALSE);
}

gchar **
tl_classes_from_json (const gchar *json)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const gchar *p = skip_blanks (json);

  if (*p++ != '[')
    return NULL;
  do {
    gchar *name;

    p = skip_blanks (p);
    if (*p++ != '"' || names->len >= TL_MAX_CLASSES)
      return NULL;
    name = parse_string (&p);
    if (!name)
      return NULL;
    g_ptr_array_add (names, name);
    p = skip_blanks (p);
  } while (*p++ == ',');
  if (p[-1] != ']' || *skip_blanks (p))
    return NULL;
  g_ptr_array_add (names, NULL);
  return (gchar **) g_ptr_array_steal (names, NULL);
}
