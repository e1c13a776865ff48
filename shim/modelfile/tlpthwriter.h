/* SPDX-License-Identifier: BSD-3-Clause */

/* Writes .pth files that torch.load (weights_only=True) takes: an archive of
 * stored records as PyTorch 1.6 and later write it, with a pickle (protocol 2)
 * of an OrderedDict from name to tensor. */

#ifndef TL_PTH_WRITER_H
#define TL_PTH_WRITER_H

#include "tltensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Makes @path such a file, as tl_file_replace() does; the same tensors give the
 * same bytes. Each tensor has a storage of its own, which begins at a multiple
 * of 64 bytes. TL_ERROR_ARGUMENT: a name that is no UTF-8 or occurs twice, a
 * tensor that is not contiguous. TL_ERROR_LIMIT: 4 GiB or more in all, which
 * would need zip64, or more than 65,000 tensors. */
TlStatus tl_pth_write (const char *path, const TlTensor *tensors,
    size_t n_tensors, TlError *error);

#ifdef __cplusplus
}
#endif

#endif
