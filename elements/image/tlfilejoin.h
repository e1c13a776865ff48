/* SPDX-License-Identifier: BSD-3-Clause */

/* Puts a file together that comes in pieces, as filesrc gives it. Only where
 * the segment counts bytes and upstream knows how many there are; elsewhere a
 * buffer is a file. Streaming thread. */

#ifndef TL_FILE_JOIN_H
#define TL_FILE_JOIN_H

#include <gst/gst.h>

#include <tlstatus.h>

G_BEGIN_DECLS

/* Longest file, bytes: that of a data set. */
#define TL_FILE_JOIN_MAX (512 * 1024 * 1024)

/* All zero to begin with. */
typedef struct
{
  GstBuffer *pieces; /* so far, with the first one's metas; or NULL */
  guint64 size;      /* of the file; 0: every buffer is one */
} TlFileJoin;

void tl_file_join_clear (TlFileJoin *self);

/* A segment begins behind @sinkpad. TL_ERROR_LIMIT for a file that is too
 * long. */
TlStatus tl_file_join_begin (TlFileJoin *self, GstPad *sinkpad,
    const GstSegment *segment, TlError *error);

/* Takes @piece; the whole file once it is there, else NULL. */
GstBuffer *tl_file_join_add (TlFileJoin *self, GstBuffer *piece);

/* The stream ends. TL_ERROR_FORMAT if a file has begun and is not whole; its
 * pieces are dropped. */
TlStatus tl_file_join_end (TlFileJoin *self, TlError *error);

G_END_DECLS

#endif
