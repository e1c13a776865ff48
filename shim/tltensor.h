/* SPDX-License-Identifier: BSD-3-Clause */

/* A named view of a tensor in host memory, as the file readers make them and
 * the shim takes and gives them. */

#ifndef TL_TENSOR_H
#define TL_TENSOR_H

#include "tlstatus.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_TENSOR_MAX_DIMS 8

typedef enum
{
  TL_DTYPE_INVALID = 0,
  TL_DTYPE_F32 = 1,
  TL_DTYPE_F64 = 2,
  TL_DTYPE_F16 = 3,
  TL_DTYPE_BF16 = 4,
  TL_DTYPE_I64 = 5,
  TL_DTYPE_I32 = 6,
  TL_DTYPE_I16 = 7,
  TL_DTYPE_I8 = 8,
  TL_DTYPE_U8 = 9,
  TL_DTYPE_BOOL = 10
} TlDtype;

/* All pointers are borrowed from whoever made the view. shape and stride count
 * elements; stride is that of the outermost dimension first, as shape. */
typedef struct
{
  const char *name; /* torchvision's name, "layer1.0.conv1.weight" */
  TlDtype dtype;
  uint32_t n_dims;                    /* 0 is a scalar */
  int64_t shape[TL_TENSOR_MAX_DIMS];  /* each >= 0 */
  int64_t stride[TL_TENSOR_MAX_DIMS]; /* each >= 0 */
  const void *data;                   /* first element; little endian */
} TlTensor;

/* Bytes of one element, 0 for TL_DTYPE_INVALID. */
size_t tl_dtype_size (TlDtype dtype);

/* "F32", "BF16"...: the safetensors spelling. */
const char *tl_dtype_name (TlDtype dtype);

/* Number of elements: the product of the shape, 1 for a scalar. */
int64_t tl_tensor_numel (const TlTensor *tensor);

/* Whether the elements lie densely in row-major order. */
int tl_tensor_is_contiguous (const TlTensor *tensor);

/* Fills the strides of a dense row-major tensor from its shape. */
void tl_tensor_set_contiguous (TlTensor *tensor);

#ifdef __cplusplus
}
#endif

#endif
