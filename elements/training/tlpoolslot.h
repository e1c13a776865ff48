/* SPDX-License-Identifier: BSD-3-Clause */

/* The pool that a streaming thread takes buffers from, and may wait in, while
 * other threads flush it. */

#ifndef TL_POOL_SLOT_H
#define TL_POOL_SLOT_H

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct
{
  GMutex lock;
  GstBufferPool *pool; /* active, or NULL */
  gboolean is_flushing;
} TlPoolSlot;

void tl_pool_slot_init (TlPoolSlot *self);
void tl_pool_slot_clear (TlPoolSlot *self);

/* Puts an active pool, *transferred*, or NULL in place of the one before, which
 * is stopped. It flushes if the slot does. */
void tl_pool_slot_replace (TlPoolSlot *self, GstBufferPool *pool);

/* Lets go of who waits for a buffer, in this pool and those to come, or undoes
 * that. Any thread. */
void tl_pool_slot_set_flushing (TlPoolSlot *self, gboolean is_flushing);

/* Streaming thread; there must be a pool. */
GstFlowReturn tl_pool_slot_acquire (TlPoolSlot *self, GstBuffer **ret);

G_END_DECLS

#endif
