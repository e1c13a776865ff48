/* SPDX-License-Identifier: BSD-3-Clause */

/* Bytes of pictures to normalised network input. */

#ifndef TL_PICTURES_H
#define TL_PICTURES_H

#include "tlshim.h"

#include <ATen/core/Tensor.h>

#include <array>

namespace tl {

/* What the network wants. */
struct InputFormat
{
  at::Device device = at::kCPU;
  at::ScalarType dtype = at::kFloat;
  at::MemoryFormat layout = at::MemoryFormat::ChannelsLast;
};

class Normaliser {
public:
  Normaliser () = default;
  Normaliser (const float mean[3], const float std[3], InputFormat format);

  /* Pictures [first, first + n) of @batch as n, 3, height, width:
   * ((byte / 255) - mean) / std in fp32, each operation rounded, which is what
   * torchvision's ToTensor and Normalize compute. */
  at::Tensor run (const TlBatch &batch, uint32_t first, uint32_t n) const;

private:
  at::Tensor run_on_host (const TlBatch &batch, uint32_t first,
      uint32_t n) const;
  at::Tensor run_on_device (const TlBatch &batch, uint32_t first,
      uint32_t n) const;

  InputFormat format_;
  /* The value of each byte in each channel: 256 divisions, not 150,000. */
  std::array<std::array<float, 256>, 3> values_;
  at::Tensor mean_, std_; /* 1, 3, 1, 1 on the device */
};

} // namespace tl

#endif
