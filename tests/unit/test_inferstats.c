/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlinferstats.h"
#include "tltest.h"

START_TEST (nothing_is_zero)
{
  const TlInferStats stats = {0};

  ck_assert_uint_eq (tl_infer_stats_last (&stats), 0);
  ck_assert_uint_eq (tl_infer_stats_percentile (&stats, 0.5), 0);
  ck_assert_double_eq (tl_infer_stats_rate (&stats), 0);
}
END_TEST

/* 1 to 100 ms in a mixed order. */
START_TEST (percentiles_are_nearest_ranks)
{
  TlInferStats stats = {0};

  for (uint64_t i = 0; i < 100; i++)
    tl_infer_stats_add (&stats, 1000000 * (1 + 37 * i % 100), i);
  ck_assert_uint_eq (tl_infer_stats_percentile (&stats, 0.50), 50000000);
  ck_assert_uint_eq (tl_infer_stats_percentile (&stats, 0.95), 95000000);
  ck_assert_uint_eq (tl_infer_stats_percentile (&stats, 0.99), 99000000);
  ck_assert_uint_eq (tl_infer_stats_percentile (&stats, 1), 100000000);
  ck_assert_uint_eq (tl_infer_stats_percentile (&stats, 0.001), 1000000);
  ck_assert_uint_eq (tl_infer_stats_last (&stats),
      1000000 * (1 + 37 * 99 % 100));
}
END_TEST

START_TEST (one_result_is_every_percentile)
{
  TlInferStats stats = {0};

  tl_infer_stats_add (&stats, 7, 1);
  ck_assert_uint_eq (tl_infer_stats_percentile (&stats, 0.5), 7);
  ck_assert_uint_eq (tl_infer_stats_percentile (&stats, 0.99), 7);
  ck_assert_double_eq (tl_infer_stats_rate (&stats), 0);
}
END_TEST

/* 20 results per second, then 10 for longer than the window. */
START_TEST (the_window_moves)
{
  TlInferStats stats = {0};
  uint64_t now = 0;

  for (int i = 0; i < 11; i++)
    tl_infer_stats_add (&stats, 40000000, now += 50000000);
  ck_assert_double_eq_tol (tl_infer_stats_rate (&stats), 20, 1e-9);
  for (int i = 0; i < TL_INFER_STATS_WINDOW; i++)
    tl_infer_stats_add (&stats, 90000000, now += 100000000);
  ck_assert_double_eq_tol (tl_infer_stats_rate (&stats), 10, 1e-9);
  ck_assert_uint_eq (tl_infer_stats_percentile (&stats, 0.001), 90000000);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("inferstats");
  TCase *tests = tcase_create ("inferstats");

  tcase_add_test (tests, nothing_is_zero);
  tcase_add_test (tests, percentiles_are_nearest_ranks);
  tcase_add_test (tests, one_result_is_every_percentile);
  tcase_add_test (tests, the_window_moves);
  suite_add_tcase (suite, tests);
  return run_suite (suite);
}
