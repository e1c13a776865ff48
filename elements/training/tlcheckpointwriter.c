/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlcheckpointwriter.h"
#include "tlcheckpointexport.h"

#include <tlerror.h>
#include <tlfail.h>
#include <tlmessages.h>

GST_DEBUG_CATEGORY_EXTERN (tl_checkpoint_sink_debug);
#define GST_CAT_DEFAULT tl_checkpoint_sink_debug

/* Memories of a buffer at most; GStreamer joins more. */
#define MAX_MEMORIES 16

struct TlCheckpointWriter
{
  GstElement *element;
  const TlFolder *claim;
  TlRunFolder *folder;
  TlCheckpointWritten written;
  TlCheckpointBest best;
  gboolean adopted; /* the first checkpoint of this run was seen */
  gboolean warned;  /* that it cannot be ranked */
};

TlCheckpointWriter *
tl_checkpoint_writer_new (GstElement *element, const TlFolder *claim,
    const TlRunFolderSettings *settings, TlCheckpointWritten written,
    TlCheckpointBest best)
{
  TlCheckpointWriter *self = g_new0 (TlCheckpointWriter, 1);

  self->element = element;
  self->claim = claim;
  self->folder = tl_run_folder_new (settings);
  self->written = written;
  self->best = best;
  tl_run_folder_begin (self->folder);
  return self;
}

void
tl_checkpoint_writer_free (TlCheckpointWriter *self)
{
  if (!self)
    return;
  tl_run_folder_free (self->folder);
  g_free (self);
}

static const TlRunFolderSettings *
get_settings (const TlCheckpointWriter *self)
{
  return tl_run_folder_get_settings (self->folder);
}

static TlStatus
adopt_folder (TlCheckpointWriter *self, const TlCheckpointInfo *info,
    TlError *error)
{
  gboolean foreign;
  TlStatus status;

  if (self->adopted)
    return TL_OK;
  self->adopted = TRUE;
  status = tl_run_folder_adopt (self->folder, info, &foreign, error);
  if (foreign)
    /* Not INFO: gst-launch-1.0 shows only the debug part of one. */
    GST_ELEMENT_WARNING (self->element, RESOURCE, WRITE,
        ("%s holds files of another run (other data, weights, seed or "
         "settings) or damaged ones. They are not compared with this run's, "
         "which replace them one by one.",
            get_settings (self)->location),
        (NULL));
  return status;
}

typedef struct
{
  TlCheckpointWriter *writer;
  const TlCheckpointInfo *info;
  guint64 size;
  gboolean has_best; /* best.safetensors is among what was written */
} Report;

static void
report_written (const gchar *kind, const gchar *path, gdouble value,
    gpointer user)
{
  Report *report = user;
  TlCheckpointWriter *self = report->writer;

  GST_DEBUG_OBJECT (self->element, "%s: %s", kind, path);
  report->has_best |= g_str_equal (kind, "best");
  gst_element_post_message (self->element,
      tl_message_new_checkpoint (GST_OBJECT (self->element), path, kind,
          report->info->epoch, report->info->step, report->size,
          get_settings (self)->monitor, value));
  self->written (self->element, path);
}

/* Says once that there will be no best checkpoint although it was asked for. */
static void
warn_unranked (TlCheckpointWriter *self, const TlCheckpointInfo *info)
{
  gdouble value;

  if (self->warned || get_settings (self)->save_top_k == 0 || !info->ends_epoch
      || !info->valid
      || tl_metrics_lookup (info->valid, get_settings (self)->monitor, &value))
    return;
  self->warned = TRUE;
  GST_ELEMENT_WARNING (self->element, LIBRARY, SETTINGS,
      ("monitor=%s is not among the validation metrics, so that no checkpoint "
       "is chosen as the best: choose another one (auc needs two classes).",
          get_settings (self)->monitor),
      ("metrics: %s", info->valid));
}

/* Maps memory by memory: mapping the buffer would join them in a copy. */
static guint
map_memories (GstBuffer *checkpoint, GstMapInfo *maps, TlChunk *chunks)
{
  guint n = gst_buffer_n_memory (checkpoint);

  for (guint i = 0; i < n; i++) {
    if (!gst_memory_map (gst_buffer_peek_memory (checkpoint, i), &maps[i],
            GST_MAP_READ))
      return i;
    chunks[i] = (TlChunk){maps[i].data, maps[i].size};
  }
  return n;
}

gboolean
tl_checkpoint_writer_write (GstBuffer *checkpoint, const TlCheckpointInfo *info,
    gpointer user)
{
  TlCheckpointWriter *self = user;
  Report report = {self, info, gst_buffer_get_size (checkpoint)};
  GstMapInfo maps[MAX_MEMORIES];
  TlChunk chunks[MAX_MEMORIES];
  TlError error = TL_ERROR_INIT;
  guint n = map_memories (checkpoint, maps, chunks);
  TlStatus status = tl_folder_check (self->claim, &error);

  if (status == TL_OK && n < gst_buffer_n_memory (checkpoint))
    status = tl_fail (&error, TL_ERROR_MEMORY,
        "A checkpoint cannot be mapped into memory.");
  if (status == TL_OK)
    status = adopt_folder (self, info, &error);
  if (status == TL_OK) {
    warn_unranked (self, info);
    status = tl_run_folder_save (self->folder, info, chunks, n, report_written,
        &report, &error);
  }
  for (guint i = 0; i < n; i++)
    gst_memory_unmap (maps[i].memory, &maps[i]);
  if (status != TL_OK)
    tl_element_post_error (self->element, status, &error);
  else if (report.has_best && *get_settings (self)->export)
    tl_checkpoint_export_best (self->element, get_settings (self)->location,
        get_settings (self)->export);
  self->best (self->element, tl_run_folder_best (self->folder));
  return status == TL_OK;
}
