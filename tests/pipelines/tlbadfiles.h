/* SPDX-License-Identifier: BSD-3-Clause */

/* Pipeline files that are wrong, each in one way, and what has to be said. Also
 * what fuzzing starts from. */

#ifndef TL_BAD_FILES_H
#define TL_BAD_FILES_H

#include <glib.h>

/* The line that every file begins with. */
#define TL_BAD_FILE_HEAD "tlpipe: 1\n"

typedef struct
{
  const gchar *name;
  const gchar *text;
  gsize size;
  const gchar *message; /* "line:column: " in front, where there is a place */
} TlBadFile;

extern const TlBadFile tl_bad_files[];
extern const guint tl_n_bad_files;

#endif
