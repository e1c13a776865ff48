/* SPDX-License-Identifier: BSD-3-Clause */

/* The element batcher; its documentation is in tlbatcher.c. */

#ifndef TL_BATCHER_H
#define TL_BATCHER_H

#include <gst/gst.h>

G_BEGIN_DECLS

#define TL_TYPE_BATCHER (tl_batcher_get_type ())
G_DECLARE_FINAL_TYPE (TlBatcher, tl_batcher, TL, BATCHER, GstElement)

GST_ELEMENT_REGISTER_DECLARE (batcher);

G_END_DECLS

#endif
