/* SPDX-License-Identifier: BSD-3-Clause */

/* A thread that classifies the newest frame it was given. Who gives frames
 * never waits for the model; who wants each frame's own result asks for it.
 *
 * A model may hang. Then the thread cannot be ended: tl_infer_worker_stop()
 * leaves it behind, with all that it uses, and it goes when the model returns.
 *
 * All functions may be called from any thread. */

#ifndef TL_INFER_WORKER_H
#define TL_INFER_WORKER_H

#include <gst/video/video.h>

#include "tlclassifier.h"
#include "tllivepicture.h"

G_BEGIN_DECLS

typedef struct TlInferWorker TlInferWorker;

typedef struct
{
  guint64 serial;              /* from 1; 0: no result yet */
  TlStatus status;             /* unless TL_OK, error says why */
  TlError error;               /* TL_ERROR_INIT */
  GQuark model;                /* tl_classifier_id() */
  GstClockTime pts;            /* of the frame */
  GstClockTime inference_time; /* ns, preprocessing included */
  guint n_skipped;             /* frames passed over before this one */
} TlInferResult;

/* How many threads may be left behind in a process at a time. */
#define TL_INFER_WORKER_MAX_LEFT 4

/* Takes a reference of @classifier; nobody else may use it to take or run. NULL
 * if as many threads as allowed are left behind. */
TlInferWorker *tl_infer_worker_new (TlClassifier *classifier);

/* Ends the thread, waiting at most @timeout_ms (0: for ever) for the model, and
 * drops the worker. FALSE if the thread had to be left behind. */
gboolean tl_infer_worker_stop (TlInferWorker *self, guint timeout_ms);

/* Gives a frame, replacing one that waits. Its memory is held until the model's
 * input has been made of it; @field of it counts. @n_skipped: frames before it
 * that were not given. Returns the frame's number, from 1. */
guint64 tl_infer_worker_give (TlInferWorker *self, GstBuffer *frame,
    const GstVideoInfo *info, gboolean prepared, TlField field,
    guint n_skipped);

typedef enum
{
  TL_INFER_DONE,
  TL_INFER_TIMED_OUT,
  TL_INFER_INTERRUPTED, /* or forgotten */
} TlInferOutcome;

/* Waits at most @timeout_ms (0: for ever) until the frame with that number has
 * a result. */
TlInferOutcome tl_infer_worker_wait (TlInferWorker *self, guint64 number,
    guint timeout_ms);

/* Copies the newest result, and its probabilities (one per class) if it is
 * good. Fills nothing and returns FALSE if there is none newer than
 * @ret->serial. */
gboolean tl_infer_worker_get (TlInferWorker *self, TlInferResult *ret,
    gfloat *probabilities);

/* For how long the model has been at one frame: ms; 0 if it is at none. */
guint tl_infer_worker_get_busy_ms (TlInferWorker *self);

/* Drops the frame that waits and the result, and that of the frame in work when
 * it comes: a new stream begins. */
void tl_infer_worker_forget (TlInferWorker *self);

/* With @is_interrupted all waits end at once, now and until FALSE is set. */
void tl_infer_worker_interrupt (TlInferWorker *self, gboolean is_interrupted);

G_END_DECLS

#endif
