/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlresultfile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAIL 65536
#define POLL_MS 100

/* ---- Opening ---- */

static int
prepare (TlResultFile *self, gboolean truncate)
{
  struct stat about;

  if (fstat (self->fd, &about) != 0)
    return errno;
  self->is_regular = S_ISREG (about.st_mode);
  self->device = about.st_dev;
  self->inode = about.st_ino;
  self->size = 0;
  if (!self->is_regular)
    return 0;
  if (flock (self->fd, LOCK_EX | LOCK_NB) != 0)
    return errno;
  if (truncate)
    return ftruncate (self->fd, 0) == 0 ? 0 : errno;
  self->size = (guint64) about.st_size;
  return 0;
}

int
tl_result_file_open (TlResultFile *self, const gchar *path, gboolean truncate)
{
  struct stat about;
  gboolean is_pipe = stat (path, &about) == 0 && !S_ISREG (about.st_mode);
  int result;

  /* Without a reader a pipe would keep the thread in open(). */
  self->fd = open (path,
      O_CLOEXEC | O_NONBLOCK | (is_pipe ? O_WRONLY : O_RDWR | O_CREAT), 0666);
  if (self->fd < 0)
    return errno;
  result = prepare (self, truncate);
  if (result != 0)
    tl_result_file_close (self);
  return result;
}

gboolean
tl_result_file_begins_with (const TlResultFile *self, const gchar *text)
{
  gsize n = strlen (text);
  g_autofree gchar *found = g_malloc (n + 1);

  return self->size == 0
      || (pread (self->fd, found, n, 0) == (ssize_t) n
          && memcmp (found, text, n) == 0);
}

int
tl_result_file_cut_unfinished (TlResultFile *self, const gchar *ending)
{
  gsize n = MIN (self->size, TAIL), length = strlen (ending);
  g_autofree gchar *tail = g_malloc (n + 1);
  guint64 start = self->size - n;

  if (n == 0)
    return 0;
  if (pread (self->fd, tail, n, (off_t) start) != (ssize_t) n)
    return EIO;
  for (gsize at = n; at >= length; at--)
    if (memcmp (tail + at - length, ending, length) == 0) {
      self->size = start + at;
      return ftruncate (self->fd, (off_t) self->size) == 0 ? 0 : errno;
    }
  return 0;
}

void
tl_result_file_close (TlResultFile *self)
{
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
}

gboolean
tl_result_file_is_at (const TlResultFile *self, const gchar *path)
{
  struct stat about;

  if (!self->is_regular)
    return TRUE;
  /* Smaller: emptied by somebody else, who then sees the next header. */
  return stat (path, &about) == 0 && about.st_dev == self->device
      && about.st_ino == self->inode && (guint64) about.st_size >= self->size;
}

/* ---- Writing ---- */

static int
write_pipe (TlResultFile *self, const gchar *text, gsize length,
    gint *is_stopped)
{
  while (length > 0) {
    ssize_t n = write (self->fd, text, length);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 && errno != EAGAIN)
      return errno;
    if (n < 0) {
      struct pollfd wait = {self->fd, POLLOUT, 0};

      if (g_atomic_int_get (is_stopped))
        return ECANCELED;
      poll (&wait, 1, POLL_MS);
      continue;
    }
    text += n;
    length -= (gsize) n;
  }
  return 0;
}

int
tl_result_file_amend (TlResultFile *self, guint64 offset, const gchar *text,
    gsize length)
{
  while (length > 0) {
    ssize_t n = pwrite (self->fd, text, length, (off_t) offset);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return n < 0 ? errno : ENOSPC;
    text += n;
    offset += (guint64) n;
    length -= (gsize) n;
  }
  return 0;
}

int
tl_result_file_append (TlResultFile *self, const gchar *text, gsize length,
    gint *is_stopped)
{
  int result;

  if (!self->is_regular)
    return write_pipe (self, text, length, is_stopped);
  result = tl_result_file_amend (self, self->size, text, length);
  if (result == 0)
    self->size += length;
  else if (ftruncate (self->fd, (off_t) self->size) != 0)
    /* The disk is gone; opening the file again cuts it. */
    tl_result_file_close (self);
  return result;
}

int
tl_result_file_sync (TlResultFile *self)
{
  if (fdatasync (self->fd) == 0 || errno == EINVAL || errno == EROFS)
    return 0;
  return errno;
}
