/* SPDX-License-Identifier: BSD-3-Clause */

/* A run that was begun before goes on where its checkpoint says. */

#include "tldatasetsrc.h"
#include "tlsourcerig.h"
#include "tltree.h"

#include <gst/check/gstcheck.h>

#include <string.h>

static const struct
{
  guint epoch;
  TlSplit split;
  guint64 position;
  guint skipped; /* samples of the whole run before it */
} cursors[] = {
    {0, TL_SPLIT_TRAIN, 0, 0},
    {0, TL_SPLIT_TRAIN, 7, 7},
    {0, TL_SPLIT_VALID, 0, 20},
    {1, TL_SPLIT_TRAIN, 20, 44},
    {1, TL_SPLIT_VALID, 3, 47},
};

/* A folder of 20 + 4 samples, and the digest that it has. */
static void
add_resume_set (gchar digest[65])
{
  Player p;

  tree_add_many (player_folder, "train/a", "x", 10);
  tree_add_many (player_folder, "train/b", "x", 10);
  tree_add_many (player_folder, "val/a", "y", 4);
  player_init (&p, TL_CAPS_IMAGE);
  player_play (&p);
  g_strlcpy (digest, p.info->digest, 65);
  player_clear (&p);
}

static void
init_resumed (Player *p, const gchar *digest, guint i)
{
  player_init (p, TL_CAPS_IMAGE);
  g_object_set (p->src, "epochs", 2, "shuffle", TRUE, NULL);
  p->cursor = (TlCursor){TRUE, 77, cursors[i].epoch, cursors[i].split,
      cursors[i].position, 0, ""};
  g_strlcpy (p->cursor.digest, digest, sizeof p->cursor.digest);
}

GST_START_TEST (resumed_run_plays_the_rest)
{
  gchar digest[65];
  Player whole, rest;

  add_resume_set (digest);
  player_init (&whole, TL_CAPS_IMAGE);
  g_object_set (whole.src, "epochs", 2, "shuffle", TRUE, "seed", (guint64) 77,
      NULL);
  player_play (&whole);
  init_resumed (&rest, digest, __i__);
  player_play (&rest);

  fail_unless_equals_int (rest.buffers->len, 48 - cursors[__i__].skipped);
  fail_unless_equals_uint64 (rest.info->seed, 77);
  for (guint i = 0; i < rest.buffers->len; i++) {
    guint k = cursors[__i__].skipped + i;

    fail_unless_equals_uint64 (player_get_meta (&rest, i)->index,
        player_get_meta (&whole, k)->index);
    fail_unless_equals_uint64 (player_get_meta (&rest, i)->position,
        player_get_meta (&whole, k)->position);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (rest.buffers->pdata[i]), k);
  }
  player_clear (&whole);
  player_clear (&rest);
}
GST_END_TEST;

GST_START_TEST (a_phase_resumed_in_the_middle_says_so)
{
  gchar digest[65];
  Player p;

  add_resume_set (digest);
  init_resumed (&p, digest, 1);
  player_play (&p);
  fail_unless_equals_string (p.log->pdata[0], "phase 0 train from 7 of 20");
  fail_unless_equals_string (p.log->pdata[14], "end 0 train sent 13 skipped 0");
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (another_data_set_is_refused)
{
  gchar digest[65];
  Player p;

  add_resume_set (digest);
  tree_add (player_folder, "train/a/new.jpg");
  init_resumed (&p, digest, 1);
  gst_element_set_state (p.src, GST_STATE_PLAYING);
  player_expect_one_error (&p, digest);
  gst_element_set_state (p.src, GST_STATE_NULL);
  /* Nothing but the end, unless the stop was faster. */
  fail_unless (p.log->len == 0 || g_str_equal (p.log->pdata[0], "eos"));
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (a_contradicting_seed_is_refused)
{
  gchar digest[65];
  Player p;

  add_resume_set (digest);
  init_resumed (&p, digest, 1);
  g_object_set (p.src, "seed", (guint64) 3, NULL);
  gst_element_set_state (p.src, GST_STATE_PLAYING);
  player_expect_one_error (&p,
      "seed=3 contradicts the checkpoint, which was trained "
      "with seed=77");
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (a_finished_run_is_not_resumed)
{
  gchar digest[65];
  Player p;

  add_resume_set (digest);
  init_resumed (&p, digest, 1);
  p.cursor.epoch = 2;
  gst_element_set_state (p.src, GST_STATE_PLAYING);
  player_expect_one_error (&p, "set epochs above 2");
  player_clear (&p);
}
GST_END_TEST;

static Suite *
datasetsrc_resume_suite (void)
{
  Suite *suite = suite_create ("datasetsrc_resume");
  TCase *tc = tcase_create ("datasetsrc_resume");

  gst_element_register_datasetsrc (NULL);
  tcase_add_checked_fixture (tc, player_set_up, player_tear_down);
  tcase_add_loop_test (tc, resumed_run_plays_the_rest, 0,
      G_N_ELEMENTS (cursors));
  tcase_add_test (tc, a_phase_resumed_in_the_middle_says_so);
  tcase_add_test (tc, another_data_set_is_refused);
  tcase_add_test (tc, a_contradicting_seed_is_refused);
  tcase_add_test (tc, a_finished_run_is_not_resumed);
  suite_add_tcase (suite, tc);
  return suite;
}

GST_CHECK_MAIN (datasetsrc_resume);
