/* SPDX-License-Identifier: BSD-3-Clause */

/* What augment does to a picture by numbers worked out by hand, and how its
 * draws are distributed. tests/parity compares it with torchvision at large. */

#include "tljitter.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define N_DRAWS 6000
#define N_BINS 10

static TlError error = TL_ERROR_INIT;

/* ---- Pixels ---- */

/* Two pixels, padded to 8 bytes: the padding is not touched. */
START_TEST (flips_leave_the_padding_alone)
{
  uint8_t rows[16] = {1, 2, 3, 4, 5, 6, 77, 78, 7, 8, 9, 10, 11, 12, 79, 80};
  const uint8_t wanted[16] = {10, 11, 12, 7, 8, 9, 77, 78, 4, 5, 6, 1, 2, 3, 79,
      80};
  const TlRaster raster = {rows, 8, 2, 2};

  tl_pixel_flip_horizontal (&raster);
  tl_pixel_flip_vertical (&raster);
  ck_assert (memcmp (rows, wanted, sizeof rows) == 0);
}
END_TEST

START_TEST (factor_one_changes_nothing)
{
  uint8_t pixels[30], before[30];
  const TlRaster raster = {pixels, 30, 10, 1};

  for (size_t i = 0; i < sizeof pixels; i++)
    pixels[i] = before[i] = (uint8_t) (i * 53);
  tl_pixel_brightness (&raster, 1);
  tl_pixel_contrast (&raster, 1);
  tl_pixel_saturation (&raster, 1);
  ck_assert (memcmp (pixels, before, sizeof pixels) == 0);
}
END_TEST

/* Red, green, blue turned by a third of the circle (85 of 255 steps). */
START_TEST (hue_turns_primaries_into_each_other)
{
  uint8_t pixels[9] = {255, 0, 0, 0, 255, 0, 0, 0, 255};
  const uint8_t wanted[9] = {0, 255, 0, 0, 0, 255, 255, 0, 0};
  const TlRaster raster = {pixels, 9, 3, 1};

  tl_pixel_hue (&raster, 1.0 / 3);
  ck_assert (memcmp (pixels, wanted, sizeof wanted) == 0);
}
END_TEST

/* The sum of this white row is over 2^32; a factor of 0 shows the mean. */
START_TEST (mean_of_a_very_long_row_is_right)
{
  const uint32_t width = UINT32_MAX / 255 + 2;
  size_t size = (size_t) width * 3;
  uint8_t *row = malloc (size);
  const TlRaster raster = {row, size, width, 1};

  ck_assert_ptr_nonnull (row);
  memset (row, 255, size);
  tl_pixel_contrast (&raster, 0);
  ck_assert_uint_eq (row[0], 255);
  free (row);
}
END_TEST

/* ---- Rotation ---- */

#define SIDE 4
#define ROW (SIDE * 3 + 2)

typedef struct
{
  double degrees;
  uint32_t width, height;
  const char *wanted; /* red channel, row by row; '.' is black */
} TurnCase;

/* Pixels are named a, b, c... row by row. */
static const TurnCase turn_cases[] = {
    {0, 2, 2, "abcd"},
    {90, 2, 2, "bdac"},
    {-90, 2, 2, "cadb"},
    {180, 2, 2, "dcba"},
    {-180, 3, 2, "fedcba"},
    {90, 3, 1, ".b."},
    {90, 4, 2, ".cg..bf."},
    {360, 3, 1, "abc"},
    {45, 1, 1, "a"},
    {123.4, 1, 1, "a"},
    {180, 1, 4, "dcba"},
    {90, 1, 3, ".b."},
};
#define N_TURNS (2 * sizeof turn_cases / sizeof *turn_cases)

START_TEST (right_angles_move_whole_pixels)
{
  const TurnCase *turn = &turn_cases[_i / 2];
  uint8_t rows[SIDE * ROW];
  const TlRaster raster = {rows, ROW, turn->width, turn->height};
  TlRotator *rotator = tl_rotator_new ();

  memset (rows, 0xee, sizeof rows);
  for (uint32_t i = 0; i < turn->width * turn->height; i++)
    memset (rows + i / turn->width * ROW + i % turn->width * 3, (int) ('a' + i),
        3);
  ck_assert_int_eq (tl_rotator_run (rotator, &raster, turn->degrees,
                        (TlRotateFilter) (_i % 2), &error),
      TL_OK);
  for (uint32_t i = 0; i < turn->width * turn->height; i++) {
    const uint8_t *pixel = rows + i / turn->width * ROW + i % turn->width * 3;
    int wanted = turn->wanted[i] == '.' ? 0 : turn->wanted[i];

    for (int c = 0; c < 3; c++)
      ck_assert_msg (pixel[c] == wanted, "%g degrees, pixel %u: %u, not %d",
          turn->degrees, i, pixel[c], wanted);
  }
  for (uint32_t y = 0; y < SIDE; y++)
    ck_assert_uint_eq (rows[y * ROW + turn->width * 3], 0xee);
  tl_rotator_free (rotator);
}
END_TEST

/* The place that comes to the middle of the upper edge lies 0.707 pixels beside
 * and above the centre: 10 + 10 * 0.293^2 = 10.86 is truncated. */
START_TEST (bilinear_mixes_neighbours)
{
  uint8_t pixels[27];
  const TlRaster raster = {pixels, 9, 3, 3};
  TlRotator *rotator = tl_rotator_new ();

  for (int i = 0; i < 9; i++)
    memset (pixels + i * 3, i == 4 ? 20 : 10, 3);
  tl_rotator_run (rotator, &raster, 45, TL_ROTATE_BILINEAR, &error);
  ck_assert_uint_eq (pixels[4 * 3], 20);
  ck_assert_uint_eq (pixels[1 * 3], 10);
  tl_rotator_free (rotator);
}
END_TEST

START_TEST (picture_too_large_to_copy_is_refused)
{
  const TlRaster raster = {NULL, 0, UINT32_MAX, UINT32_MAX};
  TlRotator *rotator = tl_rotator_new ();

  ck_assert_int_eq (tl_rotator_run (rotator, &raster, 1, TL_ROTATE_NEAREST,
                        &error),
      TL_ERROR_MEMORY);
  ck_assert_ptr_nonnull (strstr (error.message, "4294967295x4294967295"));
  tl_rotator_free (rotator);
}
END_TEST

/* Every operation at every small size, in memory of exactly that size: valgrind
 * and ASan see a byte too far. */
START_TEST (no_size_is_too_small)
{
  const TlJitterRange range = {.flip = TL_FLIP_BOTH,
      .flip_probability = 1,
      .rotate = 180,
      .rotate_filter = (TlRotateFilter) (_i % 2),
      .brightness = 1,
      .contrast = 1,
      .saturation = 1,
      .hue = 0.5,
      .erase_probability = 1};
  TlRotator *rotator = tl_rotator_new ();

  for (uint32_t i = 0; i < 9 * 9; i++) {
    uint32_t width = i / 9 + 1, height = i % 9 + 1;
    uint8_t *pixels = calloc (height, (size_t) width * 3);
    const TlRaster raster = {pixels, (size_t) width * 3, width, height};
    TlJitter jitter;

    tl_jitter_draw (&range, width, height, 1, 0, i, &jitter);
    ck_assert_int_eq (tl_jitter_apply (&jitter, &raster, rotator, &error),
        TL_OK);
    free (pixels);
  }
  tl_rotator_free (rotator);
}
END_TEST

/* ---- Erasing ---- */

START_TEST (erased_box_stays_inside_and_leaves_the_rest)
{
  const uint32_t sizes[][2] = {{1, 1}, {1, 50}, {50, 1}, {2, 2}, {7, 3},
      {64, 50}, {640, 9}};
  uint32_t width = sizes[_i][0], height = sizes[_i][1];
  size_t stride = (size_t) width * 3 + 1;
  uint8_t *rows = malloc (stride * height);
  const TlRaster raster = {rows, stride, width, height};

  for (uint64_t index = 0; index < 20; index++) {
    TlBox box = {0, 0, 0, 0};
    size_t wrong = 0;

    memset (rows, 9, stride * height);
    if (!tl_erase_draw (1, width, height, 4, 0, index, &box))
      continue;
    ck_assert_uint_lt (box.width, width);
    ck_assert_uint_lt (box.height, height);
    ck_assert_uint_le (box.x, width - box.width);
    ck_assert_uint_le (box.y, height - box.height);
    tl_erase_apply (&raster, &box, 200);
    for (size_t i = 0; i < stride * height; i++) {
      size_t x = i % stride / 3, y = i / stride;
      bool inside = x >= box.x && x - box.x < box.width && y >= box.y
          && y - box.y < box.height && i % stride < stride - 1;

      wrong += rows[i] != (inside ? 200 : 9);
    }
    ck_assert_uint_eq (wrong, 0);
  }
  free (rows);
}
END_TEST

/* ---- Draws ---- */

static const TlJitterRange everything = {.flip = TL_FLIP_BOTH,
    .flip_probability = 0.3,
    .rotate = 30,
    .brightness = 0.4,
    .contrast = 1.5,
    .saturation = 0.3,
    .hue = 0.1,
    .erase_probability = 0.25};

static void
draw (uint64_t index, TlJitter *jitter)
{
  memset (jitter, 0, sizeof *jitter);
  tl_jitter_draw (&everything, 224, 160, 9, 1, index, jitter);
}

START_TEST (same_key_draws_the_same)
{
  for (uint64_t index = 0; index < 200; index++) {
    TlJitter jitter, again;

    draw (index, &jitter);
    draw (index, &again);
    ck_assert (memcmp (&jitter, &again, sizeof jitter) == 0);
  }
}
END_TEST

START_TEST (every_part_of_the_key_counts)
{
  for (uint64_t index = 0; index < 200; index++) {
    TlJitter jitter, seed, view, next;

    draw (index, &jitter);
    draw (index + 1, &next);
    tl_jitter_draw (&everything, 224, 160, 10, 1, index, &seed);
    tl_jitter_draw (&everything, 224, 160, 9, 2, index, &view);
    ck_assert_double_ne (jitter.degrees, next.degrees);
    ck_assert_double_ne (jitter.degrees, seed.degrees);
    ck_assert_double_ne (jitter.degrees, view.degrees);
  }
}
END_TEST

START_TEST (what_is_not_asked_for_is_not_drawn)
{
  const TlJitterRange range = {.flip = TL_FLIP_NONE, .flip_probability = 0.5};

  ck_assert (!tl_jitter_range_is_active (&range));
  for (uint64_t index = 0; index < 100; index++) {
    TlJitter jitter;

    tl_jitter_draw (&range, 10, 10, 1, 1, index, &jitter);
    ck_assert (!jitter.flip_horizontal && !jitter.flip_vertical);
    ck_assert (!jitter.rotated && !jitter.erased);
    for (int i = 0; i < TL_JITTER_N; i++)
      ck_assert (!jitter.enabled[i]);
  }
}
END_TEST

/* Each alone makes the element work; none changes what another draws. */
START_TEST (one_operation_does_not_move_another)
{
  const TlJitterRange alone[] = {
      {.flip = TL_FLIP_BOTH, .flip_probability = 0.3},
      {.rotate = 30},
      {.brightness = 0.4},
      {.contrast = 1.5},
      {.saturation = 0.3},
      {.hue = 0.1},
      {.erase_probability = 0.25},
  };
  TlJitter with, without;

  ck_assert (tl_jitter_range_is_active (&alone[_i]));
  for (uint64_t index = 0; index < 200; index++) {
    draw (index, &with);
    tl_jitter_draw (&alone[_i], 224, 160, 9, 1, index, &without);
    if (_i == 0)
      ck_assert (with.flip_horizontal == without.flip_horizontal
          && with.flip_vertical == without.flip_vertical);
    else if (_i == 1)
      ck_assert_double_eq (with.degrees, without.degrees);
    else if (_i < 6)
      ck_assert_double_eq (with.amount[_i - 2], without.amount[_i - 2]);
    else
      ck_assert (with.erased == without.erased
          && (!with.erased
              || memcmp (&with.erase_box, &without.erase_box, sizeof (TlBox))
                  == 0));
  }
}
END_TEST

/* Fails where @counts are not in the proportions of @shares (equal if NULL):
 * chi-square, over the value that one true case in 1000 exceeds (Wilson and
 * Hilferty's approximation). */
static void
assert_shares (const char *name, const unsigned *counts, const double *shares,
    int n)
{
  double f = n - 1, t = 2 / (9 * f), total = 0, sum = 0;
  double limit = f * pow (1 - t + 3.0902 * sqrt (t), 3);

  for (int i = 0; i < n; i++)
    total += counts[i];
  for (int i = 0; i < n; i++) {
    double wanted = total * (shares ? shares[i] : 1.0 / n);

    sum += (counts[i] - wanted) * (counts[i] - wanted) / wanted;
  }
  ck_assert_msg (sum < limit, "%s: chi-square %.1f of at most %.1f", name, sum,
      limit);
}

static void
count (const char *name, unsigned bins[N_BINS], double value, double low,
    double high)
{
  ck_assert_msg (value >= low && value <= high, "%s: %g is not in %g to %g",
      name, value, low, high);
  bins[(int) fmin ((value - low) / (high - low) * N_BINS, N_BINS - 1)]++;
}

/* Both flips and the erasing, all eight ways: right and independent. */
START_TEST (probabilities_are_kept)
{
  unsigned counts[8] = {0};
  double shares[8];

  for (int i = 0; i < 8; i++)
    shares[i] =
        (i & 1 ? 0.3 : 0.7) * (i & 2 ? 0.3 : 0.7) * (i & 4 ? 0.25 : 0.75);
  for (uint64_t index = 0; index < N_DRAWS; index++) {
    TlJitter jitter;

    draw (index, &jitter);
    counts[jitter.flip_horizontal + 2 * jitter.flip_vertical
        + 4 * jitter.erased]++;
  }
  assert_shares ("flips and erasing", counts, shares, 8);
}
END_TEST

START_TEST (amounts_are_uniform)
{
  unsigned angle[N_BINS] = {0}, steps[TL_JITTER_N][N_BINS] = {{0}};
  static const struct
  {
    const char *name;
    double low, high;
  } steps_wanted[TL_JITTER_N] = {{"brightness", 0.6, 1.4}, {"contrast", 0, 2.5},
      {"saturation", 0.7, 1.3}, {"hue", -0.1, 0.1}};

  for (uint64_t index = 0; index < N_DRAWS; index++) {
    TlJitter jitter;

    draw (index, &jitter);
    count ("rotate", angle, jitter.degrees, -30, 30);
    for (int i = 0; i < TL_JITTER_N; i++)
      count (steps_wanted[i].name, steps[i], jitter.amount[i],
          steps_wanted[i].low, steps_wanted[i].high);
  }
  assert_shares ("rotate", angle, NULL, N_BINS);
  for (int i = 0; i < TL_JITTER_N; i++)
    assert_shares (steps_wanted[i].name, steps[i], NULL, N_BINS);
}
END_TEST

/* Angle against brightness, hue against contrast: no pair is preferred. */
START_TEST (amounts_are_independent)
{
  unsigned first[16] = {0}, second[16] = {0};

  for (uint64_t index = 0; index < N_DRAWS; index++) {
    TlJitter jitter;
    int angle, brightness, hue, contrast;

    draw (index, &jitter);
    angle = (int) ((jitter.degrees + 30) / 60 * 4);
    brightness = (int) ((jitter.amount[TL_JITTER_BRIGHTNESS] - 0.6) / 0.8 * 4);
    hue = (int) ((jitter.amount[TL_JITTER_HUE] + 0.1) / 0.2 * 4);
    contrast = (int) (jitter.amount[TL_JITTER_CONTRAST] / 2.5 * 4);
    first[angle * 4 + brightness]++;
    second[hue * 4 + contrast]++;
  }
  assert_shares ("angle and brightness", first, NULL, 16);
  assert_shares ("hue and contrast", second, NULL, 16);
}
END_TEST

START_TEST (all_orders_of_colour_are_as_likely)
{
  unsigned counts[TL_JITTER_N * TL_JITTER_N * TL_JITTER_N * TL_JITTER_N] = {0};
  unsigned orders[24];
  int n = 0;

  for (uint64_t index = 0; index < N_DRAWS; index++) {
    TlJitter jitter;
    unsigned code = 0;

    draw (index, &jitter);
    for (int i = 0; i < TL_JITTER_N; i++)
      code = code * TL_JITTER_N + jitter.order[i];
    counts[code]++;
  }
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    if (counts[i] > 0) {
      ck_assert_int_lt (n, 24);
      orders[n++] = counts[i];
    }
  }
  assert_shares ("orders", orders, NULL, 24);
}
END_TEST

/* In a picture so large that hardly a box fails to fit and rounding is nothing:
 * area uniform, ratio log-uniform, place uniform in what is left. */
START_TEST (erased_boxes_are_torchvisions)
{
  unsigned area[N_BINS] = {0}, ratio[N_BINS] = {0}, left[N_BINS] = {0};
  unsigned top[N_BINS] = {0};
  const double side = 100000, most = log (3.3), least = log (0.3);

  for (uint64_t index = 0; index < N_DRAWS; index++) {
    double w, h;
    TlBox box;

    if (!tl_erase_draw (1, (uint32_t) side, (uint32_t) side, 21, 2, index,
            &box))
      continue;
    w = box.width;
    h = box.height;
    count ("area", area, w * h / (side * side), 0.0199, 0.3301);
    count ("ratio", ratio, log (h / w), least - 0.001, most + 0.001);
    count ("left", left, box.x / (side - w), 0, 1);
    count ("top", top, box.y / (side - h), 0, 1);
  }
  assert_shares ("left", left, NULL, N_BINS);
  assert_shares ("top", top, NULL, N_BINS);
  assert_shares ("area", area, NULL, N_BINS);
  assert_shares ("ratio", ratio, NULL, N_BINS);
}
END_TEST

static Suite *
augmentation_suite (void)
{
  Suite *suite = suite_create ("augmentation");
  TCase *pixels = tcase_create ("pixels"), *turns = tcase_create ("rotation");
  TCase *erase = tcase_create ("erasing"), *draws = tcase_create ("draws");

  tcase_add_test (pixels, flips_leave_the_padding_alone);
  tcase_add_test (pixels, factor_one_changes_nothing);
  tcase_add_test (pixels, hue_turns_primaries_into_each_other);
  tcase_add_test (pixels, mean_of_a_very_long_row_is_right);
  tcase_add_loop_test (pixels, no_size_is_too_small, 0, 2);
  tcase_add_loop_test (turns, right_angles_move_whole_pixels, 0, N_TURNS);
  tcase_add_test (turns, bilinear_mixes_neighbours);
  tcase_add_test (turns, picture_too_large_to_copy_is_refused);
  tcase_add_loop_test (erase, erased_box_stays_inside_and_leaves_the_rest, 0,
      7);
  tcase_add_test (draws, same_key_draws_the_same);
  tcase_add_test (draws, every_part_of_the_key_counts);
  tcase_add_test (draws, what_is_not_asked_for_is_not_drawn);
  tcase_add_loop_test (draws, one_operation_does_not_move_another, 0, 7);
  tcase_add_test (draws, probabilities_are_kept);
  tcase_add_test (draws, amounts_are_uniform);
  tcase_add_test (draws, amounts_are_independent);
  tcase_add_test (draws, all_orders_of_colour_are_as_likely);
  tcase_add_test (draws, erased_boxes_are_torchvisions);
  suite_add_tcase (suite, pixels);
  suite_add_tcase (suite, turns);
  suite_add_tcase (suite, erase);
  suite_add_tcase (suite, draws);
  return suite;
}

int
main (void)
{
  SRunner *runner = srunner_create (augmentation_suite ());
  int n_failed;

  srunner_run_all (runner, CK_ENV);
  n_failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
