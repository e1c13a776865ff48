/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlrawframe.h"

#include <string.h>

#include <tlfail.h>

#define CHANNELS 3

void
tl_raw_scratch_clear (TlRawScratch *scratch)
{
  g_clear_pointer (&scratch->data, g_free);
  scratch->size = 0;
}

static gboolean
reserve (TlRawScratch *scratch, gsize size)
{
  if (size > scratch->size) {
    tl_raw_scratch_clear (scratch);
    scratch->data = g_try_malloc (size);
    scratch->size = scratch->data ? size : 0;
  }
  return scratch->data != NULL;
}

static void
repeat_grey (const guint8 *grey, guint32 n, guint8 *rgb)
{
  for (guint32 i = 0; i < n; i++)
    rgb[3 * i] = rgb[3 * i + 1] = rgb[3 * i + 2] = grey[i];
}

/* @box of the frame as packed RGB, from the top down. */
static void
copy_box (const TlFrame *self, gboolean is_grey, const TlBox *box, guint8 *rgb)
{
  gsize row = (gsize) box->width * CHANNELS;

  for (guint32 y = 0; y < box->height; y++, rgb += row) {
    const guint8 *from = self->first + self->stride * (gssize) (box->y + y);

    if (is_grey)
      repeat_grey (from + box->x, box->width, rgb);
    else
      memcpy (rgb, from + (gsize) box->x * CHANNELS, row);
  }
}

static TlStatus
render_copy (const TlFrame *self, gboolean is_grey, TlImageDecoder *decoder,
    TlRawScratch *scratch, const TlCropPlan *plan, TlFilter filter,
    guint32 width, guint32 height, guint8 *destination, gsize stride,
    TlError *error)
{
  TlPixels pixels = {
      .stride = (gsize) plan->source.width * CHANNELS,
      .width = plan->source.width,
      .height = plan->source.height,
  };
  TlCropPlan copied = *plan;

  if (!reserve (scratch, pixels.stride * pixels.height))
    return tl_fail (error, TL_ERROR_MEMORY,
        "There is not enough memory for a frame of %ux%u pixels.", pixels.width,
        pixels.height);
  copy_box (self, is_grey, &plan->source, scratch->data);
  pixels.data = scratch->data;
  copied.source.x = copied.source.y = 0;
  return tl_image_render_pixels (decoder, &pixels, &copied, filter, width,
      height, destination, stride, error);
}

TlStatus
tl_raw_frame_render (const TlFrame *self, gboolean is_grey,
    TlImageDecoder *decoder, TlRawScratch *scratch, const TlCropPlan *plan,
    TlFilter filter, guint32 width, guint32 height, guint8 *destination,
    gsize stride, TlError *error)
{
  TlPixels pixels = {
      .data = self->first,
      .stride = (gsize) self->stride,
      .width = self->width,
      .height = self->height,
  };

  if (is_grey || self->stride < 0)
    return render_copy (self, is_grey, decoder, scratch, plan, filter, width,
        height, destination, stride, error);
  return tl_image_render_pixels (decoder, &pixels, plan, filter, width, height,
      destination, stride, error);
}
