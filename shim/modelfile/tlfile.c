/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlfile.h"
#include "tlbytes.h"
#include "tlfail.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_TRIES 100

/* strerror_r of GNU gives a text in every case. */
static TlStatus
fail_errno (TlError *error, TlStatus status, const char *path, const char *what)
{
  char buffer[128];
  int number = errno;

  tl_fail (error, status, "%.600s: %s: %s", path, what,
      strerror_r (number, buffer, sizeof buffer));
  tl_fail_detail (error, "errno %d", number);
  return status;
}

static TlStatus
check_stat (const char *path, const struct stat *st, TlError *error)
{
  const char *defect = NULL;

  if (S_ISDIR (st->st_mode))
    defect = "is a folder, a model file is expected";
  else if (!S_ISREG (st->st_mode))
    defect = "is not a regular file";
  else if (st->st_size == 0)
    defect = "the file is empty";
  if (defect)
    return tl_fail (error, TL_ERROR_READ, "%.600s: %s", path, defect);
  if ((uint64_t) st->st_size > TL_FILE_MAX_SIZE)
    return tl_fail (error, TL_ERROR_LIMIT,
        "%.600s: %s bytes are more than the %s a model file may have", path,
        tl_show_number ((uint64_t) st->st_size).text,
        tl_show_number (TL_FILE_MAX_SIZE).text);
  return TL_OK;
}

TlStatus
tl_file_open (const char *path, TlFile *ret, TlError *error)
{
  /* O_NONBLOCK: opening a pipe must not wait for its writer. */
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat st;
  TlStatus status;

  if (fd < 0)
    return fail_errno (error,
        errno == ENOENT || errno == ENOTDIR ? TL_ERROR_NOT_FOUND
                                            : TL_ERROR_READ,
        path, "cannot be opened");
  if (fstat (fd, &st) < 0)
    status = fail_errno (error, TL_ERROR_READ, path, "cannot be examined");
  else
    status = check_stat (path, &st, error);
  if (status != TL_OK) {
    close (fd);
    return status;
  }
  ret->fd = fd;
  ret->size = (size_t) st.st_size;
  return TL_OK;
}

void
tl_file_close (TlFile *file)
{
  close (file->fd);
  file->fd = -1;
}

TlStatus
tl_file_read (const TlFile *file, uint64_t offset, void *bytes, size_t n,
    TlError *error)
{
  uint8_t *p = bytes;

  while (n > 0) {
    ssize_t got = pread (file->fd, p, n, (off_t) offset);
    char buffer[128];

    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return tl_fail (error, TL_ERROR_READ, "reading failed at byte %s: %s",
          tl_show_number (offset).text,
          strerror_r (errno, buffer, sizeof buffer));
    if (got == 0)
      return tl_fail (error, TL_ERROR_READ,
          "the file became shorter while it was read, now %s",
          tl_show_bytes (offset).text);
    p += got;
    offset += (uint64_t) got;
    n -= (size_t) got;
  }
  return TL_OK;
}

/* Creates a file of a new name beside @path. */
static int
create_beside (const char *path, char *temporary, size_t size)
{
  for (int i = 0; i < MAX_TRIES; i++) {
    int n =
        snprintf (temporary, size, "%s.tmp-%ld-%d", path, (long) getpid (), i);
    int fd;

    if (n < 0 || (size_t) n >= size) {
      errno = ENAMETOOLONG;
      return -1;
    }
    fd = open (temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0 || (errno != EEXIST && errno != EINTR))
      return fd;
  }
  return -1;
}

static int
write_all (int fd, const TlChunk *chunk)
{
  const uint8_t *p = chunk->bytes;
  size_t n = chunk->size;

  while (n > 0) {
    ssize_t written = write (fd, p, n);

    if (written < 0 && errno == EINTR)
      continue;
    if (written == 0)
      errno = EIO;
    if (written <= 0)
      return -1;
    p += written;
    n -= (size_t) written;
  }
  return 0;
}

/* Some network file systems let signals interrupt it. */
static int
sync_fd (int fd)
{
  int result;

  do
    result = fsync (fd);
  while (result < 0 && errno == EINTR);
  return result;
}

/* The rename itself must reach the disk. Not every file system can sync a
 * folder; on one that cannot (EINVAL) the rename is as safe as it gets. */
static int
sync_folder_of (const char *path)
{
  const char *slash = strrchr (path, '/');
  char folder[PATH_MAX];
  int fd, result, number;

  if (!slash)
    strcpy (folder, ".");
  else if (slash - path >= PATH_MAX - 1)
    return -1;
  else
    snprintf (folder, sizeof folder, "%.*s", (int) (slash - path) + 1, path);
  fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return -1;
  result = sync_fd (fd);
  if (result < 0 && errno == EINVAL)
    result = 0;
  number = errno;
  close (fd);
  errno = number;
  return result;
}

/* Closes @fd. Gives NULL, or what failed, with errno set. */
static const char *
fill_and_close (int fd, const TlChunk *chunks, size_t n_chunks)
{
  const char *failed = NULL;
  int number = 0;

  for (size_t i = 0; !failed && i < n_chunks; i++)
    if (write_all (fd, &chunks[i]) < 0)
      failed = "cannot be written";
  if (!failed && sync_fd (fd) < 0)
    failed = "cannot be brought to the disk";
  if (failed)
    number = errno;
  /* Interrupted, it is closed all the same. */
  if (close (fd) < 0 && errno != EINTR && !failed) {
    failed = "cannot be closed";
    number = errno;
  }
  errno = number;
  return failed;
}

static TlStatus
fail_replace (const char *path, const char *failed, const TlChunk *chunks,
    size_t n_chunks, TlError *error)
{
  uint64_t needed = 0;
  char buffer[128];
  int number = errno;

  for (size_t i = 0; i < n_chunks; i++)
    needed += chunks[i].size;
  tl_fail (error, TL_ERROR_WRITE,
      "%.600s: %s: %s; its %s bytes are not written, and the file there before, "
      "if any, is untouched",
      path, failed, strerror_r (number, buffer, sizeof buffer),
      tl_show_number (needed).text);
  tl_fail_detail (error, "errno %d", number);
  return TL_ERROR_WRITE;
}

/* A rename puts the file in the place of whatever has the name: as root also of
 * /dev/null. /dev/stdout is a link to what may be a file. */
static TlStatus
check_target (const char *path, TlError *error)
{
  static const char descriptor[] = "/proc/self/fd/";
  char link[sizeof descriptor] = "";
  struct stat st;
  ssize_t n = readlink (path, link, sizeof descriptor - 1);

  if ((n < 0 || strcmp (link, descriptor) != 0)
      && (stat (path, &st) < 0 || S_ISREG (st.st_mode)))
    return TL_OK;
  return tl_fail (error, TL_ERROR_WRITE,
      "%.600s: is not a regular file, and is not replaced by one: give another "
      "name",
      path);
}

TlStatus
tl_file_replace (const char *path, const TlChunk *chunks, size_t n_chunks,
    TlError *error)
{
  char temporary[PATH_MAX];
  const char *failed;
  TlStatus status = check_target (path, error);
  int fd;

  if (status != TL_OK)
    return status;
  fd = create_beside (path, temporary, sizeof temporary);
  if (fd < 0)
    return fail_replace (path, "cannot be created", chunks, n_chunks, error);
  failed = fill_and_close (fd, chunks, n_chunks);
  if (!failed && rename (temporary, path) < 0)
    failed = "cannot be renamed to its name";
  if (failed) {
    status = fail_replace (path, failed, chunks, n_chunks, error);
    unlink (temporary);
    return status;
  }
  if (sync_folder_of (path) < 0)
    return fail_errno (error, TL_ERROR_WRITE, path,
        "it is written, but its folder cannot be brought to the disk, so that "
        "a power cut may bring back the file there before");
  return TL_OK;
}
