/* SPDX-License-Identifier: BSD-3-Clause */

/* Every refusal of the trainer: one error, with a sentence to act on. */

#include "tlfeed.h"
#include "tlrig.h"

#include <gst/check/gstcheck.h>

#include <tlcheckpoint.h>
#include <tlsamplemeta.h>

#include "tlresnetfinetune.h"

/* Names of weights are looked up here alone. */
static void
set_weights_folders (void)
{
  g_setenv ("TLPIPE_WEIGHTS", rig_folder, TRUE);
  g_setenv ("TORCH_HOME", rig_folder, TRUE);
}

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
    {"a name that is not in the cache", "weights", "resnet50", NULL, NULL,
        "\"tlpipe weights fetch resnet50\""},
    {"a name of torchvision's", "weights", "ResNet50_Weights.IMAGENET1K_V1",
        NULL, NULL, "resnet50-0676ba61.pth"},
    {"a version of the arch", "weights", "DEFAULT", "arch", "resnet152",
        "resnet152-f82ba261.pth"},
    {"a name mistyped", "weights", "resnet15", NULL, NULL, "did you mean"},
    {"a name and another arch", "weights", "resnet50", "arch", "resnet18",
        "weights=resnet50 is a resnet50, but arch=resnet18"},
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
    {"beta1 of 1", "beta1", "1", NULL, NULL, "beta1="},
    {"negative beta2", "beta2", "-0.1", NULL, NULL, "beta2="},
    {"eps of 0", "eps", "0", NULL, NULL, "eps="},
    {"smoothing of 1", "label-smoothing", "1", NULL, NULL, "label-smoothing="},
    {"negative norm", "clip-grad-norm", "-1", NULL, NULL, "clip-grad-norm="},
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

/* No file with the right digest is at hand, so the wrong one tells. */
GST_START_TEST (test_a_name_is_looked_up_in_the_cache)
{
  g_autofree gchar *path =
      g_build_filename (rig_folder, "resnet18-f37072fd.pth", NULL);
  Rig rig;

  fail_unless (g_file_set_contents (path, "PK\3\4 and no more", -1, NULL));
  rig_init (&rig);
  g_object_set (rig.trainer, "weights", "resnet18", NULL);
  fail_unless (gst_element_set_state (rig.trainer, GST_STATE_READY)
      == GST_STATE_CHANGE_FAILURE);
  expect_one_error (&rig, "resnet18-f37072fd.pth: truncated or altered");
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

GST_START_TEST (test_samples_need_a_label)
{
  Feed feed = FEED_INIT;
  Rig rig;

  feed.label_offset = TL_LABEL_NONE - 1;
  rig_init (&rig);
  run_and_expect_error (&rig, &feed, "has the label -");
  rig_clear (&rig);
}
GST_END_TEST;

/* ---- Batches ---- */

static GstEvent *
new_caps_event (gint width, gint height, gint batch_size)
{
  TlBatchInfo info = {width, height, batch_size};
  g_autoptr (GstCaps) caps = tl_batch_info_to_caps (&info);

  return gst_event_new_caps (caps);
}

static const gint too_small[][2] = {{31, 224}, {224, 31}, {1, 1}};

GST_START_TEST (test_small_pictures_are_refused_with_their_caps)
{
  const gint *size = too_small[__i__];
  g_autofree gchar *text =
      g_strdup_printf ("Pictures of %dx%d are too small", size[0], size[1]);
  Rig rig;

  rig_init (&rig);
  rig_play (&rig);
  feed_push_event (rig.pad, gst_event_new_stream_start ("x"));
  feed_push_event (rig.pad, new_caps_event (size[0], size[1], 4));
  expect_one_error (&rig, text);
  rig_clear (&rig);
}
GST_END_TEST;

static const gint changed[][3] = {{FEED_SIDE + 1, FEED_SIDE, 4},
    {FEED_SIDE, FEED_SIDE + 1, 4}, {FEED_SIDE, FEED_SIDE, 5}};

GST_START_TEST (test_batches_do_not_change_within_a_run)
{
  const gint *now = changed[__i__];
  Feed feed = FEED_INIT;
  Rig rig;

  feed.max_batches = 3;
  rig_init (&rig);
  rig_play (&rig);
  feed_begin (&feed, rig.pad);
  feed_run (&feed, rig.pad, NULL);
  feed_push_event (rig.pad, new_caps_event (now[0], now[1], now[2]));
  fail_unless_equals_int (feed_run (&feed, rig.pad, NULL), GST_FLOW_ERROR);
  expect_one_error (&rig, "changed to");
  rig_clear (&rig);
}
GST_END_TEST;

typedef enum
{
  WITHOUT_META,
  WITHOUT_SAMPLES,
  TOO_SMALL,
  TOO_MANY_SAMPLES,
} Damage;

static const struct
{
  Damage damage;
  const gchar *text;
} damages[] = {{WITHOUT_META, "without its samples"},
    {WITHOUT_SAMPLES, "without its samples"},
    {TOO_SMALL, "12287 bytes with 1 sample does not fit its caps"},
    {TOO_MANY_SAMPLES, "12288 bytes with 5 samples does not fit its caps"}};

static GstBuffer *
new_damaged_batch (Damage damage)
{
  gsize size = 4 * FEED_SIDE * FEED_SIDE * 3 - (damage == TOO_SMALL);
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, size, NULL);
  TlBatchMeta *meta;
  guint n = damage == TOO_MANY_SAMPLES ? 5 : damage != WITHOUT_SAMPLES;

  if (damage == WITHOUT_META)
    return buffer;
  meta = tl_buffer_add_batch_meta (buffer, 5);
  meta->n = 20;
  for (guint i = 0; i < n; i++)
    tl_batch_meta_append (meta, &(TlBatchSample){.position = i});
  return buffer;
}

GST_START_TEST (test_damaged_batches_are_refused)
{
  Feed feed = FEED_INIT;
  Rig rig;

  rig_init (&rig);
  rig_play (&rig);
  feed_begin (&feed, rig.pad);
  fail_unless_equals_int (gst_pad_push (rig.pad,
                              new_damaged_batch (damages[__i__].damage)),
      GST_FLOW_ERROR);
  expect_one_error (&rig, damages[__i__].text);
  /* And ever after. */
  fail_unless_equals_int (feed_run (&feed, rig.pad, NULL), GST_FLOW_ERROR);
  fail_unless (gst_bus_pop_filtered (rig.bus, GST_MESSAGE_ERROR) == NULL);
  rig_clear (&rig);
}
GST_END_TEST;

/* ---- Order ---- */

/* A batch of two samples, the second @step behind the first. */
static GstFlowReturn
push_two (Rig *rig, guint epoch, TlSplit split, guint64 position, guint64 step)
{
  GstBuffer *buffer =
      gst_buffer_new_allocate (NULL, 4 * FEED_SIDE * FEED_SIDE * 3, NULL);
  TlBatchMeta *meta = tl_buffer_add_batch_meta (buffer, 4);

  gst_buffer_memset (buffer, 0, 0, gst_buffer_get_size (buffer));
  meta->epoch = epoch;
  meta->split = split;
  meta->n = 20;
  tl_batch_meta_append (meta, &(TlBatchSample){.position = position});
  tl_batch_meta_append (meta, &(TlBatchSample){.position = position + step});
  return gst_pad_push (rig->pad, buffer);
}

/* Behind epoch 2 of training, positions 4 and 5 of 20. */
static const struct
{
  const gchar *name;
  guint epoch;
  TlSplit split;
  guint64 position, step;
  GstFlowReturn flow;
} orders[] = {
    {"next", 1, TL_SPLIT_TRAIN, 6, 1, GST_FLOW_OK},
    {"some skipped", 1, TL_SPLIT_TRAIN, 10, 5, GST_FLOW_OK},
    {"validation", 1, TL_SPLIT_VALID, 0, 1, GST_FLOW_OK},
    {"next epoch", 2, TL_SPLIT_TRAIN, 0, 1, GST_FLOW_OK},
    {"the same again", 1, TL_SPLIT_TRAIN, 4, 1, GST_FLOW_ERROR},
    {"one of them again", 1, TL_SPLIT_TRAIN, 5, 1, GST_FLOW_ERROR},
    {"epoch before", 0, TL_SPLIT_TRAIN, 18, 1, GST_FLOW_ERROR},
    {"validation before", 0, TL_SPLIT_VALID, 0, 1, GST_FLOW_ERROR},
    {"backwards", 1, TL_SPLIT_TRAIN, 9, -1, GST_FLOW_ERROR},
    {"twice the same", 1, TL_SPLIT_TRAIN, 9, 0, GST_FLOW_ERROR},
    {"behind the end", 1, TL_SPLIT_TRAIN, 19, 1, GST_FLOW_ERROR},
};

GST_START_TEST (test_samples_come_in_order)
{
  Feed feed = FEED_INIT;
  Rig rig;

  rig_init (&rig);
  rig_play (&rig);
  feed_begin (&feed, rig.pad);
  fail_unless_equals_int (push_two (&rig, 1, TL_SPLIT_TRAIN, 4, 1),
      GST_FLOW_OK);
  fail_unless (push_two (&rig, orders[__i__].epoch, orders[__i__].split,
                   orders[__i__].position, orders[__i__].step)
          == orders[__i__].flow,
      "%s", orders[__i__].name);
  if (orders[__i__].flow == GST_FLOW_ERROR)
    expect_one_error (&rig, "come out of order");
  rig_clear (&rig);
}
GST_END_TEST;

GST_START_TEST (test_samples_behind_the_end_of_their_phase)
{
  TlPhaseEnd end = {.epoch = 1, .split = TL_SPLIT_TRAIN, .sent = 20};
  TlPhase again = {.epoch = 1, .split = TL_SPLIT_TRAIN, .n = 20};
  Feed feed = FEED_INIT;
  Rig rig;

  rig_init (&rig);
  rig_play (&rig);
  feed_begin (&feed, rig.pad);
  push_two (&rig, 1, TL_SPLIT_TRAIN, 4, 1);
  feed_push_event (rig.pad, tl_event_new_phase_end (&end));
  feed_push_event (rig.pad, tl_event_new_phase (&again));
  fail_unless_equals_int (push_two (&rig, 1, TL_SPLIT_TRAIN, 6, 1),
      GST_FLOW_ERROR);
  expect_one_error (&rig, "come out of order");
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
      "setting: lr was \"0.1\" and is now \"0.2\". Set it back");
  expect_refused_resume (&feed, path, "freeze", "none",
      "freeze was \"all-but-fc\" and is now \"none\"");
  expect_refused_resume (&feed, path, "momentum", "0.5",
      "setting: momentum was \"0.9\" and is now \"0.5\"");
  expect_refused_resume (&feed, path, "mean", "0,0,0",
      "mean was \"0.485,0.456,0.406\" and is now \"0,0,0\"");
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

/* By its digest: the file itself is not there. */
GST_START_TEST (test_resume_refuses_the_name_of_other_weights)
{
  const Feed feed = FEED_INIT;
  g_autofree gchar *path = make_checkpoint (&feed);
  Rig rig;

  rig_init (&rig);
  g_object_set (rig.trainer, "resume", path, "weights", "resnet18", NULL);
  fail_unless (gst_element_set_state (rig.trainer, GST_STATE_READY)
      == GST_STATE_CHANGE_FAILURE);
  expect_one_error (&rig, "began with other weights");
  rig_clear (&rig);
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
  tcase_add_checked_fixture (tcase, set_weights_folders, NULL);
  /* These two first: the shim stays loaded, and counts the steps of the
   * process, where tests do not fork. */
  tcase_add_test (tcase, test_missing_shim_is_a_sentence);
  tcase_add_test (tcase, test_failing_backend_ends_the_progress);
  tcase_add_loop_test (tcase, test_bad_settings_are_refused_in_ready, 0,
      G_N_ELEMENTS (refusals));
  tcase_add_test (tcase, test_a_name_is_looked_up_in_the_cache);
  tcase_add_test (tcase, test_batches_need_a_data_set);
  tcase_add_test (tcase, test_evaluation_needs_the_classes);
  tcase_add_test (tcase, test_cosine_needs_an_end);
  tcase_add_test (tcase, test_loss_that_explodes_names_lr);
  tcase_add_test (tcase, test_fewer_classes_than_labels);
  tcase_add_test (tcase, test_samples_need_a_label);
  tcase_add_loop_test (tcase, test_small_pictures_are_refused_with_their_caps,
      0, G_N_ELEMENTS (too_small));
  tcase_add_loop_test (tcase, test_batches_do_not_change_within_a_run, 0,
      G_N_ELEMENTS (changed));
  tcase_add_loop_test (tcase, test_damaged_batches_are_refused, 0,
      G_N_ELEMENTS (damages));
  tcase_add_loop_test (tcase, test_samples_come_in_order, 0,
      G_N_ELEMENTS (orders));
  tcase_add_test (tcase, test_samples_behind_the_end_of_their_phase);
  tcase_add_test (tcase, test_resume_refuses_another_run);
  tcase_add_test (tcase, test_resume_refuses_the_name_of_other_weights);
  tcase_add_test (tcase, test_resume_refuses_another_start);
  tcase_add_test (tcase, test_evaluation_names_both_class_lists);
  return suite;
}

GST_CHECK_MAIN (resnetfinetune_errors)
