/* SPDX-License-Identifier: BSD-3-Clause */

/* Bad pipeline files: the first message of each, to the letter. */

#include "tlbadfiles.h"
#include "tlyaml.h"

#include <gst/check/gstcheck.h>
#include <string.h>

#define V TL_BAD_FILE_HEAD

GST_START_TEST (bad_file_has_its_message)
{
  g_autofree gchar *mistakes = tl_yaml_mistakes (tl_bad_files[__i__].text,
      tl_bad_files[__i__].size, NULL);
  gchar *end = strchr (mistakes, '\n');
  const gchar *first = mistakes + strlen ("f.yaml:");

  fail_unless (end != NULL, "%s: no mistake was found",
      tl_bad_files[__i__].name);
  *end = '\0';
  fail_unless (g_str_has_prefix (mistakes, "f.yaml:"), "%s: %s",
      tl_bad_files[__i__].name, mistakes);
  first += *first == ' ';
  fail_unless (g_str_equal (first, tl_bad_files[__i__].message),
      "%s:\n  expected %s\n  got      %s", tl_bad_files[__i__].name,
      tl_bad_files[__i__].message, first);
}
GST_END_TEST

/* ---- All of a file ---- */

GST_START_TEST (all_mistakes_come_at_once)
{
  static const gchar text[] = V "vars: {lr: \"${rl}\"}\n"
                                "pipelin: 3\n"
                                "pipeline:\n"
                                "  - datasetsrc: {epohcs: 2, seed: -1}\n"
                                "  - queue: {leaky: downstraem}\n"
                                "  - resnetfintune\n"
                                "  - fakesink: {sync: maybe}\n"
                                "  - identity\n";
  static const gchar *const expected[] = {"f.yaml:2:13: error: ",
      "f.yaml:3:1: error: ", "f.yaml:5:18: error: ", "f.yaml:5:35: error: ",
      "f.yaml:6:20: error: ", "f.yaml:7:5: error: ", "f.yaml:8:22: error: ",
      "f.yaml:9:5: error: "};
  g_autofree gchar *mistakes = tl_yaml_mistakes (text, -1, NULL);
  g_auto (GStrv) lines = g_strsplit (mistakes, "\n", -1);
  guint n = 0;

  for (guint i = 0; lines[i]; i++) {
    if (!strstr (lines[i], "error: "))
      continue;
    fail_unless (n < G_N_ELEMENTS (expected)
            && g_str_has_prefix (lines[i], expected[n]),
        "%s", mistakes);
    n++;
  }
  fail_unless_equals_int (n, G_N_ELEMENTS (expected));
}
GST_END_TEST

GST_START_TEST (message_shows_line_caret_and_both_caps)
{
  g_autofree gchar *mistakes = tl_yaml_mistakes (V "pipeline:\n"
                                                   "  - videotestsrc\n"
                                                   "  - caps: audio/x-raw\n"
                                                   "  - fakesink\n",
      -1, NULL);
  static const gchar head[] =
      "f.yaml:4:11: error: capsfilter cannot follow videotestsrc: their caps "
      "have nothing in common\n"
      "    4 |   - caps: audio/x-raw\n"
      "      |           ^\n"
      "        videotestsrc.src gives: video/x-raw, ";

  fail_unless (g_str_has_prefix (mistakes, head), "%s", mistakes);
  fail_unless (strstr (mistakes,
                   "\n        capsfilter.sink takes: "
                   "audio/x-raw\n")
      != NULL);
}
GST_END_TEST

GST_START_TEST (package_of_a_missing_element_is_named)
{
  g_autofree gchar *mistakes =
      tl_yaml_mistakes (V "pipeline: [fakesrc, x264enc]\n", -1, NULL);

  fail_unless (strstr (mistakes,
                   "\n        install it with: apt-get install "
                   "gstreamer1.0-plugins-ugly\n")
      != NULL);
}
GST_END_TEST

GST_START_TEST (pad_without_a_source_is_a_warning)
{
  g_autofree gchar *mistakes = tl_yaml_mistakes (V
      "pipeline:\n  - [imagedecode, {fakesink: {name: end}}]\n"
      "  - [fakesrc, queue, {launch: identity}]\n"
      "  - [launch: identity ! fakesink]\n",
      -1, NULL);

  fail_unless_equals_string (mistakes,
      "f.yaml:3:6: warning: nothing leads to imagedecode.sink\n"
      "    3 |   - [imagedecode, {fakesink: {name: end}}]\n"
      "      |      ^\n"
      "f.yaml:5:14: warning: nothing leads to launch2.sink\n"
      "    5 |   - [launch: identity ! fakesink]\n"
      "      |              ^\n");
}
GST_END_TEST

GST_START_TEST (endless_mistakes_end)
{
  g_autoptr (GString) text = g_string_new (V "pipeline:\n  - fakesink:\n");
  g_autofree gchar *mistakes = NULL;

  for (guint i = 0; i < 250; i++)
    g_string_append_printf (text, "      p%u: 1\n", i);
  mistakes = tl_yaml_mistakes (text->str, -1, NULL);
  fail_unless (g_str_has_suffix (mistakes, "\nand 150 more\n"), "%s", mistakes);
}
GST_END_TEST

static Suite *
badfiles_suite (void)
{
  Suite *s = suite_create ("badfiles");
  TCase *tc = tcase_create ("general");

  tl_yaml_register ();
  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, bad_file_has_its_message, 0, tl_n_bad_files);
  tcase_add_test (tc, all_mistakes_come_at_once);
  tcase_add_test (tc, message_shows_line_caret_and_both_caps);
  tcase_add_test (tc, package_of_a_missing_element_is_named);
  tcase_add_test (tc, pad_without_a_source_is_a_warning);
  tcase_add_test (tc, endless_mistakes_end);
  return s;
}

GST_CHECK_MAIN (badfiles)
