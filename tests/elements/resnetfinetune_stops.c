/* SPDX-License-Identifier: BSD-3-Clause */

/* The trainer when it is paused, flushed, stopped and started again. */

#include "tlfeed.h"
#include "tlrig.h"

#include <gst/check/gstcheck.h>

#include <tlcheckpoint.h>

#include "tlresnetfinetune.h"

/* ---- A thread that feeds ---- */

typedef struct
{
  Feed feed;
  GstPad *pad;
} Feeder;

static gpointer
feed_in_thread (gpointer user)
{
  Feeder *feeder = user;

  return GINT_TO_POINTER (feed_all (&feeder->feed, feeder->pad));
}

static GThread *
start_feeding (Feeder *feeder, Rig *rig)
{
  *feeder = (Feeder){FEED_INIT, rig->pad};
  feeder->feed.epochs = 1000;
  return g_thread_new ("feed", feed_in_thread, feeder);
}

static guint64
get_step (Rig *rig)
{
  guint64 step;

  g_object_get (rig->trainer, "step", &step, NULL);
  return step;
}

static void
wait_for_epoch (Rig *rig)
{
  guint64 before = get_step (rig);

  for (guint i = 0; i < 5000 && get_step (rig) == before; i++)
    g_usleep (1000);
  fail_unless (get_step (rig) > before, "no step");
}

/* ---- Pause ---- */

GST_START_TEST (test_waits_while_paused)
{
  Feeder feeder;
  GThread *thread;
  guint64 step;
  Rig rig;

  rig_init (&rig);
  gst_element_set_state (rig.pipeline, GST_STATE_PAUSED);
  thread = start_feeding (&feeder, &rig);
  g_usleep (50000);
  fail_unless_equals_uint64 (get_step (&rig), 0);
  rig_play (&rig);
  wait_for_epoch (&rig);
  gst_element_set_state (rig.pipeline, GST_STATE_PAUSED);
  g_usleep (20000); /* the running step */
  step = get_step (&rig);
  g_usleep (50000);
  fail_unless_equals_uint64 (get_step (&rig), step);
  rig_play (&rig);
  wait_for_epoch (&rig);
  gst_element_set_state (rig.pipeline, GST_STATE_NULL);
  g_thread_join (thread);
  rig_clear (&rig);
}
GST_END_TEST;

/* ---- Stops and flushes ---- */

GST_START_TEST (test_twenty_stops_at_random_times)
{
  Rig rig;

  rig_init (&rig);
  for (guint i = 0; i < 20; i++) {
    Feeder feeder;
    GThread *thread;

    gst_pad_set_active (rig.pad, TRUE);
    rig_play (&rig);
    thread = start_feeding (&feeder, &rig);
    g_usleep (g_random_int_range (0, 20000));
    fail_unless_equals_int (gst_element_set_state (rig.pipeline,
                                i % 2 ? GST_STATE_NULL : GST_STATE_READY),
        GST_STATE_CHANGE_SUCCESS);
    g_thread_join (thread);
    gst_pad_set_active (rig.pad, FALSE);
  }
  rig_clear (&rig);
}
GST_END_TEST;

GST_START_TEST (test_twenty_flushes_at_random_times)
{
  Rig rig;

  rig_init (&rig);
  rig_play (&rig);
  for (guint i = 0; i < 20; i++) {
    Feeder feeder;
    GThread *thread = start_feeding (&feeder, &rig);

    g_usleep (g_random_int_range (0, 10000));
    gst_pad_push_event (rig.pad, gst_event_new_flush_start ());
    g_thread_join (thread);
    gst_pad_push_event (rig.pad, gst_event_new_flush_stop (TRUE));
  }
  rig_clear (&rig);
}
GST_END_TEST;

GST_START_TEST (test_flush_makes_the_phase_incomplete)
{
  Feed feed = FEED_INIT;
  Rig rig;

  feed.max_batches = 2;
  rig_init (&rig);
  rig_play (&rig);
  feed_begin (&feed, rig.pad);
  feed_run (&feed, rig.pad, NULL);
  gst_pad_push_event (rig.pad, gst_event_new_flush_start ());
  gst_pad_push_event (rig.pad, gst_event_new_flush_stop (TRUE));
  rig_expect_message (&rig, GST_MESSAGE_WARNING, "the phase is incomplete");
  feed.max_batches = 0;
  feed_all (&feed, rig.pad);
  rig_expect_message (&rig, GST_MESSAGE_PROGRESS, "incomplete");
  rig_expect_eos (&rig);
  rig_clear (&rig);
}
GST_END_TEST;

/* ---- The last checkpoint ---- */

static GstBuffer *
ask_final_checkpoint (Rig *rig)
{
  g_autoptr (GstQuery) query = tl_query_new_final_checkpoint ();
  g_autoptr (GstPad) pad = gst_element_get_static_pad (rig->sink, "sink");

  fail_unless (gst_pad_peer_query (pad, query));
  return tl_query_parse_final_checkpoint (query);
}

GST_START_TEST (test_unsaved_steps_are_given_to_who_asks)
{
  Feed feed = FEED_INIT;
  g_autoptr (GstBuffer) buffer = NULL;
  g_autoptr (GBytes) bytes = NULL;
  gpointer data;
  gsize size;
  Rig rig;

  feed.max_batches = 3;
  rig_init (&rig);
  rig_play (&rig);
  fail_unless (ask_final_checkpoint (&rig) == NULL);
  gst_element_set_state (rig.pipeline, GST_STATE_READY);
  gst_pad_set_active (rig.pad, TRUE);
  rig_play (&rig);
  feed_begin (&feed, rig.pad);
  feed_run (&feed, rig.pad, NULL);
  buffer = ask_final_checkpoint (&rig);
  fail_unless (buffer != NULL);
  gst_buffer_extract_dup (buffer, 0, gst_buffer_get_size (buffer), &data,
      &size);
  bytes = g_bytes_new_take (data, size);
  rig_expect_value (bytes, TL_KEY_STATE, "interrupted");
  rig_expect_value (bytes, TL_KEY_POSITION, "12");
  /* Nothing is learned that would be lost. */
  fail_unless_equals_int (feed_run (&feed, rig.pad, NULL), GST_FLOW_FLUSHING);
  fail_unless (ask_final_checkpoint (&rig) == NULL);
  rig_clear (&rig);
}
GST_END_TEST;

/* ---- Again ---- */

GST_START_TEST (test_runs_again_from_ready)
{
  Feed feed = FEED_INIT;
  g_autoptr (GBytes) first = NULL;
  Rig rig;

  rig_init (&rig);
  for (guint i = 0; i < 3; i++) {
    gst_pad_set_active (rig.pad, TRUE);
    rig_play (&rig);
    feed_all (&feed, rig.pad);
    rig_expect_eos (&rig);
    if (i == 0)
      first = g_bytes_ref (rig_last (&rig));
    fail_unless (g_bytes_equal (first, rig_last (&rig)));
    gst_element_set_state (rig.pipeline, GST_STATE_READY);
    gst_pad_set_active (rig.pad, FALSE);
  }
  rig_clear (&rig);
}
GST_END_TEST;

GST_START_TEST (test_runs_again_after_an_error)
{
  Feed feed = FEED_INIT;
  Rig rig;

  rig_init (&rig);
  g_object_set (rig.trainer, "lr", 1e38, NULL);
  rig_play (&rig);
  feed_all (&feed, rig.pad);
  rig_expect_message (&rig, GST_MESSAGE_ERROR, "failed");
  gst_element_set_state (rig.pipeline, GST_STATE_READY);
  gst_pad_set_active (rig.pad, FALSE);
  gst_pad_set_active (rig.pad, TRUE);
  g_object_set (rig.trainer, "lr", 0.1, NULL);
  rig_play (&rig);
  feed_all (&feed, rig.pad);
  rig_expect_eos (&rig);
  rig_clear (&rig);
}
GST_END_TEST;

GST_START_TEST (test_pipeline_may_end_with_the_trainer)
{
  Feed feed = FEED_INIT;
  Rig rig;

  rig_init (&rig);
  gst_bin_remove (GST_BIN (rig.pipeline), rig.sink);
  rig.sink = NULL;
  rig_play (&rig);
  feed_all (&feed, rig.pad);
  rig_expect_message (&rig, GST_MESSAGE_WARNING, "add \"! checkpointsink");
  rig_expect_eos (&rig);
  rig_clear (&rig);
}
GST_END_TEST;

static Suite *
resnetfinetune_stops_suite (void)
{
  Suite *suite = suite_create ("resnetfinetune_stops");
  TCase *tcase = tcase_create ("general");

  gst_element_register (NULL, "resnetfinetune", GST_RANK_NONE,
      TL_TYPE_RESNET_FINETUNE);
  suite_add_tcase (suite, tcase);
  tcase_add_checked_fixture (tcase, rig_set_up, rig_tear_down);
  tcase_add_test (tcase, test_waits_while_paused);
  tcase_add_test (tcase, test_twenty_stops_at_random_times);
  tcase_add_test (tcase, test_twenty_flushes_at_random_times);
  tcase_add_test (tcase, test_flush_makes_the_phase_incomplete);
  tcase_add_test (tcase, test_unsaved_steps_are_given_to_who_asks);
  tcase_add_test (tcase, test_runs_again_from_ready);
  tcase_add_test (tcase, test_runs_again_after_an_error);
  tcase_add_test (tcase, test_pipeline_may_end_with_the_trainer);
  return suite;
}

GST_CHECK_MAIN (resnetfinetune_stops)
