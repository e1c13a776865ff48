/* SPDX-License-Identifier: BSD-3-Clause */

#include "tllabeller.h"

#include <tlfail.h>
#include <tlmessages.h>
#include <tlsamplemeta.h>

/* ---- Life ---- */

gboolean
tl_labeller_init (TlLabeller *self, GstElement *element, TlInferWorker *worker,
    const gchar *const *classes, guint timeout_ms)
{
  GST_OBJECT_LOCK (element);
  *self = (TlLabeller){
      .element = element,
      .worker = worker,
      .timeout_ms = timeout_ms,
      .result = {.error = TL_ERROR_INIT},
  };
  GST_OBJECT_UNLOCK (element);
  self->probabilities = g_try_new (gfloat, g_strv_length ((gchar **) classes));
  return self->probabilities && tl_verdict_init (&self->verdict, classes);
}

void
tl_labeller_clear (TlLabeller *self)
{
  self->worker = NULL;
  tl_verdict_clear (&self->verdict);
  g_clear_pointer (&self->probabilities, g_free);
}

void
tl_labeller_begin_stream (TlLabeller *self)
{
  tl_infer_worker_forget (self->worker);
  tl_verdict_reset (&self->verdict);
  self->n_skipped = 0;
}

/* ---- Faults ---- */

/* Besides the values of TlStatus. */
#define KIND_HANGING (-1)

static void
report_fault (TlLabeller *self, gint kind, const TlError *error)
{
  if (tl_retry_fail (&self->retry, kind, g_get_monotonic_time ()))
    GST_ELEMENT_WARNING (self->element, STREAM, FAILED,
        ("A frame could not be classified; the video goes on without results "
         "until one can: %s",
            error->message),
        ("kind of fault %d: %s", kind, error->detail));
}

static gboolean
is_hanging (TlLabeller *self)
{
  return self->timeout_ms > 0
      && tl_infer_worker_get_busy_ms (self->worker) > self->timeout_ms;
}

/* The model has been at one frame for too long. */
static void
set_hanging (TlLabeller *self, GstClockTime pts)
{
  TlError error = TL_ERROR_INIT;

  tl_fail (&error, TL_ERROR_BACKEND,
      "The model has not answered for %u ms (timeout-ms).", self->timeout_ms);
  if (self->verdict.now.reason == g_quark_from_string (error.message))
    return;
  tl_verdict_set_fault (&self->verdict, pts, error.message);
  report_fault (self, KIND_HANGING, &error);
}

/* ---- Results ---- */

/* Takes over what the worker has found out since. */
static void
take_result (TlLabeller *self, const TlInferSettings *settings)
{
  const TlDecisionRules rules = {
      .top_k = settings->top_k,
      .threshold = settings->threshold,
      .abstain_below = settings->abstain_below,
      .smoothing = settings->smoothing,
      .hysteresis = settings->hysteresis,
  };

  if (!tl_infer_worker_get (self->worker, &self->result, self->probabilities))
    return;
  tl_verdict_set_result (&self->verdict, &self->result, self->probabilities,
      &rules);
  if (self->result.status != TL_OK) {
    report_fault (self, (gint) self->result.status, &self->result.error);
    return;
  }
  if (tl_retry_succeed (&self->retry))
    GST_ELEMENT_INFO (self->element, STREAM, FAILED,
        ("Frames are classified again."), (NULL));
  GST_OBJECT_LOCK (self->element);
  tl_infer_stats_add (&self->stats, self->result.inference_time,
      gst_util_get_timestamp ());
  GST_OBJECT_UNLOCK (self->element);
}

/* Of files each result is posted. */
static gboolean
is_post_due (const TlLabeller *self, const TlResultMeta *meta, gint64 now,
    guint interval_ms)
{
  if (meta->serial == 0
      || (self->posted_at > 0 && meta->serial == self->posted.serial))
    return FALSE;
  return !self->is_live || self->posted_at == 0
      || tl_verdict_differs (meta, &self->posted)
      || now - self->posted_at >= 1000 * (gint64) interval_ms;
}

static void
post_result (TlLabeller *self, GstBuffer *frame, const TlResultMeta *meta,
    guint interval_ms)
{
  gint64 now = g_get_monotonic_time ();

  if (!is_post_due (self, meta, now, interval_ms))
    return;
  self->posted = *meta;
  self->posted_at = now;
  gst_element_post_message (self->element,
      tl_message_new_result (GST_OBJECT (self->element), meta,
          tl_buffer_get_sample_meta (frame)));
}

/* ---- Latency ---- */

/* Frames from one look at the times to the next. */
#define LATENCY_EVERY 16

/* How long all but a few frames wait for their result is what a live line in
 * sync mode has to allow for. It is said anew when it has changed noticeably. */
static void
report_latency (TlLabeller *self)
{
  GstClockTime usual = tl_infer_stats_percentile (&self->waits, 0.95);
  gboolean is_news;

  GST_OBJECT_LOCK (self->element);
  is_news = usual > self->latency + self->latency / 10
      || usual < self->latency - self->latency / 5;
  if (is_news)
    self->latency = usual;
  GST_OBJECT_UNLOCK (self->element);
  if (is_news)
    gst_element_post_message (self->element,
        gst_message_new_latency (GST_OBJECT (self->element)));
}

/* The first frame of all takes the model longer than any other: it counts only
 * until there is a second. */
static void
add_wait (TlLabeller *self, GstClockTime took)
{
  guint64 n = ++self->n_waits;

  if (!self->is_live)
    return;
  if (n == 2)
    self->waits = (TlInferStats){0};
  tl_infer_stats_add (&self->waits, took, gst_util_get_timestamp ());
  if (n <= 4 || n % LATENCY_EVERY == 0)
    report_latency (self);
}

/* ---- Frames ---- */

/* Of a live source a fault is followed by a pause. */
static gboolean
is_due (const TlLabeller *self, guint interval)
{
  if (self->verdict.now.serial > 0 && self->n_skipped + 1 < interval)
    return FALSE;
  return !self->is_live
      || tl_retry_is_due (&self->retry, g_get_monotonic_time ());
}

static guint64
give (TlLabeller *self, GstBuffer *frame, const GstVideoInfo *info,
    TlField field)
{
  guint n_skipped = self->n_skipped;

  self->n_skipped = 0;
  return tl_infer_worker_give (self->worker, frame, info, self->is_prepared,
      field, n_skipped);
}

static void
label_later (TlLabeller *self, GstBuffer *frame, const GstVideoInfo *info,
    const TlInferSettings *settings)
{
  take_result (self, settings);
  if (is_hanging (self))
    set_hanging (self, GST_BUFFER_PTS (frame));
  if (is_due (self, settings->interval))
    give (self, frame, info, (TlField) settings->field);
  else
    self->n_skipped++;
}

static void
label_now (TlLabeller *self, GstBuffer *frame, const GstVideoInfo *info,
    const TlInferSettings *settings)
{
  GstClockTime begin = gst_util_get_timestamp ();

  if (is_hanging (self))
    set_hanging (self, GST_BUFFER_PTS (frame));
  else if (is_due (self, settings->interval))
    switch (tl_infer_worker_wait (self->worker,
        give (self, frame, info, (TlField) settings->field),
        self->timeout_ms)) {
      case TL_INFER_DONE:
        take_result (self, settings);
        add_wait (self, gst_util_get_timestamp () - begin);
        return;
      case TL_INFER_TIMED_OUT:
        set_hanging (self, GST_BUFFER_PTS (frame));
        return;
      default:
        return; /* the frame goes nowhere */
    }
  self->n_skipped++;
}

void
tl_labeller_label (TlLabeller *self, GstBuffer *frame, const GstVideoInfo *info,
    const TlInferSettings *settings)
{
  if (self->is_sync)
    label_now (self, frame, info, settings);
  else
    label_later (self, frame, info, settings);
  post_result (self, frame, tl_verdict_attach (&self->verdict, frame),
      settings->message_interval_ms);
}
