/* SPDX-License-Identifier: BSD-3-Clause */

/* SHA-256 with the SHA extensions of x86 (Intel 64 and IA-32 Architectures
 * Software Developer's Manual, volume 2, SHA256RNDS2, SHA256MSG1 and
 * SHA256MSG2). */

#include "tlsha256blocks.h"

#ifdef __x86_64__

#include <cpuid.h>
#include <immintrin.h>

#define SHA __attribute__ ((target ("sha,sse4.1")))

/* The next four words of the schedule: @w has the last sixteen, and of these
 * the oldest four in w[i % 4]. */
SHA static __m128i
extend (const __m128i w[4], unsigned i)
{
  const __m128i newest = w[(i + 3) % 4];
  const __m128i back7 = _mm_alignr_epi8 (newest, w[(i + 2) % 4], 4);
  const __m128i sum = _mm_sha256msg1_epu32 (w[i % 4], w[(i + 1) % 4]);

  return _mm_sha256msg2_epu32 (_mm_add_epi32 (sum, back7), newest);
}

/* The instructions want the words a b e f and c d g h together. */
SHA static void
process_block (__m128i *abef, __m128i *cdgh, const uint8_t *block)
{
  const __m128i big_endian =
      _mm_set_epi64x (0x0c0d0e0f08090a0b, 0x0405060700010203);
  const __m128i abef_before = *abef, cdgh_before = *cdgh;
  __m128i w[4];

  for (unsigned i = 0; i < 16; i++) {
    __m128i input;

    if (i < 4)
      w[i] = _mm_shuffle_epi8 (_mm_loadu_si128 ((const __m128i *) block + i),
          big_endian);
    else
      w[i % 4] = extend (w, i);
    input = _mm_add_epi32 (w[i % 4],
        _mm_loadu_si128 ((const __m128i *) (tl_sha256_constants + 4 * i)));
    *cdgh = _mm_sha256rnds2_epu32 (*cdgh, *abef, input);
    *abef = _mm_sha256rnds2_epu32 (*abef, *cdgh, _mm_shuffle_epi32 (input, 14));
  }
  *abef = _mm_add_epi32 (*abef, abef_before);
  *cdgh = _mm_add_epi32 (*cdgh, cdgh_before);
}

SHA static void
process (uint32_t state[8], const uint8_t *blocks, size_t n_blocks)
{
  const __m128i abcd = _mm_loadu_si128 ((const __m128i *) state);
  const __m128i efgh = _mm_loadu_si128 ((const __m128i *) (state + 4));
  const __m128i badc = _mm_shuffle_epi32 (abcd, 0xb1);
  const __m128i hgfe = _mm_shuffle_epi32 (efgh, 0x1b);
  __m128i abef = _mm_alignr_epi8 (badc, hgfe, 8);
  __m128i cdgh = _mm_blend_epi16 (hgfe, badc, 0xf0);
  __m128i feba, dchg;

  for (; n_blocks > 0; n_blocks--, blocks += 64)
    process_block (&abef, &cdgh, blocks);
  feba = _mm_shuffle_epi32 (abef, 0x1b);
  dchg = _mm_shuffle_epi32 (cdgh, 0xb1);
  _mm_storeu_si128 ((__m128i *) state, _mm_blend_epi16 (feba, dchg, 0xf0));
  _mm_storeu_si128 ((__m128i *) (state + 4), _mm_alignr_epi8 (dchg, feba, 8));
}

TlSha256Process
tl_sha256_find_accelerated (void)
{
  unsigned a, b, c, d;
  int has_sse41 =
      __get_cpuid (1, &a, &b, &c, &d) && c & bit_SSE4_1 && c & bit_SSSE3;

  return has_sse41 && __get_cpuid_count (7, 0, &a, &b, &c, &d) && b & bit_SHA
      ? process
      : NULL;
}

#else

TlSha256Process
tl_sha256_find_accelerated (void)
{
  return NULL;
}

#endif
