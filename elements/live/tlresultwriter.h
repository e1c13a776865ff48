/* SPDX-License-Identifier: BSD-3-Clause */

/* Writes results into a file from a thread of its own, through a queue that
 * never waits: a disk that is slow, full or gone costs entries, not frames.
 *
 * At every moment the file ends with a whole line; that of WebVTT is whole too,
 * for its last cue's end is amended in place. */

#ifndef TL_RESULT_WRITER_H
#define TL_RESULT_WRITER_H

#include <glib-object.h>

#include <tlstatus.h>

#include "tlresultformat.h"

G_BEGIN_DECLS

typedef enum
{
  TL_RESULT_FLUSH_NONE = 0, /* once a second, or by the 256 entries */
  TL_RESULT_FLUSH_LINE = 1, /* each entry when it comes */
  TL_RESULT_FLUSH_SYNC = 2, /* and onto the disk */
} TlResultFlush;

typedef struct
{
  const gchar *path; /* *copied* */
  TlResultFormat format;
  gboolean append;
  TlResultFlush flush;
  guint top_k;

  /* The file cannot be written; @message says why. Once, until it can be again.
   * On the writer's thread, with a reference to @object held, and not once that
   * is gone. */
  void (*fault) (gpointer object, const gchar *message);
  GObject *object; /* a weak reference is kept */
} TlResultWriterConfig;

typedef struct TlResultWriter TlResultWriter;

/* Opens the file and starts the thread; NULL with @error where that fails. */
TlResultWriter *tl_result_writer_new (const TlResultWriterConfig *config,
    TlError *error);

/* *Copies* @entry; never waits for the disk. Full: the entry is dropped. */
void tl_result_writer_push (TlResultWriter *self, const TlResultEntry *entry);

/* Waits until all is written, at most @timeout microseconds; FALSE: it is not. */
gboolean tl_result_writer_drain (TlResultWriter *self, gint64 timeout);

/* Lines or cues in the file; entries that are not. Any thread. */
void tl_result_writer_count (TlResultWriter *self, guint64 *n_written,
    guint64 *n_dropped);

/* Drains for at most @timeout and ends the thread; one that hangs in the disk is
 * left to itself, and keeps what it needs. */
void tl_result_writer_stop (TlResultWriter *self, gint64 timeout);

G_END_DECLS

#endif
