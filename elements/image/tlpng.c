/* SPDX-License-Identifier: BSD-3-Clause */

/* PNG by libpng. */

#include "tlexif.h"
#include "tlfail.h"
#include "tlimageformat.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <png.h>

#define SIGNATURE_BYTES 8
#define CHUNK_BYTES 12 /* length, type and check of a chunk */

/* Everything that must survive a longjmp() lives here, not in locals. */
typedef struct
{
  png_structp png;
  png_infop info;
  jmp_buf on_error;
  const uint8_t *data;
  size_t size, position;
  TlImageTarget *target;
  char reason[128];
} Reader;

static void
leave_with_error (png_structp png, png_const_charp message)
{
  Reader *reader = png_get_error_ptr (png);

  snprintf (reader->reason, sizeof reader->reason, "%s", message);
  longjmp (reader->on_error, 1);
}

static void
ignore_warning (png_structp png, png_const_charp message)
{
}

static void
read_bytes (png_structp png, png_bytep out, size_t n)
{
  Reader *reader = png_get_io_ptr (png);

  if (n > reader->size - reader->position) {
    reader->position = reader->size;
    png_error (png, "the file ends too early");
  }
  memcpy (out, reader->data + reader->position, n);
  reader->position += n;
}

/* Runs @step; false if libpng gave up inside it. */
static bool
run_guarded (Reader *reader, void (*step) (Reader *reader))
{
  if (setjmp (reader->on_error))
    return false;
  step (reader);
  return true;
}

static void
read_header (Reader *reader)
{
  png_structp png = reader->png;

  png_set_read_fn (png, reader, read_bytes);
  /* Texts, profiles and the like are passed over: libpng would allocate what
   * their headers claim, and only warns above a limit. */
  png_set_keep_unknown_chunks (png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  png_read_info (png, reader->info);
}

/* To 8-bit RGB; alpha and transparent colours are dropped. */
static void
choose_colours (Reader *reader)
{
  png_structp png = reader->png;

  png_set_palette_to_rgb (png);
  png_set_expand_gray_1_2_4_to_8 (png);
  png_set_strip_16 (png);
  png_set_gray_to_rgb (png);
  png_set_strip_alpha (png);
  png_set_interlace_handling (png);
  png_read_update_info (png, reader->info);
  if (png_get_rowbytes (png, reader->info) != reader->target->stride)
    png_error (png, "its pixel format is not known");
}

/* Rows nobody asked for are decompressed and dropped. */
static void
read_rows (Reader *reader)
{
  bool interlaced =
      png_get_interlace_type (reader->png, reader->info) != PNG_INTERLACE_NONE;

  for (int pass = 0; pass < (interlaced ? PNG_INTERLACE_ADAM7_PASSES : 1);
       pass++) {
    for (uint32_t y = 0; y < reader->target->height; y++)
      png_read_row (reader->png, tl_image_target_row (reader->target, y), NULL);
  }
}

static TlStatus
reader_init (Reader *reader, const uint8_t *data, size_t size, TlError *error)
{
  memset (reader, 0, sizeof *reader);
  reader->data = data;
  reader->size = size;
  reader->png = png_create_read_struct (PNG_LIBPNG_VER_STRING, reader,
      leave_with_error, ignore_warning);
  if (reader->png)
    reader->info = png_create_info_struct (reader->png);
  if (!reader->info)
    return tl_fail (error, TL_ERROR_MEMORY,
        "There is not enough memory to read a PNG picture.");
  return TL_OK;
}

static TlStatus
fail_step (Reader *reader, TlError *error)
{
  return tl_fail_at (error, TL_ERROR_FORMAT, (int64_t) reader->position,
      "The PNG picture cannot be decoded: %s.", reader->reason);
}

TlStatus
tl_png_probe (const uint8_t *data, size_t size, TlImageInfo *info,
    TlError *error)
{
  Reader reader;
  TlStatus status = reader_init (&reader, data, size, error);

  if (status == TL_OK) {
    if (run_guarded (&reader, read_header)) {
      info->width = png_get_image_width (reader.png, reader.info);
      info->height = png_get_image_height (reader.png, reader.info);
    } else {
      status = fail_step (&reader, error);
    }
  }
  png_destroy_read_struct (&reader.png, &reader.info, NULL);
  return status;
}

static TlStatus
decode_picture (Reader *reader, const TlImageOptions *options, TlError *error)
{
  uint32_t width, height;
  TlStatus status;

  if (!run_guarded (reader, read_header))
    return fail_step (reader, error);
  width = png_get_image_width (reader->png, reader->info);
  height = png_get_image_height (reader->png, reader->info);
  status = tl_image_check_size (width, height, options, error);
  if (status == TL_OK)
    status = tl_image_target_reserve (reader->target, width, height, error);
  if (status != TL_OK)
    return status;
  if (!run_guarded (reader, choose_colours))
    return fail_step (reader, error);
  if (!run_guarded (reader, read_rows) && !options->accept_truncated)
    return fail_step (reader, error);
  return TL_OK;
}

TlStatus
tl_png_decode (const uint8_t *data, size_t size, const TlImageOptions *options,
    TlImageTarget *target, TlError *error)
{
  Reader reader;
  TlStatus status = reader_init (&reader, data, size, error);

  if (status == TL_OK) {
    reader.target = target;
    status = decode_picture (&reader, options, error);
  }
  png_destroy_read_struct (&reader.png, &reader.info, NULL);
  return status;
}

/* The eXIf chunk may also follow the pixels. */
unsigned
tl_png_orientation (const uint8_t *data, size_t size)
{
  size_t at = SIGNATURE_BYTES;

  while (size - at >= CHUNK_BYTES) {
    size_t length = (size_t) data[at] << 24 | data[at + 1] << 16
        | data[at + 2] << 8 | data[at + 3];

    if (length > size - at - CHUNK_BYTES)
      break;
    if (memcmp (data + at + 4, "eXIf", 4) == 0)
      return tl_exif_orientation (data + at + 8, length);
    at += length + CHUNK_BYTES;
  }
  return 0;
}
