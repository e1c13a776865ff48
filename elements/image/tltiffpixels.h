/* SPDX-License-Identifier: BSD-3-Clause */

/* Samples of a TIFF picture to RGB, with Pillow's values, which libtiff's own
 * conversion does not give. */

#ifndef TL_TIFF_PIXELS_H
#define TL_TIFF_PIXELS_H

#include "tlimageformat.h"
#include "tltifflayout.h"

/* Puts the block whose first pixel is (@x, @y) of the picture where @target
 * wants it, without what reaches past the picture. @block: borrowed, one plane
 * after the other, each @plane_bytes long, in rows of layout->row_bytes; values
 * of 16 bits in the order of this machine. */
void tl_tiff_put_block (const TlTiffLayout *layout, const uint8_t *block,
    size_t plane_bytes, uint32_t x, uint32_t y, TlImageTarget *target);

#endif
