/* SPDX-License-Identifier: BSD-3-Clause */

/* The best epochs of a run, as files know them. */

#ifndef TL_RANKING_H
#define TL_RANKING_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  guint32 epoch;
  gdouble value;     /* of the monitored metric */
  gdouble loss;      /* decides between equal values; INFINITY if unknown */
  gboolean has_file; /* epoch-NNN.safetensors is there, and is this one */
} TlRankingEntry;

typedef struct
{
  gboolean lower_is_better;
  guint size;      /* entries kept at most */
  GArray *entries; /* TlRankingEntry, best first */
} TlRanking;

void tl_ranking_init (TlRanking *self, guint size, gboolean lower_is_better);
void tl_ranking_clear (TlRanking *self);

/* Puts an entry in its place; the earlier epoch wins what is left of a tie. An
 * entry of the same epoch is replaced, and hands on has_file. Returns the place
 * from 0, or -1 if it is none of the best @size: then it waits behind them to be
 * evicted. */
gint tl_ranking_add (TlRanking *self, const TlRankingEntry *entry);

/* Takes out the last entry if there are more than @size. */
gboolean tl_ranking_evict (TlRanking *self, TlRankingEntry *ret);

/* The file of an epoch has been written. */
void tl_ranking_set_has_file (TlRanking *self, guint32 epoch);

void tl_ranking_empty (TlRanking *self);

/* The best one; NULL if empty. */
const TlRankingEntry *tl_ranking_best (const TlRanking *self);

G_END_DECLS

#endif
