/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlretry.h"
#include "tltest.h"

#define SECOND 1000000

START_TEST (pauses_double_up_to_the_longest)
{
  static const int64_t pauses[] = {100000, 200000, 400000, 800000, 1600000,
      3200000, 5000000, 5000000};
  TlRetry retry = {0};
  int64_t now = 5 * SECOND;

  ck_assert (tl_retry_is_due (&retry, now));
  for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
    tl_retry_fail (&retry, 1, now);
    ck_assert (!tl_retry_is_due (&retry, now + pauses[i] - 1));
    ck_assert (tl_retry_is_due (&retry, now + pauses[i]));
    now += pauses[i];
  }
  tl_retry_succeed (&retry);
  ck_assert (tl_retry_is_due (&retry, now));
  tl_retry_fail (&retry, 1, now);
  ck_assert (tl_retry_is_due (&retry, now + TL_RETRY_FIRST));
}
END_TEST

START_TEST (each_kind_is_spoken_of_once)
{
  TlRetry retry = {0};

  ck_assert (tl_retry_fail (&retry, 1, 0));
  ck_assert (!tl_retry_fail (&retry, 1, 60 * SECOND));
  ck_assert (tl_retry_fail (&retry, -1, 61 * SECOND));
  ck_assert (!tl_retry_fail (&retry, -1, 62 * SECOND));
  ck_assert (tl_retry_succeed (&retry));
  ck_assert (!tl_retry_succeed (&retry));
}
END_TEST

/* A model that fails every other time does not fill the screen. */
START_TEST (flapping_is_spoken_of_now_and_then)
{
  TlRetry retry = {0};
  int n = 0;

  for (int64_t now = 0; now < 60 * SECOND; now += SECOND / 10) {
    n += tl_retry_fail (&retry, 1, now);
    tl_retry_succeed (&retry);
  }
  ck_assert_int_eq (n, 6);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("retry");
  TCase *tests = tcase_create ("retry");

  tcase_add_test (tests, pauses_double_up_to_the_longest);
  tcase_add_test (tests, each_kind_is_spoken_of_once);
  tcase_add_test (tests, flapping_is_spoken_of_now_and_then);
  suite_add_tcase (suite, tests);
  return run_suite (suite);
}
