/* SPDX-License-Identifier: BSD-3-Clause */

/* Tensors of any dtype and strides as dense fp32. */

#ifndef TL_CONVERT_H
#define TL_CONVERT_H

#include "tltensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether tl_convert_to_f32() takes the dtype: F32, F64, F16, BF16. */
int tl_is_float_dtype (TlDtype dtype);

/* Fills @values, tl_tensor_numel() of them, in row-major order. F64 is rounded
 * to the nearest; the others are exact. */
void tl_convert_to_f32 (const TlTensor *tensor, float *values);

#ifdef __cplusplus
}
#endif

#endif
