/* SPDX-License-Identifier: BSD-3-Clause */

/* Pretrained weights by name: the folders in which their files are looked for,
 * and what a user means by weights=resnet50. Any thread. */

#ifndef TL_WEIGHTS_CACHE_H
#define TL_WEIGHTS_CACHE_H

#include <glib.h>

#include <tlknownweights.h>
#include <tlstatus.h>

G_BEGIN_DECLS

/* Where torchvision publishes its files; a file's name goes behind it. */
#define TL_WEIGHTS_URL "https://download.pytorch.org/models/"

/* Of tlpipe, whether it is there or not: TLPIPE_WEIGHTS, else tlpipe/weights in
 * the user's folder for caches (XDG_CACHE_HOME, ~/.cache). *transferred*. */
gchar *tl_weights_cache_get_folder (void);

/* That folder, then PyTorch's, in which torch.hub and torchvision keep what
 * they have downloaded: hub/checkpoints in TORCH_HOME, else in torch in the
 * user's folder for caches. NULL-terminated, *transferred*. */
gchar **tl_weights_cache_list_folders (void);

/* The path of the file in the first folder that has it; its content is not
 * looked at. NULL: none has it. *transferred*. */
gchar *tl_weights_cache_find (const TlKnownWeights *known);

/* ' - did you mean "resnet50"?' for a name that is not known; "" if nothing is
 * near. *transferred*. */
gchar *tl_weights_cache_suggest (const gchar *name);

/* The path of the file that @weights stands for: a known name is always that
 * name, anything else is a path. @arch is "auto" or the architecture that was
 * asked for. TL_ERROR_NOT_FOUND says where the file was looked for and how to
 * get it; TL_ERROR_ARGUMENT that @weights and @arch do not agree. @ret is
 * *transferred*. */
TlStatus tl_weights_cache_resolve (const gchar *weights, const gchar *arch,
    gchar **ret, TlError *error);

G_END_DECLS

#endif
