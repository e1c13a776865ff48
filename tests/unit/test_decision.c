/* SPDX-License-Identifier: BSD-3-Clause */

#include "tldecision.h"
#include "tltest.h"

#include <math.h>

#define N 4
#define MAX_RESULTS 6

static const TlDecisionRules plain = {.top_k = N};

typedef struct
{
  double seconds;
  float probabilities[N];
} Result;

/* What is listed after the last of some results. */
typedef struct
{
  const char *name;
  TlDecisionRules rules;
  Result results[MAX_RESULTS];
  uint32_t n_results;
  uint32_t order[N];
  uint32_t n_listed;
  double first; /* probability of the first */
  bool abstains;
} Row;

#define A                                                                      \
  {                                                                            \
    0.7f, 0.1f, 0.15f, 0.05f                                                   \
  }
#define B                                                                      \
  {                                                                            \
    0.1f, 0.6f, 0.05f, 0.25f                                                   \
  }

static const Row rows[] = {
    {"best first", {.top_k = 4}, {{0, A}}, 1, {0, 2, 1, 3}, 4, 0.7},
    {"equal ones by number", {.top_k = 4}, {{0, {0.25f, 0.25f, 0.25f, 0.25f}}},
        1, {0, 1, 2, 3}, 4, 0.25},
    {"top-k", {.top_k = 2}, {{0, A}}, 1, {0, 2}, 2, 0.7},
    {"top-k of one", {.top_k = 1}, {{0, B}}, 1, {1}, 1, 0.6},
    {"threshold", {.top_k = 4, .threshold = 0.12}, {{0, A}}, 1, {0, 2}, 2, 0.7},
    {"threshold keeps the first", {.top_k = 4, .threshold = 0.9}, {{0, A}}, 1,
        {0}, 1, 0.7},
    {"each result for itself", {.top_k = 1}, {{0, A}, {0.04, B}}, 2, {1}, 1,
        0.6},
    {"smoothed by half", {.top_k = 1, .smoothing = 1 / M_LN2}, {{0, A}, {1, B}},
        2, {0}, 1, 0.4},
    {"smoothed after long", {.top_k = 1, .smoothing = 0.01}, {{0, A}, {60, B}},
        2, {1}, 1, 0.6},
    {"no time passed", {.top_k = 1, .smoothing = 1}, {{3, A}, {3, B}}, 2, {0},
        1, 0.7},
    {"time went back", {.top_k = 1, .smoothing = 10}, {{3, A}, {2, B}}, 2, {1},
        1, 0.6},
    {"time not known", {.top_k = 1, .smoothing = 10, .hysteresis = 1},
        {{NAN, A}, {NAN, B}}, 2, {1}, 1, 0.6},
    {"held within the margin", {.top_k = 4, .hysteresis = 0.55},
        {{0, A}, {0.04, B}}, 2, {0, 1, 3, 2}, 4, 0.1},
    {"given up beyond it", {.top_k = 1, .hysteresis = 0.45},
        {{0, A}, {0.04, B}}, 2, {1}, 1, 0.6},
    {"abstains", {.top_k = 1, .abstain_below = 0.71}, {{0, A}}, 1, {0}, 1, 0.7,
        true},
    {"does not abstain", {.top_k = 1, .abstain_below = 0.69}, {{0, A}}, 1, {0},
        1, 0.7, false},
};

#define N_ROWS ((int) (sizeof rows / sizeof rows[0]))

START_TEST (what_is_listed)
{
  const Row *row = &rows[_i];
  uint32_t order[N], n = 0;
  TlDecision decision;

  ck_assert (tl_decision_init (&decision, N));
  for (uint32_t i = 0; i < row->n_results; i++)
    n = tl_decision_add (&decision, &row->rules, row->results[i].probabilities,
        row->results[i].seconds, order);
  ck_assert_msg (n == row->n_listed, "%s: %u", row->name, n);
  for (uint32_t i = 0; i < n; i++)
    ck_assert_msg (order[i] == row->order[i], "%s: %u at %u", row->name,
        order[i], i);
  ck_assert_msg (fabs (decision.average[order[0]] - row->first) < 1e-6,
      "%s: %f", row->name, decision.average[order[0]]);
  ck_assert_msg (tl_decision_abstains (&decision, &row->rules) == row->abstains,
      "%s", row->name);
  tl_decision_clear (&decision);
}
END_TEST

/* The same second of video at 25 and at 100 results per second. */
START_TEST (smoothing_does_not_depend_on_the_rate)
{
  static const float a[N] = A, b[N] = B;
  static const uint32_t rates[] = {25, 100};
  const TlDecisionRules rules = {.top_k = 1, .smoothing = 0.5};
  double found[2];

  for (int i = 0; i < 2; i++) {
    TlDecision decision;
    uint32_t order[N];

    ck_assert (tl_decision_init (&decision, N));
    tl_decision_add (&decision, &rules, a, 0, order);
    for (uint32_t k = 1; k <= rates[i]; k++)
      tl_decision_add (&decision, &rules, b, (double) k / rates[i], order);
    found[i] = decision.average[1];
    tl_decision_clear (&decision);
  }
  ck_assert_double_eq_tol (found[0], found[1], 1e-9);
  ck_assert_double_eq_tol (found[0], 0.1 + 0.5 * (1 - exp (-2)), 1e-6);
}
END_TEST

START_TEST (a_new_stream_forgets)
{
  static const float a[N] = A, b[N] = B;
  const TlDecisionRules rules = {.top_k = 1, .smoothing = 9, .hysteresis = 1};
  TlDecision decision;
  uint32_t order[N];

  ck_assert (tl_decision_init (&decision, N));
  tl_decision_add (&decision, &rules, a, 0, order);
  tl_decision_reset (&decision);
  tl_decision_add (&decision, &rules, b, 0.1, order);
  ck_assert_uint_eq (order[0], 1);
  ck_assert_double_eq_tol (decision.average[1], 0.6, 1e-6);
  ck_assert (!tl_decision_abstains (&decision, &plain));
  tl_decision_clear (&decision);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("decision");
  TCase *tests = tcase_create ("decision");

  tcase_add_loop_test (tests, what_is_listed, 0, N_ROWS);
  tcase_add_test (tests, smoothing_does_not_depend_on_the_rate);
  tcase_add_test (tests, a_new_stream_forgets);
  suite_add_tcase (suite, tests);
  return run_suite (suite);
}
