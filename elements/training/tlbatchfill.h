/* SPDX-License-Identifier: BSD-3-Clause */

/* One batch while it is filled: a mapped buffer and its meta. */

#ifndef TL_BATCH_FILL_H
#define TL_BATCH_FILL_H

#include <tlbatchmeta.h>
#include <tlsamplemeta.h>

#include <gst/video/video.h>

G_BEGIN_DECLS

/* Empty where @buffer is NULL; the rest is then not valid. */
typedef struct
{
  GstBuffer *buffer;
  GstMapInfo map;
  TlBatchMeta *meta;
} TlBatchFill;

/* Begins with @buffer, which it takes over, for @size samples of the phase of
 * @sample. FALSE if it cannot be mapped. */
gboolean tl_batch_fill_begin (TlBatchFill *self, GstBuffer *buffer,
    guint32 size, const TlSampleMeta *sample);

/* Whether it holds samples of that phase. */
gboolean tl_batch_fill_has_phase (const TlBatchFill *self, guint32 epoch,
    TlSplit split);

/* Copies an RGB picture, described by @video and @sample, into the next slot,
 * rows without their padding. FALSE if it is not what @video says. */
gboolean tl_batch_fill_add (TlBatchFill *self, const GstVideoInfo *video,
    GstBuffer *picture, const TlSampleMeta *sample);

/* Filled slots; 0 if empty. */
guint32 tl_batch_fill_count (const TlBatchFill *self);

gboolean tl_batch_fill_is_full (const TlBatchFill *self);

/* The buffer, *transferred*, with zeroes where nothing was filled, so that its
 * bytes repeat. */
GstBuffer *tl_batch_fill_finish (TlBatchFill *self, guint64 step);

/* Drops what there is. */
void tl_batch_fill_clear (TlBatchFill *self);

G_END_DECLS

#endif
