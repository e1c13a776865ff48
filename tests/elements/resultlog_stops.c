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

static GstFlowReturn
stream (GstPad *feed)
{
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("application/x-any");
  GstFlowReturn flow = GST_FLOW_OK;
  GstSegment segment;
  guint64 serial = 0;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (feed, gst_event_new_stream_start ("frames"));
  gst_pad_push_event (feed, gst_event_new_caps (caps));
  gst_pad_push_event (feed, gst_event_new_segment (&segment));
  while (flow == GST_FLOW_OK) {
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, 32, NULL);

    tl_buffer_add_result_meta (buffer)->serial = ++serial;
    flow = gst_pad_push (feed, buffer);
  }
  return flow;
}

static const StressSubject subject = {make, stream, stress_answers};

static Suite *
resultlog_stops_suite (void)
{
  Suite *suite = suite_create ("resultlog_stops");
  TCase *tcase = tcase_create ("resultlog_stops");

  GST_ELEMENT_REGISTER (resultlog, NULL);
  stress_add_tests (tcase, &subject);
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (resultlog_stops);
