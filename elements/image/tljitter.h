/* SPDX-License-Identifier: BSD-3-Clause */

/* torchvision's random flips, RandomRotation, ColorJitter and RandomErasing as
 * a deterministic function of (seed, view, index): what was drawn is a plain
 * struct, then carried out.
 *
 * Knows neither GStreamer nor torch. Any thread. */

#ifndef TL_JITTER_H
#define TL_JITTER_H

#include "tlerase.h"
#include "tlpixel.h"
#include "tlrotate.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum
{
  TL_FLIP_NONE,
  TL_FLIP_HORIZONTAL,
  TL_FLIP_VERTICAL,
  TL_FLIP_BOTH /* either, each drawn by itself */
} TlFlip;

/* What may happen. Rotate r: an angle from [-r, r] degrees. Brightness, contrast
 * and saturation b: a factor from [max (0, 1 - b), 1 + b], b >= 0. Hue h: a
 * shift from [-h, h], 0 to 0.5. Zero means never. */
typedef struct
{
  TlFlip flip;
  double flip_probability; /* 0 to 1 */
  double rotate;
  TlRotateFilter rotate_filter;
  double brightness, contrast, saturation, hue;
  double erase_probability; /* 0 to 1 */
  uint8_t erase_value;      /* of all channels */
} TlJitterRange;

typedef enum
{
  TL_JITTER_BRIGHTNESS,
  TL_JITTER_CONTRAST,
  TL_JITTER_SATURATION,
  TL_JITTER_HUE,
  TL_JITTER_N
} TlJitterStep;

/* What happens to one sample, from top to bottom: the steps of colour in
 * @order, each only if @enabled. */
typedef struct
{
  bool flip_horizontal, flip_vertical;
  bool rotated;
  TlRotateFilter rotate_filter;
  double degrees; /* counter-clockwise */
  TlJitterStep order[TL_JITTER_N];
  bool enabled[TL_JITTER_N];
  double amount[TL_JITTER_N]; /* factors, and the hue's shift */
  bool erased;
  TlBox erase_box;
  uint8_t erase_value;
} TlJitter;

/* Whether @range can change any picture at all. */
bool tl_jitter_range_is_active (const TlJitterRange *range);

/* Draws TL_DRAW_FLIP, TL_DRAW_ROTATE, TL_DRAW_COLOR and TL_DRAW_ERASE of (@seed,
 * @view, @index) for a picture of @width x @height. */
void tl_jitter_draw (const TlJitterRange *range, uint32_t width,
    uint32_t height, uint64_t seed, uint32_t view, uint64_t index,
    TlJitter *jitter);

/* Carries @jitter out in place. @rotator is the thread's own. TL_ERROR_MEMORY
 * if there is none for a rotation. */
TlStatus tl_jitter_apply (const TlJitter *jitter, const TlRaster *raster,
    TlRotator *rotator, TlError *error);

#endif
