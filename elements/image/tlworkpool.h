/* SPDX-License-Identifier: BSD-3-Clause */

/* Ordered worker pool: items are worked on by several threads and come out in
 * the order in which they went in. pthreads only, so that it runs under TSan.
 *
 * One producer thread submits, one consumer thread takes, any thread may start
 * a flush. Items are the caller's; the pool never looks inside. */

#ifndef TL_WORK_POOL_H
#define TL_WORK_POOL_H

#include <stdbool.h>
#include <stddef.h>

typedef struct TlWorkPool TlWorkPool;

typedef struct
{
  /* A context per worker thread, made in tl_work_pool_new(): memory that is
   * reused from item to item. Both may be NULL. */
  void *(*context_new) (void *user_data);
  void (*context_free) (void *context);
  /* Works on @item in place, on a worker thread. */
  void (*run) (void *context, void *item, void *user_data);
  /* Frees an item that will never be taken: flushed, or left at the end. */
  void (*item_free) (void *item);
} TlWorkPoolFuncs;

/* Starts @n_workers threads (at least 1). At most @capacity items (at least 1)
 * are inside at any time. @user_data is borrowed for the life of the pool.
 * Returns NULL if a thread, a context or memory cannot be had. */
TlWorkPool *tl_work_pool_new (unsigned n_workers, size_t capacity,
    const TlWorkPoolFuncs *funcs, void *user_data);

/* Stops: waits for items being worked on, frees the rest. NULL is allowed. No
 * other thread may be inside a call on @pool any more. */
void tl_work_pool_free (TlWorkPool *pool);

/* Queues @item (transferred on true), waiting while the pool is full. With
 * @work false the item is not given to a worker and only keeps its place in
 * the order. Returns false while flushing: the item stays the caller's. */
bool tl_work_pool_submit (TlWorkPool *pool, void *item, bool work);

/* Waits for the oldest item to be finished and hands it over (transferred).
 * Returns NULL while flushing. */
void *tl_work_pool_take (TlWorkPool *pool);

/* Makes submit and take return at once, until tl_work_pool_flush_stop(). */
void tl_work_pool_flush_start (TlWorkPool *pool);

/* Waits for items being worked on, frees every item inside, and opens the pool
 * again. Returns the number of items freed. */
size_t tl_work_pool_flush_stop (TlWorkPool *pool);

/* Items inside now: waiting, being worked on, or finished and not taken. */
size_t tl_work_pool_length (TlWorkPool *pool);

#endif
