/* SPDX-License-Identifier: BSD-3-Clause */

/* Encoded bytes to RGB pixels: JPEG, PNG, WebP, BMP, TIFF and PNM, told apart
 * by their first bytes, never by a file name. Of several pages or frames the
 * first is taken. Values are those of Pillow's convert("RGB"): alpha is
 * dropped, not composited; CMYK in JPEG is read as Adobe writes it (inverted);
 * colour profiles and gamma are not applied; a TIFF is always oriented. Two
 * exceptions: of grey of more than 8 bits the high byte is taken, where Pillow
 * turns everything above 255 white; and YCbCr in a TIFF without compression
 * may differ by one level.
 *
 * Knows neither GStreamer nor torch. Safe on hostile bytes: no pixel is given
 * room before the size passed the limit. Memory beside the file and the output,
 * in bytes per pixel of the picture at most: BMP, PNG and PNM 3, JPEG 11
 * (progressive; else 3), WebP 9, TIFF 15 (16 bits in one strip; tiles may add
 * 48 MiB, lists of strips 32 MiB more than the file). A picture that is turned
 * takes 3 more, and resizing up to 3. */

#ifndef TL_IMAGE_H
#define TL_IMAGE_H

#include "tlcrop.h"
#include "tlresize.h"
#include "tlstatus.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The libraries that decode and their versions, without blanks. */
const char *tl_image_decoder_version (void);

typedef enum
{
  TL_IMAGE_JPEG,
  TL_IMAGE_PNG,
  TL_IMAGE_WEBP,
  TL_IMAGE_BMP,
  TL_IMAGE_TIFF,
  TL_IMAGE_PNM
} TlImageKind;

typedef struct
{
  TlImageKind kind;
  uint32_t width, height; /* pixels, at least 1; after orientation */
  unsigned orientation;   /* that is carried out: EXIF's 1 (none) to 8 */
} TlImageInfo;

typedef struct
{
  uint64_t max_pixels;   /* larger pictures are TL_ERROR_LIMIT */
  bool accept_truncated; /* keep what could be decoded, the rest is grey or
                            black; otherwise damaged data is an error */
  bool auto_orient;      /* turn the picture as its EXIF orientation says, as
                            Pillow's ImageOps.exif_transpose() does; an EXIF
                            block that cannot be read counts as absent */
} TlImageOptions;

/* Reads no more than the header and the orientation. TL_ERROR_FORMAT: no
 * picture, or a broken header. TL_ERROR_UNSUPPORTED: a kind of file or of
 * coding that is not decoded here. TL_ERROR_LIMIT: more than
 * @options->max_pixels pixels, or a side of more than 1,000,000.
 * @error->offset is set where the place of the fault is known. */
TlStatus tl_image_probe (const uint8_t *data, size_t size,
    const TlImageOptions *options, TlImageInfo *info, TlError *error);

/* Memory reused from picture to picture. One thread at a time. */
typedef struct TlImageDecoder TlImageDecoder;

TlImageDecoder *tl_image_decoder_new (void);
void tl_image_decoder_free (TlImageDecoder *decoder);

/* Decodes and carries out @plan, made for the picture of tl_image_probe() with
 * the same @options: @width x @height RGB pixels go to @destination in rows of
 * @stride bytes. The whole file is read, so that a damaged file fails whichever
 * part is asked for. With @may_shrink a JPEG whose crop is at least twice the
 * size it is resized to is decoded at 1/2, 1/4 or 1/8: faster, but no longer
 * Pillow's pixels.
 * TL_ERROR_ARGUMENT if the plan's source is not inside the picture; otherwise
 * TL_ERROR_FORMAT, TL_ERROR_LIMIT, TL_ERROR_UNSUPPORTED or TL_ERROR_MEMORY. */
TlStatus tl_image_render (TlImageDecoder *decoder, const uint8_t *data,
    size_t size, const TlImageOptions *options, const TlCropPlan *plan,
    TlFilter filter, bool may_shrink, uint32_t width, uint32_t height,
    uint8_t *destination, size_t stride, TlError *error);

/* The same from pixels that are already there (video frames, arrays). */
TlStatus tl_image_render_pixels (TlImageDecoder *decoder,
    const TlPixels *pixels, const TlCropPlan *plan, TlFilter filter,
    uint32_t width, uint32_t height, uint8_t *destination, size_t stride,
    TlError *error);

#endif
