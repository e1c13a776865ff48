/* SPDX-License-Identifier: BSD-3-Clause */

/* resnetinfer in sync mode, with the reference backend and a checkpoint made here: class c
 * wins for pictures whose channel c (red, green, blue) is bright. */

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include "tlcheckpoint.h"
#include "tlevents.h"
#include "tlmodelrig.h"
#include "tlqueries.h"
#include "tlresnetinfer.h"
#include "tlresultmeta.h"
#include "tlsamplemeta.h"

static GstHarness *
new_harness (const gchar *checkpoint, guint width, guint height)
{
  GstElement *element = gst_element_factory_make ("resnetinfer", NULL);
  GstHarness *h;
  g_autofree gchar *caps = g_strdup_printf (
      "video/x-raw,format=RGB,width=%u,height=%u,framerate=25/1", width,
      height);

  g_object_set (element, "checkpoint", checkpoint, "top-k", 2, "device", "cpu",
      "n-threads", 1, "mode", 2 /* sync */, NULL);
  h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_src_caps_str (h, caps);
  return h;
}

GST_START_TEST (frames_get_their_class)
{
  g_autofree gchar *path =
      model_write_checkpoint ("good", "[\"red\",\"green\",\"blue\"]", NULL);
  static const gchar *const names[] = {"red", "green", "blue"};
  static const guint sizes[][2] = {{64, 48}, {301, 33}, {640, 480}};
  guint width = sizes[__i__][0], height = sizes[__i__][1];
  GstHarness *h = new_harness (path, width, height);
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (h->element, bus);
  for (guint c = 0; c < MODEL_N_CLASSES; c++) {
    GstBuffer *in = model_new_frame (width, height, c);
    g_autoptr (GstBuffer) original = gst_buffer_copy_deep (in);
    g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, in);
    TlResultMeta *meta = tl_buffer_get_result_meta (out);
    g_autoptr (GstMessage) message =
        gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT);
    GstMapInfo map;

    fail_unless (meta != NULL);
    fail_unless_equals_int (meta->state, TL_RESULT_VALID);
    fail_unless_equals_int (meta->n, 2);
    fail_unless_equals_int (meta->top[0].index, c);
    fail_unless_equals_string (g_quark_to_string (meta->top[0].name), names[c]);
    fail_unless (meta->top[0].probability > 0.9);
    fail_unless (meta->top[1].probability <= meta->top[0].probability);
    fail_unless_equals_uint64 (meta->pts, 40 * GST_MSECOND);
    fail_unless_equals_int (strlen (g_quark_to_string (meta->model)), 16);
    fail_unless (message != NULL);
    fail_unless (gst_message_has_name (message, "tl-result"));
    gst_buffer_map (original, &map, GST_MAP_READ);
    fail_unless (gst_buffer_memcmp (out, 0, map.data, map.size) == 0);
    gst_buffer_unmap (original, &map);
  }
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}
GST_END_TEST

/* More of a frame than is there: what lies behind it is not read, and the video
 * goes on. */
static const gint wrong_strides[] = {4 * 192, -192, 191, G_MAXINT, 0};

GST_START_TEST (frames_whose_rows_lie_outside_get_no_result)
{
  g_autofree gchar *path =
      model_write_checkpoint ("good", "[\"red\",\"green\",\"blue\"]", NULL);
  GstHarness *h = new_harness (path, 64, 48);
  GstBuffer *frame = model_new_frame (64, 48, 1);
  gsize offset[GST_VIDEO_MAX_PLANES] = {0};
  gint stride[GST_VIDEO_MAX_PLANES] = {wrong_strides[__i__]};
  g_autoptr (GstBuffer) out = NULL;
  TlResultMeta *meta;

  gst_buffer_add_video_meta_full (frame, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_FORMAT_RGB, 64, 48, 1, offset, stride);
  out = gst_harness_push_and_pull (h, frame);
  meta = tl_buffer_get_result_meta (out);
  fail_unless_equals_int (meta->state, TL_RESULT_ABSENT);
  fail_unless (strstr (g_quark_to_string (meta->reason), "64x48 RGB") != NULL);
  gst_harness_teardown (h);
}
GST_END_TEST

/* ---- Prepared samples ---- */

static GstHarness *
push_transform (const gchar *path, gint resize)
{
  GstHarness *h = new_harness (path, 224, 224);
  g_auto (TlTransform) transform = {.steps = g_strdup ("imagedecode")};

  tl_preprocess_init (&transform.preprocess);
  transform.preprocess.resize = resize;
  gst_harness_push_event (h, tl_event_new_transform (&transform));
  return h;
}

GST_START_TEST (prepared_samples_are_taken_as_they_are)
{
  g_autofree gchar *path =
      model_write_checkpoint ("good", "[\"red\",\"green\",\"blue\"]", NULL);
  GstHarness *h = push_transform (path, 256);
  GstBuffer *in = model_new_frame (224, 224, 1);
  g_autoptr (GstBuffer) out = NULL;
  TlSampleMeta *sample = tl_buffer_add_sample_meta (in);
  TlResultMeta *meta;

  sample->label = 1;
  out = gst_harness_push_and_pull (h, in);
  meta = tl_buffer_get_result_meta (out);
  fail_unless_equals_int (meta->top[0].index, 1);
  fail_unless_equals_int (tl_buffer_get_sample_meta (out)->label, 1);
  gst_harness_teardown (h);
}
GST_END_TEST

/* Nothing else may have loaded a shim before. */
GST_START_TEST (a_missing_library_is_said_going_to_ready)
{
  g_autofree gchar *shim = g_strdup (g_getenv ("TLPIPE_SHIM"));
  GstElement *element = gst_element_factory_make ("resnetinfer", NULL);
  GstBus *bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;

  gst_element_set_bus (element, bus);
  g_setenv ("TLPIPE_SHIM", "/nonexistent/libtlshim.so", TRUE);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_READY),
      GST_STATE_CHANGE_FAILURE);
  g_setenv ("TLPIPE_SHIM", shim, TRUE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}
GST_END_TEST

GST_START_TEST (samples_prepared_otherwise_are_refused)
{
  g_autofree gchar *path =
      model_write_checkpoint ("good", "[\"red\",\"green\",\"blue\"]", NULL);
  GstHarness *h = new_harness (path, 224, 224);
  GstBus *bus = gst_bus_new ();
  g_auto (TlTransform) transform = {.steps = g_strdup ("imagedecode")};
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_bus (h->element, bus);
  tl_preprocess_init (&transform.preprocess);
  transform.preprocess.resize = 232;
  gst_harness_push_event (h, tl_event_new_transform (&transform));
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (strstr (error->message, "resize=232") != NULL
          && strstr (error->message, "resize=256") != NULL,
      "%s", error->message);
  fail_unless_equals_int (gst_harness_push (h, model_new_frame (224, 224, 0)),
      GST_FLOW_ERROR);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}
GST_END_TEST

GST_START_TEST (the_model_tells_its_preprocessing)
{
  g_autofree gchar *path =
      model_write_checkpoint ("good", "[\"red\",\"green\",\"blue\"]", NULL);
  GstHarness *h = new_harness (path, 64, 64);
  g_autoptr (GstQuery) query = tl_query_new_preprocess (TRUE);
  TlPreprocess found;

  fail_unless (gst_pad_peer_query (h->srcpad, query));
  fail_unless (tl_query_parse_preprocess (query, &found));
  fail_unless_equals_int (found.resize, 256);
  gst_harness_teardown (h);
}
GST_END_TEST

/* ---- Faults ---- */

/* A live source, as the harness is, is tried again 0.1 s after a fault. */
GST_START_TEST (a_failing_model_does_not_stop_the_video)
{
  g_autofree gchar *path =
      model_write_checkpoint ("good", "[\"red\",\"green\",\"blue\"]", NULL);
  GstHarness *h;
  GstBus *bus = gst_bus_new ();

  g_setenv ("TLPIPE_REFERENCE_FAIL", "infer:2", TRUE);
  h = new_harness (path, 64, 64);
  gst_element_set_bus (h->element, bus);
  for (guint i = 0; i < 3; i++) {
    g_autoptr (GstBuffer) out =
        gst_harness_push_and_pull (h, model_new_frame (64, 64, 0));
    g_autoptr (GstMessage) warning =
        gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
    TlResultMeta *meta = tl_buffer_get_result_meta (out);

    fail_unless_equals_int (meta->state,
        i == 1 ? TL_RESULT_ABSENT : TL_RESULT_VALID);
    fail_unless ((meta->reason != 0) == (i == 1));
    fail_unless ((warning != NULL) == (i == 1));
    g_usleep (i == 1 ? 150000 : 0);
  }
  g_unsetenv ("TLPIPE_REFERENCE_FAIL");
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}
GST_END_TEST

typedef struct
{
  const gchar *name;
  const gchar *classes;
  const gchar *leave_out;
  guint top_k;
  const gchar *words;
} BadStart;

static const BadStart bad_starts[] = {
    {"", NULL, NULL, 3, "No checkpoint is given"},
    {"not-there", NULL, NULL, 3, "not-there"},
    {"no-classes", "[\"a\",\"b\",\"c\"]", TL_KEY_CLASSES, 3,
        "not a tlpipe checkpoint"},
    {"no-preprocess", "[\"a\",\"b\",\"c\"]", TL_KEY_PREPROCESS, 3,
        "not a tlpipe checkpoint"},
    {"bad-classes", "nonsense", NULL, 3, "not a list of class names"},
    {"two-classes", "[\"a\",\"b\"]", NULL, 3,
        "names 2 classes, but its head has 3 outputs"},
    {"top-k", "[\"a\",\"b\",\"c\"]", NULL, 0, "top-k=0 is out of range"},
};

GST_START_TEST (bad_starts_say_why)
{
  const BadStart *bad = &bad_starts[__i__];
  g_autofree gchar *path = NULL;
  GstElement *element = gst_element_factory_make ("resnetinfer", NULL);
  GstBus *bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  if (bad->classes)
    path = model_write_checkpoint (bad->name, bad->classes, bad->leave_out);
  else if (*bad->name)
    path = g_build_filename (model_folder, bad->name, NULL);
  gst_element_set_bus (element, bus);
  g_object_set (element, "checkpoint", path, "top-k", bad->top_k, NULL);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (strstr (error->message, bad->words) != NULL, "%s",
      error->message);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}
GST_END_TEST

static Suite *
resnetinfer_suite (void)
{
  Suite *s = suite_create ("resnetinfer");
  TCase *tc = tcase_create ("general");

  GST_ELEMENT_REGISTER (resnetinfer, NULL);
  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, model_set_up, model_tear_down);
  tcase_add_test (tc, a_missing_library_is_said_going_to_ready);
  /* Early: it counts the calls of the process, which may run all tests. */
  tcase_add_test (tc, a_failing_model_does_not_stop_the_video);
  tcase_add_loop_test (tc, frames_get_their_class, 0, 3);
  tcase_add_loop_test (tc, frames_whose_rows_lie_outside_get_no_result, 0,
      G_N_ELEMENTS (wrong_strides));
  tcase_add_test (tc, prepared_samples_are_taken_as_they_are);
  tcase_add_test (tc, samples_prepared_otherwise_are_refused);
  tcase_add_test (tc, the_model_tells_its_preprocessing);
  tcase_add_loop_test (tc, bad_starts_say_why, 0, G_N_ELEMENTS (bad_starts));
  return s;
}

GST_CHECK_MAIN (resnetinfer)
