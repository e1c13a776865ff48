/* SPDX-License-Identifier: BSD-3-Clause */

/* The inside of an ordered element: buffers and events in the order they came,
 * the pool that works on them, the flow of what goes out, and who may post its
 * error. The element has the pads, the src task and the states. */

#ifndef TL_ORDERED_QUEUE_H
#define TL_ORDERED_QUEUE_H

#include "tlorderedelement.h"
#include "tlworkpool.h"

typedef struct
{
  TlOrderedElement *element; /* borrowed */

  /* Sticky events that a flush caught on their way: what they say still holds,
   * so they are pushed when it ends. Object lock. */
  GQueue kept;

  /* From READY to PAUSED until back in READY. The pointer changes under the
   * sink pad's stream lock and pool_lock; who has neither is the src task, which
   * does not run then. */
  TlWorkPool *pool;
  GMutex pool_lock;

  gint flow;         /* atomic: written by the src task, read by chain */
  GMutex error_lock; /* from begin_error to fail; the innermost */
} TlOrderedQueue;

/* On zeroed memory. No pool is left at the end. */
void tl_ordered_queue_init (TlOrderedQueue *self, TlOrderedElement *element);
void tl_ordered_queue_clear (TlOrderedQueue *self);

/* A pool that calls the class's functions; NULL if its threads cannot be started.
 * *Transferred*. */
TlWorkPool *tl_ordered_queue_make_pool (TlOrderedQueue *self, guint n_threads);

/* With the sink pad's stream lock: takes @pool, or NULL for none, and gives the
 * one that was there. */
TlWorkPool *tl_ordered_queue_swap_pool (TlOrderedQueue *self, TlWorkPool *pool);

/* Streaming thread. Take what they are given. The buffer's flow is that of what
 * went out before it; FALSE for an event while flushing. @info: of @buffer. */
GstFlowReturn tl_ordered_queue_add_buffer (TlOrderedQueue *self,
    GstBuffer *buffer, const GstVideoInfo *info);
gboolean tl_ordered_queue_add_event (TlOrderedQueue *self, GstEvent *event);

/* Src task: waits for the oldest and hands it to finish() or event(). FALSE
 * while flushing. */
gboolean tl_ordered_queue_handle_next (TlOrderedQueue *self);

/* Any thread. Both streaming threads leave the pool; what is inside is kept
 * until the flush ends or the pool is freed. */
void tl_ordered_queue_stop_waiting (TlOrderedQueue *self);

/* After that, with no thread in the pool: drops what is inside, but for the
 * sticky events, and lets data flow. */
void tl_ordered_queue_reopen (TlOrderedQueue *self);
void tl_ordered_queue_forget_events (TlOrderedQueue *self);

/* See the element's functions of these names. */
gboolean tl_ordered_queue_begin_error (TlOrderedQueue *self);
void tl_ordered_queue_fail (TlOrderedQueue *self);
gboolean tl_ordered_queue_has_failed (TlOrderedQueue *self);

#endif
