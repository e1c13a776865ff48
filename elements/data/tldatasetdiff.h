/* SPDX-License-Identifier: BSD-3-Clause */

/* In what a data set is not the one that a run was on, as far as a checkpoint
 * can tell: classes, and pictures of each class and split. */

#ifndef TL_DATASET_DIFF_H
#define TL_DATASET_DIFF_H

#include "tldataset.h"

G_BEGIN_DECLS

/* A clause such as "train/ants had 124 pictures and has 125". @classes (JSON)
 * and @counts ("train=124,121 valid=70,83") are what the checkpoint says, or
 * NULL. *transferred*. */
gchar *tl_dataset_diff (const TlDataset *dataset, const gchar *classes,
    const gchar *counts);

G_END_DECLS

#endif
