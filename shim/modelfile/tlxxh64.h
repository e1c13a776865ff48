/* SPDX-License-Identifier: BSD-3-Clause */

/* XXH64 with seed 0: a checksum, several times as fast as SHA-256, and no
 * defence against anyone who alters a file on purpose.
 * https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md */

#ifndef TL_XXH64_H
#define TL_XXH64_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct
{
  uint64_t lanes[4];
  uint64_t n_bytes;
  uint8_t block[32]; /* the last n_bytes % 32 bytes wait here */
} TlXxh64;

void tl_xxh64_init (TlXxh64 *xxh);
void tl_xxh64_update (TlXxh64 *xxh, const void *bytes, size_t n);

/* Of all bytes so far; more may follow. */
uint64_t tl_xxh64_value (const TlXxh64 *xxh);

#ifdef __cplusplus
}
#endif

#endif
