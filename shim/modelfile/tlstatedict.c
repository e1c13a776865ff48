/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlstatedict.h"
#include "tlconvert.h"
#include "tlfail.h"

#include <stdlib.h>
#include <string.h>

static const TlTensor *
find_tensor (const TlTensor *tensors, size_t n, const char *name)
{
  for (size_t i = 0; i < n; i++)
    if (strcmp (tensors[i].name, name) == 0)
      return &tensors[i];
  return NULL;
}

const TlTensor *
tl_state_dict_find (const TlStateDict *self, const char *name)
{
  return find_tensor (self->tensors, self->n, name);
}

/* A count is a scalar of I64 or I32: dtype_fits() of tl_arch_compare(). */
static void
convert_count (const TlTensor *source, int64_t *count)
{
  int32_t narrow;

  if (!source)
    return;
  if (source->dtype == TL_DTYPE_I64) {
    memcpy (count, source->data, sizeof *count);
    return;
  }
  memcpy (&narrow, source->data, sizeof narrow);
  *count = narrow;
}

/* @source is NULL for a count that the file lacks. */
static TlStatus
fill_tensor (TlStateDict *self, TlTensor *tensor, const TlArchEntry *entry,
    const TlTensor *source, TlError *error)
{
  void *copy;

  tensor->name = entry->name;
  tensor->dtype = entry->dtype;
  tensor->n_dims = entry->n_dims;
  memcpy (tensor->shape, entry->shape, sizeof entry->shape);
  tl_tensor_set_contiguous (tensor);
  if (source && source->dtype == entry->dtype
      && tl_tensor_is_contiguous (source)) {
    tensor->data = source->data;
    return TL_OK;
  }
  copy = tl_arena_alloc (&self->arena,
      (size_t) tl_tensor_numel (tensor) * tl_dtype_size (tensor->dtype));
  if (!copy)
    return tl_arena_fail (&self->arena, error);
  if (entry->dtype == TL_DTYPE_I64)
    convert_count (source, copy);
  else
    tl_convert_to_f32 (source, copy);
  tensor->data = copy;
  return TL_OK;
}

static TlStatus
fill (TlStateDict *self, const TlTensor *tensors, size_t n, TlError *error)
{
  TlStatus status = TL_OK;

  self->n = tl_arch_n_entries (self->arch);
  self->entries = tl_arch_list_entries (self->arch, self->n_classes);
  self->tensors = calloc (self->n, sizeof *self->tensors);
  if (!self->entries || !self->tensors)
    return tl_fail (error, TL_ERROR_MEMORY, "out of memory");
  for (size_t i = 0; status == TL_OK && i < self->n; i++)
    status = fill_tensor (self, &self->tensors[i], &self->entries[i],
        find_tensor (tensors, n, self->entries[i].name), error);
  return status;
}

static TlStatus
collect (TlStateDict *self, const TlTensor *model, size_t n, TlError *error)
{
  TlStatus status = tl_arch_recognise (model, n, &self->arch, NULL, error);

  if (status == TL_OK)
    status = tl_arch_check (self->arch, model, n, &self->n_classes, error);
  return status == TL_OK ? fill (self, model, n, error) : status;
}

TlStatus
tl_state_dict_collect (TlStateDict *self, const TlTensor *tensors,
    size_t n_tensors, const char *skip, TlError *error)
{
  TlTensor *model = calloc (n_tensors + 1, sizeof *model);
  size_t n = 0;
  TlStatus status;

  if (!model)
    return tl_fail (error, TL_ERROR_MEMORY, "out of memory");
  self->arena.limit = SIZE_MAX;
  for (size_t i = 0; i < n_tensors; i++)
    if (!skip || strncmp (tensors[i].name, skip, strlen (skip)) != 0)
      model[n++] = tensors[i];
  status = collect (self, model, n, error);
  free (model);
  return status;
}

void
tl_state_dict_clear (TlStateDict *self)
{
  free (self->entries);
  free (self->tensors);
  tl_arena_clear (&self->arena);
  memset (self, 0, sizeof *self);
}
