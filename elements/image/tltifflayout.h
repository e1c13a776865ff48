/* SPDX-License-Identifier: BSD-3-Clause */

/* What the tags of a TIFF page say of its pixels. */

#ifndef TL_TIFF_LAYOUT_H
#define TL_TIFF_LAYOUT_H

#include <tlstatus.h>

#include <stddef.h>
#include <stdint.h>

#include <tiffio.h>

#define TL_TIFF_CHANNELS 3
/* Colours, alpha and one more; 16 bits each. */
#define TL_TIFF_MAX_SAMPLES 6

/* Blocks are tiles or strips: pixels of block_width x block_height, those of the
 * last ones reach past the picture. Where the planes are separate, each sample
 * of a block has a buffer of its own. The other fields hold libtiff's constants
 * (PHOTOMETRIC_RGB, EXTRASAMPLE_ASSOCALPHA, ...). */
typedef struct
{
  uint32_t width, height;
  uint16_t bits, samples, photometric, planar, compression, alpha;
  unsigned n_planes; /* buffers of a block */
  uint32_t block_width, block_height;
  size_t row_bytes; /* of a block, in one plane */
  uint8_t palette[256][TL_TIFF_CHANNELS];
} TlTiffLayout;

/* Both sides in pixels, as the page says; not limited. TL_ERROR_FORMAT if it
 * does not say. @tiff is borrowed, here and below; one thread at a time. */
TlStatus tl_tiff_read_sides (TIFF *tiff, uint32_t *width, uint32_t *height,
    TlError *error);

/* Reads the tags into @layout, all but n_planes and row_bytes, which depend on
 * how the pixels are read. TL_ERROR_UNSUPPORTED, TL_ERROR_FORMAT or, for blocks
 * much larger than the picture, TL_ERROR_LIMIT, with a sentence. */
TlStatus tl_tiff_layout_read (TlTiffLayout *layout, TIFF *tiff, TlError *error);

#endif
