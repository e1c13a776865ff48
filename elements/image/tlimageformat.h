/* SPDX-License-Identifier: BSD-3-Clause */

/* What tlimage asks of each file format; internal. */

#ifndef TL_IMAGE_FORMAT_H
#define TL_IMAGE_FORMAT_H

#include "tlimage.h"

/* The part of a picture that is wanted, and where it goes: the pixel (part.x,
 * part.y) to data. Part and size are set before a format is called; the format
 * calls tl_image_target_reserve() and may decode more than it was asked for. */
typedef struct
{
  unsigned shrink; /* to 1 / shrink, rounded up: 1; for JPEG also 2, 4, 8 */
  TlBox part;      /* of the shrunk picture */
  uint32_t width, height; /* of the whole shrunk picture */
  uint8_t *data;
  size_t capacity;
  size_t stride;
} TlImageTarget;

/* Makes room, zeroed, for the wanted rows in their whole width. TL_ERROR_FORMAT
 * if the picture has other sides (@width, @height) than its header said,
 * TL_ERROR_MEMORY. */
TlStatus tl_image_target_reserve (TlImageTarget *target, uint32_t width,
    uint32_t height, TlError *error);

/* The same for a format that has set the part to the columns it decodes. */
TlStatus tl_image_target_reserve_part (TlImageTarget *target, uint32_t width,
    uint32_t height, TlError *error);

/* Where row @y of the picture goes, or NULL if it is not wanted. */
static inline uint8_t *
tl_image_target_row (const TlImageTarget *target, uint32_t y)
{
  uint32_t row = y - target->part.y;

  return y >= target->part.y && row < target->part.height
      ? target->data + row * target->stride
      : NULL;
}

/* TL_ERROR_FORMAT for an empty picture, TL_ERROR_LIMIT for one too large. */
TlStatus tl_image_check_size (uint64_t width, uint64_t height,
    const TlImageOptions *options, TlError *error);

/* Tells the kind of a file by its first bytes. TL_ERROR_FORMAT for what is no
 * picture, TL_ERROR_UNSUPPORTED for a kind of picture that is not taken. */
TlStatus tl_image_find_kind (const uint8_t *data, size_t size,
    TlImageKind *kind, TlError *error);

/* For each format: the size that its header states; the wanted pixels; and
 * where there can be one, the EXIF orientation that it carries, 0 if none. */
TlStatus tl_jpeg_probe (const uint8_t *data, size_t size, TlImageInfo *info,
    TlError *error);
TlStatus tl_jpeg_decode (const uint8_t *data, size_t size,
    const TlImageOptions *options, TlImageTarget *target, TlError *error);
unsigned tl_jpeg_orientation (const uint8_t *data, size_t size);

TlStatus tl_png_probe (const uint8_t *data, size_t size, TlImageInfo *info,
    TlError *error);
TlStatus tl_png_decode (const uint8_t *data, size_t size,
    const TlImageOptions *options, TlImageTarget *target, TlError *error);
unsigned tl_png_orientation (const uint8_t *data, size_t size);

TlStatus tl_webp_probe (const uint8_t *data, size_t size, TlImageInfo *info,
    TlError *error);
TlStatus tl_webp_decode (const uint8_t *data, size_t size,
    const TlImageOptions *options, TlImageTarget *target, TlError *error);
unsigned tl_webp_orientation (const uint8_t *data, size_t size);

TlStatus tl_bmp_probe (const uint8_t *data, size_t size, TlImageInfo *info,
    TlError *error);
TlStatus tl_bmp_decode (const uint8_t *data, size_t size,
    const TlImageOptions *options, TlImageTarget *target, TlError *error);

/* Sets the orientation too, which of a TIFF is always carried out. */
TlStatus tl_tiff_probe (const uint8_t *data, size_t size, TlImageInfo *info,
    TlError *error);
TlStatus tl_tiff_decode (const uint8_t *data, size_t size,
    const TlImageOptions *options, TlImageTarget *target, TlError *error);

TlStatus tl_pnm_probe (const uint8_t *data, size_t size, TlImageInfo *info,
    TlError *error);
TlStatus tl_pnm_decode (const uint8_t *data, size_t size,
    const TlImageOptions *options, TlImageTarget *target, TlError *error);

#endif
