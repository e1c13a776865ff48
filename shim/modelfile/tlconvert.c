/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlconvert.h"

#include <string.h>

int
tl_is_float_dtype (TlDtype dtype)
{
  return dtype == TL_DTYPE_F32 || dtype == TL_DTYPE_F64 || dtype == TL_DTYPE_F16
      || dtype == TL_DTYPE_BF16;
}

static float
from_bits (uint32_t bits)
{
  float value;

  memcpy (&value, &bits, sizeof value);
  return value;
}

/* Every half is a float: 10 bits of fraction become the upper ones of 23, and
 * the exponent's bias grows from 15 to 127. */
static float
convert_half (uint16_t half)
{
  uint32_t sign = (uint32_t) (half >> 15) << 31;
  uint32_t exponent = half >> 10 & 31, fraction = half & 1023;
  float tiny;

  if (exponent == 31)
    return from_bits (sign | 0x7f800000u | fraction << 13);
  if (exponent > 0)
    return from_bits (sign | (exponent + 112) << 23 | fraction << 13);
  tiny = (float) fraction / 16777216.0f; /* 2^24 */
  return sign ? -tiny : tiny;
}

/* The element at @data, which need not be aligned. */
static float
read_element (const uint8_t *data, TlDtype dtype)
{
  double f64;
  float f32;
  uint16_t half;

  switch (dtype) {
    case TL_DTYPE_F64:
      memcpy (&f64, data, sizeof f64);
      return (float) f64;
    case TL_DTYPE_F16:
      memcpy (&half, data, sizeof half);
      return convert_half (half);
    case TL_DTYPE_BF16:
      memcpy (&half, data, sizeof half);
      return from_bits ((uint32_t) half << 16);
    default:
      memcpy (&f32, data, sizeof f32);
      return f32;
  }
}

void
tl_convert_to_f32 (const TlTensor *tensor, float *values)
{
  const uint8_t *data = tensor->data;
  size_t size = tl_dtype_size (tensor->dtype);
  int64_t n = tl_tensor_numel (tensor);

  for (int64_t i = 0; i < n; i++) {
    int64_t rest = i, offset = 0;

    for (uint32_t d = tensor->n_dims; d-- > 0;) {
      offset += rest % tensor->shape[d] * tensor->stride[d];
      rest /= tensor->shape[d];
    }
    values[i] = read_element (data + (size_t) offset * size, tensor->dtype);
  }
}
