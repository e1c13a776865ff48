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

void
tl_pickle_fail (TlPickleMachine *m, TlStatus status, const char *format, ...)
{
  char text[512];
  va_list args;

  va_start (args, format);
  vsnprintf (text, sizeof text, format, args);
  va_end (args);
  m->status = tl_fail_at (m->error, status, m->p - m->start,
      "byte %zu of the pickle: %s", (size_t) (m->p - m->start), text);
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
run_stop (TlPickleMachine *m)
{
  if (m->n_marks > 0 || m->stack.n != 1)
    tl_pickle_fail (m, TL_ERROR_FORMAT, "it ends with %zu values, not one",
        m->stack.n);
  m->stopped = 1;
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
  TlPickleValue *name = tl_pickle_pop (m);
  TlPickleValue *module = name ? tl_pickle_pop (m) : NULL;

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
  TlPickleValue *arguments = tl_pickle_pop (m);
  TlPickleValue *callee = arguments ? tl_pickle_pop (m) : NULL;
  TlPickleValue *result =
      callee ? tl_pickle_push_new (m, TL_PICKLE_NONE) : NULL;

  if (result)
    tl_pickle_call (m, callee, arguments, result);
}

/* An object: of a class, with arguments that do not matter. */
static void
run_newobj (TlPickleMachine *m)
{
  TlPickleValue *arguments = tl_pickle_pop (m);
  TlPickleValue *type = arguments ? tl_pickle_pop (m) : NULL;
  TlPickleValue *result = type ? tl_pickle_push_new (m, TL_PICKLE_NONE) : NULL;

  if (result)
    tl_pickle_make_object (m, type, result);
}

/* The same with named arguments. */
static void
run_newobj_ex (TlPickleMachine *m)
{
  if (tl_pickle_pop (m))
    run_newobj (m);
}

static void
run_build (TlPickleMachine *m)
{
  TlPickleValue *state = tl_pickle_pop (m);
  TlPickleValue *target = state ? tl_pickle_peek (m) : NULL;

  if (target)
    tl_pickle_build (m, target, state);
}

static void
run_binpersid (TlPickleMachine *m)
{
  TlPickleValue *id = tl_pickle_pop (m);
  TlPickleValue *result = id ? tl_pickle_push_new (m, TL_PICKLE_NONE) : NULL;

  if (result)
    tl_pickle_load_persistent (m, id, result);
}

static const TlPickleOpcode opcodes[256] = {
    ['('] = tl_pickle_run_mark,
    [')'] = tl_pickle_run_empty_tuple,
    ['.'] = run_stop,
    ['0'] = tl_pickle_run_pop,
    ['1'] = tl_pickle_run_pop_mark,
    ['2'] = tl_pickle_run_dup,
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
    ['a'] = tl_pickle_run_append,
    ['b'] = run_build,
    ['c'] = run_global,
    ['d'] = tl_pickle_run_dict,
    ['e'] = tl_pickle_run_appends,
    ['h'] = tl_pickle_run_binget,
    ['j'] = tl_pickle_run_long_binget,
    ['l'] = tl_pickle_run_list,
    ['q'] = tl_pickle_run_binput,
    ['r'] = tl_pickle_run_long_binput,
    ['s'] = tl_pickle_run_setitem,
    ['t'] = tl_pickle_run_tuple,
    ['u'] = tl_pickle_run_setitems,
    ['}'] = tl_pickle_run_empty_dict,
    [0x80] = run_proto,
    [0x81] = run_newobj,
    [0x85] = tl_pickle_run_tuple1,
    [0x86] = tl_pickle_run_tuple2,
    [0x87] = tl_pickle_run_tuple3,
    [0x88] = tl_pickle_run_true,
    [0x89] = tl_pickle_run_false,
    [0x8a] = tl_pickle_run_long1,
    [0x8b] = tl_pickle_run_long4,
    [0x8c] = tl_pickle_run_short_string, /* SHORT_BINUNICODE */
    [0x8d] = tl_pickle_run_binunicode8,
    [0x8e] = tl_pickle_run_bytes8, /* BINBYTES8 */
    [0x8f] = tl_pickle_run_empty_set,
    [0x90] = tl_pickle_run_additems,
    [0x91] = tl_pickle_run_frozenset,
    [0x92] = run_newobj_ex,
    [0x93] = run_stack_global,
    [0x94] = tl_pickle_run_memoize,
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
