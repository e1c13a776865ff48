/* SPDX-License-Identifier: BSD-3-Clause */

/* Watches whether anything moves in a pipeline, and says where it stands. It
 * counts what leaves each source pad, those of elements that are added later
 * too: one addition per buffer and pad. */

#ifndef TL_WATCH_H
#define TL_WATCH_H

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _TlWatch TlWatch;

/* @pipeline keeps its probes until it is finalized. *transferred*. */
TlWatch *tl_watch_new (GstBin *pipeline);
void tl_watch_free (TlWatch *self);

/* Whether a buffer or an event has left a pad since the last call. */
gboolean tl_watch_moved (TlWatch *self);

/* A line per element: buffers it gave, and what its queue holds. The main
 * thread. *transferred*. */
gchar *tl_watch_describe (TlWatch *self);

G_END_DECLS

#endif
