/* SPDX-License-Identifier: BSD-3-Clause */

/* The public functions: check the arguments, call the backend, hand over. */

#include "tlshim.h"
#include "tlbackend.h"
#include "tlcheck.h"
#include "tlfail.h"

#include <stdlib.h>

/* A backend's model and what the checks need to know of it. */
struct TlModel
{
  TlBackendModel *backend;
  TlModelInfo info;
  TlStage freeze;
};

struct TlTrainer
{
  TlBackendTrainer *backend;
  const TlModel *model; /* borrowed */
};

/* The first check of every function: nothing may be written into a TlError of
 * another size, so its caller only gets the status. */
#define CHECK_ERROR(error)                                                     \
  do {                                                                         \
    if (!tl_check_error (error))                                               \
      return TL_ERROR_ARGUMENT;                                                \
  } while (0)

/* ---- Library and devices ------------------------------------------------ */

uint32_t
tl_shim_abi (void)
{
  return TL_SHIM_ABI;
}

TlStatus
tl_backend_describe (TlBackendInfo *ret, TlError *error)
{
  TlBackendInfo info = {.struct_size = sizeof info};
  TlStatus status;

  CHECK_ERROR (error);
  if ((status = tl_check_return (ret, TL_END_OF (TlBackendInfo, name),
           "TlBackendInfo", error))
      || (status = tl_backend.describe (&info, error)))
    return status;
  tl_give_return (ret, &info, sizeof info);
  return TL_OK;
}

TlStatus
tl_device_open (const char *device, TlDeviceInfo *ret, TlError *error)
{
  TlDeviceInfo info = {.struct_size = sizeof info};
  TlDeviceChoice choice;
  TlStatus status;

  CHECK_ERROR (error);
  if ((status = tl_check_return (ret, TL_END_OF (TlDeviceInfo, kind),
           "TlDeviceInfo", error))
      || (status = tl_check_device (device, &choice, error))
      || (status = tl_backend.device_open (&choice, &info, error)))
    return status;
  tl_give_return (ret, &info, sizeof info);
  return TL_OK;
}

/* ---- Model -------------------------------------------------------------- */

/* Makes the backend's model inside the allocated @model. */
static TlStatus
build_model (TlModel *model, const TlModelOptions *options,
    const TlDeviceChoice *device, const TlTensor *tensors, size_t n_tensors,
    TlError *error)
{
  TlStatus status = tl_backend.model_new (options, device, tensors, n_tensors,
      &model->backend, error);

  if (status)
    return status;
  model->freeze = options->freeze;
  model->info.struct_size = sizeof model->info;
  model->info.device.struct_size = sizeof model->info.device;
  status = tl_backend.model_describe (model->backend, &model->info, error);
  if (status)
    tl_backend.model_free (model->backend);
  return status;
}

TlStatus
tl_model_new (const TlModelOptions *options, const TlTensor *tensors,
    size_t n_tensors, TlModel **ret, TlError *error)
{
  TlModelOptions taken;
  TlDeviceChoice device;
  TlModel *model;
  TlStatus status;

  CHECK_ERROR (error);
  if ((status = tl_check_pointer (ret, "the returned model", error))
      || (status = tl_check_model_options (options, &taken, &device, error))
      || (status = tl_check_tensors (tensors, n_tensors, error)))
    return status;
  model = calloc (1, sizeof *model);
  if (!model)
    return tl_fail (error, TL_ERROR_MEMORY, "out of memory for a model");

  status = build_model (model, &taken, &device, tensors, n_tensors, error);
  if (status) {
    free (model);
    return status;
  }
  *ret = model;
  return TL_OK;
}

void
tl_model_free (TlModel *model)
{
  if (!model)
    return;
  tl_backend.model_free (model->backend);
  free (model);
}

TlStatus
tl_model_describe (const TlModel *model, TlModelInfo *ret, TlError *error)
{
  TlStatus status;

  CHECK_ERROR (error);
  if ((status = tl_check_pointer (model, "model", error))
      || (status = tl_check_return (ret, TL_END_OF (TlModelInfo, arch),
              "TlModelInfo", error)))
    return status;
  tl_give_return (ret, &model->info, sizeof model->info);
  return TL_OK;
}

TlStatus
tl_model_infer (TlModel *model, const TlBatch *batch, float *probabilities,
    TlError *error)
{
  TlBatch taken;
  TlStatus status;

  CHECK_ERROR (error);
  if ((status = tl_check_pointer (model, "model", error))
      || (status = tl_check_pointer (probabilities, "probabilities", error))
      || (status = tl_check_batch (batch, &taken, error)))
    return status;
  return tl_backend.model_infer (model->backend, &taken, probabilities, error);
}

TlStatus
tl_model_features (TlModel *model, const TlBatch *batch, float *features,
    TlError *error)
{
  TlBatch taken;
  TlStatus status;

  CHECK_ERROR (error);
  if ((status = tl_check_pointer (model, "model", error))
      || (status = tl_check_pointer (features, "features", error))
      || (status = tl_check_batch (batch, &taken, error)))
    return status;
  return tl_backend.model_features (model->backend, &taken, features, error);
}

TlStatus
tl_model_evaluate (TlModel *model, const TlBatch *batch, const int32_t *labels,
    float *logits, TlStepResult *ret, TlError *error)
{
  TlStepResult result = {.struct_size = sizeof result};
  TlBatch taken;
  TlStatus status;

  CHECK_ERROR (error);
  if ((status = tl_check_pointer (model, "model", error))
      || (status = tl_check_return (ret, TL_END_OF (TlStepResult, loss),
              "TlStepResult", error))
      || (status = tl_check_batch (batch, &taken, error))
      || (status =
              tl_check_labels (labels, taken.n, model->info.n_classes, error))
      || (status = tl_backend.model_evaluate (model->backend, &taken, labels,
              logits, &result, error)))
    return status;
  tl_give_return (ret, &result, sizeof result);
  return TL_OK;
}

TlStatus
tl_model_visit (TlModel *model, TlTensorVisitor visitor, void *user,
    TlError *error)
{
  TlStatus status;

  CHECK_ERROR (error);
  if ((status = tl_check_pointer (model, "model", error)))
    return status;
  if (!visitor)
    return tl_fail (error, TL_ERROR_ARGUMENT, "visitor is NULL");
  return tl_backend.model_visit (model->backend, visitor, user, error);
}

/* ---- Trainer ------------------------------------------------------------ */

static TlStatus
check_trainable (const TlModel *model, TlError *error)
{
  if (model->info.n_trainable == 0)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "the model is frozen up to and including fc: nothing is left to train");
  return TL_OK;
}

TlStatus
tl_trainer_new (TlModel *model, const TlTrainerOptions *options,
    TlTrainer **ret, TlError *error)
{
  TlTrainerOptions taken;
  TlTrainer *trainer;
  TlStatus status;

  CHECK_ERROR (error);
  if ((status = tl_check_pointer (ret, "the returned trainer", error))
      || (status = tl_check_pointer (model, "model", error))
      || (status = tl_check_trainer_options (options, &taken, error))
      || (status = check_trainable (model, error)))
    return status;
  trainer = calloc (1, sizeof *trainer);
  if (!trainer)
    return tl_fail (error, TL_ERROR_MEMORY, "out of memory for a trainer");

  trainer->model = model;
  status =
      tl_backend.trainer_new (model->backend, &taken, &trainer->backend, error);
  if (status) {
    free (trainer);
    return status;
  }
  *ret = trainer;
  return TL_OK;
}

void
tl_trainer_free (TlTrainer *trainer)
{
  if (!trainer)
    return;
  tl_backend.trainer_free (trainer->backend);
  free (trainer);
}

/* @ret is optional: a size only counts where there is one. */
static TlStatus
check_step (const TlTrainer *trainer, double lr, const TlStepResult *ret,
    TlError *error)
{
  TlStatus status;

  if ((status = tl_check_pointer (trainer, "trainer", error))
      || (status = tl_check_learning_rate (lr, error)))
    return status;
  if (!ret)
    return TL_OK;
  return tl_check_return (ret, TL_END_OF (TlStepResult, loss), "TlStepResult",
      error);
}

TlStatus
tl_trainer_step (TlTrainer *trainer, const TlBatch *batch,
    const int32_t *labels, double lr, TlStepResult *ret, TlError *error)
{
  TlStepResult result = {.struct_size = sizeof result};
  TlBatch taken;
  TlStatus status;

  CHECK_ERROR (error);
  if ((status = check_step (trainer, lr, ret, error))
      || (status = tl_check_batch (batch, &taken, error))
      || (status = tl_check_labels (labels, taken.n,
              trainer->model->info.n_classes, error))
      || (status = tl_backend.trainer_step (trainer->backend, &taken, labels,
              lr, ret ? &result : NULL, error)))
    return status;
  if (ret)
    tl_give_return (ret, &result, sizeof result);
  return TL_OK;
}

TlStatus
tl_trainer_step_features (TlTrainer *trainer, const float *features,
    const int32_t *labels, uint32_t n, double lr, TlStepResult *ret,
    TlError *error)
{
  TlStepResult result = {.struct_size = sizeof result};
  TlStatus status;

  CHECK_ERROR (error);
  if ((status = check_step (trainer, lr, ret, error))
      || (status = tl_check_pointer (features, "features", error))
      || (status = tl_check_labels (labels, n, trainer->model->info.n_classes,
              error)))
    return status;
  if (trainer->model->freeze != TL_STAGE_LAYER4)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "a step on features trains fc alone: freeze must be TL_STAGE_LAYER4");
  if ((status = tl_backend.trainer_step_features (trainer->backend, features,
           labels, n, lr, ret ? &result : NULL, error)))
    return status;
  if (ret)
    tl_give_return (ret, &result, sizeof result);
  return TL_OK;
}

TlStatus
tl_trainer_visit (TlTrainer *trainer, TlTensorVisitor visitor, void *user,
    TlError *error)
{
  TlStatus status;

  CHECK_ERROR (error);
  if ((status = tl_check_pointer (trainer, "trainer", error)))
    return status;
  if (!visitor)
    return tl_fail (error, TL_ERROR_ARGUMENT, "visitor is NULL");
  return tl_backend.trainer_visit (trainer->backend, visitor, user, error);
}

TlStatus
tl_trainer_restore (TlTrainer *trainer, const TlTensor *tensors,
    size_t n_tensors, TlError *error)
{
  TlStatus status;

  CHECK_ERROR (error);
  if ((status = tl_check_pointer (trainer, "trainer", error))
      || (status = tl_check_tensors (tensors, n_tensors, error)))
    return status;
  return tl_backend.trainer_restore (trainer->backend, tensors, n_tensors,
      error);
}
