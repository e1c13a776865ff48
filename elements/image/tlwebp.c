/* SPDX-License-Identifier: BSD-3-Clause */

/* WebP by libwebp; of an animation the first frame. */

#include "tlexif.h"
#include "tlfail.h"
#include "tlimageformat.h"

#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

#define RIFF_BYTES 12
#define CHUNK_BYTES 8
#define CHANNELS 3

static const char *
name_status (VP8StatusCode status)
{
  switch (status) {
    case VP8_STATUS_OUT_OF_MEMORY:
      return "there is not enough memory";
    case VP8_STATUS_BITSTREAM_ERROR:
      return "its data are damaged";
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return "it uses a feature that is not supported";
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA:
      return "it is cut short";
    default:
      return "its header is damaged";
  }
}

static TlStatus
fail_status (VP8StatusCode code, size_t size, TlError *error)
{
  TlStatus status = TL_ERROR_FORMAT;
  bool cut = code == VP8_STATUS_SUSPENDED || code == VP8_STATUS_NOT_ENOUGH_DATA;

  if (code == VP8_STATUS_OUT_OF_MEMORY)
    status = TL_ERROR_MEMORY;
  else if (code == VP8_STATUS_UNSUPPORTED_FEATURE)
    status = TL_ERROR_UNSUPPORTED;
  return tl_fail_at (error, status, cut ? (int64_t) size : -1,
      "The WebP picture cannot be decoded: %s.", name_status (code));
}

TlStatus
tl_webp_probe (const uint8_t *data, size_t size, TlImageInfo *info,
    TlError *error)
{
  WebPBitstreamFeatures features;
  VP8StatusCode code = WebPGetFeatures (data, size, &features);

  if (code != VP8_STATUS_OK)
    return fail_status (code, size, error);
  info->width = (uint32_t) features.width;
  info->height = (uint32_t) features.height;
  return TL_OK;
}

/* Into the place of @frame in the whole picture at @target. */
static VP8StatusCode
decode_frame (const WebPIterator *frame, TlImageTarget *target)
{
  WebPDecoderConfig config;
  WebPRGBABuffer *out = &config.output.u.RGBA;
  size_t first = (size_t) frame->y_offset * target->stride
      + (size_t) frame->x_offset * CHANNELS;

  if (!WebPInitDecoderConfig (&config))
    return VP8_STATUS_INVALID_PARAM;
  config.output.colorspace = MODE_RGB;
  config.output.is_external_memory = 1;
  out->rgba = target->data + first;
  out->stride = (int) target->stride;
  out->size = target->stride * target->height - first;
  return WebPDecode (frame->fragment.bytes, frame->fragment.size, &config);
}

static TlStatus
decode_first_frame (const WebPDemuxer *demuxer, size_t size,
    const TlImageOptions *options, TlImageTarget *target, TlError *error)
{
  uint32_t width = WebPDemuxGetI (demuxer, WEBP_FF_CANVAS_WIDTH);
  uint32_t height = WebPDemuxGetI (demuxer, WEBP_FF_CANVAS_HEIGHT);
  WebPIterator frame;
  VP8StatusCode code = VP8_STATUS_NOT_ENOUGH_DATA;
  TlStatus status;

  target->part = (TlBox){0, 0, width, height};
  status = tl_image_target_reserve (target, width, height, error);
  if (status != TL_OK)
    return status;
  if (WebPDemuxGetFrame (demuxer, 1, &frame)) {
    code = decode_frame (&frame, target);
    WebPDemuxReleaseIterator (&frame);
  }
  if (code == VP8_STATUS_OK
      || (options->accept_truncated && code != VP8_STATUS_OUT_OF_MEMORY))
    return TL_OK;
  return fail_status (code, size, error);
}

TlStatus
tl_webp_decode (const uint8_t *data, size_t size, const TlImageOptions *options,
    TlImageTarget *target, TlError *error)
{
  const WebPData file = {data, size};
  WebPDemuxState state = WEBP_DEMUX_PARSE_ERROR;
  WebPDemuxer *demuxer = WebPDemuxPartial (&file, &state);
  bool whole = state == WEBP_DEMUX_DONE;
  TlStatus status;

  if (demuxer && (whole || (options->accept_truncated && state >= 1)))
    status = decode_first_frame (demuxer, size, options, target, error);
  else if (state == WEBP_DEMUX_PARSE_ERROR)
    status = fail_status (VP8_STATUS_BITSTREAM_ERROR, size, error);
  else
    status = fail_status (VP8_STATUS_NOT_ENOUGH_DATA, size, error);
  WebPDemuxDelete (demuxer);
  return status;
}

/* The EXIF chunk's, or that of the XMP chunk. */
unsigned
tl_webp_orientation (const uint8_t *data, size_t size)
{
  size_t at = RIFF_BYTES;
  unsigned exif = 0, xmp = 0;

  while (exif == 0 && size >= at && size - at >= CHUNK_BYTES) {
    const uint8_t *chunk = data + at;
    size_t length = chunk[4] | (size_t) chunk[5] << 8 | (size_t) chunk[6] << 16
        | (size_t) chunk[7] << 24;

    if (length > size - at - CHUNK_BYTES)
      break;
    if (memcmp (chunk, "EXIF", 4) == 0)
      exif = tl_exif_orientation (chunk + CHUNK_BYTES, length);
    else if (xmp == 0 && memcmp (chunk, "XMP ", 4) == 0)
      xmp = tl_xmp_orientation (chunk + CHUNK_BYTES, length);
    at += CHUNK_BYTES + length + (length & 1);
  }
  return exif ? exif : xmp;
}
