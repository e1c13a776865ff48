/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlrotate.h"

#include "tlfail.h"
#include "tlvector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHANNELS 3
#define WIDE 4 /* bytes per pixel of the copy: one load, one vector */
#define FIXED_ONE 65536.0

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
    "pixels are read as words, and halves of doubles as integers");

struct TlRotator
{
  /* The picture with its edge repeated once on all sides, so that the four
   * neighbours of a place inside the picture are always there. */
  uint8_t *copy;
  size_t capacity; /* bytes */
  size_t pitch;    /* bytes per row of the copy */
};

/* Where the pixel with centre (x, y) comes from:
 * (a x + b y + c, d x + e y + f). */
typedef struct
{
  double a, b, c, d, e, f;
} Origin;

TlRotator *
tl_rotator_new (void)
{
  return calloc (1, sizeof (TlRotator));
}

void
tl_rotator_free (TlRotator *rotator)
{
  if (!rotator)
    return;
  free (rotator->copy);
  free (rotator);
}

/* Pillow rounds to 15 places: a right angle has no sine of 1e-17. The product
 * is rounded itself and may seem to be half way: fma() tells. */
static double
to_15_places (double value)
{
  double n = nearbyint (value * 1e15);
  double rest = fma (value, 1e15, -n);

  return (rest > 0.5 ? n + 1 : rest < -0.5 ? n - 1 : n) / 1e15;
}

static Origin
origin_of (const TlRaster *raster, double degrees)
{
  double turn = fmod (degrees, 360);
  double angle = -(turn < 0 ? turn + 360 : turn) * (M_PI / 180);
  double x = raster->width / 2.0, y = raster->height / 2.0;
  Origin origin = {.a = to_15_places (cos (angle)),
      .b = to_15_places (sin (angle)),
      .d = to_15_places (-sin (angle)),
      .e = to_15_places (cos (angle))};

  origin.c = origin.a * -x + origin.b * -y + x;
  origin.f = origin.d * -x + origin.e * -y + y;
  return origin;
}

static TlStatus
reserve (TlRotator *rotator, const TlRaster *raster, TlError *error)
{
  size_t size;
  uint8_t *copy;

  if (__builtin_mul_overflow ((size_t) raster->width + 2, WIDE, &rotator->pitch)
      || __builtin_mul_overflow ((size_t) raster->height + 2, rotator->pitch,
          &size))
    size = SIZE_MAX;
  if (size <= rotator->capacity)
    return TL_OK;
  copy = size < SIZE_MAX ? malloc (size) : NULL;
  if (!copy)
    return tl_fail (error, TL_ERROR_MEMORY,
        "There is not enough memory to rotate a picture of %ux%u pixels.",
        raster->width, raster->height);
  free (rotator->copy);
  rotator->copy = copy;
  rotator->capacity = size;
  return TL_OK;
}

static void
widen_row (const uint8_t *from, uint32_t width, uint8_t *to)
{
  uint8_t *first = to + WIDE, *last = to + (size_t) width * WIDE;

  for (size_t x = 0; x < width; x++) {
    uint32_t word = from[x * CHANNELS] | (uint32_t) from[x * CHANNELS + 1] << 8
        | (uint32_t) from[x * CHANNELS + 2] << 16;

    memcpy (first + x * WIDE, &word, WIDE);
  }
  memcpy (to, first, WIDE);
  memcpy (last + WIDE, last, WIDE);
}

static void
copy_picture (TlRotator *rotator, const TlRaster *raster)
{
  size_t pitch = rotator->pitch;
  uint8_t *first = rotator->copy + pitch;
  uint8_t *last = rotator->copy + raster->height * pitch;

  for (size_t y = 0; y < raster->height; y++)
    widen_row (raster->data + y * raster->stride, raster->width,
        first + y * pitch);
  memcpy (rotator->copy, first, pitch);
  memcpy (last + pitch, last, pitch);
}

/* In steps of 1/65536 pixel, as Pillow where the picture is not huge. */
static void
turn_nearest (const TlRotator *rotator, const Origin *o, const TlRaster *raster)
{
  int64_t a = (int64_t) floor (o->a * FIXED_ONE + 0.5);
  int64_t b = (int64_t) floor (o->b * FIXED_ONE + 0.5);
  int64_t d = (int64_t) floor (o->d * FIXED_ONE + 0.5);
  int64_t e = (int64_t) floor (o->e * FIXED_ONE + 0.5);
  int64_t c =
      (int64_t) floor ((o->c + o->a * 0.5 + o->b * 0.5) * FIXED_ONE + 0.5);
  int64_t f =
      (int64_t) floor ((o->f + o->d * 0.5 + o->e * 0.5) * FIXED_ONE + 0.5);
  const TlRaster r = *raster;
  const size_t pitch = rotator->pitch;
  const uint8_t *picture = rotator->copy + pitch + WIDE;

  for (uint32_t y = 0; y < r.height; y++, c += b, f += e) {
    uint8_t *pixel = r.data + y * r.stride;
    int64_t u = c, v = f;

    for (uint32_t x = 0; x < r.width; x++, u += a, v += d) {
      /* Negative places are beyond the end as unsigned ones. */
      uint64_t column = (uint64_t) (u >> 16), row = (uint64_t) (v >> 16);

      if (column < r.width && row < r.height)
        memcpy (pixel, picture + row * pitch + column * WIDE, CHANNELS);
      else
        memset (pixel, 0, CHANNELS);
      pixel += CHANNELS;
    }
  }
}

/* In double precision as Pillow: results are truncated, so that less would show.
 * The channels of a pixel are (red, 256 green, 65536 blue, 0) with BIAS added:
 * masks on its word, with the exponent of 2^52 above, give such numbers without
 * a conversion. Powers of two change no rounding. */
typedef double Doubles __attribute__ ((vector_size (32)));
typedef int32_t Words __attribute__ ((vector_size (32)));
typedef int32_t Ints __attribute__ ((vector_size (16)));
#define BIAS 0x1p52
#define HIGH 0x43300000
#define MASKS ((Words){0xff, 0, 0xff00, 0, 0xff0000, 0, 0, 0})
#define EXPONENTS ((Words){0, HIGH, 0, HIGH, 0, HIGH, 0, HIGH})
#define SCALES ((Doubles){1, 1.0 / 256, 1.0 / 65536, 0})
#define INLINE static inline __attribute__ ((always_inline))

INLINE Doubles
load (const uint8_t *pixel)
{
  int32_t w;

  memcpy (&w, pixel, sizeof w);
  return (Doubles) ((((Words){w, w, w, w, w, w, w, w}) & MASKS) | EXPONENTS);
}

/* From the pixel at @left to the one beside it. */
INLINE Doubles
mix_row (const uint8_t *left, double share)
{
  Doubles from = load (left), to = load (left + WIDE);

  return (from - BIAS) + (to - from) * share;
}

/* @u, @v: a place inside the picture; pixel centres are at halves. */
INLINE void
mix_neighbours (const uint8_t *picture, size_t pitch, double u, double v,
    uint8_t *pixel)
{
  double left = u - 0.5, top = v - 0.5;
  ptrdiff_t column = (ptrdiff_t) left - (left < 0);
  ptrdiff_t row = (ptrdiff_t) top - (top < 0);
  const uint8_t *upper = picture + row * (ptrdiff_t) pitch + column * WIDE;
  Doubles above = mix_row (upper, left - (double) column);
  Doubles below = mix_row (upper + pitch, left - (double) column);
  Doubles mixed = above + (below - above) * (top - (double) row);
  Ints levels = __builtin_convertvector(mixed * SCALES, Ints);

  pixel[0] = (uint8_t) levels[0];
  pixel[1] = (uint8_t) levels[1];
  pixel[2] = (uint8_t) levels[2];
}

TL_VECTORISED static void
turn_bilinear (const TlRotator *rotator, const Origin *origin,
    const TlRaster *raster)
{
  /* Copies: as far as compilers know, a pixel that is written may be one of
   * these. */
  const Origin o = *origin;
  const TlRaster r = *raster;
  const size_t pitch = rotator->pitch;
  const uint8_t *picture = rotator->copy + pitch + WIDE;
  double width = r.width, height = r.height;

  for (uint32_t y = 0; y < r.height; y++) {
    uint8_t *pixel = r.data + y * r.stride;
    double by = o.b * (y + 0.5), ey = o.e * (y + 0.5);

    for (double x = 0.5; x < width; x++, pixel += CHANNELS) {
      double u = o.a * x + by + o.c, v = o.d * x + ey + o.f;

      if (u >= 0 && u < width && v >= 0 && v < height)
        mix_neighbours (picture, pitch, u, v, pixel);
      else
        memset (pixel, 0, CHANNELS);
    }
  }
}

TlStatus
tl_rotator_run (TlRotator *rotator, const TlRaster *raster, double degrees,
    TlRotateFilter filter, TlError *error)
{
  Origin origin = origin_of (raster, degrees);
  TlStatus status = reserve (rotator, raster, error);

  if (status != TL_OK)
    return status;
  copy_picture (rotator, raster);
  if (filter == TL_ROTATE_BILINEAR)
    turn_bilinear (rotator, &origin, raster);
  else
    turn_nearest (rotator, &origin, raster);
  return TL_OK;
}
