/* SPDX-License-Identifier: BSD-3-Clause */

/* The orientation a camera wrote beside a picture, and how to carry it out.
 * Orientations are EXIF's: 1 as stored, 2 mirrored, 3 turned by 180 degrees,
 * 4 upside down, 5 transposed, 6 to be turned right, 7 transposed across the
 * other diagonal, 8 to be turned left.
 *
 * Knows neither GStreamer nor torch. Safe on hostile bytes: one directory is
 * read, nothing is followed and nothing is allocated; what is not understood
 * counts as absent. All functions may run on any thread. */

#ifndef TL_EXIF_H
#define TL_EXIF_H

#include "tlcrop.h"

#include <stddef.h>
#include <stdint.h>

#define TL_ORIENTATION_NORMAL 1

/* The orientation of an EXIF block, with or without "Exif\0\0" before it: tag
 * 274 of its first directory. 0 if there is none that is 1 to 8. */
unsigned tl_exif_orientation (const uint8_t *data, size_t size);

/* The same from an XMP packet: its first "tiff:Orientation". */
unsigned tl_xmp_orientation (const uint8_t *data, size_t size);

/* The part of a stored picture of @width x @height that becomes @box of the
 * oriented one. @box must lie inside the oriented picture. */
TlBox tl_orientation_stored_box (unsigned orientation, uint32_t width,
    uint32_t height, const TlBox *box);

/* The other way: where the stored @box comes to lie in the oriented picture. */
TlBox tl_orientation_oriented_box (unsigned orientation, uint32_t width,
    uint32_t height, const TlBox *box);

/* Whether width and height change places. */
static inline int
tl_orientation_swaps (unsigned orientation)
{
  return orientation >= 5;
}

/* Copies the @width x @height RGB pixels at @in (rows of @in_stride bytes),
 * oriented, to packed rows at @out. */
void tl_orientation_apply (unsigned orientation, const uint8_t *in,
    size_t in_stride, uint32_t width, uint32_t height, uint8_t *out);

#endif
