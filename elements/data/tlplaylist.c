/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlplaylist.h"

#include <string.h>

#include <tlstatus.h>

#include "tlorder.h"

static TlSplit
first_split (const TlPlaylist *self)
{
  TlSplit split = TL_SPLIT_TRAIN;

  while (!self->dataset->played[split])
    split++;
  return split;
}

static gboolean
is_last_split (const TlPlaylist *self)
{
  for (guint s = self->split + 1; s < TL_N_SPLITS; s++) {
    if (self->dataset->played[s])
      return FALSE;
  }
  return TRUE;
}

static gboolean
is_over (const TlPlaylist *self)
{
  return self->epochs > 0 && self->epoch >= self->epochs;
}

void
tl_playlist_init (TlPlaylist *self, const TlDataset *dataset)
{
  memset (self, 0, sizeof *self);
  self->dataset = dataset;
  self->epochs = 1;
  self->split = first_split (self);
}

void
tl_playlist_clear (TlPlaylist *self)
{
  g_clear_pointer (&self->order, g_free);
}

gboolean
tl_playlist_seek (TlPlaylist *self, guint32 epoch, TlSplit split,
    guint64 position, GError **error)
{
  if (self->epochs > 0 && epoch >= self->epochs) {
    g_set_error (error, TL_DATASET_ERROR, TL_ERROR_ARGUMENT,
        "The checkpoint has finished %u epochs and epochs=%u: set epochs above "
        "%u to go on.",
        epoch, self->epochs, epoch);
    return FALSE;
  }
  if (!self->dataset->played[split] || position > self->dataset->n[split]) {
    g_set_error (error, TL_DATASET_ERROR, TL_ERROR_ARGUMENT,
        "The checkpoint goes on at sample %" G_GUINT64_FORMAT
        " of %s, of which this data set plays %u.",
        position, tl_split_nick (split), self->dataset->n[split]);
    return FALSE;
  }
  self->epoch = epoch;
  self->split = split;
  self->position = position;
  return TRUE;
}

gboolean
tl_playlist_begin_phase (TlPlaylist *self, TlPhase *phase)
{
  guint32 n = self->dataset->n[self->split];

  if (is_over (self))
    return FALSE;
  g_free (self->order);
  self->order = g_new (guint32, n);
  tl_order_fill (self->order, n, self->seed, self->epoch,
      self->shuffle && self->split == TL_SPLIT_TRAIN);
  self->first = self->position;

  memset (phase, 0, sizeof *phase);
  phase->epoch = self->epoch;
  phase->split = self->split;
  phase->n = n;
  phase->first = self->first;
  phase->view = self->views ? self->epoch % self->views : self->epoch;
  phase->final = self->epochs > 0 && self->epoch == self->epochs - 1
      && is_last_split (self);
  return TRUE;
}

gboolean
tl_playlist_next (TlPlaylist *self, guint *index)
{
  if (self->position >= self->dataset->n[self->split])
    return FALSE;
  *index = self->dataset->first[self->split] + self->order[self->position++];
  return TRUE;
}

void
tl_playlist_end_phase (TlPlaylist *self)
{
  self->position = 0;
  if (!is_last_split (self)) {
    do
      self->split++;
    while (!self->dataset->played[self->split]);
    return;
  }
  self->split = first_split (self);
  self->epoch++;
}

guint64
tl_playlist_epoch_length (const TlPlaylist *self)
{
  return self->dataset->samples->len;
}

guint64
tl_playlist_played (const TlPlaylist *self)
{
  return self->epoch * tl_playlist_epoch_length (self)
      + self->dataset->first[self->split] + self->position;
}
