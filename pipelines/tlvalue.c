/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlvalue.h"

#include "tlnear.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include <tlrange.h>

typedef enum
{
  PARSED,
  NOT_VALID,    /* not of this type */
  OUT_OF_RANGE, /* of this type, but not allowed */
} Outcome;

/* ---- Integers ---- */

/* Digits with an optional minus, no leading zeros. */
static gboolean
is_decimal (const gchar *text)
{
  const gchar *digits = *text == '-' ? text + 1 : text;
  gsize n = strspn (digits, "0123456789");

  return n > 0 && digits[n] == '\0' && (n == 1 || *digits != '0');
}

static void
set_integer (GValue *value, gint64 number, guint64 bits)
{
  switch (G_VALUE_TYPE (value)) {
    case G_TYPE_INT:
      g_value_set_int (value, number);
      break;
    case G_TYPE_UINT:
      g_value_set_uint (value, bits);
      break;
    case G_TYPE_INT64:
      g_value_set_int64 (value, number);
      break;
    case G_TYPE_UINT64:
      g_value_set_uint64 (value, bits);
      break;
    case G_TYPE_LONG:
      g_value_set_long (value, number);
      break;
    case G_TYPE_ULONG:
      g_value_set_ulong (value, bits);
      break;
    case G_TYPE_CHAR:
      g_value_set_schar (value, number);
      break;
    default:
      g_value_set_uchar (value, bits);
  }
}

/* *@bits is the number, in two's complement below 0; FALSE if it is outside of
 * @limits. */
static gboolean
is_within (const TlValueLimits *limits, gboolean negative, guint64 *bits)
{
  const guint64 most = (guint64) G_MAXINT64;
  gint64 number;

  if (limits->is_unsigned)
    return (!negative || *bits == 0) && *bits >= limits->umin
        && *bits <= limits->umax;
  if (*bits > most + negative)
    return FALSE;
  if (negative)
    *bits = -*bits;
  number = (gint64) *bits;
  return number >= limits->min && number <= limits->max;
}

static Outcome
parse_integer (GValue *value, GParamSpec *pspec, const TlValueLimits *limits,
    const gchar *text)
{
  const TlRange *range = tl_param_spec_get_range (pspec);
  gboolean negative = *text == '-';
  guint64 bits;

  if (!is_decimal (text))
    return NOT_VALID;
  errno = 0;
  bits = g_ascii_strtoull (negative ? text + 1 : text, NULL, 10);
  if (errno == ERANGE || !is_within (limits, negative, &bits))
    return OUT_OF_RANGE;
  if (range
      && !tl_range_contains (range,
          limits->is_unsigned ? (gdouble) bits : (gdouble) (gint64) bits))
    return OUT_OF_RANGE;
  set_integer (value, (gint64) bits, bits);
  return PARSED;
}

/* ---- Real numbers ---- */

static gboolean
is_number (const gchar *text)
{
  const gchar *digits = *text == '-' ? text + 1 : text;

  /* No hexadecimal, no "inf", no "nan", no "+1", no blanks. */
  return (g_ascii_isdigit (*digits)
             || (*digits == '.' && g_ascii_isdigit (digits[1])))
      && strspn (digits, "0123456789.eE+-") == strlen (digits);
}

static Outcome
parse_real (GValue *value, GParamSpec *pspec, const gchar *text)
{
  const TlRange *range = tl_param_spec_get_range (pspec);
  gboolean is_float = G_IS_PARAM_SPEC_FLOAT (pspec);
  gdouble min = is_float ? G_PARAM_SPEC_FLOAT (pspec)->minimum
                         : G_PARAM_SPEC_DOUBLE (pspec)->minimum;
  gdouble max = is_float ? G_PARAM_SPEC_FLOAT (pspec)->maximum
                         : G_PARAM_SPEC_DOUBLE (pspec)->maximum;
  gdouble number;
  gchar *end;

  if (!is_number (text))
    return NOT_VALID;
  number = g_ascii_strtod (text, &end);
  if (*end)
    return NOT_VALID;
  if (!isfinite (number) || number < min || number > max
      || (range && !tl_range_contains (range, number)))
    return OUT_OF_RANGE;
  if (is_float)
    g_value_set_float (value, number);
  else
    g_value_set_double (value, number);
  return PARSED;
}

/* ---- Words ---- */

static Outcome
parse_boolean (GValue *value, const gchar *text)
{
  static const gchar *const words[] = {"false", "true", "no", "yes", "off",
      "on"};

  for (guint i = 0; i < G_N_ELEMENTS (words); i++) {
    if (g_ascii_strcasecmp (text, words[i]) == 0) {
      g_value_set_boolean (value, i % 2);
      return PARSED;
    }
  }
  return NOT_VALID;
}

static Outcome
parse_enum (GValue *value, GParamSpec *pspec, const gchar *text)
{
  const GEnumValue *found =
      g_enum_get_value_by_nick (G_PARAM_SPEC_ENUM (pspec)->enum_class, text);

  if (!found)
    return NOT_VALID;
  g_value_set_enum (value, found->value);
  return PARSED;
}

/* "a+b"; an empty text is no flag at all. */
static Outcome
parse_flags (GValue *value, GParamSpec *pspec, const gchar *text)
{
  GFlagsClass *flags = G_PARAM_SPEC_FLAGS (pspec)->flags_class;
  g_auto (GStrv) nicks = g_strsplit (text, "+", -1);
  guint bits = 0;

  for (guint i = 0; nicks[i]; i++) {
    const GFlagsValue *found = g_flags_get_value_by_nick (flags, nicks[i]);

    if (!found)
      return NOT_VALID;
    bits |= found->value;
  }
  g_value_set_flags (value, bits);
  return PARSED;
}

/* ---- Everything else ---- */

/* A list of texts as one: "a,b", or "<a,b>" for an array. */
static gchar *
join (const TlSpecProperty *property, GType type)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gboolean is_array = type == GST_TYPE_ARRAY || type == GST_TYPE_LIST;

  for (guint i = 0; i < property->values->len; i++)
    g_string_append_printf (text, "%s%s", i ? "," : "",
        ((TlSpecText *) property->values->pdata[i])->text);
  if (property->is_list && type == GST_TYPE_ARRAY)
    return g_strdup_printf ("<%s>", text->str);
  if (property->is_list && is_array)
    return g_strdup_printf ("{%s}", text->str);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static gboolean
takes_list (GType type)
{
  return type == G_TYPE_STRING || type == G_TYPE_STRV || type == GST_TYPE_ARRAY
      || type == GST_TYPE_LIST;
}

static void
set_strv (GValue *value, const TlSpecProperty *property)
{
  gchar **strings = g_new0 (gchar *, property->values->len + 1);

  for (guint i = 0; i < property->values->len; i++)
    strings[i] = g_strdup (((TlSpecText *) property->values->pdata[i])->text);
  g_value_take_boxed (value, strings);
}

static Outcome
parse_text (GValue *value, GParamSpec *pspec, const gchar *text)
{
  TlValueLimits limits;

  if (tl_value_get_limits (pspec, &limits))
    return parse_integer (value, pspec, &limits, text);
  if (G_IS_PARAM_SPEC_DOUBLE (pspec) || G_IS_PARAM_SPEC_FLOAT (pspec))
    return parse_real (value, pspec, text);
  if (G_IS_PARAM_SPEC_BOOLEAN (pspec))
    return parse_boolean (value, text);
  if (G_IS_PARAM_SPEC_ENUM (pspec))
    return parse_enum (value, pspec, text);
  if (G_IS_PARAM_SPEC_FLAGS (pspec))
    return parse_flags (value, pspec, text);
  if (pspec->value_type == G_TYPE_STRING) {
    g_value_set_string (value, text);
    return PARSED;
  }
  return gst_value_deserialize_with_pspec (value, text, pspec) ? PARSED
                                                               : NOT_VALID;
}

static Outcome
parse_property (GValue *value, GParamSpec *pspec,
    const TlSpecProperty *property, const gchar *text)
{
  Outcome outcome = PARSED;

  g_value_init (value, pspec->value_type);
  if (pspec->value_type == G_TYPE_STRV)
    set_strv (value, property);
  else
    outcome = parse_text (value, pspec, text);
  /* TRUE: it was changed to be valid, so it was not. */
  if (outcome == PARSED && g_param_value_validate (pspec, value))
    outcome = OUT_OF_RANGE;
  if (outcome != PARSED)
    g_value_unset (value);
  return outcome;
}

/* What other languages read in base 8 or 16 is a mistake here. */
static const gchar *
explain_number (GParamSpec *pspec, const gchar *text)
{
  TlValueLimits limits;

  text += *text == '-' || *text == '+';
  return text[0] == '0' && g_ascii_isalnum (text[1])
          && tl_value_get_limits (pspec, &limits)
      ? " in decimal digits, the first of them not 0"
      : "";
}

gboolean
tl_value_parse (GValue *value, GParamSpec *pspec, const gchar *factory_name,
    const TlSpecProperty *property, TlDiagnostics *diagnostics)
{
  g_autofree gchar *text = join (property, pspec->value_type);
  g_autofree gchar *expected = tl_value_describe (pspec);
  g_autofree gchar *suggestion = NULL;
  TlNear near;

  if (property->is_list && !takes_list (pspec->value_type)) {
    tl_diagnostics_error (diagnostics, property->value_place, NULL,
        "a list is not valid for %s.%s: expected %s", factory_name, pspec->name,
        expected);
    return FALSE;
  }
  switch (parse_property (value, pspec, property, text)) {
    case PARSED:
      return TRUE;
    case OUT_OF_RANGE:
      tl_diagnostics_error (diagnostics, property->value_place, NULL,
          "%s is out of range for %s.%s: expected %s", text, factory_name,
          pspec->name, expected);
      return FALSE;
    default:
      tl_near_init (&near, text);
      for (guint i = 0; tl_value_get_nick (pspec, i); i++)
        tl_near_offer (&near, tl_value_get_nick (pspec, i));
      suggestion = tl_near_suggest (&near);
      tl_diagnostics_error (diagnostics, property->value_place, NULL,
          "\"%s\" is not valid for %s.%s: expected %s%s%s", text, factory_name,
          pspec->name, expected, explain_number (pspec, text), suggestion);
      return FALSE;
  }
}
