/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlseedmaker.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <webp/encode.h>

#define WIDTH 24
#define HEIGHT 18
#define RIFF_BYTES 12
#define FLAG_ANIMATION 2
#define FLAG_EXIF 8

typedef struct
{
  uint8_t data[8192];
  size_t n;
} Bytes;

static void
put (Bytes *bytes, uint32_t value, unsigned n)
{
  for (unsigned i = 0; i < n; i++)
    bytes->data[bytes->n++] = (uint8_t) (value >> (8 * i));
}

static void
put_chunk (Bytes *bytes, const char *name, const uint8_t *data, size_t n)
{
  memcpy (bytes->data + bytes->n, name, 4);
  bytes->n += 4;
  put (bytes, (uint32_t) n, 4);
  memcpy (bytes->data + bytes->n, data, n);
  bytes->n += n;
  if (n & 1)
    put (bytes, 0, 1);
}

static void
begin_extended (Bytes *bytes, uint8_t flags, uint32_t width, uint32_t height)
{
  const uint8_t header[10] = {flags, 0, 0, 0, (uint8_t) (width - 1), 0, 0,
      (uint8_t) (height - 1)};

  memcpy (bytes->data, "RIFF\0\0\0\0WEBP", RIFF_BYTES);
  bytes->n = RIFF_BYTES;
  put_chunk (bytes, "VP8X", header, sizeof header);
}

static void
give_riff (const TlSeedSink *sink, const char *name, Bytes *bytes)
{
  size_t n = bytes->n;

  bytes->n = 4;
  put (bytes, (uint32_t) n - 8, 4);
  tl_seed_give (sink, name, bytes->data, n);
}

/* @image is a whole simple file; its one chunk is put into others. */
static void
give_extended (const TlSeedSink *sink, const uint8_t *image, size_t size)
{
  const uint8_t *chunk = image + RIFF_BYTES;
  size_t n = size - RIFF_BYTES;
  uint8_t exif[TL_SEED_EXIF_SIZE];
  Bytes still = {.n = 0}, moving = {.n = 0};
  /* Frames of the canvas, at (2, 4), lasting 100 ms, not blended. */
  uint8_t frame[16 + 4096] = {1, 0, 0, 2, 0, 0, WIDTH - 1, 0, 0, HEIGHT - 1, 0,
      0, 100, 0, 0, 2};

  tl_seed_exif (6, exif);
  begin_extended (&still, FLAG_EXIF, WIDTH, HEIGHT);
  memcpy (still.data + still.n, chunk, n);
  still.n += n;
  put_chunk (&still, "EXIF", exif, sizeof exif);
  give_riff (sink, "exif-6", &still);

  begin_extended (&moving, FLAG_ANIMATION, WIDTH + 9, HEIGHT + 7);
  put_chunk (&moving, "ANIM", (const uint8_t *) "\0\0\0\0\0", 6);
  memcpy (frame + 16, chunk, n);
  put_chunk (&moving, "ANMF", frame, 16 + n);
  put_chunk (&moving, "ANMF", frame, 16 + n);
  give_riff (sink, "animation", &moving);
}

static void
make (const TlSeedSink *sink, const char *name, const uint8_t *pixels,
    bool alpha, bool lossless)
{
  const int stride = WIDTH * (alpha ? 4 : 3);
  uint8_t *out = NULL;
  size_t n;

  if (lossless)
    n = alpha ? WebPEncodeLosslessRGBA (pixels, WIDTH, HEIGHT, stride, &out)
              : WebPEncodeLosslessRGB (pixels, WIDTH, HEIGHT, stride, &out);
  else
    n = alpha ? WebPEncodeRGBA (pixels, WIDTH, HEIGHT, stride, 60, &out)
              : WebPEncodeRGB (pixels, WIDTH, HEIGHT, stride, 60, &out);
  tl_seed_give (sink, name, out, n);
  if (!alpha && !lossless)
    give_extended (sink, out, n);
  WebPFree (out);
}

void
tl_seed_make_webp (const TlSeedSink *sink)
{
  uint8_t pixels[WIDTH * HEIGHT * 4];
  uint8_t few[WIDTH * HEIGHT * 3];

  for (uint32_t i = 0; i < sizeof pixels; i++)
    pixels[i] = tl_seed_sample (i / 4 % WIDTH, i / 4 / WIDTH, i % 4);
  for (uint32_t i = 0; i < sizeof few; i++)
    few[i] = (uint8_t) (85 * (i / 3 / 7 % 4));
  make (sink, "lossy", pixels, false, false);
  make (sink, "lossy-alpha", pixels, true, false);
  make (sink, "lossless", pixels, false, true);
  make (sink, "lossless-alpha", pixels, true, true);
  make (sink, "palette", few, false, true);
}
