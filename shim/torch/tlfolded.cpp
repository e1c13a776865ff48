/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlfolded.h"

#include "tlfusedconv.h"

namespace tl {

/* gamma * (conv - mean) / sqrt (var + eps) + beta as one convolution; computed
 * in double so that folding costs no more than one rounding. */
static FoldedUnit
fold_unit (const Unit &unit, at::ScalarType dtype)
{
  const at::Tensor gamma = unit.gamma.to (at::kDouble);
  const at::Tensor deviation = unit.var.to (at::kDouble).add (norm_eps).sqrt ();
  const at::Tensor scale = gamma.div (deviation);
  const at::Tensor weight =
      unit.weight.to (at::kDouble).mul (scale.view ({-1, 1, 1, 1}));
  const at::Tensor bias =
      unit.beta.to (at::kDouble).sub (unit.mean.to (at::kDouble).mul (scale));
  FoldedUnit folded;

  folded.weight = pack_weight (weight.to (dtype).contiguous (
                                   at::MemoryFormat::ChannelsLast),
      unit.stride, unit.padding);
  folded.bias = bias.to (dtype);
  folded.stride = unit.stride;
  folded.padding = unit.padding;
  return folded;
}

static FoldedBlock
fold_block (const Block &block, at::ScalarType dtype)
{
  FoldedBlock folded;

  for (const Unit &unit : block.units)
    folded.units.push_back (fold_unit (unit, dtype));
  if (block.shortcut)
    folded.shortcut = fold_unit (*block.shortcut, dtype);
  return folded;
}

FoldedStage
fold_stage (const Stage &stage, at::ScalarType dtype)
{
  FoldedStage folded;

  if (stage.stem)
    folded.stem = fold_unit (*stage.stem, dtype);
  for (const Block &block : stage.blocks)
    folded.blocks.push_back (fold_block (block, dtype));
  return folded;
}

static at::Tensor
run_unit (const FoldedUnit &unit, const at::Tensor &x, ConvTail tail,
    const at::Tensor &residual = {})
{
  return fused_conv (x, unit.weight, unit.bias, unit.stride, unit.padding, tail,
      residual);
}

static at::Tensor
run_block (const FoldedBlock &block, const at::Tensor &x)
{
  const at::Tensor residual =
      block.shortcut ? run_unit (*block.shortcut, x, ConvTail::None) : x;
  at::Tensor y = x;

  for (size_t i = 0; i + 1 < block.units.size (); i++)
    y = run_unit (block.units[i], y, ConvTail::Relu);
  return run_unit (block.units.back (), y, ConvTail::AddRelu, residual);
}

at::Tensor
run_folded (const FoldedStage &stage, at::Tensor x)
{
  if (stage.stem)
    x = stem_pool (run_unit (*stage.stem, x, ConvTail::Relu));
  for (const FoldedBlock &block : stage.blocks)
    x = run_block (block, x);
  return x;
}

} // namespace tl
