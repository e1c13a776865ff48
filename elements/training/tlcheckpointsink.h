/* SPDX-License-Identifier: BSD-3-Clause */

/* The element checkpointsink; its documentation is in tlcheckpointsink.c. */

#ifndef TL_CHECKPOINT_SINK_H
#define TL_CHECKPOINT_SINK_H

#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS

#define TL_TYPE_CHECKPOINT_SINK (tl_checkpoint_sink_get_type ())
G_DECLARE_FINAL_TYPE (TlCheckpointSink, tl_checkpoint_sink, TL, CHECKPOINT_SINK,
    GstBaseSink)

GST_ELEMENT_REGISTER_DECLARE (checkpointsink);

G_END_DECLS

#endif
