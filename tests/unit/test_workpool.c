/* SPDX-License-Identifier: BSD-3-Clause */

/* The worker pool without a test framework, so that it also runs under TSan. */

#include "tlworkpool.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N_ITEMS 2000

typedef struct
{
  unsigned number;
  bool work;
  unsigned worked; /* how often run() saw it */
} Item;

typedef struct
{
  unsigned calls;
} Context;

static int n_items_alive;
static int n_contexts_alive;

#define EXPECT(condition)                                                      \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf (stderr, "%s:%d: %s\n", __func__, __LINE__, #condition);         \
      exit (1);                                                                \
    }                                                                          \
  } while (0)

static Item *
item_new (unsigned number, bool work)
{
  Item *item = calloc (1, sizeof *item);

  item->number = number;
  item->work = work;
  __atomic_add_fetch (&n_items_alive, 1, __ATOMIC_RELAXED);
  return item;
}

static void
item_free (void *item)
{
  __atomic_sub_fetch (&n_items_alive, 1, __ATOMIC_RELAXED);
  free (item);
}

static void *
context_new (void *user_data)
{
  n_contexts_alive++;
  return calloc (1, sizeof (Context));
}

static void
context_free (void *context)
{
  n_contexts_alive--;
  free (context);
}

/* Early items take longer, so that later ones overtake them. */
static void
run (void *context, void *data, void *user_data)
{
  Item *item = data;

  ((Context *) context)->calls++;
  item->worked++;
  if (item->number % 7 == 0)
    usleep (200);
}

static const TlWorkPoolFuncs funcs = {context_new, context_free, run,
    item_free};

/* Submits until the pool flushes or all items are in. */
static void *
produce (void *data)
{
  TlWorkPool *pool = data;

  for (unsigned i = 0; i < N_ITEMS; i++) {
    Item *item = item_new (i, i % 5 != 3);

    if (!tl_work_pool_submit (pool, item, item->work)) {
      item_free (item);
      break;
    }
  }
  return NULL;
}

static void
test_order_is_kept (unsigned n_workers, size_t capacity)
{
  TlWorkPool *pool = tl_work_pool_new (n_workers, capacity, &funcs, NULL);
  pthread_t producer;

  EXPECT (pool);
  pthread_create (&producer, NULL, produce, pool);
  for (unsigned i = 0; i < N_ITEMS; i++) {
    Item *item = tl_work_pool_take (pool);

    EXPECT (item && item->number == i);
    EXPECT (item->worked == item->work);
    EXPECT (tl_work_pool_length (pool) <= capacity);
    item_free (item);
  }
  pthread_join (producer, NULL);
  EXPECT (tl_work_pool_length (pool) == 0);
  tl_work_pool_free (pool);
  EXPECT (n_items_alive == 0 && n_contexts_alive == 0);
}

/* Takes until the pool flushes. */
static void *
consume (void *data)
{
  Item *item;

  while ((item = tl_work_pool_take (data)))
    item_free (item);
  return NULL;
}

static void
test_flush_leaves_nothing_behind (void)
{
  TlWorkPool *pool = tl_work_pool_new (3, 8, &funcs, NULL);

  for (int round = 0; round < 40; round++) {
    pthread_t producer, consumer;

    pthread_create (&producer, NULL, produce, pool);
    pthread_create (&consumer, NULL, consume, pool);
    usleep ((useconds_t) (round * 50));
    tl_work_pool_flush_start (pool);
    pthread_join (producer, NULL);
    pthread_join (consumer, NULL);
    tl_work_pool_flush_stop (pool);
    EXPECT (tl_work_pool_length (pool) == 0);
    EXPECT (n_items_alive == 0);
  }
  tl_work_pool_free (pool);
}

static void
test_flush_wakes_a_full_pool (void)
{
  TlWorkPool *pool = tl_work_pool_new (1, 2, &funcs, NULL);
  pthread_t producer;

  pthread_create (&producer, NULL, produce, pool);
  while (tl_work_pool_length (pool) < 2)
    usleep (100);
  tl_work_pool_flush_start (pool);
  pthread_join (producer, NULL);
  EXPECT (tl_work_pool_flush_stop (pool) == 2);
  tl_work_pool_free (pool);
  EXPECT (n_items_alive == 0);
}

static void
test_free_drops_what_is_inside (void)
{
  for (unsigned n = 0; n <= 6; n++) {
    TlWorkPool *pool = tl_work_pool_new (2, 6, &funcs, NULL);

    for (unsigned i = 0; i < n; i++)
      EXPECT (tl_work_pool_submit (pool, item_new (i, true), true));
    tl_work_pool_free (pool);
    EXPECT (n_items_alive == 0 && n_contexts_alive == 0);
  }
}

int
main (void)
{
  test_order_is_kept (1, 1);
  test_order_is_kept (1, 4);
  test_order_is_kept (4, 3);
  test_order_is_kept (4, 16);
  test_flush_leaves_nothing_behind ();
  test_flush_wakes_a_full_pool ();
  test_free_drops_what_is_inside ();
  return 0;
}
