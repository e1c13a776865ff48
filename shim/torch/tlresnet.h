/* SPDX-License-Identifier: BSD-3-Clause */

/* ResNet as plain functions over named tensors.
 *
 * The tensors are shared, not copied: what the optimizer changes in the state
 * dict is what the next forward pass uses. */

#ifndef TL_RESNET_H
#define TL_RESNET_H

#include "tlarch.h"

#include <ATen/core/Tensor.h>

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tl {

/* BatchNorm's epsilon and momentum, torchvision's. */
constexpr double norm_eps = 1e-5;
constexpr double norm_momentum = 0.1;

/* A convolution without bias and the BatchNorm behind it. */
struct Unit
{
  at::Tensor weight; /* out, in, kernel, kernel */
  at::Tensor gamma, beta;
  at::Tensor mean, var;
  at::Tensor n_batches; /* int64 scalar */
  int64_t stride;
  int64_t padding;
};

/* relu (units (x) + shortcut (x)); the last unit has no ReLU of its own. */
struct Block
{
  std::vector<Unit> units;
  std::optional<Unit> shortcut; /* identity without */
};

/* The stem is one unit and a max pooling; the four layers are blocks. */
struct Stage
{
  std::optional<Unit> stem;
  std::vector<Block> blocks;
};

/* Number of convolutional stages: stage i is TlStage i + 1. */
constexpr int n_conv_stages = 5;

struct Resnet
{
  std::array<Stage, n_conv_stages> stages;
  at::Tensor fc_weight, fc_bias;
};

/* Gives the tensor of a name in the state dict. */
using Lookup = std::function<at::Tensor (const std::string &name)>;

Resnet build_resnet (const TlArch &arch, const Lookup &lookup);

/* x: n, channels, height, width. With @train_bn BatchNorm normalises by the
 * batch and updates its statistics. Parameters are cast to x's dtype. */
at::Tensor run_stage (const Stage &stage, at::Tensor x, bool train_bn);

/* Max pooling of the stem, shared with the folded path. */
at::Tensor stem_pool (const at::Tensor &x);

/* Mean over the picture: n, channels. */
at::Tensor global_pool (const at::Tensor &x);

/* Logits in fp32. */
at::Tensor run_fc (const Resnet &net, const at::Tensor &features);

} // namespace tl

#endif
