/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlworkpool.h"

#include <pthread.h>
#include <stdlib.h>

typedef enum
{
  SLOT_WAITING,
  SLOT_RUNNING,
  SLOT_DONE
} SlotState;

typedef struct
{
  void *item;
  SlotState state;
} Slot;

typedef struct
{
  TlWorkPool *pool;
  void *context;
  pthread_t thread;
} Worker;

/* The slots are a ring. Counters only grow; a slot is counter % capacity.
 * taken <= started <= submitted, and [taken, started) are running or done. */
struct TlWorkPool
{
  TlWorkPoolFuncs funcs;
  void *user_data;
  size_t capacity;
  Worker *workers;
  unsigned n_workers;

  pthread_mutex_t lock; /* protects everything below */
  pthread_cond_t room;  /* an item was taken, or a flush began */
  pthread_cond_t work;  /* an item waits for a worker, or the end came */
  pthread_cond_t done;  /* an item was finished, or a flush began */
  Slot *slots;
  size_t taken;
  size_t started;
  size_t submitted;
  unsigned n_running;
  bool flushing;
  bool stopping;
};

static Slot *
slot_at (TlWorkPool *pool, size_t counter)
{
  return &pool->slots[counter % pool->capacity];
}

/* Items that need no work are already done; step over them. */
static bool
find_waiting (TlWorkPool *pool)
{
  while (pool->started < pool->submitted
      && slot_at (pool, pool->started)->state == SLOT_DONE)
    pool->started++;
  return pool->started < pool->submitted;
}

static void
run_one (Worker *worker)
{
  TlWorkPool *pool = worker->pool;
  Slot *slot = slot_at (pool, pool->started++);

  slot->state = SLOT_RUNNING;
  pool->n_running++;
  pthread_mutex_unlock (&pool->lock);
  pool->funcs.run (worker->context, slot->item, pool->user_data);
  pthread_mutex_lock (&pool->lock);
  slot->state = SLOT_DONE;
  pool->n_running--;
  pthread_cond_broadcast (&pool->done);
}

static void *
worker_main (void *data)
{
  Worker *worker = data;
  TlWorkPool *pool = worker->pool;

  pthread_mutex_lock (&pool->lock);
  while (!pool->stopping) {
    if (!pool->flushing && find_waiting (pool))
      run_one (worker);
    else
      pthread_cond_wait (&pool->work, &pool->lock);
  }
  pthread_mutex_unlock (&pool->lock);
  return NULL;
}

static bool
start_worker (TlWorkPool *pool, Worker *worker)
{
  worker->pool = pool;
  if (pool->funcs.context_new) {
    worker->context = pool->funcs.context_new (pool->user_data);
    if (!worker->context)
      return false;
  }
  if (pthread_create (&worker->thread, NULL, worker_main, worker) != 0) {
    if (pool->funcs.context_free)
      pool->funcs.context_free (worker->context);
    return false;
  }
  return true;
}

TlWorkPool *
tl_work_pool_new (unsigned n_workers, size_t capacity,
    const TlWorkPoolFuncs *funcs, void *user_data)
{
  TlWorkPool *pool = calloc (1, sizeof *pool);

  if (!pool)
    return NULL;
  pool->funcs = *funcs;
  pool->user_data = user_data;
  pool->capacity = capacity;
  pool->slots = calloc (capacity, sizeof *pool->slots);
  pool->workers = calloc (n_workers, sizeof *pool->workers);
  pthread_mutex_init (&pool->lock, NULL);
  pthread_cond_init (&pool->room, NULL);
  pthread_cond_init (&pool->work, NULL);
  pthread_cond_init (&pool->done, NULL);
  while (pool->slots && pool->workers && pool->n_workers < n_workers
      && start_worker (pool, &pool->workers[pool->n_workers]))
    pool->n_workers++;
  if (pool->n_workers < n_workers) {
    tl_work_pool_free (pool);
    return NULL;
  }
  return pool;
}

static void
stop_workers (TlWorkPool *pool)
{
  pthread_mutex_lock (&pool->lock);
  pool->stopping = true;
  pthread_cond_broadcast (&pool->work);
  pthread_mutex_unlock (&pool->lock);
  for (unsigned i = 0; i < pool->n_workers; i++) {
    pthread_join (pool->workers[i].thread, NULL);
    if (pool->funcs.context_free)
      pool->funcs.context_free (pool->workers[i].context);
  }
}

/* Under lock, with nothing running. */
static size_t
drop_items (TlWorkPool *pool)
{
  size_t n = pool->submitted - pool->taken;

  for (; pool->taken < pool->submitted; pool->taken++) {
    if (pool->funcs.item_free)
      pool->funcs.item_free (slot_at (pool, pool->taken)->item);
  }
  pool->started = pool->submitted;
  return n;
}

void
tl_work_pool_free (TlWorkPool *pool)
{
  if (!pool)
    return;
  stop_workers (pool);
  drop_items (pool);
  pthread_cond_destroy (&pool->done);
  pthread_cond_destroy (&pool->work);
  pthread_cond_destroy (&pool->room);
  pthread_mutex_destroy (&pool->lock);
  free (pool->workers);
  free (pool->slots);
  free (pool);
}

bool
tl_work_pool_submit (TlWorkPool *pool, void *item, bool work)
{
  bool accepted;

  pthread_mutex_lock (&pool->lock);
  while (!pool->flushing && pool->submitted - pool->taken == pool->capacity)
    pthread_cond_wait (&pool->room, &pool->lock);
  accepted = !pool->flushing;
  if (accepted) {
    Slot *slot = slot_at (pool, pool->submitted++);

    slot->item = item;
    slot->state = work ? SLOT_WAITING : SLOT_DONE;
    if (work)
      pthread_cond_signal (&pool->work);
    else
      pthread_cond_broadcast (&pool->done);
  }
  pthread_mutex_unlock (&pool->lock);
  return accepted;
}

static bool
head_is_done (TlWorkPool *pool)
{
  return pool->taken < pool->submitted
      && slot_at (pool, pool->taken)->state == SLOT_DONE;
}

void *
tl_work_pool_take (TlWorkPool *pool)
{
  void *item = NULL;

  pthread_mutex_lock (&pool->lock);
  while (!pool->flushing && !head_is_done (pool))
    pthread_cond_wait (&pool->done, &pool->lock);
  if (!pool->flushing) {
    /* A head that needed no work may not have been stepped over yet. */
    if (pool->started == pool->taken)
      pool->started++;
    item = slot_at (pool, pool->taken++)->item;
    pthread_cond_signal (&pool->room);
  }
  pthread_mutex_unlock (&pool->lock);
  return item;
}

void
tl_work_pool_flush_start (TlWorkPool *pool)
{
  pthread_mutex_lock (&pool->lock);
  pool->flushing = true;
  pthread_cond_broadcast (&pool->room);
  pthread_cond_broadcast (&pool->done);
  pthread_mutex_unlock (&pool->lock);
}

size_t
tl_work_pool_flush_stop (TlWorkPool *pool)
{
  size_t n;

  pthread_mutex_lock (&pool->lock);
  while (pool->n_running > 0)
    pthread_cond_wait (&pool->done, &pool->lock);
  n = drop_items (pool);
  pool->flushing = false;
  pthread_mutex_unlock (&pool->lock);
  return n;
}

size_t
tl_work_pool_length (TlWorkPool *pool)
{
  size_t n;

  pthread_mutex_lock (&pool->lock);
  n = pool->submitted - pool->taken;
  pthread_mutex_unlock (&pool->lock);
  return n;
}
