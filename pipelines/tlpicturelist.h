/* SPDX-License-Identifier: BSD-3-Clause */

/* The pictures that a command line names: files as they are, of folders the
 * files that datasetsrc would take, sorted, at any depth. */

#ifndef TL_PICTURE_LIST_H
#define TL_PICTURE_LIST_H

#include <glib.h>

G_BEGIN_DECLS

/* Adds what @path names to @pictures (gchar *, owned by the array). NULL, or the
 * reason why @path cannot be used, *transferred*. */
gchar *tl_picture_list_add (GPtrArray *pictures, const gchar *path);

G_END_DECLS

#endif
