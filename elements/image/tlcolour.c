/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlcolour.h"

#include "tlvector.h"

#define CHANNELS 3
#define SAMPLES 4 /* of an unpacked pixel */

static const uint8_t *
narrow (const TlUnpackedRow *row, size_t pixel)
{
  return (const uint8_t *) row->data + SAMPLES * pixel + 1;
}

static const uint16_t *
wide (const TlUnpackedRow *row, size_t pixel)
{
  return (const uint16_t *) row->data + SAMPLES * pixel + 1;
}

TL_VECTORISED void
tl_colour_take (const TlUnpackedRow *row, unsigned component, size_t first,
    size_t step, size_t n, float *samples)
{
  if (row->is_wide) {
    const uint16_t *from = wide (row, first) + component;

    for (size_t i = 0; i < n; i++)
      samples[i] = from[SAMPLES * step * i];
  } else {
    const uint8_t *from = narrow (row, first) + component;

    for (size_t i = 0; i < n; i++)
      samples[i] = from[SAMPLES * step * i];
  }
}

TL_VECTORISED void
tl_colour_blend (const float *a, const float *b, float weight, size_t n,
    float *samples)
{
  for (size_t i = 0; i < n; i++)
    samples[i] = (1 - weight) * a[i] + weight * b[i];
}

/* Column c of a sample's own lies between it and the sample before, or between
 * it and the next. */
static inline void
widen_column (const float *samples, size_t n, unsigned factor, float offset,
    unsigned c, float *wide)
{
  float place = ((float) c - offset) / (float) factor;
  size_t before = place < 0 ? 0 : 1;
  float weight = place < 0 ? place + 1 : place;

  for (size_t i = 0; i + 2 < n; i++)
    wide[i * factor + c] =
        (1 - weight) * samples[i + before] + weight * samples[i + before + 1];
}

TL_VECTORISED void
tl_colour_widen (const float *samples, size_t n, unsigned factor, float offset,
    float *wide)
{
  for (unsigned c = 0; c < factor; c++) {
    if (factor == 2)
      widen_column (samples, n, 2, offset, c, wide);
    else
      widen_column (samples, n, factor, offset, c, wide);
  }
}

static inline uint8_t
round_level (float value)
{
  value += 0.5f;
  return (uint8_t) (int32_t) (value < 0 ? 0 : value > 255 ? 255 : value);
}

TL_VECTORISED void
tl_colour_convert (const TlColourMatrix *matrix, const float *const *from,
    size_t n, uint8_t *rgb)
{
  const float *a = from[0], *b = from[1], *c = from[2];
  const TlColourMatrix m = *matrix;

  for (size_t i = 0; i < n; i++) {
    for (int k = 0; k < CHANNELS; k++)
      rgb[CHANNELS * i + (size_t) k] =
          round_level (m.offsets[k] + m.weights[k][0] * a[i]
              + m.weights[k][1] * b[i] + m.weights[k][2] * c[i]);
  }
}

void
tl_colour_copy (const TlUnpackedRow *row, size_t first, size_t n, uint8_t *rgb)
{
  const uint8_t *bytes = narrow (row, first);
  const uint16_t *words = wide (row, first);

  for (size_t i = 0; i < n; i++) {
    for (size_t k = 0; k < CHANNELS; k++)
      rgb[CHANNELS * i + k] = row->is_wide
          ? (uint8_t) (words[SAMPLES * i + k] >> 8)
          : bytes[SAMPLES * i + k];
  }
}

void
tl_colour_copy_grey (const TlUnpackedRow *row, size_t first, size_t n,
    uint8_t *rgb)
{
  const uint8_t *bytes = narrow (row, first);
  const uint16_t *words = wide (row, first);

  for (size_t i = 0; i < n; i++)
    rgb[CHANNELS * i] = rgb[CHANNELS * i + 1] = rgb[CHANNELS * i + 2] =
        row->is_wide ? (uint8_t) (words[SAMPLES * i] >> 8) : bytes[SAMPLES * i];
}
