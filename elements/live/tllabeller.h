/* SPDX-License-Identifier: BSD-3-Clause */

/* Gives the frames of a stream their results: which frames go to the model,
 * whether they wait for it, what they carry when it fails. It posts messages as
 * the element's.
 *
 * For the streaming thread, except where said. */

#ifndef TL_LABELLER_H
#define TL_LABELLER_H

#include <gst/video/video.h>

#include "tlinfersettings.h"
#include "tlinferstats.h"
#include "tlinferworker.h"
#include "tlretry.h"
#include "tlverdict.h"

G_BEGIN_DECLS

typedef struct
{
  GstElement *element;   /* borrowed */
  TlInferWorker *worker; /* borrowed */
  guint timeout_ms;      /* 0: never */

  /* Of the stream. */
  gboolean is_live;
  gboolean is_sync;
  gboolean is_prepared; /* imagedecode has cropped and resized already */

  TlInferResult result;
  gfloat *probabilities;
  TlVerdict verdict;
  TlRetry retry;
  guint n_skipped;     /* frames since the last that was given */
  gint64 posted_at;    /* monotonic time; 0: no tl-result was posted */
  TlResultMeta posted; /* its GstMeta is not used */
  TlInferStats waits;  /* of frames for their result, live and in sync */
  guint64 n_waits;

  /* Under the element's object lock. */
  TlInferStats stats;   /* of the model */
  GstClockTime latency; /* that a live line has to allow for; 0: none */
} TlLabeller;

/* {0} is cleared. @classes: of the worker's model. All *borrowed* until
 * tl_labeller_clear(). FALSE if memory is out. */
gboolean tl_labeller_init (TlLabeller *self, GstElement *element,
    TlInferWorker *worker, const gchar *const *classes, guint timeout_ms);

/* Keeps stats and latency. */
void tl_labeller_clear (TlLabeller *self);

/* A new stream: what was said of another is forgotten. */
void tl_labeller_begin_stream (TlLabeller *self);

/* Adds a TlResultMeta to @frame, which must be writable, and posts tl-result
 * where one is due. @settings: those that count at once are used. */
void tl_labeller_label (TlLabeller *self, GstBuffer *frame,
    const GstVideoInfo *info, const TlInferSettings *settings);

G_END_DECLS

#endif
