/* SPDX-License-Identifier: BSD-3-Clause */

/* Antialiased bilinear and bicubic resizing of 8-bit RGB, to the bit what
 * Pillow's Image.resize() gives (without reducing_gap): two passes with 22-bit
 * fixed-point weights and 8 bits in between, the horizontal one first unless
 * the height shrinks much more than the width (Pillow 13).
 *
 * Knows neither GStreamer nor torch. */

#ifndef TL_RESIZE_H
#define TL_RESIZE_H

#include "tlcrop.h"
#include "tlstatus.h"

#include <stddef.h>
#include <stdint.h>

typedef enum
{
  TL_FILTER_BILINEAR,
  TL_FILTER_BICUBIC
} TlFilter;

/* Packed RGB rows of a picture of @width x @height pixels. @data points to
 * column @first_column of row @first_row; rows and columns that a call does not
 * need (tl_resize_span()) may be missing. Borrowed. */
typedef struct
{
  const uint8_t *data;
  size_t stride;
  uint32_t width, height;
  uint32_t first_row, first_column;
} TlPixels;

/* Weights and intermediate rows, reused from call to call. One thread at a
 * time. */
typedef struct TlResizer TlResizer;

TlResizer *tl_resizer_new (void);
void tl_resizer_free (TlResizer *resizer);

/* The source rows (or columns) [*first, *first + *n) that rows
 * [@out_first, @out_first + @out_n) of the result need, when a side of
 * @in_size is resized to @out_size. */
void tl_resize_span (uint32_t in_size, uint32_t out_size, TlFilter filter,
    uint32_t out_first, uint32_t out_n, uint32_t *first, uint32_t *n);

/* Resizes @source to @width x @height and writes @window of that to
 * @destination (rows of @stride bytes). All sizes are at least 1 and at most
 * 2^30. TL_ERROR_MEMORY if scratch memory cannot be had. */
TlStatus tl_resizer_run (TlResizer *resizer, const TlPixels *source,
    TlFilter filter, uint32_t width, uint32_t height, const TlBox *window,
    uint8_t *destination, size_t stride, TlError *error);

#endif
