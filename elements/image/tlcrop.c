/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlcrop.h"

#include "tlfail.h"
#include "tlrandom.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#define CROP_TRIES 10
#define DRAWS_PER_TRY 4
#define MAX_RESIZED 0x40000000u

/* strtod() would follow the locale and take "inf" and "0x". */
static const char *
parse_number (const char *text, double *value)
{
  double number = 0, unit = 1;
  int digits = 0;

  for (; isdigit ((unsigned char) *text); text++, digits++)
    number = number * 10 + (*text - '0');
  if (*text == '.') {
    for (text++; isdigit ((unsigned char) *text); text++, digits++)
      number += (*text - '0') * (unit /= 10);
  }
  *value = number;
  return digits ? text : NULL;
}

static const char *
skip_blanks (const char *text)
{
  while (*text == ' ' || *text == '\t')
    text++;
  return text;
}

/* Parses "12", "12.5%" with blanks around; NULL if that is not there. */
static const char *
parse_part (const char *text, double *value, bool *percent)
{
  text = parse_number (skip_blanks (text), value);
  if (!text)
    return NULL;
  text = skip_blanks (text);
  *percent = *text == '%';
  if (*percent)
    text = skip_blanks (text + 1);
  if (*percent ? *value > 100 : *value > UINT32_MAX)
    return NULL;
  return text;
}

TlStatus
tl_region_parse (const char *text, TlRegion *region, TlError *error)
{
  TlRegion parsed = {{0, 0, 100, 100}, {true, true, true, true}};
  const char *at = skip_blanks (text);

  for (int i = 0; *skip_blanks (text) && i < 4 && at; i++) {
    at = parse_part (at, &parsed.values[i], &parsed.percent[i]);
    if (at && *at != (i < 3 ? ',' : '\0'))
      at = NULL;
    else if (at && i < 3)
      at++;
  }
  if (!at || parsed.values[2] <= 0 || parsed.values[3] <= 0)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "The region \"%s\" is not \"x,y,width,height\" in pixels or per cent, "
        "such as \"10%%,0,80%%,100%%\".",
        text);
  *region = parsed;
  return TL_OK;
}

/* Edge number @i (0 to 3) in pixels of a side of @length. */
static double
resolve_part (const TlRegion *region, int i, uint32_t length)
{
  return region->percent[i] ? region->values[i] * length / 100
                            : region->values[i];
}

/* Rounds both ends, so that regions that touch share no pixel. */
static bool
resolve_side (const TlRegion *region, int i, uint32_t length, uint32_t *start,
    uint32_t *size)
{
  double first = resolve_part (region, i, length);
  double last = first + resolve_part (region, i + 2, length);

  first = floor (first + 0.5);
  last = floor (last + 0.5);
  if (last > length || first >= last)
    return false;
  *start = (uint32_t) first;
  *size = (uint32_t) (last - first);
  return true;
}

TlStatus
tl_region_resolve (const TlRegion *region, uint32_t width, uint32_t height,
    TlBox *box, TlError *error)
{
  TlBox resolved;

  if (!resolve_side (region, 0, width, &resolved.x, &resolved.width)
      || !resolve_side (region, 1, height, &resolved.y, &resolved.height))
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "The region %g%s,%g%s,%g%s,%g%s does not lie inside the picture of "
        "%ux%u pixels.",
        region->values[0], region->percent[0] ? "%" : "", region->values[1],
        region->percent[1] ? "%" : "", region->values[2],
        region->percent[2] ? "%" : "", region->values[3],
        region->percent[3] ? "%" : "", width, height);
  *box = resolved;
  return TL_OK;
}

/* @source stretched over the whole output. */
static void
fill_plan (TlCropPlan *plan, TlBox source, uint32_t width, uint32_t height)
{
  *plan = (TlCropPlan){
      .source = source,
      .resized_width = width,
      .resized_height = height,
      .window = {0, 0, width, height},
  };
}

void
tl_crop_plan_stretch (const TlBox *region, uint32_t width, uint32_t height,
    TlCropPlan *plan)
{
  fill_plan (plan, *region, width, height);
}

/* Python's round(): halves go to the even neighbour, as rint() does. */
static bool
try_crop (const TlBox *region, const TlCropRange *range, uint64_t seed,
    uint32_t view, uint64_t index, uint32_t draw, TlBox *crop)
{
  double u = tl_random_uniform (seed, view, index, draw);
  double v = tl_random_uniform (seed, view, index, draw + 1);
  double area = (double) region->width * region->height
      * (range->scale_min + u * (range->scale_max - range->scale_min));
  double low = log (range->ratio_min), high = log (range->ratio_max);
  double ratio = exp (low + v * (high - low));
  double width = rint (sqrt (area * ratio));
  double height = rint (sqrt (area / ratio));

  if (width < 1 || height < 1 || width > region->width
      || height > region->height)
    return false;
  crop->width = (uint32_t) width;
  crop->height = (uint32_t) height;
  crop->y = (uint32_t) tl_random_below (seed, view, index, draw + 2,
      region->height - crop->height + 1);
  crop->x = (uint32_t) tl_random_below (seed, view, index, draw + 3,
      region->width - crop->width + 1);
  return true;
}

/* The largest centred crop within the allowed aspect ratios. */
static void
central_crop (const TlBox *region, const TlCropRange *range, TlBox *crop)
{
  double ratio = (double) region->width / region->height;

  crop->width = region->width;
  crop->height = region->height;
  if (ratio < range->ratio_min)
    crop->height = (uint32_t) fmax (1, rint (region->width / range->ratio_min));
  else if (ratio > range->ratio_max)
    crop->width = (uint32_t) fmax (1, rint (region->height * range->ratio_max));
  crop->y = (region->height - crop->height) / 2;
  crop->x = (region->width - crop->width) / 2;
}

void
tl_crop_plan_random (const TlBox *region, const TlCropRange *range,
    uint32_t width, uint32_t height, uint64_t seed, uint32_t view,
    uint64_t index, TlCropPlan *plan)
{
  TlBox crop;
  bool found = false;

  for (uint32_t i = 0; i < CROP_TRIES && !found; i++)
    found = try_crop (region, range, seed, view, index,
        TL_DRAW_CROP + i * DRAWS_PER_TRY, &crop);
  if (!found)
    central_crop (region, range, &crop);
  crop.x += region->x;
  crop.y += region->y;
  fill_plan (plan, crop, width, height);
}

/* CenterCrop along one side: pads first if @resized is short of @wanted. */
static void
center_side (uint32_t resized, uint32_t wanted, uint32_t *window_start,
    uint32_t *window_size, uint32_t *output_start)
{
  if (resized < wanted) {
    *window_start = 0;
    *window_size = resized;
    *output_start = (wanted - resized) / 2;
  } else {
    *window_start = (uint32_t) rint ((resized - wanted) / 2.0);
    *window_size = wanted;
    *output_start = 0;
  }
}

TlStatus
tl_crop_plan_center (const TlBox *region, uint32_t resize, uint32_t width,
    uint32_t height, TlCropPlan *plan, TlError *error)
{
  bool wide = region->width > region->height;
  uint32_t small = wide ? region->height : region->width;
  uint32_t large = wide ? region->width : region->height;
  uint64_t resized = (uint64_t) resize * large / small;

  if (resized > MAX_RESIZED)
    return tl_fail (error, TL_ERROR_LIMIT,
        "The picture of %ux%u pixels is too long and thin to be resized to a "
        "short side of %u.",
        region->width, region->height, resize);
  plan->source = *region;
  plan->resized_width = wide ? (uint32_t) resized : resize;
  plan->resized_height = wide ? resize : (uint32_t) resized;
  center_side (plan->resized_width, width, &plan->window.x, &plan->window.width,
      &plan->left);
  center_side (plan->resized_height, height, &plan->window.y,
      &plan->window.height, &plan->top);
  return TL_OK;
}

/* What @length becomes when the other side is resized from @other to @wanted;
 * in the order of Pillow's operations, so that it rounds alike. */
static uint32_t
fit_side (uint32_t length, uint32_t other, uint32_t wanted, uint32_t most)
{
  double fitted = rint ((double) length / other * wanted);

  return (uint32_t) fmin (fmax (fitted, 1), most);
}

void
tl_crop_plan_pad (const TlBox *region, uint32_t width, uint32_t height,
    TlCropPlan *plan)
{
  double ratio = (double) region->width / region->height;
  double wanted = (double) width / height;
  uint32_t fitted_width = width, fitted_height = height;

  if (ratio > wanted)
    fitted_height = fit_side (region->height, region->width, width, height);
  else if (ratio < wanted)
    fitted_width = fit_side (region->width, region->height, height, width);
  fill_plan (plan, *region, fitted_width, fitted_height);
  plan->left = (uint32_t) rint ((width - fitted_width) / 2.0);
  plan->top = (uint32_t) rint ((height - fitted_height) / 2.0);
}

static const char *const kind_nicks[] = {
    [TL_CROP_CENTER] = "center",
    [TL_CROP_NONE] = "none",
    [TL_CROP_PAD] = "pad",
};

const char *
tl_crop_kind_nick (TlCropKind kind)
{
  return kind_nicks[kind];
}

bool
tl_crop_kind_from_nick (const char *nick, TlCropKind *kind)
{
  for (size_t i = 0; i < sizeof kind_nicks / sizeof *kind_nicks; i++) {
    if (strcmp (nick, kind_nicks[i]) == 0) {
      *kind = (TlCropKind) i;
      return true;
    }
  }
  return false;
}

TlStatus
tl_crop_plan_fixed (TlCropKind kind, const TlBox *region, uint32_t resize,
    uint32_t width, uint32_t height, TlCropPlan *plan, TlError *error)
{
  switch (kind) {
    case TL_CROP_NONE:
      tl_crop_plan_stretch (region, width, height, plan);
      return TL_OK;
    case TL_CROP_PAD:
      tl_crop_plan_pad (region, width, height, plan);
      return TL_OK;
    default:
      return tl_crop_plan_center (region, resize, width, height, plan, error);
  }
}

uint32_t
tl_crop_auto_resize (uint32_t width, uint32_t height)
{
  uint32_t side = width > height ? width : height;

  return (uint32_t) (((uint64_t) side * 256 + 112) / 224);
}
