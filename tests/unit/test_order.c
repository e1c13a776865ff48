/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlorder.h"
#include "tltest.h"

#include <string.h>

#define N 1000

static uint32_t order[N], other[N];

START_TEST (every_sample_is_played_once)
{
  bool seen[N] = {false};

  tl_order_fill (order, N, 7, 3, true);
  for (size_t i = 0; i < N; i++) {
    ck_assert_uint_lt (order[i], N);
    ck_assert (!seen[order[i]]);
    seen[order[i]] = true;
  }
}
END_TEST

START_TEST (same_seed_and_epoch_give_the_same_order)
{
  tl_order_fill (order, N, 7, 3, true);
  tl_order_fill (other, N, 7, 3, true);
  ck_assert_mem_eq (order, other, sizeof order);
}
END_TEST

START_TEST (another_epoch_or_seed_gives_another_order)
{
  tl_order_fill (order, N, 7, 3, true);
  tl_order_fill (other, N, 7, 4, true);
  ck_assert_mem_ne (order, other, sizeof order);
  tl_order_fill (other, N, 8, 3, true);
  ck_assert_mem_ne (order, other, sizeof order);
}
END_TEST

START_TEST (without_shuffle_it_is_the_file_order)
{
  tl_order_fill (order, N, 7, 3, false);
  for (size_t i = 0; i < N; i++)
    ck_assert_uint_eq (order[i], i);
}
END_TEST

START_TEST (tiny_orders_work)
{
  tl_order_fill (NULL, 0, 7, 3, true);
  tl_order_fill (order, 1, 7, 3, true);
  ck_assert_uint_eq (order[0], 0);
}
END_TEST

/* An order is part of what makes a checkpoint resumable: it may never change
 * from one version to the next. */
START_TEST (order_is_the_one_of_all_versions)
{
  static const uint32_t expected[8] = {2, 4, 7, 6, 1, 0, 3, 5};

  tl_order_fill (order, 8, 42, 1, true);
  ck_assert_mem_eq (order, expected, sizeof expected);
}
END_TEST

/* The first slot over many epochs: each of 4 samples in a quarter of them. */
START_TEST (orders_are_fair)
{
  unsigned count[4] = {0};

  for (uint32_t epoch = 0; epoch < 4000; epoch++) {
    tl_order_fill (order, 4, 1, epoch, true);
    count[order[0]]++;
  }
  for (size_t i = 0; i < 4; i++) {
    ck_assert_uint_gt (count[i], 900);
    ck_assert_uint_lt (count[i], 1100);
  }
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("order");
  TCase *tc = tcase_create ("order");

  tcase_add_test (tc, every_sample_is_played_once);
  tcase_add_test (tc, same_seed_and_epoch_give_the_same_order);
  tcase_add_test (tc, another_epoch_or_seed_gives_another_order);
  tcase_add_test (tc, without_shuffle_it_is_the_file_order);
  tcase_add_test (tc, tiny_orders_work);
  tcase_add_test (tc, order_is_the_one_of_all_versions);
  tcase_add_test (tc, orders_are_fair);
  suite_add_tcase (suite, tc);
  return run_suite (suite);
}
