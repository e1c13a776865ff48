/* SPDX-License-Identifier: BSD-3-Clause */

/* Links two elements, now or when the first one gets its pad. Part of
 * tlbuild. */

#ifndef TL_LINKER_H
#define TL_LINKER_H

#include <gst/gst.h>

#include "tldiagnostics.h"

G_BEGIN_DECLS

/* One link to be made. Pads are NULL for any; all is borrowed. */
typedef struct
{
  GstElement *from;
  const gchar *from_pad;
  GstElement *to;
  const gchar *to_pad;
  TlPlace place; /* what an error points at */
} TlLink;

typedef enum
{
  TL_LINKED,
  TL_LINKED_LATER, /* when link->from gets its pads */
  TL_NOT_LINKED,
} TlLinked;

/* Both elements are in the same bin and in NULL. An error in @diagnostics names
 * both sides and what their pads give and take.
 *
 * If @link->from gets its pads later, the link is made then, from the thread
 * that adds the pad; if no pad fits in the end, an error message is posted. */
TlLinked tl_linker_link (const TlLink *link, TlDiagnostics *diagnostics);

G_END_DECLS

#endif
