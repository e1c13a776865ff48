/* SPDX-License-Identifier: BSD-3-Clause */

/* The reference backend: a shim library without libtorch, for the tests of the
 * elements. It is built but not installed.
 *
 * Its only architecture is "thumbnail": a picture is shrunk to 8 x 8 pixels by
 * box average, normalised, multiplied by stem.weight (which stands for the
 * frozen stages) and classified by softmax regression (fc.weight, fc.bias). It
 * really learns, takes microseconds, and its results depend on neither thread
 * count nor timing. It trains with SGD alone; there is no BatchNorm, so
 * train_bn has nothing to act on, and one arithmetic, so exact has neither.
 *
 * Tests may ask it to misbehave: the environment variable
 * TLPIPE_REFERENCE_FAIL is read when a model or a trainer is made and holds
 * one or more of these, separated by commas:
 *
 *   step:N      the N-th training step of the process, counted from 1, fails
 *               with TL_ERROR_BACKEND and changes nothing
 *   step-ms:N   every training step takes N milliseconds longer
 *   infer:N     the same for the calls of tl_model_infer
 *   infer-ms:N */

#ifndef TL_REFERENCE_H
#define TL_REFERENCE_H

#include "tlbackend.h"

#define TL_THUMBNAIL_SIDE 8
#define TL_THUMBNAIL_FEATURES (TL_THUMBNAIL_SIDE * TL_THUMBNAIL_SIDE * 3)

enum
{
  TL_PARAMETER_STEM,      /* [192] */
  TL_PARAMETER_FC_WEIGHT, /* [n_classes, 192] */
  TL_PARAMETER_FC_BIAS,   /* [n_classes] */
  TL_N_PARAMETERS
};

typedef struct
{
  const char *name;
  uint32_t n_dims;
  int64_t shape[2];
  size_t n_values;
  float *values; /* dense */
  int trainable;
} TlParameter;

/* What TLPIPE_REFERENCE_FAIL asks for one kind of call; 0: nothing. */
typedef struct
{
  uint32_t fail_at;
  uint32_t delay_ms;
} TlMisbehaviour;

struct TlBackendModel
{
  TlParameter parameters[TL_N_PARAMETERS];
  uint32_t n_classes;
  uint32_t n_threads; /* as asked for; the work is done by one */
  float mean[3], std[3];
  TlMisbehaviour on_infer;
};

/* Parses TLPIPE_REFERENCE_FAIL for "step" or "infer"; anything it does not
 * know is TL_ERROR_ARGUMENT. */
TlStatus tl_misbehaviour_read (const char *call, TlMisbehaviour *ret,
    TlError *error);

/* Waits, and fails if this is the call to fail. @n_calls counts the calls of
 * the process. */
TlStatus tl_misbehaviour_act (const TlMisbehaviour *misbehaviour,
    const char *call, uint32_t *n_calls, TlError *error);

/* ---- Arithmetic, without any check -------------------------------------- */

/* Picture @i of @batch as TL_THUMBNAIL_FEATURES normalised values, rows of
 * interleaved pixels. */
void tl_thumbnail_shrink (const TlBackendModel *model, const TlBatch *batch,
    uint32_t i, float *pixels);

/* features = pixels x stem.weight, elementwise; may be in place. */
void tl_thumbnail_apply_stem (const TlBackendModel *model, const float *pixels,
    float *features);

/* logits = fc.weight x features + fc.bias. */
void tl_thumbnail_classify (const TlBackendModel *model, const float *features,
    float *logits);

/* Turns @n logits into probabilities in place; returns the cross-entropy
 * against @label in nats. */
double tl_thumbnail_softmax (float *logits, uint32_t n, uint32_t label);

/* Position of the largest of @n values, the first of equal ones. */
uint32_t tl_thumbnail_arg_max (const float *values, uint32_t n);

/* ---- The trainer's part of the table ------------------------------------ */

TlStatus tl_reference_trainer_new (TlBackendModel *model,
    const TlTrainerOptions *options, TlBackendTrainer **ret, TlError *error);
void tl_reference_trainer_free (TlBackendTrainer *trainer);
TlStatus tl_reference_trainer_step (TlBackendTrainer *trainer,
    const TlBatch *batch, const int32_t *labels, double lr, TlStepResult *ret,
    TlError *error);
TlStatus tl_reference_trainer_step_features (TlBackendTrainer *trainer,
    const float *features, const int32_t *labels, uint32_t n, double lr,
    TlStepResult *ret, TlError *error);
TlStatus tl_reference_trainer_visit (TlBackendTrainer *trainer,
    TlTensorVisitor visitor, void *user, TlError *error);
TlStatus tl_reference_trainer_restore (TlBackendTrainer *trainer,
    const TlTensor *tensors, size_t n_tensors, TlError *error);

#endif
