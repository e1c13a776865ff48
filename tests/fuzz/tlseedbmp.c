/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlseedmaker.h"

#include <string.h>

#define MAX_BYTES 8192

typedef struct
{
  const char *name;
  uint32_t header; /* its size */
  int32_t width, height;
  uint32_t bits, compression, colours;
  uint32_t masks[3];
} Variant;

static const Variant variants[] = {
    {"core-1", 12, 19, 9, 1},
    {"core-8", 12, 19, 9, 8},
    {"palette-1", 40, 19, 9, 1},
    {"palette-4", 40, 19, 9, 4},
    {"palette-8", 40, 24, 18, 8},
    {"few-colours", 40, 24, 18, 8, 0, 200},
    {"rle-4", 40, 24, 18, 4, 2},
    {"rle-8", 40, 24, 18, 8, 1},
    {"rle-8-top-down", 40, 24, -18, 8, 1},
    {"os2", 64, 24, 18, 8},
    {"raw-16", 40, 24, 18, 16},
    {"raw-24", 40, 23, 18, 24},
    {"top-down", 40, 23, -18, 24},
    {"raw-32", 40, 24, 18, 32},
    {"fields-16", 40, 24, 18, 16, 3, 0, {0xf800, 0x7e0, 0x1f}},
    {"fields-32", 124, 24, 18, 32, 3, 0, {0xff, 0xff00, 0xff0000}},
    {"fields-10", 108, 24, 18, 32, 3, 0, {0x3ff00000, 0xffc00, 0x3ff}},
    {"one-pixel", 40, 1, 1, 24},
};

typedef struct
{
  uint8_t data[MAX_BYTES];
  size_t n;
} Bytes;

static void
put (Bytes *bytes, uint32_t value, unsigned n)
{
  for (unsigned i = 0; i < n; i++)
    bytes->data[bytes->n++] = (uint8_t) (value >> (8 * i));
}

static void
put_header (Bytes *bytes, const Variant *v)
{
  size_t first = bytes->n;
  unsigned side = v->header == 12 ? 2 : 4;

  put (bytes, v->header, 4);
  put (bytes, (uint32_t) v->width, side);
  put (bytes, (uint32_t) v->height, side);
  put (bytes, 1, 2);
  put (bytes, v->bits, 2);
  if (v->header > 12) {
    put (bytes, v->compression, 4);
    bytes->n += 12; /* sizes that nobody needs */
    put (bytes, v->colours, 4);
    bytes->n += 4;
    if (v->masks[0])
      for (int c = 0; c < 3; c++)
        put (bytes, v->masks[c], 4);
  }
  /* The masks follow a header of 40 bytes and are part of longer ones. */
  if (bytes->n < first + v->header)
    bytes->n = first + v->header;
}

static void
put_palette (Bytes *bytes, const Variant *v)
{
  uint32_t n = v->bits > 8 ? 0 : v->colours ? v->colours : 1u << v->bits;

  for (uint32_t i = 0; i < n; i++) {
    for (uint32_t c = 0; c < 3; c++)
      put (bytes, tl_seed_sample (i, i, c), 1);
    if (v->header > 12)
      put (bytes, 0, 1);
  }
}

/* In each row a run, a list of three, a jump and a run again. */
static void
put_runs (Bytes *bytes, const Variant *v, uint32_t height)
{
  for (uint32_t y = 0; y < height; y++) {
    put (bytes, 5 | (uint32_t) tl_seed_sample (0, y, 0) << 8, 2);
    put (bytes, 3 << 8, 2);
    put (bytes, tl_seed_sample (1, y, 0) | tl_seed_sample (2, y, 0) << 8,
        v->bits == 8 ? 3 : 2);
    if (v->bits == 8)
      put (bytes, 0, 1);
    put (bytes, 2 << 8, 2);
    put (bytes, 4, 2);
    put (bytes, 40 | (uint32_t) tl_seed_sample (3, y, 0) << 8, 2);
    put (bytes, 0, 2);
  }
  put (bytes, 1 << 8, 2);
}

static void
make (const TlSeedSink *sink, const Variant *v)
{
  Bytes bytes = {.n = 14};
  uint32_t height = (uint32_t) (v->height < 0 ? -v->height : v->height);
  uint32_t stride = ((uint32_t) v->width * v->bits + 31) / 32 * 4;
  size_t end;

  put_header (&bytes, v);
  put_palette (&bytes, v);
  memcpy (bytes.data, "BM", 2);
  bytes.data[10] = (uint8_t) bytes.n;
  bytes.data[11] = (uint8_t) (bytes.n >> 8);
  end = bytes.n + (size_t) stride * height;
  if (v->compression == 1 || v->compression == 2)
    put_runs (&bytes, v, height);
  else
    while (bytes.n < end)
      put (&bytes,
          tl_seed_sample ((uint32_t) bytes.n % stride, (uint32_t) bytes.n / 64,
              0),
          1);
  tl_seed_give (sink, v->name, bytes.data, bytes.n);
}

void
tl_seed_make_bmp (const TlSeedSink *sink)
{
  for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
    make (sink, &variants[i]);
}
