/* SPDX-License-Identifier: BSD-3-Clause */

/* Elements stopped, flushed, ended and answered at any time, each alone. */

#include "tlstage.h"

#include <gst/check/gstcheck.h>

#include <tlsamplemeta.h>

#define N_ROUNDS 20
#define WORK_MS 20
#define N_KINDS ((gint) G_N_ELEMENTS (kinds))

static const gchar *const kinds[] = {"datasetsrc", "imagedecode", "augment",
    "slowwork"};

/* Filters only. */
static const gchar *const filters[] = {"imagedecode", "augment", "slowwork",
    "batcher"};
#define N_FILTERS ((gint) G_N_ELEMENTS (filters))

/* ---- Stops and flushes ---- */

GST_START_TEST (stops_at_any_time)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  Stage stage;

  stage_init (&stage, kinds[__i__]);
  for (guint i = 0; i < N_ROUNDS; i++) {
    stage_start (&stage);
    g_usleep ((gulong) g_rand_int_range (rand, 0, 4000));
    stage_stall (&stage, i % 4 == 1);
    stage_stop (&stage, i % 3 ? GST_STATE_READY : GST_STATE_NULL, i % 2);
    fail_unless (stage_is_source (&stage) || stage.flow == GST_FLOW_FLUSHING);
    stage_expect_errors (&stage, 0);
  }
  stage_clear (&stage);
}
GST_END_TEST

GST_START_TEST (flushes_at_any_time)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  Stage stage;

  stage_init (&stage, kinds[__i__]);
  stage_start (&stage);
  for (guint i = 0; i < N_ROUNDS; i++) {
    guint n;

    g_usleep ((gulong) g_rand_int_range (rand, 0, 4000));
    stage_stall (&stage, i % 4 == 1);
    stage_flush (&stage);
    g_mutex_lock (&stage.lock);
    n = stage.n_taken;
    g_mutex_unlock (&stage.lock);
    stage_wait_for_buffers (&stage, n + 3);
  }
  stage_stop (&stage, GST_STATE_READY, TRUE);
  stage_expect_errors (&stage, 0);
  stage_clear (&stage);
}
GST_END_TEST

static gpointer
flush_often (gpointer data)
{
  Stage *stage = data;
  GstPad *pad = gst_element_get_static_pad (stage->element, "sink");

  for (guint i = 0; i < 50; i++) {
    gst_pad_send_event (pad, gst_event_new_flush_start ());
    gst_pad_send_event (pad, gst_event_new_flush_stop (TRUE));
    g_usleep (100);
  }
  gst_object_unref (pad);
  return NULL;
}

/* A flush may pass the pads while they are being closed. */
GST_START_TEST (flushes_meet_stops)
{
  Stage stage;

  stage_init (&stage, filters[__i__]);
  for (guint i = 0; i < N_ROUNDS; i++) {
    GThread *thread = g_thread_new ("flush", flush_often, &stage);

    for (guint k = 0; k < 5; k++) {
      fail_unless (gst_element_set_state (stage.element, GST_STATE_PAUSED)
          != GST_STATE_CHANGE_FAILURE);
      fail_unless (gst_element_set_state (stage.element, GST_STATE_READY)
          != GST_STATE_CHANGE_FAILURE);
    }
    g_thread_join (thread);
  }
  stage_expect_errors (&stage, 0);
  stage_clear (&stage);
}
GST_END_TEST

GST_START_TEST (flush_is_harmless_in_any_state)
{
  static const GstState states[] = {GST_STATE_NULL, GST_STATE_READY,
      GST_STATE_PAUSED, GST_STATE_PLAYING, GST_STATE_READY, GST_STATE_NULL};
  g_autoptr (GstPad) pad = NULL;
  Stage stage;

  stage_init (&stage, filters[__i__]);
  pad = gst_element_get_static_pad (stage.element, "sink");
  for (guint i = 0; i < G_N_ELEMENTS (states); i++) {
    fail_unless_equals_int (gst_element_set_state (stage.element, states[i]),
        GST_STATE_CHANGE_SUCCESS);
    gst_pad_send_event (pad, gst_event_new_flush_stop (TRUE));
    gst_pad_send_event (pad, gst_event_new_flush_start ());
    gst_pad_send_event (pad, gst_event_new_flush_start ());
    gst_pad_send_event (pad, gst_event_new_flush_stop (TRUE));
  }
  stage_start (&stage);
  stage_wait_for_buffers (&stage, 3);
  stage_clear (&stage);
}
GST_END_TEST

/* The src pad is closed first: what comes then is no failure. */
GST_START_TEST (what_comes_between_the_pads_is_refused_as_flushing)
{
  GstPad *src;
  Stage stage;

  stage_init (&stage, filters[__i__]);
  stage_start (&stage);
  stage_wait_for_buffers (&stage, 3);
  src = gst_element_get_static_pad (stage.element, "src");
  stage_hold (&stage, TRUE);
  gst_pad_set_active (src, FALSE);
  fail_unless_equals_int (stage_wait_for_flow (&stage), GST_FLOW_FLUSHING);
  stage_stop (&stage, GST_STATE_READY, TRUE);

  fail_unless (gst_element_set_state (stage.element, GST_STATE_PLAYING)
      != GST_STATE_CHANGE_FAILURE);
  gst_pad_set_active (src, FALSE);
  stage_start (&stage);
  stage_hold (&stage, TRUE);
  fail_unless_equals_int (stage_wait_for_flow (&stage), GST_FLOW_FLUSHING);
  gst_object_unref (src);
  stage_clear (&stage);
}
GST_END_TEST

/* Lets the source go on, from any buffer, with a gap after it if @may_skip. */
static void
expect_buffers_again (Stage *stage, gboolean may_skip)
{
  guint n;

  g_mutex_lock (&stage->lock);
  stage->next = GST_BUFFER_OFFSET_NONE;
  stage->may_skip |= may_skip;
  n = stage->n_taken;
  g_mutex_unlock (&stage->lock);
  stage_hold (stage, FALSE);
  stage_wait_for_buffers (stage, n + 3);
}

/* A pad is closed and opened again while data comes. */
GST_START_TEST (pads_close_in_any_order)
{
  static const gchar *const order[] = {"src", "sink", "src", "src", "sink",
      "sink"};
  Stage stage;

  stage_init (&stage, filters[__i__]);
  stage_start (&stage);
  for (guint i = 0; i < G_N_ELEMENTS (order); i++) {
    g_autoptr (GstPad) pad =
        gst_element_get_static_pad (stage.element, order[i]);

    stage_hold (&stage, TRUE);
    gst_pad_set_active (pad, FALSE);
    fail_unless_equals_int (stage_wait_for_flow (&stage), GST_FLOW_FLUSHING);
    fail_unless (gst_pad_set_active (pad, TRUE));
    expect_buffers_again (&stage, FALSE);
  }
  stage_expect_errors (&stage, 0);
  stage_clear (&stage);
}
GST_END_TEST

/* ---- EOS ---- */

GST_START_TEST (eos_comes_in_any_state)
{
  Stage stage;

  stage_init (&stage, kinds[__i__]);
  fail_if (stage_send_eos (&stage));
  gst_element_set_state (stage.element, GST_STATE_READY);
  fail_if (stage_send_eos (&stage));

  /* What was refused has no effect. */
  for (guint i = 0; i < 2; i++) {
    stage_start (&stage);
    stage_wait_for_buffers (&stage, 30);
    fail_unless_equals_int (stage.n_eos, 0);
    fail_unless (stage_send_eos (&stage));
    stage_send_eos (&stage);
    stage_wait_for_eos (&stage, 1);
    stage_stop (&stage, GST_STATE_READY, TRUE);
    fail_unless_equals_int (stage.n_eos, 1);
  }
  stage_expect_errors (&stage, 0);
  stage_clear (&stage);
}
GST_END_TEST

GST_START_TEST (eos_right_after_a_flush_comes_through)
{
  Stage stage;

  stage_init (&stage, kinds[__i__]);
  for (guint i = 0; i < N_ROUNDS; i++) {
    stage_start (&stage);
    stage_wait_for_buffers (&stage, i);
    stage_flush (&stage);
    fail_unless (stage_send_eos (&stage));
    stage_wait_for_eos (&stage, 1);
    stage_stop (&stage, GST_STATE_READY, i % 2);
  }
  stage_expect_errors (&stage, 0);
  stage_clear (&stage);
}
GST_END_TEST

GST_START_TEST (eos_on_its_way_does_not_hold_up_a_stop)
{
  Stage stage;

  stage_init (&stage, kinds[__i__]);
  for (guint i = 0; i < N_ROUNDS; i++) {
    stage_start (&stage);
    stage_wait_for_buffers (&stage, i % 5);
    stage_send_eos (&stage);
    g_usleep (i * 20);
    stage_stop (&stage, GST_STATE_READY, i % 2);
    fail_unless (stage.n_eos <= 1);
  }
  stage_expect_errors (&stage, 0);
  stage_clear (&stage);
}
GST_END_TEST

/* ---- What downstream answers ---- */

static const struct
{
  GstFlowReturn flow;
  guint n_errors; /* that a source posts: nobody else can */
} answers[] = {
    {GST_FLOW_ERROR, 1},
    {GST_FLOW_NOT_NEGOTIATED, 1},
    {GST_FLOW_NOT_LINKED, 1},
    {GST_FLOW_EOS, 0},
    {GST_FLOW_FLUSHING, 0},
};

/* Twice, as after an error it must play again. */
static void
expect_end (Stage *stage, guint i)
{
  stage_start (stage);
  stage_wait_for_buffers (stage, 3);
  stage_stall (stage, TRUE);
  stage_hold (stage, TRUE);
  stage_answer (stage, answers[i].flow);
  stage_stall (stage, FALSE);
  if (stage_is_source (stage)) {
    stage_wait_for_pause (stage);
  } else {
    fail_unless_equals_int (stage_wait_for_flow (stage), answers[i].flow);
  }
  stage_stop (stage, GST_STATE_READY, TRUE);
  stage_expect_errors (stage,
      stage_is_source (stage) ? answers[i].n_errors : 0);
}

GST_START_TEST (answer_of_downstream_ends_the_stream)
{
  Stage stage;

  stage_init (&stage, kinds[__i__]);
  for (guint i = 0; i < 2 * G_N_ELEMENTS (answers); i++)
    expect_end (&stage, i / 2);
  stage_start (&stage);
  stage_wait_for_buffers (&stage, 100);
  stage_clear (&stage);
}
GST_END_TEST

/* Of what waits in the queue at most the pictures in work are finished. */
GST_START_TEST (nothing_is_worked_on_for_a_stream_that_has_ended)
{
  gint n;
  Stage stage;

  stage_init (&stage, "slowwork");
  g_atomic_int_set (&stage_work_ms, WORK_MS);
  stage_start (&stage);
  stage_answer (&stage, GST_FLOW_ERROR);
  stage_wait_for_buffers (&stage, 1);
  n = g_atomic_int_get (&stage_n_works);
  fail_unless_equals_int (stage_wait_for_flow (&stage), GST_FLOW_ERROR);
  /* Long enough for all that was queued. */
  g_usleep (2 * STAGE_CAPACITY * WORK_MS * 1000 / STAGE_THREADS);
  fail_unless (g_atomic_int_get (&stage_n_works) <= n + STAGE_THREADS,
      "%d works after the end", g_atomic_int_get (&stage_n_works) - n);
  stage_clear (&stage);
}
GST_END_TEST

/* Inside: what is queued, one that waits to get in, one on its way out. */
GST_START_TEST (stalled_consumer_stops_everything)
{
  gint n;
  Stage stage;

  stage_init (&stage, kinds[__i__]);
  stage_start (&stage);
  stage_stall (&stage, TRUE);
  do {
    n = g_atomic_int_get (&stage.n_fed);
    g_usleep (20000);
  } while (g_atomic_int_get (&stage.n_fed) != n);
  fail_unless (n - (gint) stage.n_taken <= STAGE_CAPACITY + 2,
      "%d buffers are inside", n - (gint) stage.n_taken);
  stage_stall (&stage, FALSE);
  stage_wait_for_buffers (&stage, (guint) n);
  stage_stop (&stage, GST_STATE_READY, TRUE);
  stage_expect_errors (&stage, 0);
  stage_clear (&stage);
}
GST_END_TEST

GST_START_TEST (stalled_consumer_stops_the_source)
{
  gint64 before, after;
  Stage stage;

  stage_init (&stage, "datasetsrc");
  stage_start (&stage);
  stage_wait_for_buffers (&stage, 3);
  stage_stall (&stage, TRUE);
  g_usleep (20000);
  gst_element_query_position (stage.element, GST_FORMAT_TIME, &before);
  g_usleep (20000);
  gst_element_query_position (stage.element, GST_FORMAT_TIME, &after);
  fail_unless_equals_int64 (before, after);
  stage_clear (&stage);
}
GST_END_TEST

/* ---- Links ---- */

/* As behind a tee, which goes on when one branch is not linked. */
GST_START_TEST (what_is_linked_again_gets_buffers_again)
{
  g_autoptr (GstPad) src = NULL;
  Stage stage;

  stage_init (&stage, filters[__i__]);
  src = gst_element_get_static_pad (stage.element, "src");
  stage_start (&stage);
  for (guint i = 0; i < 3; i++) {
    stage_wait_for_buffers (&stage, 3);
    stage_hold (&stage, TRUE);
    gst_pad_unlink (src, stage.take);
    fail_unless_equals_int (stage_wait_for_flow (&stage), GST_FLOW_NOT_LINKED);
    fail_unless_equals_int (gst_pad_link (src, stage.take), GST_PAD_LINK_OK);
    /* One that was on its way may come before the gap. */
    expect_buffers_again (&stage, TRUE);
  }
  stage_expect_errors (&stage, 0);
  stage_clear (&stage);
}
GST_END_TEST

/* ---- Seeks and caps ---- */

GST_START_TEST (seek_is_refused)
{
  Stage stage;

  stage_init (&stage, kinds[__i__]);
  fail_if (gst_element_seek_simple (stage.element, GST_FORMAT_TIME,
      GST_SEEK_FLAG_NONE, 0));
  stage_start (&stage);
  stage_wait_for_buffers (&stage, 3);
  fail_if (gst_element_seek_simple (stage.element, GST_FORMAT_TIME,
      GST_SEEK_FLAG_FLUSH, GST_SECOND));
  fail_if (gst_element_seek (stage.element, 2.0, GST_FORMAT_TIME,
      GST_SEEK_FLAG_NONE, GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_NONE, 0));
  stage_wait_for_buffers (&stage, 100);
  stage_expect_errors (&stage, 0);
  stage_clear (&stage);
}
GST_END_TEST

static Suite *
flow_suite (void)
{
  Suite *suite = suite_create ("flow");
  TCase *tc = tcase_create ("flow");

  stage_register ();
  tcase_add_checked_fixture (tc, stage_set_up, stage_tear_down);
  tcase_add_loop_test (tc, stops_at_any_time, 0, N_KINDS);
  tcase_add_loop_test (tc, flushes_at_any_time, 0, N_KINDS);
  tcase_add_loop_test (tc, flushes_meet_stops, 0, N_FILTERS);
  tcase_add_loop_test (tc, flush_is_harmless_in_any_state, 0, N_FILTERS);
  tcase_add_loop_test (tc, what_comes_between_the_pads_is_refused_as_flushing,
      0, N_FILTERS);
  tcase_add_loop_test (tc, pads_close_in_any_order, 0, N_FILTERS - 1);
  tcase_add_loop_test (tc, eos_comes_in_any_state, 0, N_KINDS);
  tcase_add_loop_test (tc, eos_right_after_a_flush_comes_through, 0, N_KINDS);
  tcase_add_loop_test (tc, eos_on_its_way_does_not_hold_up_a_stop, 0, N_KINDS);
  tcase_add_loop_test (tc, answer_of_downstream_ends_the_stream, 0, N_KINDS);
  tcase_add_test (tc, nothing_is_worked_on_for_a_stream_that_has_ended);
  tcase_add_loop_test (tc, stalled_consumer_stops_everything, 1, N_KINDS);
  tcase_add_test (tc, stalled_consumer_stops_the_source);
  tcase_add_loop_test (tc, what_is_linked_again_gets_buffers_again, 0,
      N_FILTERS);
  tcase_add_loop_test (tc, seek_is_refused, 0, N_KINDS);
  suite_add_tcase (suite, tc);
  return suite;
}

GST_CHECK_MAIN (flow);
