/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlexif.h"

#include <stdbool.h>
#include <string.h>

#define TAG_ORIENTATION 274
#define ENTRY_BYTES 12
#define CHANNELS 3

enum
{
  TYPE_SHORT = 3,
  TYPE_LONG = 4,
  TYPE_SIGNED_SHORT = 8,
  TYPE_SIGNED_LONG = 9
};

/* A TIFF structure: offsets count from its first byte. */
typedef struct
{
  const uint8_t *data;
  size_t size;
  bool big_endian;
} Block;

static uint32_t
read_16 (const Block *block, size_t at)
{
  const uint8_t *p = block->data + at;

  return block->big_endian ? p[0] << 8 | p[1] : p[1] << 8 | p[0];
}

static uint32_t
read_32 (const Block *block, size_t at)
{
  uint32_t first = read_16 (block, at), second = read_16 (block, at + 2);

  return block->big_endian ? first << 16 | second : second << 16 | first;
}

/* The value of the directory entry at @at, or 0 for any other entry. */
static unsigned
read_entry (const Block *block, size_t at)
{
  uint32_t type = read_16 (block, at + 2), value = 0;

  if (read_16 (block, at) != TAG_ORIENTATION || read_32 (block, at + 4) != 1)
    return 0;
  if (type == TYPE_SHORT || type == TYPE_SIGNED_SHORT)
    value = read_16 (block, at + 8);
  else if (type == TYPE_LONG || type == TYPE_SIGNED_LONG)
    value = read_32 (block, at + 8);
  return value <= 8 ? value : 0;
}

unsigned
tl_exif_orientation (const uint8_t *data, size_t size)
{
  Block block = {data, size, false};
  unsigned orientation = 0;
  uint32_t directory, n;

  if (block.size >= 6 && memcmp (block.data, "Exif\0\0", 6) == 0) {
    block.data += 6;
    block.size -= 6;
  }
  if (block.size < 8)
    return 0;
  block.big_endian = block.data[0] == 'M' && block.data[1] == 'M';
  if (!block.big_endian && (block.data[0] != 'I' || block.data[1] != 'I'))
    return 0;
  directory = read_32 (&block, 4);
  if (directory > block.size - 2)
    return 0;
  n = read_16 (&block, directory);
  /* Of several entries the last one counts, as it does for Pillow. */
  for (size_t at = (size_t) directory + 2;
       n > 0 && block.size - at >= ENTRY_BYTES; n--, at += ENTRY_BYTES) {
    unsigned found = read_entry (&block, at);

    if (found != 0)
      orientation = found;
  }
  return orientation;
}

unsigned
tl_xmp_orientation (const uint8_t *data, size_t size)
{
  static const char name[] = "tiff:Orientation";
  const size_t length = sizeof name - 1;
  const uint8_t *end = data + size;

  while ((size_t) (end - data) >= length + 2) {
    const uint8_t *at =
        memchr (data, name[0], (size_t) (end - data) - length - 1);

    if (!at)
      return 0;
    data = at + 1;
    if (memcmp (at, name, length) != 0)
      continue;
    at += length;
    if (end - at >= 2 && at[0] == '>')
      at += 1;
    else if (end - at >= 3 && at[0] == '=' && at[1] == '"')
      at += 2;
    else
      continue;
    if (*at >= '0' && *at <= '9')
      return *at >= '1' && *at <= '8' ? *at - '0' : 0;
  }
  return 0;
}

/* Where the oriented picture's columns and rows run in the stored one. */
static bool
is_mirrored_x (unsigned orientation)
{
  return orientation == 2 || orientation == 3 || orientation == 7
      || orientation == 8;
}

static bool
is_mirrored_y (unsigned orientation)
{
  return orientation == 3 || orientation == 4 || orientation == 6
      || orientation == 7;
}

TlBox
tl_orientation_stored_box (unsigned orientation, uint32_t width,
    uint32_t height, const TlBox *box)
{
  TlBox stored = *box;

  if (tl_orientation_swaps (orientation))
    stored = (TlBox){box->y, box->x, box->height, box->width};
  if (is_mirrored_x (orientation))
    stored.x = width - stored.x - stored.width;
  if (is_mirrored_y (orientation))
    stored.y = height - stored.y - stored.height;
  return stored;
}

TlBox
tl_orientation_oriented_box (unsigned orientation, uint32_t width,
    uint32_t height, const TlBox *box)
{
  TlBox turned = *box;

  if (is_mirrored_x (orientation))
    turned.x = width - box->x - box->width;
  if (is_mirrored_y (orientation))
    turned.y = height - box->y - box->height;
  if (tl_orientation_swaps (orientation))
    turned = (TlBox){turned.y, turned.x, turned.height, turned.width};
  return turned;
}

void
tl_orientation_apply (unsigned orientation, const uint8_t *in, size_t in_stride,
    uint32_t width, uint32_t height, uint8_t *out)
{
  bool swaps = tl_orientation_swaps (orientation);
  uint32_t out_width = swaps ? height : width;
  uint32_t out_height = swaps ? width : height;
  ptrdiff_t step_x = is_mirrored_x (orientation) ? -CHANNELS : CHANNELS;
  ptrdiff_t step_y = (ptrdiff_t) in_stride;
  const uint8_t *start = in;

  if (step_x < 0)
    start += (size_t) (width - 1) * CHANNELS;
  if (is_mirrored_y (orientation)) {
    start += (height - 1) * in_stride;
    step_y = -step_y;
  }
  for (uint32_t y = 0; y < out_height; y++) {
    const uint8_t *from = start + (ptrdiff_t) y * (swaps ? step_x : step_y);

    for (uint32_t x = 0; x < out_width; x++) {
      memcpy (out, from, CHANNELS);
      out += CHANNELS;
      from += swaps ? step_y : step_x;
    }
  }
}
