/* SPDX-License-Identifier: BSD-3-Clause */

/* Which folder holds which split: train/, val/ (or valid/, validation/) and
 * test/ below the location, or class folders right there. */

#ifndef TL_LAYOUT_H
#define TL_LAYOUT_H

/* For TlSplit alone. */
#include "tlcaps.h"

G_BEGIN_DECLS

typedef struct
{
  /* Relative to the location: "train", "." for class folders right there, NULL
   * where a split has none. */
  gchar *folder[TL_N_SPLITS];
  gboolean wanted[TL_N_SPLITS]; /* to be played */
  gboolean draw;                /* valid is drawn from the samples of train */
} TlLayout;

void tl_layout_clear (TlLayout *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TlLayout, tl_layout_clear)

/* Looks below @location and decides what @splits ("" or a comma-separated
 * list) means there; valid is drawn only where @valid_fraction, in [0, 1], is
 * above 0. @self is filled only on success. Errors (TL_DATASET_ERROR):
 * NOT_FOUND, READ, ARGUMENT. */
gboolean tl_layout_find (TlLayout *self, const gchar *location,
    const gchar *splits, gdouble valid_fraction, GError **error);

G_END_DECLS

#endif
