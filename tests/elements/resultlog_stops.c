/* SPDX-License-Identifier: BSD-3-Clause */

/* resultlog when it is stopped, flushed and refused. */

#include "tlresultlog.h"
#include "tlresultmeta.h"
#include "tlstress.h"

#include <gst/check/gstcheck.h>

static GstElement *
make (void)
{
  GstElement *element = gst_element_factory_make ("resultlog", NULL);

  gst_util_set_object_arg (G_OBJECT (element), "location", "/dev/null");
  gst_util_set_object_arg (G_OBJECT (element), "format", "jsonl");
  return element;
}

static void
begin (GstPad *feed)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string ("application/x-any");
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (feed, gst_event_new_stream_start ("frames"));
  gst_pad_push_event (feed, gst_event_new_caps (caps));
  gst_pad_push_event (feed, gst_event_new_segment (&segment));
}

static GstFlowReturn
stream (GstPad *feed)
{
  GstFlowReturn flow = GST_FLOW_OK;
  guint64 serial = 0;

  begin (feed);
  while (flow == GST_FLOW_OK) {
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, 32, NULL);

    tl_buffer_add_result_meta (buffer)->serial = ++serial;
    flow = gst_pad_push (feed, buffer);
  }
  return flow;
}

static const StressSubject subject = {make, stream, stress_answers};

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

/* A stop in the middle of an event ends the stream as flushing, not as failed. */
GST_START_TEST (stop_overtakes_an_event)
{
  g_autoptr (GstPad) sink = NULL;
  Stress stress;

  stress_init (&stress, &subject);
  sink = gst_element_get_static_pad (stress.element, "sink");
  gst_pad_set_active (stress.feed, TRUE);
  gst_pad_set_active (stress.drain, TRUE);
  gst_element_set_state (stress.element, GST_STATE_PLAYING);
  begin (stress.feed);
  gst_pad_unlink (stress.feed, sink);
  gst_pad_push_event (stress.feed,
      gst_event_new_tag (gst_tag_list_new (GST_TAG_TITLE, "x", NULL)));
  gst_pad_link (stress.feed, sink);
  gst_pad_add_probe (sink, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, stop_at,
      &stress, NULL);
  fail_unless_equals_int (gst_pad_push (stress.feed,
                              gst_buffer_new_allocate (NULL, 32, NULL)),
      GST_FLOW_FLUSHING);
  stress_expect_no_error (&stress);
  stress_clear (&stress);
}
GST_END_TEST

static Suite *
resultlog_stops_suite (void)
{
  Suite *suite = suite_create ("resultlog_stops");
  TCase *tcase = tcase_create ("resultlog_stops");

  GST_ELEMENT_REGISTER (resultlog, NULL);
  stress_add_tests (tcase, &subject);
  tcase_add_test (tcase, stop_overtakes_an_event);
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (resultlog_stops);
