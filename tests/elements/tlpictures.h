/* SPDX-License-Identifier: BSD-3-Clause */

/* Decoded samples for the batcher: small pictures with padded rows, whose pixels
 * say where they are from. */

#ifndef TL_PICTURES_H
#define TL_PICTURES_H

#include <gst/gst.h>

#include <tlcaps.h>

/* 3 bytes of padding per row. */
#define PICTURE_WIDTH 3
#define PICTURE_HEIGHT 2
#define PICTURE_ROW (PICTURE_WIDTH * 3)
#define PICTURE_STRIDE 12
#define PICTURE_CAPS "video/x-raw,format=RGB,width=3,height=2,framerate=30/1"

typedef struct
{
  guint32 epoch;
  TlSplit split;
  guint64 position;
  guint64 n;
} Sample;

/* With a TlSampleMeta; index is 100 + position. The padding must not arrive. */
GstBuffer *picture_new (const Sample *sample);

/* stream-start, caps, segment. */
void pictures_begin (GstPad *pad, const gchar *caps);

/* All pictures of @epochs, each with a tl-phase before it and a tl-phase-end
 * behind, @n_train and @n_valid pictures; without EOS. */
GstFlowReturn pictures_push (GstPad *pad, guint epochs, guint n_train,
    guint n_valid);

#endif
