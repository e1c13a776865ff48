/* SPDX-License-Identifier: BSD-3-Clause */

/* A checkpoint ready to classify pictures: its model, class names and
 * preprocessing. Knows no pads. */

#ifndef TL_CLASSIFIER_H
#define TL_CLASSIFIER_H

#include <glib.h>

#include <tlstatus.h>

#include "tllivepicture.h"
#include "tlpreprocess.h"

G_BEGIN_DECLS

typedef struct TlClassifier TlClassifier;

typedef struct
{
  const gchar *checkpoint; /* path of a file that checkpointsink wrote */
  const gchar *device;     /* "auto", "cpu", "cuda", "cuda:N" */
  guint n_threads;         /* 0: the affinity mask */
} TlClassifierOptions;

/* Loads libtorch, reads the checkpoint and builds the model; *transferred* to
 * @ret. */
TlStatus tl_classifier_new (const TlClassifierOptions *options,
    TlClassifier **ret, TlError *error);

/* It is counted, because a model that hangs outlives the element that asked
 * it. */
TlClassifier *tl_classifier_ref (TlClassifier *self);
void tl_classifier_unref (TlClassifier *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TlClassifier, tl_classifier_unref)

/* All *borrowed*, for the classifier's life. */
guint tl_classifier_n_classes (const TlClassifier *self);
const gchar *const *tl_classifier_classes (const TlClassifier *self);
const TlPreprocess *tl_classifier_preprocess (const TlClassifier *self);

/* The first 16 hex digits of the file's SHA-256. */
GQuark tl_classifier_id (const TlClassifier *self);

/* Makes the model's input of @frame, which @info describes; *borrowed*, and not
 * needed after that. With @prepared it has been cropped and resized already.
 * Errors: those of tllivepicture.h. One thread at a time, also for the next. */
TlStatus tl_classifier_take (TlClassifier *self, GstBuffer *frame,
    const GstVideoInfo *info, gboolean prepared, TlField field, TlError *error);

/* That input: packed RGB of the preprocessing's size. *borrowed*, until the
 * next. */
const guint8 *tl_classifier_input (const TlClassifier *self);

/* Probabilities (n_classes values in [0, 1]) of the picture taken last. */
TlStatus tl_classifier_run (TlClassifier *self, gfloat *probabilities,
    TlError *error);

G_END_DECLS

#endif
