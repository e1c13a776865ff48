/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlimage.h"

#include "tlexif.h"
#include "tlfail.h"
#include "tlimageformat.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SIDE 1000000u
#define CHANNELS 3

typedef struct
{
  TlStatus (*probe) (const uint8_t *data, size_t size, TlImageInfo *info,
      TlError *error);
  TlStatus (*decode) (const uint8_t *data, size_t size,
      const TlImageOptions *options, TlImageTarget *target, TlError *error);
  unsigned (*orientation) (const uint8_t *data, size_t size); /* or NULL */
} Format;

static const Format formats[] = {
    [TL_IMAGE_JPEG] = {tl_jpeg_probe, tl_jpeg_decode, tl_jpeg_orientation},
    [TL_IMAGE_PNG] = {tl_png_probe, tl_png_decode, tl_png_orientation},
    [TL_IMAGE_WEBP] = {tl_webp_probe, tl_webp_decode, tl_webp_orientation},
    [TL_IMAGE_BMP] = {tl_bmp_probe, tl_bmp_decode, NULL},
    [TL_IMAGE_TIFF] = {tl_tiff_probe, tl_tiff_decode, NULL},
    [TL_IMAGE_PNM] = {tl_pnm_probe, tl_pnm_decode, NULL},
};

const char *
tl_image_decoder_version (void)
{
  return TL_JPEG_VERSION "," TL_PNG_VERSION "," TL_WEBP_VERSION
                         "," TL_TIFF_VERSION;
}

typedef struct
{
  uint8_t *data;
  size_t capacity;
} Room;

struct TlImageDecoder
{
  TlImageTarget target;
  Room oriented;
  TlResizer *resizer;
};

TlImageDecoder *
tl_image_decoder_new (void)
{
  TlImageDecoder *decoder = calloc (1, sizeof *decoder);

  if (!decoder)
    return NULL;
  decoder->resizer = tl_resizer_new ();
  if (!decoder->resizer) {
    free (decoder);
    return NULL;
  }
  return decoder;
}

void
tl_image_decoder_free (TlImageDecoder *decoder)
{
  if (!decoder)
    return;
  tl_resizer_free (decoder->resizer);
  free (decoder->oriented.data);
  free (decoder->target.data);
  free (decoder);
}

TlStatus
tl_image_check_size (uint64_t width, uint64_t height,
    const TlImageOptions *options, TlError *error)
{
  if (width == 0 || height == 0)
    return tl_fail (error, TL_ERROR_FORMAT,
        "The picture has no pixels (%" PRIu64 "x%" PRIu64 ").", width, height);
  if (width > MAX_SIDE || height > MAX_SIDE)
    return tl_fail (error, TL_ERROR_LIMIT,
        "The picture has %" PRIu64 "x%" PRIu64 " pixels; a side may have at "
        "most %u.",
        width, height, MAX_SIDE);
  if (width * height > options->max_pixels)
    return tl_fail (error, TL_ERROR_LIMIT,
        "The picture has %" PRIu64 "x%" PRIu64 " pixels, more than the "
        "%" PRIu64 " allowed by max-pixels.",
        width, height, options->max_pixels);
  return TL_OK;
}

static bool
reserve (uint8_t **data, size_t *capacity, size_t size)
{
  if (size > *capacity) {
    free (*data);
    *data = malloc (size);
    *capacity = *data ? size : 0;
  }
  return *data != NULL;
}

TlStatus
tl_image_target_reserve (TlImageTarget *target, uint32_t width, uint32_t height,
    TlError *error)
{
  target->part.x = 0;
  target->part.width = width;
  return tl_image_target_reserve_part (target, width, height, error);
}

TlStatus
tl_image_target_reserve_part (TlImageTarget *target, uint32_t width,
    uint32_t height, TlError *error)
{
  size_t size;

  if (width != target->width || height != target->height)
    return tl_fail (error, TL_ERROR_FORMAT,
        "The picture has %ux%u pixels, its header says %ux%u.", width, height,
        target->width, target->height);
  target->stride = (size_t) target->part.width * CHANNELS;
  size = target->stride * target->part.height;
  if (!reserve (&target->data, &target->capacity, size))
    return tl_fail (error, TL_ERROR_MEMORY,
        "There is not enough memory for a picture of %ux%u pixels.", width,
        height);
  memset (target->data, 0, size);
  return TL_OK;
}

/* 1 unless it is to be carried out. */
static unsigned
find_orientation (const Format *format, const uint8_t *data, size_t size,
    const TlImageOptions *options)
{
  unsigned found = 0;

  if (options->auto_orient && format->orientation)
    found = format->orientation (data, size);
  return found ? found : TL_ORIENTATION_NORMAL;
}

/* The size is that of the stored picture. */
static TlStatus
probe_stored (const uint8_t *data, size_t size, const TlImageOptions *options,
    TlImageInfo *info, TlError *error)
{
  TlStatus status = tl_image_find_kind (data, size, &info->kind, error);
  const Format *format = &formats[info->kind];

  if (status == TL_OK)
    status = format->probe (data, size, info, error);
  if (status == TL_OK)
    status = tl_image_check_size (info->width, info->height, options, error);
  if (status == TL_OK && info->orientation == 0)
    info->orientation = find_orientation (format, data, size, options);
  return status;
}

TlStatus
tl_image_probe (const uint8_t *data, size_t size, const TlImageOptions *options,
    TlImageInfo *info, TlError *error)
{
  TlImageInfo found = {0};
  TlStatus status = probe_stored (data, size, options, &found, error);

  if (status != TL_OK)
    return status;
  *info = found;
  if (tl_orientation_swaps (found.orientation)) {
    info->width = found.height;
    info->height = found.width;
  }
  return TL_OK;
}

static void
clear_output (uint32_t width, uint32_t height, uint8_t *out, size_t stride)
{
  for (uint32_t y = 0; y < height; y++)
    memset (out + y * stride, 0, (size_t) width * CHANNELS);
}

/* @source is already cropped to the plan's source. */
static TlStatus
render_source (TlImageDecoder *decoder, const TlPixels *source,
    const TlCropPlan *plan, TlFilter filter, uint32_t width, uint32_t height,
    uint8_t *destination, size_t stride, TlError *error)
{
  if (plan->window.width < width || plan->window.height < height)
    clear_output (width, height, destination, stride);
  return tl_resizer_run (decoder->resizer, source, filter, plan->resized_width,
      plan->resized_height, &plan->window,
      destination + plan->top * stride + (size_t) plan->left * CHANNELS, stride,
      error);
}

TlStatus
tl_image_render_pixels (TlImageDecoder *decoder, const TlPixels *pixels,
    const TlCropPlan *plan, TlFilter filter, uint32_t width, uint32_t height,
    uint8_t *destination, size_t stride, TlError *error)
{
  const TlBox *box = &plan->source;
  TlPixels source = *pixels;

  source.data += box->y * pixels->stride + (size_t) box->x * CHANNELS;
  source.width = box->width;
  source.height = box->height;
  source.first_row = 0;
  source.first_column = 0;
  return render_source (decoder, &source, plan, filter, width, height,
      destination, stride, error);
}

/* The largest of 1, 2, 4, 8 at which the source is still at least twice what it
 * is resized to. */
static unsigned
choose_shrink (const TlCropPlan *plan)
{
  unsigned shrink = 8;

  while (shrink > 1
      && (plan->source.width / shrink < 2 * plan->resized_width
          || plan->source.height / shrink < 2 * plan->resized_height))
    shrink /= 2;
  return shrink;
}

static TlBox
shrink_box (const TlBox *box, unsigned shrink)
{
  return (TlBox){
      .x = box->x / shrink,
      .y = box->y / shrink,
      .width = box->width / shrink,
      .height = box->height / shrink,
  };
}

/* What of the shrunk and oriented picture the plan needs. */
static TlBox
needed_box (const TlCropPlan *plan, const TlBox *source, TlFilter filter)
{
  const TlBox *window = &plan->window;
  TlBox box;

  tl_resize_span (source->width, plan->resized_width, filter, window->x,
      window->width, &box.x, &box.width);
  tl_resize_span (source->height, plan->resized_height, filter, window->y,
      window->height, &box.y, &box.height);
  box.x += source->x;
  box.y += source->y;
  return box;
}

/* Turns what was decoded into @decoder->oriented. */
static TlStatus
orient_target (TlImageDecoder *decoder, unsigned orientation, TlPixels *pixels,
    TlError *error)
{
  const TlImageTarget *target = &decoder->target;
  const TlBox *part = &target->part;
  Room *room = &decoder->oriented;
  bool swaps = tl_orientation_swaps (orientation);

  if (!reserve (&room->data, &room->capacity,
          (size_t) part->width * part->height * CHANNELS))
    return tl_fail (error, TL_ERROR_MEMORY,
        "There is not enough memory to turn a picture of %ux%u pixels.",
        target->width, target->height);
  tl_orientation_apply (orientation, target->data, target->stride, part->width,
      part->height, room->data);
  pixels->data = room->data;
  pixels->stride = (size_t) (swaps ? part->height : part->width) * CHANNELS;
  return TL_OK;
}

static bool
is_inside (const TlBox *box, uint32_t width, uint32_t height)
{
  return box->x <= width && box->width <= width - box->x && box->y <= height
      && box->height <= height - box->y;
}

/* Decodes at least @needed (of the shrunk and oriented picture) and gives the
 * plan's @source, of which other pixels are missing. */
static TlStatus
decode_source (TlImageDecoder *decoder, const uint8_t *data, size_t size,
    const TlImageOptions *options, const TlImageInfo *info, unsigned shrink,
    const TlBox *source, const TlBox *needed, TlPixels *pixels, TlError *error)
{
  TlImageTarget *target = &decoder->target;
  const Format *format = &formats[info->kind];
  uint32_t width = (info->width + shrink - 1) / shrink;
  uint32_t height = (info->height + shrink - 1) / shrink;
  bool swaps = tl_orientation_swaps (info->orientation);
  TlBox first;
  TlStatus status;

  if (!is_inside (source, swaps ? height : width, swaps ? width : height))
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "The crop does not lie inside the picture of %ux%u pixels.", width,
        height);
  target->shrink = shrink;
  target->width = width;
  target->height = height;
  target->part =
      tl_orientation_stored_box (info->orientation, width, height, needed);
  status = format->decode (data, size, options, target, error);
  if (status != TL_OK)
    return status;
  pixels->data = target->data;
  pixels->stride = target->stride;
  if (info->orientation != TL_ORIENTATION_NORMAL)
    status = orient_target (decoder, info->orientation, pixels, error);
  /* Where the decoded part begins in the oriented picture. */
  first = tl_orientation_oriented_box (info->orientation, width, height,
      &target->part);
  pixels->width = source->width;
  pixels->height = source->height;
  pixels->first_column = first.x - source->x;
  pixels->first_row = first.y - source->y;
  return status;
}

TlStatus
tl_image_render (TlImageDecoder *decoder, const uint8_t *data, size_t size,
    const TlImageOptions *options, const TlCropPlan *plan, TlFilter filter,
    bool may_shrink, uint32_t width, uint32_t height, uint8_t *destination,
    size_t stride, TlError *error)
{
  TlImageInfo info = {0};
  TlPixels pixels;
  unsigned shrink = 1;
  TlBox source, needed;
  TlStatus status = probe_stored (data, size, options, &info, error);

  if (status != TL_OK)
    return status;
  if (may_shrink && info.kind == TL_IMAGE_JPEG)
    shrink = choose_shrink (plan);
  source = shrink_box (&plan->source, shrink);
  needed = needed_box (plan, &source, filter);
  status = decode_source (decoder, data, size, options, &info, shrink, &source,
      &needed, &pixels, error);
  if (status != TL_OK)
    return status;
  return render_source (decoder, &pixels, plan, filter, width, height,
      destination, stride, error);
}
