/* SPDX-License-Identifier: BSD-3-Clause */

/* The stack of values, its marks and the memo. */

#include "tlbytes.h"
#include "tlfail.h"
#include "tlpicklemachine.h"

#include <stdlib.h>

#define MEMO_SLACK 16 /* indices may run ahead of their number by this */

/* Room for one more in an array of @n items, which may move. */
static void *
reserve (TlPickleMachine *m, void *items, size_t n, size_t *capacity,
    size_t item_size)
{
  size_t wanted = *capacity ? 2 * *capacity : 256;
  size_t more = (wanted - *capacity) * item_size;
  void *grown;

  if (n < *capacity)
    return items;
  if (m->arena->used + m->array_bytes + more > m->arena->limit) {
    m->arena->over_limit = 1;
    m->status = tl_arena_fail (m->arena, m->error);
    return NULL;
  }
  grown = realloc (items, wanted * item_size);
  if (!grown) {
    m->status = tl_fail (m->error, TL_ERROR_MEMORY, "out of memory");
    return NULL;
  }
  *capacity = wanted;
  m->array_bytes += more;
  return grown;
}

static void
push (TlPickleMachine *m, TlPickleStack *stack, TlPickleValue *value)
{
  TlPickleValue **items =
      reserve (m, stack->items, stack->n, &stack->capacity, sizeof *items);

  if (!items)
    return;
  stack->items = items;
  items[stack->n++] = value;
}

/* Puts a value onto the stack, which only nesting without end makes high. */
static void
push_onto_stack (TlPickleMachine *m, TlPickleValue *value)
{
  if (m->stack.n + m->n_marks >= TL_PICKLE_MAX_OPEN)
    tl_pickle_fail (m, TL_ERROR_LIMIT,
        "more than %s values are nested or open at once",
        tl_show_number (TL_PICKLE_MAX_OPEN).text);
  else
    push (m, &m->stack, value);
}

TlPickleValue *
tl_pickle_push_new (TlPickleMachine *m, TlPickleType type)
{
  TlPickleValue *value = tl_pickle_alloc (m, sizeof *value);

  if (!value)
    return NULL;
  value->type = type;
  push_onto_stack (m, value);
  return m->status == TL_OK ? value : NULL;
}

size_t
tl_pickle_count_above_mark (const TlPickleMachine *m)
{
  return m->stack.n - (m->n_marks ? m->marks[m->n_marks - 1] : 0);
}

TlPickleValue *
tl_pickle_peek (TlPickleMachine *m)
{
  if (tl_pickle_count_above_mark (m) > 0)
    return m->stack.items[m->stack.n - 1];
  tl_pickle_fail (m, TL_ERROR_FORMAT, "it takes more values than it made");
  return NULL;
}

TlPickleValue *
tl_pickle_pop (TlPickleMachine *m)
{
  TlPickleValue *value = tl_pickle_peek (m);

  if (value)
    m->stack.n--;
  return value;
}

int
tl_pickle_take_mark (TlPickleMachine *m, size_t *n)
{
  if (m->n_marks == 0) {
    tl_pickle_fail (m, TL_ERROR_FORMAT, "a mark is missing");
    return 0;
  }
  *n = tl_pickle_count_above_mark (m);
  m->n_marks--;
  return 1;
}

void
tl_pickle_run_mark (TlPickleMachine *m)
{
  size_t *marks;

  if (m->stack.n + m->n_marks >= TL_PICKLE_MAX_OPEN) {
    tl_pickle_fail (m, TL_ERROR_LIMIT,
        "more than %s values are nested or open at once",
        tl_show_number (TL_PICKLE_MAX_OPEN).text);
    return;
  }
  marks = reserve (m, m->marks, m->n_marks, &m->marks_capacity, sizeof *marks);
  if (!marks)
    return;
  m->marks = marks;
  marks[m->n_marks++] = m->stack.n;
}

/* Takes off the top, which may be a mark. */
void
tl_pickle_run_pop (TlPickleMachine *m)
{
  if (m->n_marks > 0 && tl_pickle_count_above_mark (m) == 0)
    m->n_marks--;
  else
    tl_pickle_pop (m);
}

void
tl_pickle_run_pop_mark (TlPickleMachine *m)
{
  size_t n;

  if (tl_pickle_take_mark (m, &n))
    m->stack.n -= n;
}

void
tl_pickle_run_dup (TlPickleMachine *m)
{
  TlPickleValue *value = tl_pickle_peek (m);

  if (value)
    push_onto_stack (m, value);
}

static void
put_memo (TlPickleMachine *m, uint64_t index)
{
  TlPickleValue *value = tl_pickle_peek (m);

  if (!value)
    return;
  if (index > m->memo.n + MEMO_SLACK) {
    tl_pickle_fail (m, TL_ERROR_FORMAT, "memo %s is far beyond the last",
        tl_show_number (index).text);
    return;
  }
  while (m->status == TL_OK && m->memo.n <= index)
    push (m, &m->memo, NULL);
  if (m->status == TL_OK)
    m->memo.items[index] = value;
}

void
tl_pickle_run_memoize (TlPickleMachine *m)
{
  put_memo (m, m->memo.n);
}

void
tl_pickle_run_binput (TlPickleMachine *m)
{
  const uint8_t *index = tl_pickle_take (m, 1);

  if (index)
    put_memo (m, *index);
}

void
tl_pickle_run_long_binput (TlPickleMachine *m)
{
  const uint8_t *index = tl_pickle_take (m, 4);

  if (index)
    put_memo (m, tl_get_u32 (index));
}

static void
get_memo (TlPickleMachine *m, uint32_t index)
{
  if (index < m->memo.n && m->memo.items[index])
    push_onto_stack (m, m->memo.items[index]);
  else
    tl_pickle_fail (m, TL_ERROR_FORMAT, "memo %u was never set", index);
}

void
tl_pickle_run_binget (TlPickleMachine *m)
{
  const uint8_t *index = tl_pickle_take (m, 1);

  if (index)
    get_memo (m, *index);
}

void
tl_pickle_run_long_binget (TlPickleMachine *m)
{
  const uint8_t *index = tl_pickle_take (m, 4);

  if (index)
    get_memo (m, tl_get_u32 (index));
}
