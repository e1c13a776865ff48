/* SPDX-License-Identifier: BSD-3-Clause */

/* The directory of a zip archive in memory, as torch.save writes it: records
 * are stored, not compressed, so they are read where they lie. */

#ifndef TL_ZIP_H
#define TL_ZIP_H

#include "tlstatus.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_ZIP_MAX_RECORDS 65536u

/* Bytes that a record has at least beside its data and names: its header and
 * its entry in the directory. */
#define TL_ZIP_RECORD_SIZE 76u

typedef struct
{
  const char *name; /* in the archive: not NUL-terminated */
  size_t name_length;
  uint8_t *data;
  size_t size;
  size_t header_size; /* bytes of the local header, which ends at @data */
  uint32_t crc;       /* of the data; 0 also if PyTorch was told to have none */
  uint8_t is_compressed, is_encrypted;
  uint8_t is_checked; /* by tl_zip_check_record() */
} TlZipRecord;

/* Records are sorted by name (bytes, then length). */
typedef struct
{
  TlZipRecord *records;
  size_t n_records;
} TlZip;

/* Reads the directory (zip64 too). What lies outside the file, overlaps, has
 * one name twice, or says one thing in two places differently is
 * TL_ERROR_FORMAT. @bytes is borrowed until tl_zip_clear(). */
TlStatus tl_zip_read (void *bytes, size_t size, TlZip *ret, TlError *error);

/* Whether the directory, which lies at the end, is missing. */
int tl_zip_is_cut (const void *bytes, size_t size);

/* The record at the begin of an archive whose directory is missing, without its
 * checksum; its size is that of all that follows. 0 if there is none. */
int tl_zip_read_first (void *bytes, size_t size, TlZipRecord *ret);

/* NULL if there is none. */
TlZipRecord *tl_zip_find (const TlZip *zip, const char *name, size_t length);

/* Whether the data can be used: TL_ERROR_UNSUPPORTED if they are compressed or
 * encrypted, TL_ERROR_FORMAT if they are not those of the checksum. */
TlStatus tl_zip_check_record (TlZipRecord *record, TlError *error);

void tl_zip_clear (TlZip *zip);

#ifdef __cplusplus
}
#endif

#endif
