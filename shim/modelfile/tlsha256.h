/* SPDX-License-Identifier: BSD-3-Clause */

/* SHA-256 (FIPS 180-4). */

#ifndef TL_SHA256_H
#define TL_SHA256_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TL_SHA256_HEX_SIZE 65 /* 64 digits and the NUL */

/* Adds whole blocks of 64 bytes to a state. */
typedef void (*TlSha256Process) (uint32_t state[8], const uint8_t *blocks,
    size_t n_blocks);

typedef struct
{
  uint32_t state[8];
  uint64_t n_bytes;
  TlSha256Process process; /* NULL before the first block */
  uint8_t block[64];       /* the last n_bytes % 64 bytes wait here */
} TlSha256;

void tl_sha256_init (TlSha256 *sha);
void tl_sha256_update (TlSha256 *sha, const void *bytes, size_t n);

/* The digest; @sha must be initialised again before its next use. */
void tl_sha256_final (TlSha256 *sha, uint8_t digest[32]);

/* The same in lower-case hexadecimal. */
void tl_sha256_final_hex (TlSha256 *sha, char hex[TL_SHA256_HEX_SIZE]);

#ifdef __cplusplus
}
#endif

#endif
