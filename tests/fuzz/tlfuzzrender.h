/* SPDX-License-Identifier: BSD-3-Clause */

/* Any bytes through imagedecode's core: probe, crop plan, render. */

#ifndef TL_FUZZ_RENDER_H
#define TL_FUZZ_RENDER_H

#include <stddef.h>
#include <stdint.h>

/* An input is this many bytes of options and then the file. */
#define TL_FUZZ_OPTIONS 8

/* Byte 0 of the options; the others are sizes and places. */
enum
{
  TL_FUZZ_ACCEPT_TRUNCATED = 1,
  TL_FUZZ_AUTO_ORIENT = 2,
  TL_FUZZ_MAY_SHRINK = 4,
  TL_FUZZ_BICUBIC = 8,
  TL_FUZZ_SMALL_LIMIT = 16, /* 256 pixels, otherwise 128x128 */
};

/* Aborts if a promise of tlimage.h is broken: an error without a message, a
 * picture larger than the limit, pixels that change from one call to the next
 * or that depend on how much of the picture was asked for. */
void tl_fuzz_render (const uint8_t *data, size_t size);

#endif
