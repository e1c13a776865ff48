/* SPDX-License-Identifier: BSD-3-Clause */

/* What one batch holds: rides on every buffer from the batcher to the
 * trainer. */

#ifndef TL_BATCH_META_H
#define TL_BATCH_META_H

#include "tlcaps.h"

G_BEGIN_DECLS

typedef struct
{
  guint64 index;    /* of the sample in the data set */
  guint64 position; /* in the phase, from 0 */
  guint32 group;
  gint32 label;     /* class, or TL_LABEL_NONE */
  GRefString *path; /* or NULL */
} TlBatchSample;

typedef struct
{
  GstMeta meta;

  TlSplit split;
  guint32 epoch;
  guint32 view;
  guint64 step;           /* number of the batch in its phase, from 0 */
  guint64 n;              /* samples in the phase, skipped ones too */
  guint32 size;           /* slots */
  guint32 n_valid;        /* slots [0, n_valid) are filled */
  TlBatchSample *samples; /* n_valid, owned by the meta */
} TlBatchMeta;

TL_API GType tl_batch_meta_api_get_type (void);
TL_API const GstMetaInfo *tl_batch_meta_get_info (void);

/* Adds a meta for @size slots, none filled. Borrowed from @buffer. */
TL_API TlBatchMeta *tl_buffer_add_batch_meta (GstBuffer *buffer, guint32 size);

/* Borrowed from @buffer; NULL if there is none. */
TL_API TlBatchMeta *tl_buffer_get_batch_meta (GstBuffer *buffer);

/* Fills the next slot, taking its own reference of sample->path. There must be
 * a free one. */
TL_API void tl_batch_meta_append (TlBatchMeta *meta,
    const TlBatchSample *sample);

G_END_DECLS

#endif
