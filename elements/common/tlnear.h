/* SPDX-License-Identifier: BSD-3-Clause */

/* The word that somebody may have meant. */

#ifndef TL_NEAR_H
#define TL_NEAR_H

#include <glib.h>

G_BEGIN_DECLS

/* Steps between two words, where a step inserts, removes or replaces a byte or
 * swaps two neighbours (Damerau-Levenshtein, optimal string alignment), ASCII
 * case ignored. More than @max is max + 1. */
guint tl_near_distance (const gchar *a, const gchar *b, guint max);

/* Offers one word after the other; the nearest stays. */
typedef struct
{
  const gchar *word;  /* what was written, borrowed */
  const gchar *found; /* borrowed from what was offered; NULL: none is near */
  guint distance;
} TlNear;

void tl_near_init (TlNear *self, const gchar *word);
void tl_near_offer (TlNear *self, const gchar *candidate);
/* The same for a NULL-terminated array. */
void tl_near_offer_all (TlNear *self, const gchar *const *candidates);

/* ' - did you mean "x"?', or "" if nothing is near; *transferred*. */
gchar *tl_near_suggest (const TlNear *self);

G_END_DECLS

#endif
