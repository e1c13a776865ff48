/* SPDX-License-Identifier: BSD-3-Clause */

/* A machine for the pickles of torch.save: it builds plain values and views of
 * tensors, and nothing else. Protocols 2 to 5.
 *
 * No name makes it call or import anything. It knows what the names (globals)
 * of a state dict mean; an object of any other class becomes an opaque value
 * without contents, so that what people keep beside the weights (arguments,
 * dates, optimizers) does no harm. What Python would execute is refused by
 * name: a call of a function that is not known to make only a value, and any
 * mention of a module that starts programs, such as os. */

#ifndef TL_PICKLE_H
#define TL_PICKLE_H

#include "tlarena.h"
#include "tltensor.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_PICKLE_MAX_SIZE (64u << 20) /* bytes */
#define TL_PICKLE_MAX_OPEN (1u << 18)  /* values and marks on the stack */

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
  TL_PICKLE_TENSOR,
  TL_PICKLE_OPAQUE /* an object of the class named by its global */
} TlPickleType;

/* What is known of a global. */
typedef enum
{
  TL_GLOBAL_OTHER,   /* a class: objects are opaque, calls are refused */
  TL_GLOBAL_VALUE,   /* a call makes an opaque value */
  TL_GLOBAL_FOREIGN, /* a call makes a tensor of a kind that is not read */
  TL_GLOBAL_DICT,    /* a call makes a dict */
  TL_GLOBAL_SIZE,
  TL_GLOBAL_TENSOR, /* _rebuild_tensor and _rebuild_tensor_v2 */
  TL_GLOBAL_TENSOR_V3,
  TL_GLOBAL_TENSOR_FROM_TYPE,
  TL_GLOBAL_PARAMETER,       /* _rebuild_parameter */
  TL_GLOBAL_PARAMETER_CLASS, /* PyTorch 0.1 made objects of it */
  TL_GLOBAL_STORAGE,
  TL_GLOBAL_DTYPE
} TlPickleGlobalKind;

typedef struct
{
  const char *module;
  const char *name;
  TlPickleGlobalKind kind;
  TlDtype dtype;    /* of a storage or dtype; invalid: none that is read */
  size_t item_size; /* bytes per element of a storage of no dtype */
} TlPickleGlobal;

typedef struct TlPickleValue TlPickleValue;

/* A run of elements outside the pickle: a record of the archive. Old files
 * have storages that are a part of another. */
typedef struct TlPickleStorage TlPickleStorage;

struct TlPickleStorage
{
  const TlPickleGlobal *type;
  TlDtype dtype;   /* invalid for a type that is not read */
  const char *key; /* not NUL-terminated */
  size_t key_length;
  int64_t n;      /* elements, >= 0 */
  int64_t first;  /* the first of them, in elements of the record, >= 0 */
  int64_t n_root; /* elements of the record, >= first + n */
  const TlPickleStorage *next; /* see TlPickleOutside */
};

/* Sizes, strides and offset are in [0, 2^40), and each element is within the
 * elements that the storage claims. */
typedef struct
{
  const TlPickleStorage *storage;
  TlDtype dtype;  /* that of the storage, but for an untyped one */
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
    } list;                       /* TUPLE, LIST, DICT */
    const TlPickleGlobal *global; /* GLOBAL, OPAQUE */
    const TlPickleStorage *storage;
    const TlPickleTensor *tensor;
  };
};

/* What the pickle is part of. */
typedef struct
{
  /* A tar container numbers its tensors and storages outside the pickle, which
   * names them by those numbers. Fills @ret, a fresh value, and returns 1, or
   * 0 if there is none. NULL: the pickle has no such names. */
  int (*find) (void *user, const char *id, size_t n, TlPickleValue *ret);
  void *user;
  /* Filled by tl_pickle_load(): all storages that the pickle names, also those
   * of values that were dropped; the last first. */
  const TlPickleStorage *storages;
} TlPickleOutside;

/* Runs the pickle that begins at @bytes (borrowed for the life of @arena, in
 * which all values are made, and whose limit counts the stacks too) until its
 * STOP. @outside may be NULL. @used, which may be NULL, is then the number of
 * bytes it has. */
TlStatus tl_pickle_load (const void *bytes, size_t size,
    TlPickleOutside *outside, TlArena *arena, const TlPickleValue **ret,
    size_t *used, TlError *error);

/* Whether the value is a string of that text. */
int tl_pickle_is_text (const TlPickleValue *value, const char *text);

/* The value of a key of a DICT, the last if it occurs again, as in Python;
 * NULL if it has none. */
const TlPickleValue *tl_pickle_lookup (const TlPickleValue *dict,
    const char *key);

/* Whether the tensor's elements lie within its storage, and their number is
 * below 2^40, strides of 0 notwithstanding. */
int tl_pickle_tensor_fits (const TlPickleTensor *tensor);

#ifdef __cplusplus
}
#endif

#endif
