/* SPDX-License-Identifier: BSD-3-Clause */

/* Which part of a picture becomes which part of the output: region, random
 * resized crop, resize + centre crop, stretch, fit with borders. Geometry and
 * roundings are torchvision's, of the last one Pillow's; the random numbers are
 * counter-based (tlrandom.h).
 *
 * Knows neither GStreamer nor torch. All functions may run on any thread. */

#ifndef TL_CROP_H
#define TL_CROP_H

#include "tlstatus.h"

#include <stdbool.h>
#include <stdint.h>

/* A rectangle in pixels. */
typedef struct
{
  uint32_t x, y, width, height;
} TlBox;

/* What to do with one picture. @source (inside the picture) is resized to
 * @resized_width x @resized_height as if it were a whole picture; @window of
 * that is kept and put at (@left, @top) of the output; whatever of the output
 * the window does not cover is black. */
typedef struct
{
  TlBox source;
  uint32_t resized_width, resized_height;
  TlBox window;
  uint32_t left, top;
} TlCropPlan;

/* A rectangle "x,y,width,height", each number in pixels or, with a "%", in per
 * cent of the picture's width or height. */
typedef struct
{
  double values[4];
  bool percent[4];
} TlRegion;

/* Parses @text; blanks around the numbers are allowed. An empty text is the
 * whole picture. TL_ERROR_ARGUMENT for anything else that is not four numbers
 * with a positive width and height, none negative, per cents at most 100. */
TlStatus tl_region_parse (const char *text, TlRegion *region, TlError *error);

/* The region of a picture of @width x @height, each edge rounded to the nearest
 * pixel. TL_ERROR_ARGUMENT if it reaches outside the picture or is empty. */
TlStatus tl_region_resolve (const TlRegion *region, uint32_t width,
    uint32_t height, TlBox *box, TlError *error);

/* Ranges of a random resized crop: share of the area (0 < min <= max <= 1) and
 * width / height (0 < min <= max). torchvision: 0.08, 1, 3/4, 4/3. */
typedef struct
{
  double scale_min, scale_max;
  double ratio_min, ratio_max;
} TlCropRange;

/* torchvision's RandomResizedCrop: ten tries, then the centre. Draws
 * TL_DRAW_CROP of (@seed, @view, @index). */
void tl_crop_plan_random (const TlBox *region, const TlCropRange *range,
    uint32_t width, uint32_t height, uint64_t seed, uint32_t view,
    uint64_t index, TlCropPlan *plan);

/* torchvision's Resize(@resize) (the short side, antialiased) followed by
 * CenterCrop((height, width)), with black borders if that is larger.
 * TL_ERROR_LIMIT for a picture so long and thin that it would become more than
 * 2^30 pixels long. */
TlStatus tl_crop_plan_center (const TlBox *region, uint32_t resize,
    uint32_t width, uint32_t height, TlCropPlan *plan, TlError *error);

/* The region stretched to the output, aspect ratio not kept. */
void tl_crop_plan_stretch (const TlBox *region, uint32_t width, uint32_t height,
    TlCropPlan *plan);

/* The whole region, as large as fits with its aspect ratio kept, in the middle
 * of black borders: Pillow's ImageOps.pad((width, height)). A side that Pillow
 * would round to nothing has one pixel. */
void tl_crop_plan_pad (const TlBox *region, uint32_t width, uint32_t height,
    TlCropPlan *plan);

/* What happens to pictures when nothing is random. */
typedef enum
{
  TL_CROP_CENTER,
  TL_CROP_NONE,
  TL_CROP_PAD
} TlCropKind;

/* "center", "none", "pad"; false for anything else. */
const char *tl_crop_kind_nick (TlCropKind kind);
bool tl_crop_kind_from_nick (const char *nick, TlCropKind *kind);

/* One of the three above, by @kind. @resize matters for the centre alone;
 * TL_ERROR_LIMIT as there. */
TlStatus tl_crop_plan_fixed (TlCropKind kind, const TlBox *region,
    uint32_t resize, uint32_t width, uint32_t height, TlCropPlan *plan,
    TlError *error);

/* The short side that resize=0 stands for: 256 for 224, in proportion. */
uint32_t tl_crop_auto_resize (uint32_t width, uint32_t height);

#endif
