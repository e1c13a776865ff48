/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlimage.h"

#include "tlfail.h"
#include "tlimageformat.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SIDE 1000000u
#define CHANNELS 3

const char *
tl_image_decoder_version (void)
{
  return TL_JPEG_VERSION "," TL_PNG_VERSION;
}

struct TlImageDecoder
{
  TlImageRows rows;
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
  free (decoder->rows.data);
  free (decoder);
}

static bool
starts_with (const uint8_t *data, size_t size, const char *magic, size_t n)
{
  return size >= n && memcmp (data, magic, n) == 0;
}

static TlStatus
find_kind (const uint8_t *data, size_t size, TlImageKind *kind, TlError *error)
{
  if (starts_with (data, size, "\xff\xd8\xff", 3))
    *kind = TL_IMAGE_JPEG;
  else if (starts_with (data, size, "\x89PNG\r\n\x1a\n", 8))
    *kind = TL_IMAGE_PNG;
  else if (size == 0)
    return tl_fail (error, TL_ERROR_FORMAT, "The file is empty.");
  else
    return tl_fail (error, TL_ERROR_FORMAT,
        "The file is neither a JPEG nor a PNG picture.");
  return TL_OK;
}

TlStatus
tl_image_check_size (uint64_t width, uint64_t height,
    const TlImageLimits *limits, TlError *error)
{
  if (width == 0 || height == 0)
    return tl_fail (error, TL_ERROR_FORMAT,
        "The picture has no pixels (%" PRIu64 "x%" PRIu64 ").", width, height);
  if (width > MAX_SIDE || height > MAX_SIDE)
    return tl_fail (error, TL_ERROR_LIMIT,
        "The picture has %" PRIu64 "x%" PRIu64 " pixels; a side may have at "
        "most %u.",
        width, height, MAX_SIDE);
  if (width * height > limits->max_pixels)
    return tl_fail (error, TL_ERROR_LIMIT,
        "The picture has %" PRIu64 "x%" PRIu64 " pixels, more than the "
        "%" PRIu64 " allowed by max-pixels.",
        width, height, limits->max_pixels);
  return TL_OK;
}

TlStatus
tl_image_probe (const uint8_t *data, size_t size, const TlImageLimits *limits,
    TlImageInfo *info, TlError *error)
{
  TlImageInfo found = {0};
  TlStatus status = find_kind (data, size, &found.kind, error);

  if (status == TL_OK && found.kind == TL_IMAGE_JPEG)
    status = tl_jpeg_probe (data, size, &found, error);
  else if (status == TL_OK)
    status = tl_png_probe (data, size, &found, error);
  if (status == TL_OK)
    status = tl_image_check_size (found.width, found.height, limits, error);
  if (status == TL_OK)
    *info = found;
  return status;
}

TlStatus
tl_image_rows_reserve (TlImageRows *rows, uint32_t width, uint32_t height,
    TlError *error)
{
  size_t size;

  rows->width = width;
  rows->height = height;
  rows->stride = (size_t) width * CHANNELS;
  if (rows->first_row >= height)
    rows->first_row = height - 1;
  if (rows->n_rows > height - rows->first_row)
    rows->n_rows = height - rows->first_row;
  size = rows->stride * rows->n_rows;
  if (size > rows->capacity) {
    free (rows->data);
    rows->data = malloc (size);
    rows->capacity = rows->data ? size : 0;
  }
  if (!rows->data)
    return tl_fail (error, TL_ERROR_MEMORY,
        "There is not enough memory for a picture of %ux%u pixels.", width,
        height);
  memset (rows->data, 0, size);
  return TL_OK;
}

TlStatus
tl_image_decode (TlImageDecoder *decoder, const uint8_t *data, size_t size,
    const TlImageLimits *limits, unsigned shrink, uint32_t first_row,
    uint32_t n_rows, TlPixels *pixels, TlError *error)
{
  TlImageRows *rows = &decoder->rows;
  TlImageKind kind = TL_IMAGE_JPEG;
  TlStatus status = find_kind (data, size, &kind, error);

  rows->first_row = first_row;
  rows->n_rows = n_rows;
  if (status == TL_OK && kind == TL_IMAGE_JPEG)
    status = tl_jpeg_decode (data, size, limits, shrink, rows, error);
  else if (status == TL_OK)
    status = tl_png_decode (data, size, limits, rows, error);
  if (status == TL_OK)
    *pixels = (TlPixels){
        .data = rows->data,
        .stride = rows->stride,
        .width = rows->width,
        .height = rows->height,
        .first_row = rows->first_row,
    };
  return status;
}

/* The part of @pixels that is the plan's source, as a picture of its own. Rows
 * before the first one decoded lie in front of the data and are not touched. */
static TlPixels
crop_pixels (const TlPixels *pixels, const TlBox *box)
{
  TlPixels crop = *pixels;

  crop.data += (size_t) box->x * CHANNELS;
  crop.width = box->width;
  crop.height = box->height;
  crop.first_row = pixels->first_row - box->y;
  return crop;
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

TlStatus
tl_image_render (TlImageDecoder *decoder, const uint8_t *data, size_t size,
    const TlImageLimits *limits, const TlCropPlan *plan, TlFilter filter,
    bool may_shrink, uint32_t width, uint32_t height, uint8_t *destination,
    size_t stride, TlError *error)
{
  TlPixels pixels, source;
  TlImageKind kind = TL_IMAGE_JPEG;
  unsigned shrink = 1;
  uint32_t first, n;
  TlBox box;
  TlStatus status = find_kind (data, size, &kind, error);

  if (status != TL_OK)
    return status;
  if (may_shrink && kind == TL_IMAGE_JPEG)
    shrink = choose_shrink (plan);
  box = shrink_box (&plan->source, shrink);
  tl_resize_span (box.height, plan->resized_height, filter, plan->window.y,
      plan->window.height, &first, &n);
  status = tl_image_decode (decoder, data, size, limits, shrink, box.y + first,
      n, &pixels, error);
  if (status != TL_OK)
    return status;
  if (box.x + box.width > pixels.width || box.y + box.height > pixels.height)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "The crop does not lie inside the picture of %ux%u pixels.",
        pixels.width, pixels.height);
  source = crop_pixels (&pixels, &box);
  return render_source (decoder, &source, plan, filter, width, height,
      destination, stride, error);
}
