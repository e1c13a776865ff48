/* SPDX-License-Identifier: BSD-3-Clause */

/* The worker pool under random threads, delays, errors, flushes and ends.
 *
 *   stress_workpool [SECONDS [SEED]]
 *
 * SECONDS is 2, or TLPIPE_STRESS_SECONDS. The first round has the seed SEED, or
 * TLPIPE_STRESS_SEED, or the time; each further one adds 1. A round that fails
 * or hangs prints its seed: with that and 0 seconds it is run alone. */

#include "tlworkpool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_ITEMS 300
#define MAX_WORKERS 8
#define MAX_CAPACITY 40
#define HANG_SECONDS 60

/* One round: a producer, a flusher, and the consumer, which is the caller. */
typedef struct
{
  TlWorkPool *pool;
  uint64_t producing, flushing, consuming; /* random states of the threads */
  unsigned n_items;
  unsigned n_flushes;
  unsigned max_delay; /* in microseconds */
  bool ends_early;    /* with items inside, some in work */

  /* Atomic. */
  unsigned n_taken;
  unsigned n_freed; /* by the pool */
  unsigned n_refused;
  bool is_over;
} Round;

typedef struct
{
  Round *round;
  unsigned number;
  unsigned delay;
  bool work;
  bool fails;
  bool failed;
  unsigned worked; /* how often */
} Item;

typedef struct
{
  bool is_used; /* by a worker right now */
} Context;

static int n_contexts;
static char again[100]; /* how to */

/* ---- Failing system calls ---- */

/* The n-th call from now fails, counted from 1; 0: none. */
static int fail_in;

static bool
is_to_fail (void)
{
  return fail_in > 0 && --fail_in == 0;
}

/* The pool is linked with --wrap: these stand in for what it calls. */
void *__real_calloc (size_t n, size_t size);
int __real_pthread_create (pthread_t *thread, const pthread_attr_t *attr,
    void *(*start) (void *), void *data);
void *__wrap_calloc (size_t n, size_t size);
int __wrap_pthread_create (pthread_t *thread, const pthread_attr_t *attr,
    void *(*start) (void *), void *data);

void *
__wrap_calloc (size_t n, size_t size)
{
  return is_to_fail () ? NULL : __real_calloc (n, size);
}

int
__wrap_pthread_create (pthread_t *thread, const pthread_attr_t *attr,
    void *(*start) (void *), void *data)
{
  return is_to_fail () ? EAGAIN
                       : __real_pthread_create (thread, attr, start, data);
}

/* ---- Ends with a message ---- */

static void
set_seed (unsigned long long seed)
{
  snprintf (again, sizeof again, "again: stress_workpool 0 %llu\n", seed);
}

static void
on_alarm (int number)
{
  static const char text[] = "the round hangs; ";
  bool ok = write (STDERR_FILENO, text, sizeof text - 1) > 0
      && write (STDERR_FILENO, again, strlen (again)) > 0;

  _exit (ok ? 1 : 2);
}

#define EXPECT(condition)                                                      \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf (stderr, "not %s; %s", #condition, again);                       \
      _exit (1);                                                               \
    }                                                                          \
  } while (0)

/* ---- Numbers ---- */

/* SplitMix64 (Steele, Lea, Flood 2014). */
static unsigned
draw (uint64_t *state, unsigned n)
{
  uint64_t z = *state += 0x9e3779b97f4a7c15u;

  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (unsigned) ((z ^ (z >> 31)) % n);
}

static void
wait_up_to (uint64_t *state, unsigned max)
{
  if (max > 0 && draw (state, 4) == 0)
    usleep (draw (state, max));
}

static void
count (unsigned *counter)
{
  __atomic_add_fetch (counter, 1, __ATOMIC_SEQ_CST);
}

/* ---- What the pool calls ---- */

static void *
context_new (void *user_data)
{
  if (is_to_fail ())
    return NULL;
  n_contexts++;
  return __real_calloc (1, sizeof (Context));
}

static void
context_free (void *context)
{
  n_contexts--;
  free (context);
}

static void
run (void *data, void *user, void *user_data)
{
  Context *context = data;
  Item *item = user;

  EXPECT (!context->is_used);
  context->is_used = true;
  if (item->delay > 0)
    usleep (item->delay);
  item->worked++;
  item->failed = item->fails;
  context->is_used = false;
}

static void
item_free (void *data)
{
  Item *item = data;

  EXPECT (item->worked <= item->work);
  count (&item->round->n_freed);
  free (item);
}

static const TlWorkPoolFuncs funcs = {context_new, context_free, run,
    item_free};

/* ---- A round ---- */

static Item *
make_item (Round *round, unsigned number)
{
  Item *item = __real_calloc (1, sizeof *item);

  item->round = round;
  item->number = number;
  item->work = draw (&round->producing, 5) > 0;
  item->fails = item->work && draw (&round->producing, 8) == 0;
  if (round->max_delay > 0 && draw (&round->producing, 3) == 0)
    item->delay = draw (&round->producing, round->max_delay);
  return item;
}

static void *
produce (void *data)
{
  Round *round = data;

  for (unsigned i = 0; i < round->n_items; i++) {
    Item *item = make_item (round, i);

    wait_up_to (&round->producing, round->max_delay);
    if (tl_work_pool_submit (round->pool, item, item->work))
      continue;
    EXPECT (item->worked == 0);
    free (item);
    count (&round->n_refused);
  }
  return NULL;
}

static void *
flush (void *data)
{
  Round *round = data;

  for (unsigned i = 0; i < round->n_flushes; i++) {
    usleep (draw (&round->flushing, 2000));
    tl_work_pool_flush_start (round->pool);
    wait_up_to (&round->flushing, round->max_delay);
    tl_work_pool_flush_stop (round->pool);
  }
  return NULL;
}

static void *
consume (void *data)
{
  Round *round = data;
  long last = -1;

  while (!__atomic_load_n (&round->is_over, __ATOMIC_SEQ_CST)) {
    Item *item = tl_work_pool_take (round->pool);

    if (!item) {
      usleep (20);
      continue;
    }
    EXPECT ((long) item->number > last);
    EXPECT (item->worked == item->work && item->failed == item->fails);
    last = item->number;
    free (item);
    count (&round->n_taken);
    wait_up_to (&round->consuming, round->max_delay);
  }
  return NULL;
}

static void
draw_round (Round *round, uint64_t *state, unsigned *n_workers,
    size_t *capacity)
{
  static const unsigned delays[] = {0, 0, 50, 500};

  memset (round, 0, sizeof *round);
  *n_workers = 1 + draw (state, MAX_WORKERS);
  *capacity = 1 + draw (state, MAX_CAPACITY);
  round->n_items = draw (state, MAX_ITEMS);
  round->n_flushes = draw (state, 2) ? draw (state, 6) : 0;
  round->max_delay = delays[draw (state, 4)];
  round->ends_early = draw (state, 3) == 0;
  round->producing = *state ^ 1;
  round->flushing = *state ^ 2;
  round->consuming = *state ^ 3;
}

/* Ends the producer and the consumer; what is inside stays. */
static void
end_round (Round *round, pthread_t producer, pthread_t consumer)
{
  if (!round->ends_early) {
    pthread_join (producer, NULL);
    while (tl_work_pool_length (round->pool) > 0)
      usleep (50);
  }
  __atomic_store_n (&round->is_over, true, __ATOMIC_SEQ_CST);
  tl_work_pool_flush_start (round->pool);
  if (round->ends_early)
    pthread_join (producer, NULL);
  pthread_join (consumer, NULL);
}

static void
run_round (uint64_t seed)
{
  uint64_t state = seed;
  pthread_t producer, flusher, consumer;
  unsigned n_workers;
  size_t capacity;
  Round round;

  draw_round (&round, &state, &n_workers, &capacity);
  round.pool = tl_work_pool_new (n_workers, capacity, &funcs, NULL);
  EXPECT (round.pool);
  __real_pthread_create (&consumer, NULL, consume, &round);
  __real_pthread_create (&producer, NULL, produce, &round);
  __real_pthread_create (&flusher, NULL, flush, &round);
  pthread_join (flusher, NULL);
  end_round (&round, producer, consumer);
  tl_work_pool_free (round.pool);
  EXPECT (round.n_taken + round.n_freed + round.n_refused == round.n_items);
  EXPECT (round.n_flushes > 0 || round.ends_early || round.n_freed == 0);
  EXPECT (n_contexts == 0);
}

/* Every call that makes a pool fails once. */
static void
run_failures (void)
{
  for (unsigned n_workers = 1; n_workers <= MAX_WORKERS; n_workers++) {
    TlWorkPool *pool = NULL;
    int n = 0;

    while (!pool) {
      fail_in = ++n;
      pool = tl_work_pool_new (n_workers, 3, &funcs, NULL);
      EXPECT (pool || n_contexts == 0);
    }
    fail_in = 0;
    /* The pool, its slots and workers; each worker's context and thread. */
    EXPECT (n == 3 + 2 * (int) n_workers + 1);
    tl_work_pool_free (pool);
    EXPECT (n_contexts == 0);
  }
}

static unsigned long long
read_number (const char *argument, const char *variable,
    unsigned long long preset)
{
  const char *text = argument ? argument : getenv (variable);

  return text ? strtoull (text, NULL, 10) : preset;
}

int
main (int argc, char **argv)
{
  time_t now = time (NULL);
  time_t end = now
      + (time_t) read_number (argc > 1 ? argv[1] : NULL,
          "TLPIPE_STRESS_SECONDS", 2);
  unsigned long long seed = read_number (argc > 2 ? argv[2] : NULL,
      "TLPIPE_STRESS_SEED", (unsigned long long) now << 20);
  unsigned long long first = seed;

  signal (SIGALRM, on_alarm);
  printf ("seed %llu\n", seed);
  fflush (stdout);
  set_seed (seed);
  run_failures ();
  do {
    set_seed (seed);
    alarm (HANG_SECONDS);
    run_round (seed++);
  } while (time (NULL) < end);
  printf ("%llu rounds\n", seed - first);
  return 0;
}
