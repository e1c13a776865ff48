/* SPDX-License-Identifier: BSD-3-Clause */

/* The pad text of resultlog: cues without a gap, gaps where there is no result,
 * and nothing of it holds the video. */

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

#include <string.h>

#include "tlresultlog.h"
#include "tlresultmeta.h"
#include "tlresultsubtitles.h"

#define FRAME (40 * GST_MSECOND)

typedef struct
{
  GstHarness *video, *text;
} Rig;

static void
set_up (Rig *rig)
{
  GstElement *element = gst_element_factory_make ("resultlog", NULL);
  GstPad *text;

  gst_object_ref_sink (element);
  /* Asked for first: without an output the element does not start. */
  text = gst_element_request_pad_simple (element, "text");
  rig->video = gst_harness_new_with_element (element, "sink", "src");
  rig->text = gst_harness_new_with_element (element, NULL, NULL);
  gst_harness_add_element_src_pad (rig->text, text);
  gst_object_unref (text);
  gst_object_unref (element);
  gst_harness_set_src_caps_str (rig->video, "application/x-anything");
}

static void
tear_down (Rig *rig)
{
  gst_harness_teardown (rig->text);
  gst_harness_teardown (rig->video);
}

static GstBuffer *
new_frame (guint i, TlResultState state, const gchar *name)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 16, NULL);
  TlResultMeta *meta;

  GST_BUFFER_PTS (buffer) = i * FRAME;
  GST_BUFFER_DURATION (buffer) = FRAME;
  if (!name)
    return buffer;
  meta = tl_buffer_add_result_meta (buffer);
  meta->state = state;
  meta->serial = i;
  meta->n = 1;
  meta->top[0] = (TlResultClass){0, g_quark_from_string (name), 0.75};
  return buffer;
}

static void
push (Rig *rig, guint i, const gchar *name)
{
  GstBuffer *out = gst_harness_push_and_pull (rig->video,
      new_frame (i, TL_RESULT_VALID, name));

  fail_unless (out != NULL);
  gst_buffer_unref (out);
}

static void
expect_cue (Rig *rig, const gchar *label, GstClockTime start)
{
  g_autoptr (GstBuffer) cue = gst_harness_try_pull (rig->text);
  g_autofree gchar *text = NULL;
  gsize size;

  fail_unless (cue != NULL, "no cue at %" GST_TIME_FORMAT,
      GST_TIME_ARGS (start));
  size = gst_buffer_get_size (cue);
  text = g_malloc0 (size + 1);
  gst_buffer_extract (cue, 0, text, size);
  fail_unless_equals_string (text, label);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (cue), start);
  fail_unless_equals_uint64 (GST_BUFFER_DURATION (cue),
      TL_RESULT_SUBTITLES_CUE);
}

/* How many events of @type came since the last call. */
static guint
count_events (Rig *rig, GstEventType type)
{
  GstEvent *event;
  guint n = 0;

  while ((event = gst_harness_try_pull_event (rig->text))) {
    n += GST_EVENT_TYPE (event) == type;
    gst_event_unref (event);
  }
  return n;
}

GST_START_TEST (cues_follow_each_other_without_a_gap)
{
  Rig rig;

  set_up (&rig);
  for (guint i = 0; i < 30; i++)
    push (&rig, i, i < 14 ? "a" : "b & <c>");
  expect_cue (&rig, "a", 0);
  /* Frame 12 ends at 520 ms: the cue of 0 to 500 ms ends within it. */
  expect_cue (&rig, "a", 500 * GST_MSECOND);
  expect_cue (&rig, "b & <c>", 1000 * GST_MSECOND);
  fail_unless (gst_harness_try_pull (rig.text) == NULL);
  fail_unless_equals_int (count_events (&rig, GST_EVENT_GAP), 27);
  tear_down (&rig);
}
GST_END_TEST

GST_START_TEST (frames_without_a_result_are_gaps)
{
  Rig rig;

  set_up (&rig);
  for (guint i = 0; i < 5; i++)
    push (&rig, i, NULL);
  push (&rig, 5, "a");
  fail_unless_equals_int (count_events (&rig, GST_EVENT_GAP), 5);
  expect_cue (&rig, "a", 5 * FRAME);
  gst_buffer_unref (gst_harness_push_and_pull (rig.video,
      new_frame (40, TL_RESULT_ABSENT, "a")));
  fail_unless_equals_int (count_events (&rig, GST_EVENT_GAP), 1);
  gst_buffer_unref (gst_harness_push_and_pull (rig.video,
      new_frame (41, TL_RESULT_ABSTAINED, "a")));
  expect_cue (&rig, "Uncertain", 41 * FRAME);
  tear_down (&rig);
}
GST_END_TEST

/* What a muxer needs before the first text, and to end. */
GST_START_TEST (stream_begins_and_ends_even_without_a_frame)
{
  static const GstEventType expected[] = {GST_EVENT_STREAM_START,
      GST_EVENT_CAPS, GST_EVENT_SEGMENT, GST_EVENT_EOS};
  Rig rig;

  set_up (&rig);
  fail_unless (gst_harness_push_event (rig.video, gst_event_new_eos ()));
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++) {
    g_autoptr (GstEvent) event = gst_harness_try_pull_event (rig.text);

    fail_unless (event && GST_EVENT_TYPE (event) == expected[i], "event %u: %s",
        i, event ? GST_EVENT_TYPE_NAME (event) : "none");
  }
  tear_down (&rig);
}
GST_END_TEST

GST_START_TEST (a_seek_begins_anew)
{
  GstSegment segment;
  Rig rig;

  set_up (&rig);
  push (&rig, 0, "a");
  expect_cue (&rig, "a", 0);
  gst_harness_push_event (rig.video, gst_event_new_flush_start ());
  gst_harness_push_event (rig.video, gst_event_new_flush_stop (TRUE));
  fail_unless_equals_int (count_events (&rig, GST_EVENT_FLUSH_STOP), 1);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (rig.video, gst_event_new_segment (&segment));
  push (&rig, 1, "b");
  fail_unless_equals_int (count_events (&rig, GST_EVENT_SEGMENT), 1);
  expect_cue (&rig, "b", FRAME);
  tear_down (&rig);
}
GST_END_TEST

GST_START_TEST (video_goes_on_without_the_text)
{
  Rig rig;
  GstPad *text;

  set_up (&rig);
  text = gst_element_get_static_pad (rig.video->element, "text");
  fail_unless (gst_element_request_pad (rig.video->element,
                   GST_PAD_PAD_TEMPLATE (text), NULL, NULL)
      == NULL);
  gst_pad_set_active (rig.text->sinkpad, FALSE);
  for (guint i = 0; i < 30; i++)
    push (&rig, i, "a");
  gst_element_release_request_pad (rig.video->element, text);
  gst_object_unref (text);
  for (guint i = 30; i < 60; i++)
    push (&rig, i, "a");
  tear_down (&rig);
}
GST_END_TEST

/* Neither a file nor a pad: nothing to do. */
GST_START_TEST (a_place_for_the_results_is_needed)
{
  GstElement *element = gst_element_factory_make ("resultlog", NULL);

  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_object_unref (element);
}
GST_END_TEST

static Suite *
resultlog_text_suite (void)
{
  Suite *s = suite_create ("resultlog_text");
  TCase *tc = tcase_create ("all");

  GST_ELEMENT_REGISTER (resultlog, NULL);
  suite_add_tcase (s, tc);
  tcase_add_test (tc, cues_follow_each_other_without_a_gap);
  tcase_add_test (tc, frames_without_a_result_are_gaps);
  tcase_add_test (tc, stream_begins_and_ends_even_without_a_frame);
  tcase_add_test (tc, a_seek_begins_anew);
  tcase_add_test (tc, video_goes_on_without_the_text);
  tcase_add_test (tc, a_place_for_the_results_is_needed);
  return s;
}

GST_CHECK_MAIN (resultlog_text)
