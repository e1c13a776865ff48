/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef TL_IMAGE_DECODE_H
#define TL_IMAGE_DECODE_H

#include "tlorderedelement.h"

G_BEGIN_DECLS

#define TL_TYPE_IMAGE_DECODE tl_image_decode_get_type ()
G_DECLARE_FINAL_TYPE (TlImageDecode, tl_image_decode, TL, IMAGE_DECODE,
    TlOrderedElement)

GST_ELEMENT_REGISTER_DECLARE (imagedecode);

G_END_DECLS

#endif
