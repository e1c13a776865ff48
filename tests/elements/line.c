/* SPDX-License-Identifier: BSD-3-Clause */

/* The whole line is stopped, flushed, paused and mistreated. */

#include "tlline.h"
#include "tltree.h"

#include <string.h>

#include <gst/check/gstcheck.h>

#define N_ROUNDS 20

/* ---- Stops ---- */

GST_START_TEST (stops_at_any_time)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);

  line_slow_down (3);
  for (guint i = 0; i < N_ROUNDS; i++) {
    GstState state = i % 4 == 3 ? GST_STATE_PAUSED : GST_STATE_PLAYING;
    gulong wait = (gulong) g_rand_int_range (rand, 0, 60000);
    Line line;

    line_init (&line, "run");
    line_set_state (&line, state);
    g_usleep (wait);
    if (i % 3 == 0)
      line_set_state (&line, GST_STATE_PAUSED);
    line_clear (&line);
  }
}
GST_END_TEST

GST_START_TEST (stopped_to_ready_trains_the_same_again)
{
  Line line;

  line_init (&line, "whole");
  line_set_state (&line, GST_STATE_PLAYING);
  line_expect_eos (&line);
  line_clear (&line);

  line_init (&line, "again");
  for (guint i = 0; i < 2; i++) {
    line_set_state (&line, GST_STATE_PLAYING);
    line_wait_for_checkpoints (&line, 1);
    line_set_state (&line, GST_STATE_READY);
  }
  line_set_state (&line, GST_STATE_PLAYING);
  line_expect_eos (&line);
  line_set_state (&line, GST_STATE_READY);
  line_set_state (&line, GST_STATE_PLAYING);
  line_expect_eos (&line);
  line_clear (&line);
  line_expect_same ("whole", "again");
}
GST_END_TEST

/* ---- Pauses ---- */

GST_START_TEST (pause_stops_training_and_changes_nothing)
{
  Line line;

  line_init (&line, "whole");
  line_set_state (&line, GST_STATE_PLAYING);
  line_expect_eos (&line);
  line_clear (&line);

  line_slow_down (5);
  line_init (&line, "paused");
  line_set_state (&line, GST_STATE_PLAYING);
  for (gint i = 1; i <= 3; i++) {
    gint n;

    line_wait_for_checkpoints (&line, 2 * i);
    line_set_state (&line, GST_STATE_PAUSED);
    /* The running step may end. */
    g_usleep (60000);
    n = g_atomic_int_get (&line.n_checkpoints);
    g_usleep (60000);
    fail_unless_equals_int (g_atomic_int_get (&line.n_checkpoints), n);
    line_set_state (&line, GST_STATE_PLAYING);
  }
  line_expect_eos (&line);
  line_clear (&line);
  line_expect_same ("whole", "paused");
}
GST_END_TEST

/* ---- Flushes ---- */

static void
flush (Line *line)
{
  fail_unless (
      gst_element_send_event (line->source, gst_event_new_flush_start ()));
  fail_unless (
      gst_element_send_event (line->source, gst_event_new_flush_stop (TRUE)));
}

GST_START_TEST (flushes_at_any_time)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (11);
  Line line;

  line_slow_down (1);
  line_init (&line, "run");
  g_object_set (line.source, "epochs", 0, NULL);
  line_set_state (&line, GST_STATE_PLAYING);
  for (guint i = 0; i < N_ROUNDS; i++) {
    gint n = g_atomic_int_get (&line.n_checkpoints);

    g_usleep ((gulong) g_rand_int_range (rand, 0, 20000));
    flush (&line);
    line_wait_for_checkpoints (&line, n + 2);
  }
  fail_unless (gst_element_send_event (line.pipeline, gst_event_new_eos ()));
  line_expect_eos (&line);
  line_clear (&line);
}
GST_END_TEST

GST_START_TEST (seek_is_refused)
{
  Line line;

  line_init (&line, "run");
  line_set_state (&line, GST_STATE_PLAYING);
  fail_if (gst_element_seek_simple (line.pipeline, GST_FORMAT_TIME,
      GST_SEEK_FLAG_FLUSH, 0));
  line_expect_eos (&line);
  line_clear (&line);
}
GST_END_TEST

/* ---- EOS from outside ---- */

GST_START_TEST (eos_is_sent_in_any_state)
{
  static const GstState states[] = {GST_STATE_NULL, GST_STATE_READY,
      GST_STATE_PAUSED, GST_STATE_PLAYING};

  line_slow_down (5);
  for (guint i = 0; i < G_N_ELEMENTS (states); i++) {
    gboolean taken;
    Line line;

    line_init (&line, "run");
    line_set_state (&line, states[i]);
    if (states[i] == GST_STATE_PLAYING)
      line_wait_for_checkpoints (&line, 2);
    /* Until every queue is full and the source waits behind them. */
    if (states[i] == GST_STATE_PAUSED)
      g_usleep (G_USEC_PER_SEC / 2);
    taken = gst_element_send_event (line.pipeline, gst_event_new_eos ());
    line_set_state (&line, GST_STATE_PLAYING);
    line_expect_eos (&line);
    fail_if (states[i] == GST_STATE_PLAYING && !taken);
    line_clear (&line);
  }
}
GST_END_TEST

/* The trainer ends what it has begun before it pauses. */
GST_START_TEST (end_is_taken_in_pause)
{
  g_autoptr (GstPad) pad = NULL;
  GstSegment segment;
  Line line;

  line_init (&line, "run");
  line_set_state (&line, GST_STATE_PAUSED);
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  pad = gst_element_get_static_pad (line.sink, "sink");
  fail_unless (gst_pad_send_event (pad, gst_event_new_stream_start ("x")));
  fail_unless (gst_pad_send_event (pad, gst_event_new_segment (&segment)));
  fail_unless (gst_pad_send_event (pad, gst_event_new_eos ()));
  line_clear (&line);
}
GST_END_TEST

/* Who pauses when the end has come, and plays again, is told again. */
GST_START_TEST (end_is_told_again_after_a_pause)
{
  Line line;

  line_init (&line, __i__ ? "run" : NULL);
  line_set_state (&line, GST_STATE_PLAYING);
  line_expect_eos (&line);
  for (guint i = 0; i < 2; i++) {
    line_set_state (&line, GST_STATE_PAUSED);
    line_set_state (&line, GST_STATE_PLAYING);
    line_expect_eos (&line);
  }
  line_clear (&line);
}
GST_END_TEST

/* ---- Errors and properties ---- */

GST_START_TEST (plays_after_the_mistake_is_mended)
{
  g_autofree gchar *file = g_build_filename (line_data, "odd/01.png", NULL);
  Line line;

  line_init (&line, "run");
  g_object_set (line.source, "location", "/no/such/folder", NULL);
  fail_unless_equals_int (gst_element_set_state (line.pipeline,
                              GST_STATE_PLAYING),
      GST_STATE_CHANGE_FAILURE);
  line_expect_error (&line, "/no/such/folder");
  line_set_state (&line, GST_STATE_NULL);

  g_object_set (line.source, "location", line_data, NULL);
  g_object_set (line.trainer, "lr", -1.0, NULL);
  fail_unless_equals_int (gst_element_set_state (line.pipeline,
                              GST_STATE_PLAYING),
      GST_STATE_CHANGE_FAILURE);
  line_expect_error (&line, "lr=-1");
  line_set_state (&line, GST_STATE_NULL);

  g_object_set (line.trainer, "lr", 0.01, "weights", file, NULL);
  fail_unless_equals_int (gst_element_set_state (line.pipeline,
                              GST_STATE_PLAYING),
      GST_STATE_CHANGE_FAILURE);
  line_expect_error (&line, "01.png");
  line_set_state (&line, GST_STATE_NULL);

  g_object_set (line.trainer, "weights", "random", NULL);
  line_set_state (&line, GST_STATE_PLAYING);
  line_expect_eos (&line);
  line_clear (&line);
}
GST_END_TEST

GST_START_TEST (plays_after_an_error_within_the_run)
{
  Line line;

  tree_add (line_data, "odd/broken.png");
  line_init (&line, "run");
  gst_util_set_object_arg (G_OBJECT (line.decoder), "on-error", "fail");
  line_set_state (&line, GST_STATE_PLAYING);
  line_expect_error (&line, "broken.png");
  line_set_state (&line, GST_STATE_READY);
  /* The source's own, about its task. */
  gst_bus_set_flushing (line.bus, TRUE);
  gst_bus_set_flushing (line.bus, FALSE);
  gst_util_set_object_arg (G_OBJECT (line.decoder), "on-error", "skip");
  line_set_state (&line, GST_STATE_PLAYING);
  line_expect_eos (&line);
  line_clear (&line);
}
GST_END_TEST

/* gst-launch-1.0 forgets an error that comes before it waits for the end. */
GST_START_TEST (error_of_the_source_ends_the_line_too)
{
  g_autofree gchar *last =
      g_build_filename (line_folder, "run", "last.safetensors", NULL);
  Line line;

  line_init (&line, "run");
  line_set_state (&line, GST_STATE_PLAYING);
  line_expect_eos (&line);
  line_clear (&line);

  line_init (&line, "run");
  g_object_set (line.trainer, "weights", "", "resume", last, NULL);
  line_set_state (&line, GST_STATE_PLAYING);
  line_expect_error (&line, "set epochs above 2 to go on");
  line_expect_eos (&line);
  line_clear (&line);
}
GST_END_TEST

static gboolean
is_settable (const GParamSpec *pspec)
{
  return (pspec->flags & G_PARAM_WRITABLE)
      && !(pspec->flags & G_PARAM_CONSTRUCT_ONLY)
      && pspec->owner_type != GST_TYPE_OBJECT
      && strcmp (pspec->name, "name") != 0
      && strcmp (pspec->name, "parent") != 0;
}

/* Another value of the same type, in range: 1 more, or a longer text. */
static void
change_property (GstElement *element, GParamSpec *pspec)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, pspec->value_type);
  g_object_get_property (G_OBJECT (element), pspec->name, &value);
  if (G_VALUE_HOLDS_UINT (&value))
    g_value_set_uint (&value, g_value_get_uint (&value) + 29);
  else if (G_VALUE_HOLDS_BOOLEAN (&value))
    g_value_set_boolean (&value, !g_value_get_boolean (&value));
  else if (G_VALUE_HOLDS_STRING (&value))
    g_value_set_string (&value, "/another/value");
  else if (G_VALUE_HOLDS_DOUBLE (&value))
    g_value_set_double (&value, g_value_get_double (&value) + 0.25);
  g_object_set_property (G_OBJECT (element), pspec->name, &value);
  g_value_unset (&value);
}

static void
change_properties (GstElement *element)
{
  guint n;
  g_autofree GParamSpec **pspecs =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);

  for (guint i = 0; i < n; i++) {
    if (is_settable (pspecs[i]))
      change_property (element, pspecs[i]);
  }
}

GST_START_TEST (properties_that_change_while_playing_wait_for_the_next_run)
{
  Line line;

  line_init (&line, "whole");
  line_set_state (&line, GST_STATE_PLAYING);
  line_expect_eos (&line);
  line_clear (&line);

  line_slow_down (5);
  line_init (&line, "changed");
  line_set_state (&line, GST_STATE_PLAYING);
  line_wait_for_checkpoints (&line, 2);
  change_properties (line.source);
  change_properties (line.decoder);
  change_properties (line.augment);
  change_properties (line.batcher);
  change_properties (line.trainer);
  change_properties (line.sink);
  line_expect_eos (&line);
  line_clear (&line);
  line_expect_same ("whole", "changed");
}
GST_END_TEST

/* ---- Links ---- */

GST_START_TEST (trainer_may_end_the_line_or_get_its_sink_late)
{
  Line line;

  line_init (&line, NULL);
  line_set_state (&line, GST_STATE_PLAYING);
  line_expect_eos (&line);
  line_clear (&line);

  /* Without end: the run must not be over before the sink is there. */
  line_slow_down (5);
  line_init (&line, NULL);
  g_object_set (line.source, "epochs", 0, NULL);
  line_set_state (&line, GST_STATE_PLAYING);
  g_usleep (20000);
  line_add_sink (&line, "late");
  line_wait_for_checkpoints (&line, 1);
  fail_unless (gst_element_send_event (line.pipeline, gst_event_new_eos ()));
  line_expect_eos (&line);
  line_clear (&line);
  line_expect_same ("late", "late");
}
GST_END_TEST

GST_START_TEST (two_lines_run_side_by_side)
{
  Line a, b;

  line_init (&a, "a");
  line_init (&b, "b");
  line_set_state (&a, GST_STATE_PLAYING);
  line_set_state (&b, GST_STATE_PLAYING);
  line_expect_eos (&a);
  line_expect_eos (&b);
  line_clear (&a);
  line_clear (&b);
  line_expect_same ("a", "b");
}
GST_END_TEST

static Suite *
line_suite (void)
{
  Suite *suite = suite_create ("line");
  TCase *tcase = tcase_create ("line");

  line_register ();
  tcase_add_checked_fixture (tcase, line_set_up, line_tear_down);
  tcase_add_test (tcase, stops_at_any_time);
  tcase_add_test (tcase, stopped_to_ready_trains_the_same_again);
  tcase_add_test (tcase, pause_stops_training_and_changes_nothing);
  tcase_add_test (tcase, flushes_at_any_time);
  tcase_add_test (tcase, seek_is_refused);
  tcase_add_test (tcase, eos_is_sent_in_any_state);
  tcase_add_test (tcase, end_is_taken_in_pause);
  tcase_add_loop_test (tcase, end_is_told_again_after_a_pause, 0, 2);
  tcase_add_test (tcase, plays_after_the_mistake_is_mended);
  tcase_add_test (tcase, plays_after_an_error_within_the_run);
  tcase_add_test (tcase, error_of_the_source_ends_the_line_too);
  tcase_add_test (tcase,
      properties_that_change_while_playing_wait_for_the_next_run);
  tcase_add_test (tcase, trainer_may_end_the_line_or_get_its_sink_late);
  tcase_add_test (tcase, two_lines_run_side_by_side);
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (line);
