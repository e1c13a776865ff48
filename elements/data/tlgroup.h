/* SPDX-License-Identifier: BSD-3-Clause */

/* Groups: samples that belong together (frames of one video, pictures of one
 * patient) and so must never be in two splits. */

#ifndef TL_GROUP_H
#define TL_GROUP_H

#include <glib.h>

G_BEGIN_DECLS

/* The group that the name of a file tells, for group=auto: its path without
 * the last run of digits of the file name and what follows it, and without the
 * separators and the word for a frame (frame, img...) in front of it.
 *
 *   polyp/video12_frame03.jpg  -> polyp/video12
 *   polyp/video12/0003.png     -> polyp/video12
 *   left/10_left.jpeg          -> left/10
 *   polyp/portrait.jpg         -> NULL: no digits, a group of its own
 *
 * *transferred*. */
gchar *tl_group_from_path (const gchar *path);

/* Draws a part of the groups. n_samples[g] and stratum[g] describe group g,
 * named names[g]; a group whose stratum is @n_strata or more is left alone.
 * Sets drawn[g] for a part that has, in every stratum, as near to @fraction of
 * the samples as whole groups allow; a stratum of two groups or more has at
 * least one group on either side, a single group is not drawn (but all are
 * where @fraction is 1, and none where it is 0).
 *
 * Groups are considered in the order of a hash of their names, whatever the
 * seed of a run: groups that are added or grow only move those at the edge of
 * the drawn part. Arrays of @n_groups, *borrowed*. */
void tl_group_draw (gchar **names, const guint64 *n_samples,
    const guint32 *stratum, guint n_groups, guint n_strata, gdouble fraction,
    gboolean *drawn);

G_END_DECLS

#endif
