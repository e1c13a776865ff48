/* SPDX-License-Identifier: BSD-3-Clause */

/* The folder of a run: last.safetensors, best.safetensors,
 * epoch-NNN.safetensors and metrics.jsonl. Every file is replaced as a whole:
 * whatever happens, the old one or the new one is there.
 *
 * A folder holds one run at a time, and only one process writes to it. */

#ifndef TL_RUN_FOLDER_H
#define TL_RUN_FOLDER_H

#include "tlcheckpointinfo.h"

#include <tlfile.h>

G_BEGIN_DECLS

typedef struct
{
  const gchar *location; /* the folder; copied */
  gboolean save_last;
  guint save_top_k;     /* 0: no best; 1: best.safetensors; more: epochs too */
  const gchar *monitor; /* a name in the validation metrics; copied */
  gboolean lower_is_better;
  const gchar *export; /* formats of tlcheckpointexport.h; copied */
} TlRunFolderSettings;

typedef struct TlRunFolder TlRunFolder;

/* The folder must be there, and be claimed (tlfolder.h) while files are written.
 * *transferred*. */
TlRunFolder *tl_run_folder_new (const TlRunFolderSettings *settings);

/* Accepts NULL. */
void tl_run_folder_free (TlRunFolder *self);

/* Begins a run: removes the temporary files of one that was killed, and
 * remembers what the folder holds. */
void tl_run_folder_begin (TlRunFolder *self);

/* Takes into the ranking what the folder holds of the run that the first
 * checkpoint, @info, is of. Each such file is read and held against its
 * checksum. @foreign: there are files of another run too, or damaged ones; they
 * do not count, are never removed, and are replaced one by one. Where
 * best.safetensors is not the best of them, it becomes so: TL_ERROR_* where
 * that fails. */
TlStatus tl_run_folder_adopt (TlRunFolder *self, const TlCheckpointInfo *info,
    gboolean *foreign, TlError *error);

/* Reports a file: @kind is "last", "best" or "epoch"; @value that of the
 * monitored metric, NAN if it has none. Strings are borrowed. */
typedef void (*TlRunFolderWritten) (const gchar *kind, const gchar *path,
    gdouble value, gpointer user);

/* Writes a checkpoint to all files it belongs in; tl_run_folder_adopt() must
 * have seen the first one. On failure (TL_ERROR_WRITE) the files that were
 * there before are good. */
TlStatus tl_run_folder_save (TlRunFolder *self, const TlCheckpointInfo *info,
    const TlChunk *chunks, gsize n_chunks, TlRunFolderWritten written,
    gpointer user, TlError *error);

/* What it was opened with; *borrowed*, immutable. */
const TlRunFolderSettings *tl_run_folder_get_settings (const TlRunFolder *self);

/* Value of the monitored metric of the best epoch so far, NAN before one. */
gdouble tl_run_folder_best (const TlRunFolder *self);

G_END_DECLS

#endif
