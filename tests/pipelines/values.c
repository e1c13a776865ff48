/* SPDX-License-Identifier: BSD-3-Clause */

/* Texts of a pipeline file as values of properties: of every type, and of every
 * property that the elements of tlpipe have. */

#include "tlmany.h"
#include "tlvalue.h"
#include "tlyaml.h"

#include <gst/check/gstcheck.h>
#include <math.h>
#include <string.h>

#include <tlrange.h>

/* ---- Every type ---- */

/* manysrc with one property; *transferred*. */
static GstElement *
make_many (const gchar *property, const gchar *value)
{
  g_autofree gchar *text = g_strdup_printf ("tlpipe: 1\npipeline:\n"
                                            "  - manysrc: {%s: %s}\n",
      property, value);
  g_autoptr (TlDiagnostics) diagnostics = tl_diagnostics_new ();
  g_autoptr (TlSpec) spec = tl_yaml_load (text, NULL);
  g_autoptr (GstElement) pipeline =
      tl_build_stage (spec->stages->pdata[0], diagnostics);

  return gst_bin_get_by_name (GST_BIN (pipeline), "manysrc");
}

static const struct
{
  const gchar *property;
  const gchar *value;  /* as in the file */
  const gchar *result; /* as tl_value_to_string() gives it */
} good[] = {
    {"int", "-5", "-5"},
    {"int", "'5'", "5"},
    {"int-all", "-2147483648", "-2147483648"},
    {"int-all", "2147483647", "2147483647"},
    {"int-high", "3", "3"},
    {"int-low", "-9", "-9"},
    {"uint", "4294967295", "4294967295"},
    {"uint", "-0", "0"},
    {"uint", "0", "0"},
    {"int64", "-9223372036854775808", "-9223372036854775808"},
    {"int64", "9223372036854775807", "9223372036854775807"},
    {"uint64", "18446744073709551615", "18446744073709551615"},
    {"long", "-7", "-7"},
    {"ulong", "18446744073709551615", "18446744073709551615"},
    {"float", "0.1", "0.1"},
    {"double", "-1e-1", "-0.1"},
    {"double", ".5", "0.5"},
    {"double", "1", "1"},
    {"ranged", "64", "64"},
    {"string", "010", "010"},
    {"string", "no", "no"},
    {"string", "\"a b \"", "a b "},
    {"string", "''", ""},
    {"string", "[a, 'b c', 3]", "a,b c,3"},
    {"boolean", "on", "true"},
    {"boolean", "No", "false"},
    {"boolean", "TRUE", "true"},
    {"enum", "playing", "playing"},
    {"flags", "flush+accurate", "flush+accurate"},
    {"flags", "''", "GST_SEEK_FLAG_NONE"},
    {"once", "x", "x"},
    {"fraction", "30/1", "30/1"},
    {"fraction", "25", "25/1"},
    {"caps", "'a/b, c=1'", "a/b, c=(int)1"},
    {"structure", "'a, c=1'", "a, c=(int)1;"},
    {"array", "[1, 2]", "< (int)1, (int)2 >"},
    {"array", "\"<3>\"", "< (int)3 >"},
};

GST_START_TEST (value_of_its_type_is_set)
{
  g_autoptr (GstElement) many =
      make_many (good[__i__].property, good[__i__].value);
  g_auto (GValue) value = G_VALUE_INIT;
  g_autofree gchar *text = NULL;

  fail_unless (many != NULL);
  g_object_get_property (G_OBJECT (many), good[__i__].property, &value);
  text = tl_value_to_string (&value);
  fail_unless (g_strcmp0 (text, good[__i__].result) == 0, "%s: %s became %s",
      good[__i__].property, good[__i__].value, text);
}
GST_END_TEST

static const struct
{
  const gchar *property;
  const gchar *value;
  const gchar *message;
} bad[] = {
    {"int", "6",
        "6 is out of range for manysrc.int: expected an integer, -5 "
        "to 5"},
    {"int", "-99999999999999999999",
        "-99999999999999999999 is out of range for manysrc.int: expected an "
        "integer, -5 to 5"},
    {"int", "1.0",
        "\"1.0\" is not valid for manysrc.int: expected an integer, "
        "-5 to 5"},
    {"int", "'-'",
        "\"-\" is not valid for manysrc.int: expected an integer, "
        "-5 to 5"},
    {"int-high", "2",
        "2 is out of range for manysrc.int-high: expected an "
        "integer, 3 to 9"},
    {"int-high", "-4",
        "-4 is out of range for manysrc.int-high: expected an "
        "integer, 3 to 9"},
    {"int-low", "4294967293",
        "4294967293 is out of range for manysrc.int-low: "
        "expected an integer, -9 to -3"},
    {"int-low", "-2",
        "-2 is out of range for manysrc.int-low: expected an "
        "integer, -9 to -3"},
    {"int64", "-9223372036854775809",
        "-9223372036854775809 is out of range for manysrc.int64: expected an "
        "integer, -9223372036854775808 to 9223372036854775807"},
    {"int-all", "-2147483649",
        "-2147483649 is out of range for manysrc.int-all: expected an "
        "integer, -2147483648 to 2147483647"},
    {"uint64", "-1",
        "-1 is out of range for manysrc.uint64: expected an "
        "integer, 0 to 18446744073709551615"},
    {"int64", "9223372036854775808",
        "9223372036854775808 is out of range for manysrc.int64: expected an "
        "integer, -9223372036854775808 to 9223372036854775807"},
    {"char", "128",
        "128 is out of range for manysrc.char: expected an "
        "integer, -128 to 127"},
    {"uchar", "256",
        "256 is out of range for manysrc.uchar: expected an "
        "integer, 0 to 255"},
    {"float", "1e39",
        "1e39 is out of range for manysrc.float: expected a "
        "number"},
    {"double", "1.1",
        "1.1 is out of range for manysrc.double: expected a "
        "number, -1 to 1"},
    {"double", "inf",
        "\"inf\" is not valid for manysrc.double: expected a "
        "number, -1 to 1"},
    {"double", "0x1p-3",
        "\"0x1p-3\" is not valid for manysrc.double: expected "
        "a number, -1 to 1"},
    {"double", "1-2",
        "\"1-2\" is not valid for manysrc.double: expected a "
        "number, -1 to 1"},
    {"ranged", "0",
        "0 is out of range for manysrc.ranged: expected an "
        "integer, 1 to 64"},
    {"enum", "playin",
        "\"playin\" is not valid for manysrc.enum: expected one "
        "of void-pending, null, ready, paused, playing - did "
        "you mean \"playing\"?"},
    {"fraction", "29.97",
        "\"29.97\" is not valid for manysrc.fraction: "
        "expected a fraction such as 30/1"},
    {"fraction", "101",
        "101 is out of range for manysrc.fraction: expected a "
        "fraction such as 30/1"},
    {"structure", "'='",
        "\"=\" is not valid for manysrc.structure: expected a "
        "structure such as name,field=1"},
    {"array", "[a]", "\"<a>\" is not valid for manysrc.array: expected a list"},
    {"fraction", "[1, 2]",
        "a list is not valid for manysrc.fraction: expected "
        "a fraction such as 30/1"},
    {"object", "x", "manysrc.object is a GstElement, which no text can give"},
    {"pointer", "x", "manysrc.pointer is a gpointer, which no text can give"},
};

GST_START_TEST (value_of_another_type_is_refused)
{
  g_autofree gchar *text = g_strdup_printf ("tlpipe: 1\npipeline:\n"
                                            "  - manysrc: {%s: %s}\n",
      bad[__i__].property, bad[__i__].value);
  g_autofree gchar *mistakes = tl_yaml_mistakes (text, -1, NULL);
  const gchar *message = strstr (mistakes, "error: ");

  *strchr (mistakes, '\n') = '\0';
  fail_unless (message && g_str_equal (message + 7, bad[__i__].message), "%s",
      mistakes);
}
GST_END_TEST

GST_START_TEST (flags_are_told_apart)
{
  g_autofree gchar *mistakes = tl_yaml_mistakes (
      "tlpipe: 1\npipeline:\n  - manysrc: {flags: flush+fast}\n", -1, NULL);

  fail_unless (strstr (mistakes,
                   "\"flush+fast\" is not valid for "
                   "manysrc.flags: expected one or more, joined "
                   "by \"+\", of none, flush, accurate")
          != NULL,
      "%s", mistakes);
}
GST_END_TEST

GST_START_TEST (list_of_texts_is_set)
{
  g_autoptr (GstElement) many = make_many ("strv", "[a, 'b,c']");
  g_auto (GStrv) strings = NULL;

  g_object_get (many, "strv", &strings, NULL);
  fail_unless_equals_int (g_strv_length (strings), 2);
  fail_unless_equals_string (strings[1], "b,c");
}
GST_END_TEST

GST_START_TEST (deprecated_property_is_a_warning)
{
  g_autofree gchar *mistakes =
      tl_yaml_mistakes ("tlpipe: 1\npipeline:\n  - manysrc: {old: on}\n", -1,
          NULL);

  fail_unless_equals_string (mistakes,
      "f.yaml:3:15: warning: manysrc.old is deprecated\n"
      "    3 |   - manysrc: {old: on}\n"
      "      |               ^\n");
}
GST_END_TEST

/* ---- Every property of tlpipe ---- */

/* A value that is valid and, where there is a choice, not the default. */
static gchar *
another_value (GParamSpec *pspec)
{
  const TlRange *range = tl_param_spec_get_range (pspec);

  if (G_IS_PARAM_SPEC_BOOLEAN (pspec))
    return g_strdup (
        G_PARAM_SPEC_BOOLEAN (pspec)->default_value ? "off" : "on");
  if (G_IS_PARAM_SPEC_ENUM (pspec)) {
    GEnumClass *values = G_PARAM_SPEC_ENUM (pspec)->enum_class;
    guint last = values->n_values - 1;

    if (values->values[last].value == G_PARAM_SPEC_ENUM (pspec)->default_value)
      last--;
    return g_strdup (values->values[last].value_nick);
  }
  if (G_IS_PARAM_SPEC_STRING (pspec))
    return g_strdup ("'a text'");
  if (G_IS_PARAM_SPEC_DOUBLE (pspec)) {
    gdouble min = range ? range->min : G_PARAM_SPEC_DOUBLE (pspec)->minimum;
    gdouble max = range ? range->max : G_PARAM_SPEC_DOUBLE (pspec)->maximum;
    gchar text[G_ASCII_DTOSTR_BUF_SIZE];

    return g_strdup (g_ascii_dtostr (text, sizeof text,
        isinf (max) ? min + 0.25 : min + (max - min) / 4));
  }
  /* All integers have one, and no default is that much above the minimum. */
  return g_strdup_printf ("%" G_GINT64_FORMAT,
      range ? (gint64) range->min + 5 : 5);
}

/* Texts just outside on both sides; NULL where nothing is outside. */
static void
values_outside (GParamSpec *pspec, gchar *outside[2])
{
  const TlRange *range = tl_param_spec_get_range (pspec);

  outside[0] = outside[1] = NULL;
  if (G_IS_PARAM_SPEC_UINT (pspec) || G_IS_PARAM_SPEC_UINT64 (pspec)) {
    outside[0] = g_strdup ("-1");
    outside[1] = range && range->max < G_MAXUINT
        ? g_strdup_printf ("%" G_GINT64_FORMAT, (gint64) range->max + 1)
        : g_strdup ("18446744073709551616");
  } else if (G_IS_PARAM_SPEC_INT (pspec) || G_IS_PARAM_SPEC_INT64 (pspec)) {
    outside[0] = g_strdup ("-9223372036854775809");
    outside[1] = range && range->max < G_MAXINT
        ? g_strdup_printf ("%" G_GINT64_FORMAT, (gint64) range->max + 1)
        : g_strdup ("9223372036854775808");
  } else if (G_IS_PARAM_SPEC_DOUBLE (pspec)) {
    gdouble min = range ? range->min : G_PARAM_SPEC_DOUBLE (pspec)->minimum;

    outside[0] =
        min < -1e300 ? g_strdup ("-1e999") : g_strdup_printf ("%.0f", min - 1);
    outside[1] = g_strdup ("1e999");
  }
}

static gchar *
text_with (const gchar *factory, GParamSpec *pspec, const gchar *value)
{
  return g_strdup_printf ("tlpipe: 1\npipeline:\n  - %s: {%s: %s}\n", factory,
      pspec->name, value);
}

static void
check_outside (const gchar *factory, GParamSpec *pspec)
{
  gchar *outside[2];

  values_outside (pspec, outside);
  for (guint i = 0; i < 2; i++) {
    g_autofree gchar *text = NULL, *mistakes = NULL, *expected = NULL;

    if (!outside[i])
      continue;
    text = text_with (factory, pspec, outside[i]);
    expected = g_strdup_printf ("error: %s is out of range for %s.%s: expected "
                                "a",
        outside[i], factory, pspec->name);
    mistakes = tl_yaml_mistakes (text, -1, NULL);
    fail_unless (strstr (mistakes, expected) != NULL, "%s=%s: %s", pspec->name,
        outside[i], mistakes);
    g_free (outside[i]);
  }
}

static void
check_bad_word (const gchar *factory, GParamSpec *pspec)
{
  g_autofree gchar *text = text_with (factory, pspec, "no-such-word");
  g_autofree gchar *mistakes = NULL, *expected = NULL;

  if (G_IS_PARAM_SPEC_STRING (pspec))
    return;
  expected = g_strdup_printf ("\"no-such-word\" is not valid for %s.%s: "
                              "expected ",
      factory, pspec->name);
  mistakes = tl_yaml_mistakes (text, -1, NULL);
  fail_unless (strstr (mistakes, expected) != NULL, "%s", mistakes);
}

static void
check_set (const gchar *factory, GParamSpec *pspec)
{
  g_autofree gchar *value = another_value (pspec);
  g_autofree gchar *text = text_with (factory, pspec, value);
  g_autoptr (TlDiagnostics) diagnostics = tl_diagnostics_new ();
  g_autoptr (TlSpec) spec = tl_yaml_load (text, NULL);
  g_autoptr (GstElement) pipeline =
      tl_build_stage (spec->stages->pdata[0], diagnostics);
  g_autoptr (GstElement) element =
      gst_bin_get_by_name (GST_BIN (pipeline), factory);
  g_auto (GValue) set = G_VALUE_INIT;

  g_object_get_property (G_OBJECT (element), pspec->name, &set);
  fail_if (g_param_value_defaults (pspec, &set), "%s.%s=%s is its default",
      factory, pspec->name, value);
}

static void
check_read_only (const gchar *factory, GParamSpec *pspec)
{
  g_autofree gchar *text = text_with (factory, pspec, "1");
  g_autofree gchar *expected =
      g_strdup_printf ("error: %s.%s is read-only\n", factory, pspec->name);
  g_autofree gchar *mistakes = tl_yaml_mistakes (text, -1, NULL);

  fail_unless (strstr (mistakes, expected) != NULL, "%s", mistakes);
}

static guint
check_element (GstElementFactory *factory)
{
  const gchar *name = GST_OBJECT_NAME (factory);
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_create (factory, NULL));
  g_autofree GParamSpec **pspecs = NULL;
  guint n, n_checked = 0;

  pspecs = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
  for (guint i = 0; i < n; i++) {
    if (pspecs[i]->owner_type != G_OBJECT_TYPE (element))
      continue;
    n_checked++;
    if (!(pspecs[i]->flags & G_PARAM_WRITABLE)) {
      check_read_only (name, pspecs[i]);
      continue;
    }
    check_set (name, pspecs[i]);
    check_outside (name, pspecs[i]);
    check_bad_word (name, pspecs[i]);
  }
  return n_checked;
}

GST_START_TEST (every_property_of_tlpipe_can_be_set)
{
  g_autolist (GstPluginFeature) features =
      gst_registry_get_feature_list_by_plugin (gst_registry_get (), "tlpipe");
  guint n = 0;

  for (GList *l = features; l; l = l->next)
    n += check_element (GST_ELEMENT_FACTORY (l->data));
  fail_unless (n > 60, "only %u properties", n);
}
GST_END_TEST

static Suite *
values_suite (void)
{
  Suite *s = suite_create ("values");
  TCase *tc = tcase_create ("general");

  tl_yaml_register ();
  gst_element_register_manysrc (NULL);
  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, value_of_its_type_is_set, 0, G_N_ELEMENTS (good));
  tcase_add_loop_test (tc, value_of_another_type_is_refused, 0,
      G_N_ELEMENTS (bad));
  tcase_add_test (tc, flags_are_told_apart);
  tcase_add_test (tc, list_of_texts_is_set);
  tcase_add_test (tc, deprecated_property_is_a_warning);
  tcase_add_test (tc, every_property_of_tlpipe_can_be_set);
  return s;
}

GST_CHECK_MAIN (values)
