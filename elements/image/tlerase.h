/* SPDX-License-Identifier: BSD-3-Clause */

/* torchvision's RandomErasing on 8-bit RGB rows, with its scale of 0.02 to 0.33
 * of the area and its ratio of 0.3 to 3.3.
 *
 * Knows neither GStreamer nor torch. Any thread. */

#ifndef TL_ERASE_H
#define TL_ERASE_H

#include "tlcrop.h"
#include "tlpixel.h"

#include <stdbool.h>
#include <stdint.h>

/* Draws TL_DRAW_ERASE of (@seed, @view, @index): with @probability (0 to 1) a
 * rectangle smaller than a picture of @width x @height on both sides. FALSE if
 * nothing is erased: it was not drawn, or ten rectangles did not fit. A side may
 * round to 0. */
bool tl_erase_draw (double probability, uint32_t width, uint32_t height,
    uint64_t seed, uint32_t view, uint64_t index, TlBox *box);

/* Sets all channels inside @box, which lies in the picture, to @value. */
void tl_erase_apply (const TlRaster *raster, const TlBox *box, uint8_t value);

#endif
