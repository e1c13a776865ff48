/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlpictures.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

namespace tl {

static at::Tensor
channel_constant (const float values[3], at::Device device)
{
  return at::from_blob (const_cast<float *> (values), {1, 3, 1, 1},
      at::TensorOptions ().dtype (at::kFloat))
      .to (at::TensorOptions ().device (device), false, /* copy */ true);
}

Normaliser::Normaliser (const float mean[3], const float std[3],
    InputFormat format)
    : format_ (format), mean_ (channel_constant (mean, format.device)),
      std_ (channel_constant (std, format.device))
{
  for (int c = 0; c < 3; c++)
    for (int byte = 0; byte < 256; byte++)
      values_[c][byte] =
          (static_cast<float> (byte) / 255.0f - mean[c]) / std[c];
}

at::Tensor
Normaliser::run (const TlBatch &batch, uint32_t first, uint32_t n) const
{
  return format_.device.is_cpu () ? run_on_host (batch, first, n)
                                  : run_on_device (batch, first, n);
}

at::Tensor
Normaliser::run_on_host (const TlBatch &batch, uint32_t first, uint32_t n) const
{
  const size_t width = batch.width;
  const size_t n_pixels = width * batch.height;
  const bool interleaved = format_.layout == at::MemoryFormat::ChannelsLast;
  const size_t pixel_step = interleaved ? 3 : 1;
  const size_t channel_step = interleaved ? 1 : n_pixels;
  at::Tensor tensor = at::empty ({n, 3, batch.height, batch.width},
      at::TensorOptions ().dtype (at::kFloat).memory_format (format_.layout));
  float *picture = tensor.mutable_data_ptr<float> ();

  for (uint32_t i = first; i < first + n; i++, picture += 3 * n_pixels)
    for (size_t row = 0; row < batch.height; row++) {
      const uint8_t *source =
          batch.pixels + i * batch.sample_stride + row * batch.row_stride;
      float *target = picture + row * width * pixel_step;

      for (size_t x = 0; x < width; x++, source += 3, target += pixel_step) {
        target[0] = values_[0][source[0]];
        target[channel_step] = values_[1][source[1]];
        target[2 * channel_step] = values_[2][source[2]];
      }
    }
  return tensor.to (format_.dtype);
}

/* Bytes travel, a quarter of the size; the arithmetic is done there. */
at::Tensor
Normaliser::run_on_device (const TlBatch &batch, uint32_t first,
    uint32_t n) const
{
  uint8_t *pixels =
      const_cast<uint8_t *> (batch.pixels + first * batch.sample_stride);
  const at::Tensor bytes =
      at::from_blob (pixels, {n, batch.height, batch.width, 3},
          {static_cast<int64_t> (batch.sample_stride),
              static_cast<int64_t> (batch.row_stride), 3, 1},
          at::TensorOptions ().dtype (at::kByte));

  return bytes.contiguous ()
      .to (format_.device)
      .permute ({0, 3, 1, 2})
      .to (at::kFloat)
      .div_ (255)
      .sub_ (mean_)
      .div_ (std_)
      .to (format_.dtype)
      .contiguous (format_.layout);
}

} // namespace tl
