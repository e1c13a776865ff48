/* SPDX-License-Identifier: BSD-3-Clause */

/* A log file that ends with a whole line whatever happens: written at offsets of
 * its own, and cut back where a write ends early. Also a pipe or a device, which
 * takes what it gets. Used from one thread at a time. */

#ifndef TL_RESULT_FILE_H
#define TL_RESULT_FILE_H

#include <sys/types.h>

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  int fd; /* -1: closed */
  gboolean is_regular;
  guint64 size; /* of what is whole; regular files */
  dev_t device;
  ino_t inode;
} TlResultFile;

#define TL_RESULT_FILE_INIT                                                    \
  {                                                                            \
    .fd = -1                                                                   \
  }

/* Opens or makes the file and locks it against a second writer; cut to nothing
 * with @truncate. 0 or an errno; EWOULDBLOCK: another one writes it. */
int tl_result_file_open (TlResultFile *self, const gchar *path,
    gboolean truncate);

/* Whether it begins with @text; so does an empty file, and a pipe. */
gboolean tl_result_file_begins_with (const TlResultFile *self,
    const gchar *text);

/* Cuts what is behind the last @ending: a line that a crash left unfinished. What
 * has no @ending in its last 64 KiB stays as it is. 0 or an errno. */
int tl_result_file_cut_unfinished (TlResultFile *self, const gchar *ending);

void tl_result_file_close (TlResultFile *self);

/* Whether @path is still this file, and not one that was moved away or removed. */
gboolean tl_result_file_is_at (const TlResultFile *self, const gchar *path);

/* Appends @text whole or, with an errno, not at all. A pipe that is full is
 * waited for until *@is_stopped. */
int tl_result_file_append (TlResultFile *self, const gchar *text, gsize length,
    gint *is_stopped);

/* Overwrites @length bytes at @offset. */
int tl_result_file_amend (TlResultFile *self, guint64 offset, const gchar *text,
    gsize length);

/* Onto the disk. */
int tl_result_file_sync (TlResultFile *self);

G_END_DECLS

#endif
