/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef TL_RESULT_OVERLAY_H
#define TL_RESULT_OVERLAY_H

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define TL_TYPE_RESULT_OVERLAY (tl_result_overlay_get_type ())
G_DECLARE_FINAL_TYPE (TlResultOverlay, tl_result_overlay, TL, RESULT_OVERLAY,
    GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE (resultoverlay);

G_END_DECLS

#endif
