/* SPDX-License-Identifier: BSD-3-Clause */

/* Between TlTensor views in host memory and at::Tensor. */

#ifndef TL_HOST_TENSOR_H
#define TL_HOST_TENSOR_H

#include "tlshim.h"

#include <ATen/core/Tensor.h>

#include <string>

namespace tl {

/* Copies @source into @target, which has its shape and any layout, dtype and
 * device. */
void copy_from_host (const TlTensor &source, at::Tensor target);

/* Shows @tensor to @visitor as a dense host copy; returns its status. */
TlStatus show_to_visitor (const std::string &name, const at::Tensor &tensor,
    TlTensorRole role, TlTensorVisitor visitor, void *user);

/* Copies @tensor to @target as dense floats. */
void copy_floats (const at::Tensor &tensor, float *target);

} // namespace tl

#endif
