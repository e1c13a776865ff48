/* SPDX-License-Identifier: BSD-3-Clause */

/* torchvision's ColorJitter and random flips as a deterministic function of
 * (seed, view, index): what was drawn is a plain struct, then carried out.
 *
 * Knows neither GStreamer nor torch. Any thread. */

#ifndef TL_JITTER_H
#define TL_JITTER_H

#include "tlpixel.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum
{
  TL_FLIP_NONE,
  TL_FLIP_HORIZONTAL,
  TL_FLIP_VERTICAL,
  TL_FLIP_BOTH /* either, each drawn by itself */
} TlFlip;

/* What may happen. Brightness, contrast and saturation b: a factor from
 * [max (0, 1 - b), 1 + b], b >= 0. Hue h: a shift from [-h, h], 0 to 0.5.
 * Zero means never. */
typedef struct
{
  TlFlip flip;
  double flip_probability; /* 0 to 1 */
  double brightness, contrast, saturation, hue;
} TlJitterRange;

typedef enum
{
  TL_JITTER_BRIGHTNESS,
  TL_JITTER_CONTRAST,
  TL_JITTER_SATURATION,
  TL_JITTER_HUE,
  TL_JITTER_N
} TlJitterStep;

/* What happens to one sample: the flips, then the steps in @order, each only
 * if @enabled. */
typedef struct
{
  bool flip_horizontal, flip_vertical;
  TlJitterStep order[TL_JITTER_N];
  bool enabled[TL_JITTER_N];
  double amount[TL_JITTER_N]; /* factors, and the hue's shift */
} TlJitter;

/* Whether @range can change any picture at all. */
bool tl_jitter_range_is_active (const TlJitterRange *range);

/* Draws TL_DRAW_FLIP and TL_DRAW_COLOR of (@seed, @view, @index). */
void tl_jitter_draw (const TlJitterRange *range, uint64_t seed, uint32_t view,
    uint64_t index, TlJitter *jitter);

/* Carries @jitter out in place. */
void tl_jitter_apply (const TlJitter *jitter, const TlRaster *raster);

#endif
