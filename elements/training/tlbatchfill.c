/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlbatchfill.h"

#include <string.h>

#include <tlframe.h>

gboolean
tl_batch_fill_begin (TlBatchFill *self, GstBuffer *buffer, guint32 size,
    const TlSampleMeta *sample)
{
  if (!gst_buffer_map (buffer, &self->map, GST_MAP_READWRITE)) {
    gst_buffer_unref (buffer);
    return FALSE;
  }
  self->buffer = buffer;
  self->meta = tl_buffer_add_batch_meta (buffer, size);
  self->meta->split = sample->split;
  self->meta->epoch = sample->epoch;
  self->meta->view = sample->view;
  self->meta->n = sample->n;
  return TRUE;
}

gboolean
tl_batch_fill_has_phase (const TlBatchFill *self, guint32 epoch, TlSplit split)
{
  return self->buffer && self->meta->epoch == epoch
      && self->meta->split == split;
}

/* Without a GstVideoMeta the size is certain; longer is not what it should be
 * either. */
static gboolean
has_size (GstBuffer *picture, const GstVideoInfo *video)
{
  return gst_buffer_get_video_meta (picture)
      || gst_buffer_get_size (picture) == video->size;
}

static gboolean
copy_pixels (TlBatchFill *self, const GstVideoInfo *video, GstBuffer *picture)
{
  gsize row = (gsize) GST_VIDEO_INFO_WIDTH (video) * 3;
  guint8 *to = self->map.data
      + self->meta->n_valid * row * (gsize) GST_VIDEO_INFO_HEIGHT (video);
  TlFrame frame;

  if (!has_size (picture, video)
      || tl_frame_map (&frame, picture, video, GST_MAP_READ, NULL) != TL_OK)
    return FALSE;
  for (guint32 y = 0; y < frame.height; y++)
    memcpy (to + y * row, frame.first + (gssize) y * frame.stride, row);
  tl_frame_unmap (&frame);
  return TRUE;
}

gboolean
tl_batch_fill_add (TlBatchFill *self, const GstVideoInfo *video,
    GstBuffer *picture, const TlSampleMeta *sample)
{
  TlBatchSample slot = {.index = sample->index,
      .position = sample->position,
      .group = sample->group,
      .label = sample->label,
      .path = sample->path};

  if (!copy_pixels (self, video, picture))
    return FALSE;
  tl_batch_meta_append (self->meta, &slot);
  return TRUE;
}

guint32
tl_batch_fill_count (const TlBatchFill *self)
{
  return self->buffer ? self->meta->n_valid : 0;
}

gboolean
tl_batch_fill_is_full (const TlBatchFill *self)
{
  return self->buffer && self->meta->n_valid == self->meta->size;
}

GstBuffer *
tl_batch_fill_finish (TlBatchFill *self, guint64 step)
{
  gsize sample = self->map.size / self->meta->size;
  gsize filled = self->meta->n_valid * sample;

  memset (self->map.data + filled, 0, self->map.size - filled);
  gst_buffer_unmap (self->buffer, &self->map);
  self->meta->step = step;
  return g_steal_pointer (&self->buffer);
}

void
tl_batch_fill_clear (TlBatchFill *self)
{
  if (!self->buffer)
    return;
  gst_buffer_unmap (self->buffer, &self->map);
  gst_clear_buffer (&self->buffer);
}
