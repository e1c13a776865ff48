/* SPDX-License-Identifier: BSD-3-Clause */

/* The arithmetic of the reference backend. Sums of pixels are integers and
 * other sums are in double and in a fixed order, so results repeat. */

#include "tlreference.h"

#include <math.h>
#include <string.h>

/* Sums the pixels of the cell (@x, @y) of picture @i per channel; returns their
 * number. Cells differ by a pixel where 8 does not divide the side. */
static uint32_t
sum_cell (const TlBatch *batch, uint32_t i, uint32_t x, uint32_t y,
    uint32_t sums[3])
{
  const uint8_t *picture = batch->pixels + i * batch->sample_stride;
  uint32_t left = x * batch->width / TL_THUMBNAIL_SIDE;
  uint32_t right = (x + 1) * batch->width / TL_THUMBNAIL_SIDE;
  uint32_t top = y * batch->height / TL_THUMBNAIL_SIDE;
  uint32_t bottom = (y + 1) * batch->height / TL_THUMBNAIL_SIDE;

  memset (sums, 0, 3 * sizeof *sums);
  for (uint32_t r = top; r < bottom; r++) {
    const uint8_t *row = picture + r * batch->row_stride;

    for (uint32_t c = left; c < right; c++) {
      for (uint32_t channel = 0; channel < 3; channel++)
        sums[channel] += row[3 * c + channel];
    }
  }
  return (right - left) * (bottom - top);
}

void
tl_thumbnail_shrink (const TlBackendModel *model, const TlBatch *batch,
    uint32_t i, float *pixels)
{
  for (uint32_t y = 0; y < TL_THUMBNAIL_SIDE; y++) {
    for (uint32_t x = 0; x < TL_THUMBNAIL_SIDE; x++) {
      uint32_t sums[3];
      uint32_t n = sum_cell (batch, i, x, y, sums);

      for (int channel = 0; channel < 3; channel++) {
        double value = sums[channel] / (255.0 * n);

        *pixels++ = (float) ((value - (double) model->mean[channel])
            / (double) model->std[channel]);
      }
    }
  }
}

void
tl_thumbnail_apply_stem (const TlBackendModel *model, const float *pixels,
    float *features)
{
  const float *stem = model->parameters[TL_PARAMETER_STEM].values;

  for (int j = 0; j < TL_THUMBNAIL_FEATURES; j++)
    features[j] = pixels[j] * stem[j];
}

void
tl_thumbnail_classify (const TlBackendModel *model, const float *features,
    float *logits)
{
  const float *weight = model->parameters[TL_PARAMETER_FC_WEIGHT].values;
  const float *bias = model->parameters[TL_PARAMETER_FC_BIAS].values;

  for (uint32_t k = 0; k < model->n_classes; k++) {
    double sum = (double) bias[k];

    for (int j = 0; j < TL_THUMBNAIL_FEATURES; j++)
      sum += (double) *weight++ * (double) features[j];
    logits[k] = (float) sum;
  }
}

double
tl_thumbnail_softmax (float *logits, uint32_t n, uint32_t label)
{
  double largest = (double) logits[tl_thumbnail_arg_max (logits, n)];
  double label_logit = (double) logits[label];
  double sum = 0;

  for (uint32_t k = 0; k < n; k++)
    sum += exp ((double) logits[k] - largest);
  for (uint32_t k = 0; k < n; k++)
    logits[k] = (float) (exp ((double) logits[k] - largest) / sum);
  return log (sum) + largest - label_logit;
}

uint32_t
tl_thumbnail_arg_max (const float *values, uint32_t n)
{
  uint32_t best = 0;

  for (uint32_t k = 1; k < n; k++) {
    if (values[k] > values[best])
      best = k;
  }
  return best;
}
