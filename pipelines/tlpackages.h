/* SPDX-License-Identifier: BSD-3-Clause */

/* Which package of Debian and Ubuntu has an element that is not installed. */

#ifndef TL_PACKAGES_H
#define TL_PACKAGES_H

#include <glib.h>

G_BEGIN_DECLS

/* "gstreamer1.0-plugins-good"; static, NULL if @element is none that is
 * known. */
const gchar *tl_packages_find (const gchar *element);

/* @element is one of tlpipe's own. */
gboolean tl_packages_is_own (const gchar *element);

G_END_DECLS

#endif
