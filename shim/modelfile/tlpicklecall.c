/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlbytes.h"
#include "tlfail.h"
#include "tlpicklemachine.h"

#include <string.h>

#define MAX_EXTENT (INT64_C (1) << 40)
#define MAX_TYPE_DEPTH 4 /* tensors of a class, rebuilt by another such call */

void
tl_pickle_set_opaque (TlPickleValue *value, const TlPickleGlobal *type)
{
  value->type = TL_PICKLE_OPAQUE;
  value->global = type;
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

int
tl_pickle_tensor_fits (const TlPickleTensor *tensor)
{
  int64_t last = tensor->offset, n = 1, step, n_storage;
  size_t item = tl_dtype_size (tensor->dtype);
  size_t storage_item = tl_dtype_size (tensor->storage->dtype);

  for (uint32_t i = 0; i < tensor->n_dims; i++)
    if (tensor->shape[i] == 0)
      return 1;
  for (uint32_t i = 0; i < tensor->n_dims; i++)
    if (__builtin_mul_overflow (n, tensor->shape[i], &n) || n >= MAX_EXTENT
        || __builtin_mul_overflow (tensor->shape[i] - 1, tensor->stride[i],
            &step)
        || __builtin_add_overflow (last, step, &last))
      return 0;
  if (__builtin_mul_overflow (tensor->storage->n, (int64_t) storage_item,
          &n_storage))
    return 0;
  return last < n_storage / (int64_t) item;
}

/* Tensors that are stored conjugated or negated say so in their last
 * argument; their bytes are not their values. */
static int
is_flipped (const TlPickleValue *arguments, uint32_t i)
{
  const TlPickleValue *flags = get_item (arguments, i, TL_PICKLE_DICT);

  for (uint32_t k = 1; flags && k < flags->list.n; k += 2)
    if (flags->list.items[k]->type != TL_PICKLE_BOOL
        || flags->list.items[k]->integer)
      return 1;
  return 0;
}

/* (storage, offset, sizes, strides[, requires_grad, hooks[, metadata]]); the
 * third version, for types without a storage of their own, has the dtype
 * before the metadata. */
static void
rebuild_tensor (TlPickleMachine *m, const TlPickleGlobal *callee,
    const TlPickleValue *arguments, TlPickleValue *result)
{
  int is_v3 = callee->kind == TL_GLOBAL_TENSOR_V3;
  const TlPickleValue *storage = get_item (arguments, 0, TL_PICKLE_STORAGE);
  const TlPickleValue *offset = get_item (arguments, 1, TL_PICKLE_INTEGER);
  const TlPickleValue *shape = get_item (arguments, 2, TL_PICKLE_TUPLE);
  const TlPickleValue *stride = get_item (arguments, 3, TL_PICKLE_TUPLE);
  const TlPickleValue *dtype = get_item (arguments, 6, TL_PICKLE_GLOBAL);
  TlPickleTensor *tensor;

  if (!storage || !offset || !shape || !stride || (is_v3 && !dtype)
      || offset->integer < 0 || offset->integer >= MAX_EXTENT
      || shape->list.n != stride->list.n
      || shape->list.n > TL_TENSOR_MAX_DIMS) {
    tl_pickle_fail (m, TL_ERROR_FORMAT,
        "a tensor is not made of storage, offset, sizes and strides");
    return;
  }
  tensor = tl_pickle_alloc (m, sizeof *tensor);
  if (!tensor)
    return;
  tensor->storage = storage->storage;
  tensor->dtype = is_v3 ? dtype->global->dtype : storage->storage->dtype;
  tensor->offset = offset->integer;
  tensor->n_dims = shape->list.n;
  if (tensor->dtype == TL_DTYPE_INVALID
      || storage->storage->dtype == TL_DTYPE_INVALID) {
    tl_pickle_set_opaque (result,
        is_v3 ? dtype->global : storage->storage->type);
    return;
  }
  if (is_flipped (arguments, is_v3 ? 7 : 6)) {
    tl_pickle_set_opaque (result, &tl_pickle_flipped_type);
    return;
  }
  if (!get_extents (shape, tensor->shape)
      || !get_extents (stride, tensor->stride)
      || !tl_pickle_tensor_fits (tensor)) {
    tl_pickle_fail (m, TL_ERROR_FORMAT,
        "a tensor reaches beyond the %s elements of its storage",
        tl_show_number ((uint64_t) storage->storage->n).text);
    return;
  }
  result->type = TL_PICKLE_TENSOR;
  result->tensor = tensor;
}

/* (function, class, arguments, state): a tensor with attributes. */
static void
rebuild_from_type (TlPickleMachine *m, const TlPickleValue *arguments,
    TlPickleValue *result)
{
  const TlPickleValue *function = NULL;

  for (int depth = 0; arguments && depth < MAX_TYPE_DEPTH; depth++) {
    function = get_item (arguments, 0, TL_PICKLE_GLOBAL);
    arguments = get_item (arguments, 2, TL_PICKLE_TUPLE);
    if (!function || function->global->kind != TL_GLOBAL_TENSOR_FROM_TYPE)
      break;
  }
  if (function && arguments
      && function->global->kind != TL_GLOBAL_TENSOR_FROM_TYPE)
    tl_pickle_call (m, function, arguments, result);
  else
    tl_pickle_fail (m, TL_ERROR_FORMAT,
        "a tensor of a class is not made of function, class and arguments");
}

/* The call of a global that is known; 0: with other arguments than it has. */
static int
call_known (TlPickleMachine *m, const TlPickleGlobal *callee,
    const TlPickleValue *arguments, TlPickleValue *result)
{
  const TlPickleValue *first;

  switch (callee->kind) {
    case TL_GLOBAL_VALUE:
    case TL_GLOBAL_FOREIGN:
      tl_pickle_set_opaque (result, callee);
      return 1;
    case TL_GLOBAL_DICT:
      /* Of none; a Counter of a dict, a defaultdict of a class. */
      first = get_item (arguments, 0, TL_PICKLE_DICT);
      if (!first && arguments->list.n > 0
          && !get_item (arguments, 0, TL_PICKLE_GLOBAL)
          && !get_item (arguments, 0, TL_PICKLE_NONE))
        return 0;
      if (first)
        *result = *first;
      else
        result->type = TL_PICKLE_DICT;
      return 1;
    case TL_GLOBAL_SIZE:
      first = get_item (arguments, 0, TL_PICKLE_TUPLE);
      if (first)
        *result = *first;
      return first != NULL;
    case TL_GLOBAL_TENSOR:
    case TL_GLOBAL_TENSOR_V3:
      rebuild_tensor (m, callee, arguments, result);
      return 1;
    case TL_GLOBAL_TENSOR_FROM_TYPE:
      rebuild_from_type (m, arguments, result);
      return 1;
    case TL_GLOBAL_PARAMETER:
    case TL_GLOBAL_PARAMETER_CLASS:
      first = get_item (arguments, 0, TL_PICKLE_TENSOR);
      if (!first)
        first = get_item (arguments, 0, TL_PICKLE_OPAQUE);
      if (first)
        *result = *first;
      return first != NULL;
    default:
      return 0;
  }
}

void
tl_pickle_call (TlPickleMachine *m, const TlPickleValue *callee,
    const TlPickleValue *arguments, TlPickleValue *result)
{
  const TlPickleGlobal *global = callee->global;

  if (callee->type != TL_PICKLE_GLOBAL || arguments->type != TL_PICKLE_TUPLE)
    tl_pickle_fail (m, TL_ERROR_FORMAT, "a call of what cannot be called");
  else if (global->kind == TL_GLOBAL_OTHER)
    tl_pickle_fail (m, TL_ERROR_UNSUPPORTED,
        "loading the file would call %s.%s, which is not known to be harmless; "
        "nothing is called here: load it where you trust it and save only "
        "model.state_dict() with torch.save",
        tl_show_text (global->module, strlen (global->module)).text,
        tl_show_text (global->name, strlen (global->name)).text);
  else if (!call_known (m, global, arguments, result))
    tl_pickle_fail (m, TL_ERROR_FORMAT,
        "%s.%s is called with other arguments than torch.save gives it",
        global->module, global->name);
}

void
tl_pickle_make_object (TlPickleMachine *m, const TlPickleValue *type,
    TlPickleValue *result)
{
  if (type->type == TL_PICKLE_GLOBAL)
    tl_pickle_set_opaque (result, type->global);
  else
    tl_pickle_fail (m, TL_ERROR_FORMAT, "an object of what is no class");
}

/* torch.save sets attributes of a state dict (_metadata: version numbers, on
 * which nothing here depends) and of objects that are opaque. A parameter of
 * PyTorch 0.1 gets its tensor so. */
void
tl_pickle_build (TlPickleMachine *m, TlPickleValue *target,
    const TlPickleValue *state)
{
  const TlPickleValue *tensor = state->type == TL_PICKLE_TUPLE
      ? get_item (state, 0, TL_PICKLE_TENSOR)
      : NULL;

  if (target->type == TL_PICKLE_OPAQUE) {
    if (tensor && target->global->kind == TL_GLOBAL_PARAMETER_CLASS)
      *target = *tensor;
    return;
  }
  if (target->type == TL_PICKLE_TENSOR || target->type == TL_PICKLE_STORAGE)
    return;
  if (state->type != TL_PICKLE_DICT || target->type != TL_PICKLE_DICT)
    tl_pickle_fail (m, TL_ERROR_FORMAT,
        "attributes are set of what is no OrderedDict");
}

/* Old files: a part of a storage, (key, offset, elements), or None. */
static int
get_view (const TlPickleValue *id, TlPickleStorage *storage)
{
  const TlPickleValue *view = get_item (id, 5, TL_PICKLE_TUPLE);
  const TlPickleValue *first, *n;

  storage->first = 0;
  storage->n_root = storage->n;
  if (id->list.n == 5 || get_item (id, 5, TL_PICKLE_NONE))
    return 1;
  first = view ? get_item (view, 1, TL_PICKLE_INTEGER) : NULL;
  n = view ? get_item (view, 2, TL_PICKLE_INTEGER) : NULL;
  if (!first || !n || first->integer < 0 || n->integer < 0
      || first->integer > storage->n_root
      || n->integer > storage->n_root - first->integer)
    return 0;
  storage->first = first->integer;
  storage->n = n->integer;
  return 1;
}

/* ('storage', type, key, location, elements[, view]); the location, such as
 * "cuda:0", does not matter, and a view exists only in old files. */
static void
make_storage (TlPickleMachine *m, const TlPickleValue *id,
    TlPickleValue *result)
{
  const TlPickleValue *type = get_item (id, 1, TL_PICKLE_GLOBAL);
  const TlPickleValue *key = get_item (id, 2, TL_PICKLE_STRING);
  const TlPickleValue *n = get_item (id, 4, TL_PICKLE_INTEGER);
  TlPickleStorage *storage = tl_pickle_alloc (m, sizeof *storage);

  if (!storage)
    return;
  storage->n = n ? n->integer : -1;
  if (!type || !key || !n || type->global->kind != TL_GLOBAL_STORAGE
      || id->list.n > 6 || n->integer < 0 || !get_view (id, storage)) {
    tl_pickle_fail (m, TL_ERROR_FORMAT,
        "a storage is not made of type, key, location and size");
    return;
  }
  storage->type = type->global;
  storage->dtype = type->global->dtype;
  storage->key = key->string.bytes;
  storage->key_length = key->string.length;
  result->type = TL_PICKLE_STORAGE;
  result->storage = storage;
  if (m->outside) {
    storage->next = m->outside->storages;
    m->outside->storages = storage;
  }
}

/* A class with its source text: ('module', class, file, text), or of PyTorch
 * 0.1 (class, file, text). */
static const TlPickleValue *
get_class (const TlPickleValue *id)
{
  const TlPickleValue *word = get_item (id, 0, TL_PICKLE_STRING);

  return get_item (id, word && tl_pickle_is_text (word, "module"),
      TL_PICKLE_GLOBAL);
}

void
tl_pickle_load_persistent (TlPickleMachine *m, const TlPickleValue *id,
    TlPickleValue *result)
{
  int is_numbered = m->outside && m->outside->find;
  const TlPickleValue *type;

  if (is_numbered && id->type == TL_PICKLE_STRING) {
    if (!m->outside->find (m->outside->user, id->string.bytes,
            id->string.length, result))
      tl_pickle_fail (m, TL_ERROR_FORMAT,
          "the tensor or storage %s is not in the file",
          tl_show_text (id->string.bytes, id->string.length).text);
    return;
  }
  if (!is_numbered && id->type == TL_PICKLE_TUPLE && id->list.n >= 5
      && tl_pickle_is_text (id->list.items[0], "storage")) {
    make_storage (m, id, result);
    return;
  }
  type = id->type == TL_PICKLE_TUPLE ? get_class (id) : NULL;
  if (type)
    *result = *type;
  else
    tl_pickle_fail (m, TL_ERROR_FORMAT,
        "a persistent id that is not a storage");
}

const TlPickleValue *
tl_pickle_lookup (const TlPickleValue *dict, const char *key)
{
  for (uint32_t i = dict->list.n & ~1u; i > 0; i -= 2)
    if (tl_pickle_is_text (dict->list.items[i - 2], key))
      return dict->list.items[i - 1];
  return NULL;
}
