/* SPDX-License-Identifier: BSD-3-Clause */

/* PAUSED really pauses training, and changes nothing. */

#include "tlfeed.h"
#include "tlrig.h"

#include <gst/check/gstcheck.h>

#include <pthread.h>
#include <time.h>

#include <tlcheckpoint.h>

#include "tlresnetfinetune.h"

/* ---- A thread that feeds, and stops before a batch where it is told to ---- */

typedef struct
{
  Feed feed;
  Rig *rig;
  GThread *thread;
  clockid_t clock; /* of the thread; valid once a batch was begun */
  gint n_begun;    /* batches; atomic, as below */
  gint hold_at;    /* the thread waits before this one, from 1; 0: never */
} Feeder;

static GstPadProbeReturn
hold (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  Feeder *feeder = user;
  gint n = g_atomic_int_get (&feeder->n_begun) + 1;

  pthread_getcpuclockid (pthread_self (), &feeder->clock);
  g_atomic_int_set (&feeder->n_begun, n);
  while (g_atomic_int_get (&feeder->hold_at) == n)
    g_usleep (200);
  return GST_PAD_PROBE_OK;
}

static gpointer
run_feed (gpointer user)
{
  Feeder *feeder = user;

  return GINT_TO_POINTER (feed_all (&feeder->feed, feeder->rig->pad));
}

/* @feeder: with its feed and hold_at. */
static void
start_feeding (Feeder *feeder, Rig *rig)
{
  feeder->rig = rig;
  gst_pad_add_probe (rig->pad, GST_PAD_PROBE_TYPE_BUFFER, hold, feeder, NULL);
  feeder->thread = g_thread_new ("feed", run_feed, feeder);
}

static GstFlowReturn
join (Feeder *feeder)
{
  return GPOINTER_TO_INT (g_thread_join (feeder->thread));
}

static void
wait_for (gint *counter, gint n)
{
  for (guint i = 0; g_atomic_int_get (counter) < n; i++) {
    fail_unless (i < 50000, "no %d within 10 s", n);
    g_usleep (200);
  }
}

static gint64
get_cpu_time_us (Feeder *feeder)
{
  struct timespec t;

  fail_unless (clock_gettime (feeder->clock, &t) == 0);
  return t.tv_sec * G_USEC_PER_SEC + t.tv_nsec / 1000;
}

static void
set_state (Rig *rig, GstState state)
{
  fail_unless_equals_int (gst_element_set_state (rig->pipeline, state),
      GST_STATE_CHANGE_SUCCESS);
}

/* ---- No step ---- */

static GstPadProbeReturn
count_save (GstPad *pad, GstPadProbeInfo *info, gpointer counter)
{
  g_atomic_int_inc ((gint *) counter);
  return GST_PAD_PROBE_DROP;
}

/* One save per step: @n_steps counts them, and fakesink, which would hold the
 * trainer in PAUSED, does not get them. */
static void
rig_init_counting (Rig *rig, gint *n_steps)
{
  g_autoptr (GstPad) pad = NULL;

  rig_init (rig);
  g_object_set (rig->trainer, "checkpoint-every", "1", NULL);
  pad = gst_element_get_static_pad (rig->trainer, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, count_save, n_steps, NULL);
}

GST_START_TEST (test_no_step_while_paused)
{
  Feeder feeder = {.feed = FEED_INIT};
  gint n_steps = 0, n;
  gint64 cpu;
  Rig rig;

  feeder.feed.epochs = 100000;
  rig_init_counting (&rig, &n_steps);
  rig_play (&rig);
  start_feeding (&feeder, &rig);
  wait_for (&n_steps, 5);
  set_state (&rig, GST_STATE_PAUSED);
  g_usleep (100000); /* the running step */
  n = g_atomic_int_get (&n_steps);
  cpu = get_cpu_time_us (&feeder);
  g_usleep (600000);
  fail_unless_equals_int (g_atomic_int_get (&n_steps), n);
  fail_unless (get_cpu_time_us (&feeder) - cpu < 5000, "it spins");
  rig_play (&rig);
  wait_for (&n_steps, n + 5);
  set_state (&rig, GST_STATE_NULL);
  fail_unless_equals_int (join (&feeder), GST_FLOW_FLUSHING);
  rig_clear (&rig);
}
GST_END_TEST;

/* ---- Nothing changes ---- */

/* Before the first batch there is no model yet; 5 batches of training are
 * followed by 3 of validation. */
GST_START_TEST (test_pauses_before_every_batch_change_nothing)
{
  Feeder feeder = {.feed = FEED_INIT, .hold_at = 1};
  g_autoptr (GBytes) whole = rig_run_to_end (&feeder.feed);
  Rig rig;

  rig_init (&rig);
  rig_play (&rig);
  start_feeding (&feeder, &rig);
  for (gint n = 1; n <= 24; n++) {
    wait_for (&feeder.n_begun, n);
    set_state (&rig, GST_STATE_PAUSED);
    g_atomic_int_set (&feeder.hold_at, n + 1);
    g_usleep (5000);
    fail_unless_equals_int (g_atomic_int_get (&feeder.n_begun), n);
    rig_play (&rig);
  }
  fail_unless_equals_int (join (&feeder), GST_FLOW_OK);
  rig_expect_eos (&rig);
  fail_unless (g_bytes_equal (whole, rig_last (&rig)));
  rig_clear (&rig);
}
GST_END_TEST;

/* ---- A pause while the model is loaded ---- */

typedef struct
{
  gint is_loaded; /* atomic */
  gint go_on;
} Loading;

static GstBusSyncReply
hold_loading (GstBus *bus, GstMessage *message, gpointer user)
{
  Loading *loading = user;

  if (!gst_message_has_name (message, "tl-model"))
    return GST_BUS_PASS;
  g_atomic_int_set (&loading->is_loaded, TRUE);
  while (!g_atomic_int_get (&loading->go_on))
    g_usleep (200);
  return GST_BUS_PASS;
}

GST_START_TEST (test_pause_while_loading_holds_the_first_step)
{
  Feeder feeder = {.feed = FEED_INIT};
  Loading loading = {0};
  gint n_steps = 0;
  Rig rig;

  rig_init_counting (&rig, &n_steps);
  gst_bus_set_sync_handler (rig.bus, hold_loading, &loading, NULL);
  rig_play (&rig);
  start_feeding (&feeder, &rig);
  wait_for (&loading.is_loaded, 1);
  set_state (&rig, GST_STATE_PAUSED);
  g_atomic_int_set (&loading.go_on, TRUE);
  g_usleep (50000);
  fail_unless_equals_int (g_atomic_int_get (&n_steps), 0);
  rig_play (&rig);
  fail_unless_equals_int (join (&feeder), GST_FLOW_OK);
  rig_expect_eos (&rig);
  gst_bus_set_sync_handler (rig.bus, NULL, NULL, NULL);
  rig_clear (&rig);
}
GST_END_TEST;

/* ---- Ways out ---- */

static const GstState ways_out[] = {GST_STATE_READY, GST_STATE_NULL};

GST_START_TEST (test_stop_lets_go_of_who_waits)
{
  Feeder feeder = {.feed = FEED_INIT};
  Rig rig;

  rig_init (&rig);
  set_state (&rig, GST_STATE_PAUSED);
  start_feeding (&feeder, &rig);
  wait_for (&feeder.n_begun, 1);
  g_usleep (10000);
  set_state (&rig, ways_out[__i__]);
  fail_unless_equals_int (join (&feeder), GST_FLOW_FLUSHING);
  fail_unless_equals_int (rig.checkpoints->len, 0);
  rig_clear (&rig);
}
GST_END_TEST;

GST_START_TEST (test_eos_in_paused_waits)
{
  Feeder feeder = {.feed = FEED_INIT};
  g_autoptr (GstMessage) message = NULL;
  Rig rig;

  feeder.feed.max_batches = 2;
  feeder.hold_at = 2;
  rig_init (&rig);
  rig_play (&rig);
  start_feeding (&feeder, &rig);
  wait_for (&feeder.n_begun, 2);
  set_state (&rig, GST_STATE_PAUSED);
  g_atomic_int_set (&feeder.hold_at, 0);
  message = gst_bus_timed_pop_filtered (rig.bus, 50 * GST_MSECOND,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message == NULL);
  rig_play (&rig);
  rig_expect_eos (&rig);
  fail_unless_equals_int (join (&feeder), GST_FLOW_CUSTOM_SUCCESS);
  rig_expect_value (rig_last (&rig), TL_KEY_STEP, "2");
  rig_clear (&rig);
}
GST_END_TEST;

/* ---- save-now ---- */

static guint
count_saves (GstState when)
{
  Feeder feeder = {.feed = FEED_INIT, .hold_at = 3};
  guint n;
  Rig rig;

  feeder.feed.max_batches = 4;
  rig_init (&rig);
  g_object_set (rig.trainer, "checkpoint-every", "none", NULL);
  gst_util_set_object_arg (G_OBJECT (rig.trainer), "on-stop", "nothing");
  set_state (&rig, GST_STATE_READY);
  if (when == GST_STATE_READY)
    g_signal_emit_by_name (rig.trainer, "save-now");
  rig_play (&rig);
  start_feeding (&feeder, &rig);
  wait_for (&feeder.n_begun, 3);
  set_state (&rig, when == GST_STATE_PAUSED ? when : GST_STATE_PLAYING);
  if (when != GST_STATE_READY)
    g_signal_emit_by_name (rig.trainer, "save-now");
  g_atomic_int_set (&feeder.hold_at, 0);
  if (when == GST_STATE_PAUSED)
    g_usleep (20000);
  fail_unless (when != GST_STATE_PAUSED || rig.checkpoints->len == 0);
  rig_play (&rig);
  fail_unless_equals_int (join (&feeder), GST_FLOW_CUSTOM_SUCCESS);
  n = rig.checkpoints->len;
  if (n > 0)
    rig_expect_value (rig_last (&rig), TL_KEY_STEP, "3");
  rig_clear (&rig);
  return n;
}

GST_START_TEST (test_save_now_in_every_state)
{
  fail_unless_equals_int (count_saves (GST_STATE_PLAYING), 1);
  fail_unless_equals_int (count_saves (GST_STATE_PAUSED), 1);
  /* Nothing was learned yet; the start forgets it. */
  fail_unless_equals_int (count_saves (GST_STATE_READY), 0);
}
GST_END_TEST;

static Suite *
resnetfinetune_pause_suite (void)
{
  Suite *suite = suite_create ("resnetfinetune_pause");
  TCase *tcase = tcase_create ("general");

  gst_element_register (NULL, "resnetfinetune", GST_RANK_NONE,
      TL_TYPE_RESNET_FINETUNE);
  suite_add_tcase (suite, tcase);
  tcase_add_checked_fixture (tcase, rig_set_up, rig_tear_down);
  tcase_add_test (tcase, test_no_step_while_paused);
  tcase_add_test (tcase, test_pauses_before_every_batch_change_nothing);
  tcase_add_test (tcase, test_pause_while_loading_holds_the_first_step);
  tcase_add_loop_test (tcase, test_stop_lets_go_of_who_waits, 0,
      G_N_ELEMENTS (ways_out));
  tcase_add_test (tcase, test_eos_in_paused_waits);
  tcase_add_test (tcase, test_save_now_in_every_state);
  return suite;
}

GST_CHECK_MAIN (resnetfinetune_pause)
