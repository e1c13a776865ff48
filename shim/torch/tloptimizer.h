/* SPDX-License-Identifier: BSD-3-Clause */

/* SGD, Adam and AdamW, operation for operation as torch.optim's single-tensor
 * code, in place where that is, so that the bits are the same; the state is kept by parameter name. */

#ifndef TL_OPTIMIZER_H
#define TL_OPTIMIZER_H

#include "tlshim.h"

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

namespace tl {

class Optimizer {
public:
  explicit Optimizer (const TlTrainerOptions &options);

  /* @parameter: shared with the model, requires gradients. */
  void add (std::string name, at::Tensor parameter);

  /* One update from the gradients, clipped if asked for, which are dropped. */
  void step (double lr);

  void drop_gradients ();

  TlStatus visit (TlTensorVisitor visitor, void *user) const;

  /* All or nothing; throws Failure for a state that does not fit. */
  void restore (const TlTensor *tensors, size_t n_tensors);

private:
  struct State
  {
    std::string name;
    at::Tensor parameter;
    std::vector<at::Tensor> slots; /* as slot_names; empty: no step yet */
  };

  void clip_gradients () const;
  void update_sgd (State &state, double lr) const;
  void update_adam (State &state, double lr) const;
  at::Tensor new_slot (const State &state, size_t slot) const;

  TlTrainerOptions options_;
  std::vector<const char *> slot_names_;
  std::vector<State> states_;
};

} // namespace tl

#endif
