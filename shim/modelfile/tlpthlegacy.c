/* SPDX-License-Identifier: BSD-3-Clause */

/* torch.save of PyTorch 0.2 to 1.5, and later when asked for: five pickles in
 * a row (a magic number, the protocol's version, sys_info, the object, the
 * storages' keys), then for each key its number of elements (8 bytes) and the
 * elements (torch/serialization.py, _legacy_load). */

#include "tlbytes.h"
#include "tlfail.h"
#include "tlpickle.h"
#include "tlpth.h"
#include "tlpthobject.h"

#include <stdlib.h>
#include <string.h>

#define PROTOCOL_VERSION 1001
#define MAX_STORAGES 65536u

/* A storage of the file. */
typedef struct
{
  const char *key;
  size_t key_length;
  const TlPickleStorage *storage; /* the first that names it */
  uint8_t *data;
} Record;

typedef struct
{
  uint8_t *start, *p, *end;
  TlArena values;
  TlPickleOutside outside;
  Record *records; /* sorted by key */
  size_t n_records;
} Reader;

/* PROTO, in protocols 4 and 5 FRAME, then the number as LONG1. */
int
tl_pth_is_legacy (const void *bytes, size_t size)
{
  static const uint8_t magic[] = {0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9,
      0x20, 0x6a, 0xa8, 0x50, 0x19, '.'};
  const uint8_t *p = bytes;
  size_t at = size > 2 && p[2] == 0x95 ? 11 : 2;

  return size >= at + sizeof magic && p[0] == 0x80
      && memcmp (p + at, magic, sizeof magic) == 0;
}

/* The next of the pickles; @what is for the message. */
static TlStatus
load_pickle (Reader *r, const char *what, const TlPickleValue **ret,
    TlError *error)
{
  TlError inner = TL_ERROR_INIT;
  size_t used = 0;
  TlStatus status = tl_pickle_load (r->p, (size_t) (r->end - r->p), &r->outside,
      &r->values, ret, &used, &inner);

  if (status != TL_OK) {
    tl_fail_move (&inner, r->p - r->start);
    return tl_fail_at (error, status, inner.offset,
        "%s, which begins at byte %s of the file: %s", what,
        tl_show_number ((uint64_t) (r->p - r->start)).text, inner.message);
  }
  r->p += used;
  return TL_OK;
}

static TlStatus
load_head (Reader *r, TlError *error)
{
  const TlPickleValue *magic = NULL, *version = NULL, *sys_info = NULL;
  TlStatus status;

  if (!tl_pth_is_legacy (r->start, (size_t) (r->end - r->start)))
    return tl_fail_at (error, TL_ERROR_FORMAT, 0,
        "it does not begin with the magic number of torch.save");
  status = load_pickle (r, "its magic number", &magic, error);
  if (status == TL_OK)
    status = load_pickle (r, "its version", &version, error);
  if (status == TL_OK
      && (version->type != TL_PICKLE_INTEGER
          || version->integer != PROTOCOL_VERSION))
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "a version of the legacy format other than %d", PROTOCOL_VERSION);
  if (status == TL_OK)
    status = load_pickle (r, "its sys_info", &sys_info, error);
  return status == TL_OK ? tl_pth_check_sys_info (sys_info, error) : status;
}

static int
compare_keys (const void *a, const void *b)
{
  const Record *x = a, *y = b;
  size_t n = x->key_length < y->key_length ? x->key_length : y->key_length;
  int order = n > 0 ? memcmp (x->key, y->key, n) : 0;

  if (order != 0)
    return order;
  return x->key_length < y->key_length ? -1 : x->key_length > y->key_length;
}

static Record *
find_record (const Reader *r, const char *key, size_t length)
{
  const Record wanted = {.key = key, .key_length = length};

  return bsearch (&wanted, r->records, r->n_records, sizeof wanted,
      compare_keys);
}

static TlStatus
load_keys (Reader *r, const TlPickleValue **ret, TlError *error)
{
  const TlPickleValue *keys;
  TlStatus status = load_pickle (r, "its list of storages", &keys, error);

  if (status != TL_OK)
    return status;
  if (keys->type != TL_PICKLE_LIST)
    return tl_fail (error, TL_ERROR_FORMAT, "its list of storages is no list");
  if (keys->list.n > MAX_STORAGES)
    return tl_fail (error, TL_ERROR_LIMIT, "%s storages are more than %u",
        tl_show_number (keys->list.n).text, MAX_STORAGES);
  r->records = calloc (keys->list.n + 1, sizeof *r->records);
  if (!r->records)
    return tl_fail (error, TL_ERROR_MEMORY, "out of memory");
  for (uint32_t i = 0; i < keys->list.n; i++) {
    const TlPickleValue *key = keys->list.items[i];

    if (key->type != TL_PICKLE_STRING)
      return tl_fail (error, TL_ERROR_FORMAT, "a storage's key is no text");
    r->records[i].key = key->string.bytes;
    r->records[i].key_length = key->string.length;
  }
  r->n_records = keys->list.n;
  qsort (r->records, r->n_records, sizeof *r->records, compare_keys);
  for (size_t i = 1; i < r->n_records; i++)
    if (compare_keys (&r->records[i - 1], &r->records[i]) == 0)
      return tl_fail (error, TL_ERROR_FORMAT, "storage %s is listed twice",
          tl_show_text (r->records[i].key, r->records[i].key_length).text);
  *ret = keys;
  return TL_OK;
}

/* The number of elements does not tell how many bytes they are; the type in
 * the object does. Where several name one storage, the first is right. */
static TlStatus
match_storages (Reader *r, TlError *error)
{
  const TlPickleStorage *storage = r->outside.storages;

  for (; storage; storage = storage->next) {
    Record *record = find_record (r, storage->key, storage->key_length);

    if (!record)
      return tl_fail (error, TL_ERROR_FORMAT,
          "the storage %s that the pickle names is not in the file's list",
          tl_show_text (storage->key, storage->key_length).text);
    record->storage = storage;
  }
  return TL_OK;
}

/* The bytes of all storages, each behind its number of elements. */
static TlStatus
sum_storages (const Reader *r, uint64_t *ret, TlError *error)
{
  *ret = 0;
  for (size_t i = 0; i < r->n_records; i++) {
    const Record *record = &r->records[i];
    TlShown key = tl_show_text (record->key, record->key_length);

    if (!record->storage)
      return tl_fail (error, TL_ERROR_FORMAT,
          "the storage %s is of no tensor, so its size is not known", key.text);
    if (__builtin_add_overflow (*ret, 8, ret)
        || __builtin_add_overflow (*ret, tl_pth_storage_size (record->storage),
            ret))
      *ret = UINT64_MAX;
  }
  return TL_OK;
}

static TlStatus
find_data (Reader *r, const TlPickleValue *keys, TlError *error)
{
  uint64_t needed = 0, left = (uint64_t) (r->end - r->p);
  TlStatus status = sum_storages (r, &needed, error);

  if (status != TL_OK)
    return status;
  if (needed > left)
    return tl_fail_at (error, TL_ERROR_FORMAT, r->end - r->start,
        "truncated: the file ends %s early; its storages begin at byte %s and "
        "need %s",
        tl_show_bytes (needed - left).text,
        tl_show_number ((uint64_t) (r->p - r->start)).text,
        tl_show_bytes (needed).text);
  for (uint32_t i = 0; i < keys->list.n; i++) {
    const TlPickleValue *key = keys->list.items[i];
    Record *record = find_record (r, key->string.bytes, key->string.length);
    uint64_t n = tl_get_u64 (r->p);

    if (n != (uint64_t) record->storage->n_root)
      return tl_fail_at (error, TL_ERROR_FORMAT, r->p - r->start,
          "at byte %s the storage %s is said to have %s elements, but the "
          "pickle says %s",
          tl_show_number ((uint64_t) (r->p - r->start)).text,
          tl_show_text (record->key, record->key_length).text,
          tl_show_number (n).text,
          tl_show_number ((uint64_t) record->storage->n_root).text);
    record->data = r->p + 8;
    r->p = record->data + tl_pth_storage_size (record->storage);
  }
  return TL_OK;
}

/* Only now, as a move overwrites the number of elements. */
static void
align_data (Reader *r)
{
  for (size_t i = 0; i < r->n_records; i++)
    r->records[i].data = tl_pth_align (r->records[i].data,
        (size_t) tl_pth_storage_size (r->records[i].storage));
}

static TlStatus
locate_storage (void *user, const TlPickleStorage *storage, const uint8_t **ret,
    TlError *error)
{
  const Reader *r = user;
  const Record *record = find_record (r, storage->key, storage->key_length);
  uint64_t size = tl_pth_storage_size (record->storage);

  if (tl_pth_storage_size (storage) > size)
    return tl_pth_fail_storage (storage, size, error);
  *ret = record->data;
  return TL_OK;
}

static TlStatus
read_file (Reader *r, TlTensorSet *set, TlError *error)
{
  const TlPickleValue *object = NULL, *keys = NULL;
  TlStatus status = load_head (r, error);

  if (status == TL_OK)
    status = load_pickle (r, "its object", &object, error);
  if (status == TL_OK)
    status = load_keys (r, &keys, error);
  if (status == TL_OK)
    status = match_storages (r, error);
  if (status == TL_OK)
    status = find_data (r, keys, error);
  if (status != TL_OK)
    return status;
  align_data (r);
  return tl_pth_read_object (object, (size_t) (r->end - r->start),
      locate_storage, r, set, error);
}

TlStatus
tl_pth_read_legacy (void *bytes, size_t size, TlTensorSet *set, TlError *error)
{
  Reader r = {.start = bytes,
      .p = bytes,
      .end = (uint8_t *) bytes + size,
      .values = TL_ARENA_INIT (TL_PTH_MAX_VALUES)};
  TlStatus status = read_file (&r, set, error);

  free (r.records);
  tl_arena_clear (&r.values);
  return status;
}
