/* SPDX-License-Identifier: BSD-3-Clause */

/* One JSON object in one line. */

#include <gst/check/gstcheck.h>
#include <math.h>

#include <tljsonline.h>

static const struct
{
  const gchar *name;
  const gchar *value;
  const gchar *expected;
} texts[] = {
    {"plain", "a b", "a b"},
    {"empty", "", ""},
    {"quotes", "say \"a\\b\"", "say \\\"a\\\\b\\\""},
    {"line ends", "a\nb\r\t", "a\\u000ab\\u000d\\u0009"},
    {"escapes of a terminal", "\033[2J\x7f", "\\u001b[2J\\u007f"},
    {"UTF-8", "pas mal \xc3\xa9", "pas mal \xc3\xa9"},
    {"other bytes",
        "a\xff"
        "b",
        "a\xef\xbf\xbd"
        "b"},
};

GST_START_TEST (texts_are_escaped)
{
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    GString *line = tl_json_line_new ("t");
    g_autofree gchar *expected =
        g_strdup_printf ("{\"type\":\"t\",\"k\":\"%s\"", texts[i].expected);

    tl_json_line_add_text (line, "k", texts[i].value);
    fail_unless (g_str_equal (line->str, expected), "%s: %s", texts[i].name,
        line->str);
    g_string_free (line, TRUE);
  }
}

GST_END_TEST

GST_START_TEST (what_json_has_no_word_for_is_left_out)
{
  GString *line = tl_json_line_new ("t");

  tl_json_line_add_text (line, "none", NULL);
  tl_json_line_add_number (line, "nan", NAN);
  tl_json_line_add_number (line, "inf", INFINITY);
  tl_json_line_add_number (line, "a", 0.1);
  tl_json_line_add_number (line, "b", -1e-300);
  tl_json_line_add_count (line, "c", G_MAXUINT64);
  tl_json_line_add_truth (line, "d", FALSE);
  fail_unless_equals_string (line->str,
      "{\"type\":\"t\",\"a\":0.1,\"b\":-1e-300,"
      "\"c\":18446744073709551615,\"d\":false");
  g_string_free (line, TRUE);
}

GST_END_TEST

GST_START_TEST (structures_become_objects)
{
  g_autoptr (GstStructure) s = gst_structure_new_from_string (
      "s, i=(int)-3, u=(uint)4294967295, b=(boolean)true, t=(string)\"x y\", "
      "f=(fraction)30/1, a=(int)<1, 2>, l=(string){a, b}, "
      "n=(structure)[inner, d=(double)0.5], e=(GstState)playing");
  GString *line = tl_json_line_new ("t");

  fail_unless (s != NULL);
  gst_structure_set (s, "gone", G_TYPE_STRING, NULL, "none", GST_TYPE_STRUCTURE,
      NULL, "bad", G_TYPE_DOUBLE, NAN, NULL);
  tl_json_line_add_structure (line, s);
  fail_unless_equals_string (line->str,
      "{\"type\":\"t\",\"i\":-3,\"u\":4294967295,\"b\":true,\"t\":\"x y\","
      "\"f\":\"30/1\",\"a\":[1,2],\"l\":[\"a\",\"b\"],"
      "\"n\":{\"d\":0.5},\"e\":\"playing\"");
  g_string_free (line, TRUE);
}

GST_END_TEST

GST_START_TEST (a_hole_in_an_array_keeps_its_place)
{
  g_autoptr (GstStructure) s = gst_structure_new_empty ("s");
  GString *line = tl_json_line_new ("t");
  GValue array = G_VALUE_INIT;

  gst_value_array_init (&array, 2);
  for (guint i = 0; i < 2; i++) {
    GValue item = G_VALUE_INIT;

    g_value_init (&item, G_TYPE_DOUBLE);
    g_value_set_double (&item, i ? 0.25 : NAN);
    gst_value_array_append_and_take_value (&array, &item);
  }
  gst_structure_take_value (s, "a", &array);
  tl_json_line_add_structure (line, s);
  fail_unless_equals_string (line->str, "{\"type\":\"t\",\"a\":[null,0.25]");
  g_string_free (line, TRUE);
}

GST_END_TEST

static Suite *
jsonline_suite (void)
{
  Suite *suite = suite_create ("jsonline");
  TCase *tcase = tcase_create ("values");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, texts_are_escaped);
  tcase_add_test (tcase, what_json_has_no_word_for_is_left_out);
  tcase_add_test (tcase, structures_become_objects);
  tcase_add_test (tcase, a_hole_in_an_array_keeps_its_place);
  return suite;
}

GST_CHECK_MAIN (jsonline)
