/* SPDX-License-Identifier: BSD-3-Clause */

/* Gives every sample of a data set its group, and sees to it that no group is
 * in two splits. Used by tldataset alone. */

#ifndef TL_GROUPING_H
#define TL_GROUPING_H

#include "tldataset.h"
#include "tllayout.h"

G_BEGIN_DECLS

/* Fills groups, n_groups and each sample's group and, where the layout says
 * so, draws valid from train; adds notes and warnings. Errors: ARGUMENT (a bad
 * expression, or groups that are in two given splits). */
gboolean tl_grouping_apply (TlDataset *dataset, const TlLayout *layout,
    const TlDatasetOptions *options, GError **error);

G_END_DECLS

#endif
