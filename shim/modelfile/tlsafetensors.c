/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlsafetensors.h"
#include "tlbytes.h"
#include "tlfail.h"
#include "tljson.h"

#include <stdlib.h>
#include <string.h>

/* Where a tensor lies in the data, which is all that follows the header. */
typedef struct
{
  uint64_t begin, end;
  size_t tensor;
} Span;

typedef struct
{
  TlJson json;
  TlTensorSet *set;
  Span *spans; /* one for each tensor of the set */
  size_t n_spans_allocated;
} Reader;

/* What the object of one tensor says. */
typedef struct
{
  const char *dtype; /* NULL until seen */
  int has_shape, has_offsets;
  int64_t shape[TL_TENSOR_MAX_DIMS];
  size_t n_dims;
  int64_t offsets[2];
} Description;

static TlStatus
read_integers (TlJson *json, int64_t *values, size_t max, size_t *n,
    TlError *error)
{
  TlStatus status = tl_json_expect (json, '[', error);

  *n = 0;
  if (status != TL_OK || tl_json_take (json, ']'))
    return status;
  do {
    if (*n == max)
      return tl_fail (error, TL_ERROR_LIMIT,
          "byte %zu of the header: more than %zu numbers in a list",
          (size_t) (json->p - json->start), max);
    status = tl_json_integer (json, &values[(*n)++], error);
  } while (status == TL_OK && tl_json_take (json, ','));
  return status == TL_OK ? tl_json_expect (json, ']', error) : status;
}

static TlStatus
read_field (TlJson *json, Description *d, TlError *error)
{
  const char *key = NULL;
  size_t n = 0;
  TlStatus status = tl_json_string (json, &key, error);

  if (status == TL_OK)
    status = tl_json_expect (json, ':', error);
  if (status != TL_OK)
    return status;
  if (strcmp (key, "dtype") == 0 && !d->dtype)
    return tl_json_string (json, &d->dtype, error);
  if (strcmp (key, "shape") == 0 && !d->has_shape) {
    d->has_shape = 1;
    return read_integers (json, d->shape, TL_TENSOR_MAX_DIMS, &d->n_dims,
        error);
  }
  if (strcmp (key, "data_offsets") == 0 && !d->has_offsets) {
    status = read_integers (json, d->offsets, 2, &n, error);
    d->has_offsets = n == 2;
    return status;
  }
  return tl_fail_at (error, TL_ERROR_FORMAT, json->p - json->start,
      "byte %zu of the header: \"%s\" is not expected here, only dtype, shape "
      "and data_offsets once each",
      (size_t) (json->p - json->start), tl_show_text (key, strlen (key)).text);
}

static TlStatus
read_description (TlJson *json, Description *d, TlError *error)
{
  TlStatus status = tl_json_expect (json, '{', error);

  memset (d, 0, sizeof *d);
  if (status == TL_OK && !tl_json_take (json, '}')) {
    do
      status = read_field (json, d, error);
    while (status == TL_OK && tl_json_take (json, ','));
    if (status == TL_OK)
      status = tl_json_expect (json, '}', error);
  }
  if (status == TL_OK && (!d->dtype || !d->has_shape || !d->has_offsets))
    return tl_fail_at (error, TL_ERROR_FORMAT, json->p - json->start,
        "byte %zu of the header: a tensor without dtype, shape or both "
        "data_offsets",
        (size_t) (json->p - json->start));
  return status;
}

static TlStatus
parse_dtype (const char *tensor, const char *name, TlDtype *ret, TlError *error)
{
  for (int i = TL_DTYPE_F32; i <= TL_DTYPE_LAST; i++) {
    if (strcmp (tl_dtype_name ((TlDtype) i), name) == 0) {
      *ret = (TlDtype) i;
      return TL_OK;
    }
  }
  return tl_fail (error, TL_ERROR_UNSUPPORTED,
      "tensor %s has the dtype \"%s\", which is not read: save it in another, "
      "for example F32",
      tl_show_text (tensor, strlen (tensor)).text,
      tl_show_text (name, strlen (name)).text);
}

static TlStatus
add_span (Reader *r, const Description *d, const TlTensor *tensor,
    TlError *error)
{
  size_t i = r->set->n_tensors - 1;
  uint64_t begin = (uint64_t) d->offsets[0], end = (uint64_t) d->offsets[1];
  uint64_t wanted = tl_safetensors_data_size (tensor);

  if (end < begin || end - begin != wanted)
    return tl_fail (error, TL_ERROR_FORMAT,
        "tensor %s: its shape needs %s bytes, but its offsets run from %s to "
        "%s",
        tl_show_text (tensor->name, strlen (tensor->name)).text,
        tl_show_number (wanted).text, tl_show_number (begin).text,
        tl_show_number (end).text);
  if (i == r->n_spans_allocated) {
    size_t n = i ? 2 * i : 64;
    Span *spans = realloc (r->spans, n * sizeof *spans);

    if (!spans)
      return tl_fail (error, TL_ERROR_MEMORY, "out of memory");
    r->spans = spans;
    r->n_spans_allocated = n;
  }
  r->spans[i] = (Span){begin, end, i};
  return TL_OK;
}

static TlStatus
read_tensor (Reader *r, const char *name, TlError *error)
{
  Description d;
  TlDtype dtype = TL_DTYPE_INVALID;
  TlTensor *tensor;
  TlStatus status = read_description (&r->json, &d, error);

  if (status == TL_OK)
    status = parse_dtype (name, d.dtype, &dtype, error);
  if (status == TL_OK)
    status =
        tl_tensor_set_add (r->set, name, strlen (name), dtype, &tensor, error);
  if (status == TL_OK)
    status = tl_tensor_set_shape (tensor, d.shape, d.n_dims, error);
  if (status == TL_OK)
    status = add_span (r, &d, tensor, error);
  return status;
}

static TlStatus
read_metadata (Reader *r, TlError *error)
{
  TlStatus status = tl_json_expect (&r->json, '{', error);

  if (status == TL_OK && r->set->n_metadata > 0)
    return tl_fail (error, TL_ERROR_FORMAT, "__metadata__ occurs twice");
  if (status != TL_OK || tl_json_take (&r->json, '}'))
    return status;
  do {
    const char *key = NULL, *value = NULL;

    status = tl_json_string (&r->json, &key, error);
    if (status == TL_OK)
      status = tl_json_expect (&r->json, ':', error);
    if (status == TL_OK)
      status = tl_json_string (&r->json, &value, error);
    if (status == TL_OK)
      status = tl_tensor_set_add_metadata (r->set, key, value, error);
  } while (status == TL_OK && tl_json_take (&r->json, ','));
  return status == TL_OK ? tl_json_expect (&r->json, '}', error) : status;
}

static TlStatus
read_header (Reader *r, TlError *error)
{
  TlStatus status = tl_json_expect (&r->json, '{', error);

  if (status == TL_OK && !tl_json_take (&r->json, '}')) {
    do {
      const char *name = NULL;

      status = tl_json_string (&r->json, &name, error);
      if (status == TL_OK)
        status = tl_json_expect (&r->json, ':', error);
      if (status == TL_OK)
        status = strcmp (name, "__metadata__") == 0
            ? read_metadata (r, error)
            : read_tensor (r, name, error);
    } while (status == TL_OK && tl_json_take (&r->json, ','));
    if (status == TL_OK)
      status = tl_json_expect (&r->json, '}', error);
  }
  return status == TL_OK ? tl_json_end (&r->json, error) : status;
}

static int
compare_spans (const void *a, const void *b)
{
  const Span *x = a, *y = b;

  if (x->begin != y->begin)
    return x->begin < y->begin ? -1 : 1;
  return x->end < y->end ? -1 : x->end > y->end;
}

/* The spans must tile the data: neither hidden bytes nor shared ones. */
static TlStatus
check_spans (Reader *r, uint64_t data_size, TlError *error)
{
  size_t n = r->set->n_tensors;
  uint64_t end = 0;

  for (size_t i = 0; i < n; i++)
    end = r->spans[i].end > end ? r->spans[i].end : end;
  if (end > data_size)
    return tl_fail_at (error, TL_ERROR_FORMAT, (int64_t) data_size,
        "truncated: the file ends %s early",
        tl_show_bytes (end - data_size).text);
  if (n > 0)
    qsort (r->spans, n, sizeof *r->spans, compare_spans);
  end = 0;
  for (size_t i = 0; i < n; i++) {
    const char *name = r->set->tensors[r->spans[i].tensor].name;

    if (r->spans[i].begin != end)
      return tl_fail_at (error, TL_ERROR_FORMAT, (int64_t) r->spans[i].begin,
          "tensor %s begins at byte %s of the data, but the one before it ends "
          "at %s",
          tl_show_text (name, strlen (name)).text,
          tl_show_number (r->spans[i].begin).text, tl_show_number (end).text);
    end = r->spans[i].end;
  }
  if (end < data_size)
    return tl_fail_at (error, TL_ERROR_FORMAT, (int64_t) end,
        "the file goes on for %s behind its last tensor",
        tl_show_bytes (data_size - end).text);
  return TL_OK;
}

/* Whether all tensors lie aligned where they are. */
static int
set_pointers (Reader *r, const uint8_t *data)
{
  int is_aligned = 1;

  for (size_t i = 0; i < r->set->n_tensors; i++) {
    TlTensor *tensor = &r->set->tensors[r->spans[i].tensor];

    tensor->data = data + r->spans[i].begin;
    if ((uintptr_t) tensor->data % tl_dtype_size (tensor->dtype) != 0)
      is_aligned = 0;
  }
  return is_aligned;
}

static TlStatus
copy_unaligned (Reader *r, TlError *error)
{
  for (size_t i = 0; i < r->set->n_tensors; i++) {
    const Span *span = &r->spans[i];
    TlTensor *tensor = &r->set->tensors[span->tensor];
    size_t size = (size_t) (span->end - span->begin);
    void *copy;

    if ((uintptr_t) tensor->data % tl_dtype_size (tensor->dtype) == 0)
      continue;
    copy = tl_arena_alloc (&r->set->arena, size);
    if (!copy)
      return tl_arena_fail (&r->set->arena, error);
    tensor->data = memcpy (copy, tensor->data, size);
  }
  return TL_OK;
}

/* Moves the tensors, in the order of the data, to the first places that suit
 * them. The header has room for what aligning takes: at most 7 bytes for each
 * tensor, which it describes in more than 40. */
static void
move_together (Reader *r, uint8_t *bytes)
{
  uint8_t *place = bytes;

  for (size_t i = 0; i < r->set->n_tensors; i++) {
    TlTensor *tensor = &r->set->tensors[r->spans[i].tensor];
    size_t size = (size_t) (r->spans[i].end - r->spans[i].begin);
    size_t item = tl_dtype_size (tensor->dtype);

    place += (item - (uintptr_t) place % item) % item;
    tensor->data = memmove (place, tensor->data, size);
    place += size;
  }
}

/* The checks of the first eight bytes. */
static TlStatus
get_header_size (const uint8_t *bytes, size_t size, size_t *ret, TlError *error)
{
  uint64_t header_size;

  if (size < 8)
    return tl_fail_at (error, TL_ERROR_FORMAT, (int64_t) size,
        "truncated: the file ends before its header");
  header_size = tl_get_u64 (bytes);
  if (header_size > TL_SAFETENSORS_MAX_HEADER)
    return tl_fail_at (error, TL_ERROR_LIMIT, 0,
        "the safetensors header claims %s bytes, more than the %s allowed",
        tl_show_number (header_size).text,
        tl_show_number (TL_SAFETENSORS_MAX_HEADER).text);
  if (header_size > size - 8)
    return tl_fail_at (error, TL_ERROR_FORMAT, (int64_t) size,
        "truncated: the file ends %s early, within its header",
        tl_show_bytes (header_size - (size - 8)).text);
  *ret = (size_t) header_size;
  return TL_OK;
}

/* All but the data; @size counts what is in memory. */
static TlStatus
read_layout (Reader *r, const uint8_t *bytes, size_t size, uint64_t file_size,
    size_t *data_offset, TlError *error)
{
  size_t header_size = 0;
  TlStatus status = get_header_size (bytes, size, &header_size, error);

  if (status != TL_OK)
    return status;
  r->json.start = r->json.p = (const char *) bytes + 8;
  r->json.end = r->json.start + header_size;
  r->json.arena = &r->set->arena;
  *data_offset = 8 + header_size;
  status = read_header (r, error);
  if (status != TL_OK) {
    tl_fail_move (error, 8);
    return status;
  }
  status = tl_tensor_set_check_names (r->set, error);
  if (status != TL_OK)
    return status;
  status = check_spans (r, file_size - *data_offset, error);
  if (status != TL_OK)
    tl_fail_move (error, (int64_t) *data_offset);
  return status;
}

TlStatus
tl_safetensors_read (const void *bytes, size_t size, TlTensorSet *set,
    TlError *error)
{
  size_t data_offset = 0;
  Reader r = {.set = set};
  TlStatus status = read_layout (&r, bytes, size, size, &data_offset, error);

  if (status == TL_OK
      && !set_pointers (&r, (const uint8_t *) bytes + data_offset))
    status = copy_unaligned (&r, error);
  free (r.spans);
  return status;
}

TlStatus
tl_safetensors_read_in_place (void *bytes, size_t size, TlTensorSet *set,
    TlError *error)
{
  size_t data_offset = 0;
  Reader r = {.set = set};
  TlStatus status = read_layout (&r, bytes, size, size, &data_offset, error);

  if (status == TL_OK
      && !set_pointers (&r, (const uint8_t *) bytes + data_offset))
    move_together (&r, bytes);
  free (r.spans);
  return status;
}

TlStatus
tl_safetensors_read_header (const void *bytes, size_t size, uint64_t file_size,
    TlTensorSet *set, TlError *error)
{
  size_t data_offset = 0;
  Reader r = {.set = set};
  TlStatus status =
      read_layout (&r, bytes, size, file_size, &data_offset, error);

  free (r.spans);
  return status;
}
