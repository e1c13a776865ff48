/* SPDX-License-Identifier: BSD-3-Clause */

/* Whether the checkpoint that resume names is one to go on from. */

#ifndef TL_ORIGIN_H
#define TL_ORIGIN_H

#include "tlweights.h"

G_BEGIN_DECLS

/* @weights is what else the user has set: "", "random", a name or a file. A
 * name must be that of the file the run began with, which is told by its
 * digest. A file that is there must be that one, or be of the run; one that is
 * gone or damaged is not needed any more. TL_ERROR_ARGUMENT, a sentence, if
 * @checkpoint has no state of a run, or is of another origin. */
TlStatus tl_origin_check (const TlWeights *checkpoint, const gchar *weights,
    TlError *error);

G_END_DECLS

#endif
