/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlarena.h"
#include "tlbytes.h"
#include "tlfail.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE (64u * 1024)

struct TlArenaBlock
{
  TlArenaBlock *next;
  size_t used;
  size_t size;
  alignas (16) unsigned char bytes[];
};

static TlArenaBlock *
add_block (TlArena *arena, size_t size)
{
  TlArenaBlock *block = calloc (1, sizeof *block + size);

  if (!block)
    return NULL;
  block->size = size;
  block->next = arena->blocks;
  arena->blocks = block;
  return block;
}

void *
tl_arena_alloc (TlArena *arena, size_t size)
{
  TlArenaBlock *block = arena->blocks;
  void *memory;

  if (size > arena->limit || arena->used > arena->limit - size) {
    arena->over_limit = 1;
    return NULL;
  }
  size = (size + 15) & ~(size_t) 15;
  if (!block || block->size - block->used < size)
    block = add_block (arena, size > BLOCK_SIZE ? size : BLOCK_SIZE);
  if (!block)
    return NULL;
  memory = block->bytes + block->used;
  block->used += size;
  arena->used += size;
  return memory;
}

char *
tl_arena_copy_text (TlArena *arena, const void *bytes, size_t n)
{
  char *text = tl_arena_alloc (arena, n + 1);

  if (text && n > 0)
    memcpy (text, bytes, n);
  return text;
}

TlStatus
tl_arena_fail (const TlArena *arena, TlError *error)
{
  if (arena->over_limit)
    return tl_fail (error, TL_ERROR_LIMIT,
        "the file needs more than the %s bytes that its reader may use",
        tl_show_number (arena->limit).text);
  return tl_fail (error, TL_ERROR_MEMORY, "out of memory");
}

void
tl_arena_clear (TlArena *arena)
{
  while (arena->blocks) {
    TlArenaBlock *next = arena->blocks->next;

    free (arena->blocks);
    arena->blocks = next;
  }
  arena->used = 0;
}
