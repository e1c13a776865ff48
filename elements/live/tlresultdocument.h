/* SPDX-License-Identifier: BSD-3-Clause */

/* A log of results on the disk: entries in, lines or cues out. At every moment
 * the file ends with a whole line; that of WebVTT is whole too, for its last
 * cue's end is amended in place. For one thread; it may wait for the disk.
 *
 * Functions that return int give 0 or an errno: EEXIST if what is there is
 * another log, EWOULDBLOCK if another writes it, ECANCELED if is_stopped was
 * set in between. */

#ifndef TL_RESULT_DOCUMENT_H
#define TL_RESULT_DOCUMENT_H

#include <glib.h>

#include "tlresultfile.h"
#include "tlresultformat.h"

G_BEGIN_DECLS

/* A subtitle whose end still moves. */
typedef struct
{
  gboolean is_open;
  gboolean is_dirty; /* its end in the file is an older one */
  guint64 start, end;
  guint64 end_offset; /* regular files */
  gsize end_width;
  GString *label;
} TlResultCue;

typedef struct
{
  const gchar *path; /* borrowed */
  TlResultFormat format;
  guint top_k;
  gint *is_stopped; /* borrowed; atomic, set by another thread */

  TlResultFile file;
  gboolean is_header_due;
  gint64 check_at;
  TlResultCue cue;
} TlResultDocument;

/* *borrows* @path and @is_stopped. */
void tl_result_document_init (TlResultDocument *self, const gchar *path,
    TlResultFormat format, guint top_k, gint *is_stopped);
void tl_result_document_clear (TlResultDocument *self);

/* With @truncate the file is emptied, else what an interrupted write has left
 * at its end is cut off. The functions below open it where that is needed. */
int tl_result_document_open (TlResultDocument *self, gboolean truncate);

/* It is looked for again, and cut where it must be. */
void tl_result_document_close (TlResultDocument *self);

/* Sets how many of @n entries are done, and how many lines or cues they gave. */
int tl_result_document_write (TlResultDocument *self,
    const TlResultEntry *entries, guint n, guint *n_done, guint *n_lines);

/* What is left when the last entry is written: that @n_lost are missing, the
 * header of a log of nothing, and with @is_last the end of the cue. */
int tl_result_document_finish (TlResultDocument *self, guint64 n_lost,
    gboolean is_last);

/* The errno in words. */
const gchar *tl_result_document_describe (int code);

G_END_DECLS

#endif
