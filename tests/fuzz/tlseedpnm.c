/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlseedmaker.h"

#include <stdio.h>

#define MAX_BYTES 8192

typedef struct
{
  const char *name;
  char digit; /* of "P1" to "P6" */
  uint32_t width, height, maximum;
} Variant;

static const Variant variants[] = {
    {"bits-text", '1', 19, 9, 1},
    {"grey-text", '2', 12, 9, 255},
    {"grey-text-16", '2', 12, 9, 65535},
    {"rgb-text", '3', 8, 6, 100},
    {"bits", '4', 33, 18, 1},
    {"grey", '5', 24, 18, 255},
    {"grey-100", '5', 24, 18, 100},
    {"grey-16", '5', 24, 18, 65535},
    {"rgb", '6', 24, 18, 255},
    {"rgb-16", '6', 24, 18, 1023},
    {"one-pixel", '6', 1, 1, 255},
};

static size_t
put_sample (const Variant *v, uint8_t *out, uint32_t x, uint32_t y, uint32_t c)
{
  uint32_t value = tl_seed_sample (x, y, c) * v->maximum / 255;

  if (v->digit == '1')
    return (size_t) sprintf ((char *) out, "%u", value & 1);
  if (v->digit < '4')
    return (size_t) sprintf ((char *) out, "%u ", value);
  if (v->digit == '4') {
    out[0] = (uint8_t) value * 255;
    return x % 8 == 0;
  }
  if (v->maximum > 255)
    *out++ = (uint8_t) (value >> 8);
  *out = (uint8_t) value;
  return v->maximum > 255 ? 2 : 1;
}

static void
make (const TlSeedSink *sink, const Variant *v)
{
  uint8_t bytes[MAX_BYTES];
  uint32_t channels = v->digit == '3' || v->digit == '6' ? 3 : 1;
  size_t n = (size_t) sprintf ((char *) bytes, "P%c\n# seed\n%u %u\n", v->digit,
      v->width, v->height);

  if (v->digit != '1' && v->digit != '4')
    n += (size_t) sprintf ((char *) bytes + n, "%u\n", v->maximum);
  for (uint32_t y = 0; y < v->height; y++)
    for (uint32_t x = 0; x < v->width; x++)
      for (uint32_t c = 0; c < channels; c++)
        n += put_sample (v, bytes + n, x, y, c);
  tl_seed_give (sink, v->name, bytes, n);
}

void
tl_seed_make_pnm (const TlSeedSink *sink)
{
  for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
    make (sink, &variants[i]);
}
