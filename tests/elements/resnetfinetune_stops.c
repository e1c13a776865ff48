/* SPDX-License-Identifier: BSD-3-Clause */

/* The trainer when it is paused, flushed, stopped and started again. */

#include "tlfeed.h"
#include "tlrig.h"
#include "tlstress.h"

#include <gst/check/gstcheck.h>

#include <tlcheckpoint.h>

#include "tlcheckpointsink.h"
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

/* A checkpoint per step, so that what follows is asked often. */
static GstElement *
make (void)
{
  GstElement *trainer = gst_element_factory_make ("resnetfinetune", NULL);

  g_object_set (trainer, "weights", rig_weights, "report-interval", 0, "lr",
      0.1, "checkpoint-every", "1", NULL);
  return trainer;
}

static GstFlowReturn
stream (GstPad *pad)
{
  Feed feed = FEED_INIT;

  feed.epochs = 100000;
  return feed_all (&feed, pad);
}

static const StressAnswer answers[STRESS_N_ANSWERS] = {
    {GST_FLOW_ERROR, GST_FLOW_ERROR},
    {GST_FLOW_EOS, GST_FLOW_EOS},
    {GST_FLOW_FLUSHING, GST_FLOW_FLUSHING},
    /* It posts an error: at the end of the last phase nobody else would. */
    {GST_FLOW_NOT_LINKED, GST_FLOW_ERROR},
    {GST_FLOW_NOT_NEGOTIATED, GST_FLOW_ERROR},
};

static const StressSubject subject = {make, stream, answers};

/* ---- What an event pushes ---- */

/* Checkpoints are pushed by tl-phase-end alone. */
static GstElement *
make_slow (void)
{
  GstElement *trainer = make ();

  g_object_set (trainer, "checkpoint-every", "epoch", NULL);
  return trainer;
}

GST_START_TEST (test_error_behind_an_event_ends_with_the_next_batch)
{
  static const StressSubject slow = {make_slow, stream};
  Stress stress;

  stress_init (&stress, &slow);
  g_atomic_int_set (&stress.answer, GST_FLOW_ERROR);
  stress_play (&stress);
  stress_join (&stress, GST_FLOW_ERROR);
  /* 5 batches of training, 3 of validation, and none of the next epoch. */
  fail_unless_equals_int (g_atomic_int_get (&stress.n_fed), 8);
  stress_clear (&stress);
}
GST_END_TEST;

/* One epoch: its end is the only thing that pushes, and no batch follows. */
static GstFlowReturn
stream_one_epoch (GstPad *pad)
{
  Feed feed = FEED_INIT;

  feed.epochs = 1;
  return feed_all (&feed, pad);
}

GST_START_TEST (test_what_takes_no_checkpoint_is_an_error_at_the_end)
{
  static const StressSubject one_epoch = {make_slow, stream_one_epoch};
  Stress stress;

  stress_init (&stress, &one_epoch);
  g_atomic_int_set (&stress.answer, GST_FLOW_NOT_LINKED);
  stress_play (&stress);
  stress_join (&stress, GST_FLOW_OK);
  stress_expect_error (&stress,
      "does not take its checkpoints (not-linked): put checkpointsink");
  stress_clear (&stress);
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

/* The first checkpoint is what begins the stream. */
GST_START_TEST (test_flush_at_the_first_checkpoint_loses_no_segment)
{
  Feed feed = FEED_INIT;
  g_autoptr (GstPad) src = NULL, pad = NULL;
  g_autoptr (GstEvent) segment = NULL;
  Rig rig;

  feed.max_batches = 1;
  rig_init (&rig);
  g_object_set (rig.trainer, "checkpoint-every", "1", NULL);
  rig_play (&rig);
  src = gst_element_get_static_pad (rig.trainer, "src");
  gst_pad_push_event (src, gst_event_new_flush_start ());
  feed_begin (&feed, rig.pad);
  fail_unless_equals_int (feed_run (&feed, rig.pad, NULL), GST_FLOW_FLUSHING);
  gst_pad_push_event (src, gst_event_new_flush_stop (TRUE));
  feed.start = (TlCursor){.resume = TRUE, .position = 4};
  feed_run (&feed, rig.pad, NULL);
  fail_unless_equals_int (rig.checkpoints->len, 1);
  pad = gst_element_get_static_pad (rig.sink, "sink");
  segment = gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  fail_unless (segment != NULL);
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

/* Its parameters may be anything: the last good file stays. */
GST_START_TEST (test_a_failed_run_leaves_no_checkpoint)
{
  Feed feed = FEED_INIT;
  Rig rig;

  rig_init (&rig);
  g_object_set (rig.trainer, "lr", 1e38, NULL);
  rig_play (&rig);
  feed_begin (&feed, rig.pad);
  fail_unless_equals_int (feed_run (&feed, rig.pad, NULL), GST_FLOW_ERROR);
  fail_unless (ask_final_checkpoint (&rig) == NULL);
  rig_clear (&rig);
}
GST_END_TEST;

/* Lets so many checkpoints through; the next meets a stop. */
static GstPadProbeReturn
stop_at (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  guint *n_left = user;

  if ((*n_left)-- > 0)
    return GST_PAD_PROBE_OK;
  gst_buffer_unref (GST_PAD_PROBE_INFO_BUFFER (info));
  GST_PAD_PROBE_INFO_DATA (info) = NULL;
  GST_PAD_PROBE_INFO_FLOW_RETURN (info) = GST_FLOW_FLUSHING;
  return GST_PAD_PROBE_HANDLED;
}

/* A stop before the checkpoint of an epoch's end, or of the last, is written
 * takes that very checkpoint: a run that is over is never called interrupted. */
GST_START_TEST (test_a_stop_at_the_end_of_an_epoch_gives_its_checkpoint)
{
  Feed feed = FEED_INIT;
  g_autoptr (GPtrArray) whole = NULL;
  Rig rig;

  rig_init (&rig);
  rig_play (&rig);
  feed_all (&feed, rig.pad);
  rig_expect_eos (&rig);
  whole = g_ptr_array_ref (rig.checkpoints);
  rig_clear (&rig);
  fail_unless_equals_int (whole->len, 3);
  for (guint i = 0; i < whole->len; i++) {
    g_autoptr (GstPad) src = NULL;
    g_autoptr (GstBuffer) buffer = NULL;
    GBytes *expected = g_ptr_array_index (whole, i);
    guint n_left = i;

    rig_init (&rig);
    src = gst_element_get_static_pad (rig.trainer, "src");
    gst_pad_add_probe (src, GST_PAD_PROBE_TYPE_BUFFER, stop_at, &n_left, NULL);
    rig_play (&rig);
    feed_begin (&feed, rig.pad);
    feed.max_batches = 8 * (i + 1);
    feed_run (&feed, rig.pad, NULL);
    fail_unless (n_left == G_MAXUINT, "the stop was not met");
    buffer = ask_final_checkpoint (&rig);
    fail_unless (buffer != NULL);
    fail_unless_equals_uint64 (gst_buffer_get_size (buffer),
        g_bytes_get_size (expected));
    fail_unless (
        gst_buffer_memcmp (buffer, 0, g_bytes_get_data (expected, NULL),
            g_bytes_get_size (expected))
        == 0);
    rig_clear (&rig);
  }
}
GST_END_TEST;

/* What is pushed counts as saved only once it has come to who asks. */
GST_START_TEST (test_what_a_queue_lost_is_given_again)
{
  Feed feed = FEED_INIT;
  Rig rig;

  rig_init (&rig);
  rig_play (&rig);
  feed_all (&feed, rig.pad);
  rig_expect_eos (&rig);
  fail_unless_equals_int (rig.checkpoints->len, 3);
  for (guint64 n = 0; n <= 3; n++) {
    g_autoptr (GstQuery) query = tl_query_new_final_checkpoint ();
    g_autoptr (GstPad) pad = gst_element_get_static_pad (rig.sink, "sink");
    g_autoptr (GstBuffer) buffer = NULL;
    g_autoptr (GBytes) last = g_bytes_ref (rig_last (&rig));

    tl_query_set_final_checkpoint_received (query, n);
    fail_unless (gst_pad_peer_query (pad, query));
    buffer = tl_query_parse_final_checkpoint (query);
    fail_unless ((buffer != NULL) == (n < 3));
    fail_unless (!buffer
        || (gst_buffer_get_size (buffer) == g_bytes_get_size (last)
            && gst_buffer_memcmp (buffer, 0, g_bytes_get_data (last, NULL),
                   g_bytes_get_size (last))
                == 0));
  }
  rig_clear (&rig);
}
GST_END_TEST;

static GstPadProbeReturn
block (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  return GST_PAD_PROBE_OK;
}

/* The queue holds every checkpoint when the pipeline is stopped. */
GST_START_TEST (test_queue_before_the_sink_loses_no_state)
{
  Feed feed = FEED_INIT;
  GstElement *queue = gst_element_factory_make ("queue", NULL);
  GstElement *sink = gst_element_factory_make ("checkpointsink", NULL);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (queue, "src");
  g_autofree gchar *path =
      g_build_filename (rig_folder, "last.safetensors", NULL);
  g_autofree gchar *found = NULL;
  g_autoptr (GBytes) bytes = NULL;
  gsize size;
  Rig rig;

  rig_init (&rig);
  gst_bin_remove (GST_BIN (rig.pipeline), rig.sink);
  rig.sink = sink;
  g_object_set (sink, "location", rig_folder, NULL);
  g_object_set (rig.trainer, "checkpoint-every", "1", NULL);
  gst_bin_add_many (GST_BIN (rig.pipeline), queue, sink, NULL);
  fail_unless (gst_element_link_many (rig.trainer, queue, sink, NULL));
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM, block, NULL,
      NULL);
  rig_play (&rig);
  feed.max_batches = 3;
  feed_begin (&feed, rig.pad);
  feed_run (&feed, rig.pad, NULL);
  gst_element_set_state (rig.pipeline, GST_STATE_NULL);
  fail_unless (g_file_get_contents (path, &found, &size, NULL));
  bytes = g_bytes_new (found, size);
  rig_expect_value (bytes, TL_KEY_STEP, "3");
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
  GST_ELEMENT_REGISTER (checkpointsink, NULL);
  suite_add_tcase (suite, tcase);
  tcase_add_checked_fixture (tcase, rig_set_up, rig_tear_down);
  stress_add_tests (tcase, &subject);
  tcase_add_test (tcase, test_waits_while_paused);
  tcase_add_test (tcase, test_error_behind_an_event_ends_with_the_next_batch);
  tcase_add_test (tcase, test_what_takes_no_checkpoint_is_an_error_at_the_end);
  tcase_add_test (tcase, test_flush_makes_the_phase_incomplete);
  tcase_add_test (tcase, test_flush_at_the_first_checkpoint_loses_no_segment);
  tcase_add_test (tcase, test_unsaved_steps_are_given_to_who_asks);
  tcase_add_test (tcase, test_a_failed_run_leaves_no_checkpoint);
  tcase_add_test (tcase,
      test_a_stop_at_the_end_of_an_epoch_gives_its_checkpoint);
  tcase_add_test (tcase, test_what_a_queue_lost_is_given_again);
  tcase_add_test (tcase, test_queue_before_the_sink_loses_no_state);
  tcase_add_test (tcase, test_runs_again_from_ready);
  tcase_add_test (tcase, test_runs_again_after_an_error);
  tcase_add_test (tcase, test_pipeline_may_end_with_the_trainer);
  return suite;
}

GST_CHECK_MAIN (resnetfinetune_stops)
