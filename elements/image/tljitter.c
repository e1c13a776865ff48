/* SPDX-License-Identifier: BSD-3-Clause */

#include "tljitter.h"

#include "tlrandom.h"

#include <math.h>

bool
tl_jitter_range_is_active (const TlJitterRange *range)
{
  return (range->flip != TL_FLIP_NONE && range->flip_probability > 0)
      || range->brightness > 0 || range->contrast > 0 || range->saturation > 0
      || range->hue > 0;
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

void
tl_jitter_draw (const TlJitterRange *range, uint64_t seed, uint32_t view,
    uint64_t index, TlJitter *jitter)
{
  const double widths[] = {range->brightness, range->contrast,
      range->saturation};
  double u = tl_random_uniform (seed, view, index, TL_DRAW_FLIP);
  double v = tl_random_uniform (seed, view, index, TL_DRAW_FLIP + 1);

  jitter->flip_horizontal =
      (range->flip == TL_FLIP_HORIZONTAL || range->flip == TL_FLIP_BOTH)
      && u < range->flip_probability;
  jitter->flip_vertical =
      (range->flip == TL_FLIP_VERTICAL || range->flip == TL_FLIP_BOTH)
      && v < range->flip_probability;
  draw_order (seed, view, index, jitter->order);
  for (int i = 0; i < TL_JITTER_HUE; i++)
    draw_amount (jitter, (TlJitterStep) i, fmax (0, 1 - widths[i]),
        1 + widths[i], seed, view, index);
  draw_amount (jitter, TL_JITTER_HUE, -range->hue, range->hue, seed, view,
      index);
}

void
tl_jitter_apply (const TlJitter *jitter, const TlRaster *raster)
{
  static void (*const apply[TL_JITTER_N]) (const TlRaster *, double) = {
      [TL_JITTER_BRIGHTNESS] = tl_pixel_brightness,
      [TL_JITTER_CONTRAST] = tl_pixel_contrast,
      [TL_JITTER_SATURATION] = tl_pixel_saturation,
      [TL_JITTER_HUE] = tl_pixel_hue,
  };

  if (jitter->flip_horizontal)
    tl_pixel_flip_horizontal (raster);
  if (jitter->flip_vertical)
    tl_pixel_flip_vertical (raster);
  for (int i = 0; i < TL_JITTER_N; i++) {
    TlJitterStep step = jitter->order[i];

    if (jitter->enabled[step])
      apply[step](raster, jitter->amount[step]);
  }
}
