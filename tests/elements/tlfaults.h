/* SPDX-License-Identifier: BSD-3-Clause */

/* A disk that fails on demand, and a record of what is asked of it: a program
 * with this has its own write(), fsync(), rename(), unlink(), mkdir() and
 * flock(), in front of the C library's. */

#ifndef TL_FAULTS_H
#define TL_FAULTS_H

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  FAULT_WRITE,
  FAULT_FSYNC,
  FAULT_RENAME,
  FAULT_UNLINK,
  FAULT_MKDIR,
  FAULT_FLOCK,
} FaultCall;

/* In place of an errno: each write() takes one byte. */
#define FAULT_SHORT (-1)

/* The first @n calls with a path below @folder that ends in @name (a temporary
 * file counts as the one that it becomes) fail with @number. */
void faults_arm (FaultCall call, const gchar *folder, const gchar *name,
    gint number, guint n);
void faults_disarm (void);

/* Notes all calls below @folder, one a line: "fsync last.safetensors.tmp". */
void faults_record (const gchar *folder);

/* A line of the test's own. */
void faults_note (const gchar *what, const gchar *path);

/* The record, *transferred*; nothing more is noted. */
gchar *faults_take_record (void);

G_END_DECLS

#endif
