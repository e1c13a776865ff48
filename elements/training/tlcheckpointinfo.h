/* SPDX-License-Identifier: BSD-3-Clause */

/* What checkpointsink wants to know of a checkpoint, from its header alone:
 * which run it is of, where that stands and how good the model is. */

#ifndef TL_CHECKPOINT_INFO_H
#define TL_CHECKPOINT_INFO_H

#include <glib.h>

#include <tlstatus.h>

G_BEGIN_DECLS

typedef struct
{
  gchar *run;    /* all settings that make a run what it is, as one text */
  guint32 epoch; /* finished epochs */
  guint64 step;  /* optimizer steps so far */
  gboolean ends_epoch; /* nothing of the next epoch is in it */
  gchar *train; /* "loss=0.2 accuracy=0.9 ..." of the last phase, or NULL */
  gchar *valid;
} TlCheckpointInfo;

void tl_checkpoint_info_clear (TlCheckpointInfo *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TlCheckpointInfo, tl_checkpoint_info_clear)

/* Fills the empty @ret from the first @size bytes of a safetensors file of
 * @file_size, which must have its header. TL_ERROR_FORMAT where it is not one
 * or does not say where its run stands. */
TlStatus tl_checkpoint_info_read (TlCheckpointInfo *ret, gconstpointer bytes,
    gsize size, guint64 file_size, TlError *error);

/* The same from a file, of which only the header is read. */
TlStatus tl_checkpoint_info_read_file (TlCheckpointInfo *ret, const gchar *path,
    TlError *error);

/* Holds all of a file against the checksum that it carries; TL_OK if it carries
 * none, TL_ERROR_FORMAT if it is damaged. */
TlStatus tl_checkpoint_check_file (const gchar *path, TlError *error);

/* A finite number out of a text of metrics; FALSE if there is none. @metrics
 * may be NULL. */
gboolean tl_metrics_lookup (const gchar *metrics, const gchar *name,
    gdouble *ret);

G_END_DECLS

#endif
