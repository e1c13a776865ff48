/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlerase.h"

#include <tlrandom.h>

#include <math.h>
#include <string.h>

#define CHANNELS 3
#define MIN_SCALE 0.02
#define MAX_SCALE 0.33
#define MIN_RATIO 0.3
#define MAX_RATIO 3.3
#define N_TRIES 10

/* Draw numbers after the first, which decides whether to erase at all. */
#define DRAW_TRY (TL_DRAW_ERASE + 1)                 /* two per try */
#define DRAW_PLACE (TL_DRAW_ERASE + 1 + 2 * N_TRIES) /* row, column */

bool
tl_erase_draw (double probability, uint32_t width, uint32_t height,
    uint64_t seed, uint32_t view, uint64_t index, TlBox *box)
{
  const double low = log (MIN_RATIO), high = log (MAX_RATIO);
  double all = (double) width * height;

  if (tl_random_uniform (seed, view, index, TL_DRAW_ERASE) >= probability)
    return false;
  for (uint32_t try = 0; try < N_TRIES; try++) {
    uint32_t draw = DRAW_TRY + 2 * try;
    double u = tl_random_uniform (seed, view, index, draw);
    double v = tl_random_uniform (seed, view, index, draw + 1);
    double area = all * (MIN_SCALE + u * (MAX_SCALE - MIN_SCALE));
    double ratio = exp (low + v * (high - low));
    double h = nearbyint (sqrt (area * ratio));
    double w = nearbyint (sqrt (area / ratio));

    if (h >= height || w >= width)
      continue;
    box->width = (uint32_t) w;
    box->height = (uint32_t) h;
    box->y = (uint32_t) tl_random_below (seed, view, index, DRAW_PLACE,
        height - box->height + 1);
    box->x = (uint32_t) tl_random_below (seed, view, index, DRAW_PLACE + 1,
        width - box->width + 1);
    return true;
  }
  return false;
}

void
tl_erase_apply (const TlRaster *raster, const TlBox *box, uint8_t value)
{
  for (uint32_t y = 0; y < box->height; y++)
    memset (raster->data + (box->y + y) * raster->stride
            + (size_t) box->x * CHANNELS,
        value, (size_t) box->width * CHANNELS);
}
