/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlcheckpointqueue.h"
#include "tlcheckpointsink.h"

#include <tlcheckpoint.h>
#include <tlqueries.h>
#include <tlsafetensors.h>

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#define CAPS "application/x-tl-checkpoint,format=safetensors"
#define N_FLOATS 1000

typedef struct
{
  guint epoch;          /* finished epochs */
  guint position;       /* in the training phase of the next one */
  const gchar *valid;   /* metrics, or NULL */
  const gchar *digest;  /* NULL: "d0" */
  const gchar *without; /* a key left out */
} Checkpoint;

/* Header and data are two memories, as the trainer gives them. */
static GstBuffer *
new_checkpoint (const Checkpoint *c)
{
  static const gchar *const empty = "";
  gfloat *data = g_new (gfloat, N_FLOATS);
  TlTensor tensor = {"fc.weight", TL_DTYPE_F32, 1, {N_FLOATS}, {1}, data};
  g_autofree gchar *epoch = g_strdup_printf ("%u", c->epoch);
  g_autofree gchar *position = g_strdup_printf ("%u", c->position);
  g_autofree gchar *step = g_strdup_printf ("%u", 10 * c->epoch + c->position);
  TlMetadata all[] = {{TL_KEY_ARCH, "thumbnail"},
      {TL_KEY_DIGEST, c->digest ? c->digest : "d0"}, {TL_KEY_SEED, "1"},
      {TL_KEY_STATE, "running"}, {TL_KEY_EPOCH, epoch}, {TL_KEY_SPLIT, "train"},
      {TL_KEY_POSITION, position}, {TL_KEY_STEP, step},
      {TL_KEY_METRICS_TRAIN, "loss=0.5 accuracy=0.75 lr=0.001 n=10 skipped=0"},
      {TL_KEY_METRICS_VALID, c->valid ? c->valid : empty}};
  TlMetadata used[G_N_ELEMENTS (all)];
  gsize n = 0, size;
  TlError error = TL_ERROR_INIT;
  void *header;
  GstBuffer *buffer = gst_buffer_new ();

  for (guint i = 0; i < N_FLOATS; i++)
    data[i] = (gfloat) (c->epoch * 1000 + c->position + i);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++) {
    if (*all[i].value && g_strcmp0 (all[i].key, c->without) != 0)
      used[n++] = all[i];
  }
  fail_unless (tl_safetensors_build_header (&tensor, 1, used, n, &header, &size,
                   NULL, &error)
      == TL_OK);
  gst_buffer_append_memory (buffer,
      gst_memory_new_wrapped (0, header, size, 0, size, header, free));
  size = N_FLOATS * sizeof (gfloat);
  gst_buffer_append_memory (buffer,
      gst_memory_new_wrapped (0, data, size, 0, size, data, g_free));
  return buffer;
}

/* ---- a sink with a folder ---- */

typedef struct
{
  GstHarness *h;
  GstBus *bus;
} Run;

static gchar *folder;

static void
make_folder (void)
{
  folder = g_dir_make_tmp ("tlpipe-XXXXXX", NULL);
}

static void
remove_folder (void)
{
  g_autofree gchar *quoted = g_shell_quote (folder);
  g_autofree gchar *command = g_strdup_printf ("rm -rf %s", quoted);

  fail_unless (system (command) == 0);
  g_clear_pointer (&folder, g_free);
}

static gchar *
path_of (const gchar *name)
{
  return g_build_filename (folder, name, NULL);
}

static GstElement *
new_sink (const gchar *location)
{
  GstElement *sink = gst_element_factory_make ("checkpointsink", NULL);

  g_object_set (sink, "location", location, NULL);
  return gst_object_ref_sink (sink);
}

/* @settings: properties as in a launch line, or NULL. */
static void
start (Run *run, const gchar *location, const gchar *settings)
{
  g_autofree gchar *line = g_strdup_printf ("checkpointsink location=\"%s\" %s",
      location, settings ? settings : "");
  GstElement *sink = gst_parse_launch (line, NULL);

  gst_object_ref_sink (sink);
  run->bus = gst_bus_new ();
  gst_element_set_bus (sink, run->bus);
  run->h = gst_harness_new_with_element (sink, "sink", NULL);
  gst_object_unref (sink);
  gst_harness_set_src_caps_str (run->h, CAPS);
}

static GstFlowReturn
push (Run *run, const Checkpoint *c)
{
  return gst_harness_push (run->h, new_checkpoint (c));
}

static void
push_epoch (Run *run, guint epoch, const gchar *valid)
{
  Checkpoint c = {.epoch = epoch, .valid = valid};

  fail_unless_equals_int (push (run, &c), GST_FLOW_OK);
}

static void
stop (Run *run)
{
  gst_element_set_state (run->h->element, GST_STATE_NULL);
  gst_element_set_bus (run->h->element, NULL);
  gst_bus_set_flushing (run->bus, TRUE);
  gst_object_unref (run->bus);
  gst_harness_teardown (run->h);
}

static void
finish (Run *run)
{
  gst_harness_push_event (run->h, gst_event_new_eos ());
  stop (run);
}

static gint
count_messages (Run *run, GstMessageType type)
{
  GstMessage *message;
  gint n = 0;

  while ((message = gst_bus_pop_filtered (run->bus, type))) {
    gst_message_unref (message);
    n++;
  }
  return n;
}

/* The only error so far must be in @domain and hold @text. */
static void
expect_error (GstBus *bus, GQuark domain, const gchar *text)
{
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, 5 * GST_SECOND, GST_MESSAGE_ERROR);
  g_autoptr (GstMessage) other = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;

  fail_unless (message != NULL, "no error with \"%s\"", text);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (error->domain == domain, "%s", error->message);
  fail_unless (strstr (error->message, text) != NULL, "%s", error->message);
  fail_unless (other == NULL);
}

/* ---- what is in the folder ---- */

static gboolean
has_file (const gchar *name)
{
  g_autofree gchar *path = path_of (name);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static void
wait_for (const gchar *name)
{
  for (guint i = 0; i < 500 && !has_file (name); i++)
    g_usleep (10000);
  fail_unless (has_file (name));
}

static gsize
count_files (void)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  gsize n = 0;

  while (g_dir_read_name (dir))
    n++;
  return n;
}

static void
expect_text (const gchar *name, const gchar *text)
{
  g_autofree gchar *path = path_of (name), *found = NULL;

  fail_unless (g_file_get_contents (path, &found, NULL, NULL));
  fail_unless_equals_string (found, text);
}

static void
expect_checkpoint (const gchar *name, const Checkpoint *c)
{
  g_autofree gchar *path = path_of (name), *found = NULL;
  g_autoptr (GstBuffer) wanted = new_checkpoint (c);
  gsize n;

  fail_unless (g_file_get_contents (path, &found, &n, NULL), "no %s", name);
  fail_unless_equals_uint64 (n, gst_buffer_get_size (wanted));
  fail_unless (gst_buffer_memcmp (wanted, 0, found, n) == 0, "%s", name);
}

static void
expect_epoch (const gchar *name, guint epoch, const gchar *valid)
{
  Checkpoint c = {.epoch = epoch, .valid = valid};

  expect_checkpoint (name, &c);
}

static void
put_file (const gchar *name, const gchar *text)
{
  g_autofree gchar *path = path_of (name);

  fail_unless (g_file_set_contents (path, text, -1, NULL));
}

/* ---- which files are written ---- */

#define GOOD "loss=0.2 accuracy=0.9 balanced-accuracy=0.875 n=8 skipped=0"
#define GOOD_LOSS "loss=0.1 accuracy=0.9 balanced-accuracy=0.875 n=8 skipped=0"
#define BAD "loss=0.05 accuracy=0.95 balanced-accuracy=0.5 n=8 skipped=0"

GST_START_TEST (every_checkpoint_replaces_the_last)
{
  Checkpoint early = {.epoch = 0, .position = 4};
  Checkpoint late = {.epoch = 0, .position = 8};
  g_autofree gchar *deep = path_of ("a/b");
  g_autofree gchar *last = path_of ("a/b/last.safetensors");
  g_autofree gchar *reported = NULL;
  gdouble best;
  Run run;

  start (&run, deep, NULL);
  push (&run, &early);
  push (&run, &late);
  gst_harness_push_event (run.h, gst_event_new_eos ());
  expect_checkpoint ("a/b/last.safetensors", &late);
  g_object_get (run.h->element, "last-location", &reported, "best-metric",
      &best, NULL);
  fail_unless_equals_string (reported, last);
  fail_unless (isnan (best));
  stop (&run);
  fail_if (has_file ("a/b/best.safetensors"));
  fail_if (has_file ("a/b/metrics.jsonl"));
}
GST_END_TEST

GST_START_TEST (best_is_by_balanced_accuracy_then_loss)
{
  gdouble best;
  Run run;

  start (&run, folder, NULL);
  push_epoch (&run, 1, BAD);
  push_epoch (&run, 2, GOOD);
  push_epoch (&run, 3, GOOD_LOSS);
  push_epoch (&run, 4, GOOD);
  push_epoch (&run, 5, GOOD_LOSS);
  gst_harness_push_event (run.h, gst_event_new_eos ());
  g_object_get (run.h->element, "best-metric", &best, NULL);
  fail_unless (best == 0.875);
  stop (&run);
  expect_epoch ("best.safetensors", 3, GOOD_LOSS);
  expect_epoch ("last.safetensors", 5, GOOD_LOSS);
  fail_unless_equals_int (count_files (), 3);
}
GST_END_TEST

GST_START_TEST (metrics_have_one_line_per_epoch)
{
  Checkpoint within = {.epoch = 1, .position = 4, .valid = BAD};
  Run run;

  start (&run, folder, "save-last=false");
  push_epoch (&run, 1, BAD);
  push (&run, &within);
  push_epoch (&run, 2, NULL);
  push_epoch (&run, 2, NULL);
  finish (&run);
  expect_text ("metrics.jsonl",
      "{\"epoch\":1,\"step\":10,\"lr\":0.001,"
      "\"train\":{\"loss\":0.5,\"accuracy\":0.75,\"n\":10,\"skipped\":0},"
      "\"valid\":{\"loss\":0.05,\"accuracy\":0.95,"
      "\"balanced-accuracy\":0.5,\"n\":8,\"skipped\":0}}\n"
      "{\"epoch\":2,\"step\":20,\"lr\":0.001,"
      "\"train\":{\"loss\":0.5,\"accuracy\":0.75,\"n\":10,\"skipped\":0}}\n");
  fail_if (has_file ("last.safetensors"));
}
GST_END_TEST

GST_START_TEST (metrics_hold_nothing_but_numbers)
{
  Run run;

  start (&run, folder, "save-top-k=0");
  push_epoch (&run, 1,
      "loss=nan auc=inf accuracy=1e-1 \"x=1 =2 note=hi,there complete=false");
  finish (&run);
  expect_text ("metrics.jsonl",
      "{\"epoch\":1,\"step\":10,\"lr\":0.001,"
      "\"train\":{\"loss\":0.5,\"accuracy\":0.75,\"n\":10,\"skipped\":0},"
      "\"valid\":{\"accuracy\":0.1,\"complete\":false}}\n");
}
GST_END_TEST

GST_START_TEST (top_k_keeps_that_many_epochs)
{
  Run run;

  start (&run, folder, "save-top-k=2 monitor=loss");
  push_epoch (&run, 1, "loss=0.5");
  push_epoch (&run, 2, "loss=0.3");
  push_epoch (&run, 3, "loss=0.4");
  push_epoch (&run, 4, "loss=0.9");
  finish (&run);
  fail_if (has_file ("epoch-001.safetensors"));
  fail_if (has_file ("epoch-004.safetensors"));
  expect_epoch ("epoch-002.safetensors", 2, "loss=0.3");
  expect_epoch ("epoch-003.safetensors", 3, "loss=0.4");
  expect_epoch ("best.safetensors", 2, "loss=0.3");
}
GST_END_TEST

static const struct
{
  const gchar *settings;
  guint best;
} modes[] = {{"monitor=loss", 2}, {"monitor=loss mode=max", 1},
    {"monitor=auc", 1}, {"monitor=auc mode=min", 2}, {"mode=max", 1}};

GST_START_TEST (mode_decides_what_is_better)
{
  static const gchar *const valid[] = {NULL,
      "loss=0.9 auc=0.8 balanced-accuracy=0.7",
      "loss=0.5 auc=0.6 balanced-accuracy=0.6"};
  Run run;

  start (&run, folder, modes[__i__].settings);
  push_epoch (&run, 1, valid[1]);
  push_epoch (&run, 2, valid[2]);
  finish (&run);
  expect_epoch ("best.safetensors", modes[__i__].best,
      valid[modes[__i__].best]);
}
GST_END_TEST

GST_START_TEST (unranked_epochs_are_never_best)
{
  Run run;

  start (&run, folder, "monitor=auc");
  push_epoch (&run, 1, NULL);
  push_epoch (&run, 2, "loss=0.1 accuracy=1");
  push_epoch (&run, 3, "loss=0.1 accuracy=1");
  push_epoch (&run, 4, "loss=0.1 auc=nan");
  push_epoch (&run, 5, "loss=0.1 auc=1 complete=false");
  gst_harness_push_event (run.h, gst_event_new_eos ());
  fail_unless_equals_int (count_messages (&run, GST_MESSAGE_WARNING), 1);
  stop (&run);
  fail_if (has_file ("best.safetensors"));
}
GST_END_TEST

GST_START_TEST (files_are_reported)
{
  static const gchar *const wanted[] = {"epoch", "best", "last"};
  Run run;

  start (&run, folder, "save-top-k=2");
  push_epoch (&run, 1, GOOD);
  gst_harness_push_event (run.h, gst_event_new_eos ());
  for (guint i = 0; i < G_N_ELEMENTS (wanted); i++) {
    g_autoptr (GstMessage) message =
        gst_bus_pop_filtered (run.bus, GST_MESSAGE_ELEMENT);
    const GstStructure *s = gst_message_get_structure (message);
    guint64 size, step;
    gdouble value;

    fail_unless (gst_structure_has_name (s, "tl-checkpoint"));
    fail_unless_equals_string (gst_structure_get_string (s, "kind"), wanted[i]);
    fail_unless_equals_string (gst_structure_get_string (s, "monitor"),
        "balanced-accuracy");
    fail_unless (gst_structure_get (s, "size", G_TYPE_UINT64, &size, "step",
        G_TYPE_UINT64, &step, "value", G_TYPE_DOUBLE, &value, NULL));
    fail_unless (size > N_FLOATS * 4 && step == 10 && value == 0.875);
  }
  stop (&run);
}
GST_END_TEST

/* ---- a folder that was used before ---- */

GST_START_TEST (resume_goes_on_where_it_was)
{
  Checkpoint resumed = {.epoch = 2, .position = 4, .valid = BAD};
  g_autofree gchar *path = path_of ("metrics.jsonl"), *before = NULL;
  gdouble best;
  Run run;

  start (&run, folder, "save-top-k=2");
  push_epoch (&run, 1, GOOD);
  push_epoch (&run, 2, BAD);
  push_epoch (&run, 3, GOOD_LOSS);
  finish (&run);
  fail_unless (g_file_get_contents (path, &before, NULL, NULL));

  /* From epoch 2 on: the third one is not there yet. */
  start (&run, folder, "save-top-k=2");
  push (&run, &resumed);
  push_epoch (&run, 3, BAD);
  gst_harness_push_event (run.h, gst_event_new_eos ());
  fail_unless_equals_int (count_messages (&run, GST_MESSAGE_WARNING), 0);
  g_object_get (run.h->element, "best-metric", &best, NULL);
  fail_unless (best == 0.875);
  stop (&run);

  start (&run, folder, "save-top-k=2");
  push_epoch (&run, 3, GOOD_LOSS);
  finish (&run);
  expect_text ("metrics.jsonl", before);
  expect_epoch ("best.safetensors", 3, GOOD_LOSS);
  expect_epoch ("epoch-001.safetensors", 1, GOOD);
  fail_if (has_file ("epoch-002.safetensors"));
}
GST_END_TEST

GST_START_TEST (another_run_is_not_compared)
{
  Checkpoint other = {.epoch = 5, .valid = GOOD, .digest = "d1"};
  Run run;

  start (&run, folder, NULL);
  push (&run, &other);
  finish (&run);
  start (&run, folder, NULL);
  push_epoch (&run, 7, BAD);
  gst_harness_push_event (run.h, gst_event_new_eos ());
  fail_unless_equals_int (count_messages (&run, GST_MESSAGE_WARNING), 1);
  stop (&run);
  expect_epoch ("best.safetensors", 7, BAD);
  expect_text ("metrics.jsonl",
      "{\"epoch\":7,\"step\":70,\"lr\":0.001,"
      "\"train\":{\"loss\":0.5,\"accuracy\":0.75,\"n\":10,\"skipped\":0},"
      "\"valid\":{\"loss\":0.05,\"accuracy\":0.95,"
      "\"balanced-accuracy\":0.5,\"n\":8,\"skipped\":0}}\n");
}
GST_END_TEST

GST_START_TEST (run_from_the_start_forgets_the_old_best)
{
  Run run;

  start (&run, folder, NULL);
  push_epoch (&run, 1, BAD);
  push_epoch (&run, 2, GOOD);
  finish (&run);
  start (&run, folder, NULL);
  push_epoch (&run, 1, BAD);
  gst_harness_push_event (run.h, gst_event_new_eos ());
  fail_unless_equals_int (count_messages (&run, GST_MESSAGE_WARNING), 0);
  stop (&run);
  expect_epoch ("best.safetensors", 1, BAD);
}
GST_END_TEST

GST_START_TEST (left_overs_of_a_killed_run_go)
{
  static const gchar *const stale[] = {"last.safetensors.tmp-12-0",
      "best.safetensors.tmp-123456-7", "epoch-012.safetensors.tmp-1-0",
      "metrics.jsonl.tmp-9-9"};
  static const gchar *const mine[] = {"notes.txt", "last.safetensors.tmp",
      "x-last.safetensors.tmp-1-0", "epoch-1.safetensors.tmp-1-0"};
  Run run;

  for (guint i = 0; i < G_N_ELEMENTS (stale); i++) {
    put_file (stale[i], "half");
    put_file (mine[i], "mine");
  }
  put_file ("best.safetensors", "broken");
  start (&run, folder, NULL);
  push_epoch (&run, 1, GOOD);
  finish (&run);
  for (guint i = 0; i < G_N_ELEMENTS (stale); i++) {
    fail_if (has_file (stale[i]), "%s", stale[i]);
    expect_text (mine[i], "mine");
  }
  expect_epoch ("best.safetensors", 1, GOOD);
}
GST_END_TEST

/* ---- failures ---- */

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
      folder, refusals[__i__].settings);
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
  fail_unless_equals_int (count_messages (&(Run){NULL, bus}, GST_MESSAGE_ERROR),
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
  Run run;

  start (&run, folder, NULL);
  fail_unless_equals_int (push (&run, &c), GST_FLOW_ERROR);
  expect_error (run.bus, GST_STREAM_ERROR, needed[__i__]);
  stop (&run);
  fail_unless_equals_int (count_files (), 0);
}
GST_END_TEST

GST_START_TEST (what_is_not_safetensors_is_refused)
{
  Run run;

  start (&run, folder, NULL);
  fail_unless_equals_int (gst_harness_push (run.h,
                              gst_buffer_new_memdup ("<html></html>", 13)),
      GST_FLOW_ERROR);
  expect_error (run.bus, GST_STREAM_ERROR, "cannot be used");
  fail_unless_equals_int (gst_harness_push (run.h, gst_buffer_new ()),
      GST_FLOW_ERROR);
  expect_error (run.bus, GST_STREAM_ERROR, "it is empty");
  stop (&run);
}
GST_END_TEST

/* Pushes until the writer's failure comes back. */
static void
expect_write_error (Run *run, const gchar *text)
{
  Checkpoint c = {.epoch = 2, .valid = GOOD_LOSS};

  for (guint i = 0; i < 500 && push (run, &c) == GST_FLOW_OK; i++)
    g_usleep (10000);
  fail_unless_equals_int (push (run, &c), GST_FLOW_ERROR);
  expect_error (run->bus, GST_RESOURCE_ERROR, text);
}

GST_START_TEST (removed_folder_is_told)
{
  Run run;

  start (&run, folder, NULL);
  push_epoch (&run, 1, GOOD);
  wait_for ("last.safetensors");
  remove_folder ();
  make_folder ();
  expect_write_error (&run, "No such file or directory");
  stop (&run);
}
GST_END_TEST

GST_START_TEST (file_limit_leaves_the_last_good_file)
{
  struct rlimit old, small = {2048, 2048};
  Run run;

  signal (SIGXFSZ, SIG_IGN);
  start (&run, folder, NULL);
  push_epoch (&run, 1, GOOD);
  stop (&run);
  getrlimit (RLIMIT_FSIZE, &old);
  small.rlim_max = old.rlim_max;
  start (&run, folder, NULL);
  setrlimit (RLIMIT_FSIZE, &small);
  expect_write_error (&run, "the file there before, if any, is untouched");
  setrlimit (RLIMIT_FSIZE, &old);
  stop (&run);
  expect_epoch ("best.safetensors", 1, GOOD);
  expect_epoch ("last.safetensors", 1, GOOD);
  fail_unless_equals_int (count_files (), 3);
}
GST_END_TEST

/* A tmpfs that is too small, in a mount namespace of this test: needs root. */
GST_START_TEST (full_disk_leaves_the_last_good_file)
{
  Run run;

  if (unshare (CLONE_NEWNS) < 0
      || mount ("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0
      || mount ("tlpipe", folder, "tmpfs", 0, "size=24k") < 0)
    return;
  start (&run, folder, NULL);
  push_epoch (&run, 1, GOOD);
  gst_harness_push_event (run.h, gst_event_new_eos ());
  stop (&run);
  start (&run, folder, NULL);
  put_file ("ballast", "x");
  expect_write_error (&run, "No space left on device");
  stop (&run);
  expect_epoch ("best.safetensors", 1, GOOD);
  expect_epoch ("last.safetensors", 1, GOOD);
  umount (folder);
}
GST_END_TEST

GST_START_TEST (read_only_folder_is_told)
{
  g_autoptr (GstElement) sink = new_sink (folder);

  if (geteuid () == 0)
    return;
  g_chmod (folder, 0500);
  fail_unless_equals_int (gst_element_set_state (sink, GST_STATE_READY),
      GST_STATE_CHANGE_FAILURE);
  g_chmod (folder, 0700);
  gst_element_set_state (sink, GST_STATE_NULL);
}
GST_END_TEST

/* ---- states ---- */

static GstPadProbeReturn
answer_final (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);
  g_autoptr (GstBuffer) checkpoint = NULL;

  if (!tl_query_is_final_checkpoint (query))
    return GST_PAD_PROBE_OK;
  checkpoint = new_checkpoint (user);
  tl_query_answer_final_checkpoint (query, checkpoint);
  return GST_PAD_PROBE_HANDLED;
}

GST_START_TEST (unsaved_state_is_fetched_at_the_stop)
{
  Checkpoint final = {.epoch = 1, .position = 3, .valid = GOOD};
  Run run;

  start (&run, folder, NULL);
  gst_pad_add_probe (run.h->srcpad, GST_PAD_PROBE_TYPE_QUERY_UPSTREAM,
      answer_final, &final, NULL);
  push_epoch (&run, 1, GOOD);
  stop (&run);
  expect_checkpoint ("last.safetensors", &final);
  expect_epoch ("best.safetensors", 1, GOOD);
}
GST_END_TEST

GST_START_TEST (pause_neither_blocks_nor_loses)
{
  Run run;

  start (&run, folder, NULL);
  gst_element_set_state (run.h->element, GST_STATE_PAUSED);
  for (guint i = 1; i < 6; i++)
    push_epoch (&run, i, GOOD);
  stop (&run);
  expect_epoch ("last.safetensors", 5, GOOD);
}
GST_END_TEST

GST_START_TEST (flush_loses_nothing)
{
  GstSegment segment;
  Run run;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  start (&run, folder, NULL);
  for (guint i = 1; i < 10; i++) {
    push_epoch (&run, i, GOOD);
    gst_harness_push_event (run.h, gst_event_new_flush_start ());
    gst_harness_push_event (run.h, gst_event_new_flush_stop (TRUE));
    gst_harness_push_event (run.h, gst_event_new_segment (&segment));
  }
  stop (&run);
  expect_epoch ("last.safetensors", 9, GOOD);
}
GST_END_TEST

static gpointer
push_epochs (gpointer user)
{
  for (guint i = 1; i < 1000; i++) {
    Checkpoint c = {.epoch = i, .position = i % 3, .valid = BAD};

    if (push (user, &c) != GST_FLOW_OK)
      break;
  }
  return NULL;
}

GST_START_TEST (stops_at_any_time_leave_whole_files)
{
  for (guint i = 0; i < 20; i++) {
    TlCheckpointInfo info = {0};
    TlError error = TL_ERROR_INIT;
    g_autofree gchar *path = path_of ("last.safetensors");
    GThread *thread;
    Run run;

    start (&run, folder, "save-top-k=3");
    thread = g_thread_new ("push", push_epochs, &run);
    g_usleep (500 * i);
    gst_element_set_state (run.h->element, GST_STATE_READY);
    g_thread_join (thread);
    stop (&run);
    if (has_file ("last.safetensors"))
      fail_unless (tl_checkpoint_info_read_file (&info, path, &error) == TL_OK,
          "%s", error.message);
    tl_checkpoint_info_clear (&info);
    fail_unless (count_files () <= 6);
  }
}
GST_END_TEST

/* ---- the queue ---- */

typedef struct
{
  GMutex lock; /* held: the disk is slow */
  GString *written;
  gboolean fail;
} Disk;

static gboolean
write_slowly (GstBuffer *checkpoint, const TlCheckpointInfo *info,
    gpointer user)
{
  Disk *disk = user;

  g_mutex_lock (&disk->lock);
  g_string_append_printf (disk->written, "%u%s ", info->epoch,
      info->ends_epoch ? "!" : "");
  g_mutex_unlock (&disk->lock);
  return !disk->fail;
}

static gboolean
queue_up (TlCheckpointQueue *queue, guint epoch, gboolean ends_epoch)
{
  TlCheckpointInfo info = {.epoch = epoch, .ends_epoch = ends_epoch};

  return tl_checkpoint_queue_push (queue, gst_buffer_new (), &info);
}

GST_START_TEST (saves_within_an_epoch_give_way)
{
  Disk disk = {.written = g_string_new (NULL)};
  TlCheckpointQueue *queue = tl_checkpoint_queue_new (write_slowly, &disk);

  g_mutex_lock (&disk.lock);
  queue_up (queue, 1, TRUE);
  /* The thread has taken it once the queue has room for two more. */
  tl_checkpoint_queue_set_hurried (queue, TRUE);
  g_usleep (20000);
  queue_up (queue, 2, FALSE);
  queue_up (queue, 3, FALSE);
  queue_up (queue, 4, TRUE);
  queue_up (queue, 5, FALSE);
  queue_up (queue, 6, FALSE);
  queue_up (queue, 7, TRUE);
  g_mutex_unlock (&disk.lock);
  fail_unless (tl_checkpoint_queue_drain (queue));
  fail_unless_equals_string (disk.written->str, "1! 4! 7! ");
  tl_checkpoint_queue_free (queue);
  g_string_free (disk.written, TRUE);
}
GST_END_TEST

static gpointer
queue_up_many (gpointer user)
{
  for (guint i = 1; i <= 10; i++)
    queue_up (user, i, TRUE);
  return NULL;
}

GST_START_TEST (slow_disk_blocks_instead_of_growing)
{
  Disk disk = {.written = g_string_new (NULL)};
  TlCheckpointQueue *queue = tl_checkpoint_queue_new (write_slowly, &disk);
  GThread *thread;

  g_mutex_lock (&disk.lock);
  thread = g_thread_new ("push", queue_up_many, queue);
  g_usleep (50000);
  fail_unless_equals_string (disk.written->str, "");
  g_mutex_unlock (&disk.lock);
  g_thread_join (thread);
  tl_checkpoint_queue_free (queue);
  fail_unless_equals_string (disk.written->str,
      "1! 2! 3! 4! 5! 6! 7! 8! 9! 10! ");
  g_string_free (disk.written, TRUE);
}
GST_END_TEST

GST_START_TEST (failure_ends_the_queue)
{
  Disk disk = {.written = g_string_new (NULL), .fail = TRUE};
  TlCheckpointQueue *queue = tl_checkpoint_queue_new (write_slowly, &disk);

  queue_up_many (queue);
  fail_if (tl_checkpoint_queue_drain (queue));
  fail_if (queue_up (queue, 11, TRUE));
  fail_unless_equals_string (disk.written->str, "1! ");
  tl_checkpoint_queue_free (queue);
  g_string_free (disk.written, TRUE);
}
GST_END_TEST

static Suite *
checkpointsink_suite (void)
{
  Suite *suite = suite_create ("checkpointsink");
  TCase *files = tcase_create ("files");
  TCase *failures = tcase_create ("failures");
  TCase *states = tcase_create ("states");

  GST_ELEMENT_REGISTER (checkpointsink, NULL);
  tcase_add_checked_fixture (files, make_folder, remove_folder);
  tcase_add_test (files, every_checkpoint_replaces_the_last);
  tcase_add_test (files, best_is_by_balanced_accuracy_then_loss);
  tcase_add_test (files, metrics_have_one_line_per_epoch);
  tcase_add_test (files, metrics_hold_nothing_but_numbers);
  tcase_add_test (files, top_k_keeps_that_many_epochs);
  tcase_add_loop_test (files, mode_decides_what_is_better, 0,
      G_N_ELEMENTS (modes));
  tcase_add_test (files, unranked_epochs_are_never_best);
  tcase_add_test (files, files_are_reported);
  tcase_add_test (files, resume_goes_on_where_it_was);
  tcase_add_test (files, another_run_is_not_compared);
  tcase_add_test (files, run_from_the_start_forgets_the_old_best);
  tcase_add_test (files, left_overs_of_a_killed_run_go);
  suite_add_tcase (suite, files);
  tcase_add_checked_fixture (failures, make_folder, remove_folder);
  tcase_add_loop_test (failures, bad_settings_are_told_before_data, 0,
      G_N_ELEMENTS (refusals));
  tcase_add_loop_test (failures, foreign_checkpoints_are_refused, 0,
      G_N_ELEMENTS (needed));
  tcase_add_test (failures, what_is_not_safetensors_is_refused);
  tcase_add_test (failures, removed_folder_is_told);
  tcase_add_test (failures, file_limit_leaves_the_last_good_file);
  tcase_add_test (failures, full_disk_leaves_the_last_good_file);
  tcase_add_test (failures, read_only_folder_is_told);
  suite_add_tcase (suite, failures);
  tcase_add_checked_fixture (states, make_folder, remove_folder);
  tcase_add_test (states, unsaved_state_is_fetched_at_the_stop);
  tcase_add_test (states, pause_neither_blocks_nor_loses);
  tcase_add_test (states, flush_loses_nothing);
  tcase_add_test (states, stops_at_any_time_leave_whole_files);
  tcase_add_test (states, saves_within_an_epoch_give_way);
  tcase_add_test (states, slow_disk_blocks_instead_of_growing);
  tcase_add_test (states, failure_ends_the_queue);
  suite_add_tcase (suite, states);
  return suite;
}

GST_CHECK_MAIN (checkpointsink);
