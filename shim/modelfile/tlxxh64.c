/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlxxh64.h"
#include "tlbytes.h"

#include <string.h>

#define PRIME1 UINT64_C (0x9e3779b185ebca87)
#define PRIME2 UINT64_C (0xc2b2ae3d27d4eb4f)
#define PRIME3 UINT64_C (0x165667b19e3779f9)
#define PRIME4 UINT64_C (0x85ebca77c2b2ae63)
#define PRIME5 UINT64_C (0x27d4eb2f165667c5)

void
tl_xxh64_init (TlXxh64 *xxh)
{
  xxh->lanes[0] = PRIME1 + PRIME2;
  xxh->lanes[1] = PRIME2;
  xxh->lanes[2] = 0;
  xxh->lanes[3] = -PRIME1;
  xxh->n_bytes = 0;
}

static inline uint64_t
rotate (uint64_t x, int n)
{
  return x << n | x >> (64 - n);
}

static inline uint64_t
mix (uint64_t lane, uint64_t input)
{
  return rotate (lane + input * PRIME2, 31) * PRIME1;
}

/* @n is a multiple of 32. */
static void
process_blocks (TlXxh64 *xxh, const uint8_t *p, size_t n)
{
  uint64_t a = xxh->lanes[0], b = xxh->lanes[1];
  uint64_t c = xxh->lanes[2], d = xxh->lanes[3];

  for (const uint8_t *end = p + n; p < end; p += 32) {
    a = mix (a, tl_get_u64 (p));
    b = mix (b, tl_get_u64 (p + 8));
    c = mix (c, tl_get_u64 (p + 16));
    d = mix (d, tl_get_u64 (p + 24));
  }
  xxh->lanes[0] = a;
  xxh->lanes[1] = b;
  xxh->lanes[2] = c;
  xxh->lanes[3] = d;
}

void
tl_xxh64_update (TlXxh64 *xxh, const void *bytes, size_t n)
{
  const uint8_t *p = bytes;
  size_t waiting = xxh->n_bytes % 32;

  if (n == 0)
    return;
  xxh->n_bytes += n;
  if (waiting > 0) {
    size_t taken = n < 32 - waiting ? n : 32 - waiting;

    memcpy (xxh->block + waiting, p, taken);
    if (waiting + taken < 32)
      return;
    process_blocks (xxh, xxh->block, 32);
    p += taken;
    n -= taken;
  }
  process_blocks (xxh, p, n - n % 32);
  if (n % 32 > 0)
    memcpy (xxh->block, p + (n - n % 32), n % 32);
}

static uint64_t
merge_lanes (const TlXxh64 *xxh)
{
  const uint64_t *v = xxh->lanes;
  uint64_t h = rotate (v[0], 1) + rotate (v[1], 7) + rotate (v[2], 12)
      + rotate (v[3], 18);

  for (int i = 0; i < 4; i++)
    h = (h ^ mix (0, v[i])) * PRIME1 + PRIME4;
  return h;
}

/* The bytes behind the last whole block. */
static uint64_t
add_rest (uint64_t h, const uint8_t *p, size_t n)
{
  for (; n >= 8; p += 8, n -= 8)
    h = rotate (h ^ mix (0, tl_get_u64 (p)), 27) * PRIME1 + PRIME4;
  for (; n >= 4; p += 4, n -= 4)
    h = rotate (h ^ tl_get_u32 (p) * PRIME1, 23) * PRIME2 + PRIME3;
  for (; n > 0; p++, n--)
    h = rotate (h ^ *p * PRIME5, 11) * PRIME1;
  return h;
}

uint64_t
tl_xxh64_value (const TlXxh64 *xxh)
{
  uint64_t h = xxh->n_bytes >= 32 ? merge_lanes (xxh) : PRIME5;

  h = add_rest (h + xxh->n_bytes, xxh->block, xxh->n_bytes % 32);
  h = (h ^ h >> 33) * PRIME2;
  h = (h ^ h >> 29) * PRIME3;
  return h ^ h >> 32;
}
