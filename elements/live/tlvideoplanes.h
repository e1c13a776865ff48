/* SPDX-License-Identifier: BSD-3-Clause */

/* A frame of any raw format, once it is certain that the rows of every plane lie
 * inside its buffer: gst_video_frame_map() believes what a GstVideoMeta says. */

#ifndef TL_VIDEO_PLANES_H
#define TL_VIDEO_PLANES_H

#include <gst/video/video.h>

#include <tlstatus.h>

G_BEGIN_DECLS

/* Maps @buffer, a frame of @info; gst_video_frame_unmap() it. TL_ERROR_FORMAT if
 * a GstVideoMeta is of another format or size, or if rows lie outside the memory
 * or overlap; TL_ERROR_READ if it cannot be mapped. */
TlStatus tl_video_planes_map (GstVideoFrame *frame, GstBuffer *buffer,
    const GstVideoInfo *info, GstMapFlags flags, TlError *error);

G_END_DECLS

#endif
