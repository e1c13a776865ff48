/* SPDX-License-Identifier: BSD-3-Clause */

/* Pictures fitted into black borders: the geometry of Pillow's
 * ImageOps.pad(). tests/parity compares the pixels. */

#include "tlcrop.h"

#include <check.h>
#include <stdlib.h>

typedef struct
{
  const char *what;
  TlBox region;
  uint32_t width, height; /* of the output */
  TlBox covered;          /* the part that is not border */
} PadCase;

static const PadCase cases[] = {
    {"wider", {0, 0, 500, 375}, 224, 224, {0, 28, 224, 168}},
    {"higher", {0, 0, 375, 500}, 224, 224, {28, 0, 168, 224}},
    {"alike", {0, 0, 100, 50}, 224, 112, {0, 0, 224, 112}},
    {"enlarged", {0, 0, 10, 20}, 64, 64, {16, 0, 32, 64}},
    {"a region", {30, 40, 500, 375}, 224, 224, {0, 28, 224, 168}},
    {"half a row to the even one", {0, 0, 8, 1}, 20, 20, {0, 9, 20, 2}},
    {"odd border", {0, 0, 40, 30}, 8, 7, {0, 0, 8, 6}},
    {"odd border, half to the even", {0, 0, 40, 20}, 8, 7, {0, 2, 8, 4}},
    {"thread", {0, 0, 1000000, 1}, 224, 224, {0, 112, 224, 1}},
    {"upright thread", {0, 0, 1, 1000000}, 224, 224, {112, 0, 1, 224}},
    {"a point", {0, 0, 1, 1}, 5, 3, {1, 0, 3, 3}},
};

START_TEST (whole_region_fits_in_the_middle)
{
  const PadCase *c = &cases[_i];
  const TlBox *all = &c->covered;
  TlCropPlan plan;

  tl_crop_plan_pad (&c->region, c->width, c->height, &plan);
  ck_assert_msg (plan.left == all->x && plan.top == all->y
          && plan.resized_width == all->width
          && plan.resized_height == all->height,
      "%s: %ux%u at %u,%u", c->what, plan.resized_width, plan.resized_height,
      plan.left, plan.top);
  ck_assert_uint_eq (plan.window.x | plan.window.y, 0);
  ck_assert_uint_eq (plan.window.width, all->width);
  ck_assert_uint_eq (plan.window.height, all->height);
  ck_assert_uint_eq (plan.source.x, c->region.x);
  ck_assert_uint_eq (plan.source.y, c->region.y);
}
END_TEST

START_TEST (no_size_reaches_outside_the_output)
{
  for (uint32_t i = 1; i < 5000; i++) {
    TlBox region = {0, 0, 1 + i * 7919 % 3001, 1 + i * 104729 % 2003};
    uint32_t width = 1 + i % 97, height = 1 + i % 89;
    TlCropPlan plan;

    tl_crop_plan_pad (&region, width, height, &plan);
    ck_assert_uint_gt (plan.window.width, 0);
    ck_assert_uint_gt (plan.window.height, 0);
    ck_assert_uint_le (plan.left + plan.window.width, width);
    ck_assert_uint_le (plan.top + plan.window.height, height);
    ck_assert (plan.window.width == width || plan.window.height == height);
  }
}
END_TEST

START_TEST (kinds_have_the_names_of_a_checkpoint)
{
  static const char *const nicks[] = {"center", "none", "pad"};
  TlCropKind kind = TL_CROP_PAD;

  for (int i = 0; i < 3; i++) {
    ck_assert (tl_crop_kind_from_nick (nicks[i], &kind));
    ck_assert_int_eq (kind, i);
    ck_assert_str_eq (tl_crop_kind_nick (kind), nicks[i]);
  }
  ck_assert (!tl_crop_kind_from_nick ("random", &kind));
  ck_assert (!tl_crop_kind_from_nick ("", &kind));
  ck_assert_int_eq (kind, TL_CROP_PAD);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("crop");
  TCase *tcase = tcase_create ("pad");
  SRunner *runner = srunner_create (suite);
  int failed;

  tcase_add_loop_test (tcase, whole_region_fits_in_the_middle, 0,
      sizeof cases / sizeof *cases);
  tcase_add_test (tcase, no_size_reaches_outside_the_output);
  tcase_add_test (tcase, kinds_have_the_names_of_a_checkpoint);
  suite_add_tcase (suite, tcase);
  srunner_run_all (runner, CK_ENV);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
