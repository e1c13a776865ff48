/* SPDX-License-Identifier: BSD-3-Clause */

/* Accounts for the samples an element gives up: each with an element message,
 * the first few with a warning, the rest with one warning per phase. */

#ifndef TL_SKIPS_H
#define TL_SKIPS_H

#include <gst/gst.h>

#include <tlsamplemeta.h>
#include <tlstatus.h>

G_BEGIN_DECLS

/* All zero to begin with. One thread; the totals change under the element's
 * object lock, so that others may read them. */
typedef struct
{
  guint64 n_used, n_skipped;         /* since READY */
  guint64 phase_used, phase_skipped; /* since the phase began */
  guint64 phase_warned;              /* of these, with a warning */
} TlSkips;

/* Forgets an unfinished phase, after a flush. */
void tl_skips_begin_phase (TlSkips *self);
void tl_skips_add_used (TlSkips *self, GstElement *element);

/* Reports one sample given up for @reason (a sentence) on @element. @sample
 * may be NULL. */
void tl_skips_add (TlSkips *self, GstElement *element,
    const TlSampleMeta *sample, const TlError *reason);

/* Ends the phase: sums up what had no warning of its own, and posts an error
 * and returns FALSE if every sample of the phase was given up. */
gboolean tl_skips_end_phase (TlSkips *self, GstElement *element);

G_END_DECLS

#endif
