/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlbytes.h"
#include "tlfail.h"
#include "tlpicklemachine.h"

#include <string.h>

#define MAX_EXTENT (INT64_C (1) << 40)

static const TlPickleGlobal globals[] = {
    {"collections", "OrderedDict", TL_GLOBAL_ORDERED_DICT, TL_DTYPE_INVALID},
    {"torch", "Size", TL_GLOBAL_SIZE, TL_DTYPE_INVALID},
    {"torch._utils", "_rebuild_tensor_v2", TL_GLOBAL_REBUILD_TENSOR,
        TL_DTYPE_INVALID},
    {"torch._utils", "_rebuild_parameter", TL_GLOBAL_REBUILD_PARAMETER,
        TL_DTYPE_INVALID},
    {"torch", "FloatStorage", TL_GLOBAL_STORAGE, TL_DTYPE_F32},
    {"torch", "DoubleStorage", TL_GLOBAL_STORAGE, TL_DTYPE_F64},
    {"torch", "HalfStorage", TL_GLOBAL_STORAGE, TL_DTYPE_F16},
    {"torch", "BFloat16Storage", TL_GLOBAL_STORAGE, TL_DTYPE_BF16},
    {"torch", "LongStorage", TL_GLOBAL_STORAGE, TL_DTYPE_I64},
    {"torch", "IntStorage", TL_GLOBAL_STORAGE, TL_DTYPE_I32},
    {"torch", "ShortStorage", TL_GLOBAL_STORAGE, TL_DTYPE_I16},
    {"torch", "CharStorage", TL_GLOBAL_STORAGE, TL_DTYPE_I8},
    {"torch", "ByteStorage", TL_GLOBAL_STORAGE, TL_DTYPE_U8},
    {"torch", "BoolStorage", TL_GLOBAL_STORAGE, TL_DTYPE_BOOL},
};

static int
string_equals (const TlPickleValue *value, const char *text)
{
  return value->type == TL_PICKLE_STRING
      && value->string.length == strlen (text)
      && memcmp (value->string.bytes, text, value->string.length) == 0;
}

const TlPickleGlobal *
tl_pickle_find_global (TlPickleMachine *m, const TlPickleValue *module,
    const TlPickleValue *name)
{
  for (size_t i = 0; i < sizeof globals / sizeof globals[0]; i++)
    if (string_equals (module, globals[i].module)
        && string_equals (name, globals[i].name))
      return &globals[i];
  tl_pickle_fail (m, TL_ERROR_UNSUPPORTED,
      "the file holds a Python object of type %s.%s; only tensors are read, "
      "so save model.state_dict() with torch.save",
      tl_show_text (module->string.bytes, module->string.length).text,
      tl_show_text (name->string.bytes, name->string.length).text);
  return NULL;
}

/* Item @i of a tuple if it is of that type, else NULL. */
static const TlPickleValue *
get_item (const TlPickleValue *tuple, uint32_t i, TlPickleType type)
{
  if (i >= tuple->list.n || tuple->list.items[i]->type != type)
    return NULL;
  return tuple->list.items[i];
}

/* The integers of a tuple, each in [0, 2^40). Returns 0 if it is none. */
static int
get_extents (const TlPickleValue *tuple, int64_t *extents)
{
  for (uint32_t i = 0; i < tuple->list.n; i++) {
    const TlPickleValue *item = get_item (tuple, i, TL_PICKLE_INTEGER);

    if (!item || item->integer < 0 || item->integer >= MAX_EXTENT)
      return 0;
    extents[i] = item->integer;
  }
  return 1;
}

/* Whether the last element lies within the storage. The number of elements
 * must be below 2^40 too, strides of 0 notwithstanding. */
static int
fits_storage (const TlPickleTensor *tensor)
{
  int64_t last = tensor->offset, n = 1, step;

  for (uint32_t i = 0; i < tensor->n_dims; i++)
    if (tensor->shape[i] == 0)
      return 1;
  for (uint32_t i = 0; i < tensor->n_dims; i++)
    if (__builtin_mul_overflow (n, tensor->shape[i], &n) || n >= MAX_EXTENT
        || __builtin_mul_overflow (tensor->shape[i] - 1, tensor->stride[i],
            &step)
        || __builtin_add_overflow (last, step, &last))
      return 0;
  return last < tensor->storage->n;
}

/* (storage, offset, sizes, strides, requires_grad, hooks[, metadata]) */
static void
rebuild_tensor (TlPickleMachine *m, const TlPickleValue *arguments,
    TlPickleValue *result)
{
  const TlPickleValue *storage = get_item (arguments, 0, TL_PICKLE_STORAGE);
  const TlPickleValue *offset = get_item (arguments, 1, TL_PICKLE_INTEGER);
  const TlPickleValue *shape = get_item (arguments, 2, TL_PICKLE_TUPLE);
  const TlPickleValue *stride = get_item (arguments, 3, TL_PICKLE_TUPLE);
  TlPickleTensor *tensor;

  if (!storage || !offset || !shape || !stride || offset->integer < 0
      || offset->integer >= MAX_EXTENT || shape->list.n != stride->list.n
      || shape->list.n > TL_TENSOR_MAX_DIMS) {
    tl_pickle_fail (m, TL_ERROR_FORMAT,
        "a tensor is not made of storage, offset, sizes and strides");
    return;
  }
  tensor = tl_pickle_alloc (m, sizeof *tensor);
  if (!tensor)
    return;
  tensor->storage = storage->storage;
  tensor->offset = offset->integer;
  tensor->n_dims = shape->list.n;
  if (!get_extents (shape, tensor->shape)
      || !get_extents (stride, tensor->stride) || !fits_storage (tensor)) {
    tl_pickle_fail (m, TL_ERROR_FORMAT,
        "a tensor reaches beyond the %s elements of its storage",
        tl_show_number ((uint64_t) storage->storage->n).text);
    return;
  }
  result->type = TL_PICKLE_TENSOR;
  result->tensor = tensor;
}

void
tl_pickle_call (TlPickleMachine *m, const TlPickleValue *callee,
    const TlPickleValue *arguments, TlPickleValue *result)
{
  const TlPickleValue *first;

  if (callee->type != TL_PICKLE_GLOBAL || arguments->type != TL_PICKLE_TUPLE) {
    tl_pickle_fail (m, TL_ERROR_FORMAT, "a call of what cannot be called");
    return;
  }
  switch (callee->global->kind) {
    case TL_GLOBAL_ORDERED_DICT:
      if (arguments->list.n != 0)
        break;
      result->type = TL_PICKLE_DICT;
      return;
    case TL_GLOBAL_SIZE:
      first = get_item (arguments, 0, TL_PICKLE_TUPLE);
      if (!first)
        break;
      *result = *first;
      return;
    case TL_GLOBAL_REBUILD_TENSOR:
      rebuild_tensor (m, arguments, result);
      return;
    case TL_GLOBAL_REBUILD_PARAMETER:
      first = get_item (arguments, 0, TL_PICKLE_TENSOR);
      if (!first)
        break;
      *result = *first;
      return;
    case TL_GLOBAL_STORAGE:
      break;
  }
  tl_pickle_fail (m, TL_ERROR_FORMAT,
      "%s.%s is called with other arguments than torch.save gives it",
      callee->global->module, callee->global->name);
}

/* ('storage', type, key, location, elements[, view]); the location, such as
 * "cuda:0", does not matter, and a view exists only in old files. */
void
tl_pickle_make_storage (TlPickleMachine *m, const TlPickleValue *id,
    TlPickleValue *result)
{
  const TlPickleValue *word, *type, *key, *n;
  TlPickleStorage *storage;

  if (id->type != TL_PICKLE_TUPLE || id->list.n < 5 || id->list.n > 6) {
    tl_pickle_fail (m, TL_ERROR_FORMAT,
        "a persistent id that is not a storage");
    return;
  }
  word = get_item (id, 0, TL_PICKLE_STRING);
  type = get_item (id, 1, TL_PICKLE_GLOBAL);
  key = get_item (id, 2, TL_PICKLE_STRING);
  n = get_item (id, 4, TL_PICKLE_INTEGER);
  if (!word || !string_equals (word, "storage") || !type || !key || !n
      || type->global->kind != TL_GLOBAL_STORAGE || n->integer < 0
      || (id->list.n == 6 && !get_item (id, 5, TL_PICKLE_NONE))) {
    tl_pickle_fail (m, TL_ERROR_FORMAT,
        "a storage is not made of type, key, location and size");
    return;
  }
  storage = tl_pickle_alloc (m, sizeof *storage);
  if (!storage)
    return;
  storage->dtype = type->global->dtype;
  storage->key = key->string.bytes;
  storage->key_length = key->string.length;
  storage->n = n->integer;
  result->type = TL_PICKLE_STORAGE;
  result->storage = storage;
}
