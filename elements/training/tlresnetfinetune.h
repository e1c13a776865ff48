/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef TL_RESNET_FINETUNE_H
#define TL_RESNET_FINETUNE_H

#include <gst/gst.h>

G_BEGIN_DECLS

#define TL_TYPE_RESNET_FINETUNE (tl_resnet_finetune_get_type ())
G_DECLARE_FINAL_TYPE (TlResnetFinetune, tl_resnet_finetune, TL, RESNET_FINETUNE,
    GstElement)

GST_ELEMENT_REGISTER_DECLARE (resnetfinetune)

G_END_DECLS

#endif
