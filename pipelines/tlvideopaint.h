/* SPDX-License-Identifier: BSD-3-Clause */

/* A picture as a frame of video, as exactly as the format can have it. */

#ifndef TL_VIDEO_PAINT_H
#define TL_VIDEO_PAINT_H

#include <gst/video/video.h>

G_BEGIN_DECLS

/* @rgb: packed, of @info's size. @info: RGB, or YUV of 8 bits with its chroma at
 * the left of two columns (GST_VIDEO_CHROMA_SITE_MPEG2), which is the mean of
 * what it stands for: weights 1, 2, 1 of a row, 1, 1 of two rows.
 * *transferred*; NULL if there is not enough memory. */
GstBuffer *tl_video_paint (const GstVideoInfo *info, const guint8 *rgb);

G_END_DECLS

#endif
