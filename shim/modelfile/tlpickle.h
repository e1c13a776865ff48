/* SPDX-License-Identifier: BSD-3-Clause */

/* A machine for the pickles of torch.save: it builds plain values and views of
 * tensors, and nothing else. It knows the opcodes and the names (globals) that
 * a state dict is made of; any other is refused by name, and no name makes it
 * call anything. Protocols 2 to 5. */

#ifndef TL_PICKLE_H
#define TL_PICKLE_H

#include "tlarena.h"
#include "tltensor.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_PICKLE_MAX_SIZE (16u << 20) /* bytes */
#define TL_PICKLE_MAX_STRING 65536u    /* bytes */

typedef enum
{
  TL_PICKLE_NONE = 0,
  TL_PICKLE_BOOL,
  TL_PICKLE_INTEGER,
  TL_PICKLE_REAL,
  TL_PICKLE_STRING,
  TL_PICKLE_TUPLE,
  TL_PICKLE_LIST,
  TL_PICKLE_DICT, /* also collections.OrderedDict */
  TL_PICKLE_GLOBAL,
  TL_PICKLE_STORAGE,
  TL_PICKLE_TENSOR
} TlPickleType;

/* What the allowed globals are. */
typedef enum
{
  TL_GLOBAL_ORDERED_DICT,
  TL_GLOBAL_SIZE,
  TL_GLOBAL_REBUILD_TENSOR,
  TL_GLOBAL_REBUILD_PARAMETER,
  TL_GLOBAL_STORAGE
} TlPickleGlobalKind;

typedef struct
{
  const char *module;
  const char *name;
  TlPickleGlobalKind kind;
  TlDtype dtype; /* of a storage */
} TlPickleGlobal;

typedef struct TlPickleValue TlPickleValue;

/* A run of elements outside the pickle: a record of the archive. */
typedef struct
{
  TlDtype dtype;
  const char *key; /* not NUL-terminated */
  size_t key_length;
  int64_t n; /* elements the pickle claims, >= 0 */
} TlPickleStorage;

/* Sizes, strides and offset are in [0, 2^40), and each element is within the
 * elements that the storage claims. */
typedef struct
{
  const TlPickleStorage *storage;
  int64_t offset; /* elements */
  uint32_t n_dims;
  int64_t shape[TL_TENSOR_MAX_DIMS];
  int64_t stride[TL_TENSOR_MAX_DIMS];
} TlPickleTensor;

struct TlPickleValue
{
  TlPickleType type;
  union
  {
    int64_t integer; /* also BOOL */
    double real;
    struct
    {
      const char *bytes; /* in the pickle: not NUL-terminated */
      size_t length;
    } string;
    struct
    {
      TlPickleValue **items; /* of a dict: key, value, key, value... */
      uint32_t n, capacity;
    } list; /* TUPLE, LIST, DICT */
    const TlPickleGlobal *global;
    const TlPickleStorage *storage;
    const TlPickleTensor *tensor;
  };
};

/* Runs the pickle that begins at @bytes (borrowed for the life of @arena, in
 * which all values are made) until its STOP. @used, which may be NULL, is then
 * the number of bytes it has. */
TlStatus tl_pickle_load (const void *bytes, size_t size, TlArena *arena,
    const TlPickleValue **ret, size_t *used, TlError *error);

#ifdef __cplusplus
}
#endif

#endif
