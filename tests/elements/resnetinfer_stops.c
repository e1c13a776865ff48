/* SPDX-License-Identifier: BSD-3-Clause */

/* resnetinfer when it is stopped, flushed and refused, and frames that are not
 * what their caps say. */

#include "tlmodelrig.h"
#include "tlresnetinfer.h"
#include "tlstress.h"

#include <gst/check/gstcheck.h>

#include "tlevents.h"
#include "tlresultmeta.h"

#define SIDE 32
#define CAPS "video/x-raw,format=RGB,width=32,height=32,framerate=25/1"

static GstElement *
make (void)
{
  g_autofree gchar *path =
      model_write_checkpoint ("good", "[\"red\",\"green\",\"blue\"]", NULL);
  GstElement *element = gst_element_factory_make ("resnetinfer", NULL);

  g_object_set (element, "checkpoint", path, "device", "cpu", "n-threads", 1,
      NULL);
  return element;
}

static void
begin (GstPad *feed, const gchar *caps)
{
  g_autoptr (GstCaps) parsed = gst_caps_from_string (caps);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (feed, gst_event_new_stream_start ("frames"));
  gst_pad_push_event (feed, gst_event_new_caps (parsed));
  gst_pad_push_event (feed, gst_event_new_segment (&segment));
}

static GstFlowReturn
stream (GstPad *feed)
{
  GstFlowReturn flow = GST_FLOW_OK;

  begin (feed, CAPS);
  while (flow == GST_FLOW_OK)
    flow = gst_pad_push (feed, model_new_frame (SIDE, SIDE, 0));
  return flow;
}

static const StressSubject subject = {make, stream, stress_answers};

/* ---- A stop in the middle of an event ---- */

/* Stops @data between its two pads, as a state change does. */
static GstPadProbeReturn
stop_at (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Stress *stress = data;
  g_autoptr (GstPad) src = gst_element_get_static_pad (stress->element, "src");

  gst_pad_remove_probe (pad, GST_PAD_PROBE_INFO_ID (info));
  gst_pad_set_active (src, FALSE);
  return GST_PAD_PROBE_OK;
}

GST_START_TEST (stop_overtakes_an_event)
{
  g_autoptr (GstPad) sink = NULL;
  Stress stress;

  stress_init (&stress, &subject);
  sink = gst_element_get_static_pad (stress.element, "sink");
  gst_pad_set_active (stress.feed, TRUE);
  gst_pad_set_active (stress.drain, TRUE);
  gst_element_set_state (stress.element, GST_STATE_PLAYING);
  begin (stress.feed, CAPS);
  gst_pad_unlink (stress.feed, sink);
  gst_pad_push_event (stress.feed,
      gst_event_new_tag (gst_tag_list_new (GST_TAG_TITLE, "x", NULL)));
  gst_pad_link (stress.feed, sink);
  gst_pad_add_probe (sink, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, stop_at,
      &stress, NULL);
  fail_unless_equals_int (gst_pad_push (stress.feed,
                              model_new_frame (SIDE, SIDE, 0)),
      GST_FLOW_FLUSHING);
  stress_expect_no_error (&stress);
  stress_clear (&stress);
}
GST_END_TEST

/* ---- Other frames ---- */

static gint n_valid;

static GstPadProbeReturn
look_at (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  TlResultMeta *meta =
      tl_buffer_get_result_meta (GST_PAD_PROBE_INFO_BUFFER (info));

  fail_unless (meta != NULL);
  n_valid += meta->state == TL_RESULT_VALID;
  return GST_PAD_PROBE_OK;
}

/* A frame that is smaller than its caps goes on without a result; one warning
 * for all of them, and the next good one is classified. */
GST_START_TEST (short_frames_go_on_without_a_result)
{
  Stress stress;

  stress_init (&stress, &subject);
  gst_pad_set_active (stress.feed, TRUE);
  gst_pad_set_active (stress.drain, TRUE);
  gst_pad_add_probe (stress.drain, GST_PAD_PROBE_TYPE_BUFFER, look_at, NULL,
      NULL);
  gst_element_set_state (stress.element, GST_STATE_PLAYING);
  begin (stress.feed, CAPS);
  n_valid = 0;
  for (guint i = 0; i < 4; i++) {
    GstBuffer *frame = model_new_frame (SIDE, SIDE, 0);

    if (i == 1 || i == 2)
      gst_buffer_set_size (frame, SIDE * SIDE * 3 - 1);
    fail_unless_equals_int (gst_pad_push (stress.feed, frame), GST_FLOW_OK);
  }
  fail_unless_equals_int (n_valid, 2);
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GstMessage) warning =
        gst_bus_pop_filtered (stress.bus, GST_MESSAGE_WARNING);

    fail_unless ((warning != NULL) == (i == 0));
  }
  stress_expect_no_error (&stress);
  stress_clear (&stress);
}
GST_END_TEST

GST_START_TEST (size_may_change_between_frames)
{
  static const guint sizes[] = {32, 48, 7, 32};
  Stress stress;

  stress_init (&stress, &subject);
  gst_pad_set_active (stress.feed, TRUE);
  gst_pad_set_active (stress.drain, TRUE);
  gst_pad_add_probe (stress.drain, GST_PAD_PROBE_TYPE_BUFFER, look_at, NULL,
      NULL);
  gst_element_set_state (stress.element, GST_STATE_PLAYING);
  n_valid = 0;
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autofree gchar *caps = g_strdup_printf (
        "video/x-raw,format=RGB,width=%u,height=%u,framerate=25/1", sizes[i],
        sizes[i]);

    begin (stress.feed, caps);
    fail_unless_equals_int (gst_pad_push (stress.feed,
                                model_new_frame (sizes[i], sizes[i], 0)),
        GST_FLOW_OK);
  }
  fail_unless_equals_int (n_valid, 4);
  stress_expect_no_error (&stress);
  stress_clear (&stress);
}
GST_END_TEST

GST_START_TEST (frames_without_caps_are_refused)
{
  GstSegment segment;
  Stress stress;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  stress_init (&stress, &subject);
  gst_pad_set_active (stress.feed, TRUE);
  gst_pad_set_active (stress.drain, TRUE);
  gst_element_set_state (stress.element, GST_STATE_PLAYING);
  gst_pad_push_event (stress.feed, gst_event_new_stream_start ("frames"));
  gst_pad_push_event (stress.feed, gst_event_new_segment (&segment));
  fail_unless_equals_int (gst_pad_push (stress.feed,
                              model_new_frame (SIDE, SIDE, 0)),
      GST_FLOW_NOT_NEGOTIATED);
  fail_unless_equals_int (stress.n_drained, 0);
  stress_clear (&stress);
}
GST_END_TEST

/* ---- EOS ---- */

GST_START_TEST (eos_goes_through_in_every_state)
{
  static const GstState states[] = {GST_STATE_PAUSED, GST_STATE_PLAYING};
  Stress stress;

  stress_init (&stress, &subject);
  for (guint i = 0; i < G_N_ELEMENTS (states); i++) {
    gst_pad_set_active (stress.feed, TRUE);
    gst_pad_set_active (stress.drain, TRUE);
    gst_element_set_state (stress.element, states[i]);
    begin (stress.feed, CAPS);
    fail_unless (gst_pad_push_event (stress.feed, gst_event_new_eos ()));
    fail_unless (GST_PAD_IS_EOS (stress.drain));
    gst_element_set_state (stress.element, GST_STATE_READY);
    gst_pad_set_active (stress.feed, FALSE);
    gst_pad_set_active (stress.drain, FALSE);
  }
  stress_clear (&stress);
}
GST_END_TEST

/* ---- top-k while playing ---- */

GST_START_TEST (top_k_out_of_range_is_refused_while_playing)
{
  static const guint bad[] = {0, TL_RESULT_MAX + 1, G_MAXUINT};
  guint top_k;
  Stress stress;

  stress_init (&stress, &subject);
  gst_element_set_state (stress.element, GST_STATE_PAUSED);
  g_object_set (stress.element, "top-k", 2, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GstMessage) warning = NULL;

    g_object_set (stress.element, "top-k", bad[i], NULL);
    warning = gst_bus_pop_filtered (stress.bus, GST_MESSAGE_WARNING);
    fail_unless (warning != NULL);
    g_object_get (stress.element, "top-k", &top_k, NULL);
    fail_unless_equals_int (top_k, 2);
  }
  gst_element_set_state (stress.element, GST_STATE_READY);
  g_object_set (stress.element, "top-k", 0, NULL);
  fail_unless_equals_int (gst_element_set_state (stress.element,
                              GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  stress_expect_error (&stress, "top-k=0 is out of range");
  stress_clear (&stress);
}
GST_END_TEST

static Suite *
resnetinfer_stops_suite (void)
{
  Suite *suite = suite_create ("resnetinfer_stops");
  TCase *tcase = tcase_create ("resnetinfer_stops");

  GST_ELEMENT_REGISTER (resnetinfer, NULL);
  tcase_add_checked_fixture (tcase, model_set_up, model_tear_down);
  stress_add_tests (tcase, &subject);
  tcase_add_test (tcase, stop_overtakes_an_event);
  tcase_add_test (tcase, short_frames_go_on_without_a_result);
  tcase_add_test (tcase, size_may_change_between_frames);
  tcase_add_test (tcase, frames_without_caps_are_refused);
  tcase_add_test (tcase, eos_goes_through_in_every_state);
  tcase_add_test (tcase, top_k_out_of_range_is_refused_while_playing);
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (resnetinfer_stops);
