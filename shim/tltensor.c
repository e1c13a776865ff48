/* SPDX-License-Identifier: BSD-3-Clause */

#include "tltensor.h"

static const struct
{
  const char *name;
  size_t size;
} dtypes[] = {
    [TL_DTYPE_INVALID] = {"invalid", 0},
    [TL_DTYPE_F32] = {"F32", 4},
    [TL_DTYPE_F64] = {"F64", 8},
    [TL_DTYPE_F16] = {"F16", 2},
    [TL_DTYPE_BF16] = {"BF16", 2},
    [TL_DTYPE_I64] = {"I64", 8},
    [TL_DTYPE_I32] = {"I32", 4},
    [TL_DTYPE_I16] = {"I16", 2},
    [TL_DTYPE_I8] = {"I8", 1},
    [TL_DTYPE_U8] = {"U8", 1},
    [TL_DTYPE_BOOL] = {"BOOL", 1},
};

#define N_DTYPES (sizeof dtypes / sizeof dtypes[0])

size_t
tl_dtype_size (TlDtype dtype)
{
  return (size_t) dtype < N_DTYPES ? dtypes[dtype].size : 0;
}

const char *
tl_dtype_name (TlDtype dtype)
{
  return (size_t) dtype < N_DTYPES ? dtypes[dtype].name : "invalid";
}

int64_t
tl_tensor_numel (const TlTensor *tensor)
{
  int64_t n = 1;

  for (uint32_t i = 0; i < tensor->n_dims; i++)
    n *= tensor->shape[i];
  return n;
}

int
tl_tensor_is_contiguous (const TlTensor *tensor)
{
  int64_t expected = 1;

  for (uint32_t i = tensor->n_dims; i-- > 0;) {
    if (tensor->shape[i] != 1 && tensor->stride[i] != expected)
      return 0;
    expected *= tensor->shape[i];
  }
  return 1;
}

void
tl_tensor_set_contiguous (TlTensor *tensor)
{
  int64_t stride = 1;

  for (uint32_t i = tensor->n_dims; i-- > 0;) {
    tensor->stride[i] = stride;
    stride *= tensor->shape[i];
  }
}
