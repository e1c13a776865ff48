/* SPDX-License-Identifier: BSD-3-Clause */

/* Loads libtlshim and libtorch, when an element goes from NULL to READY and
 * not before: the plugin loads, lists and inspects without them. */

#ifndef TL_SHIM_LOADER_H
#define TL_SHIM_LOADER_H

#include <glib.h>

#include <tlshim.h>

#include "tlapi.h"

G_BEGIN_DECLS

/* Every function of tlshim.h. */
#define TL_SHIM_FUNCTIONS(F)                                                   \
  F (shim_abi)                                                                 \
  F (backend_describe)                                                         \
  F (device_open)                                                              \
  F (model_new)                                                                \
  F (model_free)                                                               \
  F (model_describe)                                                           \
  F (model_infer)                                                              \
  F (model_features)                                                           \
  F (model_evaluate)                                                           \
  F (model_visit)                                                              \
  F (trainer_new)                                                              \
  F (trainer_free)                                                             \
  F (trainer_step)                                                             \
  F (trainer_step_features)                                                    \
  F (trainer_visit)                                                            \
  F (trainer_restore)

/* shim->model_new is tl_model_new, and so on. */
typedef struct
{
#define TL_SHIM_FIELD(name) __typeof__ (tl_##name) *name;
  TL_SHIM_FUNCTIONS (TL_SHIM_FIELD)
#undef TL_SHIM_FIELD
} TlShim;

/* Loads the shim once per process; it stays loaded. Any thread.
 *
 * The library is the file that TLPIPE_SHIM names, else tlpipe/
 * libtlshim-torch.so beside libtlpipe, else that of the configured libdir.
 * libtorch is the one in the folder that TLPIPE_TORCH names (with
 * lib/libtorch_cpu.so), else the one that the shim finds by itself, else that
 * of $VIRTUAL_ENV, else the one the build was configured with, else one in the
 * usual places.
 *
 * Returns a table that is valid for the life of the process (*borrowed*), or
 * NULL with @error saying what is missing and what to install. A failure is
 * not remembered: the next call tries again. */
TL_API const TlShim *tl_shim_load (TlError *error);

/* The files that were loaded, "" where the system chose; valid after
 * tl_shim_load has succeeded. */
TL_API const gchar *tl_shim_library_path (void);
TL_API const gchar *tl_shim_torch_path (void);

G_END_DECLS

#endif
