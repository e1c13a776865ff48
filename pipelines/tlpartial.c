/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlpartial.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include <tlfail.h>

#define BLOCK_SIZE (256 * 1024)

static TlStatus
fail_errno (const gchar *path, const gchar *what, TlError *error)
{
  return tl_fail (error, TL_ERROR_WRITE, "%.600s %s: %s", path, what,
      g_strerror (errno));
}

/* ---- Opening ---- */

/* Whether the lock that was got is on the file that now has the name: its owner
 * before may have finished or removed it. */
static gboolean
is_still_there (const TlPartial *self)
{
  struct stat own, named;

  return fstat (self->fd, &own) == 0 && stat (self->part, &named) == 0
      && own.st_dev == named.st_dev && own.st_ino == named.st_ino;
}

/* A pipe would be waited for. */
static TlStatus
check_kind (const TlPartial *self, TlError *error)
{
  struct stat st;

  if (fstat (self->fd, &st) < 0)
    return fail_errno (self->part, "cannot be examined", error);
  if (!S_ISREG (st.st_mode))
    return tl_fail (error, TL_ERROR_WRITE,
        "%.600s is not a regular file: take it away", self->part);
  return TL_OK;
}

static TlStatus
open_and_lock (TlPartial *self, gboolean *is_busy, TlError *error)
{
  do {
    if (self->fd >= 0)
      close (self->fd);
    self->fd =
        open (self->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
    if (self->fd < 0)
      return fail_errno (self->part, "cannot be opened for writing", error);
    if (flock (self->fd, LOCK_EX | LOCK_NB) < 0) {
      *is_busy = errno == EWOULDBLOCK;
      return fail_errno (self->part, "cannot be locked", error);
    }
  } while (!is_still_there (self));
  return TL_OK;
}

/* The bytes of earlier attempts count for the digest. */
static TlStatus
read_on (TlPartial *self, TlError *error)
{
  g_autofree guint8 *block = g_malloc (BLOCK_SIZE);
  ssize_t n;

  tl_sha256_init (&self->sha);
  while ((n = read (self->fd, block, BLOCK_SIZE)) != 0) {
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return fail_errno (self->part, "cannot be read", error);
    tl_sha256_update (&self->sha, block, (gsize) n);
    self->size += (guint64) n;
  }
  return TL_OK;
}

TlStatus
tl_partial_open (TlPartial *self, const gchar *path, gboolean *is_busy,
    TlError *error)
{
  g_autofree gchar *folder = g_path_get_dirname (path);
  TlStatus status;

  *is_busy = FALSE;
  *self = (TlPartial){.fd = -1};
  if (g_mkdir_with_parents (folder, 0755) < 0)
    return fail_errno (folder, "cannot be made", error);
  self->path = g_strdup (path);
  self->part = g_strconcat (path, ".part", NULL);
  status = open_and_lock (self, is_busy, error);
  if (status == TL_OK)
    status = check_kind (self, error);
  if (status == TL_OK)
    status = read_on (self, error);
  if (status != TL_OK)
    tl_partial_close (self, FALSE);
  return status;
}

/* ---- Writing ---- */

TlStatus
tl_partial_append (TlPartial *self, const void *bytes, gsize n, TlError *error)
{
  const guint8 *rest = bytes;

  while (n > 0) {
    ssize_t written = write (self->fd, rest, n);

    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return fail_errno (self->part, "cannot be written", error);
    tl_sha256_update (&self->sha, rest, (gsize) written);
    self->size += (guint64) written;
    rest += written;
    n -= (gsize) written;
  }
  return TL_OK;
}

TlStatus
tl_partial_restart (TlPartial *self, TlError *error)
{
  if (ftruncate (self->fd, 0) < 0 || lseek (self->fd, 0, SEEK_SET) < 0)
    return fail_errno (self->part, "cannot be emptied", error);
  self->size = 0;
  tl_sha256_init (&self->sha);
  return TL_OK;
}

void
tl_partial_get_sha256 (const TlPartial *self, gchar hex[TL_SHA256_HEX_SIZE])
{
  TlSha256 sha = self->sha;

  tl_sha256_final_hex (&sha, hex);
}

/* ---- The end ---- */

/* The rename must reach the disk too; not every file system can sync a folder
 * (EINVAL). */
static gboolean
sync_folder (const gchar *path)
{
  g_autofree gchar *folder = g_path_get_dirname (path);
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean good = fd >= 0 && (fsync (fd) == 0 || errno == EINVAL);

  if (fd >= 0)
    close (fd);
  return good;
}

TlStatus
tl_partial_finish (TlPartial *self, TlError *error)
{
  TlStatus status = TL_OK;

  if (fsync (self->fd) < 0)
    status = fail_errno (self->part, "cannot be brought to the disk", error);
  else if (g_rename (self->part, self->path) < 0)
    status = fail_errno (self->path, "cannot be given its name", error);
  else if (!sync_folder (self->path))
    status = fail_errno (self->path,
        "is whole, but its folder cannot be brought to the disk", error);
  tl_partial_close (self, FALSE);
  return status;
}

void
tl_partial_close (TlPartial *self, gboolean drop)
{
  /* While the lock is held: whoever waits for it looks at the name then. A
   * file that was renamed is no longer under that name. */
  if (self->fd >= 0 && (drop || self->size == 0) && is_still_there (self))
    g_unlink (self->part);
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
  g_clear_pointer (&self->path, g_free);
  g_clear_pointer (&self->part, g_free);
}
