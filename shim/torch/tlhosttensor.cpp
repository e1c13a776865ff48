/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlhosttensor.h"

#include "tlguard.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>

#include <cstring>

namespace tl {

static at::ScalarType
scalar_type (TlDtype dtype)
{
  switch (dtype) {
    case TL_DTYPE_F32:
      return at::kFloat;
    case TL_DTYPE_F64:
      return at::kDouble;
    case TL_DTYPE_F16:
      return at::kHalf;
    case TL_DTYPE_BF16:
      return at::kBFloat16;
    case TL_DTYPE_I64:
      return at::kLong;
    case TL_DTYPE_I32:
      return at::kInt;
    case TL_DTYPE_I16:
      return at::kShort;
    case TL_DTYPE_I8:
      return at::kChar;
    case TL_DTYPE_U8:
      return at::kByte;
    case TL_DTYPE_BOOL:
      return at::kBool;
    default:
      throw Failure (TL_ERROR_ARGUMENT, "a tensor has no valid dtype");
  }
}

void
copy_from_host (const TlTensor &source, at::Tensor target)
{
  const at::NoGradGuard no_grad;
  const at::IntArrayRef shape (source.shape, source.n_dims);
  const at::IntArrayRef stride (source.stride, source.n_dims);

  target.copy_ (at::from_blob (const_cast<void *> (source.data), shape, stride,
      at::TensorOptions ().dtype (scalar_type (source.dtype))));
}

TlStatus
show_to_visitor (const std::string &name, const at::Tensor &tensor,
    TlTensorRole role, TlTensorVisitor visitor, void *user)
{
  const at::Tensor host = tensor.detach ().cpu ().contiguous ();
  TlTensor view = {};

  view.name = name.c_str ();
  view.dtype = host.scalar_type () == at::kLong ? TL_DTYPE_I64 : TL_DTYPE_F32;
  view.n_dims = static_cast<uint32_t> (host.dim ());
  for (uint32_t i = 0; i < view.n_dims; i++)
    view.shape[i] = host.size (i);
  tl_tensor_set_contiguous (&view);
  view.data = host.const_data_ptr ();
  return visitor (&view, role, user);
}

void
copy_floats (const at::Tensor &tensor, float *target)
{
  const at::Tensor host = tensor.to (at::kCPU, at::kFloat).contiguous ();

  std::memcpy (target, host.const_data_ptr<float> (), host.nbytes ());
}

} // namespace tl
