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
contradicts (const GstVideoMeta *meta, const GstVideoInfo *info)
{
  return meta->format != GST_VIDEO_INFO_FORMAT (info)
      || meta->width < (guint) GST_VIDEO_INFO_WIDTH (info)
      || meta->height < (guint) GST_VIDEO_INFO_HEIGHT (info);
}

/* Every row lies inside the @size bytes that are mapped, and no two overlap. */
static gboolean
rows_fit (gsize offset, gint64 stride, gsize row, guint32 n_rows, gsize size)
{
  gint64 last = (gint64) offset + stride * ((gint64) n_rows - 1);

  return row <= size && offset <= size - row && last >= 0
      && (gsize) last <= size - row
      && (n_rows == 1 || (gsize) ABS (stride) >= row);
}

TlStatus
tl_raw_frame_map (TlRawFrame *self, GstBuffer *buffer, const GstVideoInfo *info,
    TlError *error)
{
  const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  gsize offset = GST_VIDEO_INFO_PLANE_OFFSET (info, 0);

  *self = (TlRawFrame){
      .buffer = buffer,
      .stride = meta ? meta->stride[0] : GST_VIDEO_INFO_PLANE_STRIDE (info, 0),
      .is_grey = GST_VIDEO_INFO_FORMAT (info) == GST_VIDEO_FORMAT_GRAY8,
      .width = (guint32) GST_VIDEO_INFO_WIDTH (info),
      .height = (guint32) GST_VIDEO_INFO_HEIGHT (info),
  };
  if (meta)
    offset = meta->offset[0];
  if (meta && contradicts (meta, info))
    return tl_fail (error, TL_ERROR_FORMAT,
        "A frame is not %ux%u %s, as its caps say.", self->width, self->height,
        GST_VIDEO_INFO_NAME (info));
  if (!gst_buffer_map (buffer, &self->map, GST_MAP_READ))
    return tl_fail (error, TL_ERROR_READ, "The frame cannot be read.");
  if (!rows_fit (offset, self->stride,
          (gsize) self->width * (self->is_grey ? 1 : CHANNELS), self->height,
          self->map.size)) {
    gst_buffer_unmap (buffer, &self->map);
    return tl_fail (error, TL_ERROR_FORMAT,
        "A frame of %ux%u %s with rows of %" G_GSSIZE_FORMAT
        " bytes has %" G_GSIZE_FORMAT " bytes only.",
        self->width, self->height, GST_VIDEO_INFO_NAME (info), self->stride,
        self->map.size);
  }
  self->first = self->map.data + offset;
  return TL_OK;
}

void
tl_raw_frame_unmap (TlRawFrame *self)
{
  gst_buffer_unmap (self->buffer, &self->map);
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
copy_box (const TlRawFrame *self, const TlBox *box, guint8 *rgb)
{
  gsize row = (gsize) box->width * CHANNELS;

  for (guint32 y = 0; y < box->height; y++, rgb += row) {
    const guint8 *from = self->first + self->stride * (gssize) (box->y + y);

    if (self->is_grey)
      repeat_grey (from + box->x, box->width, rgb);
    else
      memcpy (rgb, from + (gsize) box->x * CHANNELS, row);
  }
}

static TlStatus
render_copy (const TlRawFrame *self, TlImageDecoder *decoder,
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
  copy_box (self, &plan->source, scratch->data);
  pixels.data = scratch->data;
  copied.source.x = copied.source.y = 0;
  return tl_image_render_pixels (decoder, &pixels, &copied, filter, width,
      height, destination, stride, error);
}

TlStatus
tl_raw_frame_render (const TlRawFrame *self, TlImageDecoder *decoder,
    TlRawScratch *scratch, const TlCropPlan *plan, TlFilter filter,
    guint32 width, guint32 height, guint8 *destination, gsize stride,
    TlError *error)
{
  TlPixels pixels = {
      .data = self->first,
      .stride = (gsize) self->stride,
      .width = self->width,
      .height = self->height,
  };

  if (self->is_grey || self->stride < 0)
    return render_copy (self, decoder, scratch, plan, filter, width, height,
        destination, stride, error);
  return tl_image_render_pixels (decoder, &pixels, plan, filter, width, height,
      destination, stride, error);
}
