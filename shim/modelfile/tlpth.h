/* SPDX-License-Identifier: BSD-3-Clause */

/* State dicts as torch.save of PyTorch 1.6 and later writes them: a zip
 * archive with a pickle, ROOT/data.pkl, and a record of raw elements for each
 * storage, ROOT/data/KEY. */

#ifndef TL_PTH_H
#define TL_PTH_H

#include "tltensorset.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Reads a whole archive in memory (borrowed for the set's life) into an empty
 * set, which must be cleared in every case. The state dict is the object
 * itself, or its item state_dict, model or model_state_dict; values that are
 * no tensors are left out, and prefixes common to all names, "module." of
 * DataParallel, "model." and "_orig_mod.", are taken off. Strides are as saved;
 * data not aligned to its element size is copied into the set. */
TlStatus tl_pth_read_zip (const void *bytes, size_t size, TlTensorSet *set,
    TlError *error);

#ifdef __cplusplus
}
#endif

#endif
