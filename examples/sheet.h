/* SPDX-License-Identifier: BSD-3-Clause */

/* One picture that sums a run up. */

#ifndef SHEET_H
#define SHEET_H

#include "curve.h"
#include "results.h"

/* Writes @path (PNG): the learning curve, the confusion matrix, pictures of
 * @folder with what was found in them, and the classes of @video over time.
 * Each of the three may be NULL. FALSE with @error set if it cannot be
 * written. */
gboolean sheet_write (const gchar *path, const GArray *curve,
    const Results *folder, const Results *video, GError **error);

#endif
