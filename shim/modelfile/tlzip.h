/* SPDX-License-Identifier: BSD-3-Clause */

/* The directory of a zip archive in memory, as torch.save writes it: records
 * are stored, not compressed, so they are read where they lie. CRCs are not
 * compared: PyTorch can be told to write files without them. */

#ifndef TL_ZIP_H
#define TL_ZIP_H

#include "tlstatus.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_ZIP_MAX_RECORDS 100000u

typedef struct
{
  const char *name; /* in the archive: not NUL-terminated */
  size_t name_length;
  const uint8_t *data;
  size_t size;
  int is_compressed; /* then @data is of no use here */
} TlZipRecord;

/* Records are sorted by name (bytes, then length). */
typedef struct
{
  TlZipRecord *records;
  size_t n_records;
} TlZip;

/* Reads the directory (zip64 too). An encrypted record is
 * TL_ERROR_UNSUPPORTED; records that lie outside the file, overlap or share a
 * name are TL_ERROR_FORMAT. @bytes is borrowed until tl_zip_clear(). */
TlStatus tl_zip_read (const void *bytes, size_t size, TlZip *ret,
    TlError *error);

/* NULL if there is none. */
const TlZipRecord *tl_zip_find (const TlZip *zip, const char *name,
    size_t length);

void tl_zip_clear (TlZip *zip);

#ifdef __cplusplus
}
#endif

#endif
