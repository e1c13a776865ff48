/* SPDX-License-Identifier: BSD-3-Clause */

/* What a run plays, in which order: epoch after epoch, in each one phase per
 * split (train shuffled, the others in file order), from any position on.
 * Not thread-safe. */

#ifndef TL_PLAYLIST_H
#define TL_PLAYLIST_H

#include "tldataset.h"
#include "tlevents.h"

G_BEGIN_DECLS

typedef struct
{
  const TlDataset *dataset; /* borrowed, outlives the playlist */
  guint32 epochs;           /* 0: endless */
  guint32 views;            /* epoch e plays view e mod views; 0: view e */
  gboolean shuffle;
  guint64 seed;

  /* Where it stands. */
  guint32 epoch;
  TlSplit split;
  guint64 first;    /* position at which the current phase was entered */
  guint64 position; /* in the current phase: the next sample */
  guint32 *order;   /* of the current phase */
} TlPlaylist;

/* At the start of a run; the settings are then filled by the caller. */
void tl_playlist_init (TlPlaylist *self, const TlDataset *dataset);
void tl_playlist_clear (TlPlaylist *self);

/* Goes to a position of a run, before the first phase begins. FALSE with
 * @error (TL_DATASET_ERROR, a sentence for the user) where the run has no such
 * place or is over there. */
gboolean tl_playlist_seek (TlPlaylist *self, guint32 epoch, TlSplit split,
    guint64 position, GError **error);

/* Begins the phase it stands at and describes it (cached is left FALSE); FALSE
 * if the run is over. */
gboolean tl_playlist_begin_phase (TlPlaylist *self, TlPhase *phase);

/* The next sample of the phase; FALSE at its end. */
gboolean tl_playlist_next (TlPlaylist *self, guint *index);

/* Ends the phase, wherever it stands in it, and goes to the next one. */
void tl_playlist_end_phase (TlPlaylist *self);

/* Samples of one epoch, and of the run before the next sample. */
guint64 tl_playlist_epoch_length (const TlPlaylist *self);
guint64 tl_playlist_played (const TlPlaylist *self);

G_END_DECLS

#endif
