/* SPDX-License-Identifier: BSD-3-Clause */

/* A data set in a few lines of text, for the user at start-up. */

#ifndef TL_SUMMARY_H
#define TL_SUMMARY_H

#include "tldataset.h"

G_BEGIN_DECLS

/* Adds the lines on classes, imbalance and groups to the notes. */
void tl_summary_add_notes (TlDataset *dataset);

/* "398 samples: train 244, valid 154"; *transferred*. */
gchar *tl_summary_totals (const TlDataset *dataset);

G_END_DECLS

#endif
