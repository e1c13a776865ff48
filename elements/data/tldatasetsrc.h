/* SPDX-License-Identifier: BSD-3-Clause */

/* The element datasetsrc; its documentation is in tldatasetsrc.c. */

#ifndef TL_DATASET_SRC_H
#define TL_DATASET_SRC_H

#include <gst/base/gstpushsrc.h>

G_BEGIN_DECLS

#define TL_TYPE_DATASET_SRC (tl_dataset_src_get_type ())
G_DECLARE_FINAL_TYPE (TlDatasetSrc, tl_dataset_src, TL, DATASET_SRC, GstPushSrc)

GST_ELEMENT_REGISTER_DECLARE (datasetsrc);

G_END_DECLS

#endif
