/* SPDX-License-Identifier: BSD-3-Clause */

/* Results as a stream of subtitles, for a muxer beside the video: text/x-raw
 * with the times of the frames.
 *
 * A muxer writes nothing before it knows of every stream how far it is, and a
 * cue says its end when it begins. So cues are short, follow each other without
 * a gap, and frames in between give GAP events. */

#ifndef TL_RESULT_SUBTITLES_H
#define TL_RESULT_SUBTITLES_H

#include <gst/gst.h>

#include "tlresultformat.h"

G_BEGIN_DECLS

/* How long a cue is, and so how late it may tell a change. */
#define TL_RESULT_SUBTITLES_CUE (500 * GST_MSECOND)

#define TL_RESULT_SUBTITLES_CAPS "text/x-raw, format = (string) utf8"

typedef struct
{
  GstElement *element; /* borrowed */

  GstPad *pad; /* under the element's lock; the element's, or none */

  /* Streaming thread only. */
  gboolean has_begun;        /* stream-start and caps were pushed */
  gboolean has_segment;      /* and the segment */
  GstClockTime start, until; /* of the last cue; both 0: none */
} TlResultSubtitles;

void tl_result_subtitles_init (TlResultSubtitles *self, GstElement *element);

/* Adds the pad to the element; NULL if it has one already. *Borrowed*. */
GstPad *tl_result_subtitles_add_pad (TlResultSubtitles *self,
    GstPadTemplate *template, const gchar *name);
void tl_result_subtitles_remove_pad (TlResultSubtitles *self, GstPad *pad);
gboolean tl_result_subtitles_has_pad (TlResultSubtitles *self);

/* Tells a frame of @segment, before it is pushed; @entry: its result, or NULL.
 * What becomes of the text never stops the video: there is no result. */
void tl_result_subtitles_push (TlResultSubtitles *self,
    const GstSegment *segment, GstBuffer *frame, const TlResultEntry *entry);

/* What comes down with the video. @segment is the one before it. */
void tl_result_subtitles_event (TlResultSubtitles *self,
    const GstSegment *segment, GstEvent *event);

G_END_DECLS

#endif
