/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlrunfolder.h"
#include "tlmetricslog.h"
#include "tlranking.h"

#include <tlfail.h>

#include <glib/gstdio.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#define LAST "last.safetensors"
#define BEST "best.safetensors"
#define METRICS "metrics.jsonl"
#define EPOCH_PATTERN "^epoch-[0-9]{3,10}\\.safetensors$"
#define TEMPORARY_PATTERN                                                      \
  "^((last|best|epoch-[0-9]{3,10})\\.safetensors|best\\.(onnx|pth)|"           \
  "metrics\\.jsonl)"                                                           \
  "\\.tmp-[0-9]+-[0-9]+$"

/* A file that the folder held at the begin of the run. */
typedef struct
{
  gchar *path;
  gchar *run;       /* NULL if it is no checkpoint */
  gboolean is_last; /* last.safetensors, which is not ranked */
  gboolean is_rankable;
  TlRankingEntry entry; /* has_file: the name is that of its epoch */
} Found;

struct TlRunFolder
{
  TlRunFolderSettings settings; /* with strings of its own */
  TlRanking ranking;
  GArray *found;       /* Found; until the run is known */
  gboolean fresh;      /* metrics.jsonl is of another run */
  gint64 logged_epoch; /* the last one in metrics.jsonl; -1 for none */
};

static void
clear_found (gpointer user)
{
  Found *found = user;

  g_free (found->path);
  g_free (found->run);
}

static gchar *
path_of (const TlRunFolder *self, const gchar *name)
{
  return g_build_filename (self->settings.location, name, NULL);
}

static gchar *
epoch_path (const TlRunFolder *self, guint32 epoch)
{
  g_autofree gchar *name =
      g_strdup_printf ("epoch-%03" G_GUINT32_FORMAT ".safetensors", epoch);

  return path_of (self, name);
}

/* ---- life ---- */

TlRunFolder *
tl_run_folder_new (const TlRunFolderSettings *settings)
{
  TlRunFolder *self = g_new0 (TlRunFolder, 1);

  self->settings = *settings;
  self->settings.location = g_strdup (settings->location);
  self->settings.monitor = g_strdup (settings->monitor);
  self->settings.export = g_strdup (settings->export);
  self->logged_epoch = -1;
  tl_ranking_init (&self->ranking, settings->save_top_k,
      settings->lower_is_better);
  self->found = g_array_new (FALSE, TRUE, sizeof (Found));
  g_array_set_clear_func (self->found, clear_found);
  return self;
}

void
tl_run_folder_free (TlRunFolder *self)
{
  if (!self)
    return;
  g_free ((gpointer) self->settings.location);
  g_free ((gpointer) self->settings.monitor);
  g_free ((gpointer) self->settings.export);
  tl_ranking_clear (&self->ranking);
  g_array_unref (self->found);
  g_free (self);
}

/* ---- what is there already ---- */

/* FALSE for an epoch that cannot be ranked: no validation, not the whole of it,
 * or without the metric. */
static gboolean
rank_info (const TlRunFolder *self, const TlCheckpointInfo *info,
    TlRankingEntry *ret)
{
  ret->epoch = info->epoch;
  ret->has_file = FALSE;
  ret->loss = INFINITY;
  tl_metrics_lookup (info->valid, "loss", &ret->loss);
  return info->ends_epoch && info->valid
      && !strstr (info->valid, "complete=false")
      && tl_metrics_lookup (info->valid, self->settings.monitor, &ret->value);
}

static void
look_at (TlRunFolder *self, const gchar *name)
{
  g_auto (TlCheckpointInfo) info = {0};
  TlError error = TL_ERROR_INIT;
  Found found = {.path = path_of (self, name),
      .is_last = strcmp (name, LAST) == 0};

  if (tl_checkpoint_info_read_file (&info, found.path, &error) == TL_OK) {
    g_autofree gchar *expected = epoch_path (self, info.epoch);

    found.run = g_steal_pointer (&info.run);
    found.is_rankable = rank_info (self, &info, &found.entry);
    found.entry.has_file = strcmp (found.path, expected) == 0;
    /* Copied by hand: not what its name says. */
    if (!found.entry.has_file && !found.is_last && strcmp (name, BEST) != 0)
      g_clear_pointer (&found.run, g_free);
  }
  g_array_append_val (self->found, found);
}

void
tl_run_folder_begin (TlRunFolder *self)
{
  g_autoptr (GDir) dir = g_dir_open (self->settings.location, 0, NULL);
  const gchar *name;

  g_array_set_size (self->found, 0);
  tl_ranking_empty (&self->ranking);
  self->fresh = FALSE;
  self->logged_epoch = -1;
  while (dir && (name = g_dir_read_name (dir))) {
    if (g_regex_match_simple (TEMPORARY_PATTERN, name, 0, 0)) {
      g_autofree gchar *path = path_of (self, name);

      g_unlink (path);
    } else if (strcmp (name, LAST) == 0 || strcmp (name, BEST) == 0
        || g_regex_match_simple (EPOCH_PATTERN, name, 0, 0)) {
      look_at (self, name);
    }
  }
}

/* Makes best.safetensors the best of what was found: it may be missing, damaged,
 * or chosen by another metric. @in_best: the epoch that it has, 0 for none. */
static TlStatus
restore_best (TlRunFolder *self, guint32 in_best, TlError *error)
{
  const TlRankingEntry *best = tl_ranking_best (&self->ranking);
  g_autofree gchar *from = NULL, *to = path_of (self, BEST);
  g_autofree gpointer bytes = NULL;
  TlFile file;
  TlStatus status;

  if (!best || best->epoch == in_best || !best->has_file)
    return TL_OK;
  from = epoch_path (self, best->epoch);
  status = tl_file_open (from, &file, error);
  if (status != TL_OK)
    return status;
  bytes = g_try_malloc (file.size);
  status = bytes ? tl_file_read (&file, 0, bytes, file.size, error)
                 : tl_fail (error, TL_ERROR_MEMORY,
                     "Out of memory to copy %.600s to " BEST ".", from);
  tl_file_close (&file);
  if (status == TL_OK)
    status = tl_file_replace (to, &(TlChunk){bytes, file.size}, 1, error);
  return status;
}

/* An epoch that comes again is ranked again: the run begins anew, or goes on
 * from before it. */
TlStatus
tl_run_folder_adopt (TlRunFolder *self, const TlCheckpointInfo *info,
    gboolean *foreign, TlError *error)
{
  /* The first epoch that is still to come, counted from 1 as in the files. */
  guint64 next = (guint64) info->epoch + !info->ends_epoch;
  guint32 in_best = 0;
  gboolean ours = FALSE;

  *foreign = FALSE;
  for (guint i = 0; i < self->found->len; i++) {
    const Found *found = &g_array_index (self->found, Found, i);

    if (g_strcmp0 (found->run, info->run) != 0) {
      *foreign = TRUE;
      continue;
    }
    ours = TRUE;
    if (self->settings.save_top_k == 0 || found->is_last || !found->is_rankable
        || found->entry.epoch >= next)
      continue;
    if (tl_checkpoint_check_file (found->path, NULL) != TL_OK) {
      *foreign = TRUE;
      continue;
    }
    tl_ranking_add (&self->ranking, &found->entry);
    if (!found->entry.has_file)
      in_best = found->entry.epoch;
  }
  self->fresh = !ours;
  g_array_set_size (self->found, 0);
  return restore_best (self, in_best, error);
}

/* ---- writing ---- */

typedef struct
{
  TlRunFolder *folder;
  const TlChunk *chunks;
  gsize n_chunks;
  TlRunFolderWritten written;
  gpointer user;
  gdouble value;
  TlError *error;
} Save;

/* Takes over @path. */
static TlStatus
write_file (const Save *save, const gchar *kind, gchar *path)
{
  TlStatus status =
      tl_file_replace (path, save->chunks, save->n_chunks, save->error);

  if (status == TL_OK)
    save->written (kind, path, save->value, save->user);
  g_free (path);
  return status;
}

/* The files of epochs that are no longer among the best. Only what was written
 * here, or was found whole, is removed, and only when the rest is durable. */
static TlStatus
remove_evicted (TlRunFolder *self, TlError *error)
{
  TlRankingEntry evicted;

  while (tl_ranking_evict (&self->ranking, &evicted)) {
    g_autofree gchar *path = epoch_path (self, evicted.epoch);

    if (evicted.has_file && g_unlink (path) < 0 && errno != ENOENT)
      return tl_fail (error, TL_ERROR_WRITE,
          "%.600s: cannot be removed, although better epochs have taken its "
          "place: %s. Change its permissions, or raise save-top-k.",
          path, g_strerror (errno));
  }
  return TL_OK;
}

static TlStatus
save_ranked (const Save *save, const TlRankingEntry *entry)
{
  TlRunFolder *self = save->folder;
  gint place = tl_ranking_add (&self->ranking, entry);
  TlStatus status = TL_OK;

  if (place >= 0 && self->ranking.size > 1) {
    status = write_file (save, "epoch", epoch_path (self, entry->epoch));
    tl_ranking_set_has_file (&self->ranking, entry->epoch);
  }
  if (place == 0 && status == TL_OK)
    status = write_file (save, "best", path_of (self, BEST));
  return status == TL_OK ? remove_evicted (self, save->error) : status;
}

static TlStatus
log_metrics (TlRunFolder *self, const TlCheckpointInfo *info, TlError *error)
{
  g_autofree gchar *path = path_of (self, METRICS);
  TlStatus status = tl_metrics_log_append (path, info, self->fresh, error);

  if (status == TL_OK) {
    self->logged_epoch = info->epoch;
    self->fresh = FALSE;
  }
  return status;
}

/* metrics.jsonl comes first and last.safetensors last: a run may be resumed from
 * any checkpoint, and then has the lines up to it. A line of an epoch that is
 * trained again is replaced. */
TlStatus
tl_run_folder_save (TlRunFolder *self, const TlCheckpointInfo *info,
    const TlChunk *chunks, gsize n_chunks, TlRunFolderWritten written,
    gpointer user, TlError *error)
{
  Save save = {self, chunks, n_chunks, written, user, NAN, error};
  TlRankingEntry entry;
  TlStatus status = TL_OK;

  /* The last epoch comes twice: at its end, and when the run is finished. */
  if (info->ends_epoch && info->epoch != self->logged_epoch) {
    status = log_metrics (self, info, error);
    if (status == TL_OK && rank_info (self, info, &entry)) {
      save.value = entry.value;
      status = save_ranked (&save, &entry);
    }
  }
  if (status == TL_OK && self->settings.save_last)
    status = write_file (&save, "last", path_of (self, LAST));
  return status;
}

const TlRunFolderSettings *
tl_run_folder_get_settings (const TlRunFolder *self)
{
  return &self->settings;
}

gdouble
tl_run_folder_best (const TlRunFolder *self)
{
  const TlRankingEntry *best = tl_ranking_best (&self->ranking);

  return best ? best->value : NAN;
}
