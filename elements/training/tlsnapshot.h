/* SPDX-License-Identifier: BSD-3-Clause */

/* From a model and its trainer to a checkpoint in a buffer, and the digest of
 * what must not change. */

#ifndef TL_SNAPSHOT_H
#define TL_SNAPSHOT_H

#include <gst/gst.h>

#include <tlsha256.h>
#include <tlshimloader.h>

#include "tlstate.h"

G_BEGIN_DECLS

/* What the checkpoints of one model share: its frozen tensors, copied once. */
typedef struct TlSnapshot TlSnapshot;

/* All are borrowed for its life; @trainer may be NULL. *transferred*. */
TlSnapshot *tl_snapshot_new (const TlShim *shim, TlModel *model,
    TlTrainer *trainer);

/* Accepts NULL. Buffers that were taken stay good. */
void tl_snapshot_free (TlSnapshot *self);

/* A whole safetensors file with its checksum (tlintegrity.h) in up to four
 * memories: header, frozen tensors, the model's other ones, optimizer. The
 * second is shared by all buffers. TL_ERROR_LIMIT for more than
 * TL_FILE_MAX_SIZE. From one thread at a time. *transferred* in @ret. */
TlStatus tl_snapshot_take (TlSnapshot *self, const TlState *state,
    GstBuffer **ret, TlError *error);

/* SHA-256 over name, dtype, shape and bytes of every frozen tensor, in the
 * order of the state dict; @n is their number. */
TlStatus tl_snapshot_hash_frozen (const TlShim *shim, TlModel *model,
    gchar hex[TL_SHA256_HEX_SIZE], guint *n, TlError *error);

G_END_DECLS

#endif
