/* SPDX-License-Identifier: BSD-3-Clause */

/* Part of a frame of any raw format as packed RGB. GStreamer unpacks the rows;
 * chroma is interpolated where the format places it, and colour matrix and
 * range are carried out in floating point with one rounding.
 *
 * GstVideoConverter does the same in one call, but with 6-bit weights (flat
 * colours are up to 6 levels off), and with some formats it gives the left edge
 * of the picture whichever part is asked for: their unpack functions leave out
 * the column. Here every row is unpacked from column 0 on. */

#ifndef TL_VIDEO_RGB_H
#define TL_VIDEO_RGB_H

#include <gst/video/video.h>

#include <tlcrop.h>
#include <tlstatus.h>

G_BEGIN_DECLS

/* Rows that are there: a frame, or one field of it. */
typedef struct
{
  gpointer data[GST_VIDEO_MAX_PLANES];
  gint stride[GST_VIDEO_MAX_PLANES]; /* bytes to the row below, of its kind */
  guint height;                      /* of luma, rows */
  gfloat chroma_offset; /* rows from the first luma row to that of chroma, where
                           chroma has fewer rows */
} TlVideoRows;

typedef struct TlVideoRgb TlVideoRgb;

/* For frames of @info, *copied*. What its caps leave open is taken as
 * GstVideoInfo does: BT.601 up to 576 rows, BT.709 above; YUV of limited range,
 * RGB and grey of full range; chroma half way between rows, at the left of two
 * columns. NULL if there is not enough memory for a row, or if GStreamer cannot
 * unpack the format. */
TlVideoRgb *tl_video_rgb_new (const GstVideoInfo *info);
void tl_video_rgb_free (TlVideoRgb *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TlVideoRgb, tl_video_rgb_free)

/* Writes @box, which lies inside @rows, to @rgb in rows of 3 x @box->width
 * bytes. Alpha is left out, as where pictures are decoded; transfer function and
 * primaries are left alone. One thread at a time. */
void tl_video_rgb_read (TlVideoRgb *self, const TlVideoRows *rows,
    const TlBox *box, guint8 *rgb);

G_END_DECLS

#endif
