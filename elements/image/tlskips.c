/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlskips.h"

#include <tlfail.h>
#include <tlmessages.h>

#define MAX_WARNINGS 10

void
tl_skips_cut (TlSkips *self)
{
  self->phase.is_cut = TRUE;
  self->phase.used = 0;
  self->phase.skipped = 0;
  self->phase.warned = 0;
}

/* One sentence for the whole phase. */
static void
warn_of_phase (const TlSkipsPhase *phase, GstElement *element)
{
  guint64 quiet = phase->skipped - phase->warned;
  g_autofree gchar *name = phase->is_named
      ? g_strdup_printf (" of %s in epoch %u", tl_split_nick (phase->split),
          phase->epoch)
      : g_strdup ("");
  g_autofree gchar *rest = quiet > 0
      ? g_strdup_printf (", %" G_GUINT64_FORMAT
                         " of them without a warning of their own",
          quiet)
      : g_strdup ("");

  GST_ELEMENT_WARNING (element, STREAM, DECODE,
      ("Skipped %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " pictures%s%s.",
          phase->skipped, phase->used + phase->skipped, name, rest),
      ("tl-sample-error messages list every one"));
}

static gboolean
has_samples (const TlSkipsPhase *phase)
{
  return phase->used + phase->skipped > 0;
}

/* An error for a whole phase without a picture. */
static TlStatus
close_phase (TlSkips *self, GstElement *element, gboolean is_whole,
    TlError *error)
{
  const TlSkipsPhase *phase = &self->phase;
  TlStatus status = TL_OK;

  if (phase->skipped > 0 && phase->used == 0 && is_whole)
    status = tl_fail (error, TL_ERROR_FORMAT,
        "None of the %" G_GUINT64_FORMAT " pictures could be decoded; the "
        "warnings above say why.",
        phase->skipped);
  else if (phase->skipped > 0)
    warn_of_phase (phase, element);
  if (phase->is_named || has_samples (phase))
    self->ended = *phase;
  self->phase = (TlSkipsPhase){0};
  return status;
}

/* Only tl-phase-end says that nothing more was to come; else the positions do,
 * if samples have any. */
static gboolean
is_at_end (const TlSkipsPhase *phase)
{
  return !phase->is_cut && phase->next >= phase->n;
}

static gboolean
has_name (const TlSkipsPhase *phase, guint32 epoch, TlSplit split)
{
  return phase->is_named && phase->epoch == epoch && phase->split == split;
}

/* What comes after the end of a phase and still belongs to it is no whole
 * phase. */
static TlStatus
open_phase (TlSkips *self, GstElement *element, guint32 epoch, TlSplit split,
    TlError *error)
{
  gboolean lost_some = self->phase.is_cut && !self->phase.is_named;
  TlStatus status;

  if (has_name (&self->phase, epoch, split))
    return TL_OK;
  status = close_phase (self, element, is_at_end (&self->phase), error);
  self->phase.is_named = TRUE;
  self->phase.epoch = epoch;
  self->phase.split = split;
  self->phase.is_cut = lost_some || has_name (&self->ended, epoch, split);
  return status;
}

TlStatus
tl_skips_begin (TlSkips *self, GstElement *element, const TlPhase *phase,
    TlError *error)
{
  TlStatus status =
      open_phase (self, element, phase->epoch, phase->split, error);

  self->phase.is_cut |= phase->first > 0;
  return status;
}

TlStatus
tl_skips_follow (TlSkips *self, GstElement *element, const TlSampleMeta *sample,
    TlError *error)
{
  TlStatus status;

  if (!sample)
    return TL_OK;
  status = open_phase (self, element, sample->epoch, sample->split, error);
  self->phase.n = sample->n;
  self->phase.next = sample->position + 1;
  return status;
}

void
tl_skips_add_used (TlSkips *self, GstElement *element)
{
  GST_OBJECT_LOCK (element);
  self->n_used++;
  GST_OBJECT_UNLOCK (element);
  self->phase.used++;
}

void
tl_skips_add (TlSkips *self, GstElement *element, const TlSampleMeta *sample,
    const TlError *reason)
{
  g_autofree gchar *path = NULL, *text = NULL;

  GST_OBJECT_LOCK (element);
  self->n_skipped++;
  GST_OBJECT_UNLOCK (element);
  self->phase.skipped++;
  gst_element_post_message (element,
      tl_message_new_sample_error (GST_OBJECT (element), sample,
          reason->message, reason->offset, self->phase.skipped));
  if (self->n_skipped > MAX_WARNINGS)
    return;
  self->phase.warned++;
  path = tl_message_make_line (
      sample && sample->path ? sample->path : "a picture");
  text = tl_message_make_line (reason->message);
  GST_ELEMENT_WARNING (element, STREAM, DECODE, ("Skipped %s: %s", path, text),
      ("%s", reason->detail[0] ? reason->detail : "the sample is left out"));
}

gchar *
tl_skips_describe (const TlSampleMeta *sample, const TlError *reason)
{
  g_autofree gchar *text = g_strdup_printf ("%s: %s",
      sample && sample->path ? sample->path : "A picture", reason->message);

  return tl_message_make_line (text);
}

TlStatus
tl_skips_end (TlSkips *self, GstElement *element, TlPhaseEnd *end,
    TlError *error)
{
  const TlSkipsPhase *phase = &self->phase;
  TlStatus status = TL_OK;

  if (has_name (phase, end->epoch, end->split) || !phase->is_named)
    status = close_phase (self, element, !phase->is_cut, error);
  if (has_name (&self->ended, end->epoch, end->split)
      || !self->ended.is_named) {
    end->skipped += self->ended.skipped;
    self->ended.skipped = 0;
  }
  return status;
}

/* Without a position there is no telling whether more was to come. */
TlStatus
tl_skips_eos (TlSkips *self, GstElement *element, TlError *error)
{
  return close_phase (self, element, is_at_end (&self->phase), error);
}
