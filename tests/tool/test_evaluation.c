/* SPDX-License-Identifier: BSD-3-Clause */

/* The figures of an evaluation. */

#include <gst/check/gstcheck.h>
#include <math.h>

#include <tlevaluation.h>
#include <tlmessages.h>

/* Three classes; of the third there is no picture. */
static const guint64 confusion[] = {3, 1, 0, 2, 6, 2, 0, 0, 0};

static TlEvaluation *
make_evaluation (const gchar *classes)
{
  TlMetrics metrics = {.scope = TL_SCOPE_PHASE,
      .split = TL_SPLIT_VALID,
      .n = 14,
      .loss = 0.5,
      .accuracy = 9.0 / 14,
      .balanced_accuracy = TL_ABSENT,
      .auc = TL_ABSENT,
      .lr = TL_ABSENT,
      .images_per_second = TL_ABSENT,
      .wait_ms = TL_ABSENT,
      .confusion = confusion,
      .n_classes = 3};
  g_autoptr (GstMessage) message = tl_message_new_metrics (NULL, &metrics);

  return tl_evaluation_new (gst_message_get_structure (message), classes);
}

GST_START_TEST (sensitivity_and_specificity_of_each_class)
{
  static const struct
  {
    gdouble sensitivity, specificity;
  } expected[] = {{0.75, 0.8}, {0.6, 0.75}, {NAN, 12.0 / 14}};
  TlEvaluation *evaluation = make_evaluation ("a\nb\nc");

  for (guint k = 0; k < 3; k++) {
    gdouble sensitivity = tl_evaluation_sensitivity (evaluation, k);
    gdouble specificity = tl_evaluation_specificity (evaluation, k);

    fail_unless (isnan (expected[k].sensitivity)
            ? isnan (sensitivity)
            : sensitivity == expected[k].sensitivity,
        "class %u: %f", k, sensitivity);
    fail_unless (specificity == expected[k].specificity, "class %u: %f", k,
        specificity);
  }
  fail_unless_equals_uint64 (tl_evaluation_count (evaluation, 1, 2), 2);
  tl_evaluation_free (evaluation);
}

GST_END_TEST

/* No names, too few of them, and no matrix at all. */
GST_START_TEST (what_is_missing_does_no_harm)
{
  static const gchar *const names[] = {NULL, "", "only one"};
  TlOutput output = {.quiet = TRUE};

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    TlEvaluation *evaluation = make_evaluation (names[i]);

    tl_evaluation_write (evaluation, &output, "checkpoint", "data");
    tl_evaluation_free (evaluation);
  }
  {
    g_autoptr (GstStructure) empty = gst_structure_new_empty ("tl-metrics");
    TlEvaluation *evaluation = tl_evaluation_new (empty, "a\nb");

    tl_evaluation_write (evaluation, &output, "checkpoint", "data");
    tl_evaluation_free (evaluation);
  }
}

GST_END_TEST

static Suite *
evaluation_suite (void)
{
  Suite *suite = suite_create ("evaluation");
  TCase *tcase = tcase_create ("figures");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, sensitivity_and_specificity_of_each_class);
  tcase_add_test (tcase, what_is_missing_does_no_harm);
  return suite;
}

GST_CHECK_MAIN (evaluation)
