/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlresultwriter.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "tlresultfile.h"

/* Entries that wait for the disk: half a minute of video and more. */
#define CAPACITY 4096
/* Entries written at once. */
#define BATCH 256

#define SECOND G_USEC_PER_SEC
#define GATHER SECOND         /* flush=none */
#define CHECK_INTERVAL SECOND /* of whether the file is still there */
#define MIN_BACK_OFF (SECOND / 4)
#define MAX_BACK_OFF (8 * SECOND)
#define END_TIMEOUT (SECOND / 2) /* of a thread that need not wait any more */

#define NS_PER_MS 1000000
/* A cue goes on over a gap up to this, in ns. */
#define MAX_GAP (1000 * (guint64) NS_PER_MS)

/* The cue whose end still moves. */
typedef struct
{
  gboolean is_open;
  gboolean is_dirty; /* its end in the file is an older one */
  guint64 start, end;
  guint64 end_offset; /* regular files */
  gsize end_width;
  GString *label;
} Cue;

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
  TlResultFile file;
  gboolean is_header_due;
  gint64 check_at;
  gint64 retry_at;
  gint64 back_off; /* 0: all is well */
  Cue cue;
};

/* ---- The file ---- */

static const gchar *
get_ending (TlResultWriter *self)
{
  return self->config.format == TL_RESULT_VTT ? "\n\n" : "\n";
}

/* Lines of another kind do not go below these. */
static gboolean
is_same_log (TlResultWriter *self)
{
  g_autoptr (GString) header = g_string_new (NULL);

  tl_result_format_header (header, self->config.format, self->config.top_k);
  return tl_result_file_begins_with (&self->file,
      header->len > 0 ? header->str : "{");
}

/* EEXIST: something else is there. */
static int
open_file (TlResultWriter *self, gboolean truncate)
{
  int result = tl_result_file_open (&self->file, self->path, truncate);

  if (result != 0)
    return result;
  result = is_same_log (self)
      ? tl_result_file_cut_unfinished (&self->file, get_ending (self))
      : EEXIST;
  if (result != 0) {
    tl_result_file_close (&self->file);
    return result;
  }
  self->is_header_due = self->file.size == 0;
  self->cue.is_open = FALSE;
  self->check_at = g_get_monotonic_time () + CHECK_INTERVAL;
  return 0;
}

static const gchar *
describe (int code)
{
  if (code == EWOULDBLOCK)
    return "another resultlog writes it";
  if (code == EEXIST)
    return "what is there begins otherwise than this log; set another location, "
           "or format and top-k as they were";
  return g_strerror (code);
}

/* Opens it again where it was moved, removed or could not be written. */
static int
ensure_file (TlResultWriter *self)
{
  gint64 now = g_get_monotonic_time ();

  if (self->file.fd >= 0 && now >= self->check_at) {
    self->check_at = now + CHECK_INTERVAL;
    if (!tl_result_file_is_at (&self->file, self->path))
      tl_result_file_close (&self->file);
  }
  return self->file.fd >= 0 ? 0 : open_file (self, FALSE);
}

static int
append (TlResultWriter *self, const GString *text)
{
  int result = tl_result_file_append (&self->file, text->str, text->len,
      &self->is_stopped);

  if (result == 0)
    self->is_header_due = FALSE;
  return result;
}

static GString *
begin_text (TlResultWriter *self)
{
  GString *text = g_string_new (NULL);

  if (self->is_header_due)
    tl_result_format_header (text, self->config.format, self->config.top_k);
  return text;
}

/* ---- Lines ---- */

static int
write_lines (TlResultWriter *self, const TlResultEntry *entries, guint n)
{
  const TlResultWriterConfig *config = &self->config;
  g_autoptr (GString) text = begin_text (self);

  for (guint i = 0; i < n; i++) {
    if (entries[i].n_lost > 0)
      tl_result_format_lost (text, config->format, config->top_k,
          entries[i].n_lost);
    tl_result_format_line (text, config->format, config->top_k, &entries[i]);
  }
  return append (self, text);
}

static int
write_lost (TlResultWriter *self, guint64 n)
{
  g_autoptr (GString) text = begin_text (self);

  tl_result_format_lost (text, self->config.format, self->config.top_k, n);
  return append (self, text);
}

/* ---- Cues ---- */

static int
write_cue (TlResultWriter *self)
{
  g_autoptr (GString) text = begin_text (self);
  g_autoptr (GString) time = g_string_new (NULL);
  guint64 at = self->file.size + text->len;

  tl_result_format_cue_time (time, self->cue.start);
  self->cue.end_offset = at + time->len + strlen (" --> ");
  g_string_truncate (time, 0);
  tl_result_format_cue_time (time, self->cue.end);
  self->cue.end_width = time->len;
  tl_result_format_cue (text, self->cue.start, self->cue.end,
      self->cue.label->str);
  return append (self, text);
}

/* Brings the end of the cue in the file up to date. */
static int
update_cue (TlResultWriter *self)
{
  g_autoptr (GString) time = NULL;
  int result;

  if (!self->cue.is_open || !self->cue.is_dirty || !self->file.is_regular)
    return 0;
  time = g_string_new (NULL);
  tl_result_format_cue_time (time, self->cue.end);
  result = tl_result_file_amend (&self->file, self->cue.end_offset, time->str,
      time->len);
  if (result == 0)
    self->cue.is_dirty = FALSE;
  return result;
}

/* A pipe gets the cue now. */
static int
end_cue (TlResultWriter *self)
{
  int result;

  if (!self->cue.is_open)
    return 0;
  result = self->file.is_regular ? update_cue (self) : write_cue (self);
  if (result == 0)
    self->cue.is_open = FALSE;
  return result;
}

static gboolean
fits_width (TlResultWriter *self, guint64 end)
{
  g_autoptr (GString) time = g_string_new (NULL);

  tl_result_format_cue_time (time, end);
  return !self->file.is_regular || time->len == self->cue.end_width;
}

static void
extend_cue (TlResultWriter *self, guint64 end)
{
  if (end <= self->cue.end || !fits_width (self, end))
    return;
  self->cue.end = end;
  self->cue.is_dirty = TRUE;
}

static guint64
get_end (const TlResultEntry *entry)
{
  guint64 least = entry->time + NS_PER_MS;

  if (entry->until == TL_RESULT_NO_TIME)
    return least;
  return MAX (entry->until, least);
}

/* Lets the cue go on over @entry, where that says the same, or up to it. */
static gboolean
continue_cue (TlResultWriter *self, const TlResultEntry *entry,
    const GString *label)
{
  Cue *cue = &self->cue;

  if (!cue->is_open || entry->time < cue->start
      || entry->time > cue->end + MAX_GAP)
    return FALSE;
  if (!g_string_equal (cue->label, label)
      || !fits_width (self, get_end (entry))) {
    extend_cue (self, entry->time);
    return FALSE;
  }
  extend_cue (self, get_end (entry));
  return TRUE;
}

static int
open_cue (TlResultWriter *self, const TlResultEntry *entry,
    const GString *label)
{
  Cue *cue = &self->cue;
  int result = 0;

  cue->start = entry->time;
  cue->end = get_end (entry);
  g_string_assign (cue->label, label->str);
  if (self->file.is_regular)
    result = write_cue (self);
  cue->is_open = result == 0;
  cue->is_dirty = FALSE;
  return result;
}

static int
take_cue (TlResultWriter *self, const TlResultEntry *entry, guint *n_cues)
{
  g_autoptr (GString) label = g_string_new (NULL);
  int result;

  if (entry->time == TL_RESULT_NO_TIME)
    return 0;
  tl_result_format_label (label, entry, FALSE);
  if (entry->n_lost == 0 && continue_cue (self, entry, label))
    return 0;
  result = end_cue (self);
  if (result == 0 && entry->n_lost > 0)
    result = write_lost (self, entry->n_lost);
  if (result != 0 || label->len == 0)
    return result;
  *n_cues += 1;
  return open_cue (self, entry, label);
}

/* ---- The thread ---- */

/* Sets how many of @n entries are done, and what they gave. */
static int
write_entries (TlResultWriter *self, const TlResultEntry *entries, guint n,
    guint *n_done, guint *n_lines)
{
  int result = ensure_file (self);

  *n_done = *n_lines = 0;
  if (result != 0)
    return result;
  if (self->config.format != TL_RESULT_VTT) {
    result = write_lines (self, entries, n);
    if (result == 0)
      *n_done = *n_lines = n;
    return result;
  }
  while (result == 0 && *n_done < n) {
    guint n_cues = 0;

    result = take_cue (self, &entries[*n_done], &n_cues);
    *n_done += result == 0;
    *n_lines += result == 0 ? n_cues : 0;
  }
  return result == 0 ? update_cue (self) : result;
}

/* What is left when the last entry is written. */
static int
write_rest (TlResultWriter *self, guint64 n_lost, gboolean is_last)
{
  int result = ensure_file (self);

  if (result == 0 && (n_lost > 0 || is_last))
    result = end_cue (self);
  if (result == 0 && n_lost > 0)
    result = write_lost (self, n_lost);
  /* A log of nothing has its header. */
  if (result == 0 && self->is_header_due) {
    g_autoptr (GString) text = begin_text (self);

    result = append (self, text);
  }
  return result;
}

static void
report (TlResultWriter *self, int code)
{
  g_autoptr (GObject) object = g_weak_ref_get (&self->object);
  g_autofree gchar *message = g_strdup_printf (
      "The results cannot be written to %s: %s. The video goes on; writing is "
      "tried again, at least every %d s.",
      self->path, describe (code), (int) (MAX_BACK_OFF / SECOND));

  if (object && self->config.fault)
    self->config.fault (object, message);
}

static void
settle (TlResultWriter *self, int result)
{
  if (result == 0 && self->config.flush == TL_RESULT_FLUSH_SYNC)
    result = tl_result_file_sync (&self->file);
  if (result == 0) {
    self->back_off = 0;
    return;
  }
  /* Closed, so that it is looked for, and cut where it must be. */
  tl_result_file_close (&self->file);
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
  result = write_entries (self, entries, n, &n_done, &n_lines);
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
  result = write_rest (self, n_lost, is_draining);
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
  tl_result_file_close (&self->file);
  g_string_free (self->cue.label, TRUE);
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
    else if (self->n_lost > 0 || self->is_header_due
        || (self->is_draining && !self->is_drained))
      work_on_rest (self);
    else
      g_cond_wait (&self->changed, &self->lock);
  }
  g_mutex_unlock (&self->lock);
  tl_result_file_close (&self->file);
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
  self->cue.label = g_string_new (NULL);
  self->file.fd = -1;
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
  int result = open_file (self, !self->config.append);

  if (result == 0 || result == ENXIO)
    return TRUE;
  return fail (error, self->path, describe (result));
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
