/* SPDX-License-Identifier: BSD-3-Clause */

/* What tlimage asks of each file format; internal. */

#ifndef TL_IMAGE_FORMAT_H
#define TL_IMAGE_FORMAT_H

#include "tlimage.h"

/* Rows wanted by the caller, and where they go: row first_row + i at
 * rows + i * stride. The format calls tl_image_rows_reserve() once it knows
 * the size. */
typedef struct
{
  uint8_t *data;
  size_t capacity;
  size_t stride;
  uint32_t width, height; /* of the whole picture after shrinking */
  uint32_t first_row, n_rows;
} TlImageRows;

/* Makes room for the wanted rows of a picture of @width x @height, zeroed.
 * TL_ERROR_MEMORY. */
TlStatus tl_image_rows_reserve (TlImageRows *rows, uint32_t width,
    uint32_t height, TlError *error);

/* TL_ERROR_FORMAT for an empty picture, TL_ERROR_LIMIT for one too large. */
TlStatus tl_image_check_size (uint64_t width, uint64_t height,
    const TlImageLimits *limits, TlError *error);

TlStatus tl_jpeg_probe (const uint8_t *data, size_t size, TlImageInfo *info,
    TlError *error);
TlStatus tl_jpeg_decode (const uint8_t *data, size_t size,
    const TlImageLimits *limits, unsigned shrink, TlImageRows *rows,
    TlError *error);

TlStatus tl_png_probe (const uint8_t *data, size_t size, TlImageInfo *info,
    TlError *error);
TlStatus tl_png_decode (const uint8_t *data, size_t size,
    const TlImageLimits *limits, TlImageRows *rows, TlError *error);

#endif
