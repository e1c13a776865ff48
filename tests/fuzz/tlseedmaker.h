/* SPDX-License-Identifier: BSD-3-Clause */

/* Between tlseeds.c and the makers of each format; internal. */

#ifndef TL_SEED_MAKER_H
#define TL_SEED_MAKER_H

#include "tlseeds.h"

typedef struct
{
  TlSeedFunc func;
  void *user;
} TlSeedSink;

void tl_seed_give (const TlSeedSink *sink, const char *name,
    const uint8_t *data, size_t size);

/* The sample of channel @c at (@x, @y): ramps and some noise, 0..255. */
uint8_t tl_seed_sample (uint32_t x, uint32_t y, uint32_t c);

#define TL_SEED_EXIF_SIZE 26

/* A TIFF structure that says no more than the orientation. */
void tl_seed_exif (uint8_t orientation, uint8_t exif[TL_SEED_EXIF_SIZE]);

void tl_seed_make_jpeg (const TlSeedSink *sink);
void tl_seed_make_png (const TlSeedSink *sink);
void tl_seed_make_webp (const TlSeedSink *sink);
void tl_seed_make_bmp (const TlSeedSink *sink);
void tl_seed_make_tiff (const TlSeedSink *sink);
void tl_seed_make_pnm (const TlSeedSink *sink);

#endif
