/* SPDX-License-Identifier: BSD-3-Clause */

/* Where the program finds its elements. */

#ifndef TL_PLUGIN_H
#define TL_PLUGIN_H

#include <gst/gst.h>

G_BEGIN_DECLS

/* GStreamer's usual way finds an installed plugin. A program that is started in
 * its build folder takes plugin and shim of that build, told by where the
 * program lies; one that was installed to a prefix of its own, the plugin beside
 * its libtlpipe. After gst_init (). */
void tl_plugin_find (void);

/* The plugin, *transferred*; NULL if there is none. */
GstPlugin *tl_plugin_get (void);

G_END_DECLS

#endif
