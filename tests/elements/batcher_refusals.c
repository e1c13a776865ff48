/* SPDX-License-Identifier: BSD-3-Clause */

/* What batcher does not take, with one error each. */

#include "tlbatcher.h"
#include "tlbatcherrig.h"
#include "tlpictures.h"

#include <gst/check/gstcheck.h>
#include <gst/video/video.h>

GST_START_TEST (size_change_in_a_batch_is_refused)
{
  GstHarness *h = batcher_new (4);
  GstBus *bus = batcher_watch (h);

  gst_harness_set_src_caps_str (h, PICTURE_CAPS);
  batcher_push_range (h, 0, TL_SPLIT_TRAIN, 0, 1, 9);
  gst_harness_set_src_caps_str (h, "video/x-raw,format=RGB,width=5,height=4");
  batcher_push (h, 0, TL_SPLIT_TRAIN, 1, 9);
  batcher_expect_error (h, bus, GST_CORE_ERROR, "from 3x2 to 5x4");
  batcher_unwatch (h, bus);
  gst_harness_teardown (h);
}
GST_END_TEST

GST_START_TEST (foreign_pictures_are_refused)
{
  GstHarness *h = batcher_new (4);
  GstBus *bus = batcher_watch (h);
  Sample sample = {0, TL_SPLIT_TRAIN, 0, 9};
  GstBuffer *picture;

  gst_harness_set_src_caps_str (h, PICTURE_CAPS);
  picture =
      gst_buffer_new_allocate (NULL, PICTURE_STRIDE * PICTURE_HEIGHT, NULL);
  fail_unless_equals_int (gst_harness_push (h, picture), GST_FLOW_ERROR);
  batcher_expect_error (h, bus, GST_STREAM_ERROR, "which sample");

  picture = picture_new (&sample);
  gst_buffer_set_size (picture, PICTURE_STRIDE * PICTURE_HEIGHT - 1);
  fail_unless_equals_int (gst_harness_push (h, picture), GST_FLOW_ERROR);
  batcher_expect_error (h, bus, GST_STREAM_ERROR, "has 23 bytes");

  /* Says it is smaller than the caps. */
  picture = picture_new (&sample);
  gst_buffer_add_video_meta (picture, 0, GST_VIDEO_FORMAT_RGB, 1, 1);
  fail_unless_equals_int (gst_harness_push (h, picture), GST_FLOW_ERROR);
  batcher_expect_error (h, bus, GST_STREAM_ERROR, "broken");
  batcher_unwatch (h, bus);
  gst_harness_teardown (h);
}
GST_END_TEST

/* More of a picture than is there: what lies behind it is not read. */
static const struct
{
  gint stride;
  gsize offset;
} lies[] = {
    {2 * PICTURE_STRIDE, 0},
    {PICTURE_STRIDE, 100},
    {-PICTURE_STRIDE, 0},
    {G_MAXINT, 0},
};

GST_START_TEST (rows_outside_the_buffer_are_refused)
{
  GstHarness *h = batcher_new (4);
  GstBus *bus = batcher_watch (h);
  Sample sample = {0, TL_SPLIT_TRAIN, 0, 9};
  GstBuffer *picture = picture_new (&sample);
  gsize offset[GST_VIDEO_MAX_PLANES] = {lies[__i__].offset};
  gint stride[GST_VIDEO_MAX_PLANES] = {lies[__i__].stride};

  gst_harness_set_src_caps_str (h, PICTURE_CAPS);
  gst_buffer_add_video_meta_full (picture, 0, GST_VIDEO_FORMAT_RGB,
      PICTURE_WIDTH, PICTURE_HEIGHT, 1, offset, stride);
  fail_unless_equals_int (gst_harness_push (h, picture), GST_FLOW_ERROR);
  batcher_expect_error (h, bus, GST_STREAM_ERROR, "broken");
  batcher_unwatch (h, bus);
  gst_harness_teardown (h);
}
GST_END_TEST

GST_START_TEST (pictures_without_caps_are_refused)
{
  GstHarness *h = batcher_new (4);
  GstBus *bus = batcher_watch (h);
  g_autoptr (GstPad) sink = gst_element_get_static_pad (h->element, "sink");
  Sample sample = {0, TL_SPLIT_TRAIN, 0, 9};
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_play (h);
  gst_pad_send_event (sink, gst_event_new_stream_start ("x"));
  gst_pad_send_event (sink, gst_event_new_segment (&segment));
  fail_unless_equals_int (gst_pad_chain (sink, picture_new (&sample)),
      GST_FLOW_NOT_NEGOTIATED);
  batcher_expect_error (h, bus, GST_CORE_ERROR, "without caps");
  batcher_unwatch (h, bus);
  gst_harness_teardown (h);
}
GST_END_TEST

GST_START_TEST (huge_batches_are_refused)
{
  GstHarness *h = batcher_new (65536);
  GstBus *bus = batcher_watch (h);

  gst_harness_set_src_caps_str (h,
      "video/x-raw,format=RGB,width=224,height=224");
  batcher_expect_error (h, bus, GST_LIBRARY_ERROR, "over 4 GiB");
  batcher_unwatch (h, bus);
  gst_harness_teardown (h);
}
GST_END_TEST

GST_START_TEST (batch_size_has_a_true_range)
{
  static const guint bad[] = {0, 65537, G_MAXUINT};
  g_autoptr (GstElement) element = gst_element_factory_make ("batcher", NULL);
  guint value;

  gst_object_ref_sink (element);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_object_set (element, "batch-size", bad[i], NULL);
    fail_unless_equals_int (gst_element_set_state (element, GST_STATE_READY),
        GST_STATE_CHANGE_FAILURE);
  }
  g_object_set (element, "batch-size", 65536, NULL);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_READY),
      GST_STATE_CHANGE_SUCCESS);
  g_object_get (element, "batch-size", &value, NULL);
  fail_unless_equals_int (value, 65536);
  gst_element_set_state (element, GST_STATE_NULL);
}
GST_END_TEST

static Suite *
batcher_refusals_suite (void)
{
  Suite *suite = suite_create ("batcher_refusals");
  TCase *tcase = tcase_create ("batcher_refusals");

  GST_ELEMENT_REGISTER (batcher, NULL);
  tcase_add_test (tcase, size_change_in_a_batch_is_refused);
  tcase_add_test (tcase, foreign_pictures_are_refused);
  tcase_add_loop_test (tcase, rows_outside_the_buffer_are_refused, 0,
      G_N_ELEMENTS (lies));
  tcase_add_test (tcase, pictures_without_caps_are_refused);
  tcase_add_test (tcase, huge_batches_are_refused);
  tcase_add_test (tcase, batch_size_has_a_true_range);
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (batcher_refusals);
