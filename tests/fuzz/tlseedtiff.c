/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlseedmaker.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <tiffio.h>

#define MAX_ROW 512

typedef struct
{
  const char *name;
  uint32_t width, height;
  uint16_t bits, samples, photometric, compression;
  uint16_t orientation;
  uint32_t tile; /* its side, or 0 for strips of 8 rows */
  bool separate, predictor;
  const char *mode;
} Variant;

#define GREY PHOTOMETRIC_MINISBLACK
#define WHITE PHOTOMETRIC_MINISWHITE
#define RGB PHOTOMETRIC_RGB
#define PALETTE PHOTOMETRIC_PALETTE
#define CMYK PHOTOMETRIC_SEPARATED
#define YCBCR PHOTOMETRIC_YCBCR

static const Variant variants[] = {
    {"bits", 33, 18, 1, 1, WHITE, COMPRESSION_NONE},
    {"fax-3", 33, 18, 1, 1, WHITE, COMPRESSION_CCITTFAX3},
    {"fax-4", 33, 18, 1, 1, WHITE, COMPRESSION_CCITTFAX4},
    {"fax-rle", 33, 18, 1, 1, GREY, COMPRESSION_CCITTRLE},
    {"grey-4", 24, 18, 4, 1, WHITE, COMPRESSION_PACKBITS},
    {"grey-8", 24, 18, 8, 1, GREY, COMPRESSION_LZW, 8},
    {"grey-12", 24, 18, 12, 1, GREY, COMPRESSION_NONE},
    {"grey-16", 24, 18, 16, 1, GREY, COMPRESSION_LZW, .predictor = true},
    {"grey-alpha", 24, 18, 8, 2, GREY, COMPRESSION_LZW},
    {"palette-2", 24, 18, 2, 1, PALETTE, COMPRESSION_NONE},
    {"palette-8", 24, 18, 8, 1, PALETTE, COMPRESSION_LZW},
    {"rgb", 24, 18, 8, 3, RGB, COMPRESSION_NONE, 6},
    {"rgb-16", 24, 18, 16, 3, RGB, COMPRESSION_ADOBE_DEFLATE},
    {"rgba-planes", 24, 18, 8, 4, RGB, COMPRESSION_LZW, .separate = true},
    {"tiles", 24, 18, 8, 3, RGB, COMPRESSION_ADOBE_DEFLATE, .tile = 16},
    {"planes-of-tiles", 24, 18, 16, 3, RGB, COMPRESSION_LZW, 3, 16, true},
    {"cmyk", 24, 18, 8, 4, CMYK, COMPRESSION_PACKBITS},
    {"jpeg", 33, 18, 8, 3, YCBCR, COMPRESSION_JPEG},
    {"jpeg-tiles", 24, 18, 8, 3, RGB, COMPRESSION_JPEG, .tile = 16},
    {"ycbcr", 24, 16, 8, 3, YCBCR, COMPRESSION_LZW},
    {"big-endian", 24, 18, 16, 3, RGB, COMPRESSION_LZW, .mode = "wb"},
    {"big-tiff", 24, 18, 8, 3, RGB, COMPRESSION_LZW, .mode = "w8"},
    {"one-pixel", 1, 1, 8, 1, GREY, COMPRESSION_NONE},
};

typedef struct
{
  uint8_t data[65536];
  size_t n, at;
} File;

static tmsize_t
read_file (thandle_t handle, void *out, tmsize_t n)
{
  File *file = handle;

  if ((size_t) n > file->n - file->at)
    n = (tmsize_t) (file->n - file->at);
  memcpy (out, file->data + file->at, (size_t) n);
  file->at += (size_t) n;
  return n;
}

static tmsize_t
write_file (thandle_t handle, void *data, tmsize_t n)
{
  File *file = handle;

  if ((size_t) n > sizeof file->data - file->at)
    return 0;
  memcpy (file->data + file->at, data, (size_t) n);
  file->at += (size_t) n;
  if (file->at > file->n)
    file->n = file->at;
  return n;
}

static toff_t
seek_file (thandle_t handle, toff_t offset, int whence)
{
  File *file = handle;

  file->at = (size_t) offset
      + (whence == SEEK_CUR        ? file->at
              : whence == SEEK_END ? file->n
                                   : 0);
  return file->at;
}

static int
close_file (thandle_t handle)
{
  return 0;
}

static toff_t
size_file (thandle_t handle)
{
  return ((File *) handle)->n;
}

static uint32_t
strip_rows (const Variant *v)
{
  uint32_t rows = v->compression == COMPRESSION_JPEG ? 16 : 8;

  return rows < v->height ? rows : v->height;
}

static void
set_tags (TIFF *tiff, const Variant *v)
{
  static uint16_t palette[3][256];
  uint16_t extra = EXTRASAMPLE_ASSOCALPHA;

  TIFFSetField (tiff, TIFFTAG_IMAGEWIDTH, v->width);
  TIFFSetField (tiff, TIFFTAG_IMAGELENGTH, v->height);
  TIFFSetField (tiff, TIFFTAG_BITSPERSAMPLE, v->bits);
  TIFFSetField (tiff, TIFFTAG_SAMPLESPERPIXEL, v->samples);
  TIFFSetField (tiff, TIFFTAG_PHOTOMETRIC, v->photometric);
  TIFFSetField (tiff, TIFFTAG_COMPRESSION, v->compression);
  TIFFSetField (tiff, TIFFTAG_PLANARCONFIG,
      v->separate ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
  if (v->orientation)
    TIFFSetField (tiff, TIFFTAG_ORIENTATION, v->orientation);
  if (v->predictor)
    TIFFSetField (tiff, TIFFTAG_PREDICTOR, PREDICTOR_HORIZONTAL);
  if (v->samples == 2 || (v->samples == 4 && v->photometric == RGB))
    TIFFSetField (tiff, TIFFTAG_EXTRASAMPLES, 1, &extra);
  for (uint32_t i = 0; i < 256; i++)
    for (uint32_t c = 0; c < 3; c++)
      palette[c][i] = (uint16_t) (tl_seed_sample (i, i, c) << 8);
  if (v->photometric == PALETTE)
    TIFFSetField (tiff, TIFFTAG_COLORMAP, palette[0], palette[1], palette[2]);
  if (v->photometric == YCBCR && v->compression == COMPRESSION_JPEG)
    TIFFSetField (tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  if (v->tile) {
    TIFFSetField (tiff, TIFFTAG_TILEWIDTH, v->tile);
    TIFFSetField (tiff, TIFFTAG_TILELENGTH, v->tile);
  } else {
    TIFFSetField (tiff, TIFFTAG_ROWSPERSTRIP, strip_rows (v));
  }
}

static void
write_blocks (TIFF *tiff, const Variant *v)
{
  uint8_t block[MAX_ROW * 16];
  uint32_t n = v->tile ? TIFFNumberOfTiles (tiff) : TIFFNumberOfStrips (tiff);
  uint32_t in_plane = v->separate ? n / v->samples : n;

  for (uint32_t i = 0; i < n; i++) {
    tmsize_t size = v->tile ? TIFFTileSize (tiff) : TIFFStripSize (tiff);

    if (!v->tile && (i + 1) % in_plane == 0)
      size = TIFFVStripSize (tiff, v->height - (in_plane - 1) * strip_rows (v));
    if (size > (tmsize_t) sizeof block)
      abort ();
    for (tmsize_t k = 0; k < size; k++)
      block[k] = tl_seed_sample ((uint32_t) k / v->samples % 50, i, 0);
    if (v->tile)
      TIFFWriteEncodedTile (tiff, i, block, size);
    else
      TIFFWriteEncodedStrip (tiff, i, block, size);
  }
}

static void
make (const TlSeedSink *sink, const Variant *v)
{
  File *file = calloc (1, sizeof *file);
  TIFF *tiff = file
      ? TIFFClientOpen ("seed", v->mode ? v->mode : "wl", file, read_file,
          write_file, seek_file, close_file, size_file, NULL, NULL)
      : NULL;

  if (!tiff)
    abort ();
  set_tags (tiff, v);
  write_blocks (tiff, v);
  TIFFClose (tiff);
  tl_seed_give (sink, v->name, file->data, file->n);
  free (file);
}

void
tl_seed_make_tiff (const TlSeedSink *sink)
{
  for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
    make (sink, &variants[i]);
}
