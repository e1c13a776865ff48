/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlrandom.h"

#include <math.h>

#define ROUNDS 10
#define MULTIPLIER_0 0xD2511F53u
#define MULTIPLIER_1 0xCD9E8D57u
#define WEYL_0 0x9E3779B9u
#define WEYL_1 0xBB67AE85u

void
tl_random_block (uint64_t seed, uint32_t view, uint64_t index, uint32_t draw,
    uint32_t words[4])
{
  uint32_t c0 = (uint32_t) index, c1 = (uint32_t) (index >> 32);
  uint32_t c2 = view, c3 = draw;
  uint32_t k0 = (uint32_t) seed, k1 = (uint32_t) (seed >> 32);

  for (int round = 0; round < ROUNDS; round++) {
    uint64_t p0 = (uint64_t) MULTIPLIER_0 * c0;
    uint64_t p1 = (uint64_t) MULTIPLIER_1 * c2;

    c0 = (uint32_t) (p1 >> 32) ^ c1 ^ k0;
    c1 = (uint32_t) p1;
    c2 = (uint32_t) (p0 >> 32) ^ c3 ^ k1;
    c3 = (uint32_t) p0;
    k0 += WEYL_0;
    k1 += WEYL_1;
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
}

uint64_t
tl_random_u64 (uint64_t seed, uint32_t view, uint64_t index, uint32_t draw)
{
  uint32_t words[4];

  tl_random_block (seed, view, index, draw, words);
  return (uint64_t) words[1] << 32 | words[0];
}

double
tl_random_uniform (uint64_t seed, uint32_t view, uint64_t index, uint32_t draw)
{
  return (double) (tl_random_u64 (seed, view, index, draw) >> 11) * 0x1p-53;
}

uint64_t
tl_random_below (uint64_t seed, uint32_t view, uint64_t index, uint32_t draw,
    uint64_t n)
{
  uint64_t bits = tl_random_u64 (seed, view, index, draw);

  return (uint64_t) (((unsigned __int128) bits * n) >> 64);
}

double
tl_random_normal (uint64_t seed, uint32_t view, uint64_t index, uint32_t draw)
{
  uint32_t words[4];
  double u, v;

  tl_random_block (seed, view, index, draw, words);
  /* u in (0, 1], so that the logarithm is finite. */
  u = ((double) ((((uint64_t) words[1] << 32) | words[0]) >> 11) + 1) * 0x1p-53;
  v = (double) ((((uint64_t) words[3] << 32) | words[2]) >> 11) * 0x1p-53;
  return sqrt (-2 * log (u)) * cos (2 * M_PI * v);
}
