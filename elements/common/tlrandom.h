/* SPDX-License-Identifier: BSD-3-Clause */

/* Counter-based randomness: every draw is a pure function of (seed, view,
 * index, draw), so that threads, queues, skipped files and restarts cannot
 * change a result. Philox4x32-10 (Salmon et al., "Parallel random numbers: as
 * easy as 1, 2, 3", SC11), key = seed, counter = (index, view, draw).
 *
 * Knows neither GStreamer nor torch. */

#ifndef TL_RANDOM_H
#define TL_RANDOM_H

#include <stdint.h>

#include "tlapi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Draw numbers by purpose; a purpose may use the 256 numbers from its own on.
 * They are part of what makes a run repeatable: never renumber them. */
enum
{
  TL_DRAW_CROP = 0x000,      /* imagedecode: random-resized crop */
  TL_DRAW_FLIP = 0x100,      /* augment */
  TL_DRAW_COLOR = 0x200,     /* augment: order of operations, factors */
  TL_DRAW_ROTATE = 0x300,    /* augment */
  TL_DRAW_ERASE = 0x400,     /* augment */
  TL_DRAW_ORDER = 0x10000,   /* order of an epoch: view = epoch */
  TL_DRAW_SUBSET = 0x10100,  /* datasetsrc max-samples */
  TL_DRAW_WEIGHTS = 0x20000, /* new head and random weights */
};

/* The four 32-bit words of one Philox4x32-10 block. */
TL_API void tl_random_block (uint64_t seed, uint32_t view, uint64_t index,
    uint32_t draw, uint32_t words[4]);

/* 64 random bits. */
TL_API uint64_t tl_random_u64 (uint64_t seed, uint32_t view, uint64_t index,
    uint32_t draw);

/* Uniform in [0, 1), 53 bits. */
TL_API double tl_random_uniform (uint64_t seed, uint32_t view, uint64_t index,
    uint32_t draw);

/* Uniform in [0, n) without bias worth speaking of (64-bit multiply-shift);
 * n must be positive. */
TL_API uint64_t tl_random_below (uint64_t seed, uint32_t view, uint64_t index,
    uint32_t draw, uint64_t n);

/* Standard normal (Box-Muller on the block's words). */
TL_API double tl_random_normal (uint64_t seed, uint32_t view, uint64_t index,
    uint32_t draw);

#ifdef __cplusplus
}
#endif

#endif
