/* SPDX-License-Identifier: BSD-3-Clause */

/* Every refusal of the trainer: one error, with a sentence to act on. */

#include "tlfeed.h"
#include "tlrig.h"

#include <gst/check/gstcheck.h>

#include <tlcheckpoint.h>

#include "tlresnetfinetune.h"

/* The one error on the bus holds @text. */
static void
expect_one_error (Rig *rig, const gchar *text)
{
  g_autoptr (GstMessage) another = NULL;

  rig_expect_message (rig, GST_MESSAGE_ERROR, text);
  another = gst_bus_pop_filtered (rig->bus, GST_MESSAGE_ERROR);
  fail_unless (another == NULL, "a second error");
}

/* ---- Before data flows ---- */

/* A %s in a value or text is the path of the weights. */
typedef struct
{
  const gchar *name;
  const gchar *property, *value;
  const gchar *property2, *value2; /* or NULL */
  const gchar *text;
} Refusal;

static const Refusal refusals[] = {
    {"no weights", "weights", "", NULL, NULL, "weights is empty"},
    {"no such file", "weights", "/nowhere/r.pth", NULL, NULL, "/nowhere/r.pth"},
    {"a folder", "weights", "/", NULL, NULL, "folder"},
    {"unknown arch", "arch", "resnet19", NULL, NULL,
        "expected one of auto, resnet18"},
    {"another arch", "arch", "resnet50", NULL, NULL,
        "is a thumbnail, but arch=resnet50"},
    {"random needs an arch", "weights", "random", NULL, NULL, "set arch"},
    {"resume from weights", "resume", "%s", NULL, NULL, "weights only"},
    {"resume from nothing", "resume", "/nowhere/l.safetensors", NULL, NULL,
        "/nowhere/l.safetensors"},
    {"no such device", "device", "cuda", NULL, NULL, "CUDA"},
    {"not a device", "device", "tpu", NULL, NULL, "tpu"},
    {"lr of 0", "lr", "0", NULL, NULL, "lr="},
    {"negative lr", "lr", "-1", NULL, NULL, "lr="},
    {"momentum of 1", "momentum", "1", NULL, NULL, "momentum="},
    {"negative decay", "weight-decay", "-0.1", NULL, NULL, "weight-decay="},
    {"step size of 0", "lr-step-size", "0", NULL, NULL, "lr-step-size="},
    {"gamma of 0", "lr-gamma", "0", NULL, NULL, "lr-gamma="},
    {"too many threads", "n-threads", "5000", NULL, NULL, "n-threads="},
    {"two numbers", "mean", "0.5,0.5", NULL, NULL, "three numbers"},
    {"std of 0", "std", "1,0,1", NULL, NULL, "three numbers above 0"},
    {"checkpoints sometimes", "checkpoint-every", "often", NULL, NULL,
        "checkpoint-every=\"often\""},
    {"nesterov alone", "nesterov", "true", "momentum", "0", "needs a momentum"},
    {"nesterov with adam", "nesterov", "true", "optimizer", "adam",
        "optimizer=sgd"},
};

static void
set_property (Rig *rig, const gchar *property, const gchar *value)
{
  if (property)
    gst_util_set_object_arg (G_OBJECT (rig->trainer), property,
        strcmp (value, "%s") == 0 ? rig_weights : value);
}

GST_START_TEST (test_bad_settings_are_refused_in_ready)
{
  const Refusal *row = &refusals[__i__];
  Rig rig;

  rig_init (&rig);
  set_property (&rig, row->property, row->value);
  set_property (&rig, row->property2, row->value2);
  fail_unless (gst_element_set_state (rig.trainer, GST_STATE_READY)
          == GST_STATE_CHANGE_FAILURE,
      "%s", row->name);
  expect_one_error (&rig, row->text);
  rig_clear (&rig);
}
GST_END_TEST;

GST_START_TEST (test_missing_shim_is_a_sentence)
{
  g_autofree gchar *shim = g_strdup (g_getenv ("TLPIPE_SHIM"));
  Rig rig;

  g_setenv ("TLPIPE_SHIM", "/nowhere/libtlshim.so", TRUE);
  rig_init (&rig);
  fail_unless (gst_element_set_state (rig.trainer, GST_STATE_READY)
      == GST_STATE_CHANGE_FAILURE);
  expect_one_error (&rig, "/nowhere/libtlshim.so");
  rig_clear (&rig);
  g_setenv ("TLPIPE_SHIM", shim, TRUE);
}
GST_END_TEST;

/* ---- While data flows ---- */

static void
run_and_expect_error (Rig *rig, const Feed *feed, const gchar *text)
{
  rig_play (rig);
  feed_all (feed, rig->pad);
  expect_one_error (rig, text);
}

GST_START_TEST (test_batches_need_a_data_set)
{
  Feed feed = FEED_INIT;
  TlBatchInfo info = {FEED_SIDE, FEED_SIDE, 4};
  g_autoptr (GstCaps) caps = tl_batch_info_to_caps (&info);
  GstSegment segment;
  Rig rig;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  rig_init (&rig);
  rig_play (&rig);
  feed_push_event (rig.pad, gst_event_new_stream_start ("x"));
  feed_push_event (rig.pad, gst_event_new_caps (caps));
  feed_push_event (rig.pad, gst_event_new_segment (&segment));
  fail_unless_equals_int (feed_run (&feed, rig.pad, NULL), GST_FLOW_ERROR);
  expect_one_error (&rig, "without the list of classes");
  rig_clear (&rig);
}
GST_END_TEST;

GST_START_TEST (test_evaluation_needs_the_classes)
{
  Feed feed = FEED_INIT;
  Rig rig;

  feed.n_train = 0;
  rig_init (&rig);
  run_and_expect_error (&rig, &feed, "has no list of classes");
  rig_clear (&rig);
}
GST_END_TEST;

GST_START_TEST (test_cosine_needs_an_end)
{
  Feed feed = FEED_INIT;
  Rig rig;

  feed.epochs = 0;
  rig_init (&rig);
  gst_util_set_object_arg (G_OBJECT (rig.trainer), "lr-scheduler", "cosine");
  rig_play (&rig);
  feed.epochs = 0;
  feed_begin (&feed, rig.pad);
  feed.epochs = 1;
  fail_unless_equals_int (feed_run (&feed, rig.pad, NULL), GST_FLOW_ERROR);
  expect_one_error (&rig, "cosine");
  rig_clear (&rig);
}
GST_END_TEST;

GST_START_TEST (test_loss_that_explodes_names_lr)
{
  Feed feed = FEED_INIT;
  Rig rig;

  rig_init (&rig);
  g_object_set (rig.trainer, "lr", 1e38, NULL);
  run_and_expect_error (&rig, &feed, "lr=1e+38) failed: the loss is");
  rig_clear (&rig);
}
GST_END_TEST;

GST_START_TEST (test_failing_backend_ends_the_progress)
{
  Feed feed = FEED_INIT;
  Rig rig;

  g_setenv ("TLPIPE_REFERENCE_FAIL", "step:3", TRUE);
  rig_init (&rig);
  run_and_expect_error (&rig, &feed, "Step 3 (epoch 1");
  rig_clear (&rig);
}
GST_END_TEST;

GST_START_TEST (test_fewer_classes_than_labels)
{
  Feed feed = FEED_INIT;
  Rig rig;

  feed.classes[1] = NULL;
  rig_init (&rig);
  run_and_expect_error (&rig, &feed, "has the label 1");
  rig_clear (&rig);
}
GST_END_TEST;

/* ---- Resume ---- */

/* A finished run. */
static gchar *
make_checkpoint (const Feed *feed)
{
  gchar *path;
  Rig rig;

  rig_init (&rig);
  rig_play (&rig);
  feed_all (feed, rig.pad);
  rig_expect_eos (&rig);
  path = rig_save_bytes (rig_last (&rig), "run.safetensors");
  rig_clear (&rig);
  return path;
}

/* Resuming @path with one property changed gives @text. */
static void
expect_refused_resume (const Feed *feed, const gchar *path,
    const gchar *property, const gchar *value, const gchar *text)
{
  Rig rig;

  rig_init (&rig);
  g_object_set (rig.trainer, "resume", path, NULL);
  set_property (&rig, property, value);
  run_and_expect_error (&rig, feed, text);
  rig_clear (&rig);
}

GST_START_TEST (test_resume_refuses_another_run)
{
  Feed feed = FEED_INIT;
  g_autofree gchar *path = make_checkpoint (&feed);

  expect_refused_resume (&feed, path, NULL, NULL, "nothing is left to do");
  feed.epochs = 4;
  feed.start = (TlCursor){.resume = TRUE, .epoch = 3};
  expect_refused_resume (&feed, path, "lr", "0.2",
      "was \"constant lr=0.1 warmup-epochs=0\" and is now \"constant lr=0.2");
  expect_refused_resume (&feed, path, "freeze", "none",
      "freeze was \"all-but-fc\" and is now \"none\"");
  expect_refused_resume (&feed, path, "momentum", "0.5", "optimizer was");
  expect_refused_resume (&feed, path, "mean", "0,0,0", "the preprocessing was");
  feed.batch_size = 5;
  expect_refused_resume (&feed, path, NULL, NULL,
      "batch-size was \"4\" and is now \"5\"");
  feed.batch_size = 4;
  feed.seed++;
  expect_refused_resume (&feed, path, NULL, NULL, "seed was \"7\"");
  feed.seed--;
  feed.classes[0] = "other";
  expect_refused_resume (&feed, path, NULL, NULL, "the class list was");
}
GST_END_TEST;

GST_START_TEST (test_resume_refuses_another_start)
{
  Feed feed = FEED_INIT;
  g_autofree gchar *path = make_checkpoint (&feed);

  feed.epochs = 4;
  expect_refused_resume (&feed, path, NULL, NULL,
      "resume needs a source that answers to tl-cursor");
}
GST_END_TEST;

GST_START_TEST (test_evaluation_names_both_class_lists)
{
  Feed feed = FEED_INIT;
  g_autofree gchar *path = make_checkpoint (&feed);
  Rig rig;

  feed.n_train = 0;
  feed.classes[1] = "light-left";
  rig_init (&rig);
  g_object_set (rig.trainer, "weights", path, NULL);
  run_and_expect_error (&rig, &feed,
      "[\"dark-left\",\"dark-right\"], but the data set has "
      "[\"dark-left\",\"light-left\"]");
  rig_clear (&rig);
}
GST_END_TEST;

static Suite *
resnetfinetune_errors_suite (void)
{
  Suite *suite = suite_create ("resnetfinetune_errors");
  TCase *tcase = tcase_create ("general");

  gst_element_register (NULL, "resnetfinetune", GST_RANK_NONE,
      TL_TYPE_RESNET_FINETUNE);
  suite_add_tcase (suite, tcase);
  tcase_add_checked_fixture (tcase, rig_set_up, rig_tear_down);
  /* These two first: the shim stays loaded, and counts the steps of the
   * process, where tests do not fork. */
  tcase_add_test (tcase, test_missing_shim_is_a_sentence);
  tcase_add_test (tcase, test_failing_backend_ends_the_progress);
  tcase_add_loop_test (tcase, test_bad_settings_are_refused_in_ready, 0,
      G_N_ELEMENTS (refusals));
  tcase_add_test (tcase, test_batches_need_a_data_set);
  tcase_add_test (tcase, test_evaluation_needs_the_classes);
  tcase_add_test (tcase, test_cosine_needs_an_end);
  tcase_add_test (tcase, test_loss_that_explodes_names_lr);
  tcase_add_test (tcase, test_fewer_classes_than_labels);
  tcase_add_test (tcase, test_resume_refuses_another_run);
  tcase_add_test (tcase, test_resume_refuses_another_start);
  tcase_add_test (tcase, test_evaluation_names_both_class_lists);
  return suite;
}

GST_CHECK_MAIN (resnetfinetune_errors)
