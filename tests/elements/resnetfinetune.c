/* SPDX-License-Identifier: BSD-3-Clause */

/* What the trainer learns, measures, saves and goes on from. */

#include "tlfeed.h"
#include "tlrig.h"

#include <gst/check/gstcheck.h>

#include <tlcheckpoint.h>

#include "tlresnetfinetune.h"

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

  rig_expect_message (&rig, GST_MESSAGE_PROGRESS, "a new head for 2 classes");
  rig_expect_message (&rig, GST_MESSAGE_PROGRESS, "epoch 1/3: train loss");
  rig_expect_message (&rig, GST_MESSAGE_PROGRESS, "epoch 2/3: train loss");
  rig_expect_message (&rig, GST_MESSAGE_PROGRESS, "acc 100.0 % (10 of 10)");
  rig_expect_message (&rig, GST_MESSAGE_PROGRESS,
      "finished with epoch 3, step 15; frozen tensors (1) are bit for bit "
      "those of thumbnail.safetensors");
  rig_expect_eos (&rig);
  g_object_get (rig.trainer, "val-accuracy", &val_accuracy, "step", &step,
      NULL);
  fail_unless (val_accuracy == 1.0);
  fail_unless_equals_uint64 (step, 15);
  /* Two epochs, and the final one. */
  fail_unless_equals_int (rig.checkpoints->len, 3);
  rig_expect_value (g_ptr_array_index (rig.checkpoints, 0), TL_KEY_STATE,
      "running");
  rig_expect_value (g_ptr_array_index (rig.checkpoints, 0), TL_KEY_EPOCH, "1");
  rig_expect_value (rig_last (&rig), TL_KEY_STATE, "finished");
  rig_expect_value (rig_last (&rig), TL_KEY_CLASSES,
      "[\"dark-left\",\"dark-right\"]");
  rig_expect_value (rig_last (&rig), TL_KEY_BATCH_SIZE, "4");
  rig_clear (&rig);
}
GST_END_TEST;

GST_START_TEST (test_same_run_gives_same_bytes)
{
  Feed feed = FEED_INIT;
  g_autoptr (GBytes) one = rig_run_to_end (&feed);
  g_autoptr (GBytes) two = rig_run_to_end (&feed);

  fail_unless (g_bytes_equal (one, two));
  feed.seed++;
  g_bytes_unref (two);
  two = rig_run_to_end (&feed);
  fail_if (g_bytes_equal (one, two));
}
GST_END_TEST;

GST_START_TEST (test_ends_without_phase_events)
{
  Feed feed = FEED_INIT;
  g_autoptr (GBytes) whole = rig_run_to_end (&feed);
  g_autoptr (GBytes) without_ends = NULL;

  feed.no_phase_ends = TRUE;
  without_ends = rig_run_to_end (&feed);
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
  rig_expect_eos (&rig);
  /* At the end of an epoch everything has been saved before. */
  rig_expect_value (rig_last (&rig), TL_KEY_STATE,
      n % 8 == 0 ? "running" : "interrupted");
  path = rig_save_bytes (rig_last (&rig), "interrupted.safetensors");
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
  rig_expect_eos (&rig);
  last = g_bytes_ref (rig_last (&rig));
  rig_clear (&rig);
  return last;
}

GST_START_TEST (test_resume_gives_the_same_bytes)
{
  Feed feed = FEED_INIT;
  g_autoptr (GBytes) whole = rig_run_to_end (&feed);

  /* 5 batches of training and 3 of validation per epoch. */
  for (guint n = 1; n < 24; n++) {
    g_autofree gchar *path = interrupt_after (feed, n);
    g_autoptr (GBytes) resumed = resume_to_end (feed, path);

    fail_unless (g_bytes_equal (whole, resumed), "after %u batches", n);
  }
}
GST_END_TEST;

/* Samples that do not arrive are counted once, before and after a resume. */
GST_START_TEST (test_resume_counts_skipped_samples_once)
{
  Feed feed = FEED_INIT;
  g_autoptr (GBytes) whole = NULL;
  g_autofree gchar *metrics = NULL;

  feed.skip_every = 3;
  whole = rig_run_to_end (&feed);
  metrics = rig_get_value (whole, TL_KEY_METRICS_TRAIN);
  fail_unless (g_str_has_suffix (metrics, "n=13 skipped=7"), "%s", metrics);
  for (guint n = 1; n < 6; n++) {
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

  three = rig_run_to_end (&feed);
  feed.epochs = 2;
  two = rig_run_to_end (&feed);
  path = rig_save_bytes (two, "two.safetensors");
  feed.epochs = 3;
  resumed = resume_to_end (feed, path);
  fail_unless (g_bytes_equal (three, resumed));
}
GST_END_TEST;

/* ---- When checkpoints are made ---- */

/* Number of checkpoints of a whole run. */
static guint
count_checkpoints (const gchar *every)
{
  Feed feed = FEED_INIT;
  guint n;
  Rig rig;

  rig_init (&rig);
  g_object_set (rig.trainer, "checkpoint-every", every, NULL);
  rig_play (&rig);
  feed_all (&feed, rig.pad);
  rig_expect_eos (&rig);
  n = rig.checkpoints->len;
  rig_clear (&rig);
  return n;
}

GST_START_TEST (test_checkpoints_are_made_when_asked)
{
  fail_unless_equals_int (count_checkpoints ("none"), 1);
  fail_unless_equals_int (count_checkpoints ("epoch"), 3);
  /* 15 steps. */
  fail_unless_equals_int (count_checkpoints ("4"), 3 + 3);
}
GST_END_TEST;

GST_START_TEST (test_save_now_saves_after_the_next_batch)
{
  Feed feed = FEED_INIT;
  g_autofree gchar *sums = NULL;
  Rig rig;

  feed.max_batches = 2;
  rig_init (&rig);
  g_object_set (rig.trainer, "checkpoint-every", "none", NULL);
  rig_play (&rig);
  g_signal_emit_by_name (rig.trainer, "save-now");
  fail_unless_equals_int (rig.checkpoints->len, 0);
  feed_begin (&feed, rig.pad);
  feed_run (&feed, rig.pad, NULL);
  fail_unless_equals_int (rig.checkpoints->len, 1);
  rig_expect_value (rig_last (&rig), TL_KEY_POSITION, "4");
  rig_expect_value (rig_last (&rig), TL_KEY_STEP, "1");
  sums = rig_get_value (rig_last (&rig), TL_KEY_PHASE_SUMS);
  fail_unless (g_str_has_prefix (sums, "n=4 "));
  rig_clear (&rig);
}
GST_END_TEST;

GST_START_TEST (test_save_in_validation_begins_it_again)
{
  Feed feed = FEED_INIT;
  g_autofree gchar *sums = NULL;
  Rig rig;

  feed.max_batches = 7;
  rig_init (&rig);
  rig_play (&rig);
  feed_all (&feed, rig.pad);
  rig_expect_eos (&rig);
  rig_expect_value (rig_last (&rig), TL_KEY_SPLIT, "valid");
  rig_expect_value (rig_last (&rig), TL_KEY_POSITION, "0");
  sums = rig_get_value (rig_last (&rig), TL_KEY_PHASE_SUMS);
  fail_unless (sums == NULL);
  rig_clear (&rig);
}
GST_END_TEST;

GST_START_TEST (test_on_stop_nothing_saves_nothing)
{
  Feed feed = FEED_INIT;
  Rig rig;

  feed.max_batches = 2;
  rig_init (&rig);
  gst_util_set_object_arg (G_OBJECT (rig.trainer), "on-stop", "nothing");
  rig_play (&rig);
  feed_all (&feed, rig.pad);
  rig_expect_eos (&rig);
  fail_unless_equals_int (rig.checkpoints->len, 0);
  rig_clear (&rig);
}
GST_END_TEST;

/* ---- Weights ---- */

/* Whether a run from @path has a new head. */
static gboolean
has_new_head (const Feed *feed, const gchar *path)
{
  g_autoptr (GstMessage) message = NULL;
  gboolean ret;
  Rig rig;

  rig_init (&rig);
  g_object_set (rig.trainer, "weights", path, NULL);
  rig_play (&rig);
  feed_all (feed, rig.pad);
  message =
      gst_bus_timed_pop_filtered (rig.bus, 5 * GST_SECOND, GST_MESSAGE_ELEMENT);
  fail_unless (gst_message_has_name (message, "tl-model"));
  fail_unless (gst_structure_get_boolean (gst_message_get_structure (message),
      "new-head", &ret));
  rig_clear (&rig);
  return ret;
}

GST_START_TEST (test_head_is_kept_for_the_same_classes_only)
{
  Feed feed = FEED_INIT;
  g_autoptr (GBytes) bytes = rig_run_to_end (&feed);
  g_autofree gchar *path = rig_save_bytes (bytes, "run.safetensors");

  fail_if (has_new_head (&feed, path));
  fail_unless (has_new_head (&feed, rig_weights));
  feed.classes[0] = "something else";
  fail_unless (has_new_head (&feed, path));
}
GST_END_TEST;

GST_START_TEST (test_random_weights_warn_and_repeat)
{
  Feed feed = FEED_INIT;
  g_autoptr (GBytes) first = NULL;

  for (guint i = 0; i < 2; i++) {
    Rig rig;

    rig_init (&rig);
    g_object_set (rig.trainer, "weights", "random", "arch", "thumbnail", NULL);
    gst_util_set_object_arg (G_OBJECT (rig.trainer), "freeze", "none");
    rig_play (&rig);
    feed_all (&feed, rig.pad);
    rig_expect_message (&rig, GST_MESSAGE_WARNING, "not transfer learning");
    rig_expect_eos (&rig);
    rig_expect_value (rig_last (&rig), TL_KEY_WEIGHTS_SHA256, "random");
    if (i == 0)
      first = g_bytes_ref (rig_last (&rig));
    else
      fail_unless (g_bytes_equal (first, rig_last (&rig)));
    rig_clear (&rig);
  }
}
GST_END_TEST;

/* Every setting that has a say in what is learned. */
GST_START_TEST (test_settings_are_in_the_checkpoint)
{
  Feed feed = FEED_INIT;
  g_autofree gchar *preprocess = NULL;
  Rig rig;

  rig_init (&rig);
  g_object_set (rig.trainer, "lr", 0.25, "momentum", 0.5, "weight-decay", 0.125,
      "nesterov", TRUE, "lr-step-size", 2, "lr-gamma", 0.5, "warmup-epochs", 1,
      "exact", TRUE, "train-bn", TRUE, "mean", "0.5, 0.25, 0", "std", "1 1 1",
      "n-threads", 1, "device", "cpu", NULL);
  gst_util_set_object_arg (G_OBJECT (rig.trainer), "freeze", "stem");
  gst_util_set_object_arg (G_OBJECT (rig.trainer), "precision", "fp32");
  gst_util_set_object_arg (G_OBJECT (rig.trainer), "optimizer", "sgd");
  gst_util_set_object_arg (G_OBJECT (rig.trainer), "lr-scheduler", "step");
  rig_play (&rig);
  feed_all (&feed, rig.pad);
  rig_expect_eos (&rig);
  rig_expect_value (rig_last (&rig), TL_KEY_OPTIMIZER,
      "sgd momentum=0.5 weight-decay=0.125 nesterov=true");
  rig_expect_value (rig_last (&rig), TL_KEY_SCHEDULE,
      "step lr=0.25 step-size=2 gamma=0.5 warmup-epochs=1");
  rig_expect_value (rig_last (&rig), TL_KEY_FREEZE, "stem");
  rig_expect_value (rig_last (&rig), TL_KEY_EXACT, "true");
  rig_expect_value (rig_last (&rig), TL_KEY_TRAIN_BN, "true");
  rig_expect_value (rig_last (&rig), TL_KEY_PRECISION, "fp32");
  rig_expect_value (rig_last (&rig), TL_KEY_TRANSFORM, "feed side=32");
  preprocess = rig_get_value (rig_last (&rig), TL_KEY_PREPROCESS);
  fail_unless (strstr (preprocess, "mean=0.5,0.25,0 std=1,1,1") != NULL);
  rig_clear (&rig);
}
GST_END_TEST;

/* ---- Evaluation ---- */

static void
expect_preprocess_answer (Rig *rig)
{
  g_autoptr (GstQuery) query = tl_query_new_preprocess (FALSE);
  TlPreprocess preprocess;

  fail_unless (gst_pad_peer_query (rig->pad, query));
  fail_unless (tl_query_parse_preprocess (query, &preprocess));
  fail_unless_equals_int (preprocess.width, FEED_SIDE);
}

GST_START_TEST (test_evaluation_measures_and_saves_nothing)
{
  Feed feed = FEED_INIT;
  g_autoptr (GBytes) bytes = rig_run_to_end (&feed);
  g_autofree gchar *path = rig_save_bytes (bytes, "run.safetensors");
  gdouble val_accuracy;
  Rig rig;

  feed.n_train = 0;
  feed.epochs = 1;
  rig_init (&rig);
  g_object_set (rig.trainer, "weights", path, NULL);
  rig_play (&rig);
  expect_preprocess_answer (&rig);
  feed_all (&feed, rig.pad);
  rig_expect_message (&rig, GST_MESSAGE_PROGRESS, "the file's head");
  rig_expect_message (&rig, GST_MESSAGE_PROGRESS, "(10 of 10)");
  rig_expect_message (&rig, GST_MESSAGE_PROGRESS, "evaluated");
  rig_expect_eos (&rig);
  g_object_get (rig.trainer, "val-accuracy", &val_accuracy, NULL);
  fail_unless (val_accuracy == 1.0);
  fail_unless_equals_int (rig.checkpoints->len, 0);
  rig_clear (&rig);
}
GST_END_TEST;

GST_START_TEST (test_training_makes_its_own_pictures)
{
  Feed feed = FEED_INIT;
  g_autoptr (GBytes) bytes = rig_run_to_end (&feed);
  g_autofree gchar *path = rig_save_bytes (bytes, "run.safetensors");
  g_autoptr (GstQuery) query = tl_query_new_preprocess (TRUE);
  Rig rig;

  rig_init (&rig);
  g_object_set (rig.trainer, "weights", path, NULL);
  rig_play (&rig);
  fail_if (gst_pad_peer_query (rig.pad, query));
  rig_clear (&rig);
}
GST_END_TEST;

/* ---- Messages ---- */

/* The next message named @name; *transferred*. */
static GstMessage *
pop_message (Rig *rig, const gchar *name)
{
  GstMessage *message;

  while ((message = gst_bus_pop_filtered (rig->bus, GST_MESSAGE_ELEMENT))) {
    if (gst_message_has_name (message, name))
      return message;
    gst_message_unref (message);
  }
  fail ("no message %s", name);
  return NULL;
}

GST_START_TEST (test_messages_say_what_happened)
{
  Feed feed = FEED_INIT;
  g_autoptr (GstMessage) model = NULL, metrics = NULL, flow = NULL;
  const GstStructure *s;
  guint64 n, trainable;
  gdouble share;
  Rig rig;

  rig_init (&rig);
  rig_play (&rig);
  feed_all (&feed, rig.pad);
  model = pop_message (&rig, "tl-model");
  s = gst_message_get_structure (model);
  fail_unless (gst_structure_get_uint64 (s, "n-trainable", &trainable));
  fail_unless_equals_uint64 (trainable, 2 * 192 + 2);
  fail_unless_equals_int (gst_value_array_get_size (
                              gst_structure_get_value (s, "modules")),
      2);
  metrics = pop_message (&rig, "tl-metrics");
  s = gst_message_get_structure (metrics);
  fail_unless_equals_string (gst_structure_get_string (s, "scope"), "phase");
  fail_unless_equals_string (gst_structure_get_string (s, "split"), "train");
  fail_unless (gst_structure_get_uint64 (s, "n", &n));
  fail_unless_equals_uint64 (n, feed.n_train);
  fail_if (gst_structure_has_field (s, "confusion"));
  flow = pop_message (&rig, "tl-flow");
  fail_unless (gst_structure_get_double (gst_message_get_structure (flow),
      "wait-share", &share));
  fail_unless (share >= 0 && share <= 1);
  gst_clear_message (&metrics);
  metrics = pop_message (&rig, "tl-metrics");
  s = gst_message_get_structure (metrics);
  fail_unless_equals_string (gst_structure_get_string (s, "split"), "valid");
  fail_unless (gst_structure_has_field (s, "confusion"));
  rig_clear (&rig);
}
GST_END_TEST;

GST_START_TEST (test_reports_come_within_an_epoch)
{
  Feed feed = FEED_INIT;
  g_autoptr (GstMessage) metrics = NULL;
  Rig rig;

  g_setenv ("TLPIPE_REFERENCE_FAIL", "step-ms:300", TRUE);
  rig_init (&rig);
  g_object_set (rig.trainer, "report-interval", 1, NULL);
  rig_play (&rig);
  feed_begin (&feed, rig.pad);
  feed.max_batches = 5;
  feed_run (&feed, rig.pad, NULL);
  metrics = pop_message (&rig, "tl-metrics");
  fail_unless_equals_string (
      gst_structure_get_string (gst_message_get_structure (metrics), "scope"),
      "step");
  /* After which batch depends on how busy the machine is. */
  rig_expect_message (&rig, GST_MESSAGE_PROGRESS, "epoch 1/3: train ");
  rig_clear (&rig);
}
GST_END_TEST;

GST_START_TEST (test_offers_buffers_for_batches)
{
  TlBatchInfo info = {FEED_SIDE, FEED_SIDE, 4};
  g_autoptr (GstCaps) caps = tl_batch_info_to_caps (&info);
  g_autoptr (GstQuery) query = gst_query_new_allocation (caps, TRUE);
  g_autoptr (GstBufferPool) pool = NULL;
  guint size;
  Rig rig;

  rig_init (&rig);
  rig_play (&rig);
  fail_unless (gst_pad_peer_query (rig.pad, query));
  gst_query_parse_nth_allocation_pool (query, 0, &pool, &size, NULL, NULL);
  fail_unless (pool != NULL);
  fail_unless_equals_int (size, FEED_SIDE * FEED_SIDE * 3 * 4);
  rig_clear (&rig);
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
  tcase_add_checked_fixture (tcase, rig_set_up, rig_tear_down);
  tcase_add_test (tcase, test_learns_and_ends_by_itself);
  tcase_add_test (tcase, test_same_run_gives_same_bytes);
  tcase_add_test (tcase, test_ends_without_phase_events);
  tcase_add_test (tcase, test_resume_gives_the_same_bytes);
  tcase_add_test (tcase, test_resume_counts_skipped_samples_once);
  tcase_add_test (tcase, test_longer_resume_equals_longer_run);
  tcase_add_test (tcase, test_checkpoints_are_made_when_asked);
  tcase_add_test (tcase, test_save_now_saves_after_the_next_batch);
  tcase_add_test (tcase, test_save_in_validation_begins_it_again);
  tcase_add_test (tcase, test_on_stop_nothing_saves_nothing);
  tcase_add_test (tcase, test_head_is_kept_for_the_same_classes_only);
  tcase_add_test (tcase, test_random_weights_warn_and_repeat);
  tcase_add_test (tcase, test_settings_are_in_the_checkpoint);
  tcase_add_test (tcase, test_evaluation_measures_and_saves_nothing);
  tcase_add_test (tcase, test_training_makes_its_own_pictures);
  tcase_add_test (tcase, test_messages_say_what_happened);
  tcase_add_test (tcase, test_reports_come_within_an_epoch);
  tcase_add_test (tcase, test_offers_buffers_for_batches);
  return suite;
}

GST_CHECK_MAIN (resnetfinetune)
