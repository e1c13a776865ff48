/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlsha256.h"
#include "tlsha256blocks.h"

#include <string.h>

const uint32_t tl_sha256_constants[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf,
    0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
    0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7,
    0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
    0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
    0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e,
    0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c,
    0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee,
    0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2};

void
tl_sha256_init (TlSha256 *sha)
{
  static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372,
      0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

  memcpy (sha->state, initial, sizeof initial);
  sha->n_bytes = 0;
  sha->process = NULL;
}

static uint32_t
rotate (uint32_t x, int n)
{
  return x >> n | x << (32 - n);
}

static void
expand_block (uint32_t w[64], const uint8_t *block)
{
  for (int i = 0; i < 16; i++)
    w[i] = (uint32_t) block[4 * i] << 24 | (uint32_t) block[4 * i + 1] << 16
        | (uint32_t) block[4 * i + 2] << 8 | block[4 * i + 3];
  for (int i = 16; i < 64; i++) {
    uint32_t a = w[i - 15], b = w[i - 2];

    w[i] = w[i - 16] + (rotate (a, 7) ^ rotate (a, 18) ^ a >> 3) + w[i - 7]
        + (rotate (b, 17) ^ rotate (b, 19) ^ b >> 10);
  }
}

/* One round. The eight words keep their places; it is their names a to h that
 * move one place on with each round, so that nothing is copied. */
static inline void
run_round (uint32_t s[8], unsigned round, uint32_t input)
{
  uint32_t *const a = &s[-round & 7], *const d = &s[(3 - round) & 7];
  uint32_t *const e = &s[(4 - round) & 7], *const h = &s[(7 - round) & 7];
  const uint32_t b = s[(1 - round) & 7], c = s[(2 - round) & 7];
  const uint32_t f = s[(5 - round) & 7], g = s[(6 - round) & 7];
  uint32_t t1 = *h + (rotate (*e, 6) ^ rotate (*e, 11) ^ rotate (*e, 25))
      + ((*e & f) ^ (~*e & g)) + tl_sha256_constants[round] + input;
  uint32_t t2 = (rotate (*a, 2) ^ rotate (*a, 13) ^ rotate (*a, 22))
      + ((*a & b) ^ (*a & c) ^ (b & c));

  *d += t1;
  *h = t1 + t2;
}

void
tl_sha256_process_portable (uint32_t state[8], const uint8_t *blocks,
    size_t n_blocks)
{
  for (; n_blocks > 0; n_blocks--, blocks += 64) {
    uint32_t w[64], s[8];

    expand_block (w, blocks);
    memcpy (s, state, sizeof s);
    for (unsigned i = 0; i < 64; i += 8)
      for (unsigned k = 0; k < 8; k++)
        run_round (s, i + k, w[i + k]);
    for (int i = 0; i < 8; i++)
      state[i] += s[i];
  }
}

static void
process (TlSha256 *sha, const uint8_t *blocks, size_t n_blocks)
{
  if (!sha->process) {
    TlSha256Process accelerated = tl_sha256_find_accelerated ();

    sha->process = accelerated ? accelerated : tl_sha256_process_portable;
  }
  sha->process (sha->state, blocks, n_blocks);
}

void
tl_sha256_update (TlSha256 *sha, const void *bytes, size_t n)
{
  const uint8_t *p = bytes;
  size_t waiting = sha->n_bytes % 64;

  if (n == 0)
    return;
  sha->n_bytes += n;
  if (waiting > 0) {
    size_t taken = n < 64 - waiting ? n : 64 - waiting;

    memcpy (sha->block + waiting, p, taken);
    if (waiting + taken < 64)
      return;
    process (sha, sha->block, 1);
    p += taken;
    n -= taken;
  }
  if (n >= 64)
    process (sha, p, n / 64);
  if (n % 64 > 0)
    memcpy (sha->block, p + (n - n % 64), n % 64);
}

void
tl_sha256_final (TlSha256 *sha, uint8_t digest[32])
{
  static const uint8_t padding[64] = {0x80};
  uint64_t n_bits = sha->n_bytes * 8;
  uint8_t length[8];

  for (int i = 0; i < 8; i++)
    length[i] = (uint8_t) (n_bits >> (56 - 8 * i));
  /* Up to 8 bytes before the end of a block, which the length then fills. */
  tl_sha256_update (sha, padding, 1 + (119 - sha->n_bytes % 64) % 64);
  tl_sha256_update (sha, length, sizeof length);
  for (int i = 0; i < 32; i++)
    digest[i] = (uint8_t) (sha->state[i / 4] >> (24 - 8 * (i % 4)));
}

void
tl_sha256_final_hex (TlSha256 *sha, char hex[TL_SHA256_HEX_SIZE])
{
  static const char digits[] = "0123456789abcdef";
  uint8_t digest[32];

  tl_sha256_final (sha, digest);
  for (int i = 0; i < 32; i++) {
    hex[2 * i] = digits[digest[i] >> 4];
    hex[2 * i + 1] = digits[digest[i] & 15];
  }
  hex[64] = '\0';
}
