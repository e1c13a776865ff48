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

/* A whole safetensors file in up to three memories: header, model, optimizer.
 * @trainer may be NULL. *transferred* in @ret. */
TlStatus tl_snapshot_take (const TlShim *shim, TlModel *model,
    TlTrainer *trainer, const TlState *state, GstBuffer **ret, TlError *error);

/* SHA-256 over name, dtype, shape and bytes of every frozen tensor, in the
 * order of the state dict; @n is their number. */
TlStatus tl_snapshot_hash_frozen (const TlShim *shim, TlModel *model,
    gchar hex[TL_SHA256_HEX_SIZE], guint *n, TlError *error);

G_END_DECLS

#endif
