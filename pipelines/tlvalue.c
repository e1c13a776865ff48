/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlvalue.h"

#include "tlnear.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include <tlrange.h>

/* As many of an enumeration's values are listed in a message. */
#define MAX_LISTED 24

typedef enum
{
  PARSED,
  NOT_VALID,    /* not of this type */
  OUT_OF_RANGE, /* of this type, but not allowed */
} Outcome;

/* ---- Integers ---- */

typedef struct
{
  gint64 min; /* 0 or less */
  guint64 max;
} Limits;

#define LIMITS(pspec, TYPE)                                                    \
  {                                                                            \
    TYPE (pspec)->minimum, TYPE (pspec)->maximum                               \
  }

/* FALSE if @pspec is not for integers. */
static gboolean
get_limits (GParamSpec *pspec, Limits *limits)
{
  if (G_IS_PARAM_SPEC_INT (pspec))
    *limits = (Limits) LIMITS (pspec, G_PARAM_SPEC_INT);
  else if (G_IS_PARAM_SPEC_UINT (pspec))
    *limits = (Limits) LIMITS (pspec, G_PARAM_SPEC_UINT);
  else if (G_IS_PARAM_SPEC_INT64 (pspec))
    *limits = (Limits) LIMITS (pspec, G_PARAM_SPEC_INT64);
  else if (G_IS_PARAM_SPEC_UINT64 (pspec))
    *limits = (Limits) LIMITS (pspec, G_PARAM_SPEC_UINT64);
  else if (G_IS_PARAM_SPEC_LONG (pspec))
    *limits = (Limits) LIMITS (pspec, G_PARAM_SPEC_LONG);
  else if (G_IS_PARAM_SPEC_ULONG (pspec))
    *limits = (Limits) LIMITS (pspec, G_PARAM_SPEC_ULONG);
  else if (G_IS_PARAM_SPEC_CHAR (pspec))
    *limits = (Limits) LIMITS (pspec, G_PARAM_SPEC_CHAR);
  else if (G_IS_PARAM_SPEC_UCHAR (pspec))
    *limits = (Limits) LIMITS (pspec, G_PARAM_SPEC_UCHAR);
  else
    return FALSE;
  return TRUE;
}

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

static Outcome
parse_integer (GValue *value, GParamSpec *pspec, const Limits *limits,
    const gchar *text)
{
  const TlRange *range = tl_param_spec_get_range (pspec);
  gboolean negative = *text == '-';
  gdouble number;
  guint64 bits;

  if (!is_decimal (text))
    return NOT_VALID;
  errno = 0;
  bits = g_ascii_strtoull (negative ? text + 1 : text, NULL, 10);
  if (errno == ERANGE)
    return OUT_OF_RANGE;
  if (negative ? limits->min > 0 || bits > -(guint64) limits->min
               : bits > limits->max
              || (limits->min > 0 && bits < (guint64) limits->min))
    return OUT_OF_RANGE;
  number = negative ? -(gdouble) bits : (gdouble) bits;
  if (range && !tl_range_contains (range, number))
    return OUT_OF_RANGE;
  if (negative)
    bits = -bits;
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

static void
offer_nicks (GParamSpec *pspec, TlNear *near)
{
  if (G_IS_PARAM_SPEC_ENUM (pspec)) {
    GEnumClass *values = G_PARAM_SPEC_ENUM (pspec)->enum_class;

    for (guint i = 0; i < values->n_values; i++)
      tl_near_offer (near, values->values[i].value_nick);
  } else if (G_IS_PARAM_SPEC_FLAGS (pspec)) {
    GFlagsClass *values = G_PARAM_SPEC_FLAGS (pspec)->flags_class;

    for (guint i = 0; i < values->n_values; i++)
      tl_near_offer (near, values->values[i].value_nick);
  }
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
  Limits limits;

  if (get_limits (pspec, &limits))
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
      offer_nicks (pspec, &near);
      suggestion = tl_near_suggest (&near);
      tl_diagnostics_error (diagnostics, property->value_place, NULL,
          "\"%s\" is not valid for %s.%s: expected %s%s", text, factory_name,
          pspec->name, expected, suggestion);
      return FALSE;
  }
}

/* ---- Descriptions ---- */

/* Nicks are added one by one; the rest is a number. */
static void
list_nick (GString *text, guint i, const gchar *nick)
{
  if (i < MAX_LISTED)
    g_string_append_printf (text, "%s%s", i ? ", " : "", nick);
}

static gchar *
describe_enum (GParamSpec *pspec)
{
  GEnumClass *values = G_PARAM_SPEC_ENUM (pspec)->enum_class;
  g_autoptr (GString) text = g_string_new ("one of ");

  for (guint i = 0; i < values->n_values; i++)
    list_nick (text, i, values->values[i].value_nick);
  if (values->n_values > MAX_LISTED)
    g_string_append_printf (text, " and %u more",
        values->n_values - MAX_LISTED);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static gchar *
describe_flags (GParamSpec *pspec)
{
  GFlagsClass *values = G_PARAM_SPEC_FLAGS (pspec)->flags_class;
  g_autoptr (GString) text = g_string_new ("one or more, joined by \"+\", of ");

  for (guint i = 0; i < values->n_values; i++)
    list_nick (text, i, values->values[i].value_nick);
  if (values->n_values > MAX_LISTED)
    g_string_append_printf (text, " and %u more",
        values->n_values - MAX_LISTED);
  return g_string_free (g_steal_pointer (&text), FALSE);
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
  Limits limits;

  if (G_IS_PARAM_SPEC_ENUM (pspec))
    return describe_enum (pspec);
  if (G_IS_PARAM_SPEC_FLAGS (pspec))
    return describe_flags (pspec);
  if (get_limits (pspec, &limits))
    return text ? g_strdup_printf ("an integer, %s", text)
                : g_strdup_printf ("an integer, %" G_GINT64_FORMAT
                                   " to %" G_GUINT64_FORMAT,
                    limits.min, limits.max);
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
