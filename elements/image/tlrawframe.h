/* SPDX-License-Identifier: BSD-3-Clause */

/* A raw video frame as pixels to crop and resize: RGB as it lies in memory,
 * whatever its stride; grey, or rows from the bottom up, by way of a copy of
 * what the crop needs. */

#ifndef TL_RAW_FRAME_H
#define TL_RAW_FRAME_H

#include <gst/video/video.h>

#include "tlimage.h"

G_BEGIN_DECLS

/* Memory reused from frame to frame; all zero to begin with. One thread. */
typedef struct
{
  guint8 *data;
  gsize size;
} TlRawScratch;

void tl_raw_scratch_clear (TlRawScratch *scratch);

typedef struct
{
  GstMapInfo map;
  GstBuffer *buffer;   /* borrowed */
  const guint8 *first; /* the topmost row */
  gssize stride;       /* to the row below, bytes; negative: bottom up */
  gboolean is_grey;
  guint32 width, height; /* pixels */
} TlRawFrame;

/* Maps @buffer, a frame of @info (RGB or GRAY8), for reading; a GstVideoMeta is
 * followed. TL_ERROR_FORMAT if that contradicts @info or the rows do not lie
 * inside the memory, TL_ERROR_READ if it cannot be mapped. */
TlStatus tl_raw_frame_map (TlRawFrame *self, GstBuffer *buffer,
    const GstVideoInfo *info, TlError *error);
void tl_raw_frame_unmap (TlRawFrame *self);

/* Carries out @plan: tl_image_render_pixels(). */
TlStatus tl_raw_frame_render (const TlRawFrame *self, TlImageDecoder *decoder,
    TlRawScratch *scratch, const TlCropPlan *plan, TlFilter filter,
    guint32 width, guint32 height, guint8 *destination, gsize stride,
    TlError *error);

G_END_DECLS

#endif
