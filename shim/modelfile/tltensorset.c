/* SPDX-License-Identifier: BSD-3-Clause */

#include "tltensorset.h"
#include "tlbytes.h"
#include "tlfail.h"

#include <stdlib.h>
#include <string.h>

#define MAX_ELEMENTS (INT64_C (1) << 40)

/* Makes room for one more: the array doubles whenever it is full, which is
 * when its length is a power of two. */
static void *
grow (void *array, size_t n, size_t item_size)
{
  if (n & (n - 1))
    return array;
  return realloc (array, (n ? 2 * n : 1) * item_size);
}

static TlStatus
check_name (const unsigned char *name, size_t n, TlError *error)
{
  int bad = n == 0 || n > TL_TENSOR_NAME_MAX || !tl_is_utf8 (name, n);

  for (size_t i = 0; i < n && !bad; i++)
    bad = name[i] < ' ' || name[i] == 0x7f;
  if (bad)
    return tl_fail (error, TL_ERROR_FORMAT,
        "a tensor's name is empty, over %u bytes or not text: \"%s\"",
        TL_TENSOR_NAME_MAX, tl_show_text (name, n).text);
  return TL_OK;
}

TlStatus
tl_tensor_set_add (TlTensorSet *set, const void *name, size_t n, TlDtype dtype,
    TlTensor **ret, TlError *error)
{
  TlStatus status = check_name (name, n, error);
  TlTensor *tensors;
  char *copy;

  if (status != TL_OK)
    return status;
  if (set->n_tensors >= TL_TENSOR_SET_MAX)
    return tl_fail (error, TL_ERROR_LIMIT, "more than %u tensors",
        TL_TENSOR_SET_MAX);
  copy = tl_arena_copy_text (&set->arena, name, n);
  if (!copy)
    return tl_arena_fail (&set->arena, error);
  tensors = grow (set->tensors, set->n_tensors, sizeof *tensors);
  if (!tensors)
    return tl_fail (error, TL_ERROR_MEMORY, "out of memory");
  set->tensors = tensors;
  *ret = &tensors[set->n_tensors++];
  memset (*ret, 0, sizeof **ret);
  (*ret)->name = copy;
  (*ret)->dtype = dtype;
  return TL_OK;
}

TlStatus
tl_tensor_set_add_metadata (TlTensorSet *set, const char *key,
    const char *value, TlError *error)
{
  TlMetadata *metadata;

  if (set->n_metadata >= TL_TENSOR_SET_MAX)
    return tl_fail (error, TL_ERROR_LIMIT, "more than %u metadata entries",
        TL_TENSOR_SET_MAX);
  metadata = grow (set->metadata, set->n_metadata, sizeof *metadata);
  if (!metadata)
    return tl_fail (error, TL_ERROR_MEMORY, "out of memory");
  set->metadata = metadata;
  metadata[set->n_metadata].key = key;
  metadata[set->n_metadata++].value = value;
  return TL_OK;
}

TlStatus
tl_tensor_set_shape (TlTensor *tensor, const int64_t *shape, size_t n_dims,
    TlError *error)
{
  int64_t product = 1;

  if (n_dims > TL_TENSOR_MAX_DIMS)
    return tl_fail (error, TL_ERROR_LIMIT,
        "tensor %s has %zu dimensions, more than %d",
        tl_show_text (tensor->name, strlen (tensor->name)).text, n_dims,
        TL_TENSOR_MAX_DIMS);
  for (size_t i = 0; i < n_dims; i++) {
    if (shape[i] < 0 || shape[i] >= MAX_ELEMENTS
        || __builtin_mul_overflow (product, shape[i] ? shape[i] : 1, &product)
        || product >= MAX_ELEMENTS)
      return tl_fail (error, TL_ERROR_LIMIT,
          "tensor %s has a negative or an absurdly large size",
          tl_show_text (tensor->name, strlen (tensor->name)).text);
    tensor->shape[i] = shape[i];
  }
  tensor->n_dims = (uint32_t) n_dims;
  tl_tensor_set_contiguous (tensor);
  return TL_OK;
}

static int
compare_texts (const void *a, const void *b)
{
  const char *const *x = a;
  const char *const *y = b;

  return strcmp (*x, *y);
}

/* Sorts the texts; gives one that occurs twice, or NULL. */
static const char *
find_twin (const char **texts, size_t n)
{
  qsort (texts, n, sizeof *texts, compare_texts);
  for (size_t i = 1; i < n; i++)
    if (strcmp (texts[i - 1], texts[i]) == 0)
      return texts[i];
  return NULL;
}

TlStatus
tl_tensor_set_check_names (const TlTensorSet *set, TlError *error)
{
  size_t n =
      set->n_tensors > set->n_metadata ? set->n_tensors : set->n_metadata;
  const char **texts = calloc (n + 1, sizeof *texts);
  const char *twin;

  if (!texts)
    return tl_fail (error, TL_ERROR_MEMORY, "out of memory");
  for (size_t i = 0; i < set->n_tensors; i++)
    texts[i] = set->tensors[i].name;
  twin = find_twin (texts, set->n_tensors);
  if (!twin) {
    for (size_t i = 0; i < set->n_metadata; i++)
      texts[i] = set->metadata[i].key;
    twin = find_twin (texts, set->n_metadata);
  }
  free (texts);
  if (twin)
    return tl_fail (error, TL_ERROR_FORMAT, "the name \"%s\" occurs twice",
        tl_show_text (twin, strlen (twin)).text);
  return TL_OK;
}

void
tl_tensor_set_clear (TlTensorSet *set)
{
  free (set->tensors);
  free (set->metadata);
  tl_arena_clear (&set->arena);
  *set = (TlTensorSet) TL_TENSOR_SET_INIT (set->arena.limit);
}
