/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlfusedconv.h"

#include <ATen/Context.h>
#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/mkldnn_convolution.h>
#include <ATen/ops/ones.h>

#include <optional>
#include <string_view>

namespace tl {

namespace {

using Scalars = c10::List<std::optional<c10::Scalar>>;
using MaybeText = std::optional<std::string_view>;

using Reorder = at::Tensor (const at::Tensor &weight, at::IntArrayRef padding,
    at::IntArrayRef stride, at::IntArrayRef dilation, int64_t groups,
    at::OptionalIntArrayRef input_size);
using Pointwise = at::Tensor (const at::Tensor &x, const at::Tensor &weight,
    const std::optional<at::Tensor> &bias, at::IntArrayRef padding,
    at::IntArrayRef stride, at::IntArrayRef dilation, int64_t groups,
    std::string_view attr, Scalars scalars, MaybeText algorithm);
using PointwiseBinary = at::Tensor (const at::Tensor &x,
    const at::Tensor &other, const at::Tensor &weight,
    const std::optional<at::Tensor> &bias, at::IntArrayRef padding,
    at::IntArrayRef stride, at::IntArrayRef dilation, int64_t groups,
    std::string_view binary_attr, std::optional<c10::Scalar> alpha,
    MaybeText unary_attr, Scalars unary_scalars, MaybeText unary_algorithm);

struct FusedOps
{
  c10::TypedOperatorHandle<Reorder> reorder;
  c10::TypedOperatorHandle<Pointwise> pointwise;
  c10::TypedOperatorHandle<PointwiseBinary> binary;

  at::Tensor run (const at::Tensor &x, const at::Tensor &weight,
      const at::Tensor &bias, int64_t stride, int64_t padding, ConvTail tail,
      const at::Tensor &residual) const
  {
    const std::array<int64_t, 2> strides = {stride, stride};
    const std::array<int64_t, 2> paddings = {padding, padding};
    const std::array<int64_t, 2> dilations = {1, 1};

    if (tail == ConvTail::AddRelu)
      return binary.call (x, residual, weight, bias, paddings, strides,
          dilations, 1, "add", 1, "relu", Scalars (), "");
    return pointwise.call (x, weight, bias, paddings, strides, dilations, 1,
        tail == ConvTail::Relu ? "relu" : "none", Scalars (), "");
  }

  at::Tensor pack (const at::Tensor &weight, int64_t stride,
      int64_t padding) const
  {
    const std::array<int64_t, 2> strides = {stride, stride};
    const std::array<int64_t, 2> paddings = {padding, padding};
    const std::array<int64_t, 2> dilations = {1, 1};

    return reorder.call (weight, paddings, strides, dilations, 1, {});
  }
};

} // namespace

static FusedOps
look_up ()
{
  c10::Dispatcher &ops = c10::Dispatcher::singleton ();

  return {
      ops.findSchemaOrThrow ("mkldnn::_reorder_convolution_weight", "")
          .typed<Reorder> (),
      ops.findSchemaOrThrow ("mkldnn::_convolution_pointwise", "")
          .typed<Pointwise> (),
      ops.findSchemaOrThrow ("mkldnn::_convolution_pointwise", "binary")
          .typed<PointwiseBinary> (),
  };
}

/* relu (1 * 16 channels * 9 taps + 1 + 1) in the middle of a 4x4 picture. */
static bool
works (const FusedOps &ops)
{
  const at::Tensor x =
      at::ones ({1, 16, 4, 4}).contiguous (at::MemoryFormat::ChannelsLast);
  const at::Tensor weight =
      at::ones ({16, 16, 3, 3}).contiguous (at::MemoryFormat::ChannelsLast);
  const at::Tensor y = ops.run (x, ops.pack (weight, 1, 1), at::ones ({16}), 1,
      1, ConvTail::AddRelu, x);

  return y.select (2, 1).select (2, 1).eq (146).all ().item<bool> ();
}

/* Null where libtorch has no oneDNN or another version of its operators: the
 * slower ways give the same values up to rounding. */
static const FusedOps *
fused_ops ()
{
  static const std::optional<FusedOps> ops = [] () -> std::optional<FusedOps> {
    try {
      if (!at::hasMKLDNN ())
        return {};
      const FusedOps found = look_up ();

      if (works (found))
        return found;
    } catch (const c10::Error &) {
      /* Not this version's operators. */
    }
    return {};
  }();

  return ops ? &*ops : nullptr;
}

static bool
is_cpu_fp32 (const at::Tensor &tensor)
{
  return tensor.is_cpu () && tensor.scalar_type () == at::kFloat;
}

at::Tensor
pack_weight (const at::Tensor &weight, int64_t stride, int64_t padding)
{
  const FusedOps *ops = is_cpu_fp32 (weight) ? fused_ops () : nullptr;

  return ops ? ops->pack (weight, stride, padding) : weight;
}

at::Tensor
fused_conv (const at::Tensor &x, const at::Tensor &weight,
    const at::Tensor &bias, int64_t stride, int64_t padding, ConvTail tail,
    const at::Tensor &residual)
{
  at::Tensor y;

  if (weight.is_mkldnn ())
    return fused_ops ()->run (x, weight, bias, stride, padding, tail, residual);
  if (is_cpu_fp32 (x) && at::hasMKLDNN ())
    y = at::mkldnn_convolution (x, weight, bias, {padding, padding},
        {stride, stride}, {1, 1}, 1);
  else
    y = at::conv2d (x, weight, bias, stride, padding);

  if (tail == ConvTail::AddRelu)
    y += residual;
  return tail == ConvTail::None ? y : y.relu_ ();
}

} // namespace tl
