/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlpthobject.h"
#include "tlbytes.h"
#include "tlfail.h"

#include <stdio.h>
#include <string.h>

#define MAX_WRAPPERS 2 /* one in the other */
/* A dict may be an item of itself or a million times in another. */
#define MAX_SEEN (4u << 20)
#define MAX_REPEATED (1u << 20) /* bytes of a tensor beyond the file's */

typedef struct
{
  size_t file_size;
  TlPthLocate locate;
  void *user;
  TlTensorSet *set;
} Reader;

/* Under what a checkpoint holds its state dict, the first that is there wins:
 * averaged weights are those that their authors evaluated. */
static const char *const wrappers[] = {"state_dict_ema", "model_ema",
    "ema_state_dict", "params_ema", "ema", "state_dict", "model_state_dict",
    "model_state", "model", "params", "net"};

#define N_WRAPPERS (sizeof wrappers / sizeof wrappers[0])

/* What a dict holds. Scalars alone are rather a score or a count that is kept
 * beside a state dict than one. */
typedef enum
{
  NO_TENSORS,
  ONLY_SCALARS,
  TENSORS
} Contents;

/* Where the state dict was found. */
typedef struct
{
  const TlPickleValue *dict;
  char item[80];     /* "checkpoint.model" */
  char twins[2][80]; /* two of no known name, which might both be meant */
  size_t n_seen;     /* items that were looked at */
} Found;

uint8_t *
tl_pth_align (uint8_t *data, size_t n)
{
  size_t shift = (uintptr_t) data % 8;

  return shift ? memmove (data - shift, data, n) : data;
}

uint64_t
tl_pth_storage_size (const TlPickleStorage *storage)
{
  size_t item = storage->dtype == TL_DTYPE_INVALID
      ? storage->type->item_size
      : tl_dtype_size (storage->dtype);
  uint64_t size;

  if (__builtin_mul_overflow ((uint64_t) storage->n_root, (uint64_t) item,
          &size))
    return UINT64_MAX;
  return size;
}

TlStatus
tl_pth_fail_storage (const TlPickleStorage *storage, uint64_t record_size,
    TlError *error)
{
  return tl_fail (error, TL_ERROR_FORMAT,
      "the storage %s has %s bytes, but the pickle says %s elements of %s",
      tl_show_text (storage->key, storage->key_length).text,
      tl_show_number (record_size).text,
      tl_show_number ((uint64_t) storage->n_root).text,
      tl_dtype_name (storage->dtype));
}

TlStatus
tl_pth_check_sys_info (const TlPickleValue *sys_info, TlError *error)
{
  const TlPickleValue *little = sys_info->type == TL_PICKLE_DICT
      ? tl_pickle_lookup (sys_info, "little_endian")
      : NULL;

  if (!little || little->type != TL_PICKLE_BOOL)
    return tl_fail (error, TL_ERROR_FORMAT,
        "its sys_info does not say whether it is little endian");
  if (!little->integer)
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "the file was written on a big-endian machine, only little endian "
        "files are read: save it again on an ordinary PC");
  return TL_OK;
}

/* A tensor of a kind that is not read. */
static int
is_foreign (const TlPickleValue *value)
{
  return value->type == TL_PICKLE_OPAQUE
      && (value->global->kind == TL_GLOBAL_FOREIGN
          || value->global->kind == TL_GLOBAL_STORAGE
          || value->global->kind == TL_GLOBAL_DTYPE);
}

static Contents
look_into (const TlPickleValue *dict, Found *found)
{
  Contents contents = NO_TENSORS;

  for (uint32_t i = 1; i < dict->list.n && found->n_seen < MAX_SEEN; i += 2) {
    const TlPickleValue *value = dict->list.items[i];

    found->n_seen++;
    if (is_foreign (value)
        || (value->type == TL_PICKLE_TENSOR && value->tensor->n_dims > 0))
      return TENSORS;
    if (value->type == TL_PICKLE_TENSOR)
      contents = ONLY_SCALARS;
  }
  return contents;
}

static void
note_item (Found *found, const char *name, size_t n)
{
  size_t length = strlen (found->item);

  snprintf (found->item + length, sizeof found->item - length, "%s%s",
      length ? "." : "", tl_show_text (name, n).text);
}

static Contents find_state_dict (const TlPickleValue *dict, int depth,
    Found *found);

/* The state dict in the only item that has one, whatever its name. */
static Contents
find_only_dict (const TlPickleValue *dict, int depth, Found *found)
{
  size_t length = strlen (found->item);
  Found only = *found;
  Contents best = NO_TENSORS;
  int n = 0;

  for (uint32_t i = 0; i + 1 < dict->list.n && found->n_seen < MAX_SEEN;
       i += 2) {
    const TlPickleValue *key = dict->list.items[i];
    const TlPickleValue *value = dict->list.items[i + 1];
    Contents contents;

    found->n_seen++;
    if (value->type != TL_PICKLE_DICT || key->type != TL_PICKLE_STRING)
      continue;
    note_item (found, key->string.bytes, key->string.length);
    contents = find_state_dict (value, depth + 1, found);
    if (contents > best) {
      best = contents;
      only = *found;
      n = 1;
    } else if (contents == best && best != NO_TENSORS && n++ == 1) {
      strcpy (found->twins[0], only.item);
      strcpy (found->twins[1], found->item);
    }
    found->item[length] = '\0';
  }
  if (n != 1)
    return NO_TENSORS;
  found->dict = only.dict;
  strcpy (found->item, only.item);
  return best;
}

/* A state dict under one of the known names, in @dict. */
static Contents
find_wrapped (const TlPickleValue *dict, int depth, Found *found)
{
  size_t length = strlen (found->item);

  for (size_t i = 0; depth < MAX_WRAPPERS && i < N_WRAPPERS; i++) {
    const TlPickleValue *value;
    Contents contents;

    found->n_seen += dict->list.n / 2;
    if (found->n_seen >= MAX_SEEN)
      return NO_TENSORS;
    value = tl_pickle_lookup (dict, wrappers[i]);
    if (!value || value->type != TL_PICKLE_DICT)
      continue;
    note_item (found, wrappers[i], strlen (wrappers[i]));
    contents = find_state_dict (value, depth + 1, found);
    if (contents != NO_TENSORS)
      return contents;
    found->item[length] = '\0';
  }
  return NO_TENSORS;
}

static Contents
find_state_dict (const TlPickleValue *dict, int depth, Found *found)
{
  Contents contents = find_wrapped (dict, depth, found);
  Contents own;

  if (contents != NO_TENSORS)
    return contents;
  own = look_into (dict, found);
  if (own != TENSORS && depth < MAX_WRAPPERS)
    contents = find_only_dict (dict, depth, found);
  if (contents > own)
    return contents;
  found->dict = dict;
  return own;
}

static TlStatus
set_data (const Reader *r, const TlPickleTensor *source, TlTensor *tensor,
    TlError *error)
{
  const TlPickleStorage *storage = source->storage;
  const uint8_t *bytes = NULL;
  TlStatus status = r->locate (r->user, storage, &bytes, error);
  size_t item = tl_dtype_size (tensor->dtype);
  int64_t n = tl_tensor_numel (tensor);

  if (status != TL_OK)
    return status;
  /* A stride of 0 repeats elements, for which weights have hardly a use. */
  if ((uint64_t) n > (r->file_size + MAX_REPEATED) / item)
    return tl_fail (error, TL_ERROR_LIMIT,
        "tensor %s has %s elements, far more than the whole file",
        tl_show_text (tensor->name, strlen (tensor->name)).text,
        tl_show_number ((uint64_t) n).text);
  bytes += (size_t) storage->first * tl_dtype_size (storage->dtype);
  tensor->data = bytes + (n > 0 ? (size_t) source->offset * item : 0);
  memcpy (tensor->stride, source->stride, sizeof tensor->stride);
  if ((uintptr_t) tensor->data % item != 0)
    return tl_fail (error, TL_ERROR_FORMAT,
        "tensor %s does not lie at a multiple of its %zu bytes per element",
        tl_show_text (tensor->name, strlen (tensor->name)).text, item);
  return TL_OK;
}

static TlStatus
add_tensor (Reader *r, const TlPickleValue *key, const TlPickleTensor *source,
    TlError *error)
{
  TlTensor *tensor;
  TlStatus status;

  if (key->type != TL_PICKLE_STRING)
    return tl_fail (error, TL_ERROR_FORMAT,
        "a tensor of the state dict has no name");
  status = tl_tensor_set_add (r->set, key->string.bytes, key->string.length,
      source->dtype, &tensor, error);
  if (status == TL_OK)
    status = tl_tensor_set_shape (tensor, source->shape, source->n_dims, error);
  if (status == TL_OK)
    status = set_data (r, source, tensor, error);
  return status;
}

/* Other values than tensors are left out, but not what would be a tensor if
 * its kind were read. */
static TlStatus
add_item (Reader *r, const TlPickleValue *key, const TlPickleValue *value,
    TlError *error)
{
  const TlPickleGlobal *type = value->global;

  if (value->type == TL_PICKLE_TENSOR)
    return add_tensor (r, key, value->tensor, error);
  if (!is_foreign (value))
    return TL_OK;
  return tl_fail (error, TL_ERROR_UNSUPPORTED,
      "tensor %s is of a kind that is not read (%s.%s): convert it, for "
      "example with .to_dense(), .dequantize(), .float() or "
      ".resolve_conj().resolve_neg()",
      key->type == TL_PICKLE_STRING
          ? tl_show_text (key->string.bytes, key->string.length).text
          : "without a name",
      type->module, type->name);
}

/* What the file holds in place of a state dict. */
static TlStatus
fail_object (const TlPickleValue *root, TlError *error)
{
  if (root->type == TL_PICKLE_OPAQUE || root->type == TL_PICKLE_GLOBAL)
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "the file holds a Python object of type %s.%s; only tensors are read, "
        "so load it in Python and save model.state_dict() with torch.save",
        tl_show_text (root->global->module, strlen (root->global->module)).text,
        tl_show_text (root->global->name, strlen (root->global->name)).text);
  if (root->type == TL_PICKLE_DICT)
    for (size_t i = 0; i < N_WRAPPERS; i++) {
      const TlPickleValue *value = tl_pickle_lookup (root, wrappers[i]);

      if (value && value->type == TL_PICKLE_OPAQUE)
        return tl_fail (error, TL_ERROR_UNSUPPORTED,
            "its item %s is a Python object of type %s.%s; only tensors are "
            "read, so load it in Python and save its state_dict() with "
            "torch.save",
            wrappers[i],
            tl_show_text (value->global->module, strlen (value->global->module))
                .text,
            tl_show_text (value->global->name, strlen (value->global->name))
                .text);
    }
  return tl_fail (error, TL_ERROR_FORMAT,
      "no state dict in the file: expected a dict of tensors, or one under "
      "state_dict, model or model_state_dict, at most two dicts deep");
}

TlStatus
tl_pth_read_object (const TlPickleValue *root, size_t file_size,
    TlPthLocate locate, void *user, TlTensorSet *set, TlError *error)
{
  Reader r = {file_size, locate, user, set};
  Found found = {.dict = NULL};
  Contents contents = NO_TENSORS;
  TlStatus status = TL_OK;

  if (root->type == TL_PICKLE_DICT)
    contents = find_state_dict (root, 0, &found);
  if (contents != TENSORS && found.twins[0][0])
    return tl_fail (error, TL_ERROR_FORMAT,
        "several state dicts are in the file, such as %s and %s, and none under "
        "a known name: save the one that is meant alone, with torch.save",
        found.twins[0], found.twins[1]);
  if (contents == NO_TENSORS)
    return fail_object (root, error);
  for (uint32_t i = 0; status == TL_OK && i + 1 < found.dict->list.n; i += 2)
    status = add_item (&r, found.dict->list.items[i],
        found.dict->list.items[i + 1], error);
  if (status != TL_OK)
    return status;
  set->item = tl_arena_copy_text (&set->arena, found.item, strlen (found.item));
  if (!set->item)
    return tl_arena_fail (&set->arena, error);
  tl_tensor_set_strip_prefixes (set);
  return tl_tensor_set_check_names (set, error);
}
