/* SPDX-License-Identifier: BSD-3-Clause */

/* A raw video frame as pixels to crop and resize: RGB as it lies in memory,
 * whatever its stride; grey, or rows from the bottom up, by way of a copy of
 * what the crop needs. */

#ifndef TL_RAW_FRAME_H
#define TL_RAW_FRAME_H

#include "tlimage.h"

#include <tlframe.h>

G_BEGIN_DECLS

/* Memory reused from frame to frame; all zero to begin with. One thread. */
typedef struct
{
  guint8 *data;
  gsize size;
} TlRawScratch;

void tl_raw_scratch_clear (TlRawScratch *scratch);

/* @self: RGB, or GRAY8 if @is_grey. Carries out @plan: tl_image_render_pixels(). */
TlStatus tl_raw_frame_render (const TlFrame *self, gboolean is_grey,
    TlImageDecoder *decoder, TlRawScratch *scratch, const TlCropPlan *plan,
    TlFilter filter, guint32 width, guint32 height, guint8 *destination,
    gsize stride, TlError *error);

G_END_DECLS

#endif
