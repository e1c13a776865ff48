/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlphasetracker.h"

static gboolean
is_phase (const TlPhaseTracker *self, guint32 epoch, TlSplit split)
{
  return self->is_open && self->phase.epoch == epoch
      && self->phase.split == split;
}

/* Below, at or above 0: before, in or behind the latest phase. */
static gint64
compare_to_latest (const TlPhaseTracker *self, guint32 epoch, TlSplit split)
{
  return ((gint64) epoch - self->latest_epoch) * TL_N_SPLITS + split
      - self->latest_split;
}

gboolean
tl_phase_tracker_has_order (const TlPhaseTracker *self,
    const TlBatchMeta *batch)
{
  const TlBatchSample *samples = batch->samples;
  gint64 order = compare_to_latest (self, batch->epoch, batch->split);

  for (guint32 i = 1; i < batch->n_valid; i++) {
    if (samples[i].position <= samples[i - 1].position)
      return FALSE;
  }
  if (samples[batch->n_valid - 1].position >= batch->n)
    return FALSE;
  return !self->has_come || order > 0
      || (order == 0 && self->is_open && samples[0].position >= self->next);
}

static gboolean
close_phase (TlPhaseTracker *self, guint64 skipped, TlEndedPhase *ended)
{
  *ended = (TlEndedPhase){.phase = self->phase,
      .skipped = skipped,
      .complete = !self->is_cut};
  self->is_open = FALSE;
  return TRUE;
}

/* For the signs that do not say how many were skipped: those of
 * [first, end) that did not come. */
static gboolean
close_without_count (TlPhaseTracker *self, guint64 end, TlEndedPhase *ended)
{
  guint64 wanted = end > self->phase.first ? end - self->phase.first : 0;
  guint64 missing = wanted > self->n_samples ? wanted - self->n_samples : 0;

  return close_phase (self, self->is_cut ? 0 : missing, ended);
}

static gboolean
open_phase (TlPhaseTracker *self, const TlPhase *phase, TlEndedPhase *ended)
{
  gboolean has_ended =
      self->is_open && close_without_count (self, self->phase.n, ended);

  self->is_open = TRUE;
  self->phase = *phase;
  self->next = phase->first;
  self->n_samples = 0;
  self->is_cut = FALSE;
  return has_ended;
}

gboolean
tl_phase_tracker_begin (TlPhaseTracker *self, const TlPhase *phase,
    TlEndedPhase *ended)
{
  if (is_phase (self, phase->epoch, phase->split))
    self->phase = *phase;
  else if (!self->has_come
      || compare_to_latest (self, phase->epoch, phase->split) > 0)
    return open_phase (self, phase, ended);
  return FALSE;
}

gboolean
tl_phase_tracker_samples (TlPhaseTracker *self, const TlPhase *phase,
    guint n_samples, guint64 last_position, TlEndedPhase *ended)
{
  gboolean has_ended = FALSE;

  if (!is_phase (self, phase->epoch, phase->split))
    has_ended = open_phase (self, phase, ended);
  self->n_samples += n_samples;
  self->next = last_position + 1;
  self->has_come = TRUE;
  self->latest_epoch = phase->epoch;
  self->latest_split = phase->split;
  return has_ended;
}

gboolean
tl_phase_tracker_end (TlPhaseTracker *self, const TlPhaseEnd *end,
    TlEndedPhase *ended)
{
  return is_phase (self, end->epoch, end->split)
      && close_phase (self, end->skipped, ended);
}

gboolean
tl_phase_tracker_eos (TlPhaseTracker *self, TlEndedPhase *ended)
{
  return self->is_open && self->next >= self->phase.n
      && close_without_count (self, self->phase.n, ended);
}

void
tl_phase_tracker_flush (TlPhaseTracker *self)
{
  self->is_cut = self->is_open;
  self->has_come = FALSE;
}
