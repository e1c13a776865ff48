/* SPDX-License-Identifier: BSD-3-Clause */

/* The table of the libtorch backend: each entry is one call behind the
 * exception barrier. */

#include "tlbackend.h"

#include "tldevice.h"
#include "tlguard.h"
#include "tlhosttensor.h"
#include "tllibrary.h"
#include "tlmodel.h"
#include "tltrainer.h"

#include <stdio.h>

using tl::guarded;

static TlStatus
describe (TlBackendInfo *ret, TlError *error)
{
  return guarded (error, "tl_backend_describe", [&] {
    snprintf (ret->name, sizeof ret->name, "torch");
    snprintf (ret->version, sizeof ret->version, "%s",
        tl::torch_library_version ().c_str ());
    snprintf (ret->path, sizeof ret->path, "%s",
        tl::torch_library_path ().c_str ());
  });
}

static TlStatus
device_open (const TlDeviceChoice *device, TlDeviceInfo *ret, TlError *error)
{
  return guarded (error, "tl_device_open",
      [&] { tl::open_device (*device, ret); });
}

static TlStatus
model_new (const TlModelOptions *options, const TlDeviceChoice *device,
    const TlTensor *tensors, size_t n_tensors, TlBackendModel **ret,
    TlError *error)
{
  return guarded (error, "tl_model_new", [&] {
    *ret = new TlBackendModel (*options, *device, tensors, n_tensors);
  });
}

static void
model_free (TlBackendModel *model)
{
  guarded (nullptr, "tl_model_free", [&] { delete model; });
}

static TlStatus
model_describe (const TlBackendModel *model, TlModelInfo *ret, TlError *error)
{
  return guarded (error, "tl_model_describe", [&] { model->describe (ret); });
}

static TlStatus
model_infer (TlBackendModel *model, const TlBatch *batch, float *probabilities,
    TlError *error)
{
  return guarded (error, "tl_model_infer", [&] {
    model->use_threads ();
    tl::copy_floats (model->run_logits (*batch).softmax (1), probabilities);
  });
}

static TlStatus
model_features (TlBackendModel *model, const TlBatch *batch, float *features,
    TlError *error)
{
  return guarded (error, "tl_model_features", [&] {
    model->use_threads ();
    tl::copy_floats (model->run_features (*batch), features);
  });
}

static TlStatus
model_evaluate (TlBackendModel *model, const TlBatch *batch,
    const int32_t *labels, float *logits, TlStepResult *ret, TlError *error)
{
  return guarded (error, "tl_model_evaluate", [&] {
    model->use_threads ();

    const at::Tensor values = model->run_logits (*batch);
    const tl::Score score = tl::score (values, labels);

    if (logits)
      tl::copy_floats (values, logits);
    *ret = score.result;
  });
}

static TlStatus
model_visit (TlBackendModel *model, TlTensorVisitor visitor, void *user,
    TlError *error)
{
  TlStatus visited = TL_OK;
  const TlStatus status = guarded (error, "tl_model_visit",
      [&] { visited = model->visit (visitor, user); });

  return status == TL_OK ? visited : status;
}

static TlStatus
trainer_new (TlBackendModel *model, const TlTrainerOptions *options,
    TlBackendTrainer **ret, TlError *error)
{
  return guarded (error, "tl_trainer_new",
      [&] { *ret = new TlBackendTrainer (model, *options); });
}

static void
trainer_free (TlBackendTrainer *trainer)
{
  guarded (nullptr, "tl_trainer_free", [&] { delete trainer; });
}

static TlStatus
trainer_step (TlBackendTrainer *trainer, const TlBatch *batch,
    const int32_t *labels, double lr, TlStepResult *ret, TlError *error)
{
  return guarded (error, "tl_trainer_step", [&] {
    const TlStepResult result = trainer->step (*batch, labels, lr);

    if (ret)
      *ret = result;
  });
}

static TlStatus
trainer_step_features (TlBackendTrainer *trainer, const float *features,
    const int32_t *labels, uint32_t n, double lr, TlStepResult *ret,
    TlError *error)
{
  return guarded (error, "tl_trainer_step_features", [&] {
    const TlStepResult result =
        trainer->step_features (features, labels, n, lr);

    if (ret)
      *ret = result;
  });
}

static TlStatus
trainer_visit (TlBackendTrainer *trainer, TlTensorVisitor visitor, void *user,
    TlError *error)
{
  TlStatus visited = TL_OK;
  const TlStatus status = guarded (error, "tl_trainer_visit",
      [&] { visited = trainer->optimizer.visit (visitor, user); });

  return status == TL_OK ? visited : status;
}

static TlStatus
trainer_restore (TlBackendTrainer *trainer, const TlTensor *tensors,
    size_t n_tensors, TlError *error)
{
  return guarded (error, "tl_trainer_restore",
      [&] { trainer->optimizer.restore (tensors, n_tensors); });
}

const TlBackend tl_backend = {
    .describe = describe,
    .device_open = device_open,
    .model_new = model_new,
    .model_free = model_free,
    .model_describe = model_describe,
    .model_infer = model_infer,
    .model_features = model_features,
    .model_evaluate = model_evaluate,
    .model_visit = model_visit,
    .trainer_new = trainer_new,
    .trainer_free = trainer_free,
    .trainer_step = trainer_step,
    .trainer_step_features = trainer_step_features,
    .trainer_visit = trainer_visit,
    .trainer_restore = trainer_restore,
};
