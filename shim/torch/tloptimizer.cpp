/* SPDX-License-Identifier: BSD-3-Clause */

#include "tloptimizer.h"

#include "tlguard.h"
#include "tlhosttensor.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <map>

namespace tl {

/* Slots in torch.optim's order. */
enum AdamSlot
{
  STEP,
  EXP_AVG,
  EXP_AVG_SQ
};

Optimizer::Optimizer (const TlTrainerOptions &options) : options_ (options)
{
  if (options.optimizer != TL_OPTIMIZER_SGD)
    slot_names_ = {"step", "exp_avg", "exp_avg_sq"};
  else if (options.momentum != 0)
    slot_names_ = {"momentum_buffer"};
}

void
Optimizer::add (std::string name, at::Tensor parameter)
{
  states_.push_back ({std::move (name), std::move (parameter), {}});
}

void
Optimizer::drop_gradients ()
{
  for (State &state : states_)
    state.parameter.mutable_grad () = at::Tensor ();
}

void
Optimizer::step (double lr)
{
  const at::NoGradGuard no_grad;

  if (options_.clip_grad_norm != 0)
    clip_gradients ();
  for (State &state : states_) {
    if (options_.optimizer == TL_OPTIMIZER_SGD)
      update_sgd (state, lr);
    else
      update_adam (state, lr);
  }
  drop_gradients ();
}

/* torch.nn.utils.clip_grad_norm_ with its defaults. A number over a tensor is
 * the tensor's reciprocal times the number there. */
void
Optimizer::clip_gradients () const
{
  std::vector<at::Tensor> norms;

  for (const State &state : states_)
    norms.push_back (at::linalg_vector_norm (state.parameter.grad ()));

  const at::Tensor total = at::linalg_vector_norm (at::stack (norms));
  const at::Tensor factor = total.add (1e-6)
                                .reciprocal ()
                                .mul (options_.clip_grad_norm)
                                .clamp_max (1);

  for (const State &state : states_)
    state.parameter.grad ().mul_ (factor);
}

void
Optimizer::update_sgd (State &state, double lr) const
{
  at::Tensor &parameter = state.parameter;
  at::Tensor grad = parameter.grad ();

  if (options_.weight_decay != 0)
    grad = grad.add (parameter, options_.weight_decay);
  if (options_.momentum != 0) {
    if (state.slots.empty ())
      state.slots = {grad.clone ()};
    else
      state.slots[0].mul_ (options_.momentum).add_ (grad);
    grad = options_.nesterov ? grad.add (state.slots[0], options_.momentum)
                             : state.slots[0];
  }
  parameter.add_ (grad, -lr);
}

/* Adam's corrections are computed in double from the step, as Python does. Its
 * root is a power there, which is not always sqrt() to the last bit. */
void
Optimizer::update_adam (State &state, double lr) const
{
  at::Tensor &parameter = state.parameter;
  at::Tensor grad = parameter.grad ();

  for (size_t i = state.slots.size (); i < slot_names_.size (); i++)
    state.slots.push_back (new_slot (state, i));
  state.slots[STEP].add_ (1);

  if (options_.weight_decay != 0) {
    if (options_.optimizer == TL_OPTIMIZER_ADAMW)
      parameter.mul_ (1 - lr * options_.weight_decay);
    else
      grad = grad.add (parameter, options_.weight_decay);
  }
  state.slots[EXP_AVG].lerp_ (grad, 1 - options_.beta1);
  state.slots[EXP_AVG_SQ]
      .mul_ (options_.beta2)
      .addcmul_ (grad, grad, 1 - options_.beta2);

  const double step = state.slots[STEP].item<double> ();
  const double correction1 = 1 - std::pow (options_.beta1, step);
  const double correction2 = 1 - std::pow (options_.beta2, step);
  const at::Tensor denominator = state.slots[EXP_AVG_SQ]
                                     .sqrt ()
                                     .div_ (std::pow (correction2, 0.5))
                                     .add_ (options_.eps);

  parameter.addcdiv_ (state.slots[EXP_AVG], denominator, -lr / correction1);
}

at::Tensor
Optimizer::new_slot (const State &state, size_t slot) const
{
  if (options_.optimizer != TL_OPTIMIZER_SGD && slot == STEP)
    return at::zeros ({}, at::kFloat); /* on the CPU, as torch.optim */
  return at::zeros_like (state.parameter.detach ());
}

static std::string
slot_key (const std::string &parameter, const char *slot)
{
  return "optimizer." + parameter + "." + slot;
}

TlStatus
Optimizer::visit (TlTensorVisitor visitor, void *user) const
{
  for (const State &state : states_)
    for (size_t i = 0; i < state.slots.size (); i++) {
      const TlStatus status =
          show_to_visitor (slot_key (state.name, slot_names_[i]),
              state.slots[i], TL_TENSOR_BUFFER, visitor, user);

      if (status != TL_OK)
        return status;
    }
  return TL_OK;
}

static const TlTensor &
take (std::map<std::string, const TlTensor *> &given, const std::string &key,
    const at::Tensor &like)
{
  const auto found = given.find (key);

  if (found == given.end ())
    throw Failure (TL_ERROR_ARGUMENT,
        "the optimizer state lacks \"" + key
            + "\": it belongs to another freeze or optimizer setting");

  const TlTensor &tensor = *found->second;

  if (at::IntArrayRef (tensor.shape, tensor.n_dims) != like.sizes ())
    throw Failure (TL_ERROR_ARGUMENT,
        "\"" + key + "\" has another shape than its parameter");
  given.erase (found);
  return tensor;
}

void
Optimizer::restore (const TlTensor *tensors, size_t n_tensors)
{
  std::map<std::string, const TlTensor *> given;
  std::vector<State> restored = states_;

  for (size_t i = 0; i < n_tensors; i++)
    given.emplace (tensors[i].name, &tensors[i]);

  for (State &state : restored) {
    state.slots.clear ();
    for (size_t i = 0; n_tensors > 0 && i < slot_names_.size (); i++) {
      at::Tensor slot = new_slot (state, i);

      copy_from_host (take (given, slot_key (state.name, slot_names_[i]), slot),
          slot);
      state.slots.push_back (slot);
    }
  }
  if (!given.empty ())
    throw Failure (TL_ERROR_ARGUMENT,
        "the optimizer state has \"" + given.begin ()->first
            + "\", which this optimizer does not use");
  states_ = std::move (restored);
}

} // namespace tl
