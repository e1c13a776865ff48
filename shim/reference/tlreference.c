/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlreference.h"
#include "tlarch.h"
#include "tlconvert.h"
#include "tlcpu.h"
#include "tlfail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Library and devices ------------------------------------------------ */

static TlStatus
describe_backend (TlBackendInfo *ret, TlError *error)
{
  snprintf (ret->name, sizeof ret->name, "reference");
  snprintf (ret->version, sizeof ret->version, "%u", TL_SHIM_ABI);
  return TL_OK;
}

static TlStatus
open_device (const TlDeviceChoice *device, TlDeviceInfo *ret, TlError *error)
{
  if (device->kind == TL_DEVICE_CHOICE_CUDA)
    return tl_fail (error, TL_ERROR_DEVICE,
        "the reference backend has no CUDA: use the device cpu, or the torch "
        "backend");
  tl_cpu_describe (ret);
  return TL_OK;
}

/* ---- Model -------------------------------------------------------------- */

static TlStatus
check_supported (const TlModelOptions *options, TlError *error)
{
  if (!tl_arch_find (options->arch))
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "arch is \"%.32s\": the reference backend knows thumbnail",
        options->arch);
  if (strcmp (options->arch, "thumbnail") != 0)
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "the reference backend only knows the arch thumbnail, not \"%.32s\": "
        "load the torch backend (libtlshim-torch.so)",
        options->arch);
  if (options->precision == TL_PRECISION_BF16)
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "the reference backend computes in fp32: use the precision fp32 or "
        "auto");
  return TL_OK;
}

static const TlTensor *
find_tensor (const TlTensor *tensors, size_t n_tensors, const char *name)
{
  for (size_t i = 0; i < n_tensors; i++) {
    if (strcmp (tensors[i].name, name) == 0)
      return &tensors[i];
  }
  return NULL;
}

static TlStatus
take_parameter (TlParameter *parameter, const TlTensor *tensor, TlError *error)
{
  parameter->n_dims = tensor->n_dims;
  parameter->n_values = (size_t) tl_tensor_numel (tensor);
  memcpy (parameter->shape, tensor->shape, sizeof parameter->shape);
  parameter->values = calloc (parameter->n_values, sizeof (float));
  if (!parameter->values)
    return tl_fail (error, TL_ERROR_MEMORY, "out of memory for %s",
        parameter->name);
  tl_convert_to_f32 (tensor, parameter->values);
  return TL_OK;
}

static void
free_model (TlBackendModel *model)
{
  for (int p = 0; p < TL_N_PARAMETERS; p++)
    free (model->parameters[p].values);
  free (model);
}

/* @tensors are a complete state dict. */
static TlStatus
take_parameters (TlBackendModel *model, const TlTensor *tensors,
    size_t n_tensors, TlStage freeze, TlError *error)
{
  static const char *const names[] = {"stem.weight", "fc.weight", "fc.bias"};

  for (int p = 0; p < TL_N_PARAMETERS; p++) {
    TlParameter *parameter = &model->parameters[p];
    TlStatus status;

    parameter->name = names[p];
    parameter->trainable =
        freeze < (p == TL_PARAMETER_STEM ? TL_STAGE_STEM : TL_STAGE_FC);
    status = take_parameter (parameter,
        find_tensor (tensors, n_tensors, names[p]), error);
    if (status)
      return status;
  }
  return TL_OK;
}

static TlStatus
new_model (const TlModelOptions *options, const TlDeviceChoice *device,
    const TlTensor *tensors, size_t n_tensors, TlBackendModel **ret,
    TlError *error)
{
  TlBackendModel *model;
  TlDeviceInfo info = {0};
  TlMisbehaviour on_infer;
  uint32_t n_classes;
  TlStatus status;

  if ((status = check_supported (options, error))
      || (status = open_device (device, &info, error))
      || (status = tl_misbehaviour_read ("infer", &on_infer, error))
      || (status = tl_arch_check (tl_arch_find (options->arch), tensors,
              n_tensors, &n_classes, error)))
    return status;
  model = calloc (1, sizeof *model);
  if (!model)
    return tl_fail (error, TL_ERROR_MEMORY, "out of memory for a model");
  model->n_classes = n_classes;
  model->n_threads = options->n_threads ? options->n_threads : tl_cpu_count ();
  model->on_infer = on_infer;
  memcpy (model->mean, options->mean, sizeof model->mean);
  memcpy (model->std, options->std, sizeof model->std);

  status = take_parameters (model, tensors, n_tensors, options->freeze, error);
  if (status) {
    free_model (model);
    return status;
  }
  *ret = model;
  return TL_OK;
}

static TlStatus
describe_model (const TlBackendModel *model, TlModelInfo *ret, TlError *error)
{
  snprintf (ret->arch, sizeof ret->arch, "thumbnail");
  ret->n_classes = model->n_classes;
  ret->n_features = TL_THUMBNAIL_FEATURES;
  ret->precision = TL_PRECISION_FP32;
  ret->n_threads = model->n_threads;
  tl_cpu_describe (&ret->device);
  for (int p = 0; p < TL_N_PARAMETERS; p++) {
    ret->n_parameters += model->parameters[p].n_values;
    if (model->parameters[p].trainable)
      ret->n_trainable += model->parameters[p].n_values;
  }
  return TL_OK;
}

static TlStatus
get_features (TlBackendModel *model, const TlBatch *batch, float *features,
    TlError *error)
{
  for (uint32_t i = 0; i < batch->n; i++) {
    tl_thumbnail_shrink (model, batch, i, features);
    tl_thumbnail_apply_stem (model, features, features);
    features += TL_THUMBNAIL_FEATURES;
  }
  return TL_OK;
}

static void
get_logits (const TlBackendModel *model, const TlBatch *batch, uint32_t i,
    float *logits)
{
  float features[TL_THUMBNAIL_FEATURES];

  tl_thumbnail_shrink (model, batch, i, features);
  tl_thumbnail_apply_stem (model, features, features);
  tl_thumbnail_classify (model, features, logits);
}

static TlStatus
infer (TlBackendModel *model, const TlBatch *batch, float *probabilities,
    TlError *error)
{
  static uint32_t n_calls;
  TlStatus status =
      tl_misbehaviour_act (&model->on_infer, "infer", &n_calls, error);

  if (status)
    return status;
  for (uint32_t i = 0; i < batch->n; i++) {
    get_logits (model, batch, i, probabilities);
    tl_thumbnail_softmax (probabilities, model->n_classes, 0);
    probabilities += model->n_classes;
  }
  return TL_OK;
}

static TlStatus
evaluate (TlBackendModel *model, const TlBatch *batch, const int32_t *labels,
    float *logits, TlStepResult *ret, TlError *error)
{
  uint32_t n = model->n_classes;
  float *scores = malloc (n * sizeof *scores);
  double loss = 0;

  if (!scores)
    return tl_fail (error, TL_ERROR_MEMORY, "out of memory for %u scores", n);
  for (uint32_t i = 0; i < batch->n; i++) {
    uint32_t label = (uint32_t) labels[i];

    get_logits (model, batch, i, scores);
    if (logits)
      memcpy (logits + (size_t) i * n, scores, n * sizeof *scores);
    ret->n_correct += tl_thumbnail_arg_max (scores, n) == label;
    loss += tl_thumbnail_softmax (scores, n, label);
  }
  ret->loss = (float) (loss / batch->n);
  free (scores);
  return TL_OK;
}

static TlStatus
visit_model (TlBackendModel *model, TlTensorVisitor visitor, void *user,
    TlError *error)
{
  for (int p = 0; p < TL_N_PARAMETERS; p++) {
    const TlParameter *parameter = &model->parameters[p];
    TlTensor tensor = {.name = parameter->name,
        .dtype = TL_DTYPE_F32,
        .n_dims = parameter->n_dims,
        .data = parameter->values};
    TlStatus status;

    memcpy (tensor.shape, parameter->shape, sizeof parameter->shape);
    tl_tensor_set_contiguous (&tensor);
    status = visitor (&tensor,
        parameter->trainable ? TL_TENSOR_PARAMETER : TL_TENSOR_FROZEN, user);
    if (status)
      return status;
  }
  return TL_OK;
}

const TlBackend tl_backend = {
    .describe = describe_backend,
    .device_open = open_device,
    .model_new = new_model,
    .model_free = free_model,
    .model_describe = describe_model,
    .model_infer = infer,
    .model_features = get_features,
    .model_evaluate = evaluate,
    .model_visit = visit_model,
    .trainer_new = tl_reference_trainer_new,
    .trainer_free = tl_reference_trainer_free,
    .trainer_step = tl_reference_trainer_step,
    .trainer_step_features = tl_reference_trainer_step_features,
    .trainer_visit = tl_reference_trainer_visit,
    .trainer_restore = tl_reference_trainer_restore,
};
