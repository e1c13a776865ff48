/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlresultwriter.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "tlresultdocument.h"

/* Entries that wait for the disk: half a minute of video and more. */
#define CAPACITY 4096
/* Entries written at once. */
#define BATCH 256

#define SECOND G_USEC_PER_SEC
#define GATHER SECOND /* flush=none */
#define MIN_BACK_OFF (SECOND / 4)
#define MAX_BACK_OFF (8 * SECOND)
#define END_TIMEOUT (SECOND / 2) /* of a thread that need not wait any more */

struct TlResultWriter
{
  gatomicrefcount refs; /* the owner's and the thread's */
  gchar *path;
  TlResultWriterConfig config;
  GWeakRef object;
  GThread *thread; /* the owner's */
  gint is_stopped; /* atomic */

  GMutex lock;
  GCond changed;
  /* Under lock. Slots [head, head + n) are taken, and only the thread frees
   * them: it reads them without the lock. */
  TlResultEntry *ring;
  guint head, n;
  guint64 n_lost; /* since the last entry in the ring */
  guint64 n_written, n_dropped;
  gint64 gathered_at; /* the oldest entry */
  gboolean is_draining, is_drained, has_ended;
  gboolean is_urgent; /* no back-off, once */

  /* Of the thread. */
  TlResultDocument document;
  gint64 retry_at;
  gint64 back_off; /* 0: all is well */
};

/* ---- The thread ---- */

static void
report (TlResultWriter *self, int code)
{
  g_autoptr (GObject) object = g_weak_ref_get (&self->object);
  g_autofree gchar *message = g_strdup_printf (
      "The results cannot be written to %s: %s. The video goes on; writing is "
      "tried again, at least every %d s.",
      self->path, tl_result_document_describe (code),
      (int) (MAX_BACK_OFF / SECOND));

  if (object && self->config.fault)
    self->config.fault (object, message);
}

static void
settle (TlResultWriter *self, int result)
{
  if (result == 0 && self->config.flush == TL_RESULT_FLUSH_SYNC)
    result = tl_result_file_sync (&self->document.file);
  if (result == 0) {
    self->back_off = 0;
    return;
  }
  /* Closed, so that it is looked for, and cut where it must be. */
  tl_result_document_close (&self->document);
  if (self->back_off == 0 && result != ECANCELED)
    report (self, result);
  self->back_off = CLAMP (2 * self->back_off, MIN_BACK_OFF, MAX_BACK_OFF);
  self->retry_at = g_get_monotonic_time () + self->back_off;
}

/* Until when nothing is to be done; 0: now is the time. Under the lock. */
static gint64
get_pause (TlResultWriter *self)
{
  gint64 now = g_get_monotonic_time ();

  if (self->is_urgent) {
    self->is_urgent = FALSE;
    return 0;
  }
  if (self->back_off > 0 && now < self->retry_at)
    return self->retry_at;
  if (self->n > 0 && self->config.flush == TL_RESULT_FLUSH_NONE
      && self->n < BATCH && !self->is_draining
      && now < self->gathered_at + GATHER)
    return self->gathered_at + GATHER;
  return 0;
}

/* Under the lock, which is given up while the disk is at work. */
static void
work_on_entries (TlResultWriter *self)
{
  guint n = MIN (MIN (self->n, BATCH), CAPACITY - self->head);
  const TlResultEntry *entries = &self->ring[self->head];
  guint n_done, n_lines;
  int result;

  g_mutex_unlock (&self->lock);
  result =
      tl_result_document_write (&self->document, entries, n, &n_done, &n_lines);
  settle (self, result);
  g_mutex_lock (&self->lock);
  self->head = (self->head + n_done) % CAPACITY;
  self->n -= n_done;
  self->n_written += n_lines;
  self->gathered_at = g_get_monotonic_time ();
}

static void
work_on_rest (TlResultWriter *self)
{
  guint64 n_lost = self->n_lost;
  gboolean is_draining = self->is_draining;
  int result;

  g_mutex_unlock (&self->lock);
  result = tl_result_document_finish (&self->document, n_lost, is_draining);
  settle (self, result);
  g_mutex_lock (&self->lock);
  if (result != 0)
    return;
  self->n_lost -= n_lost;
  if (is_draining && self->n == 0 && self->n_lost == 0) {
    self->is_drained = TRUE;
    g_cond_broadcast (&self->changed);
  }
}

static void
writer_unref (TlResultWriter *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  tl_result_document_clear (&self->document);
  g_weak_ref_clear (&self->object);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self->ring);
  g_free (self->path);
  g_free (self);
}

/* A pipe whose reader is gone and a file over its limit are errors, not the end
 * of the process. */
static void
block_signals (void)
{
  sigset_t signals;

  sigemptyset (&signals);
  sigaddset (&signals, SIGPIPE);
  sigaddset (&signals, SIGXFSZ);
  pthread_sigmask (SIG_BLOCK, &signals, NULL);
}

static gpointer
run (gpointer data)
{
  TlResultWriter *self = data;

  block_signals ();
  g_mutex_lock (&self->lock);
  while (!g_atomic_int_get (&self->is_stopped)) {
    gint64 pause = get_pause (self);

    if (pause > 0)
      g_cond_wait_until (&self->changed, &self->lock, pause);
    else if (self->n > 0)
      work_on_entries (self);
    else if (self->n_lost > 0 || self->document.is_header_due
        || (self->is_draining && !self->is_drained))
      work_on_rest (self);
    else
      g_cond_wait (&self->changed, &self->lock);
  }
  g_mutex_unlock (&self->lock);
  tl_result_document_close (&self->document);
  g_mutex_lock (&self->lock);
  self->has_ended = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  writer_unref (self);
  return NULL;
}

/* ---- For the owner ---- */

static TlResultWriter *
writer_alloc (const TlResultWriterConfig *config)
{
  TlResultWriter *self = g_new0 (TlResultWriter, 1);

  g_atomic_ref_count_init (&self->refs);
  self->config = *config;
  self->path = g_strdup (config->path);
  g_weak_ref_init (&self->object, config->object);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->ring = g_new (TlResultEntry, CAPACITY);
  tl_result_document_init (&self->document, self->path, config->format,
      config->top_k, &self->is_stopped);
  return self;
}

static gboolean
fail (TlError *error, const gchar *path, const gchar *why)
{
  g_snprintf (error->message, sizeof error->message,
      "The results cannot be written to %s: %s.", path, why);
  return FALSE;
}

/* A pipe without a reader is no failure: one may come. */
static gboolean
start (TlResultWriter *self, TlError *error)
{
  int result = tl_result_document_open (&self->document, !self->config.append);

  if (result == 0 || result == ENXIO)
    return TRUE;
  return fail (error, self->path, tl_result_document_describe (result));
}

TlResultWriter *
tl_result_writer_new (const TlResultWriterConfig *config, TlError *error)
{
  TlResultWriter *self = writer_alloc (config);

  if (!start (self, error)) {
    writer_unref (self);
    return NULL;
  }
  g_atomic_ref_count_inc (&self->refs);
  self->thread = g_thread_try_new ("resultlog", run, self, NULL);
  if (!self->thread) {
    fail (error, config->path, "no thread can be started");
    writer_unref (self);
    writer_unref (self);
    return NULL;
  }
  return self;
}

void
tl_result_writer_push (TlResultWriter *self, const TlResultEntry *entry)
{
  TlResultEntry *slot;

  g_mutex_lock (&self->lock);
  self->is_draining = self->is_drained = FALSE;
  if (self->n == CAPACITY) {
    self->n_lost++;
    self->n_dropped++;
    g_mutex_unlock (&self->lock);
    return;
  }
  slot = &self->ring[(self->head + self->n) % CAPACITY];
  *slot = *entry;
  slot->n_lost = self->n_lost;
  self->n_lost = 0;
  if (self->n++ == 0)
    self->gathered_at = g_get_monotonic_time ();
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

gboolean
tl_result_writer_drain (TlResultWriter *self, gint64 timeout)
{
  gint64 end = g_get_monotonic_time () + timeout;
  gboolean is_drained;

  g_mutex_lock (&self->lock);
  self->is_draining = self->is_urgent = TRUE;
  g_cond_broadcast (&self->changed);
  while (!self->is_drained
      && g_cond_wait_until (&self->changed, &self->lock, end)) {
  }
  is_drained = self->is_drained;
  g_mutex_unlock (&self->lock);
  return is_drained;
}

void
tl_result_writer_count (TlResultWriter *self, guint64 *n_written,
    guint64 *n_dropped)
{
  g_mutex_lock (&self->lock);
  *n_written = self->n_written;
  *n_dropped = self->n_dropped;
  g_mutex_unlock (&self->lock);
}

void
tl_result_writer_stop (TlResultWriter *self, gint64 timeout)
{
  gint64 end;
  gboolean has_ended;

  tl_result_writer_drain (self, timeout);
  g_atomic_int_set (&self->is_stopped, TRUE);
  end = g_get_monotonic_time () + END_TIMEOUT;
  g_mutex_lock (&self->lock);
  self->n_dropped += self->n;
  g_cond_broadcast (&self->changed);
  while (!self->has_ended
      && g_cond_wait_until (&self->changed, &self->lock, end)) {
  }
  has_ended = self->has_ended;
  g_mutex_unlock (&self->lock);
  if (has_ended)
    g_thread_join (self->thread);
  else
    g_thread_unref (self->thread);
  writer_unref (self);
}
