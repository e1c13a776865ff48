/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlfeed.h"

#include <gst/check/gstcheck.h>

#include <glib/gstdio.h>

#include <tlcheckpoint.h>
#include <tlsafetensors.h>

#include "tlresnetfinetune.h"

/* ---- Set-up ---- */

static gchar *folder;  /* of one test */
static gchar *weights; /* a thumbnail without a class list */

static void
write_weights (const gchar *path)
{
  gfloat stem[192], fc[2 * 192] = {0}, bias[2] = {0};
  TlTensor tensors[] = {
      {"stem.weight", TL_DTYPE_F32, 1, {192}, {1}, stem},
      {"fc.weight", TL_DTYPE_F32, 2, {2, 192}, {192, 1}, fc},
      {"fc.bias", TL_DTYPE_F32, 1, {2}, {1}, bias},
  };

  for (guint i = 0; i < G_N_ELEMENTS (stem); i++)
    stem[i] = 1;
  fail_unless_equals_int (tl_safetensors_write (path, tensors,
                              G_N_ELEMENTS (tensors), NULL, 0, NULL),
      TL_OK);
}

static void
set_up (void)
{
  folder = g_dir_make_tmp ("tlpipe-XXXXXX", NULL);
  weights = g_build_filename (folder, "thumbnail.safetensors", NULL);
  write_weights (weights);
}

static void
tear_down (void)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);

    g_remove (path);
  }
  g_rmdir (folder);
  g_clear_pointer (&folder, g_free);
  g_clear_pointer (&weights, g_free);
}

/* A trainer between a source pad of the test and a sink that keeps what comes.
 * It is not started. */
typedef struct
{
  GstElement *pipeline;
  GstElement *trainer;
  GstElement *sink;
  GstPad *pad;
  GstBus *bus;
  GPtrArray *checkpoints; /* GBytes */
} Rig;

static void
keep_checkpoint (GstElement *sink, GstBuffer *buffer, GstPad *pad, Rig *rig)
{
  gpointer data;
  gsize size;

  gst_buffer_extract_dup (buffer, 0, gst_buffer_get_size (buffer), &data,
      &size);
  g_ptr_array_add (rig->checkpoints, g_bytes_new_take (data, size));
}

static void
rig_init (Rig *rig)
{
  g_autoptr (GstPad) sinkpad = NULL;

  rig->pipeline = gst_pipeline_new (NULL);
  rig->trainer = gst_element_factory_make ("resnetfinetune", NULL);
  rig->sink = gst_element_factory_make ("fakesink", NULL);
  rig->checkpoints =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_object_set (rig->sink, "async", FALSE, "sync", FALSE, "signal-handoffs",
      TRUE, NULL);
  g_signal_connect (rig->sink, "handoff", G_CALLBACK (keep_checkpoint), rig);
  g_object_set (rig->trainer, "weights", weights, "report-interval", 0, "lr",
      0.1, NULL);
  gst_bin_add_many (GST_BIN (rig->pipeline), rig->trainer, rig->sink, NULL);
  fail_unless (gst_element_link (rig->trainer, rig->sink));
  rig->bus = gst_element_get_bus (rig->pipeline);

  rig->pad = gst_pad_new ("feed", GST_PAD_SRC);
  sinkpad = gst_element_get_static_pad (rig->trainer, "sink");
  fail_unless_equals_int (gst_pad_link (rig->pad, sinkpad), GST_PAD_LINK_OK);
  gst_pad_set_active (rig->pad, TRUE);
}

static void
rig_clear (Rig *rig)
{
  gst_element_set_state (rig->pipeline, GST_STATE_NULL);
  gst_pad_set_active (rig->pad, FALSE);
  gst_object_unref (rig->pad);
  gst_object_unref (rig->bus);
  gst_object_unref (rig->pipeline);
  g_ptr_array_unref (rig->checkpoints);
}

static void
rig_play (Rig *rig)
{
  fail_unless (gst_element_set_state (rig->pipeline, GST_STATE_PLAYING)
      != GST_STATE_CHANGE_FAILURE);
}

/* The bytes of the last checkpoint; *borrowed*. */
static GBytes *
rig_last (Rig *rig)
{
  fail_unless (rig->checkpoints->len > 0, "no checkpoint");
  return g_ptr_array_index (rig->checkpoints, rig->checkpoints->len - 1);
}

static gchar *
save_bytes (GBytes *bytes, const gchar *name)
{
  gchar *path = g_build_filename (folder, name, NULL);

  fail_unless (g_file_set_contents (path, g_bytes_get_data (bytes, NULL),
      (gssize) g_bytes_get_size (bytes), NULL));
  return path;
}

/* A value of the file's metadata; *transferred*. */
static gchar *
get_value (GBytes *bytes, const gchar *key)
{
  TlTensorSet set = TL_TENSOR_SET_INIT (1 << 20);
  gchar *value = NULL;

  fail_unless_equals_int (tl_safetensors_read (g_bytes_get_data (bytes, NULL),
                              g_bytes_get_size (bytes), &set, NULL),
      TL_OK);
  for (size_t i = 0; i < set.n_metadata; i++) {
    if (strcmp (set.metadata[i].key, key) == 0)
      value = g_strdup (set.metadata[i].value);
  }
  tl_tensor_set_clear (&set);
  return value;
}

static void
expect_value (GBytes *bytes, const gchar *key, const gchar *expected)
{
  g_autofree gchar *value = get_value (bytes, key);

  fail_unless_equals_string (value, expected);
}

/* The next message of @type must come and hold @text. */
static void
expect_message (Rig *rig, GstMessageType type, const gchar *text)
{
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (rig->bus, 5 * GST_SECOND, type);
  g_autoptr (GError) error = NULL;
  g_autofree gchar *found = NULL;

  fail_unless (message != NULL, "no message with \"%s\"", text);
  if (type == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    found = g_strdup (error->message);
  } else if (type == GST_MESSAGE_WARNING) {
    gst_message_parse_warning (message, &error, NULL);
    found = g_strdup (error->message);
  } else {
    gst_message_parse_progress (message, NULL, NULL, &found);
  }
  fail_unless (strstr (found, text) != NULL, "\"%s\" lacks \"%s\"", found,
      text);
}

static void
expect_eos (Rig *rig)
{
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (rig->bus,
      5 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);

  fail_unless (message != NULL, "the pipeline does not end");
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
}

/* ---- Training ---- */

GST_START_TEST (test_learns_and_ends_by_itself)
{
  Feed feed = FEED_INIT;
  gdouble val_accuracy;
  guint64 step;
  Rig rig;

  rig_init (&rig);
  rig_play (&rig);
  feed_all (&feed, rig.pad);

  expect_message (&rig, GST_MESSAGE_PROGRESS, "a new head for 2 classes");
  expect_message (&rig, GST_MESSAGE_PROGRESS, "epoch 1/3: train loss");
  expect_message (&rig, GST_MESSAGE_PROGRESS, "epoch 2/3: train loss");
  expect_message (&rig, GST_MESSAGE_PROGRESS, "acc 100.0 % (10 of 10)");
  expect_message (&rig, GST_MESSAGE_PROGRESS,
      "finished after 3 epochs and 15 steps; the 1 frozen tensors are bit for "
      "bit those of thumbnail.safetensors");
  expect_eos (&rig);
  g_object_get (rig.trainer, "val-accuracy", &val_accuracy, "step", &step,
      NULL);
  fail_unless (val_accuracy == 1.0);
  fail_unless_equals_uint64 (step, 15);
  /* Two epochs, and the final one. */
  fail_unless_equals_int (rig.checkpoints->len, 3);
  expect_value (g_ptr_array_index (rig.checkpoints, 0), TL_KEY_STATE,
      "running");
  expect_value (g_ptr_array_index (rig.checkpoints, 0), TL_KEY_EPOCH, "1");
  expect_value (rig_last (&rig), TL_KEY_STATE, "finished");
  expect_value (rig_last (&rig), TL_KEY_CLASSES,
      "[\"dark-left\",\"dark-right\"]");
  expect_value (rig_last (&rig), TL_KEY_BATCH_SIZE, "4");
  rig_clear (&rig);
}
GST_END_TEST;

/* Runs @feed to its end and gives the last checkpoint. */
static GBytes *
run_to_end (const Feed *feed)
{
  GBytes *last;
  Rig rig;

  rig_init (&rig);
  rig_play (&rig);
  feed_all (feed, rig.pad);
  expect_eos (&rig);
  last = g_bytes_ref (rig_last (&rig));
  rig_clear (&rig);
  return last;
}

GST_START_TEST (test_same_run_gives_same_bytes)
{
  Feed feed = FEED_INIT;
  g_autoptr (GBytes) one = run_to_end (&feed);
  g_autoptr (GBytes) two = run_to_end (&feed);

  fail_unless (g_bytes_equal (one, two));
  feed.seed++;
  g_bytes_unref (two);
  two = run_to_end (&feed);
  fail_if (g_bytes_equal (one, two));
}
GST_END_TEST;

GST_START_TEST (test_ends_without_phase_events)
{
  Feed feed = FEED_INIT;
  g_autoptr (GBytes) whole = run_to_end (&feed);
  g_autoptr (GBytes) without_ends = NULL;

  feed.no_phase_ends = TRUE;
  without_ends = run_to_end (&feed);
  fail_unless (g_bytes_equal (whole, without_ends));
}
GST_END_TEST;

/* ---- Interruption and resume ---- */

/* The checkpoint of a run that EOS cuts after @n batches. */
static gchar *
interrupt_after (Feed feed, guint n)
{
  gchar *path;
  Rig rig;

  feed.max_batches = n;
  rig_init (&rig);
  rig_play (&rig);
  feed_all (&feed, rig.pad);
  expect_eos (&rig);
  /* At the end of an epoch everything has been saved before. */
  expect_value (rig_last (&rig), TL_KEY_STATE,
      n % 8 == 0 ? "running" : "interrupted");
  path = save_bytes (rig_last (&rig), "interrupted.safetensors");
  rig_clear (&rig);
  return path;
}

/* Asks the trainer where to start. */
static void
ask_cursor (Rig *rig, TlCursor *ret)
{
  g_autoptr (GstQuery) query = tl_query_new_cursor ();

  fail_unless (gst_pad_peer_query (rig->pad, query));
  fail_unless (tl_query_parse_cursor (query, ret));
}

static GBytes *
resume_to_end (Feed feed, const gchar *path)
{
  GBytes *last;
  Rig rig;

  rig_init (&rig);
  g_object_set (rig.trainer, "resume", path, NULL);
  rig_play (&rig);
  ask_cursor (&rig, &feed.start);
  fail_unless (feed.start.resume);
  fail_unless_equals_uint64 (feed.start.seed, feed.seed);
  feed_all (&feed, rig.pad);
  expect_eos (&rig);
  last = g_bytes_ref (rig_last (&rig));
  rig_clear (&rig);
  return last;
}

GST_START_TEST (test_resume_gives_the_same_bytes)
{
  Feed feed = FEED_INIT;
  g_autoptr (GBytes) whole = run_to_end (&feed);

  /* 5 batches of training and 3 of validation per epoch. */
  for (guint n = 1; n < 24; n++) {
    g_autofree gchar *path = interrupt_after (feed, n);
    g_autoptr (GBytes) resumed = resume_to_end (feed, path);

    fail_unless (g_bytes_equal (whole, resumed), "after %u batches", n);
  }
}
GST_END_TEST;

GST_START_TEST (test_longer_resume_equals_longer_run)
{
  Feed feed = FEED_INIT;
  g_autoptr (GBytes) two = NULL, three = NULL, resumed = NULL;
  g_autofree gchar *path = NULL;

  three = run_to_end (&feed);
  feed.epochs = 2;
  two = run_to_end (&feed);
  path = save_bytes (two, "two.safetensors");
  feed.epochs = 3;
  resumed = resume_to_end (feed, path);
  fail_unless (g_bytes_equal (three, resumed));
}
GST_END_TEST;

static Suite *
resnetfinetune_suite (void)
{
  Suite *suite = suite_create ("resnetfinetune");
  TCase *tcase = tcase_create ("general");

  gst_element_register (NULL, "resnetfinetune", GST_RANK_NONE,
      TL_TYPE_RESNET_FINETUNE);
  suite_add_tcase (suite, tcase);
  tcase_add_checked_fixture (tcase, set_up, tear_down);
  tcase_add_test (tcase, test_learns_and_ends_by_itself);
  tcase_add_test (tcase, test_same_run_gives_same_bytes);
  tcase_add_test (tcase, test_ends_without_phase_events);
  tcase_add_test (tcase, test_resume_gives_the_same_bytes);
  tcase_add_test (tcase, test_longer_resume_equals_longer_run);
  return suite;
}

GST_CHECK_MAIN (resnetfinetune)
