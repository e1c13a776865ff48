/* SPDX-License-Identifier: BSD-3-Clause */

#include "tltrainer.h"

#include "tldevice.h"
#include "tlguard.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/from_blob.h>

#include <cmath>

namespace tl {

Score
score (const at::Tensor &logits, const int32_t *labels, double smoothing)
{
  const at::Tensor targets = at::from_blob (const_cast<int32_t *> (labels),
      {logits.size (0)}, at::TensorOptions ().dtype (at::kInt))
                                 .to (logits.device (), at::kLong);
  const at::Tensor hits = logits.detach ().argmax (1).eq (targets);
  Score score;

  score.loss = at::cross_entropy_loss (logits, targets, {}, at::Reduction::Mean,
      /* ignore_index */ -100, smoothing);
  score.result.struct_size = sizeof score.result;
  score.result.loss = score.loss.item<float> ();
  score.result.n_correct = static_cast<uint32_t> (hits.sum ().item<int64_t> ());
  return score;
}

} // namespace tl

TlBackendTrainer::TlBackendTrainer (TlBackendModel *trained,
    const TlTrainerOptions &options)
    : model (trained), optimizer (options),
      label_smoothing_ (options.label_smoothing)
{
  for (const tl::Entry &entry : model->entries)
    if (entry.role == TL_TENSOR_PARAMETER) {
      optimizer.add (entry.arch.name, entry.tensor);
    } else if (entry.role == TL_TENSOR_BUFFER) {
      buffers_.push_back (entry.tensor);
      saved_buffers_.push_back (entry.tensor.clone ());
    }
}

TlStepResult
TlBackendTrainer::learn (const at::Tensor &features, const int32_t *labels,
    double lr)
{
  const tl::Score score =
      tl::score (tl::run_fc (model->net, features), labels, label_smoothing_);

  if (!std::isfinite (score.result.loss))
    throw tl::Failure (TL_ERROR_BACKEND,
        "the loss is not a finite number; the parameters were left as they "
        "were: lower the learning rate, or check the data and the weights");
  tl::note_backward ();
  optimizer.drop_gradients (); /* of a step that failed half-way */
  score.loss.backward ();
  optimizer.step (lr);
  return score.result;
}

TlStepResult
TlBackendTrainer::try_step (const TlBatch &batch, const int32_t *labels,
    double lr)
{
  const at::Tensor x = model->run_frozen (batch);

  model->forget_folded ();
  if (model->freeze == TL_STAGE_LAYER4)
    model->use_head_threads ();
  return learn (model->run_trainable (x), labels, lr);
}

TlStepResult
TlBackendTrainer::step (const TlBatch &batch, const int32_t *labels, double lr)
{
  const at::AutoGradMode with_grad (true);

  model->check_batch_norm (batch);
  model->use_threads ();
  if (buffers_.empty ())
    return try_step (batch, labels, lr);

  at::_foreach_copy_ (saved_buffers_, buffers_);
  try {
    return try_step (batch, labels, lr);
  } catch (...) {
    at::_foreach_copy_ (buffers_, saved_buffers_);
    throw;
  }
}

TlStepResult
TlBackendTrainer::step_features (const float *features, const int32_t *labels,
    uint32_t n, double lr)
{
  const at::AutoGradMode with_grad (true);

  model->use_head_threads ();
  return learn (model->take_features (features, n), labels, lr);
}
