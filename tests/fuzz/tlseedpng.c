/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlseedmaker.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#define MAX_WIDTH 64

typedef struct
{
  const char *name;
  uint16_t width, height;
  uint8_t depth, type;
  bool interlaced;
  bool transparent; /* has a tRNS chunk */
  uint8_t orientation;
} Variant;

static const Variant variants[] = {
    {"grey-1", 19, 9, 1, PNG_COLOR_TYPE_GRAY},
    {"grey-2", 19, 9, 2, PNG_COLOR_TYPE_GRAY, .transparent = true},
    {"grey-4", 19, 9, 4, PNG_COLOR_TYPE_GRAY, true},
    {"grey-8", 24, 18, 8, PNG_COLOR_TYPE_GRAY},
    {"grey-16", 24, 18, 16, PNG_COLOR_TYPE_GRAY, .transparent = true},
    {"palette-1", 19, 9, 1, PNG_COLOR_TYPE_PALETTE},
    {"palette-2", 19, 9, 2, PNG_COLOR_TYPE_PALETTE, true, true},
    {"palette-4", 19, 9, 4, PNG_COLOR_TYPE_PALETTE},
    {"palette-8", 24, 18, 8, PNG_COLOR_TYPE_PALETTE, .transparent = true},
    {"rgb", 33, 18, 8, PNG_COLOR_TYPE_RGB},
    {"rgb-16", 24, 18, 16, PNG_COLOR_TYPE_RGB, true},
    {"rgb-key", 24, 18, 8, PNG_COLOR_TYPE_RGB, .transparent = true},
    {"rgba", 24, 18, 8, PNG_COLOR_TYPE_RGB_ALPHA, true},
    {"rgba-16", 24, 18, 16, PNG_COLOR_TYPE_RGB_ALPHA},
    {"grey-alpha", 24, 18, 8, PNG_COLOR_TYPE_GRAY_ALPHA},
    {"grey-alpha-16", 24, 18, 16, PNG_COLOR_TYPE_GRAY_ALPHA, true},
    {"one-pixel", 1, 1, 8, PNG_COLOR_TYPE_RGB},
    {"tall", 1, 40, 8, PNG_COLOR_TYPE_GRAY, true},
    {"wide", 60, 1, 8, PNG_COLOR_TYPE_RGB},
    {"exif-3", 24, 18, 8, PNG_COLOR_TYPE_RGB, .orientation = 3},
    {"exif-7", 24, 18, 8, PNG_COLOR_TYPE_GRAY, true, .orientation = 7},
};

typedef struct
{
  uint8_t *data;
  size_t size;
} Bytes;

static void
append (png_structp png, png_bytep data, size_t size)
{
  Bytes *bytes = png_get_io_ptr (png);
  uint8_t *grown = realloc (bytes->data, bytes->size + size);

  if (!grown)
    png_error (png, "no memory");
  memcpy (grown + bytes->size, data, size);
  bytes->data = grown;
  bytes->size += size;
}

static void
add_chunks (png_structp png, png_infop info, const Variant *v)
{
  png_color palette[256];
  png_byte alpha[4] = {0, 85, 170, 255};
  png_color_16 key = {1, 1, 1, 1, 1};
  uint8_t exif[TL_SEED_EXIF_SIZE];

  for (uint32_t i = 0; i < 256; i++)
    palette[i] = (png_color){tl_seed_sample (i, 0, 0), tl_seed_sample (i, 0, 1),
        tl_seed_sample (i, 0, 2)};
  if (v->type == PNG_COLOR_TYPE_PALETTE)
    png_set_PLTE (png, info, palette, 1 << v->depth);
  if (v->transparent)
    png_set_tRNS (png, info, alpha, v->depth == 1 ? 2 : 4, &key);
  if (v->orientation) {
    tl_seed_exif (v->orientation, exif);
    png_set_eXIf_1 (png, info, sizeof exif, exif);
  }
}

static void
write_rows (png_structp png, png_infop info, const Variant *v)
{
  png_byte row[MAX_WIDTH * 8];
  size_t n = png_get_rowbytes (png, info);
  int passes = png_set_interlace_handling (png);

  for (int pass = 0; pass < passes; pass++) {
    for (uint32_t y = 0; y < v->height; y++) {
      for (uint32_t x = 0; x < n; x++)
        row[x] = tl_seed_sample (x, y, 0);
      png_write_row (png, row);
    }
  }
}

static void
make (const TlSeedSink *sink, const Variant *v)
{
  Bytes bytes = {0};
  png_structp png =
      png_create_write_struct (PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
  png_infop info = png_create_info_struct (png);

  png_set_write_fn (png, &bytes, append, NULL);
  png_set_IHDR (png, info, v->width, v->height, v->depth, v->type,
      v->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
      PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  add_chunks (png, info, v);
  png_write_info (png, info);
  write_rows (png, info, v);
  png_write_end (png, info);
  png_destroy_write_struct (&png, &info);
  tl_seed_give (sink, v->name, bytes.data, bytes.size);
  free (bytes.data);
}

void
tl_seed_make_png (const TlSeedSink *sink)
{
  for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
    make (sink, &variants[i]);
}
