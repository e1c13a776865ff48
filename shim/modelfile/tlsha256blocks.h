/* SPDX-License-Identifier: BSD-3-Clause */

/* The ways to compute the blocks of SHA-256; all give the same state. */

#ifndef TL_SHA256_BLOCKS_H
#define TL_SHA256_BLOCKS_H

#include "tlsha256.h"

extern const uint32_t tl_sha256_constants[64];

void tl_sha256_process_portable (uint32_t state[8], const uint8_t *blocks,
    size_t n_blocks);

/* With this processor's instructions for SHA-256, or NULL: it has none, or
 * none that is known here. */
TlSha256Process tl_sha256_find_accelerated (void);

#endif
