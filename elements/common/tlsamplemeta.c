/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlsamplemeta.h"

static gboolean
init_meta (GstMeta *meta, gpointer params, GstBuffer *buffer)
{
  TlSampleMeta *self = (TlSampleMeta *) meta;

  memset ((guint8 *) self + sizeof self->meta, 0,
      sizeof *self - sizeof self->meta);
  self->label = TL_LABEL_NONE;
  return TRUE;
}

static void
free_meta (GstMeta *meta, GstBuffer *buffer)
{
  TlSampleMeta *self = (TlSampleMeta *) meta;

  g_clear_pointer (&self->path, g_ref_string_release);
}

/* Identity belongs to the sample, not to its pixels: copied on every kind of
 * transform. */
static gboolean
transform_meta (GstBuffer *dest, GstMeta *meta, GstBuffer *buffer, GQuark type,
    gpointer data)
{
  const TlSampleMeta *from = (const TlSampleMeta *) meta;
  TlSampleMeta *to = tl_buffer_get_sample_meta (dest);

  if (!to)
    to = tl_buffer_add_sample_meta (dest);
  g_clear_pointer (&to->path, g_ref_string_release);
  memcpy ((guint8 *) to + sizeof to->meta,
      (const guint8 *) from + sizeof from->meta, sizeof *to - sizeof to->meta);
  if (from->path)
    to->path = g_ref_string_acquire (from->path);
  return TRUE;
}

GType
tl_sample_meta_api_get_type (void)
{
  static gsize type = 0;
  static const gchar *tags[] = {NULL};

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        gst_meta_api_type_register ("TlSampleMetaAPI", tags));
  return type;
}

const GstMetaInfo *
tl_sample_meta_get_info (void)
{
  static const GstMetaInfo *info = NULL;

  if (g_once_init_enter (&info))
    g_once_init_leave (&info,
        gst_meta_register (tl_sample_meta_api_get_type (), "TlSampleMeta",
            sizeof (TlSampleMeta), init_meta, free_meta, transform_meta));
  return info;
}

TlSampleMeta *
tl_buffer_add_sample_meta (GstBuffer *buffer)
{
  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);
  return (TlSampleMeta *) gst_buffer_add_meta (buffer,
      tl_sample_meta_get_info (), NULL);
}

TlSampleMeta *
tl_buffer_get_sample_meta (GstBuffer *buffer)
{
  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);
  return (TlSampleMeta *) gst_buffer_get_meta (buffer,
      tl_sample_meta_api_get_type ());
}
