/* SPDX-License-Identifier: BSD-3-Clause */

/* What checkpointsink refuses, and a disk that fails. */

#include "tlcheckpointsink.h"
#include "tlsinkrig.h"

#include <tlcheckpoint.h>

#include <gst/check/gstcheck.h>

#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#define GOOD "loss=0.2 accuracy=0.9 balanced-accuracy=0.875 n=8 skipped=0"
#define GOOD_LOSS "loss=0.1 accuracy=0.9 balanced-accuracy=0.875 n=8 skipped=0"

static const struct
{
  const gchar *settings;
  const gchar *text;
} refusals[] = {{"location=\"\"", "No location"},
    {"monitor=f1", "monitor=\"f1\""}, {"save-top-k=101", "save-top-k=101"},
    {"location=/dev/null/run", "cannot be created"},
    {"location=/dev/null", "cannot be"}};

GST_START_TEST (bad_settings_are_told_before_data)
{
  g_autofree gchar *line = g_strdup_printf ("checkpointsink location=\"%s\" %s",
      sink_folder, refusals[__i__].settings);
  GstElement *sink = gst_object_ref_sink (gst_parse_launch (line, NULL));
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_bus (sink, bus);
  fail_unless_equals_int (gst_element_set_state (sink, GST_STATE_READY),
      GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (strstr (error->message, refusals[__i__].text) != NULL, "%s",
      error->message);
  fail_unless_equals_int (sink_count_messages (&(SinkRun){NULL, bus},
                              GST_MESSAGE_ERROR),
      0);
  gst_element_set_bus (sink, NULL);
  gst_bus_set_flushing (bus, TRUE);
  gst_object_unref (sink);
}
GST_END_TEST

static const gchar *const needed[] = {TL_KEY_STATE, TL_KEY_EPOCH, TL_KEY_SPLIT,
    TL_KEY_POSITION, TL_KEY_STEP};

GST_START_TEST (foreign_checkpoints_are_refused)
{
  Checkpoint c = {.epoch = 1, .without = needed[__i__]};
  SinkRun run;

  sink_start (&run, sink_folder, NULL);
  fail_unless_equals_int (sink_push (&run, &c), GST_FLOW_ERROR);
  sink_expect_error (run.bus, GST_STREAM_ERROR, needed[__i__]);
  sink_stop (&run);
  fail_unless_equals_int (sink_count_files (), 0);
}
GST_END_TEST

GST_START_TEST (what_is_not_safetensors_is_refused)
{
  SinkRun run;

  sink_start (&run, sink_folder, NULL);
  fail_unless_equals_int (gst_harness_push (run.h,
                              gst_buffer_new_memdup ("<html></html>", 13)),
      GST_FLOW_ERROR);
  sink_expect_error (run.bus, GST_STREAM_ERROR, "cannot be used");
  fail_unless_equals_int (gst_harness_push (run.h, gst_buffer_new ()),
      GST_FLOW_ERROR);
  sink_expect_error (run.bus, GST_STREAM_ERROR, "it is empty");
  sink_stop (&run);
}
GST_END_TEST

static gpointer
send_eos (gpointer user)
{
  SinkRun *run = user;

  gst_harness_push_event (run->h, gst_event_new_eos ());
  return NULL;
}

/* No second error, no hang: EOS and the stop go through, and the sink works
 * again in a folder that is good. */
static void
expect_end_after_error (SinkRun *run)
{
  GThread *thread = g_thread_new ("eos", send_eos, run);

  g_thread_join (thread);
  gst_element_set_state (run->h->element, GST_STATE_READY);
  fail_unless_equals_int (sink_count_messages (run, GST_MESSAGE_ERROR), 0);
}

/* Pushes until the writer's failure comes back. */
static void
expect_write_error (SinkRun *run, const gchar *text)
{
  Checkpoint c = {.epoch = 2, .valid = GOOD_LOSS};

  for (guint i = 0; i < 500 && sink_push (run, &c) == GST_FLOW_OK; i++)
    g_usleep (10000);
  fail_unless_equals_int (sink_push (run, &c), GST_FLOW_ERROR);
  sink_expect_error (run->bus, GST_RESOURCE_ERROR, text);
}

GST_START_TEST (removed_folder_is_told)
{
  SinkRun run;

  sink_start (&run, sink_folder, NULL);
  sink_push_epoch (&run, 1, GOOD);
  sink_wait_for ("last.safetensors");
  sink_tear_down ();
  sink_set_up ();
  expect_write_error (&run, "No such file or directory");
  expect_end_after_error (&run);
  sink_stop (&run);
  sink_start (&run, sink_folder, NULL);
  sink_push_epoch (&run, 1, GOOD);
  sink_finish (&run);
  sink_expect_epoch ("last.safetensors", 1, GOOD);
}
GST_END_TEST

/* Nothing can be renamed to last.safetensors; what was written before it is
 * whole. */
GST_START_TEST (folder_in_place_of_a_file_is_told)
{
  g_autofree gchar *path = sink_path_of ("last.safetensors");
  SinkRun run;

  fail_unless (g_mkdir (path, 0700) == 0);
  sink_start (&run, sink_folder, NULL);
  expect_write_error (&run, "last.safetensors: ");
  expect_end_after_error (&run);
  sink_stop (&run);
  sink_expect_epoch ("best.safetensors", 2, GOOD_LOSS);
  fail_unless_equals_int (sink_count_files (), 3);
}
GST_END_TEST

GST_START_TEST (file_limit_leaves_the_last_good_file)
{
  struct rlimit old, small = {2048, 2048};
  SinkRun run;

  sink_start (&run, sink_folder, NULL);
  sink_push_epoch (&run, 1, GOOD);
  sink_stop (&run);
  getrlimit (RLIMIT_FSIZE, &old);
  small.rlim_max = old.rlim_max;
  sink_start (&run, sink_folder, NULL);
  setrlimit (RLIMIT_FSIZE, &small);
  expect_write_error (&run, "the file there before, if any, is untouched");
  expect_end_after_error (&run);
  setrlimit (RLIMIT_FSIZE, &old);
  sink_stop (&run);
  sink_expect_epoch ("best.safetensors", 1, GOOD);
  sink_expect_epoch ("last.safetensors", 1, GOOD);
  fail_unless_equals_int (sink_count_files (), 3);
}
GST_END_TEST

/* A tmpfs that is too small, in a mount namespace of this test: needs root. */
GST_START_TEST (full_disk_leaves_the_last_good_file)
{
  SinkRun run;

  if (unshare (CLONE_NEWNS) < 0
      || mount ("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0
      || mount ("tlpipe", sink_folder, "tmpfs", 0, "size=24k") < 0)
    return;
  sink_start (&run, sink_folder, NULL);
  sink_push_epoch (&run, 1, GOOD);
  gst_harness_push_event (run.h, gst_event_new_eos ());
  sink_stop (&run);
  sink_start (&run, sink_folder, NULL);
  sink_put_file ("ballast", "x");
  expect_write_error (&run, "No space left on device");
  expect_end_after_error (&run);
  sink_stop (&run);
  sink_expect_epoch ("best.safetensors", 1, GOOD);
  sink_expect_epoch ("last.safetensors", 1, GOOD);
  umount (sink_folder);
}
GST_END_TEST

GST_START_TEST (read_only_folder_is_told)
{
  g_autoptr (GstElement) sink = sink_new (sink_folder);

  if (geteuid () == 0)
    return;
  g_chmod (sink_folder, 0500);
  fail_unless_equals_int (gst_element_set_state (sink, GST_STATE_READY),
      GST_STATE_CHANGE_FAILURE);
  g_chmod (sink_folder, 0700);
  gst_element_set_state (sink, GST_STATE_NULL);
}
GST_END_TEST

static Suite *
checkpointsink_errors_suite (void)
{
  Suite *suite = suite_create ("checkpointsink_errors");
  TCase *tcase = tcase_create ("checkpointsink_errors");

  GST_ELEMENT_REGISTER (checkpointsink, NULL);
  tcase_add_checked_fixture (tcase, sink_set_up, sink_tear_down);
  tcase_add_loop_test (tcase, bad_settings_are_told_before_data, 0,
      G_N_ELEMENTS (refusals));
  tcase_add_loop_test (tcase, foreign_checkpoints_are_refused, 0,
      G_N_ELEMENTS (needed));
  tcase_add_test (tcase, what_is_not_safetensors_is_refused);
  tcase_add_test (tcase, removed_folder_is_told);
  tcase_add_test (tcase, folder_in_place_of_a_file_is_told);
  tcase_add_test (tcase, file_limit_leaves_the_last_good_file);
  tcase_add_test (tcase, full_disk_leaves_the_last_good_file);
  tcase_add_test (tcase, read_only_folder_is_told);
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (checkpointsink_errors);
