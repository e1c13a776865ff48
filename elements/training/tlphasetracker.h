/* SPDX-License-Identifier: BSD-3-Clause */

/* Which phase the stream is in, and when one has ended.
 *
 * A foreign decoder may hold or drop an event, so there are three signs that a
 * phase has ended: its tl-phase-end, a sample or tl-phase of another phase, and
 * EOS behind its last sample. EOS anywhere else is an interruption. */

#ifndef TL_PHASE_TRACKER_H
#define TL_PHASE_TRACKER_H

#include <tlbatchmeta.h>
#include <tlevents.h>

G_BEGIN_DECLS

typedef struct
{
  TlPhase phase;
  guint64 skipped;   /* samples that were given up since phase.first */
  gboolean complete; /* FALSE: a flush dropped a part of it */
} TlEndedPhase;

typedef struct
{
  gboolean is_open; /* of the fields below, whether they hold */
  TlPhase phase;
  guint64 next;      /* position behind the last sample, or phase.first */
  guint64 n_samples; /* that came since phase.first */
  gboolean is_cut;   /* by a flush */

  /* Samples came, and were not flushed since: the phase of the latest. */
  gboolean has_come;
  guint32 latest_epoch;
  TlSplit latest_split;
} TlPhaseTracker;

/* Whether the samples of @batch come in order: epochs follow each other, in
 * each the splits in their order, in each positions below n. A flush begins
 * anew. */
gboolean tl_phase_tracker_has_order (const TlPhaseTracker *self,
    const TlBatchMeta *batch);

/* tl-phase came. Returns TRUE, with @ended filled, if that ended another
 * phase. The same phase once more changes nothing but what is announced, and
 * that of a phase which has ended, nothing: the event is sticky. */
gboolean tl_phase_tracker_begin (TlPhaseTracker *self, const TlPhase *phase,
    TlEndedPhase *ended);

/* @n_samples of phase->epoch and phase->split came, the last of them at
 * @last_position. Opens that phase if no tl-phase did. Returns as above;
 * @ended is never the phase of these samples. */
gboolean tl_phase_tracker_samples (TlPhaseTracker *self, const TlPhase *phase,
    guint n_samples, guint64 last_position, TlEndedPhase *ended);

/* tl-phase-end came. Returns TRUE if it belongs to the open phase. */
gboolean tl_phase_tracker_end (TlPhaseTracker *self, const TlPhaseEnd *end,
    TlEndedPhase *ended);

/* EOS came. Returns TRUE if it is behind the last sample of the open phase. */
gboolean tl_phase_tracker_eos (TlPhaseTracker *self, TlEndedPhase *ended);

/* A flush drops what is under way. */
void tl_phase_tracker_flush (TlPhaseTracker *self);

G_END_DECLS

#endif
