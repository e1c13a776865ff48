/* SPDX-License-Identifier: BSD-3-Clause */

/* Rows of unpacked video to 8-bit RGB. An unpacked row has four samples of 8 or
 * 16 bits per pixel: alpha and three components (GStreamer's AYUV, ARGB, AYUV64
 * and ARGB64). Where chroma has fewer columns than luma its samples are
 * repeated there; here they are interpolated.
 *
 * Knows neither GStreamer nor torch. Any thread. Components are counted from 0;
 * samples keep the scale of the row, 0 to 255 or 65535. */

#ifndef TL_COLOUR_H
#define TL_COLOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct
{
  const void *data;
  bool is_wide; /* 16 bits a sample, of the machine's byte order */
} TlUnpackedRow;

/* Channel c = offsets[c] + sum of weights[c][i] x component i, rounded to the
 * nearest level of 0 to 255. */
typedef struct
{
  float weights[3][3];
  float offsets[3];
} TlColourMatrix;

/* Samples @first, @first + @step... of @component. */
void tl_colour_take (const TlUnpackedRow *row, unsigned component, size_t first,
    size_t step, size_t n, float *samples);

/* (1 - @weight) x @a + @weight x @b. */
void tl_colour_blend (const float *a, const float *b, float weight, size_t n,
    float *samples);

/* Interpolates between @n samples that stand for @factor (2 or 4) columns each;
 * the first two of them are for the columns -@factor to -1 and from 0 on. A
 * sample lies @offset columns right of the first of its own: 0 to @factor - 1.
 * Writes (@n - 2) x @factor samples, from column 0 on. */
void tl_colour_widen (const float *samples, size_t n, unsigned factor,
    float offset, float *wide);

/* RGB of @n pixels. */
void tl_colour_convert (const TlColourMatrix *matrix, const float *const *from,
    size_t n, uint8_t *rgb);

/* Without any matrix, from pixel @first on: RGB as it is, and component 0 as
 * grey. Of 16 bits the upper 8 are taken, as where pictures are decoded. */
void tl_colour_copy (const TlUnpackedRow *row, size_t first, size_t n,
    uint8_t *rgb);
void tl_colour_copy_grey (const TlUnpackedRow *row, size_t first, size_t n,
    uint8_t *rgb);

#endif
