/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlinferworker.h"

typedef struct
{
  guint64 number; /* 0: there is none */
  GstBuffer *buffer;
  GstVideoInfo info;
  gboolean prepared;
  TlField field;
  guint n_skipped;
  guint64 generation;
} Frame;

/* Counted: by the element and by the thread. */
struct TlInferWorker
{
  GThread *thread; /* the element's */

  TlClassifier *classifier; /* the thread's alone, once it runs */
  gfloat *fresh;            /* the same: probabilities being computed */

  GMutex lock; /* of all that follows */
  GCond wake;  /* the thread: something to do */
  GCond done;  /* who waits: a result, an interruption, the end */
  Frame next;
  guint64 n_given;
  guint64 generation; /* forgetting begins a new one */
  guint n_replaced;   /* frames that next has replaced */
  gint64 busy_since;  /* monotonic time; 0: idle */
  guint64 number;     /* of the frame that result is of */
  TlInferResult result;
  gfloat *probabilities;
  gboolean is_interrupted;
  gboolean quit;
  gboolean has_ended;
  gboolean is_left; /* nobody waits for the thread any more */
};

static gint n_left; /* threads left behind in this process; atomic */

static void
clear (gpointer data)
{
  TlInferWorker *self = data;

  gst_clear_buffer (&self->next.buffer);
  tl_classifier_unref (self->classifier);
  g_free (self->fresh);
  g_free (self->probabilities);
  g_cond_clear (&self->wake);
  g_cond_clear (&self->done);
  g_mutex_clear (&self->lock);
}

static void
unref (TlInferWorker *self)
{
  g_atomic_rc_box_release_full (self, clear);
}

/* ---- The thread ---- */

static void
classify (TlInferWorker *self, Frame *frame, TlInferResult *result)
{
  GstClockTime begin = gst_util_get_timestamp ();

  result->pts = GST_BUFFER_PTS (frame->buffer);
  result->n_skipped = frame->n_skipped;
  result->model = tl_classifier_id (self->classifier);
  result->status = tl_classifier_take (self->classifier, frame->buffer,
      &frame->info, frame->prepared, frame->field, &result->error);
  gst_clear_buffer (&frame->buffer);
  if (result->status == TL_OK)
    result->status =
        tl_classifier_run (self->classifier, self->fresh, &result->error);
  result->inference_time = gst_util_get_timestamp () - begin;
}

/* Under the lock. */
static void
publish (TlInferWorker *self, const Frame *frame, TlInferResult *result)
{
  gfloat *old = self->probabilities;

  if (frame->generation != self->generation)
    return;
  result->serial = self->result.serial + 1;
  self->result = *result;
  self->number = frame->number;
  self->probabilities = self->fresh;
  self->fresh = old;
}

static gpointer
run (gpointer data)
{
  TlInferWorker *self = data;

  g_mutex_lock (&self->lock);
  while (TRUE) {
    TlInferResult result = {.error = TL_ERROR_INIT};
    Frame frame;

    while (!self->quit && self->next.number == 0)
      g_cond_wait (&self->wake, &self->lock);
    if (self->quit)
      break;
    frame = self->next;
    self->next = (Frame){0};
    self->n_replaced = 0;
    self->busy_since = g_get_monotonic_time ();
    g_mutex_unlock (&self->lock);
    classify (self, &frame, &result);
    g_mutex_lock (&self->lock);
    self->busy_since = 0;
    publish (self, &frame, &result);
    g_cond_broadcast (&self->done);
  }
  self->has_ended = TRUE;
  if (self->is_left)
    g_atomic_int_add (&n_left, -1);
  g_cond_broadcast (&self->done);
  g_mutex_unlock (&self->lock);
  unref (self);
  return NULL;
}

/* ---- Life ---- */

TlInferWorker *
tl_infer_worker_new (TlClassifier *classifier)
{
  guint n = tl_classifier_n_classes (classifier);
  TlInferWorker *self;

  if (g_atomic_int_get (&n_left) >= TL_INFER_WORKER_MAX_LEFT)
    return NULL;
  self = g_atomic_rc_box_new0 (TlInferWorker);
  self->classifier = tl_classifier_ref (classifier);
  self->fresh = g_new (gfloat, n);
  self->probabilities = g_new (gfloat, n);
  self->result.error = (TlError) TL_ERROR_INIT;
  g_mutex_init (&self->lock);
  g_cond_init (&self->wake);
  g_cond_init (&self->done);
  self->thread = g_thread_new ("tl-infer", run, g_atomic_rc_box_acquire (self));
  return self;
}

/* Under the lock. FALSE if @deadline, a monotonic time or -1, has passed. */
static gboolean
wait_until (TlInferWorker *self, gint64 deadline)
{
  if (deadline >= 0)
    return g_cond_wait_until (&self->done, &self->lock, deadline);
  g_cond_wait (&self->done, &self->lock);
  return TRUE;
}

static gint64
deadline_in (guint timeout_ms)
{
  return timeout_ms > 0 ? g_get_monotonic_time () + 1000 * (gint64) timeout_ms
                        : -1;
}

gboolean
tl_infer_worker_stop (TlInferWorker *self, guint timeout_ms)
{
  gint64 deadline = deadline_in (timeout_ms);
  gboolean has_ended;

  g_mutex_lock (&self->lock);
  self->quit = TRUE;
  self->is_interrupted = TRUE;
  g_cond_broadcast (&self->wake);
  g_cond_broadcast (&self->done);
  while (!self->has_ended && wait_until (self, deadline))
    ;
  has_ended = self->has_ended;
  self->is_left = !has_ended;
  if (self->is_left)
    g_atomic_int_inc (&n_left);
  g_mutex_unlock (&self->lock);
  if (has_ended)
    g_thread_join (self->thread);
  else
    g_thread_unref (self->thread);
  unref (self);
  return has_ended;
}

/* ---- Frames in, results out ---- */

guint64
tl_infer_worker_give (TlInferWorker *self, GstBuffer *frame,
    const GstVideoInfo *info, gboolean prepared, TlField field, guint n_skipped)
{
  GstBuffer *replaced;
  guint64 number;

  g_mutex_lock (&self->lock);
  replaced = self->next.buffer;
  if (replaced)
    self->n_replaced += 1 + n_skipped;
  else
    self->n_replaced = n_skipped;
  number = ++self->n_given;
  /* A copy shares the memory and leaves the frame itself writable. */
  self->next = (Frame){number, gst_buffer_copy (frame), *info, prepared, field,
      self->n_replaced, self->generation};
  g_cond_signal (&self->wake);
  g_mutex_unlock (&self->lock);
  gst_clear_buffer (&replaced);
  return number;
}

TlInferOutcome
tl_infer_worker_wait (TlInferWorker *self, guint64 number, guint timeout_ms)
{
  gint64 deadline = deadline_in (timeout_ms);
  TlInferOutcome outcome = TL_INFER_TIMED_OUT;
  guint64 generation;

  g_mutex_lock (&self->lock);
  generation = self->generation;
  while (self->number < number && self->generation == generation
      && !self->is_interrupted && wait_until (self, deadline))
    ;
  if (self->is_interrupted || self->generation != generation)
    outcome = TL_INFER_INTERRUPTED;
  else if (self->number >= number)
    outcome = TL_INFER_DONE;
  g_mutex_unlock (&self->lock);
  return outcome;
}

gboolean
tl_infer_worker_get (TlInferWorker *self, TlInferResult *ret,
    gfloat *probabilities)
{
  gboolean is_new;

  g_mutex_lock (&self->lock);
  is_new = self->result.serial > ret->serial;
  if (is_new) {
    *ret = self->result;
    if (ret->status == TL_OK)
      memcpy (probabilities, self->probabilities,
          tl_classifier_n_classes (self->classifier) * sizeof *probabilities);
  }
  g_mutex_unlock (&self->lock);
  return is_new;
}

guint
tl_infer_worker_get_busy_ms (TlInferWorker *self)
{
  gint64 since;

  g_mutex_lock (&self->lock);
  since = self->busy_since;
  g_mutex_unlock (&self->lock);
  return since > 0 ? (guint) ((g_get_monotonic_time () - since) / 1000) : 0;
}

void
tl_infer_worker_forget (TlInferWorker *self)
{
  GstBuffer *dropped;

  g_mutex_lock (&self->lock);
  dropped = self->next.buffer;
  self->next = (Frame){0};
  self->generation++;
  g_cond_broadcast (&self->done);
  g_mutex_unlock (&self->lock);
  gst_clear_buffer (&dropped);
}

void
tl_infer_worker_interrupt (TlInferWorker *self, gboolean is_interrupted)
{
  g_mutex_lock (&self->lock);
  self->is_interrupted = is_interrupted;
  g_cond_broadcast (&self->done);
  g_mutex_unlock (&self->lock);
}
