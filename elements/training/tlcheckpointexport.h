/* SPDX-License-Identifier: BSD-3-Clause */

/* What checkpointsink makes of its best checkpoint for other programs. */

#ifndef TL_CHECKPOINT_EXPORT_H
#define TL_CHECKPOINT_EXPORT_H

#include <gst/gst.h>

G_BEGIN_DECLS

/* Whether @formats is "" or formats of tlexport.h with commas between them. */
gboolean tl_checkpoint_export_check (const gchar *formats);

/* Writes @folder/best.FORMAT of best.safetensors for each of @formats. What
 * fails posts a warning from @element: the checkpoints are not touched. */
void tl_checkpoint_export_best (GstElement *element, const gchar *folder,
    const gchar *formats);

G_END_DECLS

#endif
