/* SPDX-License-Identifier: BSD-3-Clause */

/* Which files checkpointsink writes, and what it makes of a used folder. */

#include "tlcheckpointsink.h"
#include "tlsinkrig.h"

#include <gst/check/gstcheck.h>

#include <math.h>

/* ---- which files are written ---- */

#define GOOD "loss=0.2 accuracy=0.9 balanced-accuracy=0.875 n=8 skipped=0"
#define GOOD_LOSS "loss=0.1 accuracy=0.9 balanced-accuracy=0.875 n=8 skipped=0"
#define BAD "loss=0.05 accuracy=0.95 balanced-accuracy=0.5 n=8 skipped=0"

GST_START_TEST (every_checkpoint_replaces_the_last)
{
  Checkpoint early = {.epoch = 0, .position = 4};
  Checkpoint late = {.epoch = 0, .position = 8};
  g_autofree gchar *deep = sink_path_of ("a/b");
  g_autofree gchar *last = sink_path_of ("a/b/last.safetensors");
  g_autofree gchar *reported = NULL;
  gdouble best;
  SinkRun run;

  sink_start (&run, deep, NULL);
  sink_push (&run, &early);
  sink_push (&run, &late);
  gst_harness_push_event (run.h, gst_event_new_eos ());
  sink_expect_checkpoint ("a/b/last.safetensors", &late);
  g_object_get (run.h->element, "last-location", &reported, "best-metric",
      &best, NULL);
  fail_unless_equals_string (reported, last);
  fail_unless (isnan (best));
  sink_stop (&run);
  fail_if (sink_has_file ("a/b/best.safetensors"));
  fail_if (sink_has_file ("a/b/metrics.jsonl"));
}
GST_END_TEST

GST_START_TEST (best_is_by_balanced_accuracy_then_loss)
{
  gdouble best;
  SinkRun run;

  sink_start (&run, sink_folder, NULL);
  sink_push_epoch (&run, 1, BAD);
  sink_push_epoch (&run, 2, GOOD);
  sink_push_epoch (&run, 3, GOOD_LOSS);
  sink_push_epoch (&run, 4, GOOD);
  sink_push_epoch (&run, 5, GOOD_LOSS);
  gst_harness_push_event (run.h, gst_event_new_eos ());
  g_object_get (run.h->element, "best-metric", &best, NULL);
  fail_unless (best == 0.875);
  sink_stop (&run);
  sink_expect_epoch ("best.safetensors", 3, GOOD_LOSS);
  sink_expect_epoch ("last.safetensors", 5, GOOD_LOSS);
  fail_unless_equals_int (sink_count_files (), 3);
}
GST_END_TEST

GST_START_TEST (metrics_have_one_line_per_epoch)
{
  Checkpoint within = {.epoch = 1, .position = 4, .valid = BAD};
  SinkRun run;

  sink_start (&run, sink_folder, "save-last=false");
  sink_push_epoch (&run, 1, BAD);
  sink_push (&run, &within);
  sink_push_epoch (&run, 2, NULL);
  sink_push_epoch (&run, 2, NULL);
  sink_finish (&run);
  sink_expect_text ("metrics.jsonl",
      "{\"epoch\":1,\"step\":10,\"lr\":0.001,"
      "\"train\":{\"loss\":0.5,\"accuracy\":0.75,\"n\":10,\"skipped\":0},"
      "\"valid\":{\"loss\":0.05,\"accuracy\":0.95,"
      "\"balanced-accuracy\":0.5,\"n\":8,\"skipped\":0}}\n"
      "{\"epoch\":2,\"step\":20,\"lr\":0.001,"
      "\"train\":{\"loss\":0.5,\"accuracy\":0.75,\"n\":10,\"skipped\":0}}\n");
  fail_if (sink_has_file ("last.safetensors"));
}
GST_END_TEST

GST_START_TEST (metrics_hold_nothing_but_numbers)
{
  SinkRun run;

  sink_start (&run, sink_folder, "save-top-k=0");
  sink_push_epoch (&run, 1,
      "loss=nan auc=inf accuracy=1e-1 \"x=1 =2 note=hi,there complete=false");
  sink_finish (&run);
  sink_expect_text ("metrics.jsonl",
      "{\"epoch\":1,\"step\":10,\"lr\":0.001,"
      "\"train\":{\"loss\":0.5,\"accuracy\":0.75,\"n\":10,\"skipped\":0},"
      "\"valid\":{\"accuracy\":0.1,\"complete\":false}}\n");
}
GST_END_TEST

GST_START_TEST (top_k_keeps_that_many_epochs)
{
  SinkRun run;

  sink_start (&run, sink_folder, "save-top-k=2 monitor=loss");
  sink_push_epoch (&run, 1, "loss=0.5");
  sink_push_epoch (&run, 2, "loss=0.3");
  sink_push_epoch (&run, 3, "loss=0.4");
  sink_push_epoch (&run, 4, "loss=0.9");
  sink_finish (&run);
  fail_if (sink_has_file ("epoch-001.safetensors"));
  fail_if (sink_has_file ("epoch-004.safetensors"));
  sink_expect_epoch ("epoch-002.safetensors", 2, "loss=0.3");
  sink_expect_epoch ("epoch-003.safetensors", 3, "loss=0.4");
  sink_expect_epoch ("best.safetensors", 2, "loss=0.3");
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
  SinkRun run;

  sink_start (&run, sink_folder, modes[__i__].settings);
  sink_push_epoch (&run, 1, valid[1]);
  sink_push_epoch (&run, 2, valid[2]);
  sink_finish (&run);
  sink_expect_epoch ("best.safetensors", modes[__i__].best,
      valid[modes[__i__].best]);
}
GST_END_TEST

GST_START_TEST (unranked_epochs_are_never_best)
{
  SinkRun run;

  sink_start (&run, sink_folder, "monitor=auc");
  sink_push_epoch (&run, 1, NULL);
  sink_push_epoch (&run, 2, "loss=0.1 accuracy=1");
  sink_push_epoch (&run, 3, "loss=0.1 accuracy=1");
  sink_push_epoch (&run, 4, "loss=0.1 auc=nan");
  sink_push_epoch (&run, 5, "loss=0.1 auc=1 complete=false");
  gst_harness_push_event (run.h, gst_event_new_eos ());
  fail_unless_equals_int (sink_count_messages (&run, GST_MESSAGE_WARNING), 1);
  sink_stop (&run);
  fail_if (sink_has_file ("best.safetensors"));
}
GST_END_TEST

GST_START_TEST (files_are_reported)
{
  static const gchar *const wanted[] = {"epoch", "best", "last"};
  SinkRun run;

  sink_start (&run, sink_folder, "save-top-k=2");
  sink_push_epoch (&run, 1, GOOD);
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
    fail_unless (size > SINK_N_FLOATS * 4 && step == 10 && value == 0.875);
  }
  sink_stop (&run);
}
GST_END_TEST

/* ---- a folder that was used before ---- */

GST_START_TEST (resume_goes_on_where_it_was)
{
  Checkpoint resumed = {.epoch = 2, .position = 4, .valid = BAD};
  g_autofree gchar *path = sink_path_of ("metrics.jsonl"), *before = NULL;
  gdouble best;
  SinkRun run;

  sink_start (&run, sink_folder, "save-top-k=2");
  sink_push_epoch (&run, 1, GOOD);
  sink_push_epoch (&run, 2, BAD);
  sink_push_epoch (&run, 3, GOOD_LOSS);
  sink_finish (&run);
  fail_unless (g_file_get_contents (path, &before, NULL, NULL));

  /* From epoch 2 on: the third one is not there yet. */
  sink_start (&run, sink_folder, "save-top-k=2");
  sink_push (&run, &resumed);
  sink_push_epoch (&run, 3, BAD);
  gst_harness_push_event (run.h, gst_event_new_eos ());
  fail_unless_equals_int (sink_count_messages (&run, GST_MESSAGE_WARNING), 0);
  g_object_get (run.h->element, "best-metric", &best, NULL);
  fail_unless (best == 0.875);
  sink_stop (&run);

  sink_start (&run, sink_folder, "save-top-k=2");
  sink_push_epoch (&run, 3, GOOD_LOSS);
  sink_finish (&run);
  sink_expect_text ("metrics.jsonl", before);
  sink_expect_epoch ("best.safetensors", 3, GOOD_LOSS);
  sink_expect_epoch ("epoch-001.safetensors", 1, GOOD);
  fail_if (sink_has_file ("epoch-002.safetensors"));
}
GST_END_TEST

GST_START_TEST (another_run_is_not_compared)
{
  Checkpoint other = {.epoch = 5, .valid = GOOD, .digest = "d1"};
  SinkRun run;

  sink_start (&run, sink_folder, NULL);
  sink_push (&run, &other);
  sink_finish (&run);
  sink_start (&run, sink_folder, NULL);
  sink_push_epoch (&run, 7, BAD);
  gst_harness_push_event (run.h, gst_event_new_eos ());
  fail_unless_equals_int (sink_count_messages (&run, GST_MESSAGE_WARNING), 1);
  sink_stop (&run);
  sink_expect_epoch ("best.safetensors", 7, BAD);
  sink_expect_text ("metrics.jsonl",
      "{\"epoch\":7,\"step\":70,\"lr\":0.001,"
      "\"train\":{\"loss\":0.5,\"accuracy\":0.75,\"n\":10,\"skipped\":0},"
      "\"valid\":{\"loss\":0.05,\"accuracy\":0.95,"
      "\"balanced-accuracy\":0.5,\"n\":8,\"skipped\":0}}\n");
}
GST_END_TEST

GST_START_TEST (run_from_the_start_forgets_the_old_best)
{
  SinkRun run;

  sink_start (&run, sink_folder, NULL);
  sink_push_epoch (&run, 1, BAD);
  sink_push_epoch (&run, 2, GOOD);
  sink_finish (&run);
  sink_start (&run, sink_folder, NULL);
  sink_push_epoch (&run, 1, BAD);
  gst_harness_push_event (run.h, gst_event_new_eos ());
  fail_unless_equals_int (sink_count_messages (&run, GST_MESSAGE_WARNING), 0);
  sink_stop (&run);
  sink_expect_epoch ("best.safetensors", 1, BAD);
}
GST_END_TEST

GST_START_TEST (left_overs_of_a_killed_run_go)
{
  static const gchar *const stale[] = {"last.safetensors.tmp-12-0",
      "best.safetensors.tmp-123456-7", "epoch-012.safetensors.tmp-1-0",
      "metrics.jsonl.tmp-9-9", "best.onnx.tmp-3-4", "best.pth.tmp-3-5"};
  static const gchar *const mine[] = {"notes.txt", "last.safetensors.tmp",
      "x-last.safetensors.tmp-1-0", "epoch-1.safetensors.tmp-1-0",
      "best.onnx.tmp", "worst.pth.tmp-1-0"};
  SinkRun run;

  for (guint i = 0; i < G_N_ELEMENTS (stale); i++) {
    sink_put_file (stale[i], "half");
    sink_put_file (mine[i], "mine");
  }
  sink_put_file ("best.safetensors", "broken");
  sink_start (&run, sink_folder, NULL);
  sink_push_epoch (&run, 1, GOOD);
  sink_finish (&run);
  for (guint i = 0; i < G_N_ELEMENTS (stale); i++) {
    fail_if (sink_has_file (stale[i]), "%s", stale[i]);
    sink_expect_text (mine[i], "mine");
  }
  sink_expect_epoch ("best.safetensors", 1, GOOD);
}
GST_END_TEST

GST_START_TEST (keeping_nothing_is_warned_of)
{
  SinkRun run;

  sink_start (&run, sink_folder, "save-last=false save-top-k=0");
  sink_push_epoch (&run, 1, GOOD);
  gst_harness_push_event (run.h, gst_event_new_eos ());
  fail_unless_equals_int (sink_count_messages (&run, GST_MESSAGE_WARNING), 1);
  sink_stop (&run);
  fail_unless (sink_has_file ("metrics.jsonl"));
  fail_if (sink_has_file ("best.safetensors"));
  fail_if (sink_has_file ("last.safetensors"));
}
GST_END_TEST

static Suite *
checkpointsink_suite (void)
{
  Suite *suite = suite_create ("checkpointsink");
  TCase *tcase = tcase_create ("checkpointsink");

  GST_ELEMENT_REGISTER (checkpointsink, NULL);
  tcase_add_checked_fixture (tcase, sink_set_up, sink_tear_down);
  tcase_add_test (tcase, every_checkpoint_replaces_the_last);
  tcase_add_test (tcase, keeping_nothing_is_warned_of);
  tcase_add_test (tcase, best_is_by_balanced_accuracy_then_loss);
  tcase_add_test (tcase, metrics_have_one_line_per_epoch);
  tcase_add_test (tcase, metrics_hold_nothing_but_numbers);
  tcase_add_test (tcase, top_k_keeps_that_many_epochs);
  tcase_add_loop_test (tcase, mode_decides_what_is_better, 0,
      G_N_ELEMENTS (modes));
  tcase_add_test (tcase, unranked_epochs_are_never_best);
  tcase_add_test (tcase, files_are_reported);
  tcase_add_test (tcase, resume_goes_on_where_it_was);
  tcase_add_test (tcase, another_run_is_not_compared);
  tcase_add_test (tcase, run_from_the_start_forgets_the_old_best);
  tcase_add_test (tcase, left_overs_of_a_killed_run_go);
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (checkpointsink);
