/* SPDX-License-Identifier: BSD-3-Clause */

/* Rotation of 8-bit RGB rows about the centre of the picture, as torchvision's
 * rotate() on PIL images (expand=False, fill=0): to the bit what Pillow's
 * Image.rotate() gives, where the sides are below 32768 for NEAREST.
 *
 * Knows neither GStreamer nor torch. */

#ifndef TL_ROTATE_H
#define TL_ROTATE_H

#include "tlpixel.h"

#include <tlstatus.h>

typedef enum
{
  TL_ROTATE_NEAREST, /* torchvision's default */
  TL_ROTATE_BILINEAR
} TlRotateFilter;

/* A copy of the picture to read from, reused from call to call: it keeps the
 * memory of the largest so far, 4 bytes per pixel. One thread at a time. */
typedef struct TlRotator TlRotator;

/* NULL if there is no memory; *transferred*. */
TlRotator *tl_rotator_new (void);
void tl_rotator_free (TlRotator *rotator);

/* Turns @raster in place, counter-clockwise, by @degrees (finite). What comes
 * from outside the picture is black. TL_ERROR_MEMORY if the copy cannot be
 * made: then @raster is as it was. */
TlStatus tl_rotator_run (TlRotator *rotator, const TlRaster *raster,
    double degrees, TlRotateFilter filter, TlError *error);

#endif
