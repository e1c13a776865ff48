/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlbytes.h"
#include "tlfail.h"
#include "tlpickle.h"
#include "tlpth.h"
#include "tlpthobject.h"
#include "tlzip.h"

#include <stdio.h>
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

TlStatus
tl_pth_read_zip (void *bytes, size_t size, TlTensorSet *set, TlError *error)
{
  Reader r = {.pickle = NULL};
  TlArena values = TL_ARENA_INIT (TL_PTH_MAX_VALUES);
  const TlPickleValue *root = NULL;
  TlStatus status = tl_zip_read (bytes, size, &r.zip, error);

  if (status != TL_OK)
    return status;
  status = find_pickle (&r, error);
  if (status == TL_OK)
    status = check_byte_order (&r, error);
  if (status == TL_OK)
    status = tl_pickle_load (r.pickle->data, r.pickle->size, NULL, &values,
        &root, NULL, error);
  if (status == TL_OK)
    status = tl_pth_read_object (root, size, locate_storage, &r, set, error);
  tl_arena_clear (&values);
  tl_zip_clear (&r.zip);
  return status;
}
