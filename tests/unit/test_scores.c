/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlscores.h"
#include "tltest.h"

#include <math.h>

#define assert_near(a, b)                                                      \
  ck_assert_msg (fabs ((a) - (b)) < 1e-14, "%.17g, expected %.17g", (a), (b))

#define N 12

static const float logits[N][2] = {{2, -2.5f}, {0.5f, -0.5f}, {-0.5f, 0},
    {-2, 0}, {-1, 3.5f}, {0, -0.5f}, {-0.5f, -0.5f}, {-1, -0.5f}, {0.5f, 0},
    {1, 0}, {0, 1.5f}, {0.5f, -0.5f}};
static const int32_t labels[N] = {0, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1};

static TlScores *scores;

static void
set_up (void)
{
  scores = tl_scores_new (2);
}

static void
tear_down (void)
{
  tl_scores_free (scores);
}

static void
add_samples (TlScores *self, uint32_t batch)
{
  for (uint32_t i = 0; i < N; i += batch) {
    uint32_t n = i + batch > N ? N - i : batch;

    ck_assert_int_eq (tl_scores_add_logits (self, logits[i], labels + i, n), 0);
  }
}

/* Computed with numpy in double from the same logits. */
START_TEST (values_are_those_of_numpy)
{
  TlScoresSummary summary;

  add_samples (scores, N);
  tl_scores_summarize (scores, &summary);
  ck_assert_uint_eq (summary.n, N);
  assert_near (summary.loss, 0.9899730798798293);
  assert_near (summary.accuracy, 8.0 / 12);
  assert_near (summary.accuracy_low, 0.39062208887279953);
  assert_near (summary.accuracy_high, 0.86187990890878674);
  assert_near (summary.balanced_accuracy, 0.65714285714285714);
  assert_near (summary.auc, 0.54285714285714282);
  assert_near (summary.calibration_error, 0.42651182700309759);
}
END_TEST

START_TEST (batches_do_not_change_a_bit)
{
  TlScoresSummary whole, cut;
  TlScores *other = tl_scores_new (2);

  add_samples (scores, N);
  add_samples (other, 5);
  tl_scores_summarize (scores, &whole);
  tl_scores_summarize (other, &cut);
  ck_assert_int_eq (memcmp (&whole, &cut, sizeof whole), 0);
  tl_scores_free (other);
}
END_TEST

START_TEST (classes_have_sensitivity_and_specificity)
{
  const uint64_t *confusion;
  TlClassScore score;

  ck_assert_ptr_null (tl_scores_confusion (scores));
  add_samples (scores, 3);
  confusion = tl_scores_confusion (scores);
  ck_assert_uint_eq (confusion[0], 5);
  ck_assert_uint_eq (confusion[1], 2);
  ck_assert_uint_eq (confusion[2], 2);
  ck_assert_uint_eq (confusion[3], 3);
  tl_scores_class (scores, 1, &score);
  ck_assert_uint_eq (score.n, 5);
  assert_near (score.sensitivity, 3.0 / 5);
  assert_near (score.specificity, 5.0 / 7);
}
END_TEST

START_TEST (absent_classes_do_not_count)
{
  static const float three[] = {1, 0, 0, 0, 0, 1, 5, 0, 0};
  static const int32_t truth[] = {0, 2, 2};
  TlScores *other = tl_scores_new (3);
  TlScoresSummary summary;
  TlClassScore score;

  ck_assert_int_eq (tl_scores_add_logits (other, three, truth, 3), 0);
  tl_scores_summarize (other, &summary);
  assert_near (summary.balanced_accuracy, 0.75);
  ck_assert (isnan (summary.auc));
  tl_scores_class (other, 1, &score);
  ck_assert_uint_eq (score.n, 0);
  ck_assert (isnan (score.sensitivity));
  assert_near (score.specificity, 1.0);
  tl_scores_free (other);
}
END_TEST

START_TEST (empty_scores_have_no_values)
{
  TlScoresSummary summary;
  TlClassScore score;

  add_samples (scores, 1);
  tl_scores_reset (scores);
  tl_scores_summarize (scores, &summary);
  ck_assert_uint_eq (summary.n, 0);
  ck_assert (isnan (summary.loss) && isnan (summary.accuracy));
  ck_assert (isnan (summary.accuracy_low) && isnan (summary.accuracy_high));
  ck_assert (isnan (summary.balanced_accuracy) && isnan (summary.auc));
  ck_assert (isnan (summary.calibration_error));
  tl_scores_class (scores, 0, &score);
  ck_assert (isnan (score.sensitivity) && isnan (score.specificity));
}
END_TEST

START_TEST (auc_of_one_class_is_absent)
{
  static const int32_t ones[] = {1, 1};
  TlScoresSummary summary;

  ck_assert_int_eq (tl_scores_add_logits (scores, logits[0], ones, 2), 0);
  tl_scores_summarize (scores, &summary);
  ck_assert (isnan (summary.auc));
}
END_TEST

START_TEST (perfect_and_hopeless_models_stay_in_range)
{
  static const float sure[] = {9e4f, -9e4f, -9e4f, 9e4f};
  static const int32_t right[] = {0, 1}, wrong[] = {1, 0};
  TlScoresSummary summary;

  ck_assert_int_eq (tl_scores_add_logits (scores, sure, right, 2), 0);
  tl_scores_summarize (scores, &summary);
  assert_near (summary.loss, 0.0);
  assert_near (summary.auc, 1.0);
  ck_assert (summary.accuracy_high == 1 && summary.accuracy_low < 1);
  tl_scores_reset (scores);
  ck_assert_int_eq (tl_scores_add_logits (scores, sure, wrong, 2), 0);
  tl_scores_summarize (scores, &summary);
  assert_near (summary.loss, 18e4);
  assert_near (summary.auc, 0.0);
  ck_assert (summary.accuracy_low == 0 && summary.accuracy_high > 0);
  assert_near (summary.calibration_error, 1.0);
}
END_TEST

START_TEST (logits_that_are_no_numbers_do_not_crash)
{
  static const float bad[] = {NAN, 0, INFINITY, 0, 0, -INFINITY};
  static const int32_t truth[] = {0, 1, 0};
  TlScoresSummary summary;

  ck_assert_int_eq (tl_scores_add_logits (scores, bad, truth, 3), 0);
  tl_scores_summarize (scores, &summary);
  ck_assert_uint_eq (summary.n, 3);
  ck_assert (!isfinite (summary.loss));
  ck_assert (isnan (summary.auc));
}
END_TEST

START_TEST (many_classes_have_scores_without_a_matrix)
{
  uint32_t n = TL_SCORES_MAX_CONFUSION + 1;
  TlScores *other = tl_scores_new (n);
  float *row = calloc (n, sizeof *row);
  int32_t label = (int32_t) n - 1;
  TlScoresSummary summary;

  row[label] = 1;
  ck_assert_int_eq (tl_scores_add_logits (other, row, &label, 1), 0);
  tl_scores_summarize (other, &summary);
  assert_near (summary.balanced_accuracy, 1.0);
  ck_assert_ptr_null (tl_scores_confusion (other));
  free (row);
  tl_scores_free (other);
}
END_TEST

START_TEST (sums_of_a_training_phase_resume_exactly)
{
  char text[TL_SCORES_TEXT], again[TL_SCORES_TEXT];
  TlScores *other = tl_scores_new (2);
  TlScoresSummary a, b;

  tl_scores_add_step (scores, 32, 0.1f, 20);
  tl_scores_add_step (scores, 7, 0.7f, 3);
  tl_scores_to_text (scores, text);
  ck_assert_int_eq (tl_scores_from_text (other, text), 0);
  tl_scores_to_text (other, again);
  ck_assert_str_eq (text, again);
  tl_scores_add_step (scores, 5, 0.3f, 1);
  tl_scores_add_step (other, 5, 0.3f, 1);
  tl_scores_summarize (scores, &a);
  tl_scores_summarize (other, &b);
  ck_assert_uint_eq (b.n, 44);
  ck_assert (a.loss == b.loss && a.accuracy == b.accuracy);
  ck_assert (isnan (b.balanced_accuracy));
  tl_scores_free (other);
}
END_TEST

START_TEST (other_texts_are_refused)
{
  static const char *const cases[] = {"", "n=1", "n=1 loss=0x1p0",
      "n=1 loss=1.5 correct=1", "n=1 loss=0x1p0 correct=2",
      "n=-1 loss=0x1p0 correct=0", "n=1 loss=0x1p0 correct=1 ",
      "n= 1 loss=0x1p0 correct=1"};
  TlScoresSummary summary;

  tl_scores_add_step (scores, 3, 1, 2);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    ck_assert_msg (tl_scores_from_text (scores, cases[i]) < 0, "%s", cases[i]);
  tl_scores_summarize (scores, &summary);
  ck_assert_uint_eq (summary.n, 3);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("scores");
  TCase *tcase = tcase_create ("scores");

  tcase_add_checked_fixture (tcase, set_up, tear_down);
  tcase_add_test (tcase, values_are_those_of_numpy);
  tcase_add_test (tcase, batches_do_not_change_a_bit);
  tcase_add_test (tcase, classes_have_sensitivity_and_specificity);
  tcase_add_test (tcase, absent_classes_do_not_count);
  tcase_add_test (tcase, empty_scores_have_no_values);
  tcase_add_test (tcase, auc_of_one_class_is_absent);
  tcase_add_test (tcase, perfect_and_hopeless_models_stay_in_range);
  tcase_add_test (tcase, logits_that_are_no_numbers_do_not_crash);
  tcase_add_test (tcase, many_classes_have_scores_without_a_matrix);
  tcase_add_test (tcase, sums_of_a_training_phase_resume_exactly);
  tcase_add_test (tcase, other_texts_are_refused);
  suite_add_tcase (suite, tcase);
  return run_suite (suite);
}
