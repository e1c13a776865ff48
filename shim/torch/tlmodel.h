/* SPDX-License-Identifier: BSD-3-Clause */

/* The model: its tensors, how each part of the network runs, and the device. */

#ifndef TL_MODEL_H
#define TL_MODEL_H

#include "tlarch.h"
#include "tlbackend.h"
#include "tlfolded.h"
#include "tlpictures.h"
#include "tlresnet.h"

namespace tl {

/* A tensor of the state dict. */
struct Entry
{
  TlArchEntry arch;
  TlTensorRole role;
  at::Tensor tensor;
};

} // namespace tl

/* The C handle; see tlbackend.h. */
struct TlBackendModel
{
  TlBackendModel (const TlModelOptions &options, const TlDeviceChoice &choice,
      const TlTensor *tensors, size_t n_tensors);

  /* Sets libtorch's thread count for the calling thread: its value belongs to
   * the thread, so each call into libtorch begins with this. */
  void use_threads () const;

  /* As use_threads, for work on n x n_features numbers alone. One thread, so
   * that sums, and with them results, do not depend on their number; it is a
   * thousandth of the work. exact=true keeps to what PyTorch does. */
  void use_head_threads () const;

  /* The frozen stages in a training step: what the first trainable one gets
   * (the features if there is none), without gradients. BatchNorm follows the
   * batch with train_bn. */
  at::Tensor run_frozen (const TlBatch &batch);

  /* From there to the features, with gradients, BatchNorm by the batch. */
  at::Tensor run_trainable (at::Tensor x) const;

  /* Everything before fc in eval mode, without gradients. */
  at::Tensor run_features (const TlBatch &batch);

  /* Features from the host as run_features gave them; borrows @features. */
  at::Tensor take_features (const float *features, uint32_t n) const;

  /* Logits in eval mode, without gradients. */
  at::Tensor run_logits (const TlBatch &batch);

  /* To be called when a training step has changed tensors. */
  void forget_folded ();

  /* Throws Failure if BatchNorm would see one value per channel. */
  void check_batch_norm (const TlBatch &batch) const;

  TlStatus visit (TlTensorVisitor visitor, void *user) const;
  void describe (TlModelInfo *ret) const;

  bool is_trainable (int conv_stage) const
  {
    return conv_stage + 1 > static_cast<int> (freeze);
  }

  const TlArch *arch;
  TlDeviceInfo device;
  TlStage freeze;
  bool train_bn;
  bool exact;
  TlPrecision precision;
  uint32_t n_threads;

  std::vector<tl::Entry> entries; /* in torchvision's order */
  tl::Resnet net;                 /* shares the tensors of entries */

private:
  void load (const TlTensor *tensors, size_t n_tensors);
  void fold_up_to (int n_stages);
  at::Tensor run_prefix (const TlBatch &batch, int n_stages);
  at::Tensor run_prefix_chunk (const at::Tensor &pictures, int n_stages) const;

  tl::InputFormat input_format_;
  tl::Normaliser normaliser_;
  /* A stage without value has not been folded since it changed. */
  std::array<std::optional<tl::FoldedStage>, tl::n_conv_stages> folded_;
};

#endif
