/* SPDX-License-Identifier: BSD-3-Clause */

/* Windows and OS/2 bitmaps: 1, 4, 8, 16, 24 and 32 bits, RLE4, RLE8 and bit
 * fields. No library reads them without much else. */

#include "tlfail.h"
#include "tlimageformat.h"

#include <inttypes.h>
#include <string.h>

#define FILE_HEADER 14
#define CORE_HEADER 12 /* OS/2 1 */
#define OS2_HEADER 64  /* OS/2 2 */
#define CHANNELS 3
#define MAX_COLOURS 65536u

enum
{
  RAW = 0,
  RLE8 = 1,
  RLE4 = 2,
  BITFIELDS = 3,
  JPEG_INSIDE = 4,
  PNG_INSIDE = 5,
  ALPHA_BITFIELDS = 6
};

/* One colour of a pixel with bit fields. */
typedef struct
{
  unsigned shift;
  uint32_t maximum;
} Field;

typedef struct
{
  const uint8_t *data;
  size_t size;
  uint32_t header; /* its size */
  uint32_t width, height;
  bool top_down;
  unsigned bits;
  uint32_t compression;
  uint32_t n_colours;
  size_t palette_at, pixels_at;
  uint8_t palette[256][CHANNELS];
  Field fields[CHANNELS];
} Bitmap;

static uint32_t
read_16 (const Bitmap *bitmap, size_t at)
{
  return bitmap->data[at] | (uint32_t) bitmap->data[at + 1] << 8;
}

static uint32_t
read_32 (const Bitmap *bitmap, size_t at)
{
  return read_16 (bitmap, at) | read_16 (bitmap, at + 2) << 16;
}

static TlStatus
fail_short (const Bitmap *bitmap, TlError *error)
{
  return tl_fail_at (error, TL_ERROR_FORMAT, (int64_t) bitmap->size,
      "The BMP picture is cut short: the file ends after %zu bytes.",
      bitmap->size);
}

static TlStatus
read_sides (Bitmap *bitmap, TlError *error)
{
  const size_t at = FILE_HEADER + 4;
  int32_t width, height;

  if (bitmap->header == CORE_HEADER) {
    bitmap->width = read_16 (bitmap, at);
    bitmap->height = read_16 (bitmap, at + 2);
    bitmap->bits = read_16 (bitmap, at + 6);
    return TL_OK;
  }
  width = (int32_t) read_32 (bitmap, at);
  height = (int32_t) read_32 (bitmap, at + 4);
  if (width < 0)
    return tl_fail_at (error, TL_ERROR_FORMAT, (int64_t) at,
        "The BMP picture has a width of %" PRId32 " pixels.", width);
  bitmap->width = (uint32_t) width;
  bitmap->top_down = height < 0;
  bitmap->height = height < 0 ? 0u - (uint32_t) height : (uint32_t) height;
  bitmap->bits = read_16 (bitmap, at + 10);
  bitmap->compression = read_32 (bitmap, at + 12);
  bitmap->n_colours = read_32 (bitmap, at + 28);
  return TL_OK;
}

static bool
is_known_header (uint32_t size)
{
  static const uint32_t sizes[] = {CORE_HEADER, 40, 52, 56, OS2_HEADER, 108,
      124};

  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    if (size == sizes[i])
      return true;
  return false;
}

static TlStatus
read_header (Bitmap *bitmap, TlError *error)
{
  if (bitmap->size < FILE_HEADER + 4)
    return fail_short (bitmap, error);
  bitmap->header = read_32 (bitmap, FILE_HEADER);
  if (!is_known_header (bitmap->header))
    return tl_fail_at (error, TL_ERROR_FORMAT, FILE_HEADER,
        "The BMP picture has a header of %" PRIu32 " bytes, which is none "
        "of the known kinds.",
        bitmap->header);
  if (bitmap->size < FILE_HEADER + bitmap->header)
    return fail_short (bitmap, error);
  return read_sides (bitmap, error);
}

TlStatus
tl_bmp_probe (const uint8_t *data, size_t size, TlImageInfo *info,
    TlError *error)
{
  Bitmap bitmap = {.data = data, .size = size};
  TlStatus status = read_header (&bitmap, error);

  if (status != TL_OK)
    return status;
  info->width = bitmap.width;
  info->height = bitmap.height;
  return TL_OK;
}

static bool
has_fields (const Bitmap *bitmap)
{
  return bitmap->compression == BITFIELDS
      || bitmap->compression == ALPHA_BITFIELDS;
}

/* Which of the codings this is, or a sentence on what is not read. */
static TlStatus
check_coding (const Bitmap *bitmap, TlError *error)
{
  const unsigned bits = bitmap->bits;
  const uint32_t coding = bitmap->compression;
  bool os2 = bitmap->header == OS2_HEADER;

  if (bits != 1 && bits != 4 && bits != 8 && bits != 16 && bits != 24
      && bits != 32)
    return tl_fail_at (error, TL_ERROR_UNSUPPORTED, FILE_HEADER,
        "A BMP picture of %u bits per pixel is not supported.", bits);
  if (coding == JPEG_INSIDE || coding == PNG_INSIDE || (os2 && coding > RLE4))
    return tl_fail_at (error, TL_ERROR_UNSUPPORTED, FILE_HEADER,
        "A BMP picture with %s is not supported.",
        os2 ? "an OS/2 compression"
            : (coding == PNG_INSIDE ? "a PNG inside" : "a JPEG inside"));
  if (coding == RAW || (coding == RLE8 && bits == 8)
      || (coding == RLE4 && bits == 4)
      || (has_fields (bitmap) && (bits == 16 || bits == 32 || bits == 24)))
    return TL_OK;
  return tl_fail_at (error, TL_ERROR_FORMAT, FILE_HEADER,
      "The BMP picture combines %u bits per pixel with compression %" PRIu32
      ".",
      bits, coding);
}

/* A field of @mask, whose bits must be one run. */
static TlStatus
set_field (Field *field, uint32_t mask, TlError *error)
{
  *field = (Field){0, mask};
  while (field->maximum != 0 && !(field->maximum & 1)) {
    field->maximum >>= 1;
    field->shift++;
  }
  if (field->maximum == 0 || (field->maximum & (field->maximum + 1)) != 0)
    return tl_fail_at (error, TL_ERROR_UNSUPPORTED, FILE_HEADER,
        "A BMP picture with the colour mask %08" PRIx32 " is not supported.",
        mask);
  return TL_OK;
}

/* Red, green and blue; the masks follow a header of 40 bytes, and are inside
 * every longer one. Without any the usual ones are meant. */
static TlStatus
read_fields (Bitmap *bitmap, TlError *error)
{
  static const uint32_t five[CHANNELS] = {0x7c00, 0x3e0, 0x1f};
  static const uint32_t eight[CHANNELS] = {0xff0000, 0xff00, 0xff};
  const size_t at = FILE_HEADER + 40;
  uint32_t masks[CHANNELS];
  TlStatus status = TL_OK;

  memcpy (masks, bitmap->bits == 16 ? five : eight, sizeof masks);
  if (has_fields (bitmap)) {
    if (bitmap->size < at + sizeof masks)
      return fail_short (bitmap, error);
    if (read_32 (bitmap, at) | read_32 (bitmap, at + 4)
        | read_32 (bitmap, at + 8))
      for (size_t c = 0; c < CHANNELS; c++)
        masks[c] = read_32 (bitmap, at + 4 * c);
  }
  for (size_t c = 0; status == TL_OK && c < CHANNELS; c++)
    status = set_field (&bitmap->fields[c], masks[c], error);
  return status;
}

/* Stored blue first. Colours that are not stored are black. */
static TlStatus
read_palette (Bitmap *bitmap, TlError *error)
{
  size_t bytes = bitmap->header == CORE_HEADER ? 3 : 4;
  uint32_t n = bitmap->n_colours ? bitmap->n_colours : 1u << bitmap->bits;

  if (n > MAX_COLOURS)
    return tl_fail_at (error, TL_ERROR_FORMAT, FILE_HEADER,
        "The BMP picture has a palette of %" PRIu32 " colours.", n);
  bitmap->n_colours = n;
  for (uint32_t i = 0; i < n && i < 256; i++) {
    const uint8_t *colour = bitmap->data + bitmap->palette_at + i * bytes;

    if (bitmap->size < bitmap->palette_at + (i + 1) * bytes)
      return fail_short (bitmap, error);
    for (size_t c = 0; c < CHANNELS; c++)
      bitmap->palette[i][c] = colour[2 - c];
  }
  return TL_OK;
}

/* Some writers forget the palette in the place of the pixels, or leave it 0. */
static void
find_pixels (Bitmap *bitmap)
{
  size_t after = FILE_HEADER + (size_t) bitmap->header;
  size_t at = read_32 (bitmap, 10);

  if (bitmap->bits <= 8) {
    size_t bytes = bitmap->header == CORE_HEADER ? 3 : 4;

    after += bytes * bitmap->n_colours;
    if (at == FILE_HEADER + bitmap->header)
      at = after;
  } else if (bitmap->header == 40 && has_fields (bitmap)) {
    after += bitmap->compression == BITFIELDS ? 12 : 16;
  }
  bitmap->pixels_at = at ? at : after;
}

static TlStatus
read_colours (Bitmap *bitmap, TlError *error)
{
  TlStatus status = check_coding (bitmap, error);

  bitmap->palette_at = FILE_HEADER + (size_t) bitmap->header;
  if (status == TL_OK && bitmap->bits <= 8)
    status = read_palette (bitmap, error);
  else if (status == TL_OK)
    status = read_fields (bitmap, error);
  if (status == TL_OK)
    find_pixels (bitmap);
  return status;
}

/* Where the @y-th row of the file goes. */
static uint8_t *
find_row (const Bitmap *bitmap, const TlImageTarget *target, uint32_t y)
{
  return tl_image_target_row (target,
      bitmap->top_down ? y : bitmap->height - 1 - y);
}

static void
convert_indices (const Bitmap *bitmap, const uint8_t *in, uint8_t *out)
{
  const unsigned bits = bitmap->bits, mask = (1u << bits) - 1;

  for (size_t x = 0; x < bitmap->width; x++) {
    size_t bit = x * bits;
    unsigned index = in[bit / 8] >> (8 - bits - bit % 8) & mask;

    memcpy (out + x * CHANNELS, bitmap->palette[index], CHANNELS);
  }
}

static void
convert_fields (const Bitmap *bitmap, const uint8_t *in, uint8_t *out)
{
  const unsigned bytes = bitmap->bits / 8;

  for (size_t x = 0; x < bitmap->width; x++, in += bytes) {
    uint32_t pixel = 0;

    for (unsigned i = 0; i < bytes; i++)
      pixel |= (uint32_t) in[i] << (8 * i);
    for (size_t c = 0; c < CHANNELS; c++) {
      const Field *field = &bitmap->fields[c];
      uint64_t value = pixel >> field->shift & field->maximum;

      out[x * CHANNELS + c] = (uint8_t) (value * 255 / field->maximum);
    }
  }
}

/* Rows from the bottom up, each padded to 4 bytes; the last padding may be
 * missing. False if the file ends before. */
static bool
read_rows (const Bitmap *bitmap, TlImageTarget *target)
{
  size_t used = ((size_t) bitmap->width * bitmap->bits + 7) / 8;
  size_t stride = (used + 3) & ~(size_t) 3;

  for (uint32_t y = 0; y < bitmap->height; y++) {
    size_t at = bitmap->pixels_at + y * stride;
    uint8_t *row = find_row (bitmap, target, y);

    if (at > bitmap->size || used > bitmap->size - at)
      return false;
    if (row && bitmap->bits <= 8)
      convert_indices (bitmap, bitmap->data + at, row);
    else if (row)
      convert_fields (bitmap, bitmap->data + at, row);
  }
  return true;
}

/* A run-length decoder. Pixels count along the rows of the file. */
typedef struct
{
  const Bitmap *bitmap;
  TlImageTarget *target;
  size_t at;         /* in the file */
  uint64_t pixel, n; /* the next one, and how many there are */
  uint64_t x;        /* may run past a row, as pixels that are listed may */
} Run;

static void
put_pixel (Run *run, unsigned index)
{
  uint32_t width = run->bitmap->width;
  uint8_t *row =
      find_row (run->bitmap, run->target, (uint32_t) (run->pixel / width));

  if (row)
    memcpy (row + run->pixel % width * CHANNELS, run->bitmap->palette[index],
        CHANNELS);
  run->pixel++;
}

/* The @i-th of the indices in @bytes. */
static unsigned
get_index (const Bitmap *bitmap, const uint8_t *bytes, unsigned i)
{
  if (bitmap->compression == RLE8)
    return bytes[i];
  return i % 2 ? bytes[i / 2] & 0x0f : bytes[i / 2] >> 4;
}

/* @count pixels of one byte (two colours in turn with RLE4), as far as the row
 * reaches. */
static void
put_run (Run *run, unsigned count, uint8_t byte)
{
  const uint8_t both[2] = {byte, byte};
  uint32_t width = run->bitmap->width;

  if (run->x + count > width)
    count = run->x < width ? (unsigned) (width - run->x) : 0;
  for (unsigned i = 0; i < count && run->pixel < run->n; i++)
    put_pixel (run,
        get_index (run->bitmap, both,
            run->bitmap->compression == RLE8 ? 0 : i % 2));
  run->x += count;
}

/* @count pixels that are listed, padded to an even place in the file. */
static bool
put_listed (Run *run, unsigned count)
{
  const Bitmap *bitmap = run->bitmap;
  const uint8_t *bytes = bitmap->data + run->at;
  size_t n_bytes;

  if (count > run->n - run->pixel)
    count = (unsigned) (run->n - run->pixel);
  n_bytes = bitmap->compression == RLE8 ? count : (count + 1) / 2;
  if (n_bytes > bitmap->size - run->at)
    return false;
  for (unsigned i = 0; i < count; i++)
    put_pixel (run, get_index (bitmap, bytes, i));
  run->x += count;
  run->at += n_bytes;
  run->at += run->at % 2;
  return true;
}

/* The pixels that are passed over keep colour 0. */
static void
skip_pixels (Run *run, uint64_t count)
{
  uint64_t left = run->n - run->pixel;

  run->pixel += count < left ? count : left;
  run->x = run->pixel % run->bitmap->width;
}

static bool
read_delta (Run *run)
{
  const uint8_t *bytes = run->bitmap->data + run->at;

  if (run->bitmap->size - run->at < 2)
    return false;
  run->at += 2;
  skip_pixels (run, bytes[0] + (uint64_t) bytes[1] * run->bitmap->width);
  return true;
}

static void
end_line (Run *run)
{
  uint64_t x = run->pixel % run->bitmap->width;

  if (x != 0)
    skip_pixels (run, run->bitmap->width - x);
  run->x = 0;
}

static void
clear_to_colour_0 (const Bitmap *bitmap, TlImageTarget *target)
{
  for (uint32_t y = 0; y < bitmap->height; y++) {
    uint8_t *row = tl_image_target_row (target, y);

    for (size_t x = 0; row && x < bitmap->width; x++)
      memcpy (row + x * CHANNELS, bitmap->palette[0], CHANNELS);
  }
}

/* False if the file ends before the picture does. */
static bool
read_runs (const Bitmap *bitmap, TlImageTarget *target)
{
  Run run = {bitmap, target, bitmap->pixels_at, 0,
      (uint64_t) bitmap->width * bitmap->height, 0};

  clear_to_colour_0 (bitmap, target);
  while (run.pixel < run.n) {
    const uint8_t *bytes;

    if (run.at > bitmap->size || bitmap->size - run.at < 2)
      return false;
    bytes = bitmap->data + run.at;
    run.at += 2;
    if (bytes[0] > 0)
      put_run (&run, bytes[0], bytes[1]);
    else if (bytes[1] == 0)
      end_line (&run);
    else if (bytes[1] == 1)
      return true;
    else if (bytes[1] == 2 ? !read_delta (&run) : !put_listed (&run, bytes[1]))
      return false;
  }
  return true;
}

TlStatus
tl_bmp_decode (const uint8_t *data, size_t size, const TlImageOptions *options,
    TlImageTarget *target, TlError *error)
{
  Bitmap bitmap = {.data = data, .size = size};
  TlStatus status = read_header (&bitmap, error);
  bool whole;

  if (status == TL_OK)
    status = read_colours (&bitmap, error);
  if (status == TL_OK)
    status =
        tl_image_target_reserve (target, bitmap.width, bitmap.height, error);
  if (status != TL_OK)
    return status;
  whole = bitmap.compression == RLE8 || bitmap.compression == RLE4
      ? read_runs (&bitmap, target)
      : read_rows (&bitmap, target);
  if (!whole && !options->accept_truncated)
    return fail_short (&bitmap, error);
  return TL_OK;
}
