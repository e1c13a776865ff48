/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlcrc32.h"
#include "tlbytes.h"

#define POLYNOMIAL UINT32_C (0xedb88320)
#define N_SLICES 8

/* tables[s][b]: what the byte b gives when s bytes of zero follow it. */
static void
fill_tables (uint32_t tables[N_SLICES][256])
{
  for (uint32_t b = 0; b < 256; b++) {
    uint32_t crc = b;

    for (int i = 0; i < 8; i++)
      crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
    tables[0][b] = crc;
  }
  for (int s = 1; s < N_SLICES; s++) {
    for (uint32_t b = 0; b < 256; b++) {
      uint32_t crc = tables[s - 1][b];

      tables[s][b] = crc >> 8 ^ tables[0][crc & 0xff];
    }
  }
}

/* Eight bytes at a time: one at a time, a ResNet-152 takes most of a second. */
uint32_t
tl_crc32 (const void *bytes, size_t n)
{
  uint32_t t[N_SLICES][256];
  uint32_t crc = UINT32_MAX;
  const uint8_t *p = bytes;

  fill_tables (t);
  for (; n >= N_SLICES; n -= N_SLICES, p += N_SLICES) {
    uint32_t low = tl_get_u32 (p) ^ crc, high = tl_get_u32 (p + 4);

    crc = t[7][low & 0xff] ^ t[6][low >> 8 & 0xff] ^ t[5][low >> 16 & 0xff]
        ^ t[4][low >> 24] ^ t[3][high & 0xff] ^ t[2][high >> 8 & 0xff]
        ^ t[1][high >> 16 & 0xff] ^ t[0][high >> 24];
  }
  for (; n > 0; n--, p++)
    crc = crc >> 8 ^ t[0][(crc ^ *p) & 0xff];
  return ~crc;
}
