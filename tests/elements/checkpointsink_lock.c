/* SPDX-License-Identifier: BSD-3-Clause */

/* Two runs and one folder: the second is refused. */

#include "tlcheckpointsink.h"
#include "tlfaults.h"
#include "tlsinkrig.h"

#include <gst/check/gstcheck.h>

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define GOOD "loss=0.2 accuracy=0.9 balanced-accuracy=0.875 n=8 skipped=0"

/* Goes to READY and back to NULL; the error must hold @text, or be none. */
static void
try_location (const gchar *location, const gchar *text)
{
  g_autoptr (GstElement) sink = sink_new (location);
  g_autoptr (GstBus) bus = gst_bus_new ();
  GstStateChangeReturn ret;

  gst_element_set_bus (sink, bus);
  ret = gst_element_set_state (sink, GST_STATE_READY);
  if (text) {
    fail_unless_equals_int (ret, GST_STATE_CHANGE_FAILURE);
    sink_expect_error (bus, GST_RESOURCE_ERROR, text);
  } else {
    fail_unless_equals_int (ret, GST_STATE_CHANGE_SUCCESS);
  }
  gst_element_set_state (sink, GST_STATE_NULL);
  gst_element_set_bus (sink, NULL);
  gst_bus_set_flushing (bus, TRUE);
}

GST_START_TEST (second_sink_of_a_process_is_refused)
{
  SinkRun run;

  sink_start (&run, sink_folder, NULL);
  try_location (sink_folder,
      "in use by another checkpointsink of this process");
  try_location (sink_folder, "Choose another location");
  sink_push_epoch (&run, 1, GOOD);
  sink_finish (&run);
  sink_expect_epoch ("best.safetensors", 1, GOOD);
  try_location (sink_folder, NULL);
}
GST_END_TEST

GST_START_TEST (every_path_leads_to_the_same_lock)
{
  g_autofree gchar *link = g_strconcat (sink_folder, "-link", NULL);
  g_autofree gchar *dotted = g_strconcat (sink_folder, "/./", NULL);
  SinkRun run;

  fail_unless (symlink (sink_folder, link) == 0);
  sink_start (&run, link, NULL);
  try_location (sink_folder, "in use");
  try_location (dotted, "in use");
  sink_stop (&run);
  try_location (dotted, NULL);
  fail_unless (g_unlink (link) == 0);
}
GST_END_TEST

/* From READY on, and until NULL. */
GST_START_TEST (lock_lasts_from_ready_to_null)
{
  g_autoptr (GstElement) sink = sink_new (sink_folder);

  for (guint i = 0; i < 3; i++) {
    fail_unless_equals_int (gst_element_set_state (sink, GST_STATE_READY),
        GST_STATE_CHANGE_SUCCESS);
    try_location (sink_folder, "in use");
    gst_element_set_state (sink, GST_STATE_PLAYING);
    gst_element_set_state (sink, GST_STATE_READY);
    try_location (sink_folder, "in use");
    gst_element_set_state (sink, GST_STATE_NULL);
    try_location (sink_folder, NULL);
  }
}
GST_END_TEST

/* The location may change in READY; the lock goes with it. */
GST_START_TEST (lock_moves_with_the_location)
{
  g_autoptr (GstElement) sink = sink_new (sink_folder);
  g_autofree gchar *other = sink_path_of ("other");

  gst_element_set_state (sink, GST_STATE_READY);
  g_object_set (sink, "location", other, NULL);
  fail_if (gst_element_set_state (sink, GST_STATE_PLAYING)
      == GST_STATE_CHANGE_FAILURE);
  try_location (sink_folder, NULL);
  try_location (other, "in use");
  gst_element_set_state (sink, GST_STATE_NULL);
}
GST_END_TEST

/* A folder that was removed in READY is created again. */
GST_START_TEST (folder_that_went_in_ready_is_made_again)
{
  g_autoptr (GstElement) sink = sink_new (sink_folder);

  gst_element_set_state (sink, GST_STATE_READY);
  fail_unless (g_rmdir (sink_folder) == 0);
  fail_if (gst_element_set_state (sink, GST_STATE_PLAYING)
      == GST_STATE_CHANGE_FAILURE);
  fail_unless (g_file_test (sink_folder, G_FILE_TEST_IS_DIR));
  try_location (sink_folder, "in use");
  gst_element_set_state (sink, GST_STATE_NULL);
}
GST_END_TEST

/* The other process says when it is in READY, and is killed in it. */
static pid_t
start_other_process (gint *told)
{
  gint pipes[2];
  pid_t pid;
  gchar byte = 0;

  fail_unless (pipe (pipes) == 0);
  pid = fork ();
  if (pid == 0) {
    GstElement *sink = sink_new (sink_folder);

    byte = gst_element_set_state (sink, GST_STATE_READY)
        == GST_STATE_CHANGE_SUCCESS;
    if (write (pipes[1], &byte, 1) != 1)
      _exit (1);
    pause ();
    _exit (0);
  }
  close (pipes[1]);
  fail_unless (read (pipes[0], &byte, 1) == 1 && byte == 1);
  *told = pipes[0];
  return pid;
}

GST_START_TEST (other_process_is_named_and_its_lock_dies_with_it)
{
  gint told;
  pid_t pid = start_other_process (&told);
  g_autofree gchar *who = g_strdup_printf ("in use by the process %d;", pid);

  if (g_file_test ("/proc/locks", G_FILE_TEST_EXISTS))
    try_location (sink_folder, who);
  else
    try_location (sink_folder, "in use by another process");
  kill (pid, SIGKILL);
  fail_unless (waitpid (pid, NULL, 0) == pid);
  close (told);
  try_location (sink_folder, NULL);
}
GST_END_TEST

/* NFS, FUSE and others: it works, with a warning, once for a folder. */
GST_START_TEST (file_system_without_locks_is_told)
{
  static const gint numbers[] = {ENOLCK, EBADF, EOPNOTSUPP};
  SinkRun run;

  faults_arm (FAULT_FLOCK, sink_folder, ".", numbers[__i__], G_MAXUINT);
  sink_start (&run, sink_folder, NULL);
  fail_unless_equals_int (sink_count_messages (&run, GST_MESSAGE_WARNING), 1);
  sink_push_epoch (&run, 1, GOOD);
  sink_finish (&run);
  faults_disarm ();
  sink_expect_epoch ("last.safetensors", 1, GOOD);
}
GST_END_TEST

GST_START_TEST (interrupted_lock_is_tried_again)
{
  SinkRun run;

  faults_arm (FAULT_FLOCK, sink_folder, ".", EINTR, 3);
  sink_start (&run, sink_folder, NULL);
  fail_unless_equals_int (sink_count_messages (&run, GST_MESSAGE_WARNING), 0);
  try_location (sink_folder, "in use");
  sink_stop (&run);
  faults_disarm ();
}
GST_END_TEST

/* Removed or renamed, and another folder in its place: its run is over, and
 * nothing is written to the new one. */
GST_START_TEST (replaced_folder_is_told)
{
  g_autofree gchar *moved = g_strconcat (sink_folder, "-moved", NULL);
  g_autofree gchar *command = g_strdup_printf ("rm -rf '%s'", moved);
  Checkpoint c = {.epoch = 2, .valid = GOOD};
  SinkRun run;

  sink_start (&run, sink_folder, NULL);
  sink_push_epoch (&run, 1, GOOD);
  sink_wait_for ("last.safetensors");
  fail_unless (g_rename (sink_folder, moved) == 0);
  fail_unless (g_mkdir (sink_folder, 0700) == 0);
  sink_push (&run, &c);
  sink_expect_error (run.bus, GST_RESOURCE_ERROR, "is another one now");
  sink_stop (&run);
  fail_unless_equals_int (sink_count_files (), 0);
  fail_unless (system (command) == 0);
}
GST_END_TEST

static Suite *
checkpointsink_lock_suite (void)
{
  Suite *suite = suite_create ("checkpointsink_lock");
  TCase *tcase = tcase_create ("checkpointsink_lock");

  GST_ELEMENT_REGISTER (checkpointsink, NULL);
  tcase_add_checked_fixture (tcase, sink_set_up, sink_tear_down);
  tcase_add_test (tcase, second_sink_of_a_process_is_refused);
  tcase_add_test (tcase, every_path_leads_to_the_same_lock);
  tcase_add_test (tcase, lock_lasts_from_ready_to_null);
  tcase_add_test (tcase, lock_moves_with_the_location);
  tcase_add_test (tcase, folder_that_went_in_ready_is_made_again);
  tcase_add_test (tcase, other_process_is_named_and_its_lock_dies_with_it);
  tcase_add_loop_test (tcase, file_system_without_locks_is_told, 0, 3);
  tcase_add_test (tcase, interrupted_lock_is_tried_again);
  tcase_add_test (tcase, replaced_folder_is_told);
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (checkpointsink_lock);
