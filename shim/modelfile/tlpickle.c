/* SPDX-License-Identifier: BSD-3-Clause */

/* The opcodes: Lib/pickletools.py of CPython describes each. None recurses;
 * each takes at least a byte of the pickle, whose size is limited, and all
 * values come from an arena, whose size is limited. A failure is kept in the
 * machine and ends the run, so helpers give NULL and opcodes just return. */

#include "tlpickle.h"
#include "tlbytes.h"
#include "tlfail.h"
#include "tlpicklemachine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMO_SLACK 16 /* indices may run ahead of their number by this */

void
tl_pickle_fail (TlPickleMachine *m, TlStatus status, const char *format, ...)
{
  char text[512];
  va_list args;

  va_start (args, format);
  vsnprintf (text, sizeof text, format, args);
  va_end (args);
  m->status = tl_fail (m->error, status, "byte %zu of the pickle: %s",
      (size_t) (m->p - m->start), text);
}

void *
tl_pickle_alloc (TlPickleMachine *m, size_t size)
{
  void *memory = NULL;

  if (m->arena->used + m->array_bytes + size <= m->arena->limit)
    memory = tl_arena_alloc (m->arena, size);
  else
    m->arena->over_limit = 1;
  if (!memory)
    m->status = tl_arena_fail (m->arena, m->error);
  return memory;
}

const uint8_t *
tl_pickle_take (TlPickleMachine *m, uint64_t n)
{
  const uint8_t *bytes = m->p;

  if (n > (uint64_t) (m->end - m->p)) {
    tl_pickle_fail (m, TL_ERROR_FORMAT, "truncated, its end is missing");
    return NULL;
  }
  m->p += n;
  return bytes;
}

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

/* Values above the last mark; all of them without one. */
static size_t
count_above_mark (const TlPickleMachine *m)
{
  return m->stack.n - (m->n_marks ? m->marks[m->n_marks - 1] : 0);
}

/* The top of the stack, which must not be below a mark. */
static TlPickleValue *
peek (TlPickleMachine *m)
{
  if (count_above_mark (m) > 0)
    return m->stack.items[m->stack.n - 1];
  tl_pickle_fail (m, TL_ERROR_FORMAT, "it takes more values than it made");
  return NULL;
}

static TlPickleValue *
pop (TlPickleMachine *m)
{
  TlPickleValue *value = peek (m);

  if (value)
    m->stack.n--;
  return value;
}

static void
run_proto (TlPickleMachine *m)
{
  const uint8_t *version = tl_pickle_take (m, 1);

  if (version && (*version < 2 || *version > 5))
    tl_pickle_fail (m, TL_ERROR_UNSUPPORTED,
        "pickle protocol %d is not read, only 2 to 5", *version);
}

/* The length of a frame only helps readers of streams. */
static void
run_frame (TlPickleMachine *m)
{
  tl_pickle_take (m, 8);
}

static void
run_mark (TlPickleMachine *m)
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

static void
run_stop (TlPickleMachine *m)
{
  if (m->n_marks > 0 || m->stack.n != 1)
    tl_pickle_fail (m, TL_ERROR_FORMAT, "it ends with %zu values, not one",
        m->stack.n);
  m->stopped = 1;
}

/* Makes the top @n values one tuple. */
static void
make_tuple (TlPickleMachine *m, size_t n)
{
  TlPickleValue **items;
  TlPickleValue *tuple;

  if (count_above_mark (m) < n) {
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

/* Takes the last mark; gives the number of values above it. */
static int
take_mark (TlPickleMachine *m, size_t *n)
{
  if (m->n_marks == 0) {
    tl_pickle_fail (m, TL_ERROR_FORMAT, "a mark is missing");
    return 0;
  }
  *n = count_above_mark (m);
  m->n_marks--;
  return 1;
}

static void
run_tuple (TlPickleMachine *m)
{
  size_t n;

  if (take_mark (m, &n))
    make_tuple (m, n);
}

static void
run_tuple1 (TlPickleMachine *m)
{
  make_tuple (m, 1);
}

static void
run_tuple2 (TlPickleMachine *m)
{
  make_tuple (m, 2);
}

static void
run_tuple3 (TlPickleMachine *m)
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

  if (count_above_mark (m) > n)
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

static void
run_append (TlPickleMachine *m)
{
  extend (m, TL_PICKLE_LIST, 1);
}

static void
run_appends (TlPickleMachine *m)
{
  size_t n;

  if (take_mark (m, &n))
    extend (m, TL_PICKLE_LIST, n);
}

static void
run_setitem (TlPickleMachine *m)
{
  extend (m, TL_PICKLE_DICT, 2);
}

static void
run_setitems (TlPickleMachine *m)
{
  size_t n;

  if (take_mark (m, &n))
    extend (m, TL_PICKLE_DICT, n);
}

/* Only a set is given items so. */
static void
run_additems (TlPickleMachine *m)
{
  size_t n;

  if (take_mark (m, &n))
    extend (m, TL_PICKLE_OPAQUE, n);
}

static void
run_frozenset (TlPickleMachine *m)
{
  size_t n;

  if (!take_mark (m, &n))
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

  if (!take_mark (m, &n))
    return;
  make_tuple (m, n);
  if (m->status != TL_OK)
    return;
  target = m->stack.items[m->stack.n - 1];
  target->type = type;
  if (type == TL_PICKLE_DICT && n % 2 != 0)
    tl_pickle_fail (m, TL_ERROR_FORMAT, "a dict with a key without value");
}

static void
run_list (TlPickleMachine *m)
{
  collect (m, TL_PICKLE_LIST);
}

static void
run_dict (TlPickleMachine *m)
{
  collect (m, TL_PICKLE_DICT);
}

/* Takes off the top, which may be a mark. */
static void
run_pop (TlPickleMachine *m)
{
  if (m->n_marks > 0 && count_above_mark (m) == 0)
    m->n_marks--;
  else
    pop (m);
}

static void
run_pop_mark (TlPickleMachine *m)
{
  size_t n;

  if (take_mark (m, &n))
    m->stack.n -= n;
}

static void
run_dup (TlPickleMachine *m)
{
  TlPickleValue *value = peek (m);

  if (value)
    push_onto_stack (m, value);
}

static void
put_memo (TlPickleMachine *m, uint64_t index)
{
  TlPickleValue *value = peek (m);

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

static void
run_memoize (TlPickleMachine *m)
{
  put_memo (m, m->memo.n);
}

static void
run_binput (TlPickleMachine *m)
{
  const uint8_t *index = tl_pickle_take (m, 1);

  if (index)
    put_memo (m, *index);
}

static void
run_long_binput (TlPickleMachine *m)
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

static void
run_binget (TlPickleMachine *m)
{
  const uint8_t *index = tl_pickle_take (m, 1);

  if (index)
    get_memo (m, *index);
}

static void
run_long_binget (TlPickleMachine *m)
{
  const uint8_t *index = tl_pickle_take (m, 4);

  if (index)
    get_memo (m, tl_get_u32 (index));
}

static void
push_global (TlPickleMachine *m, const TlPickleValue *module,
    const TlPickleValue *name)
{
  const TlPickleGlobal *global = tl_pickle_find_global (m, module, name);
  TlPickleValue *value =
      global ? tl_pickle_push_new (m, TL_PICKLE_GLOBAL) : NULL;

  if (value)
    value->global = global;
}

/* A line of text, without its end. */
static int
take_line (TlPickleMachine *m, TlPickleValue *line)
{
  const uint8_t *end = memchr (m->p, '\n', (size_t) (m->end - m->p));

  if (!end) {
    tl_pickle_fail (m, TL_ERROR_FORMAT, "truncated, a line has no end");
    return 0;
  }
  line->type = TL_PICKLE_STRING;
  line->string.bytes = (const char *) m->p;
  line->string.length = (size_t) (end - m->p);
  m->p = end + 1;
  return 1;
}

static void
run_global (TlPickleMachine *m)
{
  TlPickleValue module, name;

  if (take_line (m, &module) && take_line (m, &name))
    push_global (m, &module, &name);
}

static void
run_stack_global (TlPickleMachine *m)
{
  TlPickleValue *name = pop (m);
  TlPickleValue *module = name ? pop (m) : NULL;

  if (!module)
    return;
  if (name->type == TL_PICKLE_STRING && module->type == TL_PICKLE_STRING)
    push_global (m, module, name);
  else
    tl_pickle_fail (m, TL_ERROR_FORMAT, "a global without a name");
}

static void
run_reduce (TlPickleMachine *m)
{
  TlPickleValue *arguments = pop (m);
  TlPickleValue *callee = arguments ? pop (m) : NULL;
  TlPickleValue *result =
      callee ? tl_pickle_push_new (m, TL_PICKLE_NONE) : NULL;

  if (result)
    tl_pickle_call (m, callee, arguments, result);
}

/* An object: of a class, with arguments that do not matter. */
static void
run_newobj (TlPickleMachine *m)
{
  TlPickleValue *arguments = pop (m);
  TlPickleValue *type = arguments ? pop (m) : NULL;
  TlPickleValue *result = type ? tl_pickle_push_new (m, TL_PICKLE_NONE) : NULL;

  if (result)
    tl_pickle_make_object (m, type, result);
}

/* The same with named arguments. */
static void
run_newobj_ex (TlPickleMachine *m)
{
  if (pop (m))
    run_newobj (m);
}

static void
run_build (TlPickleMachine *m)
{
  TlPickleValue *state = pop (m);
  TlPickleValue *target = state ? peek (m) : NULL;

  if (target)
    tl_pickle_build (m, target, state);
}

static void
run_binpersid (TlPickleMachine *m)
{
  TlPickleValue *id = pop (m);
  TlPickleValue *result = id ? tl_pickle_push_new (m, TL_PICKLE_NONE) : NULL;

  if (result)
    tl_pickle_load_persistent (m, id, result);
}

static const TlPickleOpcode opcodes[256] = {
    ['('] = run_mark,
    [')'] = tl_pickle_run_empty_tuple,
    ['.'] = run_stop,
    ['0'] = run_pop,
    ['1'] = run_pop_mark,
    ['2'] = run_dup,
    ['B'] = tl_pickle_run_bytes,       /* BINBYTES */
    ['C'] = tl_pickle_run_short_bytes, /* SHORT_BINBYTES */
    ['G'] = tl_pickle_run_binfloat,
    ['J'] = tl_pickle_run_binint,
    ['K'] = tl_pickle_run_binint1,
    ['M'] = tl_pickle_run_binint2,
    ['N'] = tl_pickle_run_none,
    ['Q'] = run_binpersid,
    ['R'] = run_reduce,
    ['T'] = tl_pickle_run_binunicode,   /* BINSTRING */
    ['U'] = tl_pickle_run_short_string, /* SHORT_BINSTRING */
    ['X'] = tl_pickle_run_binunicode,
    [']'] = tl_pickle_run_empty_list,
    ['a'] = run_append,
    ['b'] = run_build,
    ['c'] = run_global,
    ['d'] = run_dict,
    ['e'] = run_appends,
    ['h'] = run_binget,
    ['j'] = run_long_binget,
    ['l'] = run_list,
    ['q'] = run_binput,
    ['r'] = run_long_binput,
    ['s'] = run_setitem,
    ['t'] = run_tuple,
    ['u'] = run_setitems,
    ['}'] = tl_pickle_run_empty_dict,
    [0x80] = run_proto,
    [0x81] = run_newobj,
    [0x85] = run_tuple1,
    [0x86] = run_tuple2,
    [0x87] = run_tuple3,
    [0x88] = tl_pickle_run_true,
    [0x89] = tl_pickle_run_false,
    [0x8a] = tl_pickle_run_long1,
    [0x8b] = tl_pickle_run_long4,
    [0x8c] = tl_pickle_run_short_string, /* SHORT_BINUNICODE */
    [0x8d] = tl_pickle_run_binunicode8,
    [0x8e] = tl_pickle_run_bytes8, /* BINBYTES8 */
    [0x8f] = tl_pickle_run_empty_set,
    [0x90] = run_additems,
    [0x91] = run_frozenset,
    [0x92] = run_newobj_ex,
    [0x93] = run_stack_global,
    [0x94] = run_memoize,
    [0x95] = run_frame,
    [0x96] = tl_pickle_run_bytes8, /* BYTEARRAY8 */
};

static void
run (TlPickleMachine *m)
{
  while (m->status == TL_OK && !m->stopped) {
    const uint8_t *code = tl_pickle_take (m, 1);

    if (!code)
      return;
    if (opcodes[*code])
      opcodes[*code](m);
    else
      tl_pickle_fail (m, TL_ERROR_UNSUPPORTED,
          "opcode 0x%02x, which torch.save does not write", *code);
  }
}

TlStatus
tl_pickle_load (const void *bytes, size_t size, TlPickleOutside *outside,
    TlArena *arena, const TlPickleValue **ret, size_t *used, TlError *error)
{
  TlPickleMachine m = {.start = bytes,
      .p = bytes,
      .end = (const uint8_t *) bytes
          + (size < TL_PICKLE_MAX_SIZE ? size : TL_PICKLE_MAX_SIZE),
      .outside = outside,
      .arena = arena,
      .error = error};

  run (&m);
  if (m.status == TL_OK) {
    *ret = m.stack.items[0];
    if (used)
      *used = (size_t) (m.p - m.start);
  }
  free (m.stack.items);
  free (m.memo.items);
  free (m.marks);
  return m.status;
}
