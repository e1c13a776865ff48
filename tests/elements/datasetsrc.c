/* SPDX-License-Identifier: BSD-3-Clause */

/* What datasetsrc plays, and how it starts and ends. */

#include "tldatasetsrc.h"
#include "tlorder.h"
#include "tlsourcerig.h"
#include "tltree.h"

#include <gst/check/gstcheck.h>

#include <string.h>

/* ---- phases ---- */

GST_START_TEST (train_and_valid_alternate)
{
  static const gchar *const lines[] = {"phase 0 train of 3", "train/a/1.jpg",
      "train/a/2.jpg", "train/b/3.jpg", "end 0 train sent 3 skipped 0",
      "phase 0 valid of 1", "val/a/4.jpg", "end 0 valid sent 1 skipped 0",
      "phase 1 train of 3", "train/a/1.jpg", "train/a/2.jpg", "train/b/3.jpg",
      "end 1 train sent 3 skipped 0", "phase 1 valid of 1 final", "val/a/4.jpg",
      "end 1 valid sent 1 skipped 0", "eos", NULL};
  Player p;

  player_add_small_set ();
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "epochs", 2, NULL);
  player_play (&p);
  player_expect_log (&p, lines);
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (only_the_named_split_is_played)
{
  static const gchar *const lines[] = {"phase 0 valid of 1 final",
      "val/a/4.jpg", "end 0 valid sent 1 skipped 0", "eos", NULL};
  Player p;

  player_add_small_set ();
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "splits", "valid", NULL);
  player_play (&p);
  player_expect_log (&p, lines);
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (data_set_is_described)
{
  g_autofree gchar *classes = NULL;
  guint64 n;
  Player p;

  player_add_small_set ();
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "epochs", 3, "seed", (guint64) 9, NULL);
  player_play (&p);
  fail_unless_equals_string (p.info->classes[1], "b");
  fail_unless_equals_uint64 (p.info->counts[TL_SPLIT_TRAIN][0], 2);
  fail_unless_equals_uint64 (p.info->n_samples[TL_SPLIT_VALID], 1);
  fail_unless_equals_uint64 (p.info->n_groups[TL_SPLIT_TRAIN], 3);
  fail_unless (p.info->counts[TL_SPLIT_TEST] == NULL);
  fail_unless_equals_uint64 (p.info->seed, 9);
  fail_unless_equals_int (p.info->epochs, 3);
  fail_unless_equals_int ((int) strlen (p.info->digest), 64);
  g_object_get (p.src, "classes", &classes, "n-samples", &n, NULL);
  fail_unless_equals_string (classes, "a\nb");
  fail_unless_equals_uint64 (n, 4);
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (buffers_carry_everything)
{
  TlSampleMeta *meta;
  GstBuffer *buffer;
  Player p;

  player_add_small_set ();
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "epochs", 2, "seed", (guint64) 9, NULL);
  player_play (&p);
  buffer = p.buffers->pdata[4 + 2];
  meta = tl_buffer_get_sample_meta (buffer);
  fail_unless_equals_int (meta->label, 1);
  fail_unless_equals_uint64 (meta->index, 2);
  fail_unless_equals_uint64 (meta->seed, 9);
  fail_unless_equals_int (meta->epoch, 1);
  fail_unless_equals_int (meta->view, 1);
  fail_unless_equals_uint64 (meta->position, 2);
  fail_unless_equals_uint64 (meta->n, 3);
  fail_unless_equals_int (meta->split, TL_SPLIT_TRAIN);
  fail_unless (g_str_has_suffix (meta->path, "train/b/3.jpg"));
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), 6);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), 200 * GST_MSECOND);
  fail_unless_equals_int ((int) gst_buffer_get_size (buffer), 12);
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (order_is_that_of_tlorder)
{
  guint32 order[20];
  Player p;

  tree_add_many (player_folder, "train/a", "x", 10);
  tree_add_many (player_folder, "train/b", "x", 10);
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "epochs", 2, "seed", (guint64) 5, "shuffle", TRUE,
      "valid-fraction", 0.0, NULL);
  player_play (&p);
  for (guint epoch = 0; epoch < 2; epoch++) {
    tl_order_fill (order, 20, 5, epoch, TRUE);
    for (guint i = 0; i < 20; i++)
      fail_unless_equals_uint64 (tl_buffer_get_sample_meta (
                                     p.buffers->pdata[20 * epoch + i])
                                     ->index,
          order[i]);
  }
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (max_samples_limits_every_split)
{
  guint64 n;
  Player p;

  tree_add_many (player_folder, "train/a", "x", 10);
  tree_add_many (player_folder, "train/b", "x", 10);
  tree_add_many (player_folder, "val/a", "y", 8);
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "max-samples", 6, "group", "none", NULL);
  player_play (&p);
  fail_unless_equals_int (p.buffers->len, 12);
  fail_unless_equals_uint64 (p.info->counts[TL_SPLIT_TRAIN][0], 3);
  g_object_get (p.src, "n-samples", &n, NULL);
  fail_unless_equals_uint64 (n, 12);
  player_clear (&p);
}
GST_END_TEST;

/* ---- the cache ---- */

GST_START_TEST (cached_phases_have_no_buffers)
{
  static const gchar *const lines[] = {"phase 0 train of 3", "train/a/1.jpg",
      "train/a/2.jpg", "train/b/3.jpg", "end 0 train sent 3 skipped 0",
      "phase 0 valid of 1", "val/a/4.jpg", "end 0 valid sent 1 skipped 0",
      "phase 1 train of 3 cached", "end 1 train sent 0 skipped 0",
      "phase 1 valid of 1 cached final", "end 1 valid sent 0 skipped 0", "eos",
      NULL};
  Player p;

  player_add_small_set ();
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "epochs", 2, NULL);
  p.cursor.views = 1;
  g_strlcpy (p.cursor.digest, "none", sizeof p.cursor.digest);
  p.cached_view = 0;
  player_play (&p);
  player_expect_log (&p, lines);
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (views_repeat)
{
  Player p;

  player_add_small_set ();
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "epochs", 5, "splits", "train", NULL);
  p.cursor.views = 2;
  g_strlcpy (p.cursor.digest, "none", sizeof p.cursor.digest);
  player_play (&p);
  for (guint i = 0; i < 15; i++)
    fail_unless_equals_int (player_get_meta (&p, i)->view, i / 3 % 2);
  player_clear (&p);
}
GST_END_TEST;

/* ---- life cycle ---- */

static const struct
{
  const gchar *property, *value, *text;
} bad_settings[] = {
    {"location", "", "set location to a folder"},
    {"location", "/nowhere/at/all", "There is no folder"},
    {"epochs", "4294967295", "epochs=4294967295 is out of range"},
    {"max-samples", "4294967295", "max-samples=4294967295 is out of range"},
    {"valid-fraction", "1.5", "valid-fraction=1.5"},
    {"splits", "tset", "\"tset\" is no split"},
    {"group", "(", "group=\"(\""},
};

GST_START_TEST (bad_settings_are_one_error)
{
  Player p;

  player_add_small_set ();
  player_init (&p, TL_CAPS_IMAGE);
  gst_util_set_object_arg (G_OBJECT (p.src), bad_settings[__i__].property,
      bad_settings[__i__].value);
  player_expect_no_start (&p, bad_settings[__i__].text);
  player_clear (&p);
}
GST_END_TEST;

/* gst-launch-1.0 -e: a phase that was cut short has no end. */
GST_START_TEST (eos_by_the_application_ends_promptly)
{
  Player p;
  guint n_ends = 0, n_phases = 0;

  player_add_small_set ();
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "epochs", 0, NULL);
  player_play_lines (&p, 100);
  fail_unless (gst_element_send_event (p.src, gst_event_new_eos ()));
  player_play (&p);
  for (guint i = 0; i < p.log->len; i++) {
    n_phases += g_str_has_prefix (p.log->pdata[i], "phase");
    n_ends += g_str_has_prefix (p.log->pdata[i], "end");
  }
  fail_unless (n_ends == n_phases || n_ends + 1 == n_phases);
  fail_unless_equals_string (p.log->pdata[p.log->len - 1], "eos");
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (random_stops_do_not_hang)
{
  player_add_small_set ();
  for (guint i = 0; i < 20; i++) {
    Player p;

    player_init (&p, i % 2 ? TL_CAPS_IMAGE : NULL);
    g_object_set (p.src, "epochs", 0, NULL);
    player_play_lines (&p, 17 * i);
    player_clear (&p);
  }
}
GST_END_TEST;

GST_START_TEST (second_run_repeats_the_first)
{
  Player p;
  guint n;

  player_add_small_set ();
  player_init (&p, TL_CAPS_IMAGE);
  player_play (&p);
  n = p.log->len;
  gst_element_set_state (p.src, GST_STATE_READY);
  g_clear_pointer (&p.info, tl_dataset_info_free);
  p.ended = FALSE;
  /* What EOS left on the pad goes with the old stream. */
  gst_pad_set_active (p.pad, FALSE);
  gst_pad_set_active (p.pad, TRUE);
  player_play (&p);
  fail_unless_equals_int (p.log->len, 2 * n);
  for (guint i = 0; i < n; i++)
    fail_unless_equals_string (p.log->pdata[i], p.log->pdata[n + i]);
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (position_and_duration_are_samples)
{
  g_autoptr (GstQuery) seeking = gst_query_new_seeking (GST_FORMAT_TIME);
  gint64 position = -1, duration = -1;
  gboolean seekable = TRUE;
  Player p;

  player_add_small_set ();
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "epochs", 30, NULL);
  player_play (&p);
  fail_unless (gst_element_query_duration (p.src, GST_FORMAT_TIME, &duration));
  fail_unless (gst_element_query_position (p.src, GST_FORMAT_TIME, &position));
  fail_unless_equals_uint64 (duration, 4 * GST_SECOND);
  fail_unless_equals_uint64 (position, 4 * GST_SECOND);
  fail_unless (gst_element_query (p.src, seeking));
  gst_query_parse_seeking (seeking, NULL, &seekable, NULL, NULL);
  fail_if (seekable);
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (endless_runs_have_no_duration)
{
  gint64 duration;
  Player p;

  player_add_small_set ();
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "epochs", 0, NULL);
  player_play_lines (&p, 50);
  fail_if (gst_element_query_duration (p.src, GST_FORMAT_TIME, &duration));
  player_clear (&p);
}
GST_END_TEST;

/* A name with an escape sequence would speak to the terminal. */
GST_START_TEST (class_names_do_not_reach_the_terminal)
{
  GstMessage *message;
  guint n = 0;
  Player p;

  player_add_small_set ();
  tree_add (player_folder, "train/x\033y/some.jpg");
  tree_add (player_folder, "val/x\033y/other.jpg");
  player_init (&p, TL_CAPS_IMAGE);
  player_play (&p);
  while ((message = gst_bus_pop_filtered (p.bus, GST_MESSAGE_PROGRESS))) {
    g_autofree gchar *text = NULL;

    gst_message_parse_progress (message, NULL, NULL, &text);
    fail_unless (strchr (text, '\033') == NULL, "%s", text);
    n += strstr (text, "x\\u001by") != NULL;
    gst_message_unref (message);
  }
  fail_unless (n > 0, "it is not named");
  player_clear (&p);
}
GST_END_TEST;

/* gst-launch-1.0 waits for every PROGRESS to be complete. */
GST_START_TEST (progress_is_opened_and_closed)
{
  GstMessage *message;
  gint open = 0, n = 0;
  Player p;

  player_add_small_set ();
  player_init (&p, TL_CAPS_IMAGE);
  player_play (&p);
  while ((message = gst_bus_pop_filtered (p.bus, GST_MESSAGE_PROGRESS))) {
    GstProgressType type;

    gst_message_parse_progress (message, &type, NULL, NULL);
    open += type == GST_PROGRESS_TYPE_START;
    open -= type == GST_PROGRESS_TYPE_COMPLETE;
    n++;
    gst_message_unref (message);
  }
  fail_unless_equals_int (open, 0);
  fail_unless (n >= 3);
  player_clear (&p);
}
GST_END_TEST;

/* ---- with stock elements ---- */

static void
assert_line_ends (const gchar *line)
{
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, NULL);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GstBus) bus = NULL;

  fail_unless (pipeline != NULL, "%s", line);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  fail_unless (message != NULL, "%s does not end", line);
  fail_unless (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS, "%s", line);
}

static void
add_real_picture (const gchar *path)
{
  g_autofree gchar *full = g_build_filename (player_folder, path, NULL);
  g_autofree gchar *folder = g_path_get_dirname (full);
  g_autofree gchar *line = g_strdup_printf ("videotestsrc num-buffers=1 ! "
                                            "jpegenc ! filesink location=%s",
      full);

  g_mkdir_with_parents (folder, 0700);
  assert_line_ends (line);
}

static const gchar *const stock_lines[] = {
    "! fakesink",
    "! queue ! fakesink",
    "! decodebin ! fakesink",
    "! jpegdec ! videoconvert ! fakesink",
    "epochs=3 ! queue ! jpegdec ! queue ! fakesink",
};

GST_START_TEST (stock_elements_take_it)
{
  g_autofree gchar *line = NULL;

  add_real_picture ("train/a/1.jpg");
  add_real_picture ("train/b/2.jpg");
  add_real_picture ("val/b/3.jpg");
  line = g_strdup_printf ("datasetsrc location=%s %s", player_folder,
      stock_lines[__i__]);
  assert_line_ends (line);
}
GST_END_TEST;

static Suite *
datasetsrc_suite (void)
{
  Suite *suite = suite_create ("datasetsrc");
  TCase *tc = tcase_create ("datasetsrc");

  gst_element_register_datasetsrc (NULL);
  tcase_add_checked_fixture (tc, player_set_up, player_tear_down);
  tcase_add_test (tc, train_and_valid_alternate);
  tcase_add_test (tc, only_the_named_split_is_played);
  tcase_add_test (tc, data_set_is_described);
  tcase_add_test (tc, buffers_carry_everything);
  tcase_add_test (tc, order_is_that_of_tlorder);
  tcase_add_test (tc, max_samples_limits_every_split);
  tcase_add_test (tc, cached_phases_have_no_buffers);
  tcase_add_test (tc, views_repeat);
  tcase_add_loop_test (tc, bad_settings_are_one_error, 0,
      G_N_ELEMENTS (bad_settings));
  tcase_add_test (tc, eos_by_the_application_ends_promptly);
  tcase_add_test (tc, random_stops_do_not_hang);
  tcase_add_test (tc, second_run_repeats_the_first);
  tcase_add_test (tc, position_and_duration_are_samples);
  tcase_add_test (tc, endless_runs_have_no_duration);
  tcase_add_test (tc, class_names_do_not_reach_the_terminal);
  tcase_add_test (tc, progress_is_opened_and_closed);
  tcase_add_loop_test (tc, stock_elements_take_it, 0,
      G_N_ELEMENTS (stock_lines));
  suite_add_tcase (suite, tc);
  return suite;
}

GST_CHECK_MAIN (datasetsrc);
