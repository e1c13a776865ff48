/* SPDX-License-Identifier: BSD-3-Clause */

/* "manysrc": an element with a property of every type that a file can set, and
 * of some that it cannot. */

#ifndef TL_MANY_H
#define TL_MANY_H

#include <gst/gst.h>

G_BEGIN_DECLS

#define TL_TYPE_MANY (tl_many_get_type ())
G_DECLARE_FINAL_TYPE (TlMany, tl_many, TL, MANY, GstElement)

gboolean gst_element_register_manysrc (GstPlugin *plugin);

G_END_DECLS

#endif
