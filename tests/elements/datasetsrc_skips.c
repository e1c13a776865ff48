/* SPDX-License-Identifier: BSD-3-Clause */

/* Files that are left out: those of no use, and those that the peer does not take. */

#include "tldatasetsrc.h"
#include "tlsourcerig.h"
#include "tltree.h"

#include <gst/check/gstcheck.h>

#include <string.h>
#include <sys/stat.h>

/* ---- files that are of no use ---- */

GST_START_TEST (bad_files_are_reported_once_and_left_out)
{
  static const gchar *const lines[] = {"phase 0 train of 5", "train/b/3.jpg",
      "end 0 train sent 5 skipped 4", "phase 0 valid of 1 final", "val/a/4.jpg",
      "end 0 valid sent 1 skipped 0", "eos", NULL};
  g_autofree gchar *fifo =
      g_build_filename (player_folder, "train/a/fifo.jpg", NULL);
  g_autofree gchar *huge =
      g_build_filename (player_folder, "train/a/huge.jpg", NULL);
  Player p;

  tree_add_bytes (player_folder, "train/a/empty.jpg", "", 0);
  tree_add (player_folder, "train/a/huge.jpg");
  fail_unless_equals_int (truncate (huge, 513 * 1024 * 1024), 0);
  tree_link (player_folder, "nowhere", "train/a/gone.jpg");
  fail_unless_equals_int (mkfifo (fifo, 0600), 0);
  tree_add (player_folder, "train/b/3.jpg");
  tree_add (player_folder, "val/a/4.jpg");
  player_init (&p, TL_CAPS_IMAGE);
  player_play (&p);
  player_expect_log (&p, lines);
  fail_unless_equals_int (player_count_messages (&p, GST_MESSAGE_ELEMENT,
                              "tl-sample-error"),
      4);
  fail_unless_equals_int (player_count_messages (&p, GST_MESSAGE_WARNING, NULL),
      4);
  fail_unless_equals_int (player_count_messages (&p, GST_MESSAGE_ERROR, NULL),
      0);
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (a_phase_without_one_good_file_is_an_error)
{
  Player p;

  for (guint i = 0; i < 20; i++) {
    g_autofree gchar *path =
        g_strdup_printf ("train/%c/%u.jpg", 'a' + i % 2, i);

    tree_add_bytes (player_folder, path, "", 0);
  }
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "splits", "train", "valid-fraction", 0.0, NULL);
  gst_element_set_state (p.src, GST_STATE_PLAYING);
  player_expect_one_error (&p, "Not one of the 20 files of train");
  player_clear (&p);
}
GST_END_TEST;

/* Ten warnings and a sum, but every file as a message. */
GST_START_TEST (warnings_are_limited)
{
  Player p;

  for (guint i = 0; i < 20; i++) {
    g_autofree gchar *path = g_strdup_printf ("train/a/%u.jpg", i);

    tree_add_bytes (player_folder, path, "", 0);
  }
  tree_add (player_folder, "train/b/1.jpg");
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "splits", "train", "valid-fraction", 0.0, NULL);
  player_play (&p);
  fail_unless_equals_int (player_count_messages (&p, GST_MESSAGE_ELEMENT,
                              "tl-sample-error"),
      20);
  fail_unless_equals_int (player_count_messages (&p, GST_MESSAGE_WARNING, NULL),
      11);
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (any_file_name_is_shown_as_one_line)
{
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) warning = NULL;
  Player p;

  tree_add_bytes (player_folder, "train/a/two\nlines \xff.jpg", "", 0);
  tree_add (player_folder, "train/b/1.jpg");
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "splits", "train", "group", "none", "valid-fraction",
      0.0, NULL);
  player_play (&p);
  while (!warning || !strstr (warning->message, "Left out")) {
    gst_clear_message (&message);
    g_clear_error (&warning);
    message = gst_bus_pop_filtered (p.bus, GST_MESSAGE_WARNING);
    fail_unless (message != NULL);
    gst_message_parse_warning (message, &warning, NULL);
  }
  fail_unless (strstr (warning->message, "/two\\nlines \xef\xbf\xbd.jpg")
          && !strchr (warning->message, '\n'),
      "%s", warning->message);
  gst_clear_message (&message); /* holds the source */
  player_clear (&p);
}
GST_END_TEST;

/* ---- caps ---- */

static void
assert_caps (Player *p, const gchar *text)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (p->pad);
  g_autofree gchar *got = caps ? gst_caps_to_string (caps) : NULL;

  fail_unless_equals_string (got, text);
}

GST_START_TEST (a_peer_that_names_tl_image_gets_it)
{
  Player p;

  player_add_small_set ();
  player_init (&p, "application/x-tl-image; video/x-raw");
  player_play (&p);
  assert_caps (&p, TL_CAPS_IMAGE);
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (a_peer_that_takes_anything_gets_the_files_type)
{
  Player p;

  player_add_small_set ();
  player_init (&p, NULL);
  player_play (&p);
  assert_caps (&p, "image/jpeg");
  fail_unless_equals_int (p.buffers->len, 4);
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (files_that_the_peer_refuses_are_left_out)
{
  static const gchar *const lines[] = {"phase 0 train of 3 final",
      "train/b/2.jpg", "end 0 train sent 3 skipped 2", "eos", NULL};
  Player p;

  tree_add (player_folder, "train/a/1.jpg");
  tree_add_bytes (player_folder, "train/b/2.jpg", "\x89PNG\r\n\x1a\n...", 11);
  tree_add_bytes (player_folder, "train/b/3.jpg", "what is this", 12);
  player_init (&p, "image/png");
  g_object_set (p.src, "splits", "train", "valid-fraction", 0.0, NULL);
  player_play (&p);
  player_expect_log (&p, lines);
  assert_caps (&p, "image/png");
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (a_peer_for_something_else_is_an_error)
{
  Player p;

  player_add_small_set ();
  player_init (&p, NULL);
  p.caps = "video/x-raw"; /* as behind a queue, which links with anything */
  gst_element_set_state (p.src, GST_STATE_PLAYING);
  player_expect_one_error (&p, "put imagedecode or decodebin after it");
  player_clear (&p);
}
GST_END_TEST;

static Suite *
datasetsrc_skips_suite (void)
{
  Suite *suite = suite_create ("datasetsrc_skips");
  TCase *tc = tcase_create ("datasetsrc_skips");

  gst_element_register_datasetsrc (NULL);
  tcase_add_checked_fixture (tc, player_set_up, player_tear_down);
  tcase_add_test (tc, bad_files_are_reported_once_and_left_out);
  tcase_add_test (tc, a_phase_without_one_good_file_is_an_error);
  tcase_add_test (tc, warnings_are_limited);
  tcase_add_test (tc, any_file_name_is_shown_as_one_line);
  tcase_add_test (tc, a_peer_that_names_tl_image_gets_it);
  tcase_add_test (tc, a_peer_that_takes_anything_gets_the_files_type);
  tcase_add_test (tc, files_that_the_peer_refuses_are_left_out);
  tcase_add_test (tc, a_peer_for_something_else_is_an_error);
  suite_add_tcase (suite, tc);
  return suite;
}

GST_CHECK_MAIN (datasetsrc_skips);
