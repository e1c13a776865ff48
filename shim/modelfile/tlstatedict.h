/* SPDX-License-Identifier: BSD-3-Clause */

/* The model part of a file as the writers want it: every tensor of
 * torchvision's state dict, in its order, dense, in fp32 (num_batches_tracked
 * in int64). */

#ifndef TL_STATE_DICT_H
#define TL_STATE_DICT_H

#include "tlarch.h"
#include "tlarena.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct
{
  const TlArch *arch;
  uint32_t n_classes;
  TlArchEntry *entries; /* one for each tensor */
  TlTensor *tensors;
  size_t n; /* of both */
  TlArena arena;
} TlStateDict;

/* Fills an empty (zeroed) @self. Data that is already as it should be is
 * borrowed from @tensors, the rest copied. A num_batches_tracked that is
 * missing becomes 0, as PyTorch has it. Names that begin with @skip (may be
 * NULL) are passed over. TL_ERROR_ARGUMENT: no architecture, or no head; the
 * message lists what is missing. @self must be cleared in every case. */
TlStatus tl_state_dict_collect (TlStateDict *self, const TlTensor *tensors,
    size_t n_tensors, const char *skip, TlError *error);

/* The tensor of that name; NULL: the architecture has none. */
const TlTensor *tl_state_dict_find (const TlStateDict *self, const char *name);

void tl_state_dict_clear (TlStateDict *self);

#ifdef __cplusplus
}
#endif

#endif
