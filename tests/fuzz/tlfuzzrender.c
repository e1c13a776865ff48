/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlfuzzrender.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tlimage.h>

typedef struct
{
  TlImageOptions options;
  TlFilter filter;
  bool may_shrink;
  TlCropPlan plan;
  uint32_t width, height; /* of the output */
} Request;

static void
require (bool holds, const char *promise)
{
  if (holds)
    return;
  fprintf (stderr, "broken promise: %s\n", promise);
  abort ();
}

static void
read_options (const uint8_t *options, Request *request)
{
  *request = (Request){
      .options.accept_truncated = options[0] & TL_FUZZ_ACCEPT_TRUNCATED,
      .options.max_pixels = options[0] & TL_FUZZ_SMALL_LIMIT ? 256 : 128 * 128,
      .options.auto_orient = options[0] & TL_FUZZ_AUTO_ORIENT,
      .filter =
          options[0] & TL_FUZZ_BICUBIC ? TL_FILTER_BICUBIC : TL_FILTER_BILINEAR,
      .may_shrink = options[0] & TL_FUZZ_MAY_SHRINK,
      .width = 1 + options[2] % 64,
      .height = 1 + options[3] % 64,
  };
}

/* The region from (@x, @y), in 256ths of the picture, to its far corner. */
static TlBox
choose_region (const TlImageInfo *info, uint8_t x, uint8_t y)
{
  uint32_t left = info->width * x / 256, top = info->height * y / 256;

  return (TlBox){left, top, info->width - left, info->height - top};
}

static TlStatus
plan_crop (const uint8_t *options, const TlImageInfo *info, Request *request,
    TlError *error)
{
  const TlCropRange range = {0.08, 1.0, 3.0 / 4, 4.0 / 3};
  TlBox region = choose_region (info, options[5], options[6]);
  uint32_t width = request->width, height = request->height;
  unsigned kind = options[1] % 4;

  if (kind <= TL_CROP_PAD)
    return tl_crop_plan_fixed ((TlCropKind) kind, &region, 1u + options[4],
        width, height, &request->plan, error);
  tl_crop_plan_random (&region, &range, width, height, options[4], 0,
      options[7], &request->plan);
  return TL_OK;
}

static TlStatus
render (TlImageDecoder *decoder, const uint8_t *data, size_t size,
    const Request *request, uint8_t *out, TlError *error)
{
  return tl_image_render (decoder, data, size, &request->options,
      &request->plan, request->filter, request->may_shrink, request->width,
      request->height, out, (size_t) request->width * 3, error);
}

/* All pixels of the picture, as it is. */
static uint8_t *
render_whole (TlImageDecoder *decoder, const uint8_t *data, size_t size,
    const Request *request, const TlImageInfo *info)
{
  const TlBox all = {0, 0, info->width, info->height};
  Request whole = *request;
  uint8_t *pixels = malloc ((size_t) info->width * info->height * 3);
  TlError error = TL_ERROR_INIT;

  require (pixels != NULL, "there is memory");
  whole.width = info->width;
  whole.height = info->height;
  tl_crop_plan_stretch (&all, whole.width, whole.height, &whole.plan);
  require (render (decoder, data, size, &whole, pixels, &error) == TL_OK,
      "a picture that was decoded in part can be decoded as a whole");
  return pixels;
}

/* @expected is what the whole picture gives with the same plan. */
static void
check_whole (TlImageDecoder *decoder, const uint8_t *data, size_t size,
    const Request *request, const TlImageInfo *info, const uint8_t *expected)
{
  uint8_t *whole = render_whole (decoder, data, size, request, info);
  size_t n = (size_t) request->width * request->height * 3;
  const TlPixels pixels = {
      .data = whole,
      .stride = (size_t) info->width * 3,
      .width = info->width,
      .height = info->height,
  };
  TlError error = TL_ERROR_INIT;
  uint8_t *out = malloc (n);

  require (out != NULL, "there is memory");
  require (tl_image_render_pixels (decoder, &pixels, &request->plan,
               request->filter, request->width, request->height, out,
               (size_t) request->width * 3, &error)
          == TL_OK,
      "decoded pixels can be resized");
  require (!memcmp (out, expected, n), "a part is as in the whole picture");
  free (out);
  free (whole);
}

static TlStatus
run (TlImageDecoder *decoder, const uint8_t *options, const uint8_t *data,
    size_t size, TlError *error)
{
  TlImageInfo info = {0};
  Request request;
  TlStatus status;
  uint8_t *out;

  read_options (options, &request);
  status = tl_image_probe (data, size, &request.options, &info, error);
  if (status != TL_OK)
    return status;
  require (info.width > 0 && info.height > 0
          && (uint64_t) info.width * info.height <= request.options.max_pixels,
      "a picture is not larger than the limit");
  status = plan_crop (options, &info, &request, error);
  if (status != TL_OK)
    return status;
  out = malloc ((size_t) request.width * request.height * 3);
  require (out != NULL, "there is memory");
  status = render (decoder, data, size, &request, out, error);
  if (status == TL_OK && !request.may_shrink)
    check_whole (decoder, data, size, &request, &info, out);
  free (out);
  return status;
}

void
tl_fuzz_render (const uint8_t *data, size_t size)
{
  TlError error = TL_ERROR_INIT;
  TlImageDecoder *decoder;
  uint8_t *file;

  if (size < TL_FUZZ_OPTIONS)
    return;
  /* A block of its own, so that reading past its end is seen. */
  size -= TL_FUZZ_OPTIONS;
  file = malloc (size ? size : 1);
  decoder = tl_image_decoder_new ();
  require (file && decoder, "there is memory");
  memcpy (file, data + TL_FUZZ_OPTIONS, size);
  if (run (decoder, data, file, size, &error) != TL_OK)
    require (error.message[0] != '\0', "an error has a message");
  tl_image_decoder_free (decoder);
  free (file);
}
