/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlpixel.h"

#include "tlvector.h"

#include <string.h>

#define CHANNELS 3
/* Pixels taken apart into planes at a time; the planes stay in the cache. */
#define CHUNK 256
#define LANES 8
/* Their greys fit a 32-bit sum, which takes half the registers of a long one. */
#define SUM_PIXELS 65536

void
tl_pixel_flip_horizontal (const TlRaster *raster)
{
  for (uint32_t y = 0; y < raster->height; y++) {
    uint8_t *left = raster->data + y * raster->stride;
    uint8_t *right = left + (size_t) (raster->width - 1) * CHANNELS;

    for (; left < right; left += CHANNELS, right -= CHANNELS) {
      uint8_t pixel[CHANNELS];

      memcpy (pixel, left, CHANNELS);
      memcpy (left, right, CHANNELS);
      memcpy (right, pixel, CHANNELS);
    }
  }
}

TL_VECTORISED static void
swap_rows (uint8_t *restrict a, uint8_t *restrict b, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    uint8_t value = a[i];

    a[i] = b[i];
    b[i] = value;
  }
}

void
tl_pixel_flip_vertical (const TlRaster *raster)
{
  for (uint32_t y = 0; y < raster->height / 2; y++)
    swap_rows (raster->data + y * raster->stride,
        raster->data + (raster->height - 1 - y) * raster->stride,
        (size_t) raster->width * CHANNELS);
}

/* ITU-R BT.601 luma in 16-bit fixed point, as Pillow's convert("L"). */
static inline uint32_t
grey_of (uint32_t red, uint32_t green, uint32_t blue)
{
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}

/* Image.blend(): truncated, not rounded; single precision. */
static inline uint8_t
blend (int from, int to, float factor)
{
  float value = (float) from + factor * (float) (to - from);

  value = value < 0 ? 0 : value;
  value = value > 255 ? 255 : value;
  return (uint8_t) (int) value;
}

static void
apply_table (const TlRaster *raster, const uint8_t table[256])
{
  size_t n = (size_t) raster->width * CHANNELS;

  for (uint32_t y = 0; y < raster->height; y++) {
    uint8_t *row = raster->data + y * raster->stride;

    for (size_t i = 0; i < n; i++)
      row[i] = table[row[i]];
  }
}

/* Blends with one grey level. */
static void
blend_level (const TlRaster *raster, int level, double factor)
{
  uint8_t table[256];

  for (int i = 0; i < 256; i++)
    table[i] = blend (level, i, (float) factor);
  apply_table (raster, table);
}

void
tl_pixel_brightness (const TlRaster *raster, double factor)
{
  blend_level (raster, 0, factor);
}

/* @n is at most SUM_PIXELS. */
TL_VECTORISED static uint32_t
sum_greys (const uint8_t *row, uint32_t n)
{
  uint32_t sum = 0;

  for (uint32_t x = 0; x < n; x++)
    sum += grey_of (row[x * 3], row[x * 3 + 1], row[x * 3 + 2]);
  return sum;
}

void
tl_pixel_contrast (const TlRaster *raster, double factor)
{
  double n = (double) raster->width * raster->height;
  uint64_t sum = 0;

  for (uint32_t y = 0; y < raster->height; y++) {
    const uint8_t *row = raster->data + y * raster->stride;

    for (uint32_t x = 0; x < raster->width; x += SUM_PIXELS)
      sum += sum_greys (row + (size_t) x * CHANNELS,
          raster->width - x < SUM_PIXELS ? raster->width - x : SUM_PIXELS);
  }
  blend_level (raster, (int) ((double) sum / n + 0.5), factor);
}

TL_VECTORISED static void
saturate_row (uint8_t *row, uint32_t n, float factor)
{
  for (uint32_t x = 0; x < n; x++) {
    uint8_t *pixel = row + (size_t) x * CHANNELS;
    int grey = (int) grey_of (pixel[0], pixel[1], pixel[2]);

    for (int c = 0; c < CHANNELS; c++)
      pixel[c] = blend (grey, pixel[c], factor);
  }
}

void
tl_pixel_saturation (const TlRaster *raster, double factor)
{
  for (uint32_t y = 0; y < raster->height; y++)
    saturate_row (raster->data + y * raster->stride, raster->width,
        (float) factor);
}

/* Eight pixels at a time, spelled out: compilers do not see through the choices
 * below. Comparisons give masks of all ones or zeros. Everything is inlined:
 * how such vectors are passed to functions depends on the instruction set. */
typedef float Floats __attribute__ ((vector_size (32)));
typedef int32_t Ints __attribute__ ((vector_size (32)));
#define ONE ((Floats){1, 1, 1, 1, 1, 1, 1, 1})
#define INLINE static inline __attribute__ ((always_inline))

INLINE Floats
choose (Ints mask, Floats yes, Floats no)
{
  return (Floats) (((Ints) yes & mask) | ((Ints) no & ~mask));
}

INLINE Floats
larger (Floats a, Floats b)
{
  return choose (a > b, a, b);
}

INLINE Floats
smaller (Floats a, Floats b)
{
  return choose (a < b, a, b);
}

/* floor (255 * x) for x in [0, 1], as if the product were exact: the rounded
 * product may reach the next integer, and 256 x - n is exact where it counts.
 * A mask counts as -1. */
INLINE Ints
floor_255 (Floats x)
{
  Ints n = __builtin_convertvector(x * 255.0f, Ints);

  return n + (256.0f * x - __builtin_convertvector(n, Floats) < x);
}

/* Where on the circle of six sixths the colours are. The products of Pillow's
 * formula reduce to the place of the middle channel between the others, with
 * the same single rounding. */
INLINE Floats
sixths_of (Floats r, Floats g, Floats b, Floats high, Floats low, Floats range)
{
  Floats middle = r + g + b - high - low;
  Floats gap = (high - middle) / larger (range, ONE);
  Floats from_red = choose (b == low, 1 - gap, gap - 1);
  Floats from_green = choose (b == low, 1 + gap, 3 - gap);
  Floats from_blue = choose (r == low, 3 + gap, 5 - gap);

  return choose (r == high, from_red,
      choose (g == high, from_green, from_blue));
}

/* Share of the way from white to the pure colour that one channel goes, for a
 * hue of @turns sixths of the circle. @offset is 5, 3, 1 for red, green, blue.
 */
INLINE Floats
removed_share (Floats turns, float offset)
{
  Floats k = turns + offset;

  k = choose (k >= 6, k - 6, k);
  k = smaller (k, 4 - k);
  return smaller (larger (k, (Floats){0}), ONE);
}

/* Hue, saturation and value in 0..255 and back, through the same truncations
 * as Pillow's convert("HSV"). */
TL_VECTORISED static void
turn_hues (Floats *red, Floats *green, Floats *blue, uint32_t n, int32_t shift)
{
  for (uint32_t i = 0; i < n; i++) {
    Floats r = red[i], g = green[i], b = blue[i];
    Floats high = larger (larger (r, g), b);
    Floats low = smaller (smaller (r, g), b);
    Floats range = high - low;
    Floats turn = sixths_of (r, g, b, high, low, range) / 6.0f;
    Ints hue = floor_255 (choose (turn < 0, turn + 1, turn)) & (range > 0);
    Ints saturation = floor_255 (range / larger (high, ONE));
    Floats turns =
        __builtin_convertvector((hue + shift) & 255, Floats) * (6.0f / 255.0f);
    Floats span =
        high * (__builtin_convertvector(saturation, Floats) * (1 / 255.0f));

    red[i] = high - span * removed_share (turns, 5) + 0.5f;
    green[i] = high - span * removed_share (turns, 3) + 0.5f;
    blue[i] = high - span * removed_share (turns, 1) + 0.5f;
  }
}

TL_VECTORISED static void
split_pixels (const uint8_t *restrict pixels, uint32_t n, float *restrict red,
    float *restrict green, float *restrict blue)
{
  for (uint32_t i = 0; i < n; i++) {
    red[i] = pixels[i * 3];
    green[i] = pixels[i * 3 + 1];
    blue[i] = pixels[i * 3 + 2];
  }
}

TL_VECTORISED static void
join_pixels (const float *red, const float *green, const float *blue,
    uint32_t n, uint8_t *pixels)
{
  for (uint32_t i = 0; i < n; i++) {
    pixels[i * 3] = (uint8_t) (int) red[i];
    pixels[i * 3 + 1] = (uint8_t) (int) green[i];
    pixels[i * 3 + 2] = (uint8_t) (int) blue[i];
  }
}

void
tl_pixel_hue (const TlRaster *raster, double shift)
{
  /* Lanes beyond the last pixel hold old values and are not written back. */
  Floats planes[CHANNELS][CHUNK / LANES] = {{{0}}};
  float *red = (float *) planes[0];
  float *green = (float *) planes[1];
  float *blue = (float *) planes[2];

  for (uint32_t y = 0; y < raster->height; y++) {
    uint8_t *row = raster->data + y * raster->stride;

    for (uint32_t x = 0; x < raster->width; x += CHUNK) {
      uint32_t n = raster->width - x < CHUNK ? raster->width - x : CHUNK;
      uint8_t *pixels = row + (size_t) x * CHANNELS;

      split_pixels (pixels, n, red, green, blue);
      turn_hues (planes[0], planes[1], planes[2], (n + LANES - 1) / LANES,
          (int32_t) (shift * 255));
      join_pixels (red, green, blue, n, pixels);
    }
  }
}
