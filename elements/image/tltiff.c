/* SPDX-License-Identifier: BSD-3-Clause */

/* TIFF by libtiff, the first page. libtiff undoes strips, tiles and
 * compression; samples become RGB here, because libtiff's own conversion gives
 * other values than Pillow. Nothing is written to standard error and no handler
 * of the process is changed. */

#include "tlexif.h"
#include "tlfail.h"
#include "tlimageformat.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tiffio.h>

#define CHANNELS 3
/* Colours, alpha and one more; 16 bits each. */
#define MAX_SAMPLES 6
/* Tiles may reach past a small picture, but not without end. */
#define MAX_EXTRA_PIXELS (4u << 20)
/* What libtiff may allocate at once, beyond the size of the file: lists of the
 * places of strips. */
#define MAX_LIBTIFF_BYTES (32 << 20)

typedef struct
{
  const uint8_t *data;
  size_t size;
  uint64_t position;
  TIFF *tiff;
  TIFFRGBAImage rgba;
  bool has_rgba;
  bool decoding;
  bool damaged;
  int64_t offset;   /* of the strip or tile that is being read, or -1 */
  char reason[160]; /* the first error, or damage of pixels */
} Reader;

/* What the tags say of the pixels. */
typedef struct
{
  uint32_t width, height;
  uint16_t bits, samples, photometric, planar, compression, alpha;
  unsigned n_planes; /* buffers of a block */
  uint32_t block_width, block_height;
  size_t row_bytes; /* of a block, in one plane */
  uint8_t palette[256][CHANNELS];
} Layout;

static tmsize_t
read_bytes (thandle_t handle, void *out, tmsize_t n)
{
  Reader *reader = handle;
  uint64_t left =
      reader->position < reader->size ? reader->size - reader->position : 0;

  if ((uint64_t) n > left)
    n = (tmsize_t) left;
  if (n > 0)
    memcpy (out, reader->data + reader->position, (size_t) n);
  reader->position += (uint64_t) n;
  return n;
}

static tmsize_t
refuse_write (thandle_t handle, void *data, tmsize_t n)
{
  return 0;
}

static toff_t
seek (thandle_t handle, toff_t offset, int whence)
{
  Reader *reader = handle;

  if (whence == SEEK_CUR)
    offset += reader->position;
  else if (whence == SEEK_END)
    offset += reader->size;
  reader->position = offset;
  return offset;
}

static int
close_nothing (thandle_t handle)
{
  return 0;
}

static toff_t
get_size (thandle_t handle)
{
  return ((Reader *) handle)->size;
}

static int
map_file (thandle_t handle, void **base, toff_t *size)
{
  Reader *reader = handle;

  *base = (void *) reader->data;
  *size = reader->size;
  return 1;
}

static void
unmap_file (thandle_t handle, void *base, toff_t size)
{
}

static int
note_error (TIFF *tiff, void *user, const char *module, const char *format,
    va_list args)
{
  Reader *reader = user;

  if (reader->reason[0] == '\0')
    vsnprintf (reader->reason, sizeof reader->reason, format, args);
  return 1;
}

static bool
tells_damage (const char *module, const char *text)
{
  if (strncmp (module, "Fax", 3) == 0)
    return true;
  return strcmp (module, "JPEGLib") == 0
      && (strncmp (text, "Corrupt", 7) == 0
          || strncmp (text, "Premature", 9) == 0);
}

/* libtiff goes on after damage in fax and JPEG data, and warns. */
static int
note_warning (TIFF *tiff, void *user, const char *module, const char *format,
    va_list args)
{
  Reader *reader = user;
  char text[sizeof reader->reason];

  if (!reader->decoding || reader->damaged || !module)
    return 1;
  vsnprintf (text, sizeof text, format, args);
  reader->damaged = tells_damage (module, text);
  if (reader->damaged && reader->reason[0] == '\0')
    memcpy (reader->reason, text, sizeof text);
  return 1;
}

static void
note_place (Reader *reader, uint64_t offset)
{
  reader->offset = (int64_t) (offset < reader->size ? offset : reader->size);
}

static TlStatus
fail_reading (Reader *reader, TlError *error)
{
  size_t end = strlen (reader->reason);

  if (end > 0 && reader->reason[end - 1] == '.')
    reader->reason[end - 1] = '\0';
  return tl_fail_at (error, TL_ERROR_FORMAT, reader->offset,
      "The TIFF picture cannot be decoded: %s.",
      reader->reason[0]      ? reader->reason
          : reader->decoding ? "a part of its pixels is missing"
                             : "its first page cannot be read");
}

static TlStatus
open_file (Reader *reader, TlError *error)
{
  TIFFOpenOptions *options = TIFFOpenOptionsAlloc ();

  if (options) {
    TIFFOpenOptionsSetMaxSingleMemAlloc (options,
        (tmsize_t) (reader->size + MAX_LIBTIFF_BYTES));
    TIFFOpenOptionsSetErrorHandlerExtR (options, note_error, reader);
    TIFFOpenOptionsSetWarningHandlerExtR (options, note_warning, reader);
    reader->tiff =
        TIFFClientOpenExt ("picture", "r", reader, read_bytes, refuse_write,
            seek, close_nothing, get_size, map_file, unmap_file, options);
    TIFFOpenOptionsFree (options);
  }
  if (!reader->tiff)
    return fail_reading (reader, error);
  return TL_OK;
}

static void
close_file (Reader *reader)
{
  if (reader->has_rgba)
    TIFFRGBAImageEnd (&reader->rgba);
  if (reader->tiff)
    TIFFClose (reader->tiff);
}

static TlStatus
read_sides (Reader *reader, uint32_t *width, uint32_t *height, TlError *error)
{
  if (!TIFFGetField (reader->tiff, TIFFTAG_IMAGEWIDTH, width)
      || !TIFFGetField (reader->tiff, TIFFTAG_IMAGELENGTH, height))
    return tl_fail (error, TL_ERROR_FORMAT,
        "The TIFF picture does not say how large it is.");
  return TL_OK;
}

/* Pillow turns a TIFF whether asked or not, so its orientation is part of the
 * picture. */
TlStatus
tl_tiff_probe (const uint8_t *data, size_t size, TlImageInfo *info,
    TlError *error)
{
  Reader reader = {.data = data, .size = size, .offset = -1};
  uint16_t orientation = TL_ORIENTATION_NORMAL;
  TlStatus status = open_file (&reader, error);

  if (status == TL_OK)
    status = read_sides (&reader, &info->width, &info->height, error);
  if (status == TL_OK) {
    TIFFGetField (reader.tiff, TIFFTAG_ORIENTATION, &orientation);
    info->orientation = orientation >= 1 && orientation <= 8
        ? orientation
        : TL_ORIENTATION_NORMAL;
  }
  close_file (&reader);
  return status;
}

static uint16_t
get_tag (Reader *reader, ttag_t tag, uint16_t otherwise)
{
  uint16_t value = otherwise;

  TIFFGetFieldDefaulted (reader->tiff, tag, &value);
  return value;
}

static void
read_tags (Reader *reader, Layout *layout)
{
  uint16_t n_extra = 0, *extra = NULL;

  layout->bits = get_tag (reader, TIFFTAG_BITSPERSAMPLE, 1);
  layout->samples = get_tag (reader, TIFFTAG_SAMPLESPERPIXEL, 1);
  layout->planar = get_tag (reader, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  layout->compression = get_tag (reader, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
  layout->photometric =
      get_tag (reader, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
  if (TIFFGetField (reader->tiff, TIFFTAG_EXTRASAMPLES, &n_extra, &extra)
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
count_colours (const Layout *layout)
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
is_known_depth (const Layout *layout)
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
check_layout (Reader *reader, const Layout *layout, TlError *error)
{
  uint16_t format = get_tag (reader, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
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
  if (layout->samples < n_colours || layout->samples > MAX_SAMPLES)
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "A TIFF picture of %u samples per pixel is not supported here; %u to "
        "%u are.",
        layout->samples, n_colours, MAX_SAMPLES);
  return TL_OK;
}

/* Colours of 16 bits, of which the high byte counts; those missing are black. */
static TlStatus
read_palette (Reader *reader, Layout *layout, TlError *error)
{
  uint16_t *maps[CHANNELS];

  if (layout->photometric != PHOTOMETRIC_PALETTE)
    return TL_OK;
  if (!TIFFGetField (reader->tiff, TIFFTAG_COLORMAP, &maps[0], &maps[1],
          &maps[2]))
    return tl_fail (error, TL_ERROR_FORMAT,
        "The TIFF picture has no palette, though its pixels need one.");
  for (size_t i = 0; i < (size_t) 1 << layout->bits; i++)
    for (size_t c = 0; c < CHANNELS; c++)
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
set_blocks (Reader *reader, Layout *layout, TlError *error)
{
  uint32_t rows = layout->height;
  uint64_t pixels = (uint64_t) layout->width * layout->height;
  uint64_t block, covered;

  layout->block_width = layout->width;
  if (TIFFIsTiled (reader->tiff)) {
    TIFFGetField (reader->tiff, TIFFTAG_TILEWIDTH, &layout->block_width);
    TIFFGetField (reader->tiff, TIFFTAG_TILELENGTH, &rows);
  } else {
    TIFFGetFieldDefaulted (reader->tiff, TIFFTAG_ROWSPERSTRIP, &rows);
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

/* Rows of RGBA as they are stored, in bands of tiles or strips. */
static TlStatus
begin_rgba (Reader *reader, Layout *layout, TlError *error)
{
  char reason[1024] = "";

  if (!TIFFRGBAImageBegin (&reader->rgba, reader->tiff, 1, reason))
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "This TIFF picture in YCbCr is not supported: %.200s.", reason);
  reader->has_rgba = true;
  reader->rgba.req_orientation = reader->rgba.orientation;
  layout->block_width = layout->width;
  layout->samples = 4;
  layout->alpha = EXTRASAMPLE_UNSPECIFIED;
  layout->planar = PLANARCONFIG_CONTIG;
  return TL_OK;
}

/* YCbCr in JPEG is converted by libjpeg, any other by libtiff. */
static TlStatus
choose_conversion (Reader *reader, Layout *layout, TlError *error)
{
  TlStatus status = TL_OK;
  size_t samples;

  if (layout->photometric == PHOTOMETRIC_YCBCR) {
    layout->photometric = PHOTOMETRIC_RGB;
    if (layout->compression == COMPRESSION_JPEG
        && layout->planar == PLANARCONFIG_CONTIG)
      TIFFSetField (reader->tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    else
      status = begin_rgba (reader, layout, error);
  }
  layout->n_planes =
      layout->planar == PLANARCONFIG_SEPARATE ? layout->samples : 1;
  samples = layout->n_planes > 1 ? 1 : layout->samples;
  layout->row_bytes =
      ((size_t) layout->block_width * samples * layout->bits + 7) / 8;
  return status;
}

static TlStatus
read_layout (Reader *reader, Layout *layout, TlError *error)
{
  TlStatus status = read_sides (reader, &layout->width, &layout->height, error);

  if (status != TL_OK)
    return status;
  read_tags (reader, layout);
  status = check_layout (reader, layout, error);
  if (status == TL_OK)
    status = read_palette (reader, layout, error);
  if (status == TL_OK)
    status = set_blocks (reader, layout, error);
  if (status == TL_OK)
    status = choose_conversion (reader, layout, error);
  return status;
}

/* One row of a block. planes[s] is the first value of sample s, the next pixel's
 * is step samples later. */
typedef struct
{
  const uint8_t *planes[MAX_SAMPLES];
  size_t step;
} Row;

/* The high byte, or what fewer bits are of 255. Values of 16 bits are in the
 * order of this machine. */
static inline unsigned
get_sample (const Layout *layout, const Row *row, unsigned s, size_t x)
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
convert_grey (const Layout *layout, const Row *row, size_t x, uint8_t *out)
{
  unsigned value = get_sample (layout, row, 0, x);

  if (layout->bits < 8)
    value = value * 255 / ((1u << layout->bits) - 1);
  if (layout->photometric == PHOTOMETRIC_MINISWHITE)
    value = 255 - value;
  if (layout->samples > 1 && layout->alpha == EXTRASAMPLE_ASSOCALPHA)
    value = divide_by_alpha (value, get_sample (layout, row, 1, x));
  memset (out, (int) value, CHANNELS);
}

static void
convert_rgb (const Layout *layout, const Row *row, size_t x, uint8_t *out)
{
  bool divide =
      layout->samples > CHANNELS && layout->alpha == EXTRASAMPLE_ASSOCALPHA;

  for (unsigned c = 0; c < CHANNELS; c++) {
    unsigned value = get_sample (layout, row, c, x);

    out[c] = divide
        ? divide_by_alpha (value, get_sample (layout, row, CHANNELS, x))
        : (uint8_t) value;
  }
}

static void
convert_cmyk (const Layout *layout, const Row *row, size_t x, uint8_t *out)
{
  unsigned white = 255 - get_sample (layout, row, 3, x);

  for (unsigned c = 0; c < CHANNELS; c++)
    out[c] = (uint8_t) (white
        - multiply_255 (get_sample (layout, row, c, x), white));
}

static void
convert_row (const Layout *layout, const Row *row, size_t n, uint8_t *out)
{
  for (size_t x = 0; x < n; x++, out += CHANNELS) {
    if (layout->photometric == PHOTOMETRIC_PALETTE)
      memcpy (out, layout->palette[get_sample (layout, row, 0, x)], CHANNELS);
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
find_row (const Layout *layout, const uint8_t *block, size_t plane_bytes,
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

static void
put_block (const Layout *layout, const uint8_t *block, size_t plane_bytes,
    uint32_t x, uint32_t y, TlImageTarget *target)
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
      convert_row (layout, &row, width, out + (size_t) x * CHANNELS);
  }
}

static bool
read_rgba (Reader *reader, const Layout *layout, uint32_t y, uint8_t *block)
{
  uint32_t left = layout->height - y;

  reader->rgba.row_offset = (int) y;
  return TIFFRGBAImageGet (&reader->rgba, (uint32_t *) (void *) block,
      layout->width, left < layout->block_height ? left : layout->block_height);
}

/* The block at (@x, @y), in all its planes. False if any of it is missing. */
static bool
read_block (Reader *reader, const Layout *layout, uint32_t x, uint32_t y,
    uint8_t *block, size_t plane_bytes)
{
  TIFF *tiff = reader->tiff;
  bool tiled = TIFFIsTiled (tiff), whole = true;

  if (reader->has_rgba)
    return read_rgba (reader, layout, y, block);
  for (unsigned p = 0; p < layout->n_planes; p++) {
    uint8_t *plane = block + p * plane_bytes;
    tmsize_t n = (tmsize_t) plane_bytes;
    uint32_t i = tiled ? TIFFComputeTile (tiff, x, y, 0, (uint16_t) p)
                       : TIFFComputeStrip (tiff, y, (uint16_t) p);
    tmsize_t got = tiled ? TIFFReadEncodedTile (tiff, i, plane, n)
                         : TIFFReadEncodedStrip (tiff, i, plane, n);

    if (got < 0 && whole)
      note_place (reader, TIFFGetStrileOffset (tiff, i));
    whole = whole && got >= 0;
  }
  return whole;
}

static TlStatus
read_blocks (Reader *reader, const Layout *layout,
    const TlImageOptions *options, uint8_t *block, size_t plane_bytes,
    TlImageTarget *target, TlError *error)
{
  reader->decoding = true;
  for (uint32_t y = 0; y < layout->height; y += layout->block_height)
    for (uint32_t x = 0; x < layout->width; x += layout->block_width) {
      bool whole;

      memset (block, 0, plane_bytes * layout->n_planes);
      whole = read_block (reader, layout, x, y, block, plane_bytes);
      if ((!whole || reader->damaged) && !options->accept_truncated)
        return fail_reading (reader, error);
      put_block (layout, block, plane_bytes, x, y, target);
    }
  return TL_OK;
}

static TlStatus
decode_page (Reader *reader, const TlImageOptions *options,
    TlImageTarget *target, TlError *error)
{
  Layout layout = {0};
  TlStatus status = read_layout (reader, &layout, error);
  size_t plane_bytes;
  uint8_t *block;

  if (status == TL_OK)
    status =
        tl_image_target_reserve (target, layout.width, layout.height, error);
  if (status != TL_OK)
    return status;
  plane_bytes = layout.row_bytes * layout.block_height;
  block = malloc (plane_bytes * layout.n_planes);
  if (!block)
    return tl_fail (error, TL_ERROR_MEMORY,
        "There is not enough memory for a part of a TIFF picture.");
  status =
      read_blocks (reader, &layout, options, block, plane_bytes, target, error);
  free (block);
  return status;
}

TlStatus
tl_tiff_decode (const uint8_t *data, size_t size, const TlImageOptions *options,
    TlImageTarget *target, TlError *error)
{
  Reader reader = {.data = data, .size = size, .offset = -1};
  TlStatus status = open_file (&reader, error);

  if (status == TL_OK)
    status = decode_page (&reader, options, target, error);
  close_file (&reader);
  return status;
}
