/* SPDX-License-Identifier: BSD-3-Clause */

/* Between the containers of torch.save and what they hold: a pickled object
 * in which the state dict is looked for. Internal. */

#ifndef TL_PTH_OBJECT_H
#define TL_PTH_OBJECT_H

#include "tlpickle.h"
#include "tltensorset.h"

/* The bytes of a storage's record: at least as many as it claims, aligned to
 * 8 (see tl_pth_align). */
typedef TlStatus (*TlPthLocate) (void *user, const TlPickleStorage *storage,
    const uint8_t **ret, TlError *error);

/* Fills the set with the tensors of the state dict in @root. */
TlStatus tl_pth_read_object (const TlPickleValue *root, size_t file_size,
    TlPthLocate locate, void *user, TlTensorSet *set, TlError *error);

/* Moves @n bytes forward to a multiple of 8. The at most 7 bytes before them,
 * the end of a length or a header, are lost. */
uint8_t *tl_pth_align (uint8_t *data, size_t n);

/* Whether sys_info, a dict that the older containers have, says little
 * endian. */
TlStatus tl_pth_check_sys_info (const TlPickleValue *sys_info, TlError *error);

/* The record of a storage is missing, or has other bytes than it says. */
TlStatus tl_pth_fail_storage (const TlPickleStorage *storage,
    uint64_t record_size, TlError *error);

/* Bytes of the record that the storage is in or a part of. */
uint64_t tl_pth_storage_size (const TlPickleStorage *storage);

#endif
