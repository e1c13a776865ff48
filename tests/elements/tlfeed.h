/* SPDX-License-Identifier: BSD-3-Clause */

/* A small learnable data set for the trainer's tests, as a stream of batches
 * and events: class 0 is darker on the left, class 1 on the right. */

#ifndef TL_FEED_H
#define TL_FEED_H

#include <gst/check/gstharness.h>

#include <tlbatchmeta.h>
#include <tlevents.h>
#include <tlqueries.h>

#define FEED_SIDE 32

typedef struct
{
  guint epochs;
  guint n_train; /* samples; 0: none is played */
  guint n_valid;
  guint batch_size;
  guint64 seed;
  TlCursor start;           /* resume FALSE: from the beginning */
  guint max_batches;        /* 0: all of them */
  guint skip_every;         /* every n-th sample does not arrive; 0: none */
  gboolean no_phase_events; /* as behind a decoder that drops them */
  gboolean no_phase_ends;
  gint32 label_offset;     /* added to every label */
  const gchar *classes[3]; /* NULL-terminated */
} Feed;

#define FEED_INIT                                                              \
  {                                                                            \
    .epochs = 3, .n_train = 20, .n_valid = 10, .batch_size = 4, .seed = 7,     \
    .classes =                                                                 \
    { "dark-left",                                                             \
      "dark-right" }                                                           \
  }

/* Where the stream goes: a source pad linked to the trainer. */
gboolean feed_push_event (GstPad *pad, GstEvent *event);

/* stream-start, caps, segment, tl-dataset, tl-transform. */
void feed_begin (const Feed *feed, GstPad *pad);

/* All phases from feed->start on, max_batches at most, without EOS. Stops at a
 * flow other than OK and returns it. @n_batches, if given, counts. */
GstFlowReturn feed_run (const Feed *feed, GstPad *pad, guint *n_batches);

/* feed_begin, feed_run and, unless the flow was an error, EOS. */
GstFlowReturn feed_all (const Feed *feed, GstPad *pad);

#endif
