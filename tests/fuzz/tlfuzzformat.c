/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlfuzzformat.h"

#include <string.h>
#include <zlib.h>

#define MAX_MAGICS 8

/* Bytes at the beginning, then, from @then_at, some more. */
typedef struct
{
  const char *begin;
  size_t n_begin;
  size_t then_at;
  const char *then;
  size_t n_then;
} Magic;

struct TlFuzzFormat
{
  const char *name;
  Magic magics[MAX_MAGICS];
  void (*repair) (uint8_t *data, size_t size);
};

static uint32_t
read_be32 (const uint8_t *at)
{
  return (uint32_t) at[0] << 24 | (uint32_t) at[1] << 16 | (uint32_t) at[2] << 8
      | at[3];
}

static void
write_be32 (uint8_t *at, uint32_t value)
{
  for (int i = 0; i < 4; i++)
    at[i] = (uint8_t) (value >> (24 - 8 * i));
}

/* A chunk is length, type, data and a check sum of type and data. */
static void
repair_png (uint8_t *data, size_t size)
{
  size_t at = 8;

  while (size >= 12 && at <= size - 12) {
    uint32_t length = read_be32 (data + at);

    if (length > size - at - 12)
      return;
    write_be32 (data + at + 8 + length,
        (uint32_t) crc32 (0, data + at + 4, length + 4));
    at += length + 12;
  }
}

static const TlFuzzFormat formats[] = {
    {"jpeg", {{"\xff\xd8\xff", 3}}},
    {"png", {{"\x89PNG\r\n\x1a\n", 8}}, repair_png},
    {"webp", {{"RIFF", 4, 8, "WEBP", 4}}},
    {"bmp", {{"BM", 2}}},
    {"tiff",
        {{"II*\0", 4}, {"MM\0*", 4}, {"II+\0\x08\0\0\0", 8},
            {"MM\0+\0\x08\0\0", 8}}},
    {"pnm",
        {{"P1\n", 3}, {"P2\n", 3}, {"P3\n", 3}, {"P4\n", 3}, {"P5\n", 3},
            {"P6\n", 3}}},
};

const TlFuzzFormat *
tl_fuzz_format_find (const char *name)
{
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
    if (!strcmp (formats[i].name, name))
      return &formats[i];
  }
  return NULL;
}

static bool
has_magic (const Magic *magic, const uint8_t *data, size_t size)
{
  return size >= magic->n_begin && size >= magic->then_at + magic->n_then
      && !memcmp (data, magic->begin, magic->n_begin)
      && (!magic->n_then
          || !memcmp (data + magic->then_at, magic->then, magic->n_then));
}

static unsigned
count_magics (const TlFuzzFormat *format)
{
  unsigned n = 0;

  while (n < MAX_MAGICS && format->magics[n].begin)
    n++;
  return n;
}

static bool
is_of_format (const TlFuzzFormat *format, const uint8_t *data, size_t size)
{
  for (unsigned i = 0; i < count_magics (format); i++) {
    if (has_magic (&format->magics[i], data, size))
      return true;
  }
  return false;
}

const TlFuzzFormat *
tl_fuzz_format_of (const uint8_t *data, size_t size)
{
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
    if (is_of_format (&formats[i], data, size))
      return &formats[i];
  }
  return NULL;
}

const char *
tl_fuzz_format_name (const TlFuzzFormat *format)
{
  return format->name;
}

void
tl_fuzz_format_stamp (const TlFuzzFormat *format, uint8_t *data, size_t size,
    unsigned choice)
{
  const Magic *magic = &format->magics[choice % count_magics (format)];

  if (is_of_format (format, data, size) || size < magic->n_begin
      || size < magic->then_at + magic->n_then)
    return;
  memcpy (data, magic->begin, magic->n_begin);
  if (magic->n_then)
    memcpy (data + magic->then_at, magic->then, magic->n_then);
}

void
tl_fuzz_format_repair (const TlFuzzFormat *format, uint8_t *data, size_t size)
{
  if (format->repair)
    format->repair (data, size);
}
