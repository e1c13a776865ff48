/* SPDX-License-Identifier: BSD-3-Clause */

/* The gst-launch-1.0 line of a pipeline file builds what the file builds: the
 * same elements, properties and links. */

#include "tlgraph.h"
#include "tllaunch.h"
#include "tlmany.h"
#include "tlyaml.h"

#include <gst/check/gstcheck.h>
#include <string.h>

/* What gst-launch-1.0 makes of @line, which went through a shell. */
static GstElement *
parse_line (const gchar *line)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) words = NULL;
  GstElement *pipeline;

  fail_unless (g_shell_parse_argv (line, NULL, &words, &error), "%s: %s", line,
      error ? error->message : "");
  fail_unless_equals_string (words[0], "gst-launch-1.0");
  pipeline = gst_parse_launchv_full ((const gchar **) words + 1, NULL,
      GST_PARSE_FLAG_FATAL_ERRORS, &error);
  fail_unless (pipeline && !error, "%s: %s", line, error ? error->message : "");
  return gst_object_ref_sink (pipeline);
}

static void
check_round_trip (const TlSpecStage *stage)
{
  g_autoptr (TlDiagnostics) diagnostics = tl_diagnostics_new ();
  g_autoptr (GstElement) built = tl_build_stage (stage, diagnostics);
  g_autofree gchar *line = tl_launch_line (stage, diagnostics);
  g_autoptr (GstElement) parsed = NULL;
  g_autofree gchar *of_built = NULL, *of_parsed = NULL;

  fail_unless (built && line);
  parsed = parse_line (line);
  of_built = tl_graph_describe (GST_BIN (built));
  of_parsed = tl_graph_describe (GST_BIN (parsed));
  fail_unless (g_str_equal (of_built, of_parsed),
      "%s\n-- the file:\n%s\n-- the line:\n%s", line, of_built, of_parsed);
}

/* ---- Shapes ---- */

static const struct
{
  const gchar *name;
  const gchar *text;
} shapes[] = {
    {"one chain",
        "pipeline:\n"
        "  - videotestsrc: {num-buffers: 3, pattern: ball}\n"
        "  - caps: video/x-raw, format=I420, width=64\n"
        "  - queue: {leaky: downstream}\n"
        "  - fakesink: {sync: on}\n"},
    {"training",
        "pipeline:\n"
        "  - datasetsrc: {location: 'a b', epochs: 3, seed: "
        "18446744073709551615}\n"
        "  - imagedecode: {crop: center}\n"
        "  - augment: {hue: 0.1}\n"
        "  - batcher\n"
        "  - resnetfinetune: {weights: w.pth, lr: 1e-4, freeze: "
        "layer3}\n"
        "  - checkpointsink: {location: run}\n"},
    {"branches",
        "pipeline:\n"
        "  - videotestsrc\n"
        "  - tee:\n"
        "      branches:\n"
        "        a: [fakesink]\n"
        "        b: [queue, {identity: {name: n}}, fakesink]\n"
        "        c: [{queue: {max-size-buffers: 7}}, fakesink]\n"},
    {"branches in branches",
        "pipeline:\n"
        "  - videotestsrc\n"
        "  - tee:\n"
        "      branches:\n"
        "        a: [{tee: {branches: {c: [fakesink], d: [fakesink]}}}]\n"
        "        b: [fakesink: {silent: no}]\n"},
    {"links",
        "pipeline:\n"
        "  - [videotestsrc, {tee: {name: t}}]\n"
        "  - [queue, fakesink]\n"
        "  - [queue, fakesink]\n"
        "links: [t.src_1 -> queue, t -> queue2.sink]\n"},
    {"launch",
        "pipeline:\n"
        "  - videotestsrc\n"
        "  - launch: identity ! identity name=\"a\" ! queue\n"
        "  - fakesink\n"},
    {"pads that come later",
        "pipeline:\n"
        "  - filesrc: {location: x}\n"
        "  - decodebin\n"
        "  - fakesink\n"},
    {"types",
        "pipeline:\n"
        "  - manysrc: {int: -5, uint64: 18446744073709551615, double: "
        "1e-7, float: 0.1, boolean: yes, enum: paused, flags: "
        "flush+accurate, fraction: 30000/1001, caps: 'a/b, c=(string)\"d "
        "e\"', structure: 'a, c=1', array: [1, 2], once: x}\n"
        "  - fakesink\n"},
};

GST_START_TEST (line_builds_the_same)
{
  g_autofree gchar *text =
      g_strconcat ("tlpipe: 1\n", shapes[__i__].text, NULL);
  g_autoptr (TlSpec) spec = tl_yaml_load (text, NULL);

  check_round_trip (spec->stages->pdata[0]);
}
GST_END_TEST

/* ---- Texts ---- */

static const gchar *const texts[] = {"", " ", "a b", "a  b", " a", "a ", "a\"b",
    "a\"b c", "a\\b", "a\\", "a b\\", "\"q\"", "\"q q\"", "\"a b", "\"", "'x'",
    "a'b c", "a!b", "a ! b", "!", "a=b", "(x)", ")", "a\nb", "a\tb",
    "x\\\"y z\\", "\"a\" b \\", "é ü", "a,b", "$x`y`", "a;b", "<1,2>", "#a",
    "~", "*?[a]", "a. ! b.", "\\\\", "\\\"", "\xe2\x82\xac\\"};

GST_START_TEST (text_survives_shell_and_parser)
{
  g_autofree gchar *set = g_strdup_printf ("v=%s", texts[__i__]);
  const gchar *sets[] = {set, NULL};
  g_autoptr (TlSpec) spec = tl_yaml_load (
      "tlpipe: 1\n"
      "vars: {v: }\n"
      "pipeline:\n"
      "  - manysrc: {string: \"${v}\", once: \"-${v}\", uint: 3}\n"
      "  - fakesink\n",
      sets);

  check_round_trip (spec->stages->pdata[0]);
}
GST_END_TEST

/* ---- What the line looks like ---- */

GST_START_TEST (line_is_short)
{
  g_autoptr (TlDiagnostics) diagnostics = tl_diagnostics_new ();
  g_autoptr (TlSpec) spec = tl_yaml_load ("tlpipe: 1\n"
                                          "pipeline:\n"
                                          "  - videotestsrc: {num-buffers: 2}\n"
                                          "  - video/x-raw,width=64\n"
                                          "  - fakesink: {name: 'out'}\n",
      NULL);
  g_autofree gchar *line = tl_launch_line (spec->stages->pdata[0], diagnostics);

  fail_unless_equals_string (line,
      "gst-launch-1.0 videotestsrc num-buffers=2 \\\n"
      "    ! capsfilter 'caps=\"video/x-raw, width=(int)64\"' \\\n"
      "    ! fakesink name=out");
}
GST_END_TEST

GST_START_TEST (value_without_a_text_is_an_error)
{
  g_autoptr (TlDiagnostics) diagnostics = tl_diagnostics_new ();
  g_autoptr (TlSpec) spec = tl_yaml_load (
      "tlpipe: 1\npipeline: [{manysrc: {strv: [a, b]}}, fakesink]\n", NULL);
  g_autofree gchar *mistakes = NULL;

  fail_unless (tl_launch_line (spec->stages->pdata[0], diagnostics) == NULL);
  mistakes = tl_diagnostics_to_string (diagnostics);
  fail_unless (strstr (mistakes,
                   "manysrc.strv is a GStrv, which a "
                   "gst-launch-1.0 line cannot give")
          != NULL,
      "%s", mistakes);
}
GST_END_TEST

static Suite *
launch_suite (void)
{
  Suite *s = suite_create ("launch");
  TCase *tc = tcase_create ("general");

  tl_yaml_register ();
  gst_element_register_manysrc (NULL);
  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, line_builds_the_same, 0, G_N_ELEMENTS (shapes));
  tcase_add_loop_test (tc, text_survives_shell_and_parser, 0,
      G_N_ELEMENTS (texts));
  tcase_add_test (tc, line_is_short);
  tcase_add_test (tc, value_without_a_text_is_an_error);
  return s;
}

GST_CHECK_MAIN (launch)
