/* SPDX-License-Identifier: BSD-3-Clause */

/* Where the run in a folder of checkpointsink stands: which of its files a run
 * goes on from. Knows files alone, and no pipeline. */

#ifndef TL_RUN_SEARCH_H
#define TL_RUN_SEARCH_H

#include <glib.h>

#include <tlstatus.h>

G_BEGIN_DECLS

typedef struct
{
  gchar *path;    /* the checkpoint to go on from; NULL: there is none */
  GPtrArray *bad; /* of gchar *: sentences about files that are of no use */

  /* What the checkpoint says. */
  gboolean is_finished;
  guint epoch;  /* the one it stands in, from 0; all of them if finished */
  guint epochs; /* 0: endless */
  guint64 step;
  gchar *split;
  guint64 position; /* in the split: the next sample */
} TlRunSearch;

/* Looks into @folder: last.safetensors or, where that is missing or damaged,
 * the one of best.safetensors and epoch-NNN.safetensors that has the most
 * steps. Every file that is looked at is read as a whole, so that a part of one
 * is not taken. A folder that is not there, or without checkpoints, is no
 * error. TL_ERROR_READ, a sentence for the user, where it cannot be looked
 * into. @ret is filled, or cleared. */
TlStatus tl_run_search (TlRunSearch *ret, const gchar *folder, TlError *error);

void tl_run_search_clear (TlRunSearch *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TlRunSearch, tl_run_search_clear)

G_END_DECLS

#endif
