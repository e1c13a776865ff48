/* SPDX-License-Identifier: BSD-3-Clause */

/* The fast path of what does not train: BatchNorm in eval folded into the
 * convolution before it, ReLU and residual sum fused where oneDNN does that.
 * A folded stage is a copy: fold again when the weights have changed. */

#ifndef TL_FOLDED_H
#define TL_FOLDED_H

#include "tlresnet.h"

namespace tl {

struct FoldedUnit
{
  at::Tensor weight; /* packed for oneDNN where fused */
  at::Tensor bias;
  int64_t stride;
  int64_t padding;
};

struct FoldedBlock
{
  std::vector<FoldedUnit> units;
  std::optional<FoldedUnit> shortcut;
};

struct FoldedStage
{
  std::optional<FoldedUnit> stem;
  std::vector<FoldedBlock> blocks;
};

/* Call under NoGradGuard, not under InferenceMode: the copies serve training
 * too. @dtype is that of the pictures the stage will get. */
FoldedStage fold_stage (const Stage &stage, at::ScalarType dtype);

/* x: channels_last. Call without gradients. */
at::Tensor run_folded (const FoldedStage &stage, at::Tensor x);

} // namespace tl

#endif
