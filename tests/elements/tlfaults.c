/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlfaults.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const gchar *const names[] = {"write", "fsync", "rename", "unlink",
    "mkdir", "flock"};

static GMutex lock; /* all below */

static struct
{
  FaultCall call;
  gchar *folder; /* NULL: no fault */
  gchar *name;
  gint number;
  guint n_left;
} fault;

static gchar *recorded; /* the folder; NULL: nothing is noted */
static GString *record;

/* "last.safetensors.tmp" for "/tmp/x/last.safetensors.tmp-12-0", "." for the
 * folder itself; NULL for what is not in it. */
static gchar *
name_in (const gchar *folder, const gchar *path)
{
  gsize n = folder ? strlen (folder) : 0;
  gchar *name, *tail;

  if (!folder || strncmp (path, folder, n) != 0
      || (path[n] != '/' && path[n] != '\0'))
    return NULL;
  name = g_strdup (path[n] ? path + n + 1 : ".");
  if ((tail = strstr (name, ".tmp-")))
    tail[4] = '\0';
  return name;
}

static gboolean
is_named (const gchar *name)
{
  gsize n = strlen (fault.name);

  return name && strncmp (name, fault.name, n) == 0
      && (name[n] == '\0' || strcmp (name + n, ".tmp") == 0);
}

/* 0, an errno or FAULT_SHORT. Successful writes are noted once each file. */
static gint
meet (FaultCall call, const gchar *path)
{
  g_autofree gchar *armed = NULL, *noted = NULL;
  gint number = 0;

  g_mutex_lock (&lock);
  armed = name_in (fault.folder, path);
  noted = name_in (recorded, path);
  if (armed && fault.call == call && fault.n_left > 0 && is_named (armed)) {
    fault.n_left--;
    number = fault.number;
  }
  if (noted && call != FAULT_FLOCK) {
    g_autofree gchar *line = g_strdup_printf ("%s %s\n", names[call], noted);

    if (!g_str_has_suffix (record->str, line))
      g_string_append (record, line);
  }
  g_mutex_unlock (&lock);
  return number;
}

static gint
meet_fd (FaultCall call, gint fd)
{
  gchar link[64], path[4096];
  gssize n;
  gint old = errno;

  /* Nobody waits for a fault or a record: no cost for all other writes. */
  if (!fault.folder && !recorded)
    return 0;
  g_snprintf (link, sizeof link, "/proc/self/fd/%d", fd);
  n = readlink (link, path, sizeof path - 1);
  errno = old;
  if (n < 0)
    return 0;
  path[n] = '\0';
  return meet (call, path);
}

static gpointer
find_next (const gchar *name)
{
  gpointer function = dlsym (RTLD_NEXT, name);

  g_assert (function);
  return function;
}

/* Shared libraries shall meet these too. */
#pragma GCC visibility push(default)

ssize_t
write (int fd, const void *bytes, size_t n)
{
  ssize_t (*next) (int, const void *, size_t) = find_next ("write");
  gint number = meet_fd (FAULT_WRITE, fd);

  if (number > 0) {
    errno = number;
    return -1;
  }
  return next (fd, bytes, number == FAULT_SHORT && n > 1 ? 1 : n);
}

int
fsync (int fd)
{
  int (*next) (int) = find_next ("fsync");

  errno = meet_fd (FAULT_FSYNC, fd);
  return errno ? -1 : next (fd);
}

int
flock (int fd, int operation)
{
  int (*next) (int, int) = find_next ("flock");

  errno = meet_fd (FAULT_FLOCK, fd);
  return errno ? -1 : next (fd, operation);
}

int
rename (const char *from, const char *to)
{
  int (*next) (const char *, const char *) = find_next ("rename");

  errno = meet (FAULT_RENAME, to);
  return errno ? -1 : next (from, to);
}

int
unlink (const char *path)
{
  int (*next) (const char *) = find_next ("unlink");

  errno = meet (FAULT_UNLINK, path);
  return errno ? -1 : next (path);
}

int
mkdir (const char *path, mode_t mode)
{
  int (*next) (const char *, mode_t) = find_next ("mkdir");

  errno = meet (FAULT_MKDIR, path);
  return errno ? -1 : next (path, mode);
}

#pragma GCC visibility pop

void
faults_arm (FaultCall call, const gchar *folder, const gchar *name, gint number,
    guint n)
{
  faults_disarm ();
  g_mutex_lock (&lock);
  fault.call = call;
  fault.name = g_strdup (name);
  fault.number = number;
  fault.n_left = n;
  fault.folder = g_strdup (folder);
  g_mutex_unlock (&lock);
}

void
faults_disarm (void)
{
  g_mutex_lock (&lock);
  g_clear_pointer (&fault.folder, g_free);
  g_clear_pointer (&fault.name, g_free);
  g_mutex_unlock (&lock);
}

void
faults_record (const gchar *folder)
{
  g_mutex_lock (&lock);
  record = g_string_new (NULL);
  recorded = g_strdup (folder);
  g_mutex_unlock (&lock);
}

void
faults_note (const gchar *what, const gchar *path)
{
  g_autofree gchar *name = NULL;

  g_mutex_lock (&lock);
  name = name_in (recorded, path);
  if (name)
    g_string_append_printf (record, "%s %s\n", what, name);
  g_mutex_unlock (&lock);
}

gchar *
faults_take_record (void)
{
  gchar *text;

  g_mutex_lock (&lock);
  g_clear_pointer (&recorded, g_free);
  text = g_string_free (g_steal_pointer (&record), FALSE);
  g_mutex_unlock (&lock);
  return text;
}
