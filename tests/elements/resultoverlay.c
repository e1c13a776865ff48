/* SPDX-License-Identifier: BSD-3-Clause */

/* resultoverlay on frames with results made here. */

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include "tlresultmeta.h"
#include "tlresultoverlay.h"

static GstHarness *
new_harness (const gchar *format, guint width, guint height)
{
  GstHarness *h = gst_harness_new ("resultoverlay");
  g_autofree gchar *caps = g_strdup_printf (
      "video/x-raw,format=%s,width=%u,height=%u,framerate=25/1", format, width,
      height);

  gst_harness_set_src_caps_str (h, caps);
  return h;
}

/* Every byte is @value; exactly as large as its format needs. */
static GstBuffer *
new_frame (const gchar *format, guint width, guint height, guint8 value)
{
  GstVideoInfo info;
  GstBuffer *buffer;

  gst_video_info_set_format (&info, gst_video_format_from_string (format),
      width, height);
  buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_buffer_memset (buffer, 0, value, info.size);
  GST_BUFFER_PTS (buffer) = 0;
  return buffer;
}

static TlResultMeta *
add_result (GstBuffer *buffer, const gchar *name, gdouble probability)
{
  TlResultMeta *meta = tl_buffer_add_result_meta (buffer);

  meta->state = TL_RESULT_VALID;
  meta->serial = 1;
  meta->age = 0;
  meta->n = 2;
  meta->top[0] = (TlResultClass){0, g_quark_from_string (name), probability};
  meta->top[1] =
      (TlResultClass){1, g_quark_from_string ("other"), 1 - probability};
  return meta;
}

/* Bytes that are not @value any more. */
static gsize
count_changed (GstBuffer *buffer, guint8 value)
{
  GstMapInfo map;
  gsize n = 0;

  gst_buffer_map (buffer, &map, GST_MAP_READ);
  for (gsize i = 0; i < map.size; i++)
    n += map.data[i] != value;
  gst_buffer_unmap (buffer, &map);
  return n;
}

static GstBuffer *
show (GstHarness *h, GstBuffer *frame)
{
  GstBuffer *out = gst_harness_push_and_pull (h, frame);

  fail_unless (out != NULL);
  return out;
}

static gboolean
is_same (GstBuffer *a, GstBuffer *b)
{
  GstMapInfo map;
  gboolean is;

  gst_buffer_map (a, &map, GST_MAP_READ);
  is = gst_buffer_get_size (b) == map.size
      && gst_buffer_memcmp (b, 0, map.data, map.size) == 0;
  gst_buffer_unmap (a, &map);
  return is;
}

/* ---- Formats and sizes ---- */

static gboolean
is_under_valgrind (void)
{
  const gchar *preload = g_getenv ("LD_PRELOAD");

  return preload && strstr (preload, "valgrind");
}

GST_START_TEST (every_format_is_drawn_on_at_every_size)
{
  static const guint sizes[][2] = {{1, 1}, {2, 2}, {3, 5}, {16, 16}, {17, 9},
      {1, 300}, {300, 1}, {321, 241}};
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_make ("resultoverlay", NULL));
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, "sink");
  g_autoptr (GstCaps) caps = gst_pad_query_caps (pad, NULL);
  const GValue *formats =
      gst_structure_get_value (gst_caps_get_structure (caps, 0), "format");
  guint n = gst_value_list_get_size (formats);

  fail_unless (n > 50);
  /* Under valgrind every seventh. */
  for (guint f = 0; f < n; f += is_under_valgrind () ? 7 : 1) {
    const gchar *format =
        g_value_get_string (gst_value_list_get_value (formats, f));

    for (guint s = 0; s < G_N_ELEMENTS (sizes); s++) {
      GstHarness *h = new_harness (format, sizes[s][0], sizes[s][1]);
      GstBuffer *frame = new_frame (format, sizes[s][0], sizes[s][1], 0x80);
      g_autoptr (GstBuffer) out = NULL;

      add_result (frame, "bees", 0.9);
      out = show (h, frame);
      fail_unless (sizes[s][0] < 321 || count_changed (out, 0x80) > 0, "%s",
          format);
      gst_harness_teardown (h);
    }
  }
}
GST_END_TEST

/* ---- What is shown ---- */

typedef struct
{
  const gchar *name;
  TlResultState state;
  const gchar *class;
  gdouble probability;
  GstClockTime age;
  guint n_skipped;
  const gchar *reason;
} Shown;

static const Shown shown[] = {
    {"valid", TL_RESULT_VALID, "bees", 0.9},
    {"other-class", TL_RESULT_VALID, "ants", 0.9},
    {"other-probability", TL_RESULT_VALID, "bees", 0.6},
    {"uncertain", TL_RESULT_ABSTAINED, "bees", 0.9},
    {"stale", TL_RESULT_VALID, "bees", 0.9, 4 * GST_SECOND},
    {"stale-longer", TL_RESULT_VALID, "bees", 0.9, 9 * GST_SECOND},
    {"skipped", TL_RESULT_VALID, "bees", 0.9, 0, 7},
    {"absent", TL_RESULT_ABSENT, "bees", 0.9, 0, 0, "the device is lost"},
    {"other-reason", TL_RESULT_ABSENT, "bees", 0.9, 0, 0, "out of memory"},
    {"markup", TL_RESULT_VALID, "<b>bees</b> & <i>", 0.9},
    {"no-text", TL_RESULT_VALID, "\xff\xfe\n\xe2\x80\xae", 0.9},
    {"arabic", TL_RESULT_VALID, "\xd9\x86\xd8\xad\xd9\x84", 0.9},
};

static GstBuffer *
show_row (GstHarness *h, const Shown *row)
{
  GstBuffer *frame = new_frame ("RGB", 640, 480, 99);
  TlResultMeta *meta = add_result (frame, row->class, row->probability);

  meta->state = row->state;
  meta->age = row->age;
  meta->n_skipped = row->n_skipped;
  meta->reason = row->reason ? g_quark_from_static_string (row->reason) : 0;
  return show (h, frame);
}

GST_START_TEST (different_results_look_different)
{
  GstHarness *h = new_harness ("RGB", 640, 480);
  GstBuffer *seen[G_N_ELEMENTS (shown)];

  for (guint i = 0; i < G_N_ELEMENTS (shown); i++) {
    g_autoptr (GstBuffer) again = NULL;

    seen[i] = show_row (h, &shown[i]);
    again = show_row (h, &shown[i]);
    fail_unless (is_same (seen[i], again), "%s", shown[i].name);
    for (guint k = 0; k < i; k++)
      fail_if (is_same (seen[i], seen[k]), "%s as %s", shown[i].name,
          shown[k].name);
  }
  for (guint i = 0; i < G_N_ELEMENTS (shown); i++)
    gst_buffer_unref (seen[i]);
  gst_harness_teardown (h);
}
GST_END_TEST

GST_START_TEST (frame_without_meta_says_that_there_is_no_result)
{
  GstHarness *h = new_harness ("RGB", 640, 480);
  g_autoptr (GstBuffer) out = show (h, new_frame ("RGB", 640, 480, 99));

  fail_unless (count_changed (out, 99) > 10000);
  gst_harness_teardown (h);
}
GST_END_TEST

/* ---- Properties ---- */

static const struct
{
  const gchar *property, *value;
} changes[] = {
    {"position", "top-right"},
    {"scale", "0.5"},
    {"top-k", "1"},
    {"stale-after-ms", "1"},
    {"show-notice", "false"},
    {"notice", "Not for diagnosis"},
};

GST_START_TEST (properties_change_the_next_frame)
{
  static const Shown row = {"old", TL_RESULT_VALID, "bees", 0.9,
      20 * GST_MSECOND};
  GstHarness *h = new_harness ("RGB", 640, 480);
  g_autoptr (GstBuffer) before = show_row (h, &row);
  g_autoptr (GstBuffer) after = NULL;

  gst_util_set_object_arg (G_OBJECT (h->element), changes[__i__].property,
      changes[__i__].value);
  after = show_row (h, &row);
  fail_if (is_same (before, after), "%s", changes[__i__].property);
  gst_harness_teardown (h);
}
GST_END_TEST

/* ---- Faults ---- */

/* More of a frame than is there: nothing is written, one warning, and the video
 * goes on. */
GST_START_TEST (frames_whose_rows_lie_outside_are_left_alone)
{
  static const gint strides[] = {4 * 192, -192, 191, G_MAXINT, 0};
  GstHarness *h = new_harness ("RGB", 64, 48);
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (h->element, bus);
  for (guint i = 0; i < G_N_ELEMENTS (strides); i++) {
    GstBuffer *frame = new_frame ("RGB", 64, 48, 99);
    gsize offset[GST_VIDEO_MAX_PLANES] = {0};
    gint stride[GST_VIDEO_MAX_PLANES] = {strides[i]};
    g_autoptr (GstBuffer) out = NULL;
    g_autoptr (GstMessage) warning = NULL;

    gst_buffer_add_video_meta_full (frame, GST_VIDEO_FRAME_FLAG_NONE,
        GST_VIDEO_FORMAT_RGB, 64, 48, 1, offset, stride);
    out = show (h, frame);
    fail_unless (count_changed (out, 99) == 0);
    warning = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
    fail_unless ((warning != NULL) == (i == 0));
  }
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}
GST_END_TEST

static Suite *
resultoverlay_suite (void)
{
  Suite *s = suite_create ("resultoverlay");
  TCase *tc = tcase_create ("general");

  GST_ELEMENT_REGISTER (resultoverlay, NULL);
  suite_add_tcase (s, tc);
  tcase_add_test (tc, every_format_is_drawn_on_at_every_size);
  tcase_add_test (tc, different_results_look_different);
  tcase_add_test (tc, frame_without_meta_says_that_there_is_no_result);
  tcase_add_loop_test (tc, properties_change_the_next_frame, 0,
      G_N_ELEMENTS (changes));
  tcase_add_test (tc, frames_whose_rows_lie_outside_are_left_alone);
  return s;
}

GST_CHECK_MAIN (resultoverlay)
