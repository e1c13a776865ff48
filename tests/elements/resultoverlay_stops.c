/* SPDX-License-Identifier: BSD-3-Clause */

/* resultoverlay when it is stopped, flushed and refused. */

#include "tlresultoverlay.h"
#include "tlstress.h"

#include <gst/check/gstcheck.h>

#define SIDE 32
#define CAPS "video/x-raw,format=RGB,width=32,height=32,framerate=25/1"

static GstElement *
make (void)
{
  return gst_element_factory_make ("resultoverlay", NULL);
}

static GstFlowReturn
stream (GstPad *feed)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (CAPS);
  GstFlowReturn flow = GST_FLOW_OK;
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (feed, gst_event_new_stream_start ("frames"));
  gst_pad_push_event (feed, gst_event_new_caps (caps));
  gst_pad_push_event (feed, gst_event_new_segment (&segment));
  while (flow == GST_FLOW_OK)
    flow = gst_pad_push (feed,
        gst_buffer_new_allocate (NULL, SIDE * SIDE * 3, NULL));
  return flow;
}

static const StressSubject subject = {make, stream, stress_answers};

static Suite *
resultoverlay_stops_suite (void)
{
  Suite *suite = suite_create ("resultoverlay_stops");
  TCase *tcase = tcase_create ("resultoverlay_stops");

  GST_ELEMENT_REGISTER (resultoverlay, NULL);
  stress_add_tests (tcase, &subject);
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (resultoverlay_stops);
