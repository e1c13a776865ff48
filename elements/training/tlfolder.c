/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlfolder.h"

#include <tlfail.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

struct TlFolder
{
  gchar *location;
  gint fd; /* its lock is the folder's */
  struct stat st;
  gint lock_error;
};

static TlStatus
fail (const gchar *location, const gchar *what, TlError *error)
{
  return tl_fail (error, TL_ERROR_WRITE,
      "The run folder %.600s %s: %s. Choose another location.", location, what,
      g_strerror (errno));
}

/* ---- creating ---- */

/* A new folder's name must reach the disk too. One that may not be read cannot
 * be synced, nor can those of some file systems: that is no failure. */
static gint
sync_parent (const gchar *parent)
{
  gint fd = open (parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gint result = 0, number = 0;

  if (fd < 0)
    return 0;
  if (fsync (fd) < 0 && (errno == EIO || errno == ENOSPC || errno == EDQUOT)) {
    result = -1;
    number = errno;
  }
  close (fd);
  errno = number;
  return result;
}

static gint
create (const gchar *path)
{
  g_autofree gchar *parent = g_path_get_dirname (path);

  if (mkdir (path, 0777) == 0)
    return sync_parent (parent);
  if (errno == EEXIST)
    return 0;
  if (errno != ENOENT || strcmp (parent, path) == 0 || create (parent) < 0)
    return -1;
  if (mkdir (path, 0777) == 0)
    return sync_parent (parent);
  return errno == EEXIST ? 0 : -1;
}

/* ---- locking ---- */

/* Who holds the lock, as the kernel lists it; 0 if that cannot be found out:
 * no /proc, or a process of another container. */
static gulong
find_holder (const struct stat *st)
{
  FILE *locks = fopen ("/proc/locks", "re");
  gchar line[256];
  gulong found = 0;

  while (locks && found == 0 && fgets (line, sizeof line, locks)) {
    guint major_, minor_;
    gulong pid, inode;

    if (sscanf (line, "%*u: FLOCK %*s %*s %lu %x:%x:%lu", &pid, &major_,
            &minor_, &inode)
            == 4
        && inode == st->st_ino && makedev (major_, minor_) == st->st_dev)
      found = pid;
  }
  if (locks)
    fclose (locks);
  return found;
}

static TlStatus
fail_locked (const TlFolder *self, TlError *error)
{
  gulong pid = find_holder (&self->st);
  g_autofree gchar *who = NULL;

  if (pid == (gulong) getpid ())
    who = g_strdup ("another checkpointsink of this process");
  else if (pid != 0)
    who = g_strdup_printf ("the process %lu", pid);
  else
    who = g_strdup ("another process");
  return tl_fail (error, TL_ERROR_WRITE,
      "The run folder %.600s is in use by %s; two runs would overwrite each "
      "other's files. Choose another location, or wait until that run has "
      "ended.",
      self->location, who);
}

static TlStatus
lock (TlFolder *self, TlError *error)
{
  while (flock (self->fd, LOCK_EX | LOCK_NB) < 0) {
    if (errno == EINTR)
      continue;
    if (errno == EWOULDBLOCK)
      return fail_locked (self, error);
    self->lock_error = errno;
    break;
  }
  return TL_OK;
}

/* ---- all of it ---- */

TlStatus
tl_folder_claim (const gchar *location, TlFolder **ret, TlError *error)
{
  g_autoptr (TlFolder) self = g_new0 (TlFolder, 1);
  TlStatus status;

  self->fd = -1;
  self->location = g_strdup (location);
  if (create (location) < 0)
    return fail (location, "cannot be created", error);
  self->fd = open (location, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (self->fd < 0 || fstat (self->fd, &self->st) < 0)
    return fail (location, "cannot be opened", error);
  if (access (location, W_OK | X_OK) < 0)
    return fail (location, "cannot be written to", error);
  status = lock (self, error);
  if (status == TL_OK)
    *ret = g_steal_pointer (&self);
  return status;
}

void
tl_folder_release (TlFolder *self)
{
  if (!self)
    return;
  if (self->fd >= 0)
    close (self->fd);
  g_free (self->location);
  g_free (self);
}

gint
tl_folder_get_lock_error (const TlFolder *self)
{
  return self->lock_error;
}

/* The folder that was claimed is held open, so that its inode is not given to
 * another one. */
TlStatus
tl_folder_check (const TlFolder *self, TlError *error)
{
  struct stat now;

  if (stat (self->location, &now) < 0)
    return tl_fail (error, TL_ERROR_WRITE,
        "The run folder %.600s is gone: %s. It was removed, renamed or "
        "unmounted while the run wrote to it; put it back, and resume from "
        "its last.safetensors.",
        self->location, g_strerror (errno));
  if (now.st_ino == self->st.st_ino && now.st_dev == self->st.st_dev)
    return TL_OK;
  return tl_fail (error, TL_ERROR_WRITE,
      "The run folder %.600s is another one now: it was replaced or unmounted "
      "while the run wrote to it. Put it back, and resume from its "
      "last.safetensors.",
      self->location);
}

gboolean
tl_folder_is_at (const TlFolder *self, const gchar *location)
{
  return strcmp (self->location, location) == 0
      && tl_folder_check (self, NULL) == TL_OK;
}
