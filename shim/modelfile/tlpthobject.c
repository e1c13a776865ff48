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
    "ema_state_dict", "ema", "state_dict", "model_state_dict", "model_state",
    "model", "net"};

#define N_WRAPPERS (sizeof wrappers / sizeof wrappers[0])

/* Where the state dict was found. */
typedef struct
{
  const TlPickleValue *dict;
  char item[80]; /* "checkpoint.model" */
  size_t n_seen; /* items that were looked at */
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
  uint64_t size;

  if (__builtin_mul_overflow ((uint64_t) storage->n_root,
          (uint64_t) tl_dtype_size (storage->dtype), &size))
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

static int
has_tensors (const TlPickleValue *dict, Found *found)
{
  for (uint32_t i = 1; i < dict->list.n && found->n_seen < MAX_SEEN; i += 2) {
    const TlPickleValue *value = dict->list.items[i];

    found->n_seen++;
    if (value->type == TL_PICKLE_TENSOR || is_foreign (value))
      return 1;
  }
  return 0;
}

static void
note_item (Found *found, const char *name, size_t n)
{
  size_t length = strlen (found->item);

  snprintf (found->item + length, sizeof found->item - length, "%s%s",
      length ? "." : "", tl_show_text (name, n).text);
}

static int find_state_dict (const TlPickleValue *dict, int depth, Found *found);

/* The state dict in the only item that has one, whatever its name. */
static int
find_only_dict (const TlPickleValue *dict, int depth, Found *found)
{
  size_t length = strlen (found->item);
  Found only = {NULL, "", 0};

  for (uint32_t i = 0; i + 1 < dict->list.n && found->n_seen < MAX_SEEN;
       i += 2) {
    const TlPickleValue *key = dict->list.items[i];
    const TlPickleValue *value = dict->list.items[i + 1];

    found->n_seen++;
    if (value->type != TL_PICKLE_DICT || key->type != TL_PICKLE_STRING)
      continue;
    note_item (found, key->string.bytes, key->string.length);
    if (find_state_dict (value, depth + 1, found)) {
      if (only.dict)
        return 0;
      only = *found;
    }
    found->item[length] = '\0';
  }
  if (!only.dict)
    return 0;
  only.n_seen = found->n_seen;
  *found = only;
  return 1;
}

/* A state dict under one of the known names, in @dict. */
static int
find_wrapped (const TlPickleValue *dict, int depth, Found *found)
{
  size_t length = strlen (found->item);

  for (size_t i = 0; depth < MAX_WRAPPERS && i < N_WRAPPERS; i++) {
    const TlPickleValue *value;

    found->n_seen += dict->list.n / 2;
    if (found->n_seen >= MAX_SEEN)
      return 0;
    value = tl_pickle_lookup (dict, wrappers[i]);
    if (!value || value->type != TL_PICKLE_DICT)
      continue;
    note_item (found, wrappers[i], strlen (wrappers[i]));
    if (find_state_dict (value, depth + 1, found))
      return 1;
    found->item[length] = '\0';
  }
  return 0;
}

static int
find_state_dict (const TlPickleValue *dict, int depth, Found *found)
{
  if (find_wrapped (dict, depth, found))
    return 1;
  if (has_tensors (dict, found)) {
    found->dict = dict;
    return 1;
  }
  return depth < MAX_WRAPPERS && find_only_dict (dict, depth, found);
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
      "example with .to_dense(), .dequantize() or .float()",
      key->type == TL_PICKLE_STRING
          ? tl_show_text (key->string.bytes, key->string.length).text
          : "without a name",
      type->module, type->name);
}

/* Averaged models of torch.optim.swa_utils count their averages beside the
 * module. */
static int
is_counter (const TlTensor *tensor)
{
  return strcmp (tensor->name, "n_averaged") == 0 && tensor->n_dims == 0;
}

/* Whether all names, but for a counter, begin with @prefix and go on. */
static int
have_prefix (const TlTensorSet *set, const char *prefix, size_t length)
{
  size_t n = 0;

  for (size_t i = 0; i < set->n_tensors; i++) {
    const char *name = set->tensors[i].name;

    if (strncmp (name, prefix, length) == 0 && name[length] != '\0')
      n++;
    else if (!is_counter (&set->tensors[i]))
      return 0;
  }
  return n > 0;
}

static void
strip_prefix (TlTensorSet *set, size_t length)
{
  size_t n = 0;

  for (size_t i = 0; i < set->n_tensors; i++) {
    if (is_counter (&set->tensors[i]))
      continue;
    set->tensors[n] = set->tensors[i];
    set->tensors[n++].name += length;
  }
  set->n_tensors = n;
}

/* Wrappers of modules put their name before each of the tensors'. */
static void
strip_prefixes (TlTensorSet *set)
{
  static const char *const prefixes[] = {"module.", "model.", "_orig_mod."};
  const size_t n = sizeof prefixes / sizeof prefixes[0];

  for (size_t p = 0; p < n;) {
    size_t length = strlen (prefixes[p]);

    if (!have_prefix (set, prefixes[p], length)) {
      p++;
      continue;
    }
    strip_prefix (set, length);
    p = 0;
  }
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
      "state_dict, model or model_state_dict");
}

TlStatus
tl_pth_read_object (const TlPickleValue *root, size_t file_size,
    TlPthLocate locate, void *user, TlTensorSet *set, TlError *error)
{
  Reader r = {file_size, locate, user, set};
  Found found = {NULL, "", 0};
  TlStatus status = TL_OK;

  if (root->type != TL_PICKLE_DICT || !find_state_dict (root, 0, &found))
    return fail_object (root, error);
  for (uint32_t i = 0; status == TL_OK && i + 1 < found.dict->list.n; i += 2)
    status = add_item (&r, found.dict->list.items[i],
        found.dict->list.items[i + 1], error);
  if (status != TL_OK)
    return status;
  set->item = tl_arena_copy_text (&set->arena, found.item, strlen (found.item));
  if (!set->item)
    return tl_arena_fail (&set->arena, error);
  strip_prefixes (set);
  return tl_tensor_set_check_names (set, error);
}
