/* SPDX-License-Identifier: BSD-3-Clause */

/* Pool of whole batches, one memory each, aligned for vector loads and for
 * copies to a device. The batcher makes one where the trainer offers none. A
 * batch in fresh memory costs ten times the copy into a pooled one. */

#ifndef TL_BATCH_POOL_H
#define TL_BATCH_POOL_H

#include <tlcaps.h>

G_BEGIN_DECLS

/* Of the first byte of a batch. */
#define TL_BATCH_ALIGNMENT 64

/* Of a batch: what GstBufferPool and the ALLOCATION query can say. */
#define TL_BATCH_MAX_BYTES ((gsize) G_MAXUINT)

#define TL_TYPE_BATCH_POOL (tl_batch_pool_get_type ())
G_DECLARE_FINAL_TYPE (TlBatchPool, tl_batch_pool, TL, BATCH_POOL, GstBufferPool)

/* An inactive pool, configured for buffers of tl_batch_info_size() bytes (at
 * most TL_BATCH_MAX_BYTES), none allocated yet, without a limit on their number; *transferred*. Where memory
 * is out, acquiring fails with GST_FLOW_ERROR and nothing aborts. */
GstBufferPool *tl_batch_pool_new (const TlBatchInfo *info);

/* The pool that the peer of @srcpad offers for @caps, which are those of
 * @info, else a new one; configured and inactive; *transferred*. An offered
 * pool that cannot give such buffers is passed over. */
GstBufferPool *tl_batch_pool_negotiate (GstPad *srcpad, GstCaps *caps,
    const TlBatchInfo *info);

G_END_DECLS

#endif
