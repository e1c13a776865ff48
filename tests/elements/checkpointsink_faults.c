/* SPDX-License-Identifier: BSD-3-Clause */

/* A disk that fails at each step of a save, the order in which files become
 * durable, and a folder that holds damaged files. */

#include "tlcheckpointsink.h"
#include "tlfaults.h"
#include "tlsinkrig.h"

#include <tlqueries.h>

#include <gst/check/gstcheck.h>

#include <errno.h>
#include <glib/gstdio.h>

#define GOOD "loss=0.2 accuracy=0.9 balanced-accuracy=0.875 n=8 skipped=0"
#define BETTER "loss=0.1 accuracy=0.9 balanced-accuracy=0.9 n=8 skipped=0"
#define BEST_YET "loss=0.1 accuracy=0.9 balanced-accuracy=0.95 n=8 skipped=0"
#define WORSE "loss=0.9 accuracy=0.9 balanced-accuracy=0.5 n=8 skipped=0"

/* ---- faults ---- */

static const struct
{
  const gchar *title;
  FaultCall call;
  const gchar *file;
  gint number;
  gboolean is_in_place; /* the new file is there all the same */
} faults[] = {
    {"full disk", FAULT_WRITE, "last.safetensors", ENOSPC},
    {"full disk in the epoch's file", FAULT_WRITE, "epoch-002.safetensors",
        ENOSPC},
    {"full disk in the best", FAULT_WRITE, "best.safetensors", ENOSPC},
    {"full disk in the metrics", FAULT_WRITE, "metrics.jsonl", ENOSPC},
    {"quota", FAULT_WRITE, "last.safetensors", EDQUOT},
    {"bad disk", FAULT_WRITE, "last.safetensors", EIO},
    {"file system became read-only", FAULT_WRITE, "best.safetensors", EROFS},
    {"fsync fails", FAULT_FSYNC, "last.safetensors", EIO},
    {"fsync of the best fails", FAULT_FSYNC, "best.safetensors", EIO},
    {"fsync finds the disk full", FAULT_FSYNC, "metrics.jsonl", ENOSPC},
    {"rename fails", FAULT_RENAME, "last.safetensors", EIO},
    {"rename is not permitted", FAULT_RENAME, "best.safetensors", EPERM},
    {"fsync of the folder fails", FAULT_FSYNC, ".", EIO, TRUE},
};

/* Pushes until the writer's failure comes back. */
static void
push_until_refused (SinkRun *run, guint epoch, const gchar *valid)
{
  Checkpoint c = {.epoch = epoch, .valid = valid};
  GstFlowReturn flow;

  while ((flow = sink_push (run, &c)) == GST_FLOW_OK)
    g_usleep (2000);
  fail_unless_equals_int (flow, GST_FLOW_ERROR);
}

/* What an earlier run left as @name is one of its good files. */
static void
expect_good (const gchar *name, gboolean may_be_new)
{
  g_autofree gchar *path = sink_path_of (name), *found = NULL;
  g_autoptr (GstBuffer) new = NULL;
  Checkpoint c = {.epoch = 2, .valid = BETTER};
  gsize n;

  fail_unless (g_file_get_contents (path, &found, &n, NULL), "no %s", name);
  new = sink_new_checkpoint (&c);
  if (!may_be_new || gst_buffer_get_size (new) != n
      || gst_buffer_memcmp (new, 0, found, n) != 0)
    sink_expect_epoch (name, 1, GOOD);
}

static gboolean
has_litter (void)
{
  g_autoptr (GDir) dir = g_dir_open (sink_folder, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir))) {
    if (strstr (name, ".tmp"))
      return TRUE;
  }
  return FALSE;
}

GST_START_TEST (fault_is_one_error_and_leaves_the_good_files)
{
  const gchar *reason = g_strerror (faults[__i__].number);
  SinkRun run;

  sink_start (&run, sink_folder, "save-top-k=2");
  sink_push_epoch (&run, 1, GOOD);
  sink_finish (&run);

  sink_start (&run, sink_folder, "save-top-k=2");
  faults_arm (faults[__i__].call, sink_folder, faults[__i__].file,
      faults[__i__].number, G_MAXUINT);
  push_until_refused (&run, 2, BETTER);
  sink_expect_error (run.bus, GST_RESOURCE_ERROR, reason);
  gst_harness_push_event (run.h, gst_event_new_eos ());
  gst_element_set_state (run.h->element, GST_STATE_READY);
  fail_unless_equals_int (sink_count_messages (&run, GST_MESSAGE_ERROR), 0);
  faults_disarm ();
  sink_stop (&run);
  fail_if (has_litter (), "%s", faults[__i__].title);
  expect_good ("epoch-001.safetensors", FALSE);
  expect_good ("last.safetensors", faults[__i__].is_in_place);
  /* It may have been written before what failed. */
  expect_good ("best.safetensors", TRUE);

  sink_start (&run, sink_folder, "save-top-k=2");
  sink_push_epoch (&run, 2, BETTER);
  sink_finish (&run);
  sink_expect_epoch ("last.safetensors", 2, BETTER);
  sink_expect_epoch ("best.safetensors", 2, BETTER);
  sink_expect_epoch ("epoch-001.safetensors", 1, GOOD);
}
GST_END_TEST

static const struct
{
  FaultCall call;
  gint number;
  guint n;
} nuisances[] = {{FAULT_WRITE, FAULT_SHORT, 300}, {FAULT_WRITE, EINTR, 5},
    {FAULT_FSYNC, EINTR, 5}};

GST_START_TEST (short_and_interrupted_calls_go_on)
{
  SinkRun run;

  faults_arm (nuisances[__i__].call, sink_folder, "last.safetensors",
      nuisances[__i__].number, nuisances[__i__].n);
  sink_start (&run, sink_folder, NULL);
  sink_push_epoch (&run, 1, GOOD);
  sink_finish (&run);
  faults_disarm ();
  sink_expect_epoch ("last.safetensors", 1, GOOD);
}
GST_END_TEST

GST_START_TEST (folder_that_cannot_be_made_durable_is_refused)
{
  g_autofree gchar *deep = sink_path_of ("a/b/c");
  g_autoptr (GstElement) sink = sink_new (deep);
  g_autoptr (GstBus) bus = gst_bus_new ();

  gst_element_set_bus (sink, bus);
  faults_arm (FAULT_FSYNC, sink_folder, "a", EIO, 1);
  fail_unless_equals_int (gst_element_set_state (sink, GST_STATE_READY),
      GST_STATE_CHANGE_FAILURE);
  sink_expect_error (bus, GST_RESOURCE_ERROR, "cannot be created");
  faults_disarm ();
  gst_element_set_bus (sink, NULL);
  gst_bus_set_flushing (bus, TRUE);
}
GST_END_TEST

static GstPadProbeReturn
answer_final (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);
  g_autoptr (GstBuffer) checkpoint = NULL;

  if (!tl_query_is_final_checkpoint (query))
    return GST_PAD_PROBE_OK;
  checkpoint = sink_new_checkpoint (user);
  tl_query_answer_final_checkpoint (query, checkpoint);
  return GST_PAD_PROBE_HANDLED;
}

/* The disk is full at the very end. */
GST_START_TEST (final_checkpoint_that_fails_is_told)
{
  Checkpoint final = {.epoch = 1, .position = 3, .valid = GOOD};
  SinkRun run;

  sink_start (&run, sink_folder, NULL);
  gst_pad_add_probe (run.h->srcpad, GST_PAD_PROBE_TYPE_QUERY_UPSTREAM,
      answer_final, &final, NULL);
  sink_push_epoch (&run, 1, GOOD);
  sink_wait_for ("last.safetensors");
  faults_arm (FAULT_WRITE, sink_folder, "last.safetensors", ENOSPC, G_MAXUINT);
  gst_element_set_state (run.h->element, GST_STATE_READY);
  sink_expect_error (run.bus, GST_RESOURCE_ERROR, "No space left on device");
  faults_disarm ();
  sink_stop (&run);
  sink_expect_epoch ("last.safetensors", 1, GOOD);
  fail_if (has_litter ());
}
GST_END_TEST

/* A file of an old epoch that cannot be removed is not passed over: the disk
 * would fill. */
GST_START_TEST (pruning_that_fails_is_told)
{
  SinkRun run;

  sink_start (&run, sink_folder, "save-top-k=2");
  sink_push_epoch (&run, 1, WORSE);
  sink_push_epoch (&run, 2, GOOD);
  faults_arm (FAULT_UNLINK, sink_folder, "epoch-001.safetensors", EPERM, 1);
  push_until_refused (&run, 3, BETTER);
  sink_expect_error (run.bus, GST_RESOURCE_ERROR, "cannot be removed");
  faults_disarm ();
  sink_stop (&run);
  sink_expect_epoch ("epoch-003.safetensors", 3, BETTER);
  sink_expect_epoch ("best.safetensors", 3, BETTER);
}
GST_END_TEST

/* ---- order ---- */

static GstBusSyncReply
note_message (GstBus *bus, GstMessage *message, gpointer user)
{
  const GstStructure *s = gst_message_get_structure (message);

  if (s && gst_structure_has_name (s, "tl-checkpoint"))
    faults_note ("announce", gst_structure_get_string (s, "path"));
  return GST_BUS_PASS;
}

#define WRITTEN(name)                                                          \
  "write " name ".tmp\nfsync " name ".tmp\nrename " name "\nfsync .\n"
#define SAVED(name) WRITTEN (name) "announce " name "\n"

/* Nothing is announced or removed before what replaces it is durable. */
GST_START_TEST (files_become_durable_in_this_order)
{
  static const gchar third[] =
      WRITTEN ("metrics.jsonl") SAVED ("epoch-003.safetensors")
          SAVED ("best.safetensors") "unlink epoch-001.safetensors\n" SAVED (
              "last.safetensors");
  g_autofree gchar *record = NULL;
  SinkRun run;

  sink_start (&run, sink_folder, "save-top-k=2");
  gst_bus_set_sync_handler (run.bus, note_message, NULL, NULL);
  faults_record (sink_folder);
  sink_push_epoch (&run, 1, WORSE);
  sink_push_epoch (&run, 2, GOOD);
  sink_push_epoch (&run, 3, BETTER);
  gst_element_set_state (run.h->element, GST_STATE_READY);
  record = faults_take_record ();
  sink_stop (&run);
  fail_unless (g_str_has_suffix (record, third), "%s", record);
}
GST_END_TEST

GST_START_TEST (new_folders_become_durable)
{
  g_autofree gchar *deep = sink_path_of ("a/b");
  g_autofree gchar *record = NULL;
  g_autoptr (GstElement) sink = sink_new (deep);

  faults_record (sink_folder);
  gst_element_set_state (sink, GST_STATE_READY);
  record = faults_take_record ();
  gst_element_set_state (sink, GST_STATE_NULL);
  fail_unless_equals_string (record,
      "mkdir a/b\nmkdir a\nfsync .\nmkdir a/b\nfsync a\n");
}
GST_END_TEST

/* ---- what the folder holds ---- */

/* k is lowered between runs: the surplus goes, but not before the next save. */
GST_START_TEST (fewer_files_are_kept_from_the_next_save_on)
{
  SinkRun run;

  sink_start (&run, sink_folder, "save-top-k=3");
  sink_push_epoch (&run, 1, GOOD);
  sink_push_epoch (&run, 2, WORSE);
  sink_push_epoch (&run, 3, BETTER);
  sink_finish (&run);
  sink_start (&run, sink_folder, "save-top-k=1");
  sink_push_epoch (&run, 4, WORSE);
  sink_finish (&run);
  sink_expect_epoch ("best.safetensors", 3, BETTER);
  fail_if (sink_has_file ("epoch-001.safetensors"));
  fail_if (sink_has_file ("epoch-002.safetensors"));
  sink_start (&run, sink_folder, "save-top-k=1");
  sink_push_epoch (&run, 5, BEST_YET);
  sink_finish (&run);
  sink_expect_epoch ("best.safetensors", 5, BEST_YET);
  fail_if (sink_has_file ("epoch-003.safetensors"));
}
GST_END_TEST

GST_START_TEST (no_best_is_wanted_and_none_is_removed)
{
  SinkRun run;

  sink_start (&run, sink_folder, "save-top-k=2");
  sink_push_epoch (&run, 1, GOOD);
  sink_push_epoch (&run, 2, BETTER);
  sink_finish (&run);
  sink_start (&run, sink_folder, "save-top-k=0");
  sink_push_epoch (&run, 3, BEST_YET);
  sink_finish (&run);
  sink_expect_epoch ("best.safetensors", 2, BETTER);
  sink_expect_epoch ("epoch-001.safetensors", 1, GOOD);
  sink_expect_epoch ("epoch-002.safetensors", 2, BETTER);
}
GST_END_TEST

static const struct
{
  const gchar *title, *name;
  gsize keep;       /* bytes of what was there; 0: other text */
  gboolean is_copy; /* of another epoch, under a false name */
} strangers[] = {
    {"broken", "epoch-001.safetensors", 0},
    {"truncated in its header", "epoch-001.safetensors", 100},
    {"truncated in its data", "epoch-001.safetensors", 3000},
    {"another epoch's", "epoch-001.safetensors", 0, TRUE},
};

/* What is not the run's own good file neither counts nor is removed. */
GST_START_TEST (strangers_are_neither_counted_nor_removed)
{
  const gchar *name = strangers[__i__].name;
  g_autofree gchar *path = sink_path_of (name), *bytes = NULL, *after = NULL;
  g_autofree gchar *other = sink_path_of ("epoch-002.safetensors");
  gsize n, m;
  SinkRun run;

  sink_start (&run, sink_folder, "save-top-k=2");
  sink_push_epoch (&run, 1, BEST_YET);
  sink_push_epoch (&run, 2, GOOD);
  sink_finish (&run);
  fail_unless (g_file_get_contents (strangers[__i__].is_copy ? other : path,
      &bytes, &n, NULL));
  if (strangers[__i__].keep > 0)
    n = strangers[__i__].keep;
  else if (!strangers[__i__].is_copy)
    n = 7;
  fail_unless (g_file_set_contents (path, bytes, (gssize) n, NULL));

  /* best.safetensors still has epoch 1: two better ones push it out. */
  sink_start (&run, sink_folder, "save-top-k=2 monitor=loss mode=max");
  sink_push_epoch (&run, 3, WORSE);
  sink_push_epoch (&run, 4, WORSE);
  sink_finish (&run);
  fail_unless (g_file_get_contents (path, &after, &m, NULL), "%s",
      strangers[__i__].title);
  fail_unless (n == m && memcmp (bytes, after, n) == 0);
  fail_if (sink_has_file ("epoch-002.safetensors"));
  sink_expect_epoch ("best.safetensors", 3, WORSE);
}
GST_END_TEST

/* Otherwise no worse epoch would ever replace the damaged one. */
GST_START_TEST (damaged_best_is_made_again_from_its_epoch)
{
  g_autofree gchar *path = sink_path_of ("best.safetensors");
  SinkRun run;

  sink_start (&run, sink_folder, "save-top-k=2");
  sink_push_epoch (&run, 1, BEST_YET);
  sink_push_epoch (&run, 2, GOOD);
  sink_finish (&run);
  if (__i__ == 0)
    fail_unless (g_unlink (path) == 0);
  else
    sink_put_file ("best.safetensors", "damaged");
  sink_start (&run, sink_folder, "save-top-k=2");
  sink_push_epoch (&run, 3, WORSE);
  sink_finish (&run);
  sink_expect_epoch ("best.safetensors", 1, BEST_YET);
}
GST_END_TEST

static const struct
{
  const gchar *title, *name, *text;
  gsize length;
} places[] = {
    {"a name that is too long", "x", "File name too long", 300},
    {"a path that is too long", "x/", "File name too long", 5000},
    {"a file where a folder should be", "file", "Not a directory", 0},
    {"a file on the way", "file/run", "Not a directory", 0},
};

GST_START_TEST (places_without_a_folder_are_told_before_data)
{
  g_autoptr (GString) path = g_string_new (sink_folder);
  g_autoptr (GstElement) sink = NULL;
  g_autoptr (GstBus) bus = gst_bus_new ();

  sink_put_file ("file", "not a folder");
  g_string_append_c (path, '/');
  do
    g_string_append (path, places[__i__].name);
  while (path->len < places[__i__].length);
  sink = sink_new (path->str);
  gst_element_set_bus (sink, bus);
  fail_unless_equals_int (gst_element_set_state (sink, GST_STATE_READY),
      GST_STATE_CHANGE_FAILURE);
  sink_expect_error (bus, GST_RESOURCE_ERROR, places[__i__].text);
  gst_element_set_bus (sink, NULL);
  gst_bus_set_flushing (bus, TRUE);
}
GST_END_TEST

static Suite *
checkpointsink_faults_suite (void)
{
  Suite *suite = suite_create ("checkpointsink_faults");
  TCase *tcase = tcase_create ("checkpointsink_faults");

  GST_ELEMENT_REGISTER (checkpointsink, NULL);
  tcase_add_checked_fixture (tcase, sink_set_up, sink_tear_down);
  tcase_add_loop_test (tcase, fault_is_one_error_and_leaves_the_good_files, 0,
      G_N_ELEMENTS (faults));
  tcase_add_loop_test (tcase, short_and_interrupted_calls_go_on, 0,
      G_N_ELEMENTS (nuisances));
  tcase_add_test (tcase, folder_that_cannot_be_made_durable_is_refused);
  tcase_add_test (tcase, final_checkpoint_that_fails_is_told);
  tcase_add_test (tcase, pruning_that_fails_is_told);
  tcase_add_test (tcase, files_become_durable_in_this_order);
  tcase_add_test (tcase, new_folders_become_durable);
  tcase_add_test (tcase, fewer_files_are_kept_from_the_next_save_on);
  tcase_add_test (tcase, no_best_is_wanted_and_none_is_removed);
  tcase_add_loop_test (tcase, strangers_are_neither_counted_nor_removed, 0,
      G_N_ELEMENTS (strangers));
  tcase_add_loop_test (tcase, damaged_best_is_made_again_from_its_epoch, 0, 2);
  tcase_add_loop_test (tcase, places_without_a_folder_are_told_before_data, 0,
      G_N_ELEMENTS (places));
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (checkpointsink_faults);
