/* SPDX-License-Identifier: BSD-3-Clause */

/* What one sample is: rides on every buffer from datasetsrc to the batcher.
 * Has no tags, so stock elements keep it. */

#ifndef TL_SAMPLE_META_H
#define TL_SAMPLE_META_H

#include "tlcaps.h"

G_BEGIN_DECLS

#define TL_LABEL_NONE (-1)

typedef struct
{
  GstMeta meta;

  gint32 label;     /* class, or TL_LABEL_NONE */
  guint32 group;    /* samples of one group are never in two splits */
  GRefString *path; /* where the bytes came from, or NULL */
  guint64 index;    /* of the sample in the data set */
  guint64 seed;     /* of the run; with view and index it keys every draw */
  guint32 epoch;    /* from 0 */
  guint32 view;     /* which augmented version; the epoch without a cache */
  guint64 position; /* in the phase, from 0 */
  guint64 n;        /* samples in the phase */
  TlSplit split;
  guint32 source_width; /* pixels as stored, 0 until decoded */
  guint32 source_height;
} TlSampleMeta;

TL_API GType tl_sample_meta_api_get_type (void);
TL_API const GstMetaInfo *tl_sample_meta_get_info (void);

/* The new meta has no label and no path; fill the rest. Borrowed from
 * @buffer, which must be writable. */
TL_API TlSampleMeta *tl_buffer_add_sample_meta (GstBuffer *buffer);

/* Borrowed from @buffer; NULL if there is none. */
TL_API TlSampleMeta *tl_buffer_get_sample_meta (GstBuffer *buffer);

G_END_DECLS

#endif
