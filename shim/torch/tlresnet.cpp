/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlresnet.h"

#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/max_pool2d.h>

namespace tl {

static Unit
build_unit (const Lookup &lookup, const std::string &conv,
    const std::string &norm, int64_t stride)
{
  Unit unit;

  unit.weight = lookup (conv + ".weight");
  unit.gamma = lookup (norm + ".weight");
  unit.beta = lookup (norm + ".bias");
  unit.mean = lookup (norm + ".running_mean");
  unit.var = lookup (norm + ".running_var");
  unit.n_batches = lookup (norm + ".num_batches_tracked");
  unit.stride = stride;
  unit.padding = unit.weight.size (2) / 2; /* keeps the size at stride 1 */
  return unit;
}

static Block
build_block (const TlArch &arch, const Lookup &lookup,
    const std::string &prefix, int64_t stride, bool has_shortcut)
{
  const int n_units = arch.block == TL_BLOCK_BASIC ? 2 : 3;
  const int strided = arch.block == TL_BLOCK_BASIC ? 1 : 2;
  Block block;

  for (int i = 1; i <= n_units; i++) {
    const std::string number = std::to_string (i);

    block.units.push_back (build_unit (lookup, prefix + "conv" + number,
        prefix + "bn" + number, i == strided ? stride : 1));
  }
  if (has_shortcut)
    block.shortcut = build_unit (lookup, prefix + "downsample.0",
        prefix + "downsample.1", stride);
  return block;
}

/* @layer: 1 to 4. The first block of layers 2 to 4 halves the picture; that of
 * layer 1 needs a shortcut only where it widens (bottlenecks). */
static Stage
build_layer (const TlArch &arch, const Lookup &lookup, int layer)
{
  const std::string prefix = "layer" + std::to_string (layer) + ".";
  const bool is_wider = layer > 1 || arch.block == TL_BLOCK_BOTTLENECK;
  Stage stage;

  for (uint32_t i = 0; i < arch.n_blocks[layer - 1]; i++)
    stage.blocks.push_back (
        build_block (arch, lookup, prefix + std::to_string (i) + ".",
            i == 0 && layer > 1 ? 2 : 1, i == 0 && is_wider));
  return stage;
}

Resnet
build_resnet (const TlArch &arch, const Lookup &lookup)
{
  Resnet net;

  net.stages[0].stem = build_unit (lookup, "conv1", "bn1", 2);
  for (int layer = 1; layer < n_conv_stages; layer++)
    net.stages[layer] = build_layer (arch, lookup, layer);
  net.fc_weight = lookup ("fc.weight");
  net.fc_bias = lookup ("fc.bias");
  return net;
}

static at::Tensor
run_unit (const Unit &unit, const at::Tensor &x, bool train_bn)
{
  at::Tensor y = at::conv2d (x, unit.weight.to (x.scalar_type ()), {},
      unit.stride, unit.padding);

  if (train_bn) {
    at::Tensor n_batches = unit.n_batches;

    n_batches.add_ (1);
  }
  return at::batch_norm (y, unit.gamma, unit.beta, unit.mean, unit.var,
      train_bn, norm_momentum, norm_eps, /* cudnn_enabled */ true);
}

static at::Tensor
run_block (const Block &block, const at::Tensor &x, bool train_bn)
{
  at::Tensor y = x;

  for (size_t i = 0; i < block.units.size (); i++) {
    y = run_unit (block.units[i], y, train_bn);
    if (i + 1 < block.units.size ())
      y.relu_ ();
  }
  y += block.shortcut ? run_unit (*block.shortcut, x, train_bn) : x;
  return y.relu_ ();
}

at::Tensor
stem_pool (const at::Tensor &x)
{
  return at::max_pool2d (x, 3, 2, 1);
}

at::Tensor
run_stage (const Stage &stage, at::Tensor x, bool train_bn)
{
  if (stage.stem)
    x = stem_pool (run_unit (*stage.stem, x, train_bn).relu_ ());
  for (const Block &block : stage.blocks)
    x = run_block (block, x, train_bn);
  return x;
}

at::Tensor
global_pool (const at::Tensor &x)
{
  return at::adaptive_avg_pool2d (x, {1, 1}).flatten (1);
}

at::Tensor
run_fc (const Resnet &net, const at::Tensor &features)
{
  const at::ScalarType dtype = features.scalar_type ();

  return at::linear (features, net.fc_weight.to (dtype), net.fc_bias.to (dtype))
      .to (at::kFloat);
}

} // namespace tl
