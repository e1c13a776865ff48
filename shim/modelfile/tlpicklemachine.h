/* SPDX-License-Identifier: BSD-3-Clause */

/* What the parts of the pickle machine share: tlpickle.c has the table of
 * opcodes and runs it, tlpicklestack.c has the stack, its marks and the memo,
 * tlpicklelist.c the opcodes that make one value of several, tlpickleatom.c
 * those that push a value of their own, tlpickleglobal.c the names of globals,
 * tlpicklecall.c what calling them makes. */

#ifndef TL_PICKLE_MACHINE_H
#define TL_PICKLE_MACHINE_H

#include "tlpickle.h"

/* Pointers to values, growing. */
typedef struct
{
  TlPickleValue **items;
  size_t n, capacity;
} TlPickleStack;

typedef struct
{
  const uint8_t *start, *p, *end;
  TlPickleOutside *outside; /* may be NULL */
  TlArena *arena;
  size_t array_bytes; /* of the arrays below, which count as the arena's */
  TlPickleStack stack;
  TlPickleStack memo; /* NULL where nothing was put */
  size_t *marks;      /* heights of the stack */
  size_t n_marks, marks_capacity;
  int stopped;
  TlStatus status; /* of the first failure, which ends the run */
  TlError *error;
} TlPickleMachine;

/* Ends the run with an error at the current opcode. */
void tl_pickle_fail (TlPickleMachine *m, TlStatus status, const char *format,
    ...) __attribute__ ((format (printf, 3, 4)));

/* The next @n bytes; NULL ends the run. */
const uint8_t *tl_pickle_take (TlPickleMachine *m, uint64_t n);

/* From the arena; NULL ends the run. */
void *tl_pickle_alloc (TlPickleMachine *m, size_t size);

/* Pushes a fresh value; NULL ends the run. */
TlPickleValue *tl_pickle_push_new (TlPickleMachine *m, TlPickleType type);

/* Values above the last mark; all of them without one. */
size_t tl_pickle_count_above_mark (const TlPickleMachine *m);

/* The top of the stack, which must not be below a mark; NULL ends the run. */
TlPickleValue *tl_pickle_peek (TlPickleMachine *m);
TlPickleValue *tl_pickle_pop (TlPickleMachine *m);

/* Takes the last mark; gives the number of values above it. 0 ends the run. */
int tl_pickle_take_mark (TlPickleMachine *m, size_t *n);

/* The global of that name, which may be one of no meaning; one that starts
 * programs gives NULL and ends the run. */
const TlPickleGlobal *tl_pickle_find_global (TlPickleMachine *m,
    const TlPickleValue *module, const TlPickleValue *name);

/* REDUCE: @result, a fresh value, becomes what @callee makes of @arguments. */
void tl_pickle_call (TlPickleMachine *m, const TlPickleValue *callee,
    const TlPickleValue *arguments, TlPickleValue *result);

/* NEWOBJ: an object of the class, before its attributes are set. */
void tl_pickle_make_object (TlPickleMachine *m, const TlPickleValue *type,
    TlPickleValue *result);

/* BUILD: attributes are set. */
void tl_pickle_build (TlPickleMachine *m, TlPickleValue *target,
    const TlPickleValue *state);

/* A value of which no more is known than what it is. */
extern const TlPickleGlobal tl_pickle_bytes_type, tl_pickle_integer_type,
    tl_pickle_set_type, tl_pickle_flipped_type;
void tl_pickle_set_opaque (TlPickleValue *value, const TlPickleGlobal *type);

/* BINPERSID: @result, a fresh value, becomes what @id names: a
 * storage, or something outside. */
void tl_pickle_load_persistent (TlPickleMachine *m, const TlPickleValue *id,
    TlPickleValue *result);

typedef void (*TlPickleOpcode) (TlPickleMachine *m);

void tl_pickle_run_mark (TlPickleMachine *m);
void tl_pickle_run_pop (TlPickleMachine *m);
void tl_pickle_run_pop_mark (TlPickleMachine *m);
void tl_pickle_run_dup (TlPickleMachine *m);
void tl_pickle_run_memoize (TlPickleMachine *m);
void tl_pickle_run_binput (TlPickleMachine *m);
void tl_pickle_run_long_binput (TlPickleMachine *m);
void tl_pickle_run_binget (TlPickleMachine *m);
void tl_pickle_run_long_binget (TlPickleMachine *m);
void tl_pickle_run_tuple (TlPickleMachine *m);
void tl_pickle_run_tuple1 (TlPickleMachine *m);
void tl_pickle_run_tuple2 (TlPickleMachine *m);
void tl_pickle_run_tuple3 (TlPickleMachine *m);
void tl_pickle_run_append (TlPickleMachine *m);
void tl_pickle_run_appends (TlPickleMachine *m);
void tl_pickle_run_setitem (TlPickleMachine *m);
void tl_pickle_run_setitems (TlPickleMachine *m);
void tl_pickle_run_additems (TlPickleMachine *m);
void tl_pickle_run_frozenset (TlPickleMachine *m);
void tl_pickle_run_list (TlPickleMachine *m);
void tl_pickle_run_dict (TlPickleMachine *m);
void tl_pickle_run_none (TlPickleMachine *m);
void tl_pickle_run_true (TlPickleMachine *m);
void tl_pickle_run_false (TlPickleMachine *m);
void tl_pickle_run_binint (TlPickleMachine *m);
void tl_pickle_run_binint1 (TlPickleMachine *m);
void tl_pickle_run_binint2 (TlPickleMachine *m);
void tl_pickle_run_long1 (TlPickleMachine *m);
void tl_pickle_run_long4 (TlPickleMachine *m);
void tl_pickle_run_binfloat (TlPickleMachine *m);
void tl_pickle_run_binunicode (TlPickleMachine *m);
void tl_pickle_run_binunicode8 (TlPickleMachine *m);
void tl_pickle_run_short_string (TlPickleMachine *m);
void tl_pickle_run_short_bytes (TlPickleMachine *m);
void tl_pickle_run_bytes (TlPickleMachine *m);
void tl_pickle_run_bytes8 (TlPickleMachine *m);
void tl_pickle_run_empty_tuple (TlPickleMachine *m);
void tl_pickle_run_empty_list (TlPickleMachine *m);
void tl_pickle_run_empty_dict (TlPickleMachine *m);
void tl_pickle_run_empty_set (TlPickleMachine *m);

#endif
