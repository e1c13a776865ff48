/* SPDX-License-Identifier: BSD-3-Clause */

/* Whole files: read into memory, or replaced so that at every moment either
 * the old or the new file is there. */

#ifndef TL_FILE_H
#define TL_FILE_H

#include "tlstatus.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_FILE_MAX_SIZE (UINT64_C (1) << 32) /* 4 GiB */

/* An open regular file whose size was taken when it was opened. */
typedef struct
{
  int fd;
  size_t size; /* >= 1 */
} TlFile;

/* TL_ERROR_NOT_FOUND if there is none; TL_ERROR_READ for a folder, a device, a
 * pipe and an empty or unreadable file; TL_ERROR_LIMIT over TL_FILE_MAX_SIZE.
 * The message begins with the path. Only after TL_OK it must be closed. */
TlStatus tl_file_open (const char *path, TlFile *ret, TlError *error);

void tl_file_close (TlFile *file);

/* Reads @n bytes from @offset. Fewer: TL_ERROR_READ, the file changed. */
TlStatus tl_file_read (const TlFile *file, uint64_t offset, void *bytes,
    size_t n, TlError *error);

typedef struct
{
  const void *bytes;
  size_t size;
} TlChunk;

/* Makes @path hold the chunks, one after the other: writes a file
 * "PATH.tmp-PID-N" beside it, brings it to the disk and renames it. On failure
 * (TL_ERROR_WRITE; the message has the path and the reason) the old file is
 * untouched and the other one gone. A process that is killed may leave it. What
 * is no regular file, a device or a pipe, is not replaced. */
TlStatus tl_file_replace (const char *path, const TlChunk *chunks,
    size_t n_chunks, TlError *error);

#ifdef __cplusplus
}
#endif

#endif
