/* SPDX-License-Identifier: BSD-3-Clause */

/* What is built from a pipeline file runs: branches, links, pads that come
 * later, and what is wrong only then. */

#include "tlmany.h"
#include "tlyaml.h"

#include <gst/check/gstcheck.h>
#include <string.h>

static GstElement *
build (const gchar *body, const gchar *const *sets)
{
  g_autofree gchar *text = g_strconcat ("tlpipe: 1\n", body, NULL);
  g_autoptr (TlDiagnostics) diagnostics = tl_diagnostics_new ();
  g_autoptr (TlSpec) spec = tl_yaml_load (text, sets);
  GstElement *pipeline = tl_build_stage (spec->stages->pdata[0], diagnostics);

  fail_unless (pipeline != NULL);
  ASSERT_OBJECT_REFCOUNT (pipeline, "pipeline", 1);
  return pipeline;
}

/* Plays @pipeline to its end and frees it; the text of the error, or NULL after
 * EOS. *Transferred*. */
static gchar *
play (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message != NULL, "it did not end");
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  return error ? g_strdup (error->message) : NULL;
}

/* ---- Shapes ---- */

static const struct
{
  const gchar *name;
  const gchar *body;
} shapes[] = {
    {"a chain",
        "pipeline: [videotestsrc: {num-buffers: 5}, video/x-raw, "
        "fakesink]\n"},
    {"branches with one queue each",
        "pipeline: [videotestsrc: {num-buffers: 5}, tee: {branches: {a: "
        "[fakesink], b: [{queue: {max-size-buffers: 1}}, fakesink]}}]\n"},
    {"links with pads",
        "pipeline: [[videotestsrc: {num-buffers: 5}, tee: {name: t}], "
        "[queue, fakesink], [queue, fakesink]]\n"
        "links: [t.src_3 -> queue, t -> queue2.sink]\n"},
    {"launch",
        "pipeline: [launch: videotestsrc num-buffers=5 ! identity, "
        "fakesink]\n"},
    {"launch whose pads come later",
        "pipeline: [launch: videotestsrc num-buffers=5 ! jpegenc ! decodebin ! "
        "queue, fakesink]\n"},
    {"launch whose pads come later, and another after it",
        "pipeline: [launch: videotestsrc num-buffers=5 ! jpegenc, launch: "
        "queue ! decodebin ! queue, fakesink]\n"},
    {"launch alone",
        "pipeline: [launch: videotestsrc num-buffers=5 ! "
        "fakesink]\n"},
};

GST_START_TEST (shape_plays_to_its_end)
{
  g_autofree gchar *error = play (build (shapes[__i__].body, NULL));

  fail_unless (error == NULL, "%s: %s", shapes[__i__].name, error);
}
GST_END_TEST

GST_START_TEST (queues_nobody_wrote_are_there)
{
  g_autoptr (GstElement) pipeline = build (
      "pipeline: [videotestsrc, tee: {branches: {a: [fakesink], b: [queue, "
      "fakesink], c: [{queue2: {}}, fakesink]}}]\n",
      NULL);
  g_autoptr (GstElement) one =
      gst_bin_get_by_name (GST_BIN (pipeline), "queue");
  g_autoptr (GstElement) two =
      gst_bin_get_by_name (GST_BIN (pipeline), "queue2");

  fail_unless (one && two);
  fail_unless_equals_int (GST_BIN_NUMCHILDREN (pipeline), 8);
}
GST_END_TEST

GST_START_TEST (set_reaches_the_element)
{
  const gchar *const sets[] = {"n=7", "fakesink.silent=no", NULL};
  g_autoptr (GstElement) pipeline =
      build ("vars: {n: 1}\npipeline: [videotestsrc: {num-buffers: \"${n}\"}, "
             "fakesink]\n",
          sets);
  g_autoptr (GstElement) source =
      gst_bin_get_by_name (GST_BIN (pipeline), "videotestsrc");
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (pipeline), "fakesink");
  gboolean silent;
  gint n;

  g_object_get (source, "num-buffers", &n, NULL);
  g_object_get (sink, "silent", &silent, NULL);
  fail_unless_equals_int (n, 7);
  fail_if (silent);
}
GST_END_TEST

GST_START_TEST (set_out_of_range_points_at_the_argument)
{
  const gchar *const sets[] = {"imagedecode.n-threads=1000", NULL};
  g_autofree gchar *mistakes =
      tl_yaml_mistakes ("tlpipe: 1\npipeline: [imagedecode]\n", -1, sets);

  fail_unless_equals_string (mistakes,
      "--set: error: 1000 is out of range for imagedecode.n-threads: expected "
      "an integer, 0 to 256\n"
      "      | imagedecode.n-threads=1000\n"
      "      |                       ^\n");
}
GST_END_TEST

GST_START_TEST (stage_with_mistakes_is_not_built)
{
  static const gchar text[] = "tlpipe: 1\npipeline: [fakesrc, fakesinc]\n";
  g_autoptr (TlDiagnostics) diagnostics = tl_diagnostics_new ();
  g_autoptr (TlSpec) spec =
      tl_spec_load_text ("f.yaml", text, strlen (text), NULL, diagnostics);

  fail_unless_equals_int (tl_diagnostics_count_errors (diagnostics), 0);
  fail_if (tl_build_stage (spec->stages->pdata[0], diagnostics));
  fail_unless_equals_int (tl_diagnostics_count_errors (diagnostics), 1);
}
GST_END_TEST

/* ---- Pads that come later ---- */

/* Like a demuxer: gets the pads "video_0" and "audio_0" going to PAUSED, in
 * that order, and says that these are all. */
#define TL_TYPE_LATER (tl_later_get_type ())
G_DECLARE_FINAL_TYPE (TlLater, tl_later, TL, LATER, GstBin)

struct _TlLater
{
  GstBin parent;
};

G_DEFINE_TYPE (TlLater, tl_later, GST_TYPE_BIN)
GST_ELEMENT_REGISTER_DECLARE (latersrc)
GST_ELEMENT_REGISTER_DEFINE (latersrc, "latersrc", GST_RANK_NONE, TL_TYPE_LATER)

static GstStaticPadTemplate later_templates[] = {
    GST_STATIC_PAD_TEMPLATE ("video_%u", GST_PAD_SRC, GST_PAD_SOMETIMES,
        GST_STATIC_CAPS ("video/x-raw")),
    GST_STATIC_PAD_TEMPLATE ("audio_%u", GST_PAD_SRC, GST_PAD_SOMETIMES,
        GST_STATIC_CAPS ("audio/x-test")),
};

static void
add_later_pad (GstElement *self, const gchar *name, const gchar *caps)
{
  GstElement *source =
      gst_element_factory_make_full ("fakesrc", "num-buffers", 3, NULL);
  GstElement *filter = gst_element_factory_make ("capsfilter", NULL);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (filter, "src");
  GstPad *ghost;

  gst_util_set_object_arg (G_OBJECT (filter), "caps", caps);
  gst_bin_add_many (GST_BIN (self), source, filter, NULL);
  gst_element_link (source, filter);
  ghost = gst_ghost_pad_new (name, pad);
  gst_pad_set_active (ghost, TRUE);
  gst_element_add_pad (self, ghost);
}

static GstStateChangeReturn
tl_later_change_state (GstElement *element, GstStateChange transition)
{
  GstStateChangeReturn ret = GST_ELEMENT_CLASS (tl_later_parent_class)
                                 ->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    add_later_pad (element, "video_0", "video/x-raw");
    add_later_pad (element, "audio_0", "audio/x-test");
    gst_element_no_more_pads (element);
    /* Only then does anything flow. */
    gst_bin_sync_children_states (GST_BIN (element));
  }
  return ret;
}

static void
tl_later_class_init (TlLaterClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  for (guint i = 0; i < G_N_ELEMENTS (later_templates); i++)
    gst_element_class_add_static_pad_template (element_class,
        &later_templates[i]);
  element_class->change_state = tl_later_change_state;
  gst_element_class_set_static_metadata (element_class, "Later", "Source",
      "Gets its pads late", "tlpipe");
}

static void
tl_later_init (TlLater *self)
{
}

GST_START_TEST (later_pads_go_where_their_caps_fit)
{
  static const gchar body[] = "pipeline:\n"
                              "  - latersrc:\n"
                              "      branches:\n"
                              "        sound: [queue, audio/x-test, fakesink]\n"
                              "        sight: [queue, video/x-raw, fakesink]\n";
  g_autofree gchar *error = play (build (body, NULL));

  fail_unless (error == NULL, "%s", error);
}
GST_END_TEST

GST_START_TEST (later_pads_are_linked_by_name)
{
  static const gchar body[] =
      "pipeline: [[latersrc], [{fakesink: {name: a}}], [{fakesink: {name: "
      "v}}]]\n"
      "links: [latersrc.audio_0 -> a, latersrc.video_0 -> v]\n";
  GstElement *pipeline = build (body, NULL);
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "a");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");
  g_autoptr (GstPad) peer = NULL;
  g_autofree gchar *error = NULL;

  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  gst_element_get_state (pipeline, NULL, NULL, 10 * GST_SECOND);
  peer = gst_pad_get_peer (pad);
  fail_unless (peer != NULL);
  fail_unless_equals_string (GST_OBJECT_NAME (peer), "audio_0");
  error = play (pipeline);
  fail_unless (error == NULL, "%s", error);
}
GST_END_TEST

GST_START_TEST (later_pad_that_never_fits_is_an_error)
{
  g_autofree gchar *error =
      play (build ("pipeline: [latersrc, text/x-raw, fakesink]\n", NULL));

  fail_unless_equals_string (error,
      "None of the streams in latersrc fits capsfilter.");
}
GST_END_TEST

static Suite *
build_suite (void)
{
  Suite *s = suite_create ("build");
  TCase *tc = tcase_create ("general");

  tl_yaml_register ();
  gst_element_register_manysrc (NULL);
  gst_element_register_latersrc (NULL);
  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, shape_plays_to_its_end, 0, G_N_ELEMENTS (shapes));
  tcase_add_test (tc, queues_nobody_wrote_are_there);
  tcase_add_test (tc, set_reaches_the_element);
  tcase_add_test (tc, set_out_of_range_points_at_the_argument);
  tcase_add_test (tc, stage_with_mistakes_is_not_built);
  tcase_add_test (tc, later_pads_go_where_their_caps_fit);
  tcase_add_test (tc, later_pads_are_linked_by_name);
  tcase_add_test (tc, later_pad_that_never_fits_is_an_error);
  return s;
}

GST_CHECK_MAIN (build)
