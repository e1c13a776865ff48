/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlbytes.h"
#include "tlfail.h"
#include "tlpickle.h"
#include "tlpth.h"
#include "tlpthobject.h"
#include "tlzip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ROOT 512 /* bytes of the folder that torch.save puts all under */
#define MAX_KEY 63   /* bytes of a storage's name */

typedef struct
{
  TlZip zip;
  TlZipRecord *pickle;
  size_t root_length; /* "archive/", with the slash */
} Reader;

/* The record ROOT/@name. */
static TlZipRecord *
find_record (const Reader *r, const char *name, size_t length)
{
  char path[MAX_ROOT + MAX_KEY + 8];

  if (length > sizeof path - r->root_length)
    return NULL;
  memcpy (path, r->pickle->name, r->root_length);
  memcpy (path + r->root_length, name, length);
  return tl_zip_find (&r->zip, path, r->root_length + length);
}

static int
ends_with (const TlZipRecord *record, const char *suffix)
{
  size_t n = strlen (suffix);

  return record->name_length > n
      && memcmp (record->name + record->name_length - n, suffix, n) == 0;
}

/* What an archive is that torch.save did not write. */
static TlStatus
fail_foreign (const TlZip *zip, TlError *error)
{
  for (size_t i = 0; i < zip->n_records; i++)
    if (ends_with (&zip->records[i], ".npy"))
      return tl_fail (error, TL_ERROR_UNSUPPORTED,
          "an archive of NumPy arrays (.npz), not a file of torch.save");
  return tl_fail (error, TL_ERROR_FORMAT,
      "a zip archive without data.pkl: not written by torch.save; if it holds "
      "a model file, unpack it");
}

static TlStatus
find_pickle (Reader *r, TlError *error)
{
  static const char suffix[] = "/data.pkl";

  for (size_t i = 0; i < r->zip.n_records; i++) {
    TlZipRecord *record = &r->zip.records[i];

    if (record->name_length < MAX_ROOT && ends_with (record, suffix)) {
      if (r->pickle)
        return tl_fail (error, TL_ERROR_FORMAT,
            "two records may hold the state dict, %s and %s: not written by "
            "torch.save",
            tl_show_text (r->pickle->name, r->pickle->name_length).text,
            tl_show_text (record->name, record->name_length).text);
      r->pickle = record;
      r->root_length = record->name_length - (sizeof suffix - 2);
    }
  }
  if (!r->pickle)
    return fail_foreign (&r->zip, error);
  if (find_record (r, "constants.pkl", 13))
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "a TorchScript archive (torch.jit.save), which holds a program; save "
        "the weights with torch.save(model.state_dict(), ...)");
  if (r->pickle->size > TL_PICKLE_MAX_SIZE)
    return tl_fail (error, TL_ERROR_LIMIT,
        "data.pkl has %s bytes, more than the %s allowed",
        tl_show_number (r->pickle->size).text,
        tl_show_number (TL_PICKLE_MAX_SIZE).text);
  return tl_zip_check_record (r->pickle, error);
}

/* ---- Files that end early ---- */

static int
compare_storages (const void *a, const void *b)
{
  const TlPickleStorage *x = *(const TlPickleStorage *const *) a;
  const TlPickleStorage *y = *(const TlPickleStorage *const *) b;

  if (x->key_length != y->key_length)
    return x->key_length < y->key_length ? -1 : 1;
  return x->key_length > 0 ? memcmp (x->key, y->key, x->key_length) : 0;
}

/* The bytes of all storages in the list, each key once, a record's two headers
 * with each; 0 if memory is out. */
static uint64_t
sum_storages (const TlPickleStorage *list)
{
  const TlPickleStorage **sorted;
  uint64_t sum = 0;
  size_t n = 0;

  for (const TlPickleStorage *s = list; s; s = s->next)
    n++;
  sorted = calloc (n + 1, sizeof *sorted);
  if (!sorted)
    return 0;
  n = 0;
  for (const TlPickleStorage *s = list; s; s = s->next)
    sorted[n++] = s;
  qsort (sorted, n, sizeof *sorted, compare_storages);
  for (size_t i = 0; i < n; i++) {
    if (i > 0 && compare_storages (&sorted[i - 1], &sorted[i]) == 0)
      continue;
    if (__builtin_add_overflow (sum, TL_ZIP_RECORD_SIZE, &sum)
        || __builtin_add_overflow (sum, tl_pth_storage_size (sorted[i]), &sum))
      sum = UINT64_MAX / 2;
  }
  free (sorted);
  return sum;
}

/* How many bytes the archive has at least: torch.save puts the pickle first,
 * and that names the storages. 0 if it does not tell. */
static uint64_t
measure (void *bytes, size_t size)
{
  TlArena values = TL_ARENA_INIT (TL_PTH_MAX_VALUES);
  TlPickleOutside outside = {.find = NULL};
  const TlPickleValue *root = NULL;
  TlZipRecord first;
  uint64_t least = 0;
  size_t used = 0;

  if (!tl_zip_read_first (bytes, size, &first)
      || !ends_with (&first, "/data.pkl") || first.is_compressed
      || first.is_encrypted)
    return 0;
  if (tl_pickle_load (first.data, first.size, &outside, &values, &root, &used,
          NULL)
      == TL_OK)
    least = first.header_size + used + sum_storages (outside.storages);
  tl_arena_clear (&values);
  return least;
}

static TlStatus
fail_cut (void *bytes, size_t size, TlError *error)
{
  uint64_t least = measure (bytes, size);

  if (least > size)
    return tl_fail_at (error, TL_ERROR_FORMAT, (int64_t) size,
        "truncated: the file ends at least %s early, after %s and before its "
        "zip directory; download or copy it again",
        tl_show_bytes (least - size).text, tl_show_bytes (size).text);
  return tl_fail_at (error, TL_ERROR_FORMAT, (int64_t) size,
      "truncated: the zip directory at the end of the file is missing, the "
      "%s that are there end before it; download or copy it again",
      tl_show_bytes (size).text);
}

/* ---- Whole files ---- */

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

static TlStatus
locate_storage (void *user, const TlPickleStorage *storage, const uint8_t **ret,
    TlError *error)
{
  const Reader *r = user;
  char name[sizeof "data/" + MAX_KEY];
  TlZipRecord *record = NULL;
  TlStatus status = TL_OK;

  if (storage->key_length <= MAX_KEY) {
    int n = snprintf (name, sizeof name, "data/%.*s", (int) storage->key_length,
        storage->key);

    record = find_record (r, name, (size_t) n);
  }
  if (!record)
    return tl_fail (error, TL_ERROR_FORMAT,
        "the record data/%s that the pickle names is missing",
        tl_show_text (storage->key, storage->key_length).text);
  if (!record->is_checked) {
    status = tl_zip_check_record (record, error);
    if (status != TL_OK)
      return status;
    /* Its local header lies before it. */
    record->data = tl_pth_align (record->data, record->size);
  }
  if (tl_pth_storage_size (storage) > record->size)
    return tl_pth_fail_storage (storage, record->size, error);
  *ret = record->data;
  return TL_OK;
}

static TlStatus
load_object (const Reader *r, const uint8_t *bytes, TlArena *values,
    const TlPickleValue **ret, TlError *error)
{
  TlStatus status = tl_pickle_load (r->pickle->data, r->pickle->size, NULL,
      values, ret, NULL, error);

  if (status != TL_OK)
    tl_fail_move (error, r->pickle->data - bytes);
  return status;
}

TlStatus
tl_pth_read_zip (void *bytes, size_t size, TlTensorSet *set, TlError *error)
{
  Reader r = {.pickle = NULL};
  TlArena values = TL_ARENA_INIT (TL_PTH_MAX_VALUES);
  const TlPickleValue *root = NULL;
  TlStatus status;

  if (tl_zip_is_cut (bytes, size))
    return fail_cut (bytes, size, error);
  status = tl_zip_read (bytes, size, &r.zip, error);
  if (status != TL_OK)
    return status;
  status = find_pickle (&r, error);
  if (status == TL_OK)
    status = check_byte_order (&r, error);
  if (status == TL_OK)
    status = load_object (&r, bytes, &values, &root, error);
  if (status == TL_OK)
    status = tl_pth_read_object (root, size, locate_storage, &r, set, error);
  tl_arena_clear (&values);
  tl_zip_clear (&r.zip);
  return status;
}
