/* SPDX-License-Identifier: BSD-3-Clause */

/* Checkpoints that wait for the disk, and the thread that writes them. At most
 * one is being written and two wait. A save within an epoch that still waits
 * gives way to a newer checkpoint; one that ends an epoch is always written. */

#ifndef TL_CHECKPOINT_QUEUE_H
#define TL_CHECKPOINT_QUEUE_H

#include "tlcheckpointinfo.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct TlCheckpointQueue TlCheckpointQueue;

/* Called on the queue's thread, one checkpoint at a time; both are borrowed.
 * FALSE: writing is over, what waits is dropped. */
typedef gboolean (*TlCheckpointWrite) (GstBuffer *checkpoint,
    const TlCheckpointInfo *info, gpointer user);

/* Starts the thread. */
TlCheckpointQueue *tl_checkpoint_queue_new (TlCheckpointWrite write,
    gpointer user);

/* Writes what waits, ends the thread and frees. Accepts NULL. */
void tl_checkpoint_queue_free (TlCheckpointQueue *self);

/* Appends a checkpoint, behind those that are being pushed already; takes over
 * both, @info is emptied. Waits for room, unless it is hurried: then the queue
 * is longer for once. GST_FLOW_ERROR if writing has failed, GST_FLOW_FLUSHING
 * once it is closed. */
GstFlowReturn tl_checkpoint_queue_push (TlCheckpointQueue *self,
    GstBuffer *checkpoint, TlCheckpointInfo *info);

/* Nothing but one last checkpoint is taken from now on, so that no older one
 * comes behind it. Returns how many were taken. */
guint64 tl_checkpoint_queue_close (TlCheckpointQueue *self);
GstFlowReturn tl_checkpoint_queue_push_last (TlCheckpointQueue *self,
    GstBuffer *checkpoint, TlCheckpointInfo *info);

/* While TRUE, a push does not wait. Any thread. */
void tl_checkpoint_queue_set_hurried (TlCheckpointQueue *self,
    gboolean hurried);

/* Waits until everything is written; FALSE if writing has failed. */
gboolean tl_checkpoint_queue_drain (TlCheckpointQueue *self);

G_END_DECLS

#endif
