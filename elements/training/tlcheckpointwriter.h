/* SPDX-License-Identifier: BSD-3-Clause */

/* Writes the checkpoints of one run of checkpointsink, and says on the bus what
 * was written, what was wrong and what could not be ranked. */

#ifndef TL_CHECKPOINT_WRITER_H
#define TL_CHECKPOINT_WRITER_H

#include "tlfolder.h"
#include "tlrunfolder.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct TlCheckpointWriter TlCheckpointWriter;

/* From tl_checkpoint_writer_write(), no lock held: a file has been written; the
 * monitored metric of the best epoch so far, NAN before one. */
typedef void (*TlCheckpointWritten) (GstElement *element, const gchar *path);
typedef void (*TlCheckpointBest) (GstElement *element, gdouble best);

/* Looks into the folder, which is that of @claim. @element, which posts the
 * messages, and @claim are borrowed for its life. *transferred*. */
TlCheckpointWriter *tl_checkpoint_writer_new (GstElement *element,
    const TlFolder *claim, const TlRunFolderSettings *settings,
    TlCheckpointWritten written, TlCheckpointBest best);

/* Accepts NULL. */
void tl_checkpoint_writer_free (TlCheckpointWriter *self);

/* A TlCheckpointWrite (tlcheckpointqueue.h) with the writer as @user: FALSE
 * after an error, which has been posted. From one thread. */
gboolean tl_checkpoint_writer_write (GstBuffer *checkpoint,
    const TlCheckpointInfo *info, gpointer user);

G_END_DECLS

#endif
