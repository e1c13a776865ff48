/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlbatchmeta.h"

static gboolean
init_meta (GstMeta *meta, gpointer params, GstBuffer *buffer)
{
  TlBatchMeta *self = (TlBatchMeta *) meta;

  memset ((guint8 *) self + sizeof self->meta, 0,
      sizeof *self - sizeof self->meta);
  return TRUE;
}

static void
free_meta (GstMeta *meta, GstBuffer *buffer)
{
  TlBatchMeta *self = (TlBatchMeta *) meta;

  for (guint32 i = 0; i < self->n_valid; i++)
    g_clear_pointer (&self->samples[i].path, g_ref_string_release);
  g_clear_pointer (&self->samples, g_free);
}

static gboolean
transform_meta (GstBuffer *dest, GstMeta *meta, GstBuffer *buffer, GQuark type,
    gpointer data)
{
  const TlBatchMeta *from = (const TlBatchMeta *) meta;
  TlBatchMeta *to;

  if (tl_buffer_get_batch_meta (dest))
    return TRUE;
  to = tl_buffer_add_batch_meta (dest, from->size);
  to->split = from->split;
  to->epoch = from->epoch;
  to->view = from->view;
  to->step = from->step;
  to->n = from->n;
  for (guint32 i = 0; i < from->n_valid; i++)
    tl_batch_meta_append (to, &from->samples[i]);
  return TRUE;
}

GType
tl_batch_meta_api_get_type (void)
{
  static gsize type = 0;
  static const gchar *tags[] = {NULL};

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        gst_meta_api_type_register ("TlBatchMetaAPI", tags));
  return type;
}

const GstMetaInfo *
tl_batch_meta_get_info (void)
{
  static const GstMetaInfo *info = NULL;

  if (g_once_init_enter (&info))
    g_once_init_leave (&info,
        gst_meta_register (tl_batch_meta_api_get_type (), "TlBatchMeta",
            sizeof (TlBatchMeta), init_meta, free_meta, transform_meta));
  return info;
}

TlBatchMeta *
tl_buffer_add_batch_meta (GstBuffer *buffer, guint32 size)
{
  TlBatchMeta *self;

  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);
  g_return_val_if_fail (size >= 1 && size <= TL_MAX_BATCH_SIZE, NULL);
  self = (TlBatchMeta *) gst_buffer_add_meta (buffer, tl_batch_meta_get_info (),
      NULL);
  self->size = size;
  self->samples = g_new0 (TlBatchSample, size);
  return self;
}

TlBatchMeta *
tl_buffer_get_batch_meta (GstBuffer *buffer)
{
  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);
  return (TlBatchMeta *) gst_buffer_get_meta (buffer,
      tl_batch_meta_api_get_type ());
}

void
tl_batch_meta_append (TlBatchMeta *meta, const TlBatchSample *sample)
{
  TlBatchSample *slot;

  g_return_if_fail (meta->n_valid < meta->size);
  slot = &meta->samples[meta->n_valid++];
  *slot = *sample;
  if (slot->path)
    g_ref_string_acquire (slot->path);
}
