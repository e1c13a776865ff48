/* SPDX-License-Identifier: BSD-3-Clause */

/* augment in a harness. */

#include "tlaugment.h"

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <string.h>

#include <tlevents.h>
#include <tlsamplemeta.h>

#define CAPS "video/x-raw,format=RGB,width=10,height=4,framerate=0/1"
#define ONE_PIXEL "video/x-raw,format=RGB,width=1,height=1,framerate=0/1"
#define WIDTH 10
#define HEIGHT 4
#define STRIDE 32 /* rows are padded to 4 bytes */
#define N_SAMPLES 50

/* Takes the properties as "name=value" words. */
static GstHarness *
make_harness_of (const gchar *properties, const gchar *caps)
{
  g_autofree gchar *line = g_strdup_printf ("augment %s", properties);
  GstHarness *h = gst_harness_new_parse (line);

  gst_harness_set_caps_str (h, caps, caps);
  return h;
}

static GstHarness *
make_harness (const gchar *properties)
{
  return make_harness_of (properties, CAPS);
}

static guint8
value_at (guint64 index, gsize offset)
{
  return (guint8) (index * 37 + offset * offset * 5);
}

static GstBuffer *
make_frame (guint64 index, TlSplit split)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, STRIDE * HEIGHT, NULL);
  TlSampleMeta *sample = tl_buffer_add_sample_meta (buffer);
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  for (gsize i = 0; i < map.size; i++)
    map.data[i] = value_at (index, i);
  gst_buffer_unmap (buffer, &map);
  sample->index = index;
  sample->seed = 3;
  sample->split = split;
  return buffer;
}

/* Each operation alone, so strong that it shows in most pictures. */
static const gchar *const operations[] = {
    "flip=horizontal flip-probability=1",
    "flip=vertical flip-probability=1",
    "flip=both flip-probability=1",
    "flip=none rotate=90",
    "flip=none rotate=90 rotate-interpolation=bilinear",
    "flip=none brightness=10",
    "flip=none contrast=10",
    "flip=none saturation=10",
    "flip=none hue=0.5",
    "flip=none erase-probability=1",
    "flip=none erase-probability=1 erase-value=255",
};
#define N_OPERATIONS G_N_ELEMENTS (operations)

static gboolean
is_as_made (GstBuffer *buffer, guint64 index)
{
  gboolean same = TRUE;
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_READ);
  for (gsize i = 0; i < map.size; i++)
    same &= map.data[i] == value_at (index, i);
  gst_buffer_unmap (buffer, &map);
  return same;
}

GST_START_TEST (other_splits_pass_as_they_are)
{
  GstHarness *h = make_harness (operations[__i__]);
  GstBuffer *frames[] = {make_frame (1, TL_SPLIT_VALID),
      make_frame (2, TL_SPLIT_TEST), make_frame (3, TL_SPLIT_TRAIN)};

  /* The third is a video frame, not a sample. */
  gst_buffer_remove_meta (frames[2],
      (GstMeta *) tl_buffer_get_sample_meta (frames[2]));
  for (guint i = 0; i < G_N_ELEMENTS (frames); i++) {
    GstBuffer *out;

    gst_harness_push (h, frames[i]);
    out = gst_harness_pull (h);
    fail_unless (out == frames[i]);
    fail_unless (is_as_made (out, i + 1));
    gst_buffer_unref (out);
  }
  gst_harness_teardown (h);
}
GST_END_TEST;

/* Nobody else has the buffer: it is changed where it is. */
GST_START_TEST (training_pictures_are_changed_in_place)
{
  GstHarness *h = make_harness (operations[__i__]);
  guint n_changed = 0;

  for (guint i = 0; i < 10; i++) {
    GstBuffer *in = make_frame (i, TL_SPLIT_TRAIN), *out;

    gst_harness_push (h, in);
    out = gst_harness_pull (h);
    fail_unless (out == in);
    n_changed += !is_as_made (out, i);
    gst_buffer_unref (out);
  }
  fail_unless (n_changed > 5, "%u", n_changed);
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (without_settings_nothing_is_touched)
{
  GstHarness *h = make_harness ("flip=none");
  GstBuffer *in = make_frame (1, TL_SPLIT_TRAIN), *out;

  gst_harness_push (h, in);
  out = gst_harness_pull (h);
  fail_unless (out == in);
  fail_unless (is_as_made (out, 1));
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (flip_mirrors_a_training_picture)
{
  GstHarness *h = make_harness ("flip=horizontal flip-probability=1");
  GstBuffer *out;
  GstMapInfo map;

  gst_harness_push (h, make_frame (7, TL_SPLIT_TRAIN));
  out = gst_harness_pull (h);
  gst_buffer_map (out, &map, GST_MAP_READ);
  for (gsize y = 0; y < HEIGHT; y++) {
    for (gsize x = 0; x < WIDTH * 3; x++)
      fail_unless_equals_int (map.data[y * STRIDE + x],
          value_at (7, y * STRIDE + (WIDTH - 1 - x / 3) * 3 + x % 3));
    fail_unless_equals_int (map.data[y * STRIDE + WIDTH * 3],
        value_at (7, y * STRIDE + WIDTH * 3));
  }
  gst_buffer_unmap (out, &map);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* The usual recipe: half of the pictures, left to right. */
GST_START_TEST (by_default_about_half_is_mirrored)
{
  GstHarness *h = make_harness ("");
  guint n_mirrored = 0;

  for (guint i = 0; i < N_SAMPLES; i++) {
    GstBuffer *out;
    guint8 corner;

    gst_harness_push (h, make_frame (i, TL_SPLIT_TRAIN));
    out = gst_harness_pull (h);
    gst_buffer_extract (out, 0, &corner, 1);
    if (corner == value_at (i, (WIDTH - 1) * 3))
      n_mirrored++;
    else
      fail_unless_equals_int (corner, value_at (i, 0));
    gst_buffer_unref (out);
  }
  fail_unless (n_mirrored > N_SAMPLES / 4 && n_mirrored < N_SAMPLES * 3 / 4,
      "%u of %u", n_mirrored, N_SAMPLES);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* A tee keeps a reference: it must see what it sent. */
GST_START_TEST (shared_buffer_is_not_changed)
{
  GstHarness *h = make_harness (operations[__i__]);
  GstBuffer *in = make_frame (7, TL_SPLIT_TRAIN), *out;

  gst_harness_push (h, gst_buffer_ref (in));
  out = gst_harness_pull (h);
  fail_if (out == in);
  fail_unless (is_as_made (in, 7));
  gst_buffer_unref (in);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* Two buffers, both writable, with one memory: as behind a tee and an element
 * that writes metadata. */
GST_START_TEST (shared_memory_is_not_changed)
{
  GstHarness *h = make_harness (operations[__i__]);
  GstBuffer *in = make_frame (7, TL_SPLIT_TRAIN), *out;

  gst_harness_push (h, gst_buffer_copy (in));
  out = gst_harness_pull (h);
  fail_unless (is_as_made (in, 7));
  gst_buffer_unref (in);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* One pixel, with its row padded to 4 bytes. */
GST_START_TEST (one_pixel_is_a_picture)
{
  GstHarness *h = make_harness_of (operations[__i__], ONE_PIXEL);
  GstBuffer *in = make_frame (7, TL_SPLIT_TRAIN), *out;
  guint8 padding;

  gst_buffer_resize (in, 0, 4);
  gst_harness_push (h, in);
  out = gst_harness_pull (h);
  fail_unless_equals_int (gst_buffer_get_size (out), 4);
  gst_buffer_extract (out, 3, &padding, 1);
  fail_unless_equals_int (padding, value_at (7, 3));
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}
GST_END_TEST;

static GByteArray *
augment_all (guint n_threads)
{
  g_autofree gchar *properties =
      g_strdup_printf ("n-threads=%u flip=both rotate=20 "
                       "rotate-interpolation=bilinear brightness=0.4 "
                       "contrast=0.4 saturation=0.4 hue=0.1 "
                       "erase-probability=0.5",
          n_threads);
  GstHarness *h = make_harness (properties);
  GByteArray *all = g_byte_array_new ();

  for (guint i = 0; i < N_SAMPLES; i++)
    gst_harness_push (h, make_frame (i, TL_SPLIT_TRAIN));
  for (guint i = 0; i < N_SAMPLES; i++) {
    GstBuffer *out = gst_harness_pull (h);
    GstMapInfo map;

    fail_unless_equals_uint64 (tl_buffer_get_sample_meta (out)->index, i);
    gst_buffer_map (out, &map, GST_MAP_READ);
    g_byte_array_append (all, map.data, (guint) map.size);
    gst_buffer_unmap (out, &map);
    gst_buffer_unref (out);
  }
  gst_harness_teardown (h);
  return all;
}

GST_START_TEST (threads_change_nothing)
{
  g_autoptr (GByteArray) one = augment_all (1);
  g_autoptr (GByteArray) two = augment_all (2);
  g_autoptr (GByteArray) seven = augment_all (7);

  fail_unless (memcmp (one->data, two->data, one->len) == 0);
  fail_unless (memcmp (one->data, seven->data, one->len) == 0);
}
GST_END_TEST;

/* What is set, and all of what tl-transform says: a change is noticed on
 * resume. */
static const gchar *const transforms[][2] = {
    {"",
        "augment flip=horizontal flip-probability=0.5 rotate=0 "
        "rotate-interpolation=nearest brightness=0 contrast=0 saturation=0 "
        "hue=0 erase-probability=0 erase-value=0"},
    {"flip=both flip-probability=0.25 rotate=7.5 rotate-interpolation=bilinear "
     "brightness=1 contrast=0.125 saturation=3 hue=0.25 erase-probability=0.75 "
     "erase-value=115",
        "augment flip=both flip-probability=0.25 rotate=7.5 "
        "rotate-interpolation=bilinear brightness=1 contrast=0.125 saturation=3 "
        "hue=0.25 erase-probability=0.75 erase-value=115"},
};

GST_START_TEST (transform_gains_a_step)
{
  GstHarness *h = make_harness (transforms[__i__][0]);
  TlTransform before = {.steps = (gchar *) "imagedecode"};
  g_autofree gchar *wanted =
      g_strconcat ("imagedecode; ", transforms[__i__][1], NULL);
  g_auto (TlTransform) after = {0};
  GstEvent *event;

  tl_preprocess_init (&before.preprocess);
  gst_harness_push_event (h, tl_event_new_transform (&before));
  event = gst_harness_pull_event (h);
  while (!tl_event_parse_transform (event, &after)) {
    gst_event_unref (event);
    event = gst_harness_pull_event (h);
  }
  gst_event_unref (event);
  fail_unless_equals_string (after.steps, wanted);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* A property without a word in tl-transform would change a resumed run. */
GST_START_TEST (transform_names_every_property)
{
  g_autofree GParamSpec **pspecs = NULL;
  GstElement *element = gst_element_factory_make ("augment", NULL);
  guint n;

  pspecs = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
  for (guint i = 0; i < n; i++) {
    g_autofree gchar *word = g_strdup_printf (" %s=", pspecs[i]->name);

    if (pspecs[i]->owner_type == G_OBJECT_TYPE (element))
      fail_unless (strstr (transforms[0][1], word) != NULL, "%s", word);
  }
  gst_object_unref (element);
}
GST_END_TEST;

static GstBuffer *
augment_one (GstHarness *h)
{
  gst_harness_push (h, make_frame (7, TL_SPLIT_TRAIN));
  return gst_harness_pull (h);
}

/* All properties are GST_PARAM_MUTABLE_READY: what is set while playing holds
 * from the next start, as a whole. */
GST_START_TEST (change_while_playing_waits_for_the_next_start)
{
  GstHarness *h = make_harness ("flip=none");
  GstElement *element = gst_harness_find_element (h, "augment");
  GstSegment segment;
  GstBuffer *out;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  g_object_set (element, "flip", 1, "flip-probability", 1.0, "rotate", 90.0,
      "rotate-interpolation", 1, "brightness", 3.0, "contrast", 3.0,
      "saturation", 3.0, "hue", 0.5, "erase-probability", 1.0, "erase-value",
      9u, "n-threads", 3u, NULL);
  out = augment_one (h);
  fail_unless (is_as_made (out, 7));
  gst_buffer_unref (out);

  gst_element_set_state (element, GST_STATE_READY);
  gst_element_set_state (element, GST_STATE_PLAYING);
  gst_harness_set_src_caps_str (h, CAPS);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  out = augment_one (h);
  fail_if (is_as_made (out, 7));
  gst_buffer_unref (out);
  gst_object_unref (element);
  gst_harness_teardown (h);
}
GST_END_TEST;

static const gchar *const bad_settings[][2] = {
    {"flip-probability", "1.5"},
    {"brightness", "-1"},
    {"contrast", "11"},
    {"saturation", "-0.1"},
    {"hue", "0.6"},
    {"rotate", "180.1"},
    {"rotate", "-1"},
    {"erase-probability", "1.01"},
    {"erase-value", "256"},
};

GST_START_TEST (bad_setting_is_an_error)
{
  GstElement *element = gst_element_factory_make ("augment", NULL);

  gst_util_set_object_arg (G_OBJECT (element), bad_settings[__i__][0],
      bad_settings[__i__][1]);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_READY),
      GST_STATE_CHANGE_FAILURE);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_object_unref (element);
}
GST_END_TEST;

/* READY is where properties may change: a bad one must not slip through. */
GST_START_TEST (bad_setting_in_ready_is_an_error)
{
  GstElement *element = gst_element_factory_make ("augment", NULL);

  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_READY),
      GST_STATE_CHANGE_SUCCESS);
  gst_util_set_object_arg (G_OBJECT (element), bad_settings[__i__][0],
      bad_settings[__i__][1]);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_object_unref (element);
}
GST_END_TEST;

/* Fewer bytes than the caps announce must not be read. */
GST_START_TEST (short_buffer_is_an_error)
{
  GstHarness *h = make_harness ("flip=horizontal flip-probability=1");
  GstBuffer *buffer = make_frame (1, TL_SPLIT_TRAIN);

  gst_buffer_resize (buffer, 0, 40);
  gst_harness_push (h, buffer);
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless (gst_harness_try_pull (h) == NULL);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* Rows are where GstVideoMeta says, and that is not in the buffer. Elements
 * before may write what they like there. */
static const struct
{
  gint stride;
  gsize offset, size;
} bad_layouts[] = {
    {STRIDE, 0, STRIDE *HEIGHT - 3},
    {STRIDE, 8, STRIDE *HEIGHT},
    {STRIDE * 2, 0, STRIDE *HEIGHT},
    {WIDTH * 3 - 1, 0, STRIDE *HEIGHT},
    {-STRIDE, 0, STRIDE *HEIGHT},
};

GST_START_TEST (rows_outside_the_buffer_are_an_error)
{
  GstHarness *h = make_harness ("flip=both flip-probability=1");
  GstBuffer *buffer = make_frame (1, TL_SPLIT_TRAIN);
  gsize offset[] = {bad_layouts[__i__].offset, 0, 0, 0};
  gint stride[] = {bad_layouts[__i__].stride, 0, 0, 0};

  gst_buffer_resize (buffer, 0, (gssize) bad_layouts[__i__].size);
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_FORMAT_RGB, WIDTH, HEIGHT, 1, offset, stride);
  gst_harness_push (h, buffer);
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless (gst_harness_try_pull (h) == NULL);
  gst_harness_teardown (h);
}
GST_END_TEST;

static const struct
{
  GstVideoFormat format;
  guint width, height;
} bad_metas[] = {
    {GST_VIDEO_FORMAT_BGR, WIDTH, HEIGHT},
    {GST_VIDEO_FORMAT_I420, WIDTH, HEIGHT},
    {GST_VIDEO_FORMAT_RGB, WIDTH - 1, HEIGHT},
    {GST_VIDEO_FORMAT_RGB, WIDTH + 1, HEIGHT},
    {GST_VIDEO_FORMAT_RGB, WIDTH, HEIGHT - 1},
};

GST_START_TEST (meta_of_another_picture_is_an_error)
{
  GstHarness *h = make_harness ("flip=both flip-probability=1");
  GstBuffer *buffer = make_frame (1, TL_SPLIT_TRAIN);

  gst_buffer_add_video_meta (buffer, GST_VIDEO_FRAME_FLAG_NONE,
      bad_metas[__i__].format, bad_metas[__i__].width, bad_metas[__i__].height);
  gst_harness_push (h, buffer);
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless (gst_harness_try_pull (h) == NULL);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* Rows further apart than caps say, not from the first byte on. */
GST_START_TEST (rows_are_where_the_meta_says)
{
  GstHarness *h = make_harness ("flip=vertical flip-probability=1");
  const guint size = 8 + 64 * HEIGHT;
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, size, NULL), *out;
  gsize offset[] = {8, 0, 0, 0};
  gint stride[] = {64, 0, 0, 0};
  guint8 row;

  for (guint y = 0; y < HEIGHT; y++)
    gst_buffer_memset (buffer, 8 + y * 64, (guint8) y, 64);
  tl_buffer_add_sample_meta (buffer)->split = TL_SPLIT_TRAIN;
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_FORMAT_RGB, WIDTH, HEIGHT, 1, offset, stride);
  gst_harness_push (h, buffer);
  out = gst_harness_pull (h);
  for (guint y = 0; y < HEIGHT; y++) {
    gst_buffer_extract (out, 8 + y * 64, &row, 1);
    fail_unless_equals_int (row, HEIGHT - 1 - y);
  }
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* Pictures on their way keep their own size. */
GST_START_TEST (caps_may_change_between_pictures)
{
  const gchar *line = "augment flip=none rotate=45 rotate-interpolation="
                      "bilinear erase-probability=1";
  GstHarness *h = gst_harness_new_parse (line);
  guint side;

  for (guint i = 0; i < 30; i++) {
    GstBuffer *buffer;

    side = 1 + i * 7 % 30;
    gst_harness_set_src_caps (h,
        gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, "RGB",
            "width", G_TYPE_INT, side, "height", G_TYPE_INT, side, "framerate",
            GST_TYPE_FRACTION, 0, 1, NULL));
    buffer =
        gst_buffer_new_allocate (NULL, GST_ROUND_UP_4 (side * 3) * side, NULL);
    gst_buffer_memset (buffer, 0, 99, (gsize) -1);
    tl_buffer_add_sample_meta (buffer)->split = TL_SPLIT_TRAIN;
    gst_harness_push (h, buffer);
  }
  for (guint i = 0; i < 30; i++) {
    GstBuffer *out = gst_harness_pull (h);

    side = 1 + i * 7 % 30;
    fail_unless_equals_int (gst_buffer_get_size (out),
        GST_ROUND_UP_4 (side * 3) * side);
    gst_buffer_unref (out);
  }
  gst_harness_teardown (h);
}
GST_END_TEST;

static Suite *
augment_suite (void)
{
  Suite *suite = suite_create ("augment");
  TCase *tcase = tcase_create ("augment");

  GST_ELEMENT_REGISTER (augment, NULL);
  tcase_add_loop_test (tcase, other_splits_pass_as_they_are, 0, N_OPERATIONS);
  tcase_add_loop_test (tcase, training_pictures_are_changed_in_place, 0,
      N_OPERATIONS);
  tcase_add_test (tcase, without_settings_nothing_is_touched);
  tcase_add_test (tcase, by_default_about_half_is_mirrored);
  tcase_add_test (tcase, flip_mirrors_a_training_picture);
  tcase_add_loop_test (tcase, shared_buffer_is_not_changed, 0, N_OPERATIONS);
  tcase_add_loop_test (tcase, shared_memory_is_not_changed, 0, N_OPERATIONS);
  tcase_add_loop_test (tcase, one_pixel_is_a_picture, 0, N_OPERATIONS);
  tcase_add_test (tcase, threads_change_nothing);
  tcase_add_loop_test (tcase, transform_gains_a_step, 0,
      G_N_ELEMENTS (transforms));
  tcase_add_test (tcase, transform_names_every_property);
  tcase_add_test (tcase, change_while_playing_waits_for_the_next_start);
  tcase_add_loop_test (tcase, bad_setting_is_an_error, 0,
      G_N_ELEMENTS (bad_settings));
  tcase_add_loop_test (tcase, bad_setting_in_ready_is_an_error, 0,
      G_N_ELEMENTS (bad_settings));
  tcase_add_test (tcase, short_buffer_is_an_error);
  tcase_add_loop_test (tcase, rows_outside_the_buffer_are_an_error, 0,
      G_N_ELEMENTS (bad_layouts));
  tcase_add_loop_test (tcase, meta_of_another_picture_is_an_error, 0,
      G_N_ELEMENTS (bad_metas));
  tcase_add_test (tcase, rows_are_where_the_meta_says);
  tcase_add_test (tcase, caps_may_change_between_pictures);
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (augment);
