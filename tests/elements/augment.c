/* SPDX-License-Identifier: BSD-3-Clause */

/* augment in a harness. */

#include "tlaugment.h"

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <string.h>

#include <tlevents.h>
#include <tlsamplemeta.h>

#define WIDTH 10
#define HEIGHT 4
#define STRIDE 32 /* rows are padded to 4 bytes */
#define N_SAMPLES 50

/* Takes the properties as "name=value" words. */
static GstHarness *
make_harness (const gchar *properties)
{
  g_autofree gchar *line = g_strdup_printf ("augment %s", properties);
  GstHarness *h = gst_harness_new_parse (line);

  gst_harness_set_caps_str (h,
      "video/x-raw,format=RGB,width=10,height=4,framerate=0/1",
      "video/x-raw,format=RGB,width=10,height=4,framerate=0/1");
  return h;
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

GST_START_TEST (other_splits_pass_as_they_are)
{
  GstHarness *h = make_harness ("flip=horizontal flip-probability=1 hue=0.2");
  GstBuffer *in = make_frame (1, TL_SPLIT_VALID), *out;

  gst_harness_push (h, in);
  out = gst_harness_pull (h);
  fail_unless (out == in);
  gst_buffer_unref (out);
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
  GstHarness *h = make_harness ("flip=horizontal flip-probability=1");
  GstBuffer *in = make_frame (7, TL_SPLIT_TRAIN), *out;
  GstMapInfo map;

  gst_harness_push (h, gst_buffer_ref (in));
  out = gst_harness_pull (h);
  fail_if (out == in);
  gst_buffer_map (in, &map, GST_MAP_READ);
  for (gsize i = 0; i < map.size; i++)
    fail_unless_equals_int (map.data[i], value_at (7, i));
  gst_buffer_unmap (in, &map);
  gst_buffer_unref (in);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}
GST_END_TEST;

static GByteArray *
augment_all (guint n_threads)
{
  g_autofree gchar *properties =
      g_strdup_printf ("n-threads=%u flip=both brightness=0.4 contrast=0.4 "
                       "saturation=0.4 hue=0.1",
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
  g_autoptr (GByteArray) four = augment_all (4);

  fail_unless (memcmp (one->data, four->data, one->len) == 0);
}
GST_END_TEST;

GST_START_TEST (transform_gains_a_step)
{
  GstHarness *h = make_harness ("hue=0.25");
  TlTransform before = {.steps = (gchar *) "imagedecode"};
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
  fail_unless_equals_string (after.steps,
      "imagedecode; augment flip=horizontal flip-probability=0.5 brightness=0 "
      "contrast=0 saturation=0 hue=0.25");
  gst_harness_teardown (h);
}
GST_END_TEST;

static const gchar *const bad_settings[][2] = {
    {"flip-probability", "1.5"},
    {"brightness", "-1"},
    {"contrast", "11"},
    {"saturation", "-0.1"},
    {"hue", "0.6"},
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

static Suite *
augment_suite (void)
{
  Suite *suite = suite_create ("augment");
  TCase *tcase = tcase_create ("augment");

  GST_ELEMENT_REGISTER (augment, NULL);
  tcase_add_test (tcase, other_splits_pass_as_they_are);
  tcase_add_test (tcase, without_settings_nothing_is_touched);
  tcase_add_test (tcase, by_default_about_half_is_mirrored);
  tcase_add_test (tcase, flip_mirrors_a_training_picture);
  tcase_add_test (tcase, shared_buffer_is_not_changed);
  tcase_add_test (tcase, threads_change_nothing);
  tcase_add_test (tcase, transform_gains_a_step);
  tcase_add_loop_test (tcase, bad_setting_is_an_error, 0,
      G_N_ELEMENTS (bad_settings));
  tcase_add_test (tcase, short_buffer_is_an_error);
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (augment);
