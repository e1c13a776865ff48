/* SPDX-License-Identifier: BSD-3-Clause */

#include "tltiffpixels.h"

#include <string.h>

/* One row of a block. planes[s] is the first value of sample s, the next pixel's
 * is step samples later. */
typedef struct
{
  const uint8_t *planes[TL_TIFF_MAX_SAMPLES];
  size_t step;
} Row;

/* The high byte, or what fewer bits are of 255. Values of 16 bits are in the
 * order of this machine. */
static inline unsigned
get_sample (const TlTiffLayout *layout, const Row *row, unsigned s, size_t x)
{
  const uint8_t *plane = row->planes[s];
  size_t i = x * row->step;
  uint16_t wide;

  switch (layout->bits) {
    case 8:
      return plane[i];
    case 16:
      memcpy (&wide, plane + 2 * i, sizeof wide);
      return wide >> 8;
    case 12:
      return i % 2
          ? (plane[i / 2 * 3 + 1] & 0x0fu) << 4 | plane[i / 2 * 3 + 2] >> 4
          : plane[i / 2 * 3];
    default:
      return plane[i * layout->bits / 8]
          >> (8 - layout->bits - i * layout->bits % 8)
          & ((1u << layout->bits) - 1);
  }
}

/* @value, which is @alpha / 255 of the colour. */
static uint8_t
divide_by_alpha (unsigned value, unsigned alpha)
{
  unsigned divided;

  if (alpha == 0 || alpha == 255)
    return (uint8_t) (alpha ? value : 0);
  divided = value * 255 / alpha;
  return (uint8_t) (divided > 255 ? 255 : divided);
}

static inline unsigned
multiply_255 (unsigned a, unsigned b)
{
  unsigned product = a * b + 128;

  return (product + (product >> 8)) >> 8;
}

static void
convert_grey (const TlTiffLayout *layout, const Row *row, size_t x,
    uint8_t *out)
{
  unsigned value = get_sample (layout, row, 0, x);

  if (layout->bits < 8)
    value = value * 255 / ((1u << layout->bits) - 1);
  if (layout->photometric == PHOTOMETRIC_MINISWHITE)
    value = 255 - value;
  if (layout->samples > 1 && layout->alpha == EXTRASAMPLE_ASSOCALPHA)
    value = divide_by_alpha (value, get_sample (layout, row, 1, x));
  memset (out, (int) value, TL_TIFF_CHANNELS);
}

static void
convert_rgb (const TlTiffLayout *layout, const Row *row, size_t x, uint8_t *out)
{
  bool divide = layout->samples > TL_TIFF_CHANNELS
      && layout->alpha == EXTRASAMPLE_ASSOCALPHA;

  for (unsigned c = 0; c < TL_TIFF_CHANNELS; c++) {
    unsigned value = get_sample (layout, row, c, x);

    out[c] = divide
        ? divide_by_alpha (value, get_sample (layout, row, TL_TIFF_CHANNELS, x))
        : (uint8_t) value;
  }
}

static void
convert_cmyk (const TlTiffLayout *layout, const Row *row, size_t x,
    uint8_t *out)
{
  unsigned white = 255 - get_sample (layout, row, 3, x);

  for (unsigned c = 0; c < TL_TIFF_CHANNELS; c++)
    out[c] = (uint8_t) (white
        - multiply_255 (get_sample (layout, row, c, x), white));
}

static void
convert_row (const TlTiffLayout *layout, const Row *row, size_t n, uint8_t *out)
{
  for (size_t x = 0; x < n; x++, out += TL_TIFF_CHANNELS) {
    if (layout->photometric == PHOTOMETRIC_PALETTE)
      memcpy (out, layout->palette[get_sample (layout, row, 0, x)],
          TL_TIFF_CHANNELS);
    else if (layout->photometric == PHOTOMETRIC_RGB)
      convert_rgb (layout, row, x, out);
    else if (layout->photometric == PHOTOMETRIC_SEPARATED)
      convert_cmyk (layout, row, x, out);
    else
      convert_grey (layout, row, x, out);
  }
}

/* Row @y of the block in @block. */
static Row
find_row (const TlTiffLayout *layout, const uint8_t *block, size_t plane_bytes,
    uint32_t y)
{
  bool separate = layout->n_planes > 1;
  size_t sample_bytes = layout->bits / 8;
  Row row = {.step = separate ? 1 : layout->samples};

  for (unsigned s = 0; s < layout->samples; s++)
    row.planes[s] = block + y * layout->row_bytes
        + s * (separate ? plane_bytes : sample_bytes);
  return row;
}

void
tl_tiff_put_block (const TlTiffLayout *layout, const uint8_t *block,
    size_t plane_bytes, uint32_t x, uint32_t y, TlImageTarget *target)
{
  uint32_t width = layout->width - x, height = layout->height - y;

  if (width > layout->block_width)
    width = layout->block_width;
  if (height > layout->block_height)
    height = layout->block_height;
  for (uint32_t i = 0; i < height; i++) {
    uint8_t *out = tl_image_target_row (target, y + i);
    Row row = find_row (layout, block, plane_bytes, i);

    if (out)
      convert_row (layout, &row, width, out + (size_t) x * TL_TIFF_CHANNELS);
  }
}
