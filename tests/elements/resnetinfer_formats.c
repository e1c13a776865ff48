/* SPDX-License-Identifier: BSD-3-Clause */

/* resnetinfer takes video of every format, says what it shows and leaves it as it
 * is. */

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

#include <tlresultmeta.h>

#include "tllivescene.h"
#include "tlmodelrig.h"
#include "tlresnetinfer.h"

static gchar *checkpoint;

static void
set_up (void)
{
  model_set_up ();
  checkpoint =
      model_write_checkpoint ("good", "[\"red\",\"green\",\"blue\"]", NULL);
}

static void
tear_down (void)
{
  g_clear_pointer (&checkpoint, g_free);
  model_tear_down ();
}

static GstHarness *
new_harness (void)
{
  GstElement *element = gst_element_factory_make ("resnetinfer", NULL);
  GstHarness *h;

  gst_util_set_object_arg (G_OBJECT (element), "mode", "sync");
  g_object_set (element, "checkpoint", checkpoint, "device", "cpu", "n-threads",
      1, NULL);
  h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  return h;
}

static void
scene_of_blue (gdouble x, gdouble y, gdouble rgb[3])
{
  rgb[0] = rgb[1] = 0.1;
  rgb[2] = 0.9;
}

static void
scene_of_red (gdouble x, gdouble y, gdouble rgb[3])
{
  rgb[0] = 0.9;
  rgb[1] = rgb[2] = 0.1;
}

/* Pushes @frame and returns the result's first class; its bytes stay. */
static guint
classify (GstHarness *h, const GstVideoInfo *info, GstBuffer *frame)
{
  g_autoptr (GstBuffer) original = gst_buffer_copy_deep (frame), out = NULL;
  const TlResultMeta *meta;
  GstMapInfo map;

  GST_BUFFER_PTS (frame) = 40 * GST_MSECOND;
  gst_harness_set_src_caps (h, gst_video_info_to_caps (info));
  out = gst_harness_push_and_pull (h, frame);
  meta = tl_buffer_get_result_meta (out);
  fail_unless (meta && meta->state == TL_RESULT_VALID, "%s: %s",
      GST_VIDEO_INFO_NAME (info),
      meta ? g_quark_to_string (meta->reason) : "no result");
  fail_unless (gst_buffer_map (original, &map, GST_MAP_READ));
  fail_unless (gst_buffer_memcmp (out, 0, map.data, map.size) == 0, "%s",
      GST_VIDEO_INFO_NAME (info));
  gst_buffer_unmap (original, &map);
  return meta->top[0].index;
}

GST_START_TEST (video_of_every_format_gets_its_class)
{
  g_auto (GStrv) formats = tl_scene_formats ();
  GstHarness *h = new_harness ();

  for (gchar **name = formats; *name; name++) {
    GstVideoInfo info;
    guint found;

    gst_video_info_set_format (&info, gst_video_format_from_string (*name), 33,
        21);
    found = classify (h, &info, tl_scene_paint (&info, scene_of_blue));
    fail_unless (found == 2 || GST_VIDEO_INFO_IS_GRAY (&info)
            || g_str_equal (*name, "RGB8P"),
        "%s: class %u", *name, found);
  }
  gst_harness_teardown (h);
}
GST_END_TEST;

/* The top field is red, the bottom field blue. */
static GstBuffer *
weave (const GstVideoInfo *info)
{
  GstBuffer *top = tl_scene_paint (info, scene_of_red);
  g_autoptr (GstBuffer) bottom = tl_scene_paint (info, scene_of_blue);
  GstVideoFrame to, from;

  fail_unless (gst_video_frame_map (&to, info, top, GST_MAP_READWRITE));
  fail_unless (gst_video_frame_map (&from, info, bottom, GST_MAP_READ));
  for (gint y = 1; y < info->height; y += 2)
    memcpy ((guint8 *) to.data[0] + y * to.info.stride[0],
        (guint8 *) from.data[0] + y * from.info.stride[0],
        (gsize) to.info.stride[0]);
  gst_video_frame_unmap (&to);
  gst_video_frame_unmap (&from);
  return top;
}

GST_START_TEST (one_field_is_classified)
{
  static const struct
  {
    const gchar *field;
    GstVideoBufferFlags flags;
    guint index;
  } rows[] = {
      {"auto", GST_VIDEO_BUFFER_FLAG_TFF, 0},
      {"auto", 0, 2},
      {"top", 0, 0},
      {"bottom", GST_VIDEO_BUFFER_FLAG_TFF, 2},
  };
  GstHarness *h = new_harness ();
  GstVideoInfo info;

  gst_video_info_set_interlaced_format (&info, GST_VIDEO_FORMAT_UYVY,
      GST_VIDEO_INTERLACE_MODE_INTERLEAVED, 64, 48);
  GST_VIDEO_INFO_FPS_N (&info) = 25;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GstBuffer *frame = weave (&info);

    GST_BUFFER_FLAG_SET (frame, rows[i].flags);
    gst_util_set_object_arg (G_OBJECT (h->element), "field", rows[i].field);
    fail_unless_equals_int (classify (h, &info, frame), rows[i].index);
  }
  gst_harness_teardown (h);
}
GST_END_TEST;

static Suite *
resnetinfer_formats_suite (void)
{
  Suite *suite = suite_create ("resnetinfer_formats");
  TCase *tcase = tcase_create ("formats");

  GST_ELEMENT_REGISTER (resnetinfer, NULL);
  tcase_set_timeout (tcase, 120);
  tcase_add_checked_fixture (tcase, set_up, tear_down);
  tcase_add_test (tcase, video_of_every_format_gets_its_class);
  tcase_add_test (tcase, one_field_is_classified);
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (resnetinfer_formats);
