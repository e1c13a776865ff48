/* SPDX-License-Identifier: BSD-3-Clause */

/* TIFF by libtiff, the first page. libtiff undoes strips, tiles and
 * compression; what they hold becomes RGB in tltiffpixels.c. Nothing is written
 * to standard error and no handler of the process is changed. */

#include "tlexif.h"
#include "tlfail.h"
#include "tlimageformat.h"
#include "tltifflayout.h"
#include "tltiffpixels.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tiffio.h>

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
    status =
        tl_tiff_read_sides (reader.tiff, &info->width, &info->height, error);
  if (status == TL_OK) {
    TIFFGetField (reader.tiff, TIFFTAG_ORIENTATION, &orientation);
    info->orientation = orientation >= 1 && orientation <= 8
        ? orientation
        : TL_ORIENTATION_NORMAL;
  }
  close_file (&reader);
  return status;
}

/* Rows of RGBA as they are stored, in bands of tiles or strips. */
static TlStatus
begin_rgba (Reader *reader, TlTiffLayout *layout, TlError *error)
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
choose_conversion (Reader *reader, TlTiffLayout *layout, TlError *error)
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

static bool
read_rgba (Reader *reader, const TlTiffLayout *layout, uint32_t y,
    uint8_t *block)
{
  uint32_t left = layout->height - y;

  reader->rgba.row_offset = (int) y;
  return TIFFRGBAImageGet (&reader->rgba, (uint32_t *) (void *) block,
      layout->width, left < layout->block_height ? left : layout->block_height);
}

/* The block at (@x, @y), in all its planes. False if any of it is missing. */
static bool
read_block (Reader *reader, const TlTiffLayout *layout, uint32_t x, uint32_t y,
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
read_blocks (Reader *reader, const TlTiffLayout *layout,
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
      tl_tiff_put_block (layout, block, plane_bytes, x, y, target);
    }
  return TL_OK;
}

static TlStatus
decode_page (Reader *reader, const TlImageOptions *options,
    TlImageTarget *target, TlError *error)
{
  TlTiffLayout layout = {0};
  TlStatus status = tl_tiff_layout_read (&layout, reader->tiff, error);
  size_t plane_bytes;
  uint8_t *block;

  if (status == TL_OK)
    status = choose_conversion (reader, &layout, error);
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
