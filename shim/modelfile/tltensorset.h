/* SPDX-License-Identifier: BSD-3-Clause */

/* What a reader found in a file: tensors and a map of strings. */

#ifndef TL_TENSOR_SET_H
#define TL_TENSOR_SET_H

#include "tlarena.h"
#include "tltensor.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_TENSOR_SET_MAX 65536u
#define TL_TENSOR_NAME_MAX 511u /* bytes */

typedef struct
{
  const char *key; /* UTF-8, NUL-terminated, as is the value */
  const char *value;
} TlMetadata;

/* Names, metadata and copied data live in the arena; tensor data otherwise
 * points into the file's bytes. */
typedef struct
{
  TlArena arena;
  TlTensor *tensors;
  size_t n_tensors;
  TlMetadata *metadata;
  size_t n_metadata;
  const char *item; /* where in a .pth they were: "model"; NULL or "": all */
} TlTensorSet;

#define TL_TENSOR_SET_INIT(limit_)                                             \
  {                                                                            \
    .arena = TL_ARENA_INIT (limit_)                                            \
  }

/* Appends a tensor with everything but its name and dtype zero. The name
 * (@n bytes, copied) must be UTF-8 without control characters, not empty and
 * not over TL_TENSOR_NAME_MAX: TL_ERROR_FORMAT. The pointer is good until the
 * next call. */
TlStatus tl_tensor_set_add (TlTensorSet *set, const void *name, size_t n,
    TlDtype dtype, TlTensor **ret, TlError *error);

/* Appends to the metadata; both strings are borrowed for the set's life. */
TlStatus tl_tensor_set_add_metadata (TlTensorSet *set, const char *key,
    const char *value, TlError *error);

/* Fills shape and dense strides. TL_ERROR_LIMIT for more than
 * TL_TENSOR_MAX_DIMS dimensions, a size outside [0, 2^40) or a product of
 * sizes that is; zeros count as ones in the product. */
TlStatus tl_tensor_set_shape (TlTensor *tensor, const int64_t *shape,
    size_t n_dims, TlError *error);

/* Two tensors of one name, or two metadata of one key, are TL_ERROR_FORMAT. */
TlStatus tl_tensor_set_check_names (const TlTensorSet *set, TlError *error);

/* Takes off what all names begin with: "module.", "model." and "_orig_mod." in
 * any order, and whatever a ResNet's names have before them. A count of
 * averages, n_averaged, that has no such beginning is removed then. */
void tl_tensor_set_strip_prefixes (TlTensorSet *set);

void tl_tensor_set_clear (TlTensorSet *set);

#ifdef __cplusplus
}
#endif

#endif
