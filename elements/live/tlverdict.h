/* SPDX-License-Identifier: BSD-3-Clause */

/* What frames carry at the moment: the decision from the newest result, or why
 * there is none. For one thread. */

#ifndef TL_VERDICT_H
#define TL_VERDICT_H

#include <gst/gst.h>

#include "tldecision.h"
#include "tlinferworker.h"
#include "tlresultmeta.h"

G_BEGIN_DECLS

typedef struct
{
  TlResultMeta now;            /* its GstMeta is not used */
  const gchar *const *classes; /* borrowed */
  TlDecision decision;
  guint32 *order;
} TlVerdict;

/* {0} is cleared. @classes: n_classes names, *borrowed*. FALSE if memory is
 * out. */
gboolean tl_verdict_init (TlVerdict *self, const gchar *const *classes);
void tl_verdict_clear (TlVerdict *self);

/* Nothing is known yet: a new stream. */
void tl_verdict_reset (TlVerdict *self);

/* A result, and its probabilities if its status is TL_OK. Other classes, from
 * another model, have to be given to tl_verdict_init(). */
void tl_verdict_set_result (TlVerdict *self, const TlInferResult *result,
    const gfloat *probabilities, const TlDecisionRules *rules);

/* There is no result for the frame at @pts, because of @reason. */
void tl_verdict_set_fault (TlVerdict *self, GstClockTime pts,
    const gchar *reason);

/* Adds it to @frame, which must be writable; the meta is *borrowed* from it. */
TlResultMeta *tl_verdict_attach (const TlVerdict *self, GstBuffer *frame);

/* Whether people would see a difference: state, reason or first class. */
gboolean tl_verdict_differs (const TlResultMeta *a, const TlResultMeta *b);

G_END_DECLS

#endif
