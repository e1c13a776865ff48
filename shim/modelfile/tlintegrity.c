/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlintegrity.h"
#include "tlbytes.h"
#include "tlfail.h"
#include "tlfile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_DIGITS (sizeof TL_CHECKSUM_BLANK - 1)
#define PIECE ((size_t) 1 << 20)

static const char *
lookup (const TlTensorSet *set, const char *key)
{
  for (size_t i = 0; i < set->n_metadata; i++)
    if (strcmp (set->metadata[i].key, key) == 0)
      return set->metadata[i].value;
  return NULL;
}

/* The place of the @digits in the header, where they stand in quotes. */
static char *
find_digits (const void *header, size_t size, const char *digits)
{
  char quoted[N_DIGITS + 3];
  char *found;

  snprintf (quoted, sizeof quoted, "\"%s\"", digits);
  found = memmem (header, size, quoted, N_DIGITS + 2);
  return found ? found + 1 : NULL;
}

/* @digits: their place in the header. */
static uint64_t
add_header (TlXxh64 *data, const char *header, size_t size, const char *digits)
{
  size_t before = (size_t) (digits - header);

  tl_xxh64_update (data, header, before);
  tl_xxh64_update (data, TL_CHECKSUM_BLANK, N_DIGITS);
  tl_xxh64_update (data, digits + N_DIGITS, size - before - N_DIGITS);
  return tl_xxh64_value (data);
}

void
tl_integrity_seal (void *header, size_t header_size, TlXxh64 *data)
{
  char *place = find_digits (header, header_size, TL_CHECKSUM_BLANK);
  char digits[N_DIGITS + 1];

  if (!place)
    return;
  snprintf (digits, sizeof digits, "%016" PRIx64,
      add_header (data, header, header_size, place));
  memcpy (place, digits, N_DIGITS);
}

/* Gives NULL in @ret for a file without a checksum. */
static TlStatus
get_promise (const TlTensorSet *set, const char **ret, TlError *error)
{
  const char *kind = lookup (set, TL_KEY_CHECKSUM_KIND);

  *ret = lookup (set, TL_KEY_CHECKSUM);
  if (!kind && !*ret)
    return TL_OK;
  if (!kind || !*ret)
    return tl_fail (error, TL_ERROR_FORMAT,
        "the file is damaged: it has \"%s\" without \"%s\"; copy it again, or "
        "take another checkpoint",
        kind ? TL_KEY_CHECKSUM_KIND : TL_KEY_CHECKSUM,
        kind ? TL_KEY_CHECKSUM : TL_KEY_CHECKSUM_KIND);
  if (strcmp (kind, TL_CHECKSUM_KIND) == 0)
    return TL_OK;
  return tl_fail (error, TL_ERROR_UNSUPPORTED,
      "its checksum is of the kind \"%s\", this version knows %s: the file is "
      "damaged, or of a newer version",
      tl_show_text (kind, strlen (kind)).text, TL_CHECKSUM_KIND);
}

/* @data has taken what follows the header. */
static TlStatus
compare (TlXxh64 *data, const void *header, size_t header_size,
    const char *promise, TlError *error)
{
  const char *place = strlen (promise) == N_DIGITS
      ? find_digits (header, header_size, promise)
      : NULL;
  char digits[N_DIGITS + 1];

  if (!place)
    return tl_fail (error, TL_ERROR_FORMAT,
        "the file is damaged: its checksum is \"%s\"; copy it again, or take "
        "another checkpoint",
        tl_show_text (promise, strlen (promise)).text);
  snprintf (digits, sizeof digits, "%016" PRIx64,
      add_header (data, header, header_size, place));
  if (strcmp (digits, promise) == 0)
    return TL_OK;
  return tl_fail (error, TL_ERROR_FORMAT,
      "the file is damaged: its bytes have the checksum %s, but it was written "
      "with %s; copy it again, or take another checkpoint (if it was changed "
      "on purpose, save it without the metadata %s and %s)",
      digits, promise, TL_KEY_CHECKSUM, TL_KEY_CHECKSUM_KIND);
}

TlStatus
tl_integrity_check (const void *bytes, size_t size, const TlTensorSet *set,
    TlError *error)
{
  const char *promise;
  TlStatus status = get_promise (set, &promise, error);
  size_t header_size;
  TlXxh64 data;

  if (status != TL_OK || !promise)
    return status;
  header_size = 8 + (size_t) tl_get_u64 (bytes);
  tl_xxh64_init (&data);
  tl_xxh64_update (&data, (const char *) bytes + header_size,
      size - header_size);
  return compare (&data, bytes, header_size, promise, error);
}

static TlStatus
add_file (TlXxh64 *data, const TlFile *file, size_t offset, TlError *error)
{
  void *piece = malloc (PIECE);
  TlStatus status = TL_OK;

  if (!piece)
    return tl_fail (error, TL_ERROR_MEMORY, "out of memory");
  while (status == TL_OK && offset < file->size) {
    size_t n = file->size - offset < PIECE ? file->size - offset : PIECE;

    status = tl_file_read (file, offset, piece, n, error);
    if (status == TL_OK)
      tl_xxh64_update (data, piece, n);
    offset += n;
  }
  free (piece);
  return status;
}

TlStatus
tl_integrity_check_file (const char *path, const void *header,
    size_t header_size, const TlTensorSet *set, TlError *error)
{
  const char *promise;
  TlStatus status = get_promise (set, &promise, error);
  TlXxh64 data;
  TlFile file;

  if (status != TL_OK || !promise)
    return status;
  status = tl_file_open (path, &file, error);
  if (status != TL_OK)
    return status;
  tl_xxh64_init (&data);
  status = add_file (&data, &file, header_size, error);
  tl_file_close (&file);
  return status == TL_OK ? compare (&data, header, header_size, promise, error)
                         : status;
}
