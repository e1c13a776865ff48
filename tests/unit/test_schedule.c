/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlnumber.h"
#include "tlschedule.h"
#include "tltest.h"

#include <float.h>
#include <locale.h>
#include <math.h>

#define MAX_EPOCHS 8

typedef struct
{
  const char *name;
  TlSchedule schedule;
  const char *text;
  double lr[MAX_EPOCHS];
} Row;

/* What torch 2.13 gives for SGD with ConstantLR (factor 1), StepLR and
 * CosineAnnealingLR, alone and behind LinearLR in a SequentialLR. */
static const Row rows[] = {
    {"constant", {TL_SCHEDULE_CONSTANT, 0.1, 0, 0, 0, 6},
        "constant lr=0.1 warmup-epochs=0", {0.1, 0.1, 0.1, 0.1, 0.1, 0.1}},
    {"constant-warmup", {TL_SCHEDULE_CONSTANT, 0.1, 0, 0, 3, 6},
        "constant lr=0.1 warmup-epochs=3",
        {0.001, 0.034, 0.067, 0.1, 0.1, 0.1}},
    {"constant-endless", {TL_SCHEDULE_CONSTANT, 0.1, 0, 0, 2, 0},
        "constant lr=0.1 warmup-epochs=2", {0}},
    {"step", {TL_SCHEDULE_STEP, 0.05, 3, 0.1, 0, 8},
        "step lr=0.05 step-size=3 gamma=0.1 warmup-epochs=0",
        {0.05, 0.05, 0.05, 0.005, 0.005, 0.005, 0.0005, 0.0005}},
    {"step-warmup", {TL_SCHEDULE_STEP, 0.05, 3, 0.1, 2, 8},
        "step lr=0.05 step-size=3 gamma=0.1 warmup-epochs=2",
        {0.0005, 0.02525, 0.05, 0.05, 0.05, 0.005, 0.005, 0.005}},
    {"step-one-epoch", {TL_SCHEDULE_STEP, 0.05, 1, 0.1, 0, 1},
        "step lr=0.05 step-size=1 gamma=0.1 warmup-epochs=0", {0.05}},
    {"cosine-one-epoch", {TL_SCHEDULE_COSINE, 0.02, 0, 0, 0, 1},
        "cosine lr=0.02 epochs=1 warmup-epochs=0", {0.02}},
    {"cosine-all-but-one-warmup", {TL_SCHEDULE_COSINE, 0.02, 0, 0, 2, 3},
        "cosine lr=0.02 epochs=3 warmup-epochs=2", {0.0002, 0.0101, 0.02}},
    {"cosine", {TL_SCHEDULE_COSINE, 0.02, 0, 0, 0, 8},
        "cosine lr=0.02 epochs=8 warmup-epochs=0",
        {0.02, 0.019238795325112867, 0.017071067811865473, 0.013826834323650897,
            0.01, 0.0061731656763491021, 0.0029289321881345249,
            0.00076120467488713253}},
    {"cosine-warmup", {TL_SCHEDULE_COSINE, 0.02, 0, 0, 3, 8},
        "cosine lr=0.02 epochs=8 warmup-epochs=3",
        {0.0002, 0.0068, 0.0134, 0.02, 0.018090169943749474,
            0.013090169943749473, 0.0069098300562505256,
            0.0019098300562505263}},
};

#define N_ROWS ((int) (sizeof rows / sizeof rows[0]))

START_TEST (rates_are_those_of_torch)
{
  const Row *row = &rows[_i];
  TlError error = TL_ERROR_INIT;

  assert_ok (tl_schedule_check (&row->schedule, &error));
  for (uint32_t e = 0; e < row->schedule.epochs; e++) {
    double lr = tl_schedule_lr (&row->schedule, e);

    ck_assert_msg (fabs (lr - row->lr[e]) <= 8 * DBL_EPSILON * row->lr[e],
        "%s: epoch %u: %.17g, expected %.17g", row->name, e, lr, row->lr[e]);
  }
}
END_TEST

START_TEST (text_tells_schedules_apart)
{
  char text[TL_SCHEDULE_TEXT];

  tl_schedule_to_text (&rows[_i].schedule, text);
  ck_assert_str_eq (text, rows[_i].text);
}
END_TEST

static const struct
{
  TlSchedule schedule;
  const char *text;
} refusals[] = {
    {{TL_SCHEDULE_CONSTANT, 0, 0, 0, 0, 5}, "lr=0 is"},
    {{TL_SCHEDULE_CONSTANT, -0.5, 0, 0, 0, 5}, "lr=-0.5 is"},
    {{TL_SCHEDULE_CONSTANT, NAN, 0, 0, 0, 5}, "lr=nan"},
    {{TL_SCHEDULE_CONSTANT, INFINITY, 0, 0, 0, 5}, "lr=inf"},
    {{TL_SCHEDULE_STEP, 0.1, 0, 0.1, 0, 5}, "lr-step-size=0"},
    {{TL_SCHEDULE_STEP, 0.1, 1, 0, 0, 5}, "lr-gamma=0 is"},
    {{TL_SCHEDULE_STEP, 0.1, 1, 1.5, 0, 5}, "lr-gamma=1.5"},
    {{TL_SCHEDULE_COSINE, 0.1, 0, 0, 0, 0}, "needs to know"},
    {{TL_SCHEDULE_CONSTANT, 0.1, 0, 0, 5, 5}, "warmup-epochs=5"},
    {{TL_SCHEDULE_COSINE, 0.1, 0, 0, 9, 5}, "warmup-epochs=9"},
};

START_TEST (unusable_values_are_named)
{
  TlError error = TL_ERROR_INIT;

  assert_fails (tl_schedule_check (&refusals[_i].schedule, &error),
      TL_ERROR_ARGUMENT, refusals[_i].text);
}
END_TEST

START_TEST (decimals_are_short_and_exact)
{
  static const struct
  {
    double value;
    const char *text;
  } cases[] = {{0.001, "0.001"}, {1e-5, "1e-05"},
      {0.1 + 0.2, "0.30000000000000004"}, {0, "0"}, {-2.5, "-2.5"}, {10, "10"},
      {-120, "-120"}, {1e22, "1e+22"}, {NAN, "nan"}, {-INFINITY, "-inf"}};

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    ck_assert_str_eq (tl_number_decimal (cases[i].value).text, cases[i].text);
}
END_TEST

START_TEST (hex_numbers_read_back)
{
  static const double cases[] = {0, -0.0, 0.1, -1e-300, 5e-324, DBL_MAX, 3};

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    TlNumber number = tl_number_hex (cases[i]);
    double value = NAN;
    const char *end = tl_number_parse_hex (number.text, &value);

    ck_assert_ptr_nonnull (end);
    ck_assert_int_eq (*end, '\0');
    ck_assert_msg (memcmp (&value, &cases[i], sizeof value) == 0, "%s",
        number.text);
  }
}
END_TEST

START_TEST (other_texts_are_no_hex_numbers)
{
  static const char *const cases[] = {"", "-", "1.5", "0x", "0xp3", "nan",
      "0x1p99999", " 0x1p0"};
  double value;

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    ck_assert_msg (!tl_number_parse_hex (cases[i], &value), "%s", cases[i]);
}
END_TEST

START_TEST (comma_of_the_locale_does_not_show)
{
  double value;

  if (!setlocale (LC_ALL, "de_DE.UTF-8") && !setlocale (LC_ALL, "fr_FR.UTF-8"))
    return;
  ck_assert_str_eq (tl_number_decimal (0.25).text, "0.25");
  ck_assert_ptr_nonnull (
      tl_number_parse_hex (tl_number_hex (0.3).text, &value));
  ck_assert (value == 0.3);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("schedule");
  TCase *rates = tcase_create ("rates");
  TCase *numbers = tcase_create ("numbers");

  tcase_add_loop_test (rates, rates_are_those_of_torch, 0, N_ROWS);
  tcase_add_loop_test (rates, text_tells_schedules_apart, 0, N_ROWS);
  tcase_add_loop_test (rates, unusable_values_are_named, 0,
      (int) (sizeof refusals / sizeof refusals[0]));
  suite_add_tcase (suite, rates);
  tcase_add_test (numbers, decimals_are_short_and_exact);
  tcase_add_test (numbers, hex_numbers_read_back);
  tcase_add_test (numbers, other_texts_are_no_hex_numbers);
  tcase_add_test (numbers, comma_of_the_locale_does_not_show);
  suite_add_tcase (suite, numbers);
  return run_suite (suite);
}
