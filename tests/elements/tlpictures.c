/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlpictures.h"

#include <string.h>

#include <tlevents.h>
#include <tlsamplemeta.h>

GstBuffer *
picture_new (const Sample *sample)
{
  guint8 bytes[PICTURE_STRIDE * PICTURE_HEIGHT];
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, sizeof bytes, NULL);
  TlSampleMeta *meta = tl_buffer_add_sample_meta (buffer);
  g_autofree gchar *path =
      g_strdup_printf ("%" G_GUINT64_FORMAT ".jpg", sample->position);

  memset (bytes, 0xee, sizeof bytes);
  for (gint y = 0; y < PICTURE_HEIGHT; y++)
    memset (bytes + y * PICTURE_STRIDE, (gint) (10 * sample->position + y),
        PICTURE_ROW);
  gst_buffer_fill (buffer, 0, bytes, sizeof bytes);
  meta->label = (gint32) (sample->position % 2);
  meta->group = 7;
  meta->path = g_ref_string_new (path);
  meta->index = 100 + sample->position;
  meta->epoch = meta->view = sample->epoch;
  meta->position = sample->position;
  meta->n = sample->n;
  meta->split = sample->split;
  return buffer;
}

void
pictures_begin (GstPad *pad, const gchar *caps)
{
  g_autoptr (GstCaps) parsed = gst_caps_from_string (caps);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (pad, gst_event_new_stream_start ("pictures"));
  gst_pad_push_event (pad, gst_event_new_caps (parsed));
  gst_pad_push_event (pad, gst_event_new_segment (&segment));
}

static GstFlowReturn
push_phase (GstPad *pad, guint epoch, TlSplit split, guint n)
{
  TlPhase phase = {.epoch = epoch, .split = split, .n = n};
  TlPhaseEnd end = {.epoch = epoch, .split = split, .sent = n};
  GstFlowReturn flow = GST_FLOW_OK;

  gst_pad_push_event (pad, tl_event_new_phase (&phase));
  for (guint i = 0; i < n && flow == GST_FLOW_OK; i++) {
    Sample sample = {epoch, split, i, n};

    flow = gst_pad_push (pad, picture_new (&sample));
  }
  if (flow == GST_FLOW_OK)
    gst_pad_push_event (pad, tl_event_new_phase_end (&end));
  return flow;
}

GstFlowReturn
pictures_push (GstPad *pad, guint epochs, guint n_train, guint n_valid)
{
  GstFlowReturn flow = GST_FLOW_OK;

  for (guint e = 0; e < epochs && flow == GST_FLOW_OK; e++) {
    flow = push_phase (pad, e, TL_SPLIT_TRAIN, n_train);
    if (flow == GST_FLOW_OK && n_valid > 0)
      flow = push_phase (pad, e, TL_SPLIT_VALID, n_valid);
  }
  return flow;
}
