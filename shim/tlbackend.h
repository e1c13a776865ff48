/* SPDX-License-Identifier: BSD-3-Clause */

/* What a backend of the shim implements; internal, not installed.
 *
 * A shim library is tlshim.c (the public functions) and one backend, which
 * defines tl_backend. The public functions check every argument and then call
 * the function of the same name here, so a backend may rely on:
 *
 * - pointers are not NULL, but for those named "may be NULL" below and @error,
 *   which may always be NULL (tl_fail takes that);
 * - structs have all fields of this build: what an older caller did not give
 *   has the value of the *_INIT macro, strides of a TlBatch are never 0;
 * - returned structs come zeroed with struct_size set, and reach the caller
 *   only with TL_OK; flags are 0 or 1 and every number is in the range that
 *   tlshim.h states; labels are in [0, n_classes);
 * - tensors have a unique non-empty name, a valid dtype, at most
 *   TL_TENSOR_MAX_DIMS dimensions, no negative shape or stride, and data unless
 *   they have no elements. Which names and shapes fit is the backend's check.
 *
 * The rules on status, error text and unchanged out-parameters are those of
 * tlshim.h. No exception may leave a backend function. */

#ifndef TL_BACKEND_H
#define TL_BACKEND_H

#include "tlshim.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct TlBackendModel TlBackendModel;
typedef struct TlBackendTrainer TlBackendTrainer;

typedef enum
{
  TL_DEVICE_CHOICE_AUTO = 0,
  TL_DEVICE_CHOICE_CPU = 1,
  TL_DEVICE_CHOICE_CUDA = 2
} TlDeviceChoiceKind;

/* A device string, parsed. */
typedef struct
{
  TlDeviceChoiceKind kind;
  int32_t index; /* of "cuda:N"; -1 where none was given */
} TlDeviceChoice;

typedef struct
{
  TlStatus (*describe) (TlBackendInfo *ret, TlError *error);

  TlStatus (*device_open) (const TlDeviceChoice *device, TlDeviceInfo *ret,
      TlError *error);

  /* @device is @options->device, parsed. */
  TlStatus (*model_new) (const TlModelOptions *options,
      const TlDeviceChoice *device, const TlTensor *tensors, size_t n_tensors,
      TlBackendModel **ret, TlError *error);
  void (*model_free) (TlBackendModel *model);
  TlStatus (*model_describe) (const TlBackendModel *model, TlModelInfo *ret,
      TlError *error);
  TlStatus (*model_infer) (TlBackendModel *model, const TlBatch *batch,
      float *probabilities, TlError *error);
  TlStatus (*model_features) (TlBackendModel *model, const TlBatch *batch,
      float *features, TlError *error);
  /* @logits may be NULL. */
  TlStatus (*model_evaluate) (TlBackendModel *model, const TlBatch *batch,
      const int32_t *labels, float *logits, TlStepResult *ret, TlError *error);
  /* A status of the visitor's own is returned as it is, @error untouched. */
  TlStatus (*model_visit) (TlBackendModel *model, TlTensorVisitor visitor,
      void *user, TlError *error);

  /* Called only with a model that has something to train. */
  TlStatus (*trainer_new) (TlBackendModel *model,
      const TlTrainerOptions *options, TlBackendTrainer **ret, TlError *error);
  void (*trainer_free) (TlBackendTrainer *trainer);
  /* @ret may be NULL. */
  TlStatus (*trainer_step) (TlBackendTrainer *trainer, const TlBatch *batch,
      const int32_t *labels, double lr, TlStepResult *ret, TlError *error);
  /* Called only where exactly fc is trainable. @ret may be NULL. */
  TlStatus (*trainer_step_features) (TlBackendTrainer *trainer,
      const float *features, const int32_t *labels, uint32_t n, double lr,
      TlStepResult *ret, TlError *error);
  TlStatus (*trainer_visit) (TlBackendTrainer *trainer, TlTensorVisitor visitor,
      void *user, TlError *error);
  /* @n_tensors 0 is the state before the first step. */
  TlStatus (*trainer_restore) (TlBackendTrainer *trainer,
      const TlTensor *tensors, size_t n_tensors, TlError *error);
} TlBackend;

/* Defined by exactly one backend per library, with every member set. */
extern const TlBackend tl_backend;

#ifdef __cplusplus
}
#endif

#endif
