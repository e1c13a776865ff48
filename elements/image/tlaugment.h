/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef TL_AUGMENT_H
#define TL_AUGMENT_H

#include "tlorderedelement.h"

G_BEGIN_DECLS

#define TL_TYPE_AUGMENT tl_augment_get_type ()
G_DECLARE_FINAL_TYPE (TlAugment, tl_augment, TL, AUGMENT, TlOrderedElement)

GST_ELEMENT_REGISTER_DECLARE (augment);

G_END_DECLS

#endif
