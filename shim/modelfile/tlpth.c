/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlpth.h"
#include "tlbytes.h"
#include "tlfail.h"
#include "tlpickle.h"
#include "tlzip.h"

#include <stdio.h>
#include <string.h>

#define MAX_ROOT 512 /* bytes of the folder that torch.save puts all under */

typedef struct
{
  TlZip zip;
  const TlZipRecord *pickle;
  size_t root_length; /* "archive/", with the slash */
  size_t file_size;
  TlTensorSet *set;
} Reader;

/* The record ROOT/@name. */
static const TlZipRecord *
find_record (const Reader *r, const char *name, size_t length)
{
  char path[MAX_ROOT + 64];

  if (length > sizeof path - r->root_length)
    return NULL;
  memcpy (path, r->pickle->name, r->root_length);
  memcpy (path + r->root_length, name, length);
  return tl_zip_find (&r->zip, path, r->root_length + length);
}

static TlStatus
check_stored (const TlZipRecord *record, TlError *error)
{
  if (!record->is_compressed)
    return TL_OK;
  return tl_fail (error, TL_ERROR_UNSUPPORTED,
      "zip record %s is compressed, which torch.save never does: the archive "
      "was packed anew, save it with torch.save",
      tl_show_text (record->name, record->name_length).text);
}

static TlStatus
find_pickle (Reader *r, TlError *error)
{
  static const char suffix[] = "/data.pkl";
  const size_t n = sizeof suffix - 1;

  for (size_t i = 0; i < r->zip.n_records && !r->pickle; i++) {
    const TlZipRecord *record = &r->zip.records[i];
    const char *end = record->name + record->name_length;

    if (record->name_length > n && record->name_length < MAX_ROOT
        && memcmp (end - n, suffix, n) == 0) {
      r->pickle = record;
      r->root_length = record->name_length - (n - 1);
    }
  }
  if (!r->pickle)
    return tl_fail (error, TL_ERROR_FORMAT,
        "a zip archive without data.pkl: not written by torch.save");
  if (find_record (r, "constants.pkl", 13))
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "a TorchScript archive (torch.jit.save), which holds a program; save "
        "the weights with torch.save(model.state_dict(), ...)");
  if (r->pickle->size > TL_PICKLE_MAX_SIZE)
    return tl_fail (error, TL_ERROR_LIMIT,
        "data.pkl has %s bytes, more than the %s allowed",
        tl_show_number (r->pickle->size).text,
        tl_show_number (TL_PICKLE_MAX_SIZE).text);
  return check_stored (r->pickle, error);
}

static TlStatus
check_byte_order (const Reader *r, TlError *error)
{
  const TlZipRecord *order = find_record (r, "byteorder", 9);

  if (!order || (order->size == 6 && memcmp (order->data, "little", 6) == 0))
    return TL_OK;
  return tl_fail (error, TL_ERROR_UNSUPPORTED,
      "the file was written on a machine of byte order \"%s\", only little "
      "endian files are read",
      tl_show_text (order->data, order->size).text);
}

static int
key_equals (const TlPickleValue *key, const char *text)
{
  return key->type == TL_PICKLE_STRING && key->string.length == strlen (text)
      && memcmp (key->string.bytes, text, key->string.length) == 0;
}

static size_t
count_tensors (const TlPickleValue *dict)
{
  size_t n = 0;

  for (uint32_t i = 0; i + 1 < dict->list.n; i += 2)
    n += dict->list.items[i + 1]->type == TL_PICKLE_TENSOR;
  return n;
}

/* The dict of tensors, which a checkpoint may hold under a name. */
static const TlPickleValue *
find_state_dict (const TlPickleValue *root)
{
  static const char *const wrappers[] = {"state_dict", "model",
      "model_state_dict"};

  if (root->type != TL_PICKLE_DICT)
    return NULL;
  if (count_tensors (root) > 0)
    return root;
  for (size_t w = 0; w < sizeof wrappers / sizeof wrappers[0]; w++)
    for (uint32_t i = 0; i + 1 < root->list.n; i += 2) {
      const TlPickleValue *value = root->list.items[i + 1];

      if (key_equals (root->list.items[i], wrappers[w])
          && value->type == TL_PICKLE_DICT && count_tensors (value) > 0)
        return value;
    }
  return NULL;
}

/* The bytes of a storage: its record must have as many as the pickle says. */
static TlStatus
find_storage (const Reader *r, const TlPickleStorage *storage,
    const TlZipRecord **ret, TlError *error)
{
  TlShown key = tl_show_text (storage->key, storage->key_length);
  char name[64];
  int length = snprintf (name, sizeof name, "data/%.*s",
      (int) (storage->key_length < 63 ? storage->key_length : 63),
      storage->key);
  const TlZipRecord *record = length < (int) sizeof name
      ? find_record (r, name, (size_t) length)
      : NULL;

  if (!record)
    return tl_fail (error, TL_ERROR_FORMAT,
        "the record data/%s that the pickle names is missing", key.text);
  if ((uint64_t) storage->n > record->size / tl_dtype_size (storage->dtype))
    return tl_fail (error, TL_ERROR_FORMAT,
        "the record data/%s has %s bytes, but the pickle says %s elements of "
        "%s",
        key.text, tl_show_number (record->size).text,
        tl_show_number ((uint64_t) storage->n).text,
        tl_dtype_name (storage->dtype));
  *ret = record;
  return check_stored (record, error);
}

/* A dense copy of elements that do not lie aligned. */
static TlStatus
copy_elements (TlTensorSet *set, TlTensor *tensor, const uint8_t *first,
    TlError *error)
{
  size_t item = tl_dtype_size (tensor->dtype);
  int64_t n = tl_tensor_numel (tensor);
  uint8_t *copy = tl_arena_alloc (&set->arena, (size_t) n * item);
  int64_t index[TL_TENSOR_MAX_DIMS] = {0};

  if (!copy)
    return tl_arena_fail (&set->arena, error);
  tensor->data = copy;
  for (int64_t i = 0; i < n; i++) {
    int64_t offset = 0;

    for (uint32_t d = 0; d < tensor->n_dims; d++)
      offset += index[d] * tensor->stride[d];
    memcpy (copy, first + (size_t) offset * item, item);
    copy += item;
    for (uint32_t d = tensor->n_dims; d-- > 0;) {
      if (++index[d] < tensor->shape[d])
        break;
      index[d] = 0;
    }
  }
  tl_tensor_set_contiguous (tensor);
  return TL_OK;
}

static TlStatus
set_data (const Reader *r, const TlPickleTensor *source, TlTensor *tensor,
    TlError *error)
{
  const TlZipRecord *record = NULL;
  TlStatus status = find_storage (r, source->storage, &record, error);
  size_t item = tl_dtype_size (tensor->dtype);
  int64_t n = tl_tensor_numel (tensor);
  const uint8_t *first;

  if (status != TL_OK)
    return status;
  /* A stride of 0 repeats elements, for which no weight file has a use. */
  if ((uint64_t) n > r->file_size / item)
    return tl_fail (error, TL_ERROR_LIMIT,
        "tensor %s has %s elements, more than the whole file",
        tl_show_text (tensor->name, strlen (tensor->name)).text,
        tl_show_number ((uint64_t) n).text);
  first = record->data + (n > 0 ? (size_t) source->offset * item : 0);
  memcpy (tensor->stride, source->stride, sizeof tensor->stride);
  if ((uintptr_t) first % item != 0)
    return copy_elements (r->set, tensor, first, error);
  tensor->data = first;
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
      source->storage->dtype, &tensor, error);
  if (status == TL_OK)
    status = tl_tensor_set_shape (tensor, source->shape, source->n_dims, error);
  if (status == TL_OK)
    status = set_data (r, source, tensor, error);
  return status;
}

static int
have_prefix (const TlTensorSet *set, const char *prefix, size_t length)
{
  for (size_t i = 0; i < set->n_tensors; i++)
    if (strncmp (set->tensors[i].name, prefix, length) != 0
        || set->tensors[i].name[length] == '\0')
      return 0;
  return set->n_tensors > 0;
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
    for (size_t i = 0; i < set->n_tensors; i++)
      set->tensors[i].name += length;
    p = 0;
  }
}

static TlStatus
read_object (Reader *r, const TlPickleValue *root, TlError *error)
{
  const TlPickleValue *dict = find_state_dict (root);
  TlStatus status = TL_OK;

  if (!dict)
    return tl_fail (error, TL_ERROR_FORMAT,
        "no state dict in the file: expected a dict of tensors, or one under "
        "state_dict, model or model_state_dict");
  for (uint32_t i = 0; status == TL_OK && i + 1 < dict->list.n; i += 2)
    if (dict->list.items[i + 1]->type == TL_PICKLE_TENSOR)
      status = add_tensor (r, dict->list.items[i],
          dict->list.items[i + 1]->tensor, error);
  if (status != TL_OK)
    return status;
  strip_prefixes (r->set);
  return tl_tensor_set_check_names (r->set, error);
}

TlStatus
tl_pth_read_zip (const void *bytes, size_t size, TlTensorSet *set,
    TlError *error)
{
  Reader r = {.file_size = size, .set = set};
  TlArena values = TL_ARENA_INIT (256u << 20);
  const TlPickleValue *root = NULL;
  TlStatus status = tl_zip_read (bytes, size, &r.zip, error);

  if (status != TL_OK)
    return status;
  status = find_pickle (&r, error);
  if (status == TL_OK)
    status = check_byte_order (&r, error);
  if (status == TL_OK)
    status = tl_pickle_load (r.pickle->data, r.pickle->size, &values, &root,
        NULL, error);
  if (status == TL_OK)
    status = read_object (&r, root, error);
  tl_arena_clear (&values);
  tl_zip_clear (&r.zip);
  return status;
}
