/* SPDX-License-Identifier: BSD-3-Clause */

/* What the two halves of the pickle machine share: tlpickle.c has the opcodes,
 * tlpicklecall.c what the globals of PyTorch mean. */

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
  TlArena *arena;
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

/* From the arena; NULL ends the run. */
void *tl_pickle_alloc (TlPickleMachine *m, size_t size);

/* The global of that name; NULL ends the run. */
const TlPickleGlobal *tl_pickle_find_global (TlPickleMachine *m,
    const TlPickleValue *module, const TlPickleValue *name);

/* REDUCE: @result, a fresh value, becomes what @callee makes of @arguments. */
void tl_pickle_call (TlPickleMachine *m, const TlPickleValue *callee,
    const TlPickleValue *arguments, TlPickleValue *result);

/* BINPERSID: @result, a fresh value, becomes the storage that @id names. */
void tl_pickle_make_storage (TlPickleMachine *m, const TlPickleValue *id,
    TlPickleValue *result);

#endif
