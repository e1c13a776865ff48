/* SPDX-License-Identifier: BSD-3-Clause */

/* Is the run that a trainer wants to go on with the one that is set up here?
 * Errors are in TL_DATASET_ERROR, a sentence for the user. */

#ifndef TL_RESUME_H
#define TL_RESUME_H

#include <tlqueries.h>

#include "tldatasetsettings.h"
#include "tlplaylist.h"

G_BEGIN_DECLS

/* Sets up @playlist, over @dataset, for a new run with @settings or, where
 * @cursor says so, for the rest of an old one. Draws the subset of
 * max-samples, which depends on the seed. FALSE with @error if the cursor
 * contradicts the seed that the user gave, is of another data set, or of a run
 * that is over. */
gboolean tl_resume_set_up (TlPlaylist *playlist, TlDataset *dataset,
    const TlDatasetSettings *settings, const TlCursor *cursor, GError **error);

G_END_DECLS

#endif
