/* SPDX-License-Identifier: BSD-3-Clause */

#include "tltifflayout.h"

#include "tlfail.h"

#include <stdbool.h>

/* Tiles may reach past a small picture, but not without end. */
#define MAX_EXTRA_PIXELS (4u << 20)

TlStatus
tl_tiff_read_sides (TIFF *tiff, uint32_t *width, uint32_t *height,
    TlError *error)
{
  if (!TIFFGetField (tiff, TIFFTAG_IMAGEWIDTH, width)
      || !TIFFGetField (tiff, TIFFTAG_IMAGELENGTH, height))
    return tl_fail (error, TL_ERROR_FORMAT,
        "The TIFF picture does not say how large it is.");
  return TL_OK;
}

static uint16_t
get_tag (TIFF *tiff, ttag_t tag, uint16_t otherwise)
{
  uint16_t value = otherwise;

  TIFFGetFieldDefaulted (tiff, tag, &value);
  return value;
}

static void
read_tags (TIFF *tiff, TlTiffLayout *layout)
{
  uint16_t n_extra = 0, *extra = NULL;

  layout->bits = get_tag (tiff, TIFFTAG_BITSPERSAMPLE, 1);
  layout->samples = get_tag (tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
  layout->planar = get_tag (tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  layout->compression = get_tag (tiff, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
  layout->photometric =
      get_tag (tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
  if (TIFFGetField (tiff, TIFFTAG_EXTRASAMPLES, &n_extra, &extra)
      && n_extra > 0)
    layout->alpha = extra[0];
}

/* Those whose decoders allocate as their input says are left out. */
static bool
is_known_compression (uint16_t compression)
{
  switch (compression) {
    case COMPRESSION_NONE:
    case COMPRESSION_CCITTRLE:
    case COMPRESSION_CCITTFAX3:
    case COMPRESSION_CCITTFAX4:
    case COMPRESSION_LZW:
    case COMPRESSION_JPEG:
    case COMPRESSION_ADOBE_DEFLATE:
    case COMPRESSION_DEFLATE:
    case COMPRESSION_PACKBITS:
      return true;
    default:
      return false;
  }
}

/* Samples that carry colour, 0 for a kind of colour that is not read. */
static unsigned
count_colours (const TlTiffLayout *layout)
{
  switch (layout->photometric) {
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_PALETTE:
      return 1;
    case PHOTOMETRIC_RGB:
    case PHOTOMETRIC_YCBCR:
      return 3;
    case PHOTOMETRIC_SEPARATED:
      return 4;
    default:
      return 0;
  }
}

static bool
is_known_depth (const TlTiffLayout *layout)
{
  unsigned bits = layout->bits;

  if (count_colours (layout) > 1)
    return bits == 8
        || (bits == 16 && layout->photometric != PHOTOMETRIC_YCBCR);
  if (layout->samples > 1)
    return bits == 8
        || (bits == 16 && layout->photometric != PHOTOMETRIC_PALETTE);
  if (layout->photometric == PHOTOMETRIC_PALETTE)
    return bits == 1 || bits == 2 || bits == 4 || bits == 8;
  return bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 12
      || bits == 16;
}

static TlStatus
check_layout (TIFF *tiff, const TlTiffLayout *layout, TlError *error)
{
  uint16_t format = get_tag (tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  unsigned n_colours = count_colours (layout);

  if (!is_known_compression (layout->compression))
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "A TIFF picture with compression %u is not supported; LZW, Deflate, "
        "JPEG, PackBits, fax and none are.",
        layout->compression);
  if (n_colours == 0)
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "A TIFF picture with photometric interpretation %u is not supported; "
        "grey, RGB, palette, CMYK and YCbCr are.",
        layout->photometric);
  if ((format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID)
      || !is_known_depth (layout))
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "A TIFF picture of %u samples of %u bits%s is not supported; whole "
        "numbers of 8 or 16 bits are, and grey of 1, 2, 4 and 12.",
        layout->samples, layout->bits,
        format == SAMPLEFORMAT_IEEEFP    ? " in floating point"
            : format == SAMPLEFORMAT_INT ? " with a sign"
                                         : "");
  if (layout->samples < n_colours || layout->samples > TL_TIFF_MAX_SAMPLES)
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "A TIFF picture of %u samples per pixel is not supported here; %u to "
        "%u are.",
        layout->samples, n_colours, TL_TIFF_MAX_SAMPLES);
  return TL_OK;
}

/* Colours of 16 bits, of which the high byte counts; those missing are black. */
static TlStatus
read_palette (TIFF *tiff, TlTiffLayout *layout, TlError *error)
{
  uint16_t *maps[TL_TIFF_CHANNELS];

  if (layout->photometric != PHOTOMETRIC_PALETTE)
    return TL_OK;
  if (!TIFFGetField (tiff, TIFFTAG_COLORMAP, &maps[0], &maps[1], &maps[2]))
    return tl_fail (error, TL_ERROR_FORMAT,
        "The TIFF picture has no palette, though its pixels need one.");
  for (size_t i = 0; i < (size_t) 1 << layout->bits; i++)
    for (size_t c = 0; c < TL_TIFF_CHANNELS; c++)
      layout->palette[i][c] = (uint8_t) (maps[c][i] >> 8);
  return TL_OK;
}

static uint64_t
count_blocks (uint32_t side, uint32_t block_side)
{
  return ((uint64_t) side + block_side - 1) / block_side;
}

/* Blocks are tiles or strips. */
static TlStatus
set_blocks (TIFF *tiff, TlTiffLayout *layout, TlError *error)
{
  uint32_t rows = layout->height;
  uint64_t pixels = (uint64_t) layout->width * layout->height;
  uint64_t block, covered;

  layout->block_width = layout->width;
  if (TIFFIsTiled (tiff)) {
    TIFFGetField (tiff, TIFFTAG_TILEWIDTH, &layout->block_width);
    TIFFGetField (tiff, TIFFTAG_TILELENGTH, &rows);
  } else {
    TIFFGetFieldDefaulted (tiff, TIFFTAG_ROWSPERSTRIP, &rows);
    if (rows > layout->height)
      rows = layout->height;
  }
  layout->block_height = rows;
  block = (uint64_t) layout->block_width * rows;
  if (block == 0)
    return tl_fail (error, TL_ERROR_FORMAT,
        "The TIFF picture has tiles or strips without pixels.");
  covered = count_blocks (layout->width, layout->block_width)
      * count_blocks (layout->height, rows);
  if (block > pixels + MAX_EXTRA_PIXELS
      || covered > (4 * pixels + MAX_EXTRA_PIXELS) / block)
    return tl_fail (error, TL_ERROR_LIMIT,
        "The TIFF picture has tiles of %ux%u pixels, far more than its own.",
        layout->block_width, rows);
  return TL_OK;
}

TlStatus
tl_tiff_layout_read (TlTiffLayout *layout, TIFF *tiff, TlError *error)
{
  TlStatus status =
      tl_tiff_read_sides (tiff, &layout->width, &layout->height, error);

  if (status != TL_OK)
    return status;
  read_tags (tiff, layout);
  status = check_layout (tiff, layout, error);
  if (status == TL_OK)
    status = read_palette (tiff, layout, error);
  if (status == TL_OK)
    status = set_blocks (tiff, layout, error);
  return status;
}
