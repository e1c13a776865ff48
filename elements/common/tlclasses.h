/* SPDX-License-Identifier: BSD-3-Clause */

/* Class names as a checkpoint carries them: a JSON array of strings. */

#ifndef TL_CLASSES_H
#define TL_CLASSES_H

#include <glib.h>

#include "tlapi.h"

G_BEGIN_DECLS

/* '["ants","bees"]'; repeats byte for byte. @classes is NULL-terminated,
 * valid UTF-8. *transferred*. */
TL_API gchar *tl_classes_to_json (const gchar *const *classes);

/* The names, NULL-terminated, *transferred*; NULL unless @json is such an array
 * of 1 to TL_MAX_CLASSES strings, each UTF-8 without a NUL. */
TL_API gchar **tl_classes_from_json (const gchar *json);

G_END_DECLS

#endif
