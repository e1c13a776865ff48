/* SPDX-License-Identifier: BSD-3-Clause */

/* What datasetsrc's streaming thread does: tells what follows what comes, and
 * gives phase after phase, sample after sample. */

#ifndef TL_PLAYER_H
#define TL_PLAYER_H

#include <gst/base/gstbasesrc.h>

#include <tlevents.h>

#include "tldataset.h"
#include "tldatasetsettings.h"
#include "tlplaylist.h"

G_BEGIN_DECLS

/* Samples per second of stream time. */
#define TL_PLAYER_RATE 30

/* Belongs to the streaming thread between tl_player_open() and
 * tl_player_close(), except for what is under the lock. */
typedef struct
{
  GstBaseSrc *base;                  /* borrowed: the element */
  const TlDatasetSettings *settings; /* borrowed: of the run */
  TlDataset *dataset;                /* NULL while closed */
  TlPlaylist playlist;
  gboolean constant_caps; /* application/x-tl-image for every file */
  gboolean announced;     /* tl-dataset is sent, the playlist is set */
  gboolean in_phase;
  TlPhase phase;
  TlPhaseEnd end; /* of the phase, so far */

  GArray *cached; /* of TlCached: what the trainer holds; object lock */
} TlPlayer;

void tl_player_init (TlPlayer *self, GstBaseSrc *base,
    const TlDatasetSettings *settings);
void tl_player_clear (TlPlayer *self);

/* Begins a run with @dataset, which is *transferred*. */
void tl_player_open (TlPlayer *self, TlDataset *dataset);
void tl_player_close (TlPlayer *self);

/* Chooses between constant caps and caps per file, as the peer wants it. */
gboolean tl_player_negotiate (TlPlayer *self);

/* Before the first buffer: asks where to start and sends tl-dataset. FALSE,
 * with an error posted, if there is no use in starting. */
gboolean tl_player_announce (TlPlayer *self);

/* One step: a phase begins, a sample is read, a phase ends. Sets @ret if there
 * is a buffer to push. GST_FLOW_EOS at the end, GST_FLOW_FLUSHING to be tried
 * again behind the flush, GST_FLOW_ERROR with an error posted. */
GstFlowReturn tl_player_step (TlPlayer *self, GstBuffer **ret);

/* The trainer holds a split in one view. From any thread. */
void tl_player_add_cached (TlPlayer *self, const TlCached *cached);

/* The one message of a failed call; @failure is in TL_DATASET_ERROR and
 * *transferred*. */
void tl_player_post_failure (GstBaseSrc *base, GError *failure);

G_END_DECLS

#endif
