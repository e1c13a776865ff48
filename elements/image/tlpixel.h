/* SPDX-License-Identifier: BSD-3-Clause */

/* Colour and flip operations in place on 8-bit RGB rows, with the semantics of
 * torchvision's transforms on PIL images: brightness, contrast and saturation
 * to the bit, hue within one level.
 *
 * Knows neither GStreamer nor torch. Any thread. */

#ifndef TL_PIXEL_H
#define TL_PIXEL_H

#include <stddef.h>
#include <stdint.h>

/* Rows of @width RGB pixels, @stride bytes apart (padding is left alone).
 * Borrowed. */
typedef struct
{
  uint8_t *data;
  size_t stride;
  uint32_t width, height;
} TlRaster;

/* Mirrors left and right; top and bottom. */
void tl_pixel_flip_horizontal (const TlRaster *raster);
void tl_pixel_flip_vertical (const TlRaster *raster);

/* Blends with black, with the mean grey, with the grey picture: 0 gives that,
 * 1 the picture, more goes beyond it. @factor >= 0. */
void tl_pixel_brightness (const TlRaster *raster, double factor);
void tl_pixel_contrast (const TlRaster *raster, double factor);
void tl_pixel_saturation (const TlRaster *raster, double factor);

/* Turns the hue by @shift of a full circle, -0.5 to 0.5. */
void tl_pixel_hue (const TlRaster *raster, double shift);

#endif
