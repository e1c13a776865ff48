/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlresume.h"

#include <string.h>

#include <tlstatus.h>

#include "tldatasetdiff.h"
#include "tlsummary.h"

static gboolean
check_seed (const TlDatasetSettings *settings, const TlCursor *cursor,
    GError **error)
{
  if (!settings->seed_given || settings->seed == cursor->seed)
    return TRUE;
  g_set_error (error, TL_DATASET_ERROR, TL_ERROR_ARGUMENT,
      "seed=%" G_GUINT64_FORMAT
      " contradicts the checkpoint, which was trained with seed=%" G_GUINT64_FORMAT
      ": leave seed out to resume.",
      settings->seed, cursor->seed);
  return FALSE;
}

static gboolean
check_digest (const TlDataset *dataset, const TlCursor *cursor, GError **error)
{
  g_autofree gchar *totals = NULL, *location = NULL, *diff = NULL;

  if (strcmp (cursor->digest, dataset->digest) == 0)
    return TRUE;
  totals = tl_summary_totals (dataset);
  location = g_filename_display_name (dataset->location);
  diff = tl_dataset_diff (dataset, cursor->classes, cursor->counts);
  g_set_error (error, TL_DATASET_ERROR, TL_ERROR_ARGUMENT,
      "The checkpoint was trained on another data set than \"%s\" is now: %s. "
      "(Digest %s, was %s; %s.) To resume, put files, splits, valid-fraction, "
      "group and max-samples back, or start a new run with weights set to the "
      "checkpoint.",
      location, diff, dataset->digest, cursor->digest, totals);
  return FALSE;
}

gboolean
tl_resume_set_up (TlPlaylist *playlist, TlDataset *dataset,
    const TlDatasetSettings *settings, const TlCursor *cursor, GError **error)
{
  if (cursor->resume && !check_seed (settings, cursor, error))
    return FALSE;
  playlist->epochs = settings->epochs;
  playlist->shuffle = settings->shuffle;
  playlist->views = cursor->views;
  playlist->seed = cursor->resume ? cursor->seed : settings->seed;
  if (settings->max_samples > 0)
    tl_dataset_limit (dataset, settings->max_samples, playlist->seed);
  if (!cursor->resume)
    return TRUE;
  return check_digest (dataset, cursor, error)
      && tl_playlist_seek (playlist, cursor->epoch, cursor->split,
          cursor->position, error);
}
