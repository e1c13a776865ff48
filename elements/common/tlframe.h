/* SPDX-License-Identifier: BSD-3-Clause */

/* A frame of packed pixels in memory, once it is certain that its rows lie
 * inside its buffer. gst_video_frame_map() believes what a GstVideoMeta says of
 * strides and offsets; whoever attached it may be wrong. */

#ifndef TL_FRAME_H
#define TL_FRAME_H

#include <gst/video/video.h>

#include <tlstatus.h>

G_BEGIN_DECLS

typedef struct
{
  GstBuffer *buffer; /* borrowed */
  GstMapInfo map;
  guint8 *first;         /* the topmost row */
  gssize stride;         /* to the row below, bytes; negative: bottom up */
  guint32 width, height; /* pixels */
} TlFrame;

/* Maps @buffer, a frame of @info, which has one plane (RGB, GRAY8...). A
 * GstVideoMeta is followed. TL_ERROR_FORMAT if that is of another format or
 * size, if the rows do not lie inside the memory, or if they overlap;
 * TL_ERROR_READ if it cannot be mapped. */
TlStatus tl_frame_map (TlFrame *self, GstBuffer *buffer,
    const GstVideoInfo *info, GstMapFlags flags, TlError *error);
void tl_frame_unmap (TlFrame *self);

G_END_DECLS

#endif
