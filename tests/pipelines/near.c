/* SPDX-License-Identifier: BSD-3-Clause */

/* What "did you mean" goes by. */

#include "tlnear.h"
#include "tltest.h"

static const struct
{
  const gchar *a, *b;
  guint distance;
} words[] = {
    {"", "", 0},
    {"a", "", 1},
    {"abc", "abc", 0},
    {"abc", "acb", 1},
    {"abc", "ab", 1},
    {"abc", "xabc", 1},
    {"abc", "axc", 1},
    {"ABC", "abc", 0},
    {"epohcs", "epochs", 1},
    {"downstraem", "downstream", 1},
    {"ca", "abc", 3},
    {"kitten", "sitting", 3},
    {"abcdef", "uvwxyz", 6},
};

START_TEST (distance_of_words)
{
  guint distance = words[_i].distance;

  ck_assert_uint_eq (tl_near_distance (words[_i].a, words[_i].b, 10), distance);
  ck_assert_uint_eq (tl_near_distance (words[_i].b, words[_i].a, distance),
      distance);
  if (distance > 0)
    ck_assert_uint_eq (tl_near_distance (words[_i].a, words[_i].b,
                           distance - 1),
        distance);
}
END_TEST

START_TEST (long_words_are_near_nothing)
{
  g_autofree gchar *a = g_strnfill (100000, 'a');

  ck_assert_uint_eq (tl_near_distance (a, a, 3), 4);
}
END_TEST

static Suite *
near_suite (void)
{
  Suite *s = suite_create ("near");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 60);
  tcase_add_loop_test (tc, distance_of_words, 0, G_N_ELEMENTS (words));
  tcase_add_test (tc, long_words_are_near_nothing);
  return s;
}

int
main (void)
{
  return run_suite (near_suite ());
}
