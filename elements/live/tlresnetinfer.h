/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef TL_RESNET_INFER_H
#define TL_RESNET_INFER_H

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define TL_TYPE_RESNET_INFER (tl_resnet_infer_get_type ())
G_DECLARE_FINAL_TYPE (TlResnetInfer, tl_resnet_infer, TL, RESNET_INFER,
    GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE (resnetinfer);

G_END_DECLS

#endif
