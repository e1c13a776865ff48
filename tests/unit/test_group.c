/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlgroup.h"
#include "tltest.h"

/* ---- the group a name tells ---- */

static const struct
{
  const gchar *path, *group;
} names[] = {
    {"polyp/video12_frame03.jpg", "polyp/video12"},
    {"polyp/video12_frame_03.jpg", "polyp/video12"},
    {"polyp/video12-f03.jpg", "polyp/video12"},
    {"polyp/patient3 image (07).png", "polyp/patient3"},
    {"polyp/video12_frame03_crop.jpg", "polyp/video12"},
    {"polyp/video12/0003.png", "polyp/video12"},
    {"polyp/video12/frame_3.png", "polyp/video12"},
    {"covid/convex_Cov_Atlas_44__01.jpg", "covid/convex_Cov_Atlas_44"},
    {"covid/convex_Cov_Atlas_Day_1_02.jpg", "covid/convex_Cov_Atlas_Day_1"},
    {"regular/convex_Reg_Image_182340_crop_01.jpg",
        "regular/convex_Reg_Image_182340_crop"},
    {"covid/Image1_05.jpg", "covid/Image1"},
    {"a/keyframe03.jpg", "a/keyframe"},
    {"left/10_left.jpeg", "left/10"},
    {"a/IMG_0042.jpg", "a"},
    {"a/0042.jpg", "a"},
    {"a/portrait.jpg", NULL},
    {"video7/portrait.jpg", NULL},
    {"a/no-extension12", "a/no-extension"},
    {"12", ""},
    {"a/.jpg", NULL},
};

START_TEST (group_is_found_in_the_name)
{
  g_autofree gchar *group = tl_group_from_path (names[_i].path);

  ck_assert_pstr_eq (group, names[_i].group);
}
END_TEST

/* ---- the draw ---- */

#define MAX_GROUPS 200

typedef struct
{
  guint n;
  gchar *names[MAX_GROUPS];
  guint64 n_samples[MAX_GROUPS];
  guint32 stratum[MAX_GROUPS];
  gboolean drawn[MAX_GROUPS];
} Groups;

static void
add_groups (Groups *g, guint n, guint64 n_samples, guint32 stratum)
{
  for (guint i = 0; i < n; i++, g->n++) {
    g->names[g->n] = g_strdup_printf ("class%u/video%u", stratum, g->n);
    g->n_samples[g->n] = n_samples;
    g->stratum[g->n] = stratum;
  }
}

static void
draw (Groups *g, guint n_strata, gdouble fraction)
{
  tl_group_draw (g->names, g->n_samples, g->stratum, g->n, n_strata, fraction,
      g->drawn);
}

static guint64
count_drawn (const Groups *g, guint32 stratum)
{
  guint64 n = 0;

  for (guint i = 0; i < g->n; i++)
    n += g->drawn[i] && g->stratum[i] == stratum ? g->n_samples[i] : 0;
  return n;
}

static void
clear_groups (Groups *g)
{
  for (guint i = 0; i < g->n; i++)
    g_free (g->names[i]);
}

START_TEST (fraction_is_met_in_every_class)
{
  Groups g = {0};

  add_groups (&g, 50, 1, 0);
  add_groups (&g, 10, 5, 1);
  add_groups (&g, 5, 20, 2);
  draw (&g, 3, 0.2);
  ck_assert_uint_eq (count_drawn (&g, 0), 10);
  ck_assert_uint_eq (count_drawn (&g, 1), 10);
  ck_assert_uint_eq (count_drawn (&g, 2), 20);
  clear_groups (&g);
}
END_TEST

START_TEST (one_huge_group_is_not_drawn_for_a_small_part)
{
  Groups g = {0};

  add_groups (&g, 1, 1000, 0);
  add_groups (&g, 4, 50, 0);
  draw (&g, 1, 0.1);
  ck_assert_uint_eq (count_drawn (&g, 0), 100);
  clear_groups (&g);
}
END_TEST

/* Two groups: one on either side, however small or large the fraction. */
START_TEST (both_sides_get_a_group)
{
  static const gdouble fractions[] = {0.01, 0.5, 0.99};
  Groups g = {0};

  add_groups (&g, 2, 10, 0);
  draw (&g, 1, fractions[_i]);
  ck_assert_uint_eq (count_drawn (&g, 0), 10);
  clear_groups (&g);
}
END_TEST

START_TEST (a_single_group_stays)
{
  Groups g = {0};

  add_groups (&g, 1, 10, 0);
  draw (&g, 1, 0.9);
  ck_assert_uint_eq (count_drawn (&g, 0), 0);
  clear_groups (&g);
}
END_TEST

START_TEST (zero_and_one_mean_none_and_all)
{
  Groups g = {0};

  add_groups (&g, 7, 10, 0);
  draw (&g, 1, 0);
  ck_assert_uint_eq (count_drawn (&g, 0), 0);
  draw (&g, 1, 1);
  ck_assert_uint_eq (count_drawn (&g, 0), 70);
  clear_groups (&g);
}
END_TEST

/* A tenth more groups: a reshuffle would move a third of the old ones, the
 * hash only moves the edge. */
START_TEST (added_groups_hardly_move_the_others)
{
  gboolean before[100];
  Groups g = {0};
  guint moved = 0;

  add_groups (&g, 100, 1, 0);
  draw (&g, 1, 0.2);
  memcpy (before, g.drawn, sizeof before);
  add_groups (&g, 10, 1, 0);
  draw (&g, 1, 0.2);
  for (guint i = 0; i < 100; i++)
    moved += before[i] != g.drawn[i];
  ck_assert_uint_le (moved, 3);
  ck_assert_uint_eq (count_drawn (&g, 0), 22);
  clear_groups (&g);
}
END_TEST

START_TEST (a_group_without_stratum_is_left_alone)
{
  Groups g = {0};

  add_groups (&g, 4, 1, 0);
  add_groups (&g, 4, 1, G_MAXUINT32);
  draw (&g, 1, 0.5);
  ck_assert_uint_eq (count_drawn (&g, 0), 2);
  ck_assert_uint_eq (count_drawn (&g, G_MAXUINT32), 0);
  clear_groups (&g);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("group");
  TCase *tc = tcase_create ("group");

  tcase_add_loop_test (tc, group_is_found_in_the_name, 0, G_N_ELEMENTS (names));
  tcase_add_test (tc, fraction_is_met_in_every_class);
  tcase_add_test (tc, one_huge_group_is_not_drawn_for_a_small_part);
  tcase_add_loop_test (tc, both_sides_get_a_group, 0, 3);
  tcase_add_test (tc, a_single_group_stays);
  tcase_add_test (tc, zero_and_one_mean_none_and_all);
  tcase_add_test (tc, added_groups_hardly_move_the_others);
  tcase_add_test (tc, a_group_without_stratum_is_left_alone);
  suite_add_tcase (suite, tc);
  return run_suite (suite);
}
