/* SPDX-License-Identifier: BSD-3-Clause */

/* Tuples, lists, dicts and sets, made of what is on the stack. */

#include "tlpicklemachine.h"

#include <string.h>

/* Makes the top @n values one tuple. */
static void
make_tuple (TlPickleMachine *m, size_t n)
{
  TlPickleValue **items;
  TlPickleValue *tuple;

  if (tl_pickle_count_above_mark (m) < n) {
    tl_pickle_fail (m, TL_ERROR_FORMAT, "it takes more values than it made");
    return;
  }
  items = tl_pickle_alloc (m, n * sizeof *items);
  if (!items)
    return;
  m->stack.n -= n;
  if (n > 0)
    memcpy (items, m->stack.items + m->stack.n, n * sizeof *items);
  tuple = tl_pickle_push_new (m, TL_PICKLE_TUPLE);
  if (!tuple)
    return;
  tuple->list.items = items;
  tuple->list.n = tuple->list.capacity = (uint32_t) n;
}

void
tl_pickle_run_tuple (TlPickleMachine *m)
{
  size_t n;

  if (tl_pickle_take_mark (m, &n))
    make_tuple (m, n);
}

void
tl_pickle_run_tuple1 (TlPickleMachine *m)
{
  make_tuple (m, 1);
}

void
tl_pickle_run_tuple2 (TlPickleMachine *m)
{
  make_tuple (m, 2);
}

void
tl_pickle_run_tuple3 (TlPickleMachine *m)
{
  make_tuple (m, 3);
}

/* Moves the top @n values into the list or dict below them; an opaque object
 * loses them. */
static void
extend (TlPickleMachine *m, TlPickleType type, size_t n)
{
  TlPickleValue *target = NULL;
  size_t wanted;

  if (tl_pickle_count_above_mark (m) > n)
    target = m->stack.items[m->stack.n - n - 1];
  if (target && target->type == TL_PICKLE_OPAQUE) {
    m->stack.n -= n;
    return;
  }
  if (!target || target->type != type
      || (type == TL_PICKLE_DICT && n % 2 != 0)) {
    tl_pickle_fail (m, TL_ERROR_FORMAT,
        "values are added to what is no list or dict");
    return;
  }
  wanted = target->list.n + n;
  if (wanted > target->list.capacity) {
    TlPickleValue **items = tl_pickle_alloc (m, 2 * wanted * sizeof *items);

    if (!items)
      return;
    if (target->list.n > 0)
      memcpy (items, target->list.items, target->list.n * sizeof *items);
    target->list.items = items;
    target->list.capacity = (uint32_t) (2 * wanted);
  }
  m->stack.n -= n;
  if (n > 0)
    memcpy (target->list.items + target->list.n, m->stack.items + m->stack.n,
        n * sizeof *target->list.items);
  target->list.n = (uint32_t) wanted;
}

void
tl_pickle_run_append (TlPickleMachine *m)
{
  extend (m, TL_PICKLE_LIST, 1);
}

void
tl_pickle_run_appends (TlPickleMachine *m)
{
  size_t n;

  if (tl_pickle_take_mark (m, &n))
    extend (m, TL_PICKLE_LIST, n);
}

void
tl_pickle_run_setitem (TlPickleMachine *m)
{
  extend (m, TL_PICKLE_DICT, 2);
}

void
tl_pickle_run_setitems (TlPickleMachine *m)
{
  size_t n;

  if (tl_pickle_take_mark (m, &n))
    extend (m, TL_PICKLE_DICT, n);
}

/* Only a set is given items so. */
void
tl_pickle_run_additems (TlPickleMachine *m)
{
  size_t n;

  if (tl_pickle_take_mark (m, &n))
    extend (m, TL_PICKLE_OPAQUE, n);
}

void
tl_pickle_run_frozenset (TlPickleMachine *m)
{
  size_t n;

  if (!tl_pickle_take_mark (m, &n))
    return;
  m->stack.n -= n;
  tl_pickle_run_empty_set (m);
}

/* Makes what is above the mark one list or dict. */
static void
collect (TlPickleMachine *m, TlPickleType type)
{
  TlPickleValue *target;
  size_t n;

  if (!tl_pickle_take_mark (m, &n))
    return;
  make_tuple (m, n);
  if (m->status != TL_OK)
    return;
  target = m->stack.items[m->stack.n - 1];
  target->type = type;
  if (type == TL_PICKLE_DICT && n % 2 != 0)
    tl_pickle_fail (m, TL_ERROR_FORMAT, "a dict with a key without value");
}

void
tl_pickle_run_list (TlPickleMachine *m)
{
  collect (m, TL_PICKLE_LIST);
}

void
tl_pickle_run_dict (TlPickleMachine *m)
{
  collect (m, TL_PICKLE_DICT);
}
