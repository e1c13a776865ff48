/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlranking.h"

void
tl_ranking_init (TlRanking *self, guint size, gboolean lower_is_better)
{
  self->size = size;
  self->lower_is_better = lower_is_better;
  self->entries = g_array_new (FALSE, FALSE, sizeof (TlRankingEntry));
}

void
tl_ranking_clear (TlRanking *self)
{
  g_clear_pointer (&self->entries, g_array_unref);
}

static TlRankingEntry *
entry_at (const TlRanking *self, guint i)
{
  return &g_array_index (self->entries, TlRankingEntry, i);
}

static gboolean
is_better (const TlRanking *self, const TlRankingEntry *a,
    const TlRankingEntry *b)
{
  if (a->value != b->value)
    return self->lower_is_better ? a->value < b->value : a->value > b->value;
  if (a->loss != b->loss)
    return a->loss < b->loss;
  return a->epoch < b->epoch;
}

/* -1 if it is not there. */
static gint
find_epoch (const TlRanking *self, guint32 epoch)
{
  for (guint i = 0; i < self->entries->len; i++) {
    if (entry_at (self, i)->epoch == epoch)
      return (gint) i;
  }
  return -1;
}

gint
tl_ranking_add (TlRanking *self, const TlRankingEntry *entry)
{
  gint old = find_epoch (self, entry->epoch);
  TlRankingEntry added = *entry;
  guint place = 0;

  if (old >= 0) {
    added.has_file |= entry_at (self, (guint) old)->has_file;
    g_array_remove_index (self->entries, (guint) old);
  }
  while (place < self->entries->len
      && !is_better (self, entry, entry_at (self, place)))
    place++;
  g_array_insert_val (self->entries, place, added);
  return place < self->size ? (gint) place : -1;
}

void
tl_ranking_set_has_file (TlRanking *self, guint32 epoch)
{
  gint i = find_epoch (self, epoch);

  if (i >= 0)
    entry_at (self, (guint) i)->has_file = TRUE;
}

gboolean
tl_ranking_evict (TlRanking *self, TlRankingEntry *ret)
{
  guint last = self->entries->len;

  if (last <= self->size)
    return FALSE;
  *ret = *entry_at (self, last - 1);
  g_array_set_size (self->entries, last - 1);
  return TRUE;
}

void
tl_ranking_empty (TlRanking *self)
{
  g_array_set_size (self->entries, 0);
}

const TlRankingEntry *
tl_ranking_best (const TlRanking *self)
{
  return self->entries->len > 0 ? entry_at (self, 0) : NULL;
}
