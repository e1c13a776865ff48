/* SPDX-License-Identifier: BSD-3-Clause */

/* From a frame of video to the model's input, as the checkpoint's preprocessing
 * says: region, crop, antialiased resize. RGB takes the way of the validation
 * pictures while training, to the bit; every other format is RGB first
 * (tlvideorgb.h), of the part that is needed. */

#ifndef TL_LIVE_PICTURE_H
#define TL_LIVE_PICTURE_H

#include <gst/video/video.h>

#include <tlpreprocess.h>
#include <tlstatus.h>

G_BEGIN_DECLS

/* What of an interlaced frame the model sees. */
typedef enum
{
  TL_FIELD_AUTO,   /* the first in time of interlaced frames, else all rows */
  TL_FIELD_TOP,    /* rows 0, 2, 4... */
  TL_FIELD_BOTTOM, /* rows 1, 3, 5... */
  TL_FIELD_BOTH    /* all rows */
} TlField;

typedef struct TlLivePicture TlLivePicture;

/* For frames of @info (progressive, interleaved, mixed or alternate), both
 * *copied*; *transferred* to @ret. With @prepared the frames have been cropped
 * and resized before. TL_ERROR_ARGUMENT if the region reaches outside the frame
 * or a prepared frame is of another size than the model's input; TL_ERROR_LIMIT
 * if a long and thin one would become too long; TL_ERROR_UNSUPPORTED for a
 * format that GStreamer cannot unpack, and for a crop or an interpolation that
 * is not known. */
TlStatus tl_live_picture_new (const GstVideoInfo *info,
    const TlPreprocess *preprocess, gboolean prepared, TlField field,
    TlLivePicture **ret, TlError *error);
void tl_live_picture_free (TlLivePicture *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TlLivePicture, tl_live_picture_free)

/* Writes the model's input, packed RGB of preprocess.width x height, to @rgb.
 * @buffer is *borrowed* and read while this runs. TL_ERROR_FORMAT if its rows do
 * not lie inside its memory, TL_ERROR_READ if that cannot be mapped,
 * TL_ERROR_UNSUPPORTED for interlaced tiles, TL_ERROR_MEMORY. One thread at a
 * time, any thread. */
TlStatus tl_live_picture_render (TlLivePicture *self, GstBuffer *buffer,
    guint8 *rgb, TlError *error);

G_END_DECLS

#endif
