/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlfilejoin.h"

#include <tlfail.h>

void
tl_file_join_clear (TlFileJoin *self)
{
  gst_clear_buffer (&self->pieces);
  self->size = 0;
}

TlStatus
tl_file_join_begin (TlFileJoin *self, GstPad *sinkpad,
    const GstSegment *segment, TlError *error)
{
  gint64 size = 0;

  tl_file_join_clear (self);
  if (segment->format != GST_FORMAT_BYTES
      || !gst_pad_peer_query_duration (sinkpad, GST_FORMAT_BYTES, &size)
      || size <= 0)
    return TL_OK;
  if (size > TL_FILE_JOIN_MAX)
    return tl_fail (error, TL_ERROR_LIMIT,
        "The file has %" G_GINT64_FORMAT " bytes; at most %d are taken.", size,
        TL_FILE_JOIN_MAX);
  self->size = (guint64) size;
  return TL_OK;
}

GstBuffer *
tl_file_join_add (TlFileJoin *self, GstBuffer *piece)
{
  if (self->size == 0)
    return piece;
  self->pieces = self->pieces ? gst_buffer_append (self->pieces, piece) : piece;
  if (gst_buffer_get_size (self->pieces) < self->size)
    return NULL;
  return g_steal_pointer (&self->pieces);
}

TlStatus
tl_file_join_end (TlFileJoin *self, TlError *error)
{
  gsize have = self->pieces ? gst_buffer_get_size (self->pieces) : 0;

  gst_clear_buffer (&self->pieces);
  if (have == 0)
    return TL_OK;
  return tl_fail (error, TL_ERROR_FORMAT,
      "The file ends after %" G_GSIZE_FORMAT " of %" G_GUINT64_FORMAT
      " bytes; it was changed while it was read.",
      have, self->size);
}
