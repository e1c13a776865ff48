/* SPDX-License-Identifier: BSD-3-Clause */

/* State dicts as torch.save writes them, in the three containers that it has
 * had:
 *
 *   zip (PyTorch 1.6 and later)    a pickle, ROOT/data.pkl, and a record of raw
 *                                  elements for each storage, ROOT/data/KEY
 *   legacy (0.2 to 1.5)            five pickles, then the storages' elements
 *   tar (0.1)                      members sys_info, pickle, tensors, storages
 *
 * Which of a file's tensors are the state dict: docs/model-files.md. */

#ifndef TL_PTH_H
#define TL_PTH_H

#include "tltensorset.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Memory for the values of a pickle; the set's arena needs some more for the
 * names. */
#define TL_PTH_MAX_VALUES (28u << 20)

/* Each reads a whole file in memory (borrowed for the set's life) into an
 * empty set, which must be cleared in every case. Strides are as saved, data
 * lies within @bytes. There storages that are not aligned are moved a few bytes
 * forward, over what is of no more use, so that nothing is ever copied. */
TlStatus tl_pth_read_zip (void *bytes, size_t size, TlTensorSet *set,
    TlError *error);
TlStatus tl_pth_read_legacy (void *bytes, size_t size, TlTensorSet *set,
    TlError *error);
TlStatus tl_pth_read_tar (void *bytes, size_t size, TlTensorSet *set,
    TlError *error);

/* Whether a file begins as one of the legacy container does, in any pickle
 * protocol, and as one of the tar container. */
int tl_pth_is_legacy (const void *bytes, size_t size);
int tl_pth_is_tar (const void *bytes, size_t size);

#ifdef __cplusplus
}
#endif

#endif
