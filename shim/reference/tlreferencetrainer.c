/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlreference.h"
#include "tlconvert.h"
#include "tlfail.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct TlBackendTrainer
{
  TlBackendModel *model; /* borrowed */
  double momentum, weight_decay;
  uint32_t nesterov;
  TlMisbehaviour on_step;
  /* Of every parameter; NULL where frozen. */
  double *gradients[TL_N_PARAMETERS];
  float *momenta[TL_N_PARAMETERS];
  int has_momenta; /* after the first step with a momentum */
  float *scores;   /* logits, then probabilities, of one sample */
};

static TlStatus
check_supported (const TlTrainerOptions *options, TlError *error)
{
  if (options->optimizer != TL_OPTIMIZER_SGD)
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "the reference backend only has the optimizer SGD");
  if (options->label_smoothing > 0 || options->clip_grad_norm > 0)
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "the reference backend has neither label smoothing nor gradient "
        "clipping");
  return TL_OK;
}

static int
allocate_state (TlBackendTrainer *trainer)
{
  const TlBackendModel *model = trainer->model;

  trainer->scores = calloc (model->n_classes, sizeof (float));
  if (!trainer->scores)
    return 0;
  for (int p = 0; p < TL_N_PARAMETERS; p++) {
    size_t n = model->parameters[p].n_values;

    if (!model->parameters[p].trainable)
      continue;
    trainer->gradients[p] = calloc (n, sizeof (double));
    trainer->momenta[p] = calloc (n, sizeof (float));
    if (!trainer->gradients[p] || !trainer->momenta[p])
      return 0;
  }
  return 1;
}

TlStatus
tl_reference_trainer_new (TlBackendModel *model,
    const TlTrainerOptions *options, TlBackendTrainer **ret, TlError *error)
{
  TlBackendTrainer *trainer;
  TlMisbehaviour on_step;
  TlStatus status;

  if ((status = check_supported (options, error))
      || (status = tl_misbehaviour_read ("step", &on_step, error)))
    return status;
  trainer = calloc (1, sizeof *trainer);
  if (!trainer)
    return tl_fail (error, TL_ERROR_MEMORY, "out of memory for a trainer");
  trainer->model = model;
  trainer->momentum = options->momentum;
  trainer->weight_decay = options->weight_decay;
  trainer->nesterov = options->nesterov;
  trainer->on_step = on_step;
  if (!allocate_state (trainer)) {
    tl_reference_trainer_free (trainer);
    return tl_fail (error, TL_ERROR_MEMORY, "out of memory for a trainer");
  }
  *ret = trainer;
  return TL_OK;
}

void
tl_reference_trainer_free (TlBackendTrainer *trainer)
{
  for (int p = 0; p < TL_N_PARAMETERS; p++) {
    free (trainer->gradients[p]);
    free (trainer->momenta[p]);
  }
  free (trainer->scores);
  free (trainer);
}

/* ---- Gradients ---------------------------------------------------------- */

static void
clear_gradients (TlBackendTrainer *trainer)
{
  for (int p = 0; p < TL_N_PARAMETERS; p++) {
    if (trainer->gradients[p])
      memset (trainer->gradients[p], 0,
          trainer->model->parameters[p].n_values * sizeof (double));
  }
}

/* Adds what class @k contributes: d(loss)/d(logit k) is @slope. @pixels are
 * read only where stem.weight is trainable. */
static void
add_class_gradient (TlBackendTrainer *trainer, uint32_t k, double slope,
    const float *pixels, const float *features)
{
  const float *weight =
      trainer->model->parameters[TL_PARAMETER_FC_WEIGHT].values
      + (size_t) k * TL_THUMBNAIL_FEATURES;
  double *d_weight = trainer->gradients[TL_PARAMETER_FC_WEIGHT]
      + (size_t) k * TL_THUMBNAIL_FEATURES;
  double *d_stem = trainer->gradients[TL_PARAMETER_STEM];

  trainer->gradients[TL_PARAMETER_FC_BIAS][k] += slope;
  for (int j = 0; j < TL_THUMBNAIL_FEATURES; j++) {
    d_weight[j] += slope * (double) features[j];
    if (d_stem)
      d_stem[j] += slope * (double) weight[j] * (double) pixels[j];
  }
}

/* Forward and backward pass of one of @n samples; returns its loss. */
static double
add_sample (TlBackendTrainer *trainer, const float *pixels,
    const float *features, uint32_t label, uint32_t n, uint32_t *n_correct)
{
  const TlBackendModel *model = trainer->model;
  float *scores = trainer->scores;
  double loss;

  tl_thumbnail_classify (model, features, scores);
  *n_correct += tl_thumbnail_arg_max (scores, model->n_classes) == label;
  loss = tl_thumbnail_softmax (scores, model->n_classes, label);
  for (uint32_t k = 0; k < model->n_classes; k++) {
    double slope = ((double) scores[k] - (k == label)) / n;

    add_class_gradient (trainer, k, slope, pixels, features);
  }
  return loss;
}

/* ---- SGD ---------------------------------------------------------------- */

/* As torch.optim.SGD with dampening 0 defines it: the first momentum is the
 * gradient itself. */
static void
update_parameter (TlBackendTrainer *trainer, int p, double lr)
{
  TlParameter *parameter = &trainer->model->parameters[p];
  float *buffer = trainer->momenta[p];
  float momentum = (float) trainer->momentum;

  for (size_t j = 0; j < parameter->n_values; j++) {
    float step = (float) trainer->gradients[p][j]
        + (float) trainer->weight_decay * parameter->values[j];

    if (trainer->momentum > 0) {
      buffer[j] = trainer->has_momenta ? momentum * buffer[j] + step : step;
      step = trainer->nesterov ? step + momentum * buffer[j] : buffer[j];
    }
    parameter->values[j] -= (float) lr * step;
  }
}

/* Ends a step whose gradients are summed up and whose loss is @loss. */
static TlStatus
finish_step (TlBackendTrainer *trainer, double loss, uint32_t n_correct,
    double lr, TlStepResult *ret, TlError *error)
{
  if (!isfinite (loss))
    return tl_fail (error, TL_ERROR_BACKEND,
        "the loss is %g: a lower learning rate may help", loss);
  for (int p = 0; p < TL_N_PARAMETERS; p++) {
    if (trainer->gradients[p])
      update_parameter (trainer, p, lr);
  }
  trainer->has_momenta = trainer->momentum > 0;
  if (ret) {
    ret->loss = (float) loss;
    ret->n_correct = n_correct;
  }
  return TL_OK;
}

static TlStatus
begin_step (TlBackendTrainer *trainer, TlError *error)
{
  static uint32_t n_steps;

  clear_gradients (trainer);
  return tl_misbehaviour_act (&trainer->on_step, "step", &n_steps, error);
}

TlStatus
tl_reference_trainer_step (TlBackendTrainer *trainer, const TlBatch *batch,
    const int32_t *labels, double lr, TlStepResult *ret, TlError *error)
{
  float pixels[TL_THUMBNAIL_FEATURES], features[TL_THUMBNAIL_FEATURES];
  uint32_t n_correct = 0;
  double loss = 0;
  TlStatus status = begin_step (trainer, error);

  if (status)
    return status;
  for (uint32_t i = 0; i < batch->n; i++) {
    tl_thumbnail_shrink (trainer->model, batch, i, pixels);
    tl_thumbnail_apply_stem (trainer->model, pixels, features);
    loss += add_sample (trainer, pixels, features, (uint32_t) labels[i],
        batch->n, &n_correct);
  }
  return finish_step (trainer, loss / batch->n, n_correct, lr, ret, error);
}

TlStatus
tl_reference_trainer_step_features (TlBackendTrainer *trainer,
    const float *features, const int32_t *labels, uint32_t n, double lr,
    TlStepResult *ret, TlError *error)
{
  uint32_t n_correct = 0;
  double loss = 0;
  TlStatus status = begin_step (trainer, error);

  if (status)
    return status;
  for (uint32_t i = 0; i < n; i++) {
    loss += add_sample (trainer, NULL, features, (uint32_t) labels[i], n,
        &n_correct);
    features += TL_THUMBNAIL_FEATURES;
  }
  return finish_step (trainer, loss / n, n_correct, lr, ret, error);
}

/* ---- State -------------------------------------------------------------- */

static void
write_slot_name (const TlParameter *parameter, char *name, size_t size)
{
  snprintf (name, size, "optimizer.%s.momentum_buffer", parameter->name);
}

TlStatus
tl_reference_trainer_visit (TlBackendTrainer *trainer, TlTensorVisitor visitor,
    void *user, TlError *error)
{
  if (!trainer->has_momenta)
    return TL_OK;
  for (int p = 0; p < TL_N_PARAMETERS; p++) {
    const TlParameter *parameter = &trainer->model->parameters[p];
    char name[64];
    TlTensor tensor = {.name = name,
        .dtype = TL_DTYPE_F32,
        .n_dims = parameter->n_dims,
        .data = trainer->momenta[p]};
    TlStatus status;

    if (!parameter->trainable)
      continue;
    write_slot_name (parameter, name, sizeof name);
    memcpy (tensor.shape, parameter->shape, sizeof parameter->shape);
    tl_tensor_set_contiguous (&tensor);
    status = visitor (&tensor, TL_TENSOR_BUFFER, user);
    if (status)
      return status;
  }
  return TL_OK;
}

static int
slot_fits (const TlTensor *tensor, const TlParameter *parameter)
{
  if (tensor->dtype != TL_DTYPE_F32 || tensor->n_dims != parameter->n_dims)
    return 0;
  for (uint32_t d = 0; d < parameter->n_dims; d++) {
    if (tensor->shape[d] != parameter->shape[d])
      return 0;
  }
  return 1;
}

/* The trainable parameter whose momentum @tensor is, or -1. */
static int
find_parameter (const TlBackendTrainer *trainer, const TlTensor *tensor)
{
  for (int p = 0; p < TL_N_PARAMETERS; p++) {
    char name[64];

    write_slot_name (&trainer->model->parameters[p], name, sizeof name);
    if (trainer->momenta[p] && strcmp (tensor->name, name) == 0)
      return p;
  }
  return -1;
}

static TlStatus
check_slots (const TlBackendTrainer *trainer, const TlTensor *tensors,
    size_t n_tensors, TlError *error)
{
  size_t n_trainable = 0;

  for (int p = 0; p < TL_N_PARAMETERS; p++)
    n_trainable += trainer->momenta[p] != NULL;
  for (size_t i = 0; i < n_tensors; i++) {
    int p = trainer->momentum > 0 ? find_parameter (trainer, &tensors[i]) : -1;

    if (p < 0 || !slot_fits (&tensors[i], &trainer->model->parameters[p]))
      return tl_fail (error, TL_ERROR_ARGUMENT,
          "optimizer state \"%.128s\" belongs to no trainable parameter, or "
          "has another shape or dtype",
          tensors[i].name);
  }
  if (n_tensors > 0 && n_tensors != n_trainable)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "the optimizer state has %zu of %zu tensors", n_tensors, n_trainable);
  return TL_OK;
}

TlStatus
tl_reference_trainer_restore (TlBackendTrainer *trainer,
    const TlTensor *tensors, size_t n_tensors, TlError *error)
{
  TlStatus status = check_slots (trainer, tensors, n_tensors, error);

  if (status)
    return status;
  for (size_t i = 0; i < n_tensors; i++)
    tl_convert_to_f32 (&tensors[i],
        trainer->momenta[find_parameter (trainer, &tensors[i])]);
  trainer->has_momenta = n_tensors > 0;
  return TL_OK;
}
