/* SPDX-License-Identifier: BSD-3-Clause */

/* The Netpbm formats: PBM, PGM and PPM, as text (P1, P2, P3) and as bytes (P4,
 * P5, P6), up to 16 bits per sample. Numbers are scaled to 0..255 as Pillow
 * does; of grey with more than 8 bits, scaled to 16, the high byte is taken. */

#include "tlfail.h"
#include "tlimageformat.h"

#include <math.h>
#include <string.h>

#define CHANNELS 3
#define MAX_DIGITS 10
#define MAX_VALUE 65535u

typedef struct
{
  const uint8_t *data;
  size_t size, at;
  bool text, bits, colour;
  uint32_t width, height, maximum;
} Netpbm;

static bool
is_blank (uint8_t byte)
{
  return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* Past blanks and comments, which run to the end of their line. */
static void
skip_blanks (Netpbm *pnm)
{
  bool comment = false;

  for (; pnm->at < pnm->size; pnm->at++) {
    uint8_t byte = pnm->data[pnm->at];

    if (byte == '#')
      comment = true;
    else if (byte == '\n' || byte == '\r')
      comment = false;
    else if (!comment && !is_blank (byte))
      return;
  }
}

static TlStatus
fail_short (const Netpbm *pnm, TlError *error)
{
  return tl_fail_at (error, TL_ERROR_FORMAT, (int64_t) pnm->size,
      "The PNM picture is cut short: the file ends after %zu bytes.",
      pnm->size);
}

/* A number of up to 10 digits, and the one byte after it. */
static TlStatus
read_number (Netpbm *pnm, uint64_t *value, TlError *error)
{
  size_t first;

  skip_blanks (pnm);
  first = pnm->at;
  *value = 0;
  while (pnm->at < pnm->size && pnm->at - first < MAX_DIGITS
      && pnm->data[pnm->at] >= '0' && pnm->data[pnm->at] <= '9')
    *value = *value * 10 + (pnm->data[pnm->at++] - '0');
  if (pnm->at == pnm->size && pnm->at == first)
    return fail_short (pnm, error);
  if (pnm->at == first
      || (pnm->at < pnm->size && !is_blank (pnm->data[pnm->at])
          && pnm->data[pnm->at] != '#'))
    return tl_fail_at (error, TL_ERROR_FORMAT, (int64_t) first,
        "The PNM picture has no number where one must be, at byte %zu.", first);
  if (pnm->at < pnm->size && pnm->data[pnm->at] != '#')
    pnm->at++;
  return TL_OK;
}

static TlStatus
read_side (Netpbm *pnm, uint32_t *side, TlError *error)
{
  uint64_t value = 0;
  TlStatus status = read_number (pnm, &value, error);

  if (status == TL_OK && value > UINT32_MAX)
    status = tl_fail_at (error, TL_ERROR_LIMIT, (int64_t) pnm->at,
        "The PNM picture has a side of %llu pixels.",
        (unsigned long long) value);
  *side = (uint32_t) value;
  return status;
}

static TlStatus
read_header (Netpbm *pnm, TlError *error)
{
  char digit = (char) pnm->data[1];
  uint64_t maximum = 1;
  TlStatus status;

  pnm->at = 2;
  pnm->text = digit <= '3';
  pnm->bits = digit == '1' || digit == '4';
  pnm->colour = digit == '3' || digit == '6';
  status = read_side (pnm, &pnm->width, error);
  if (status == TL_OK)
    status = read_side (pnm, &pnm->height, error);
  if (status == TL_OK && !pnm->bits)
    status = read_number (pnm, &maximum, error);
  if (status == TL_OK && (maximum == 0 || maximum > MAX_VALUE))
    status = tl_fail_at (error, TL_ERROR_FORMAT, (int64_t) pnm->at,
        "The PNM picture has %llu as its largest value; 1 to %u are allowed.",
        (unsigned long long) maximum, MAX_VALUE);
  pnm->maximum = (uint32_t) maximum;
  return status;
}

TlStatus
tl_pnm_probe (const uint8_t *data, size_t size, TlImageInfo *info,
    TlError *error)
{
  Netpbm pnm = {.data = data, .size = size};
  TlStatus status = read_header (&pnm, error);

  if (status != TL_OK)
    return status;
  info->width = pnm.width;
  info->height = pnm.height;
  return TL_OK;
}

/* Python's round(value / maximum * 255): to the nearest, halves to even. */
static uint8_t
scale_value (const Netpbm *pnm, uint32_t value)
{
  bool wide = !pnm->colour && pnm->maximum > 255;
  unsigned top = wide ? 65535 : 255;
  unsigned scaled;

  if (value >= pnm->maximum)
    return 255;
  scaled = (unsigned) rint ((double) value / pnm->maximum * top);
  return (uint8_t) (wide ? scaled >> 8 : scaled);
}

static void
put_value (const Netpbm *pnm, uint8_t *row, size_t i, uint8_t value)
{
  if (!row)
    return;
  if (pnm->colour)
    row[i] = value;
  else
    memset (row + i * CHANNELS, value, CHANNELS);
}

/* The next value of a text. A bit is one digit and needs no blank after it. */
static TlStatus
read_text_value (Netpbm *pnm, uint32_t *value, TlError *error)
{
  uint64_t number = 0;
  TlStatus status = TL_OK;

  skip_blanks (pnm);
  if (pnm->at == pnm->size)
    return fail_short (pnm, error);
  if (!pnm->bits)
    status = read_number (pnm, &number, error);
  else
    number = (uint64_t) pnm->data[pnm->at++] - '0';
  if (status == TL_OK && number > pnm->maximum)
    status = tl_fail_at (error, TL_ERROR_FORMAT, (int64_t) pnm->at,
        "The PNM picture has a value above its largest, %u, before byte %zu.",
        pnm->maximum, pnm->at);
  *value = (uint32_t) number;
  return status;
}

static TlStatus
read_text (Netpbm *pnm, TlImageTarget *target, TlError *error)
{
  size_t n = (size_t) pnm->width * (pnm->colour ? CHANNELS : 1);
  TlStatus status = TL_OK;

  for (uint32_t y = 0; y < pnm->height; y++) {
    uint8_t *row = tl_image_target_row (target, y);

    for (size_t i = 0; i < n; i++) {
      uint32_t value = 0;

      status = read_text_value (pnm, &value, error);
      if (status != TL_OK)
        return status;
      if (pnm->bits)
        put_value (pnm, row, i, value ? 0 : 255);
      else
        put_value (pnm, row, i, scale_value (pnm, value));
    }
  }
  return TL_OK;
}

/* One row of bytes; in a bitmap 1 is black. */
static void
convert_row (const Netpbm *pnm, const uint8_t *in, size_t n, uint8_t *row)
{
  for (size_t i = 0; i < n; i++) {
    if (pnm->bits)
      put_value (pnm, row, i, in[i / 8] >> (7 - i % 8) & 1 ? 0 : 255);
    else if (pnm->maximum == 255)
      put_value (pnm, row, i, in[i]);
    else if (pnm->maximum < 255)
      put_value (pnm, row, i, scale_value (pnm, in[i]));
    else
      put_value (pnm, row, i,
          scale_value (pnm, (uint32_t) in[2 * i] << 8 | in[2 * i + 1]));
  }
}

static TlStatus
read_bytes (Netpbm *pnm, TlImageTarget *target, TlError *error)
{
  size_t n = (size_t) pnm->width * (pnm->colour ? CHANNELS : 1);
  size_t stride = pnm->bits ? (n + 7) / 8 : n * (pnm->maximum > 255 ? 2 : 1);

  for (uint32_t y = 0; y < pnm->height; y++, pnm->at += stride) {
    uint8_t *row = tl_image_target_row (target, y);

    if (stride > pnm->size - pnm->at)
      return fail_short (pnm, error);
    if (row)
      convert_row (pnm, pnm->data + pnm->at, n, row);
  }
  return TL_OK;
}

TlStatus
tl_pnm_decode (const uint8_t *data, size_t size, const TlImageOptions *options,
    TlImageTarget *target, TlError *error)
{
  Netpbm pnm = {.data = data, .size = size};
  TlStatus status = read_header (&pnm, error);

  if (status == TL_OK)
    status = tl_image_target_reserve (target, pnm.width, pnm.height, error);
  if (status != TL_OK)
    return status;
  status = pnm.text ? read_text (&pnm, target, error)
                    : read_bytes (&pnm, target, error);
  return options->accept_truncated ? TL_OK : status;
}
