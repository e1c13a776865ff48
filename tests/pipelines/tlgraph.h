/* SPDX-License-Identifier: BSD-3-Clause */

/* A pipeline as a text that can be compared. */

#ifndef TL_GRAPH_H
#define TL_GRAPH_H

#include <gst/gst.h>

G_BEGIN_DECLS

/* Every element with its properties and every link, sorted, one per line. Bins
 * are left out and what is in them is not; of a name that is a factory's with
 * or without a number only the factory stays. *Transferred*. */
gchar *tl_graph_describe (GstBin *bin);

G_END_DECLS

#endif
