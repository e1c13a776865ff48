/* SPDX-License-Identifier: BSD-3-Clause */

/* Where a model's tensors come from: a file of weights, a checkpoint, or the
 * seed. Knows no GStreamer pipelines. */

#ifndef TL_WEIGHTS_H
#define TL_WEIGHTS_H

#include <tlarch.h>

#include "tlstate.h"

G_BEGIN_DECLS

typedef struct TlWeights TlWeights;

/* Opens and checks the file at @path, or prepares random weights where it is
 * NULL. @arch is "auto" or the architecture that the file must have. The
 * handle is *transferred*. The errors are sentences that begin with the path
 * or the setting that is wrong. */
TlStatus tl_weights_open (const gchar *path, const gchar *arch, TlWeights **ret,
    TlError *error);
void tl_weights_free (TlWeights *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TlWeights, tl_weights_free)

/* "random" for random ones. */
const gchar *tl_weights_path (const TlWeights *self);
const gchar *tl_weights_sha256 (const TlWeights *self);
const TlArch *tl_weights_arch (const TlWeights *self);

/* What the file says of itself; NULL unless it is a tlpipe checkpoint. */
const TlState *tl_weights_state (const TlWeights *self);

/* Whether the file has a head for exactly these classes in this order. */
gboolean tl_weights_has_classes (const TlWeights *self,
    const gchar *const *classes);

/* A complete state dict. Data is borrowed from the TlWeights or drawn. */
typedef struct
{
  GArray *tensors; /* TlTensor */
  GPtrArray *drawn;
  gboolean new_head;
} TlWeightsSet;

void tl_weights_set_clear (TlWeightsSet *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TlWeightsSet, tl_weights_set_clear)

/* The state dict for @classes. The file's head is kept if it is for the same
 * list of classes; else a new one is drawn from @seed as torch.nn.Linear
 * initialises it, uniform in +-1 / sqrt (inputs), weight and bias. Random
 * weights are torchvision's initialisation of a ResNet: normal convolutions
 * with variance 2 / fan-out (He et al. 2015), BatchNorm 1 and 0. */
void tl_weights_build (const TlWeights *self, const gchar *const *classes,
    guint64 seed, TlWeightsSet *ret);

/* The optimizer's state in a checkpoint: an array of TlTensor borrowed from
 * the file, empty where there is none. *transferred*. */
GArray *tl_weights_get_optimizer (const TlWeights *self);

G_END_DECLS

#endif
