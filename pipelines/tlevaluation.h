/* SPDX-License-Identifier: BSD-3-Clause */

/* How good a model is on a split, in a table or a JSON object. */

#ifndef TL_EVALUATION_H
#define TL_EVALUATION_H

#include <gst/gst.h>

#include "tloutput.h"

G_BEGIN_DECLS

typedef struct _TlEvaluation TlEvaluation;

/* From a tl-metrics of a whole phase (tlmessages.h); @classes are the names,
 * one per line, NULL if unknown. *transferred*. */
TlEvaluation *tl_evaluation_new (const GstStructure *metrics,
    const gchar *classes);
void tl_evaluation_free (TlEvaluation *self);

/* Pictures of class @truth that were taken for @found. */
guint64 tl_evaluation_count (const TlEvaluation *self, guint truth,
    guint found);

/* Of the class's pictures, the share that was found; of the others, the share
 * that was not taken for it. Not a number where there are no such pictures. */
gdouble tl_evaluation_sensitivity (const TlEvaluation *self, guint klass);
gdouble tl_evaluation_specificity (const TlEvaluation *self, guint klass);

/* Lines for people, or one object of type "evaluation". */
void tl_evaluation_write (const TlEvaluation *self, TlOutput *output,
    const gchar *checkpoint, const gchar *data);

G_END_DECLS

#endif
