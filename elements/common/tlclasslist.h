/* SPDX-License-Identifier: BSD-3-Clause */

/* Class names as the JSON array that checkpoints carry (TL_KEY_CLASSES). */

#ifndef TL_CLASS_LIST_H
#define TL_CLASS_LIST_H

#include <glib.h>

#include "tlapi.h"

G_BEGIN_DECLS

/* ["ants","bees"], without blanks and with the fewest escapes that JSON
 * allows: the same names give the same bytes. @classes are UTF-8.
 * *transferred*. */
TL_API gchar *tl_class_list_to_json (const gchar *const *classes);

/* The names, NULL-terminated and *transferred*; NULL unless @json is an array
 * of 1 to TL_MAX_CLASSES strings and nothing else. @n may be NULL. */
TL_API gchar **tl_class_list_from_json (const gchar *json, guint *n);

/* "ants, bees, wasps and 5 more" for a message; *transferred*. */
TL_API gchar *tl_class_list_to_text (const gchar *const *classes);

G_END_DECLS

#endif
