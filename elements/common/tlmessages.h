/* SPDX-License-Identifier: BSD-3-Clause */

/* tlpipe's element messages; built here alone. An application reads the fields
 * from the message's structure. A field that does not apply is left out: there
 * are no sentinels.
 *
 *   tl-model         what was built: modules, parameters, frozen or not
 *   tl-metrics       loss, accuracy... of some steps or of a whole phase
 *   tl-sample-error  one picture that could not be used
 *   tl-checkpoint    a file was written
 *   tl-result        what the model says of a frame
 *   tl-flow          who waited for whom during a phase */

#ifndef TL_MESSAGES_H
#define TL_MESSAGES_H

#include <math.h>

#include "tlcaps.h"
#include "tlresultmeta.h"
#include "tlsamplemeta.h"

G_BEGIN_DECLS

/* @text as one line for people: what is no UTF-8 as U+FFFD, line ends and
 * whatever else does not show as "\\n", "\\u001b"... A file's name may hold
 * anything. *transferred*. */
TL_API gchar *tl_message_make_line (const gchar *text);

/* The number in a double field that does not apply. */
#define TL_ABSENT ((gdouble) NAN)

typedef struct
{
  const gchar *name; /* "layer4" */
  guint64 parameters;
  gboolean frozen;
} TlModelModule;

typedef struct
{
  const gchar *arch;
  const gchar *device;    /* "cpu", "cuda:0" */
  const gchar *precision; /* "fp32", "bf16" */
  const gchar *backend;   /* "torch 2.13.0" */
  const gchar *weights;   /* the file, or "random" */
  guint n_classes;
  guint n_threads;
  gboolean new_head;
  guint64 n_parameters;
  guint64 n_trainable;
  const TlModelModule *modules;
  guint n_modules;
} TlModelReport;

/* Fields: arch, device, precision, backend, weights (string), n-classes,
 * n-threads (uint), new-head (boolean), n-parameters, n-trainable (uint64),
 * modules: array of structures "module" {name, parameters (uint64), frozen}. */
TL_API GstMessage *tl_message_new_model (GstObject *source,
    const TlModelReport *report);

typedef enum
{
  TL_SCOPE_STEP = 0,  /* since the last message of this scope */
  TL_SCOPE_PHASE = 1, /* a whole phase */
} TlScope;

/* Doubles may be TL_ABSENT. */
typedef struct
{
  TlScope scope;
  TlSplit split;
  guint32 epoch;  /* from 0 */
  guint32 epochs; /* 0: endless */
  guint64 step;   /* optimizer steps since the start of training */
  guint64 n;      /* samples counted */
  guint64 skipped;
  gboolean complete;         /* FALSE: a part of the phase is missing */
  gdouble loss;              /* mean cross-entropy, nats */
  gdouble accuracy;          /* [0, 1] */
  gdouble balanced_accuracy; /* mean recall over the classes seen */
  gdouble auc;               /* two classes: area under the ROC curve */
  gdouble lr;
  gdouble images_per_second;
  gdouble wait_ms;          /* the trainer waited for data, all in all */
  const guint64 *confusion; /* n_classes x n_classes, row = truth; or NULL */
  guint n_classes;
} TlMetrics;

/* Fields: scope ("step", "phase"), split (string), epoch, epochs (uint), step,
 * n, skipped (uint64), complete (boolean), loss, accuracy, balanced-accuracy,
 * auc, lr, images-per-second, wait-ms (double), confusion: array of rows, each
 * an array of uint64. */
TL_API GstMessage *tl_message_new_metrics (GstObject *source,
    const TlMetrics *metrics);

/* Fields: path, reason (string), index, position (uint64), epoch (uint), split
 * (string), count (uint64: those reported in this phase so far), offset (uint64:
 * bytes from the start of the file to where the fault was found). @sample may
 * be NULL: then only reason, count and offset. A negative @offset is not known
 * and left out. Bytes of a path that are no UTF-8 become U+FFFD. */
TL_API GstMessage *tl_message_new_sample_error (GstObject *source,
    const TlSampleMeta *sample, const gchar *reason, gint64 offset,
    guint64 count);

/* Fields: path (string), epoch (uint), step (uint64), size (uint64, bytes),
 * kind ("last", "best", "epoch"), monitor (string) and value (double) where
 * there is one. */
TL_API GstMessage *tl_message_new_checkpoint (GstObject *source,
    const gchar *path, const gchar *kind, guint32 epoch, guint64 step,
    guint64 size, const gchar *monitor, gdouble value);

/* Fields: state, reason, model (string), pts, inference-time (uint64, ns;
 * pts left out if unknown), path, label (of a folder sample), classes: array
 * of strings, probabilities: array of doubles, best first. @sample may be
 * NULL. */
TL_API GstMessage *tl_message_new_result (GstObject *source,
    const TlResultMeta *result, const TlSampleMeta *sample);

/* Fields: epoch (uint), split (string), seconds, wait-share (double, [0, 1]:
 * of the phase's time, the trainer waited for data), slowest (string:
 * "data" or "model"). */
TL_API GstMessage *tl_message_new_flow (GstObject *source, guint32 epoch,
    TlSplit split, gdouble seconds, gdouble wait_share);

G_END_DECLS

#endif
