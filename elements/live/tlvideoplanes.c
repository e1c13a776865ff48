/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlvideoplanes.h"

#include <tlfail.h>

static gboolean
agrees (const GstVideoMeta *meta, const GstVideoInfo *info)
{
  return meta->format == GST_VIDEO_INFO_FORMAT (info)
      && meta->width == (guint) GST_VIDEO_INFO_WIDTH (info)
      && meta->height == (guint) GST_VIDEO_INFO_HEIGHT (info);
}

#define PALETTE_SIZE (256 * 4)

/* Bytes of a row of @plane, and how many rows it has. Formats that pack pixels
 * into words take what GStreamer gives them by default. */
static void
measure_plane (const GstVideoInfo *info, guint plane, gint64 *row,
    gint64 *n_rows)
{
  gint components[GST_VIDEO_MAX_COMPONENTS];

  *n_rows = 1;
  *row = PALETTE_SIZE;
  if (plane == 1 && GST_VIDEO_FORMAT_INFO_HAS_PALETTE (info->finfo))
    return;
  gst_video_format_info_component (info->finfo, plane, components);
  *row = 0;
  for (guint i = 0; i < GST_VIDEO_MAX_COMPONENTS && components[i] >= 0; i++) {
    gint c = components[i];

    *n_rows = MAX (*n_rows, GST_VIDEO_INFO_COMP_HEIGHT (info, c));
    *row = MAX (*row,
        (gint64) GST_VIDEO_INFO_COMP_PSTRIDE (info, c)
            * GST_VIDEO_INFO_COMP_WIDTH (info, c));
  }
  if (*row == 0 || GST_VIDEO_FORMAT_INFO_IS_COMPLEX (info->finfo))
    *row = GST_VIDEO_INFO_PLANE_STRIDE (info, plane);
}

/* The strides of tiles count tiles, and must be as in the caps. */
static gboolean
tiles_fit (const GstVideoFrame *frame, const GstVideoInfo *info, guint plane)
{
  const GstMapInfo *map = &frame->map[plane];
  gboolean is_last = plane + 1 == GST_VIDEO_INFO_N_PLANES (info);
  gsize end = is_last ? GST_VIDEO_INFO_SIZE (info)
                      : GST_VIDEO_INFO_PLANE_OFFSET (info, plane + 1);
  gsize size = end - GST_VIDEO_INFO_PLANE_OFFSET (info, plane);
  gsize begin = (gsize) ((guint8 *) frame->data[plane] - map->data);

  return GST_VIDEO_FRAME_PLANE_STRIDE (frame, plane)
      == GST_VIDEO_INFO_PLANE_STRIDE (info, plane)
      && begin <= map->size && size <= map->size - begin;
}

/* Every row of @plane lies inside what is mapped of it, and no two overlap. With
 * a GstVideoMeta each plane is mapped by itself. */
static gboolean
plane_fits (const GstVideoFrame *frame, const GstVideoInfo *info, guint plane)
{
  const GstMapInfo *map = &frame->map[plane];
  const guint8 *first = frame->data[plane];
  gint64 stride = GST_VIDEO_FRAME_PLANE_STRIDE (frame, plane);
  gint64 row, n_rows, begin, end;

  if (GST_VIDEO_FORMAT_INFO_IS_TILED (info->finfo))
    return tiles_fit (frame, info, plane);
  measure_plane (info, plane, &row, &n_rows);
  begin = first - map->data;
  end = begin + MAX (stride * (n_rows - 1), 0) + row;
  begin += MIN (stride * (n_rows - 1), 0);
  return begin >= 0 && end <= (gint64) map->size
      && (n_rows == 1 || ABS (stride) >= row);
}

TlStatus
tl_video_planes_map (GstVideoFrame *frame, GstBuffer *buffer,
    const GstVideoInfo *info, GstMapFlags flags, TlError *error)
{
  const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);

  if (meta && !agrees (meta, info))
    return tl_fail (error, TL_ERROR_FORMAT,
        "A frame is %ux%u %s, not %dx%d %s, as its caps say.", meta->width,
        meta->height, gst_video_format_to_string (meta->format),
        GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info),
        GST_VIDEO_INFO_NAME (info));
  if (!gst_video_frame_map (frame, info, buffer, flags))
    return tl_fail (error, TL_ERROR_READ,
        "A frame of %dx%d %s cannot be mapped: it has %" G_GSIZE_FORMAT
        " bytes.",
        GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info),
        GST_VIDEO_INFO_NAME (info), gst_buffer_get_size (buffer));
  for (guint p = 0; meta && p < GST_VIDEO_INFO_N_PLANES (info); p++) {
    if (plane_fits (frame, info, p))
      continue;
    gst_video_frame_unmap (frame);
    return tl_fail (error, TL_ERROR_FORMAT,
        "A frame of %dx%d %s has rows outside its memory.",
        GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info),
        GST_VIDEO_INFO_NAME (info));
  }
  return TL_OK;
}
