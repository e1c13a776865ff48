/* SPDX-License-Identifier: BSD-3-Clause */

/* JPEG by libjpeg-turbo. */

#include "tlexif.h"
#include "tlfail.h"
#include "tlimageformat.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

/* A progressive file of a few bytes can ask for thousands of passes over the
 * whole picture; real ones have about ten. */
#define MAX_SCANS 100

#define MARKER_EOI 0xd9
#define MARKER_SOS 0xda
#define MARKER_APP1 0xe1
#define XMP "http://ns.adobe.com/xap/1.0/"

/* Everything that must survive a longjmp() lives here, not in locals. */
typedef struct
{
  struct jpeg_decompress_struct cinfo;
  struct jpeg_error_mgr errors;
  struct jpeg_progress_mgr progress;
  jmp_buf on_error;
  const uint8_t *data;
  size_t size;
  TlImageTarget *target;
  bool may_leave_out; /* what is not wanted */
  uint32_t block_width, block_height;
  bool too_many_scans;
  char damage[JMSG_LENGTH_MAX]; /* first warning that costs pixels, or "" */
  int64_t damage_offset;
  JSAMPLE *spare_row; /* rows nobody asked for, and CMYK */
} Reader;

static void
leave_with_error (j_common_ptr cinfo)
{
  Reader *reader = cinfo->client_data;

  longjmp (reader->on_error, 1);
}

/* Warnings after which the pixels are not those that were encoded. */
static bool
is_damage (int code)
{
  switch (code) {
    case JWRN_ARITH_BAD_CODE:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_JPEG_EOF:
    case JWRN_MUST_RESYNC:
      return true;
    default:
      return false;
  }
}

/* How far the file has been read. At its end libjpeg reads two bytes of its
 * own. */
static int64_t
get_offset (const Reader *reader)
{
  const struct jpeg_source_mgr *source = reader->cinfo.src;
  size_t left = source ? source->bytes_in_buffer : 0;

  if (source && left <= reader->size
      && source->next_input_byte == reader->data + reader->size - left)
    return (int64_t) (reader->size - left);
  return (int64_t) reader->size;
}

static void
note_message (j_common_ptr cinfo, int level)
{
  Reader *reader = cinfo->client_data;

  if (level < 0 && reader->damage[0] == '\0'
      && is_damage (cinfo->err->msg_code)) {
    cinfo->err->format_message (cinfo, reader->damage);
    reader->damage_offset = get_offset (reader);
  }
}

static void
print_nothing (j_common_ptr cinfo)
{
}

static void
count_scans (j_common_ptr cinfo)
{
  Reader *reader = cinfo->client_data;

  if (reader->cinfo.input_scan_number > MAX_SCANS) {
    reader->too_many_scans = true;
    longjmp (reader->on_error, 1);
  }
}

/* Runs @step; false if libjpeg gave up inside it. */
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
  jpeg_create_decompress (&reader->cinfo);
  reader->cinfo.progress = &reader->progress;
  jpeg_mem_src (&reader->cinfo, reader->data, reader->size);
  jpeg_read_header (&reader->cinfo, TRUE);
}

static void
choose_colours (Reader *reader)
{
  struct jpeg_decompress_struct *cinfo = &reader->cinfo;
  bool four = cinfo->jpeg_color_space == JCS_CMYK
      || cinfo->jpeg_color_space == JCS_YCCK;

  cinfo->out_color_space = four ? JCS_CMYK : JCS_RGB;
  cinfo->scale_num = 1;
  cinfo->scale_denom = reader->target->shrink;
  jpeg_calc_output_dimensions (cinfo);
  reader->block_width =
      DCTSIZE * cinfo->max_h_samp_factor / reader->target->shrink;
  reader->block_height =
      DCTSIZE * cinfo->max_v_samp_factor / reader->target->shrink;
}

/* a * b / 255, rounded, for a and b in 0..255. */
static inline unsigned
multiply_255 (unsigned a, unsigned b)
{
  unsigned product = a * b + 128;

  return (product + (product >> 8)) >> 8;
}

/* Adobe stores 255 - ink, and so, in practice, does everybody. */
static void
cmyk_to_rgb (const uint8_t *in, uint32_t n, uint8_t *out)
{
  for (uint32_t x = 0; x < n; x++) {
    unsigned white = in[x * 4 + 3];

    for (int c = 0; c < 3; c++)
      out[x * 3 + c] =
          (uint8_t) (white - multiply_255 (255 - in[x * 4 + c], white));
  }
}

static void
read_row (Reader *reader, JSAMPLE *target)
{
  struct jpeg_decompress_struct *cinfo = &reader->cinfo;
  bool direct = target && cinfo->out_color_space == JCS_RGB;
  JSAMPLE *row = direct ? target : reader->spare_row;

  jpeg_read_scanlines (cinfo, &row, 1);
  if (target && !direct)
    cmyk_to_rgb (row, cinfo->output_width, target);
}

/* Widens the wanted part to whole blocks and one more on each side, so that the
 * smoothing of colours sees its neighbours. Of a file that may be damaged all
 * columns are decoded: what damage does to a part depends on the part. So does
 * the smoothing of blocks in a progressive file that lacks scans. */
static void
choose_part (Reader *reader)
{
  TlBox *part = &reader->target->part;
  uint32_t end = part->x + part->width;

  if (!reader->may_leave_out) {
    part->x = 0;
    part->width = reader->cinfo.output_width;
    return;
  }
  part->x = part->x / reader->block_width;
  part->x = part->x > 0 ? (part->x - 1) * reader->block_width : 0;
  end = (end / reader->block_width + 2) * reader->block_width;
  if (end > reader->cinfo.output_width)
    end = reader->cinfo.output_width;
  part->width = end - part->x;
}

/* Up to row @y. Entropy decoding goes on, so that damage is seen. */
static void
skip_rows (Reader *reader, uint32_t y)
{
  if (reader->cinfo.output_scanline < y)
    jpeg_skip_scanlines (&reader->cinfo, y - reader->cinfo.output_scanline);
}

static void
begin_part (Reader *reader)
{
  const TlBox *part = &reader->target->part;
  JDIMENSION x = part->x, width = part->width;
  uint32_t block = part->y / reader->block_height;

  if (!reader->may_leave_out)
    return;
  if (width < reader->cinfo.output_width)
    jpeg_crop_scanline (&reader->cinfo, &x, &width);
  if (block > 1)
    skip_rows (reader, (block - 1) * reader->block_height);
}

/* The last row is read, because skipping to the end does not look at the data
 * before it. */
static void
end_part (Reader *reader)
{
  const TlBox *part = &reader->target->part;

  if (reader->may_leave_out
      && reader->cinfo.output_scanline == part->y + part->height)
    skip_rows (reader, reader->cinfo.output_height - 1);
}

static void
read_rows (Reader *reader)
{
  struct jpeg_decompress_struct *cinfo = &reader->cinfo;

  jpeg_start_decompress (cinfo);
  reader->spare_row = (*cinfo->mem->alloc_large) ((j_common_ptr) cinfo,
      JPOOL_IMAGE, (size_t) cinfo->output_width * cinfo->output_components);
  begin_part (reader);
  while (cinfo->output_scanline < cinfo->output_height) {
    read_row (reader,
        tl_image_target_row (reader->target, cinfo->output_scanline));
    end_part (reader);
  }
}

static void
reader_init (Reader *reader, const uint8_t *data, size_t size)
{
  memset (reader, 0, sizeof *reader);
  reader->data = data;
  reader->size = size;
  reader->cinfo.err = jpeg_std_error (&reader->errors);
  reader->errors.error_exit = leave_with_error;
  reader->errors.emit_message = note_message;
  reader->errors.output_message = print_nothing;
  reader->cinfo.client_data = reader;
  reader->progress.progress_monitor = count_scans;
}

/* Valid files of a process that libjpeg does not have (lossless, 12 bits)? */
static TlStatus
get_status (const Reader *reader)
{
  switch (reader->errors.msg_code) {
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_NOTIMPL:
    case JERR_NOT_COMPILED:
    case JERR_SOF_UNSUPPORTED:
      return TL_ERROR_UNSUPPORTED;
    default:
      return TL_ERROR_FORMAT;
  }
}

/* Reports why a guarded step ended early. */
static TlStatus
fail_step (Reader *reader, TlError *error)
{
  char text[JMSG_LENGTH_MAX];

  if (reader->too_many_scans)
    return tl_fail_at (error, TL_ERROR_LIMIT, get_offset (reader),
        "The progressive JPEG picture has more than %d scans.", MAX_SCANS);
  reader->errors.format_message ((j_common_ptr) &reader->cinfo, text);
  if (reader->errors.msg_code == JERR_OUT_OF_MEMORY)
    return tl_fail (error, TL_ERROR_MEMORY,
        "There is not enough memory to decode the JPEG picture: %s.", text);
  return tl_fail_at (error, get_status (reader), get_offset (reader),
      "The JPEG picture cannot be decoded: %s.", text);
}

TlStatus
tl_jpeg_probe (const uint8_t *data, size_t size, TlImageInfo *info,
    TlError *error)
{
  TlStatus status = TL_OK;
  Reader reader;

  reader_init (&reader, data, size);
  if (run_guarded (&reader, read_header)) {
    info->width = reader.cinfo.image_width;
    info->height = reader.cinfo.image_height;
  } else {
    status = fail_step (&reader, error);
  }
  jpeg_destroy_decompress (&reader.cinfo);
  return status;
}

static TlStatus
decode_picture (Reader *reader, const TlImageOptions *options, TlError *error)
{
  TlStatus status;

  if (!run_guarded (reader, read_header))
    return fail_step (reader, error);
  status = tl_image_check_size (reader->cinfo.image_width,
      reader->cinfo.image_height, options, error);
  if (status != TL_OK)
    return status;
  if (!run_guarded (reader, choose_colours))
    return fail_step (reader, error);
  reader->may_leave_out =
      !options->accept_truncated && !reader->cinfo.progressive_mode;
  choose_part (reader);
  status = tl_image_target_reserve_part (reader->target,
      reader->cinfo.output_width, reader->cinfo.output_height, error);
  if (status != TL_OK)
    return status;
  if (!run_guarded (reader, read_rows))
    return fail_step (reader, error);
  if (reader->damage[0] && !options->accept_truncated)
    return tl_fail_at (error, TL_ERROR_FORMAT, reader->damage_offset,
        "The JPEG picture is damaged or cut short: %s.", reader->damage);
  return TL_OK;
}

TlStatus
tl_jpeg_decode (const uint8_t *data, size_t size, const TlImageOptions *options,
    TlImageTarget *target, TlError *error)
{
  TlStatus status;
  Reader reader;

  reader_init (&reader, data, size);
  reader.target = target;
  status = decode_picture (&reader, options, error);
  jpeg_destroy_decompress (&reader.cinfo);
  return status;
}

/* The next marker segment at or after *@at: true and its place, or false at the
 * start of the picture data or the end. */
static bool
next_segment (const uint8_t *data, size_t size, size_t *at, size_t *length)
{
  while (size - *at >= 4) {
    uint8_t marker = data[*at + 1];

    if (data[*at] != 0xff || marker == 0xff || marker <= 0x01
        || (marker >= 0xd0 && marker <= 0xd8)) {
      *at += data[*at] == 0xff && marker != 0xff ? 2 : 1;
      continue;
    }
    *length = (size_t) data[*at + 2] << 8 | data[*at + 3];
    return marker != MARKER_EOI && marker != MARKER_SOS && *length >= 2
        && *length <= size - *at - 2;
  }
  return false;
}

static bool
starts_with (const uint8_t *data, size_t size, const char *text, size_t n)
{
  return size >= n && memcmp (data, text, n) == 0;
}

/* The EXIF block's, or that of an XMP packet before the picture data. */
unsigned
tl_jpeg_orientation (const uint8_t *data, size_t size)
{
  size_t at = 2, length = 0;
  unsigned exif = 0, xmp = 0;

  for (; exif == 0 && next_segment (data, size, &at, &length);
       at += 2 + length) {
    const uint8_t *segment = data + at + 4;

    if (data[at + 1] != MARKER_APP1)
      continue;
    if (starts_with (segment, length - 2, "Exif\0\0", 6))
      exif = tl_exif_orientation (segment, length - 2);
    else if (xmp == 0 && starts_with (segment, length - 2, XMP, sizeof XMP))
      xmp = tl_xmp_orientation (segment, length - 2);
  }
  return exif ? exif : xmp;
}
