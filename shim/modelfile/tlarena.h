/* SPDX-License-Identifier: BSD-3-Clause */

/* Memory that is freed all at once, with a limit: whatever a file asks for, a
 * reader cannot take more than its arena allows. */

#ifndef TL_ARENA_H
#define TL_ARENA_H

#include "tlstatus.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct TlArenaBlock TlArenaBlock;

typedef struct
{
  TlArenaBlock *blocks;
  size_t used;
  size_t limit;
  int over_limit; /* whether an allocation failed for the limit */
} TlArena;

#define TL_ARENA_INIT(limit_)                                                  \
  {                                                                            \
    .limit = (limit_)                                                          \
  }

/* Zeroed, aligned for any type; NULL if the limit is reached or memory is
 * out, which tl_arena_fail() then tells. */
void *tl_arena_alloc (TlArena *arena, size_t size);

/* A copy of @n bytes with a NUL behind; NULL as above. */
char *tl_arena_copy_text (TlArena *arena, const void *bytes, size_t n);

/* The error of an allocation that gave NULL. */
TlStatus tl_arena_fail (const TlArena *arena, TlError *error);

void tl_arena_clear (TlArena *arena);

#ifdef __cplusplus
}
#endif

#endif
