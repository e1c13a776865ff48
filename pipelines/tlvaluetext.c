/* SPDX-License-Identifier: BSD-3-Clause */

/* What a property takes, in words, and values as texts. */

#include "tlvalue.h"

#include <math.h>

#include <tlrange.h>

/* As many of an enumeration's values are listed in a message. */
#define MAX_LISTED 24

#define SIGNED(pspec, TYPE)                                                    \
  ((TlValueLimits){FALSE, TYPE (pspec)->minimum, TYPE (pspec)->maximum, 0, 0})
#define UNSIGNED(pspec, TYPE)                                                  \
  ((TlValueLimits){TRUE, 0, 0, TYPE (pspec)->minimum, TYPE (pspec)->maximum})

gboolean
tl_value_get_limits (GParamSpec *pspec, TlValueLimits *limits)
{
  if (G_IS_PARAM_SPEC_INT (pspec))
    *limits = SIGNED (pspec, G_PARAM_SPEC_INT);
  else if (G_IS_PARAM_SPEC_UINT (pspec))
    *limits = UNSIGNED (pspec, G_PARAM_SPEC_UINT);
  else if (G_IS_PARAM_SPEC_INT64 (pspec))
    *limits = SIGNED (pspec, G_PARAM_SPEC_INT64);
  else if (G_IS_PARAM_SPEC_UINT64 (pspec))
    *limits = UNSIGNED (pspec, G_PARAM_SPEC_UINT64);
  else if (G_IS_PARAM_SPEC_LONG (pspec))
    *limits = SIGNED (pspec, G_PARAM_SPEC_LONG);
  else if (G_IS_PARAM_SPEC_ULONG (pspec))
    *limits = UNSIGNED (pspec, G_PARAM_SPEC_ULONG);
  else if (G_IS_PARAM_SPEC_CHAR (pspec))
    *limits = SIGNED (pspec, G_PARAM_SPEC_CHAR);
  else if (G_IS_PARAM_SPEC_UCHAR (pspec))
    *limits = UNSIGNED (pspec, G_PARAM_SPEC_UCHAR);
  else
    return FALSE;
  return TRUE;
}

const gchar *
tl_value_get_nick (GParamSpec *pspec, guint i)
{
  if (G_IS_PARAM_SPEC_ENUM (pspec)) {
    GEnumClass *values = G_PARAM_SPEC_ENUM (pspec)->enum_class;

    return i < values->n_values ? values->values[i].value_nick : NULL;
  }
  if (G_IS_PARAM_SPEC_FLAGS (pspec)) {
    GFlagsClass *values = G_PARAM_SPEC_FLAGS (pspec)->flags_class;

    return i < values->n_values ? values->values[i].value_nick : NULL;
  }
  return NULL;
}

/* ---- Descriptions ---- */

static gchar *
describe_nicks (GParamSpec *pspec, const gchar *head)
{
  g_autoptr (GString) text = g_string_new (head);
  const gchar *nick;
  guint n;

  for (n = 0; (nick = tl_value_get_nick (pspec, n)); n++) {
    if (n < MAX_LISTED)
      g_string_append_printf (text, "%s%s", n ? ", " : "", nick);
  }
  if (n > MAX_LISTED)
    g_string_append_printf (text, " and %u more", n - MAX_LISTED);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* @range is that of tl_param_spec_get_range(), or NULL. */
static gchar *
describe_integer (const TlValueLimits *limits, const gchar *range)
{
  if (range)
    return g_strdup_printf ("an integer, %s", range);
  if (limits->is_unsigned)
    return g_strdup_printf ("an integer, %" G_GUINT64_FORMAT
                            " to %" G_GUINT64_FORMAT,
        limits->umin, limits->umax);
  return g_strdup_printf ("an integer, %" G_GINT64_FORMAT
                          " to %" G_GINT64_FORMAT,
      limits->min, limits->max);
}

static gchar *
describe_real (GParamSpec *pspec)
{
  gboolean is_float = G_IS_PARAM_SPEC_FLOAT (pspec);
  TlRange range = {
      is_float ? G_PARAM_SPEC_FLOAT (pspec)->minimum
               : G_PARAM_SPEC_DOUBLE (pspec)->minimum,
      is_float ? G_PARAM_SPEC_FLOAT (pspec)->maximum
               : G_PARAM_SPEC_DOUBLE (pspec)->maximum,
  };
  gdouble limit = is_float ? G_MAXFLOAT : G_MAXDOUBLE;
  g_autofree gchar *text = NULL;

  if (range.min <= -limit && range.max >= limit)
    return g_strdup ("a number");
  if (range.max >= limit)
    range.max = INFINITY;
  text = tl_range_to_string (&range);
  return g_strdup_printf ("a number, %s", text);
}

/* By name, since the types of GStreamer are registered at run time. */
static gchar *
describe_type (GType type)
{
  static const struct
  {
    const gchar *type;
    const gchar *text;
  } known[] = {
      {"gchararray", "a text"},
      {"gboolean", "true or false"},
      {"GstFraction", "a fraction such as 30/1"},
      {"GstCaps", "caps such as video/x-raw,width=640"},
      {"GstStructure", "a structure such as name,field=1"},
      {"GstValueArray", "a list"},
      {"GStrv", "a list of texts"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (known); i++) {
    if (g_str_equal (g_type_name (type), known[i].type))
      return g_strdup (known[i].text);
  }
  return g_strdup_printf ("a %s", g_type_name (type));
}

gchar *
tl_value_describe (GParamSpec *pspec)
{
  const TlRange *range = tl_param_spec_get_range (pspec);
  g_autofree gchar *text = range ? tl_range_to_string (range) : NULL;
  TlValueLimits limits;

  if (G_IS_PARAM_SPEC_ENUM (pspec))
    return describe_nicks (pspec, "one of ");
  if (G_IS_PARAM_SPEC_FLAGS (pspec))
    return describe_nicks (pspec, "one or more, joined by \"+\", of ");
  if (tl_value_get_limits (pspec, &limits))
    return describe_integer (&limits, text);
  if (text)
    return g_strdup_printf ("a number, %s", text);
  if (G_IS_PARAM_SPEC_DOUBLE (pspec) || G_IS_PARAM_SPEC_FLOAT (pspec))
    return describe_real (pspec);
  return describe_type (pspec->value_type);
}

/* ---- Back to text ---- */

/* By nick, as in a file; gst_value_serialize() takes the names of the C
 * constants. */
static gchar *
flags_to_string (const GValue *value)
{
  GFlagsClass *flags = g_type_class_peek (G_VALUE_TYPE (value));
  guint bits = g_value_get_flags (value);
  g_autoptr (GString) text = g_string_new (NULL);
  const GFlagsValue *flag;

  while (bits && (flag = g_flags_get_first_value (flags, bits))) {
    g_string_append_printf (text, "%s%s", text->len ? "+" : "",
        flag->value_nick);
    bits &= ~flag->value;
  }
  if (bits || text->len == 0)
    return gst_value_serialize (value);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* The shortest text that is read back as the same number. */
static gchar *
real_to_string (gdouble number, gboolean is_float)
{
  gchar text[G_ASCII_DTOSTR_BUF_SIZE];
  gint digits = is_float ? 6 : 15;

  do {
    g_autofree gchar *format = g_strdup_printf ("%%.%dg", digits++);

    g_ascii_formatd (text, sizeof text, format, number);
  } while (digits <= 17
      && (is_float ? (gfloat) g_ascii_strtod (text, NULL) != (gfloat) number
                   : g_ascii_strtod (text, NULL) != number));
  return g_strdup (text);
}

gchar *
tl_value_to_string (const GValue *value)
{
  if (G_VALUE_HOLDS_STRING (value))
    return g_value_dup_string (value);
  if (G_VALUE_HOLDS_DOUBLE (value))
    return real_to_string (g_value_get_double (value), FALSE);
  if (G_VALUE_HOLDS_FLOAT (value))
    return real_to_string (g_value_get_float (value), TRUE);
  if (GST_VALUE_HOLDS_CAPS (value))
    return gst_caps_to_string (gst_value_get_caps (value));
  if (GST_VALUE_HOLDS_STRUCTURE (value) && gst_value_get_structure (value))
    return gst_structure_to_string (gst_value_get_structure (value));
  if (G_VALUE_HOLDS_FLAGS (value))
    return flags_to_string (value);
  return gst_value_serialize (value);
}
