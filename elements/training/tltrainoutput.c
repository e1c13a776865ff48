/* SPDX-License-Identifier: BSD-3-Clause */

#include "tltrainoutput.h"

#include <tlcaps.h>
#include <tlfail.h>

static void
send_header (TlTrainOutput *self)
{
  g_autofree gchar *id = NULL;
  g_autoptr (GstCaps) caps = NULL;
  GstSegment segment;

  if (self->has_sent_header)
    return;
  id = gst_pad_create_stream_id (self->srcpad, self->element, "checkpoints");
  caps = gst_caps_from_string (TL_CAPS_CHECKPOINT_TEMPLATE);
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_pad_push_event (self->srcpad, gst_event_new_stream_start (id));
  gst_pad_push_event (self->srcpad, gst_event_new_caps (caps));
  /* A flush keeps the others, and forgets this one. */
  self->has_sent_header =
      gst_pad_push_event (self->srcpad, gst_event_new_segment (&segment));
}

/* It counts as saved when it has been pushed: a stop in between asks again. */
static void
mark_pushed (TlTrainOutput *self, TlSession *session, TlStateKind kind)
{
  g_mutex_lock (self->lock);
  tl_session_mark_saved (session);
  self->n_pushed++;
  self->kind = kind;
  g_mutex_unlock (self->lock);
}

/* What followed may have been taken away, which is no error; that something
 * follows and takes no checkpoints is. */
static TlStatus
check_flow (TlTrainOutput *self, GstFlowReturn *flow, TlError *error)
{
  if (*flow == GST_FLOW_NOT_LINKED && !gst_pad_is_linked (self->srcpad))
    *flow = GST_FLOW_OK;
  if (*flow == GST_FLOW_OK || *flow == GST_FLOW_FLUSHING)
    return TL_OK;
  self->flow = *flow;
  if (*flow == GST_FLOW_ERROR || *flow == GST_FLOW_EOS)
    return TL_OK;
  return tl_fail (error, TL_ERROR_ARGUMENT,
      "What follows %s does not take its checkpoints (%s): put checkpointsink "
      "behind it, or nothing.",
      GST_OBJECT_NAME (self->element), gst_flow_get_name (*flow));
}

TlStatus
tl_train_output_push (TlTrainOutput *self, TlSession *session, TlStateKind kind,
    GstFlowReturn *flow, TlError *error)
{
  GstBuffer *buffer;
  TlStatus status;

  *flow = self->flow;
  if (*flow != GST_FLOW_OK || !gst_pad_is_linked (self->srcpad))
    return TL_OK;
  g_mutex_lock (self->lock);
  status = tl_session_save (session, kind, &buffer, error);
  g_mutex_unlock (self->lock);
  if (status != TL_OK)
    return status;
  send_header (self);
  *flow = gst_pad_push (self->srcpad, buffer);
  if (*flow == GST_FLOW_OK)
    mark_pushed (self, session, kind);
  return check_flow (self, flow, error);
}

/* A SINK element's own: the pipeline ends with it, linked or not. */
static void
post_eos (TlTrainOutput *self)
{
  gst_element_post_message (self->element,
      gst_message_new_eos (GST_OBJECT (self->element)));
}

void
tl_train_output_end (TlTrainOutput *self)
{
  send_header (self);
  gst_pad_push_event (self->srcpad, gst_event_new_eos ());
  g_atomic_int_set (&self->has_ended, TRUE);
  post_eos (self);
}

void
tl_train_output_end_again (TlTrainOutput *self)
{
  if (g_atomic_int_get (&self->has_ended))
    post_eos (self);
}

TlStatus
tl_train_output_take_again (TlTrainOutput *self, TlSession *session,
    guint64 n_received, GstBuffer **ret, TlError *error)
{
  gboolean is_dirty = tl_session_is_dirty (session);
  TlStatus status;

  *ret = NULL;
  if (!is_dirty && n_received >= self->n_pushed)
    return TL_OK;
  status =
      tl_session_save (session, is_dirty ? self->due : self->kind, ret, error);
  if (status == TL_OK)
    tl_session_mark_saved (session);
  return status;
}
