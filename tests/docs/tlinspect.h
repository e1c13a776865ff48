/* SPDX-License-Identifier: BSD-3-Clause */

/* What an element must say of itself, what its page must say of it, and that
 * its tests set its properties. */

#ifndef TL_INSPECT_H
#define TL_INSPECT_H

#include <gst/gst.h>

/* What to compare with, and the sentences about what is missing. */
typedef struct
{
  gchar *pages;        /* folder with a <factory>.md per element */
  gchar *tests;        /* the text of all tests' sources */
  GPtrArray *findings; /* of gchar * */
} TlInspection;

/* For the source tree @source. */
void tl_inspection_init (TlInspection *self, const gchar *source);
void tl_inspection_clear (TlInspection *self);

/* Looks at one element with all its own properties. */
void tl_inspection_check (TlInspection *self, GstElementFactory *factory);

/* Whether a finding has @text in it. */
gboolean tl_inspection_found (const TlInspection *self, const gchar *text);

/* Paths of the files below @folder that end in @suffix, to the end of @paths. */
void tl_inspect_list_files (const gchar *folder, const gchar *suffix,
    GPtrArray *paths);

#endif
