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
  TL_DTYPE_BOOL = 10,
  /* Read from files, but no weights of a network: no backend takes them. */
  TL_DTYPE_U16 = 11,
  TL_DTYPE_U32 = 12,
  TL_DTYPE_U64 = 13,
  TL_DTYPE_F8_E4M3 = 14,
  TL_DTYPE_F8_E5M2 = 15,
  TL_DTYPE_F8_E8M0 = 16,
  TL_DTYPE_C64 = 17 /* two F32: real, imaginary */
} TlDtype;

#define TL_DTYPE_LAST TL_DTYPE_C64

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

/* Inline, so that the header needs no library to link with. */

/* Bytes of one element, 0 for TL_DTYPE_INVALID and what is no TlDtype. */
static inline size_t
tl_dtype_size (TlDtype dtype)
{
  switch (dtype) {
    case TL_DTYPE_F64:
    case TL_DTYPE_I64:
    case TL_DTYPE_U64:
    case TL_DTYPE_C64:
      return 8;
    case TL_DTYPE_F32:
    case TL_DTYPE_I32:
    case TL_DTYPE_U32:
      return 4;
    case TL_DTYPE_F16:
    case TL_DTYPE_BF16:
    case TL_DTYPE_I16:
    case TL_DTYPE_U16:
      return 2;
    case TL_DTYPE_I8:
    case TL_DTYPE_U8:
    case TL_DTYPE_BOOL:
    case TL_DTYPE_F8_E4M3:
    case TL_DTYPE_F8_E5M2:
    case TL_DTYPE_F8_E8M0:
      return 1;
    default:
      return 0;
  }
}

/* "F32", "BF16"...: the safetensors spelling; "invalid" for any other value. */
static inline const char *
tl_dtype_name (TlDtype dtype)
{
  static const char *const names[] = {"invalid", "F32", "F64", "F16", "BF16",
      "I64", "I32", "I16", "I8", "U8", "BOOL", "U16", "U32", "U64", "F8_E4M3",
      "F8_E5M2", "F8_E8M0", "C64"};

  return names[tl_dtype_size (dtype) > 0 ? dtype : TL_DTYPE_INVALID];
}

/* Number of elements: the product of the shape, 1 for a scalar. */
static inline int64_t
tl_tensor_numel (const TlTensor *tensor)
{
  int64_t n = 1;

  for (uint32_t i = 0; i < tensor->n_dims; i++)
    n *= tensor->shape[i];
  return n;
}

/* Whether the elements lie densely in row-major order. */
static inline int
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

/* Fills the strides of a dense row-major tensor from its shape. */
static inline void
tl_tensor_set_contiguous (TlTensor *tensor)
{
  int64_t stride = 1;

  for (uint32_t i = tensor->n_dims; i-- > 0;) {
    tensor->stride[i] = stride;
    stride *= tensor->shape[i];
  }
}

#ifdef __cplusplus
}
#endif

#endif
