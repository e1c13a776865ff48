/* SPDX-License-Identifier: BSD-3-Clause */

#include "tljitter.h"

#include "tlrandom.h"

#include <math.h>

bool
tl_jitter_range_is_active (const TlJitterRange *range)
{
  return (range->flip != TL_FLIP_NONE && range->flip_probability > 0)
      || range->rotate > 0 || range->brightness > 0 || range->contrast > 0
      || range->saturation > 0 || range->hue > 0
      || range->erase_probability > 0;
}

/* A random permutation (Fisher and Yates), draws 0 to 2. */
static void
draw_order (uint64_t seed, uint32_t view, uint64_t index,
    TlJitterStep order[TL_JITTER_N])
{
  for (uint32_t i = 0; i < TL_JITTER_N; i++)
    order[i] = (TlJitterStep) i;
  for (uint32_t i = TL_JITTER_N - 1; i > 0; i--) {
    uint32_t draw = TL_DRAW_COLOR + TL_JITTER_N - 1 - i;
    uint64_t j = tl_random_below (seed, view, index, draw, i + 1);
    TlJitterStep step = order[i];

    order[i] = order[j];
    order[j] = step;
  }
}

/* Every step has its own draw number, so that enabling one changes no other. */
static void
draw_amount (TlJitter *jitter, TlJitterStep step, double low, double high,
    uint64_t seed, uint32_t view, uint64_t index)
{
  double u = tl_random_uniform (seed, view, index,
      TL_DRAW_COLOR + TL_JITTER_N + (uint32_t) step);

  jitter->enabled[step] = low < high;
  jitter->amount[step] = low + u * (high - low);
}

static void
draw_flips (const TlJitterRange *range, uint64_t seed, uint32_t view,
    uint64_t index, TlJitter *jitter)
{
  double u = tl_random_uniform (seed, view, index, TL_DRAW_FLIP);
  double v = tl_random_uniform (seed, view, index, TL_DRAW_FLIP + 1);

  jitter->flip_horizontal =
      (range->flip == TL_FLIP_HORIZONTAL || range->flip == TL_FLIP_BOTH)
      && u < range->flip_probability;
  jitter->flip_vertical =
      (range->flip == TL_FLIP_VERTICAL || range->flip == TL_FLIP_BOTH)
      && v < range->flip_probability;
}

static void
draw_rotation (const TlJitterRange *range, uint64_t seed, uint32_t view,
    uint64_t index, TlJitter *jitter)
{
  double u = tl_random_uniform (seed, view, index, TL_DRAW_ROTATE);

  jitter->rotated = range->rotate > 0;
  jitter->rotate_filter = range->rotate_filter;
  jitter->degrees = (2 * u - 1) * range->rotate;
}

static void
draw_colour (const TlJitterRange *range, uint64_t seed, uint32_t view,
    uint64_t index, TlJitter *jitter)
{
  const double widths[] = {range->brightness, range->contrast,
      range->saturation};

  draw_order (seed, view, index, jitter->order);
  for (int i = 0; i < TL_JITTER_HUE; i++)
    draw_amount (jitter, (TlJitterStep) i, fmax (0, 1 - widths[i]),
        1 + widths[i], seed, view, index);
  draw_amount (jitter, TL_JITTER_HUE, -range->hue, range->hue, seed, view,
      index);
}

void
tl_jitter_draw (const TlJitterRange *range, uint32_t width, uint32_t height,
    uint64_t seed, uint32_t view, uint64_t index, TlJitter *jitter)
{
  draw_flips (range, seed, view, index, jitter);
  draw_rotation (range, seed, view, index, jitter);
  draw_colour (range, seed, view, index, jitter);
  jitter->erased = tl_erase_draw (range->erase_probability, width, height, seed,
      view, index, &jitter->erase_box);
  jitter->erase_value = range->erase_value;
}

static void
apply_colour (const TlJitter *jitter, const TlRaster *raster)
{
  static void (*const apply[TL_JITTER_N]) (const TlRaster *, double) = {
      [TL_JITTER_BRIGHTNESS] = tl_pixel_brightness,
      [TL_JITTER_CONTRAST] = tl_pixel_contrast,
      [TL_JITTER_SATURATION] = tl_pixel_saturation,
      [TL_JITTER_HUE] = tl_pixel_hue,
  };

  for (int i = 0; i < TL_JITTER_N; i++) {
    TlJitterStep step = jitter->order[i];

    if (jitter->enabled[step])
      apply[step](raster, jitter->amount[step]);
  }
}

TlStatus
tl_jitter_apply (const TlJitter *jitter, const TlRaster *raster,
    TlRotator *rotator, TlError *error)
{
  if (jitter->flip_horizontal)
    tl_pixel_flip_horizontal (raster);
  if (jitter->flip_vertical)
    tl_pixel_flip_vertical (raster);
  if (jitter->rotated) {
    TlStatus status = tl_rotator_run (rotator, raster, jitter->degrees,
        jitter->rotate_filter, error);

    if (status != TL_OK)
      return status;
  }
  apply_colour (jitter, raster);
  if (jitter->erased)
    tl_erase_apply (raster, &jitter->erase_box, jitter->erase_value);
  return TL_OK;
}
