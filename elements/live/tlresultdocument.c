/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlresultdocument.h"

#include <errno.h>
#include <string.h>

#define CHECK_INTERVAL G_USEC_PER_SEC /* of whether the file is still there */

#define NS_PER_MS 1000000
/* A cue goes on over a gap up to this, in ns. */
#define MAX_GAP (1000 * (guint64) NS_PER_MS)

void
tl_result_document_init (TlResultDocument *self, const gchar *path,
    TlResultFormat format, guint top_k, gint *is_stopped)
{
  *self = (TlResultDocument){
      .path = path,
      .format = format,
      .top_k = top_k,
      .is_stopped = is_stopped,
      .file.fd = -1,
      .cue.label = g_string_new (NULL),
  };
}

void
tl_result_document_close (TlResultDocument *self)
{
  tl_result_file_close (&self->file);
}

void
tl_result_document_clear (TlResultDocument *self)
{
  tl_result_document_close (self);
  g_string_free (self->cue.label, TRUE);
}

/* ---- The file ---- */

static const gchar *
get_ending (TlResultDocument *self)
{
  return self->format == TL_RESULT_VTT ? "\n\n" : "\n";
}

/* Lines of another kind do not go below these. */
static gboolean
is_same_log (TlResultDocument *self)
{
  g_autoptr (GString) header = g_string_new (NULL);

  tl_result_format_header (header, self->format, self->top_k);
  return tl_result_file_begins_with (&self->file,
      header->len > 0 ? header->str : "{");
}

int
tl_result_document_open (TlResultDocument *self, gboolean truncate)
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

const gchar *
tl_result_document_describe (int code)
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
ensure_file (TlResultDocument *self)
{
  gint64 now = g_get_monotonic_time ();

  if (self->file.fd >= 0 && now >= self->check_at) {
    self->check_at = now + CHECK_INTERVAL;
    if (!tl_result_file_is_at (&self->file, self->path))
      tl_result_file_close (&self->file);
  }
  return self->file.fd >= 0 ? 0 : tl_result_document_open (self, FALSE);
}

static int
append (TlResultDocument *self, const GString *text)
{
  int result = tl_result_file_append (&self->file, text->str, text->len,
      self->is_stopped);

  if (result == 0)
    self->is_header_due = FALSE;
  return result;
}

static GString *
begin_text (TlResultDocument *self)
{
  GString *text = g_string_new (NULL);

  if (self->is_header_due)
    tl_result_format_header (text, self->format, self->top_k);
  return text;
}

/* ---- Lines ---- */

static int
write_lines (TlResultDocument *self, const TlResultEntry *entries, guint n)
{
  g_autoptr (GString) text = begin_text (self);

  for (guint i = 0; i < n; i++) {
    if (entries[i].n_lost > 0)
      tl_result_format_lost (text, self->format, self->top_k,
          entries[i].n_lost);
    tl_result_format_line (text, self->format, self->top_k, &entries[i]);
  }
  return append (self, text);
}

static int
write_lost (TlResultDocument *self, guint64 n)
{
  g_autoptr (GString) text = begin_text (self);

  tl_result_format_lost (text, self->format, self->top_k, n);
  return append (self, text);
}

/* ---- Cues ---- */

static int
write_cue (TlResultDocument *self)
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
update_cue (TlResultDocument *self)
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
end_cue (TlResultDocument *self)
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
fits_width (TlResultDocument *self, guint64 end)
{
  g_autoptr (GString) time = g_string_new (NULL);

  tl_result_format_cue_time (time, end);
  return !self->file.is_regular || time->len == self->cue.end_width;
}

static void
extend_cue (TlResultDocument *self, guint64 end)
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
continue_cue (TlResultDocument *self, const TlResultEntry *entry,
    const GString *label)
{
  TlResultCue *cue = &self->cue;

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
open_cue (TlResultDocument *self, const TlResultEntry *entry,
    const GString *label)
{
  TlResultCue *cue = &self->cue;
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
take_cue (TlResultDocument *self, const TlResultEntry *entry, guint *n_cues)
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

/* ---- Entries ---- */

int
tl_result_document_write (TlResultDocument *self, const TlResultEntry *entries,
    guint n, guint *n_done, guint *n_lines)
{
  int result = ensure_file (self);

  *n_done = *n_lines = 0;
  if (result != 0)
    return result;
  if (self->format != TL_RESULT_VTT) {
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

int
tl_result_document_finish (TlResultDocument *self, guint64 n_lost,
    gboolean is_last)
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
