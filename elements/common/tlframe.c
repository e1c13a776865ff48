/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlframe.h"

#include <tlfail.h>

static gboolean
agrees (const GstVideoMeta *meta, const GstVideoInfo *info)
{
  return meta->format == GST_VIDEO_INFO_FORMAT (info)
      && meta->width == (guint) GST_VIDEO_INFO_WIDTH (info)
      && meta->height == (guint) GST_VIDEO_INFO_HEIGHT (info);
}

/* Every row lies inside the @size bytes that are mapped, and no two overlap. */
static gboolean
rows_fit (gsize offset, gint64 stride, gsize row, guint32 n_rows, gsize size)
{
  gint64 last;

  if (row > size || offset > size - row)
    return FALSE;
  if (n_rows == 1)
    return TRUE;
  last = (gint64) offset + stride * ((gint64) n_rows - 1);
  return (gsize) ABS (stride) >= row && last >= 0 && (gsize) last <= size - row;
}

TlStatus
tl_frame_map (TlFrame *self, GstBuffer *buffer, const GstVideoInfo *info,
    GstMapFlags flags, TlError *error)
{
  const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  gsize offset = meta ? meta->offset[0] : GST_VIDEO_INFO_PLANE_OFFSET (info, 0);
  gsize row = (gsize) GST_VIDEO_INFO_WIDTH (info)
      * (gsize) GST_VIDEO_INFO_COMP_PSTRIDE (info, 0);

  *self = (TlFrame){
      .buffer = buffer,
      .stride = meta ? meta->stride[0] : GST_VIDEO_INFO_PLANE_STRIDE (info, 0),
      .width = (guint32) GST_VIDEO_INFO_WIDTH (info),
      .height = (guint32) GST_VIDEO_INFO_HEIGHT (info),
  };
  if (meta && !agrees (meta, info))
    return tl_fail (error, TL_ERROR_FORMAT,
        "A frame is %ux%u %s, not %ux%u %s, as its caps say.", meta->width,
        meta->height, gst_video_format_to_string (meta->format), self->width,
        self->height, GST_VIDEO_INFO_NAME (info));
  if (!gst_buffer_map (buffer, &self->map, flags))
    return tl_fail (error, TL_ERROR_READ, "The frame cannot be read.");
  if (!rows_fit (offset, self->stride, row, self->height, self->map.size)) {
    gsize size = self->map.size;

    gst_buffer_unmap (buffer, &self->map);
    return tl_fail (error, TL_ERROR_FORMAT,
        "A frame of %ux%u %s with rows of %" G_GSSIZE_FORMAT
        " bytes has %" G_GSIZE_FORMAT " bytes only.",
        self->width, self->height, GST_VIDEO_INFO_NAME (info), self->stride,
        size);
  }
  self->first = self->map.data + offset;
  return TL_OK;
}

void
tl_frame_unmap (TlFrame *self)
{
  gst_buffer_unmap (self->buffer, &self->map);
}
