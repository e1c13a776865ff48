/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlmodel.h"

#include "tlcpu.h"
#include "tldevice.h"
#include "tlguard.h"
#include "tlhosttensor.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <unordered_map>

/* Pictures per pass through the folded network on the CPU: larger ones fall
 * out of the cache and make the allocator map and fault fresh pages. */
static constexpr uint32_t cpu_chunk = 8;

static TlPrecision
choose_precision (TlPrecision wanted, const TlDeviceInfo &device)
{
  /* Not bf16 where a device has it, until it has been measured on one. */
  if (wanted == TL_PRECISION_AUTO)
    return TL_PRECISION_FP32;
  if (wanted == TL_PRECISION_BF16 && !device.has_bf16)
    throw tl::Failure (TL_ERROR_UNSUPPORTED,
        std::string ("precision=bf16 does not run on ") + device.id
            + "; use precision=fp32 or auto");
  return wanted;
}

TlBackendModel::TlBackendModel (const TlModelOptions &options,
    const TlDeviceChoice &choice, const TlTensor *tensors, size_t n_tensors)
    : arch (tl_arch_find (options.arch)), device (), freeze (options.freeze),
      train_bn (options.train_bn), exact (options.exact),
      n_threads (options.n_threads ? options.n_threads : tl_cpu_count ())
{
  if (!arch || arch->block == TL_BLOCK_NONE)
    throw tl::Failure (TL_ERROR_ARGUMENT,
        std::string ("there is no architecture \"") + options.arch
            + "\"; use resnet18, resnet34, resnet50, resnet101 or resnet152");
  device.struct_size = sizeof device;
  tl::open_device (choice, &device);
  precision = choose_precision (options.precision, device);

  input_format_.device = tl::torch_device (device);
  if (precision == TL_PRECISION_BF16)
    input_format_.dtype = at::kBFloat16;
  if (exact)
    input_format_.layout = at::MemoryFormat::Contiguous;
  use_threads ();
  normaliser_ = tl::Normaliser (options.mean, options.std, input_format_);
  load (tensors, n_tensors);
}

static bool
is_parameter (TlEntryKind kind)
{
  return kind == TL_ENTRY_CONV_WEIGHT || kind == TL_ENTRY_BN_WEIGHT
      || kind == TL_ENTRY_BN_BIAS || kind == TL_ENTRY_FC_WEIGHT
      || kind == TL_ENTRY_FC_BIAS;
}

static TlTensorRole
role_of (const TlArchEntry &entry, TlStage freeze, bool train_bn)
{
  const bool trains = entry.stage > freeze;

  if (is_parameter (entry.kind))
    return trains ? TL_TENSOR_PARAMETER : TL_TENSOR_FROZEN;
  return trains || train_bn ? TL_TENSOR_BUFFER : TL_TENSOR_FROZEN;
}

static at::Tensor
new_tensor (const TlArchEntry &entry, const tl::InputFormat &format)
{
  const at::Tensor tensor =
      at::zeros (at::IntArrayRef (entry.shape, entry.n_dims),
          at::TensorOptions ()
              .dtype (entry.dtype == TL_DTYPE_I64 ? at::kLong : at::kFloat)
              .device (format.device));

  return tensor.dim () == 4 ? tensor.contiguous (format.layout) : tensor;
}

void
TlBackendModel::load (const TlTensor *tensors, size_t n_tensors)
{
  uint32_t n_classes = 0;
  TlError error = TL_ERROR_INIT;
  const TlStatus status =
      tl_arch_check (arch, tensors, n_tensors, &n_classes, &error);

  if (status != TL_OK)
    throw tl::Failure (status, error.message);

  const std::unique_ptr<TlArchEntry, decltype (&free)>
      list (tl_arch_list_entries (arch, n_classes), free);
  std::unordered_map<std::string, const TlTensor *> given;
  std::unordered_map<std::string, at::Tensor> by_name;

  if (!list)
    throw std::bad_alloc ();
  for (size_t i = 0; i < n_tensors; i++)
    given.emplace (tensors[i].name, &tensors[i]);
  for (size_t i = 0; i < tl_arch_n_entries (arch); i++) {
    const TlArchEntry &entry = list.get ()[i];
    const TlTensorRole role = role_of (entry, freeze, train_bn);
    at::Tensor tensor = new_tensor (entry, input_format_);

    /* Only num_batches_tracked may be missing; it counts from 0 then. */
    if (const auto source = given.find (entry.name); source != given.end ())
      tl::copy_from_host (*source->second, tensor);
    tensor.set_requires_grad (role == TL_TENSOR_PARAMETER);
    entries.push_back ({entry, role, tensor});
    by_name.emplace (entry.name, tensor);
  }
  net = tl::build_resnet (*arch,
      [&] (const std::string &name) { return by_name.at (name); });
}

void
TlBackendModel::use_threads () const
{
  at::set_num_threads (static_cast<int> (n_threads));
}

void
TlBackendModel::use_head_threads () const
{
  at::set_num_threads (exact ? static_cast<int> (n_threads) : 1);
}

void
TlBackendModel::forget_folded ()
{
  for (int i = 0; i < tl::n_conv_stages; i++)
    if (is_trainable (i) || train_bn)
      folded_[i].reset ();
}

void
TlBackendModel::fold_up_to (int n_stages)
{
  for (int i = 0; i < n_stages; i++)
    if (!folded_[i])
      folded_[i] = tl::fold_stage (net.stages[i], input_format_.dtype);
}

at::Tensor
TlBackendModel::run_prefix_chunk (const at::Tensor &pictures,
    int n_stages) const
{
  at::Tensor x = pictures;

  for (int i = 0; i < n_stages; i++)
    x = exact ? tl::run_stage (net.stages[i], x, false)
              : tl::run_folded (*folded_[i], x);
  return n_stages == tl::n_conv_stages ? tl::global_pool (x) : x;
}

/* The first @n_stages in eval mode, and the pooling if that is all of them. */
at::Tensor
TlBackendModel::run_prefix (const TlBatch &batch, int n_stages)
{
  const bool chunked = !exact && device.kind == TL_DEVICE_CPU;
  const uint32_t chunk = chunked ? cpu_chunk : batch.n;
  std::vector<at::Tensor> parts;

  if (!exact)
    fold_up_to (n_stages);
  for (uint32_t first = 0; first < batch.n; first += chunk) {
    const uint32_t n = std::min (chunk, batch.n - first);

    parts.push_back (
        run_prefix_chunk (normaliser_.run (batch, first, n), n_stages));
  }
  return parts.size () == 1 ? parts[0] : at::cat (parts);
}

at::Tensor
TlBackendModel::run_frozen (const TlBatch &batch)
{
  const at::NoGradGuard no_grad;
  const int n_stages = std::min (static_cast<int> (freeze), tl::n_conv_stages);

  if (!train_bn)
    return run_prefix (batch, n_stages);

  at::Tensor x = normaliser_.run (batch, 0, batch.n);

  for (int i = 0; i < n_stages; i++)
    x = tl::run_stage (net.stages[i], x, true);
  return n_stages == tl::n_conv_stages ? tl::global_pool (x) : x;
}

at::Tensor
TlBackendModel::run_trainable (at::Tensor x) const
{
  if (freeze >= TL_STAGE_LAYER4)
    return x;
  for (int i = freeze; i < tl::n_conv_stages; i++)
    x = tl::run_stage (net.stages[i], x, true);
  return tl::global_pool (x);
}

at::Tensor
TlBackendModel::run_features (const TlBatch &batch)
{
  const at::NoGradGuard no_grad;

  return run_prefix (batch, tl::n_conv_stages);
}

at::Tensor
TlBackendModel::take_features (const float *features, uint32_t n) const
{
  return at::from_blob (const_cast<float *> (features), {n, arch->n_features},
      at::TensorOptions ().dtype (at::kFloat))
      .to (input_format_.device, input_format_.dtype);
}

at::Tensor
TlBackendModel::run_logits (const TlBatch &batch)
{
  const at::NoGradGuard no_grad;
  const at::Tensor features = run_features (batch);

  use_head_threads ();
  return tl::run_fc (net, features);
}

/* The stem halves the picture twice, layers 2 to 4 once each: 32 in all. */
void
TlBackendModel::check_batch_norm (const TlBatch &batch) const
{
  const bool has_moving_norm = train_bn || freeze < TL_STAGE_LAYER4;
  const uint64_t height = (batch.height + 31) / 32;
  const uint64_t width = (batch.width + 31) / 32;

  if (has_moving_norm && batch.n * height * width < 2)
    throw tl::Failure (TL_ERROR_ARGUMENT,
        "BatchNorm cannot train on a batch of one picture of "
            + std::to_string (batch.width) + "x" + std::to_string (batch.height)
            + ": use a larger batch (drop-last), larger pictures, or freeze "
              "all but fc");
}

TlStatus
TlBackendModel::visit (TlTensorVisitor visitor, void *user) const
{
  for (const tl::Entry &entry : entries) {
    const TlStatus status = tl::show_to_visitor (entry.arch.name, entry.tensor,
        entry.role, visitor, user);

    if (status != TL_OK)
      return status;
  }
  return TL_OK;
}

void
TlBackendModel::describe (TlModelInfo *ret) const
{
  snprintf (ret->arch, sizeof ret->arch, "%s", arch->name);
  ret->n_classes = static_cast<uint32_t> (net.fc_bias.size (0));
  ret->n_features = arch->n_features;
  ret->precision = precision;
  ret->n_threads = n_threads;
  ret->device = device;
  for (const tl::Entry &entry : entries) {
    const uint64_t n = static_cast<uint64_t> (entry.tensor.numel ());

    if (is_parameter (entry.arch.kind))
      ret->n_parameters += n;
    if (entry.role == TL_TENSOR_PARAMETER)
      ret->n_trainable += n;
  }
}
