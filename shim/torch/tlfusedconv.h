/* SPDX-License-Identifier: BSD-3-Clause */

/* One convolution with what follows it, by the fastest way there is: oneDNN's
 * fused operators with packed weights (CPU, fp32), else oneDNN's convolution,
 * else conv2d. The fused operators are internal to libtorch, so they are looked
 * up by name and tried on a small example before the first use. */

#ifndef TL_FUSED_CONV_H
#define TL_FUSED_CONV_H

#include <ATen/core/Tensor.h>

namespace tl {

enum class ConvTail
{
  None,
  Relu,
  AddRelu /* relu (conv + residual) */
};

/* @weight: channels_last. Returns what fused_conv takes. */
at::Tensor pack_weight (const at::Tensor &weight, int64_t stride,
    int64_t padding);

/* @residual only with ConvTail::AddRelu. No gradients. */
at::Tensor fused_conv (const at::Tensor &x, const at::Tensor &weight,
    const at::Tensor &bias, int64_t stride, int64_t padding, ConvTail tail,
    const at::Tensor &residual);

} // namespace tl

#endif
