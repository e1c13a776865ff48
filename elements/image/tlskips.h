/* SPDX-License-Identifier: BSD-3-Clause */

/* Accounts for the samples an element gives up: each with an element message,
 * the first few with a warning, and one warning that sums up each phase that
 * lost some.
 *
 * A phase ends by its tl-phase-end, by the tl-phase or a sample of another one,
 * or by EOS, whichever comes first: foreign elements in between may hold events
 * back or drop them. */

#ifndef TL_SKIPS_H
#define TL_SKIPS_H

#include <gst/gst.h>

#include <tlevents.h>
#include <tlsamplemeta.h>
#include <tlstatus.h>

G_BEGIN_DECLS

/* What is known of one phase. */
typedef struct
{
  gboolean is_named; /* epoch and split are known */
  guint32 epoch;
  TlSplit split;
  guint64 n;       /* samples in it; 0: not known */
  guint64 next;    /* position after that of the newest sample */
  gboolean is_cut; /* began elsewhere: a resume, a flush */
  guint64 used, skipped;
  guint64 warned; /* of the skipped, with a warning of their own */
} TlSkipsPhase;

/* All zero to begin with. One thread; the totals change under the element's
 * object lock, so that others may read them. */
typedef struct
{
  guint64 n_used, n_skipped; /* since READY */
  TlSkipsPhase phase;        /* under way */
  TlSkipsPhase ended;        /* before it */
} TlSkips;

/* Forgets what was counted of the phase, after a flush or an error. */
void tl_skips_cut (TlSkips *self);

/* The next phase was announced. TL_ERROR_FORMAT if the one before was nothing
 * but samples given up. The same holds for tl_skips_follow(), tl_skips_end() and
 * tl_skips_eos(). */
TlStatus tl_skips_begin (TlSkips *self, GstElement *element,
    const TlPhase *phase, TlError *error);

/* A sample comes, of the phase under way or of the next one. @sample may be
 * NULL. Call it before one of the two below. */
TlStatus tl_skips_follow (TlSkips *self, GstElement *element,
    const TlSampleMeta *sample, TlError *error);
void tl_skips_add_used (TlSkips *self, GstElement *element);

/* Reports one sample given up for @reason (a sentence) on @element. @sample
 * may be NULL. */
void tl_skips_add (TlSkips *self, GstElement *element,
    const TlSampleMeta *sample, const TlError *reason);

/* One line on a sample and the @reason (a sentence) it is given up for;
 * *transferred*. @sample may be NULL. */
gchar *tl_skips_describe (const TlSampleMeta *sample, const TlError *reason);

/* The phase's end came, perhaps late: adds to @end how many of its samples were
 * given up here. */
TlStatus tl_skips_end (TlSkips *self, GstElement *element, TlPhaseEnd *end,
    TlError *error);

/* The stream ends, perhaps in the middle of a phase. */
TlStatus tl_skips_eos (TlSkips *self, GstElement *element, TlError *error);

G_END_DECLS

#endif
