/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlresultmeta.h"

static gboolean
init_meta (GstMeta *meta, gpointer params, GstBuffer *buffer)
{
  TlResultMeta *self = (TlResultMeta *) meta;

  memset ((guint8 *) self + sizeof self->meta, 0,
      sizeof *self - sizeof self->meta);
  self->pts = GST_CLOCK_TIME_NONE;
  self->inference_time = GST_CLOCK_TIME_NONE;
  self->age = GST_CLOCK_TIME_NONE;
  self->state = TL_RESULT_ABSENT;
  return TRUE;
}

static gboolean
transform_meta (GstBuffer *dest, GstMeta *meta, GstBuffer *buffer, GQuark type,
    gpointer data)
{
  TlResultMeta *to = tl_buffer_get_result_meta (dest);

  if (!to)
    to = tl_buffer_add_result_meta (dest);
  memcpy ((guint8 *) to + sizeof to->meta,
      (const guint8 *) meta + sizeof to->meta, sizeof *to - sizeof to->meta);
  return TRUE;
}

GType
tl_result_meta_api_get_type (void)
{
  static gsize type = 0;
  static const gchar *tags[] = {NULL};

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        gst_meta_api_type_register ("TlResultMetaAPI", tags));
  return type;
}

const GstMetaInfo *
tl_result_meta_get_info (void)
{
  static const GstMetaInfo *info = NULL;

  if (g_once_init_enter (&info))
    g_once_init_leave (&info,
        gst_meta_register (tl_result_meta_api_get_type (), "TlResultMeta",
            sizeof (TlResultMeta), init_meta, NULL, transform_meta));
  return info;
}

const gchar *
tl_result_state_nick (TlResultState state)
{
  static const gchar *const nicks[] = {"valid", "abstained", "absent"};

  return (guint) state < G_N_ELEMENTS (nicks) ? nicks[state] : NULL;
}

TlResultMeta *
tl_buffer_add_result_meta (GstBuffer *buffer)
{
  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);
  return (TlResultMeta *) gst_buffer_add_meta (buffer,
      tl_result_meta_get_info (), NULL);
}

TlResultMeta *
tl_buffer_get_result_meta (GstBuffer *buffer)
{
  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);
  return (TlResultMeta *) gst_buffer_get_meta (buffer,
      tl_result_meta_api_get_type ());
}
