/* SPDX-License-Identifier: BSD-3-Clause */

/* torch.save of PyTorch 0.1: a tar archive with the members sys_info, pickle
 * (the object, which names its tensors by number), tensors and storages
 * (torch/serialization.py, legacy_load):
 *
 *   tensors   a pickle of their number, then for each a pickle (key, storage,
 *             type), the number of dimensions (4 bytes and 4 of padding),
 *             sizes, strides and offset (8 bytes each)
 *   storages  a pickle of their number, then for each a pickle (key, location,
 *             type), the number of elements (8 bytes) and the elements; then a
 *             pickle of views, [(key, of which storage, offset, elements)] */

#include "tlbytes.h"
#include "tlfail.h"
#include "tlpickle.h"
#include "tlpth.h"
#include "tlpthobject.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 512
#define MAX_ITEMS 65536 /* tensors; storages */
#define MAX_KEY 24      /* characters of a number */

typedef enum
{
  MEMBER_SYS_INFO,
  MEMBER_PICKLE,
  MEMBER_TENSORS,
  MEMBER_STORAGES,
  N_MEMBERS
} Member;

static const char *const member_names[N_MEMBERS] = {"sys_info", "pickle",
    "tensors", "storages"};

typedef struct
{
  uint8_t *p, *end; /* NULL: not in the archive */
} Span;

typedef struct
{
  int64_t key;
  TlPickleStorage storage;
  uint8_t *data;
} Storage;

typedef struct
{
  int64_t key;
  TlPickleTensor tensor;
} Tensor;

typedef struct
{
  uint8_t *start, *end;
  Span members[N_MEMBERS];
  TlArena values;
  Storage *storages; /* sorted by key, as the tensors */
  Tensor *tensors;
  size_t n_storages, n_tensors;
} Reader;

int
tl_pth_is_tar (const void *bytes, size_t size)
{
  return size >= BLOCK
      && memcmp ((const uint8_t *) bytes + 257, "ustar", 5) == 0;
}

/* An octal number that blanks or NULs may surround; 0: it is none. */
static int
parse_octal (const uint8_t *p, size_t n, uint64_t *ret)
{
  size_t i = 0;

  *ret = 0;
  while (i < n && p[i] == ' ')
    i++;
  if (i == n || p[i] < '0' || p[i] > '7')
    return 0;
  for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
    *ret = *ret << 3 | (uint64_t) (p[i] - '0');
  return i == n || p[i] == ' ' || p[i] == '\0';
}

/* The sum of the header's bytes, its own field taken as blanks. */
static int
has_checksum (const uint8_t *header)
{
  uint64_t wanted, sum = 0;

  for (size_t i = 0; i < BLOCK; i++)
    sum += i >= 148 && i < 156 ? ' ' : header[i];
  return parse_octal (header + 148, 8, &wanted) && wanted == sum;
}

static TlStatus
add_member (Reader *r, uint8_t *header, uint8_t *data, uint64_t size,
    TlError *error)
{
  int is_file = header[156] == '0' || header[156] == '\0';

  for (int i = 0; is_file && i < N_MEMBERS; i++) {
    if (strncmp ((const char *) header, member_names[i], 100) != 0)
      continue;
    if (r->members[i].p)
      return tl_fail (error, TL_ERROR_FORMAT, "the member %s occurs twice",
          member_names[i]);
    r->members[i] = (Span){data, data + size};
  }
  return TL_OK;
}

/* Other members, such as PAX headers, are passed over. */
static TlStatus
find_members (Reader *r, TlError *error)
{
  uint8_t *p = r->start;

  while ((size_t) (r->end - p) >= BLOCK && p[0] != '\0') {
    TlShown at = tl_show_number ((uint64_t) (p - r->start));
    TlShown name = tl_show_text (p, strnlen ((const char *) p, 100));
    uint64_t size, left = (uint64_t) (r->end - p) - BLOCK;
    TlStatus status;

    if (memcmp (p + 257, "ustar", 5) != 0 || !has_checksum (p)
        || !parse_octal (p + 124, 12, &size))
      return tl_fail_at (error, TL_ERROR_FORMAT, p - r->start,
          "at byte %s there is no header of a tar member, or a damaged one",
          at.text);
    if (size > left)
      return tl_fail_at (error, TL_ERROR_FORMAT, r->end - r->start,
          "truncated: the file ends %s early, within the member %s, which "
          "begins at byte %s",
          tl_show_bytes (size - left).text, name.text, at.text);
    status = add_member (r, p, p + BLOCK, size, error);
    if (status != TL_OK)
      return status;
    size = (size + BLOCK - 1) & ~(uint64_t) (BLOCK - 1);
    p += BLOCK + (size < left ? size : left);
  }
  for (int i = 0; i < N_MEMBERS; i++)
    if (!r->members[i].p)
      return tl_fail (error, TL_ERROR_FORMAT,
          "a tar archive without the member %s: not one of torch.save; if it "
          "holds a model file, unpack it",
          member_names[i]);
  return TL_OK;
}

static TlStatus
fail_at (const Reader *r, Member member, TlError *error, const char *what)
{
  return tl_fail_at (error, TL_ERROR_FORMAT, r->members[member].p - r->start,
      "byte %s of the file, in %s: %s",
      tl_show_number ((uint64_t) (r->members[member].p - r->start)).text,
      member_names[member], what);
}

/* The next pickle of a member. */
static TlStatus
load_pickle (Reader *r, Member member, TlPickleOutside *outside,
    const TlPickleValue **ret, TlError *error)
{
  Span *span = &r->members[member];
  TlError inner = TL_ERROR_INIT;
  size_t used = 0;
  TlStatus status = tl_pickle_load (span->p, (size_t) (span->end - span->p),
      outside, &r->values, ret, &used, &inner);

  if (status != TL_OK) {
    tl_fail_move (&inner, span->p - r->start);
    return tl_fail_at (error, status, inner.offset,
        "the pickle at byte %s of the file, in %s: %s",
        tl_show_number ((uint64_t) (span->p - r->start)).text,
        member_names[member], inner.message);
  }
  span->p += used;
  return TL_OK;
}

/* How many items follow, and room for them; each takes a byte at least. */
static TlStatus
load_count (Reader *r, Member member, size_t item_size, void **items,
    size_t *ret, TlError *error)
{
  const TlPickleValue *n = NULL;
  TlStatus status = load_pickle (r, member, NULL, &n, error);
  const Span *span = &r->members[member];

  if (status != TL_OK)
    return status;
  if (n->type != TL_PICKLE_INTEGER || n->integer < 0
      || n->integer > span->end - span->p)
    return fail_at (r, member, error, "not a number of items that has room");
  if (n->integer > MAX_ITEMS)
    return tl_fail (error, TL_ERROR_LIMIT, "%s %s are more than %d",
        tl_show_number ((uint64_t) n->integer).text, member_names[member],
        MAX_ITEMS);
  *items = tl_arena_alloc (&r->values, ((size_t) n->integer + 1) * item_size);
  *ret = (size_t) n->integer;
  return *items ? TL_OK : tl_arena_fail (&r->values, error);
}

static int
compare_int64 (const void *a, const void *b)
{
  const int64_t *x = a, *y = b;

  return *x < *y ? -1 : *x > *y;
}

/* Storages and tensors begin with their key. */
static Storage *
find_storage (const Reader *r, int64_t key)
{
  return bsearch (&key, r->storages, r->n_storages, sizeof *r->storages,
      compare_int64);
}

static const Tensor *
find_tensor (const Reader *r, int64_t key)
{
  return bsearch (&key, r->tensors, r->n_tensors, sizeof *r->tensors,
      compare_int64);
}

/* A triple whose first item is a number; NULL if it is none. */
static const TlPickleValue *const *
get_triple (const TlPickleValue *value)
{
  if (value->type != TL_PICKLE_TUPLE || value->list.n != 3
      || value->list.items[0]->type != TL_PICKLE_INTEGER)
    return NULL;
  return (const TlPickleValue *const *) value->list.items;
}

static TlStatus
read_storage (Reader *r, Storage *ret, TlError *error)
{
  Span *span = &r->members[MEMBER_STORAGES];
  const TlPickleValue *value = NULL;
  const TlPickleValue *const *triple;
  TlStatus status = load_pickle (r, MEMBER_STORAGES, NULL, &value, error);
  uint64_t n;

  if (status != TL_OK)
    return status;
  triple = get_triple (value);
  if (!triple || triple[2]->type != TL_PICKLE_GLOBAL
      || triple[2]->global->kind != TL_GLOBAL_STORAGE
      || triple[2]->global->dtype == TL_DTYPE_INVALID)
    return fail_at (r, MEMBER_STORAGES, error,
        "before it no key, location and type of a storage");
  if (span->end - span->p < 8)
    return fail_at (r, MEMBER_STORAGES, error, "its end is missing");
  n = tl_get_u64 (span->p);
  ret->key = triple[0]->integer;
  ret->storage.type = triple[2]->global;
  ret->storage.dtype = triple[2]->global->dtype;
  if (n > (uint64_t) (span->end - span->p - 8)
          / tl_dtype_size (ret->storage.dtype))
    return fail_at (r, MEMBER_STORAGES, error,
        "a storage that is longer than the rest");
  ret->storage.n = ret->storage.n_root = (int64_t) n;
  ret->data = span->p + 8;
  span->p = ret->data + tl_pth_storage_size (&ret->storage);
  return TL_OK;
}

/* Storages that are a part of another come last, and only as numbers. */
static TlStatus
read_views (Reader *r, size_t n_roots, TlError *error)
{
  const TlPickleValue *views = NULL;
  TlStatus status = load_pickle (r, MEMBER_STORAGES, NULL, &views, error);

  if (status != TL_OK)
    return status;
  if (views->type != TL_PICKLE_LIST || views->list.n > MAX_ITEMS)
    return fail_at (r, MEMBER_STORAGES, error, "before it no list of views");
  if (views->list.n > 0) {
    Storage *all =
        tl_arena_alloc (&r->values, (n_roots + views->list.n) * sizeof *all);

    if (!all)
      return tl_arena_fail (&r->values, error);
    memcpy (all, r->storages, n_roots * sizeof *all);
    r->storages = all;
  }
  for (uint32_t i = 0; i < views->list.n; i++) {
    const TlPickleValue *view = views->list.items[i];
    const TlPickleValue *const *v =
        (const TlPickleValue *const *) view->list.items;
    Storage *ret = &r->storages[n_roots + i];
    const Storage *root = NULL;

    if (view->type == TL_PICKLE_TUPLE && view->list.n == 4
        && v[0]->type == TL_PICKLE_INTEGER && v[1]->type == TL_PICKLE_INTEGER
        && v[2]->type == TL_PICKLE_INTEGER && v[3]->type == TL_PICKLE_INTEGER)
      root = bsearch (&v[1]->integer, r->storages, n_roots, sizeof *r->storages,
          compare_int64);
    if (!root || v[2]->integer < 0 || v[3]->integer < 0
        || v[2]->integer > root->storage.n
        || v[3]->integer > root->storage.n - v[2]->integer)
      return fail_at (r, MEMBER_STORAGES, error,
          "before it a view that does not lie within a storage");
    *ret = *root;
    ret->key = v[0]->integer;
    ret->storage.first = v[2]->integer;
    ret->storage.n = v[3]->integer;
  }
  r->n_storages = n_roots + views->list.n;
  return TL_OK;
}

static TlStatus
read_storages (Reader *r, TlError *error)
{
  void *items = NULL;
  TlStatus status = load_count (r, MEMBER_STORAGES, sizeof *r->storages, &items,
      &r->n_storages, error);

  r->storages = items;
  for (size_t i = 0; status == TL_OK && i < r->n_storages; i++)
    status = read_storage (r, &r->storages[i], error);
  if (status != TL_OK)
    return status;
  /* Only now, as a move overwrites the number of elements. */
  for (size_t i = 0; i < r->n_storages; i++)
    r->storages[i].data = tl_pth_align (r->storages[i].data,
        (size_t) tl_pth_storage_size (&r->storages[i].storage));
  qsort (r->storages, r->n_storages, sizeof *r->storages, compare_int64);
  status = read_views (r, r->n_storages, error);
  if (status != TL_OK)
    return status;
  qsort (r->storages, r->n_storages, sizeof *r->storages, compare_int64);
  for (size_t i = 1; i < r->n_storages; i++)
    if (r->storages[i - 1].key == r->storages[i].key)
      return fail_at (r, MEMBER_STORAGES, error, "two storages of one key");
  return TL_OK;
}

/* The numbers behind the pickle of a tensor. */
static TlStatus
read_geometry (Reader *r, TlPickleTensor *tensor, TlError *error)
{
  Span *span = &r->members[MEMBER_TENSORS];
  size_t left = (size_t) (span->end - span->p);
  uint32_t n = left >= 8 ? tl_get_u32 (span->p) : UINT32_MAX;

  if (n > TL_TENSOR_MAX_DIMS || left < 8 + 16 * (size_t) n + 8)
    return fail_at (r, MEMBER_TENSORS, error,
        "no number of dimensions, sizes, strides and offset");
  span->p += 8;
  tensor->n_dims = n;
  for (uint32_t i = 0; i <= 2 * n; i++, span->p += 8) {
    uint64_t value = tl_get_u64 (span->p);

    if (value >= UINT64_C (1) << 40)
      return fail_at (r, MEMBER_TENSORS, error,
          "a negative or an absurdly large size");
    *(i < n             ? &tensor->shape[i]
            : i < 2 * n ? &tensor->stride[i - n]
                        : &tensor->offset) = (int64_t) value;
  }
  return TL_OK;
}

static TlStatus
read_tensor (Reader *r, Tensor *ret, TlError *error)
{
  static const TlPickleStorage nothing = {.dtype = TL_DTYPE_F32};
  const TlPickleValue *value = NULL;
  const TlPickleValue *const *triple;
  const Storage *storage = NULL;
  TlStatus status = load_pickle (r, MEMBER_TENSORS, NULL, &value, error);

  if (status == TL_OK)
    status = read_geometry (r, &ret->tensor, error);
  if (status != TL_OK)
    return status;
  triple = get_triple (value);
  if (triple && triple[1]->type == TL_PICKLE_INTEGER)
    storage = find_storage (r, triple[1]->integer);
  if (!triple || (!storage && triple[1]->type != TL_PICKLE_NONE))
    return fail_at (r, MEMBER_TENSORS, error,
        "before it no key, storage and type of a tensor");
  ret->key = triple[0]->integer;
  /* An empty tensor need not have a storage. */
  ret->tensor.storage = storage ? &storage->storage : &nothing;
  ret->tensor.dtype = ret->tensor.storage->dtype;
  if (!tl_pickle_tensor_fits (&ret->tensor))
    return fail_at (r, MEMBER_TENSORS, error,
        "before it a tensor that reaches beyond its storage");
  return TL_OK;
}

static TlStatus
read_tensors (Reader *r, TlError *error)
{
  void *items = NULL;
  TlStatus status = load_count (r, MEMBER_TENSORS, sizeof *r->tensors, &items,
      &r->n_tensors, error);

  r->tensors = items;
  for (size_t i = 0; status == TL_OK && i < r->n_tensors; i++)
    status = read_tensor (r, &r->tensors[i], error);
  if (status != TL_OK)
    return status;
  qsort (r->tensors, r->n_tensors, sizeof *r->tensors, compare_int64);
  for (size_t i = 1; i < r->n_tensors; i++)
    if (r->tensors[i - 1].key == r->tensors[i].key)
      return fail_at (r, MEMBER_TENSORS, error, "two tensors of one key");
  return TL_OK;
}

/* The pickle's names are the keys as text. */
static int
find_outside (void *user, const char *id, size_t n, TlPickleValue *ret)
{
  const Reader *r = user;
  const Tensor *tensor;
  const Storage *storage;
  char text[MAX_KEY], *end;
  int64_t key;

  if (n == 0 || n >= sizeof text)
    return 0;
  memcpy (text, id, n);
  text[n] = '\0';
  key = strtoll (text, &end, 10);
  if (*end)
    return 0;
  tensor = find_tensor (r, key);
  storage = find_storage (r, key);
  if (tensor) {
    ret->type = TL_PICKLE_TENSOR;
    ret->tensor = &tensor->tensor;
  } else if (storage) {
    ret->type = TL_PICKLE_STORAGE;
    ret->storage = &storage->storage;
  }
  return tensor || storage;
}

/* @storage is one of the table, or that of an empty tensor: the pickle cannot
 * make others. */
static TlStatus
locate_storage (void *user, const TlPickleStorage *storage, const uint8_t **ret,
    TlError *error __attribute__ ((unused)))
{
  const Reader *r = user;
  const char *outer = (const char *) storage - offsetof (Storage, storage);

  *ret = storage->type ? ((const Storage *) outer)->data : r->start;
  return TL_OK;
}

static TlStatus
read_file (Reader *r, TlTensorSet *set, TlError *error)
{
  TlPickleOutside outside = {.find = find_outside, .user = r};
  const TlPickleValue *sys_info = NULL, *object = NULL;
  TlStatus status = find_members (r, error);

  if (status == TL_OK)
    status = load_pickle (r, MEMBER_SYS_INFO, NULL, &sys_info, error);
  if (status == TL_OK)
    status = tl_pth_check_sys_info (sys_info, error);
  if (status == TL_OK)
    status = read_storages (r, error);
  if (status == TL_OK)
    status = read_tensors (r, error);
  if (status == TL_OK)
    status = load_pickle (r, MEMBER_PICKLE, &outside, &object, error);
  if (status != TL_OK)
    return status;
  return tl_pth_read_object (object, (size_t) (r->end - r->start),
      locate_storage, r, set, error);
}

TlStatus
tl_pth_read_tar (void *bytes, size_t size, TlTensorSet *set, TlError *error)
{
  Reader r = {.start = bytes,
      .end = (uint8_t *) bytes + size,
      .values = TL_ARENA_INIT (TL_PTH_MAX_VALUES)};
  TlStatus status = read_file (&r, set, error);

  tl_arena_clear (&r.values);
  return status;
}
