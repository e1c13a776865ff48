/* SPDX-License-Identifier: BSD-3-Clause */

/* One training step: loss, gradients, update. */

#ifndef TL_TRAINER_H
#define TL_TRAINER_H

#include "tlmodel.h"
#include "tloptimizer.h"

namespace tl {

/* Mean cross-entropy and correct answers of @logits (n, classes).
 * @smoothing: as torch's label_smoothing. */
struct Score
{
  at::Tensor loss; /* scalar; has gradients if the logits do */
  TlStepResult result;
};

Score score (const at::Tensor &logits, const int32_t *labels,
    double smoothing = 0);

} // namespace tl

/* The C handle; see tlbackend.h. */
struct TlBackendTrainer
{
  TlBackendTrainer (TlBackendModel *trained, const TlTrainerOptions &options);

  /* A step that throws leaves parameters and statistics as they were. */
  TlStepResult step (const TlBatch &batch, const int32_t *labels, double lr);
  TlStepResult step_features (const float *features, const int32_t *labels,
      uint32_t n, double lr);

  TlBackendModel *model;
  tl::Optimizer optimizer;

private:
  double label_smoothing_;
  TlStepResult try_step (const TlBatch &batch, const int32_t *labels,
      double lr);
  TlStepResult learn (const at::Tensor &features, const int32_t *labels,
      double lr);

  /* BatchNorm statistics that follow the batches, and a copy of them. */
  std::vector<at::Tensor> buffers_;
  std::vector<at::Tensor> saved_buffers_;
};

#endif
