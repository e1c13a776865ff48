/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlresultsubtitles.h"

/* ---- The pad ---- */

void
tl_result_subtitles_init (TlResultSubtitles *self, GstElement *element)
{
  *self = (TlResultSubtitles){.element = element};
}

GstPad *
tl_result_subtitles_add_pad (TlResultSubtitles *self, GstPadTemplate *template,
    const gchar *name)
{
  GstPad *pad;

  if (tl_result_subtitles_has_pad (self))
    return NULL;
  pad = gst_pad_new_from_template (template, name ? name : "text");
  gst_pad_use_fixed_caps (pad);
  gst_pad_set_active (pad, TRUE);
  gst_element_add_pad (self->element, pad);
  GST_OBJECT_LOCK (self->element);
  self->pad = pad;
  GST_OBJECT_UNLOCK (self->element);
  return pad;
}

void
tl_result_subtitles_remove_pad (TlResultSubtitles *self, GstPad *pad)
{
  GST_OBJECT_LOCK (self->element);
  self->pad = NULL;
  GST_OBJECT_UNLOCK (self->element);
  gst_pad_set_active (pad, FALSE);
  gst_element_remove_pad (self->element, pad);
}

/* NULL if there is none; *transferred*. */
static GstPad *
get_pad (TlResultSubtitles *self)
{
  GstPad *pad;

  GST_OBJECT_LOCK (self->element);
  pad = self->pad ? gst_object_ref (self->pad) : NULL;
  GST_OBJECT_UNLOCK (self->element);
  return pad;
}

gboolean
tl_result_subtitles_has_pad (TlResultSubtitles *self)
{
  g_autoptr (GstPad) pad = get_pad (self);

  return pad != NULL;
}

/* ---- Events ---- */

/* What must come before the first text, a gap or the end. */
static void
begin (TlResultSubtitles *self, GstPad *pad, const GstSegment *segment)
{
  if (!self->has_begun) {
    g_autofree gchar *id =
        gst_pad_create_stream_id (pad, self->element, "results");
    g_autoptr (GstCaps) caps = gst_caps_from_string (TL_RESULT_SUBTITLES_CAPS);
    GstEvent *start = gst_event_new_stream_start (id);

    gst_event_set_stream_flags (start, GST_STREAM_FLAG_SPARSE);
    gst_event_set_group_id (start, gst_util_group_id_next ());
    gst_pad_push_event (pad, start);
    gst_pad_push_event (pad, gst_event_new_caps (caps));
  }
  if (!self->has_segment)
    gst_pad_push_event (pad, gst_event_new_segment (segment));
  self->has_begun = self->has_segment = TRUE;
}

static void
forget (TlResultSubtitles *self, gboolean is_new_stream)
{
  if (is_new_stream)
    self->has_begun = FALSE;
  self->has_segment = FALSE;
  self->start = self->until = 0;
}

void
tl_result_subtitles_event (TlResultSubtitles *self, const GstSegment *segment,
    GstEvent *event)
{
  g_autoptr (GstPad) pad = get_pad (self);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_STREAM_START:
      forget (self, TRUE);
      break;
    case GST_EVENT_SEGMENT:
      forget (self, FALSE);
      break;
    case GST_EVENT_FLUSH_STOP:
      forget (self, FALSE);
      if (pad)
        gst_pad_push_event (pad, gst_event_ref (event));
      break;
    case GST_EVENT_FLUSH_START:
      if (pad)
        gst_pad_push_event (pad, gst_event_ref (event));
      break;
    case GST_EVENT_EOS:
    case GST_EVENT_GAP:
      if (pad && segment->format == GST_FORMAT_TIME) {
        begin (self, pad, segment);
        gst_pad_push_event (pad, gst_event_ref (event));
      }
      break;
    default:
      break;
  }
}

/* ---- Text ---- */

static void
push_cue (TlResultSubtitles *self, GstPad *pad, GString *label)
{
  gsize length = label->len;
  GstBuffer *buffer = gst_buffer_new_wrapped (g_string_free (label, FALSE),
      length); /* without the 0 at its end */

  GST_BUFFER_PTS (buffer) = self->start;
  GST_BUFFER_DURATION (buffer) = self->until - self->start;
  if (gst_pad_push (pad, buffer) < GST_FLOW_OK)
    GST_DEBUG_OBJECT (pad, "the cue was not taken");
}

/* Cues follow each other without a gap: the frame in which one ends begins the
 * next, at that end. */
static gboolean
is_due (const TlResultSubtitles *self, GstClockTime pts, GstClockTime duration,
    GstClockTime *start)
{
  gboolean is_within = pts >= self->start && pts < self->until;

  *start = is_within ? self->until : pts;
  return !is_within || pts + duration >= self->until;
}

void
tl_result_subtitles_push (TlResultSubtitles *self, const GstSegment *segment,
    GstBuffer *frame, const TlResultEntry *entry)
{
  g_autoptr (GstPad) pad = get_pad (self);
  GstClockTime pts = GST_BUFFER_PTS (frame);
  GstClockTime duration =
      GST_BUFFER_DURATION_IS_VALID (frame) ? GST_BUFFER_DURATION (frame) : 0;
  GstClockTime start = pts;
  GString *label;

  if (!pad || !GST_CLOCK_TIME_IS_VALID (pts)
      || segment->format != GST_FORMAT_TIME)
    return;
  begin (self, pad, segment);
  label = g_string_new (NULL);
  if (entry && is_due (self, pts, duration, &start))
    tl_result_format_label (label, entry, FALSE);
  if (label->len) {
    self->start = start;
    self->until = start + TL_RESULT_SUBTITLES_CUE;
    push_cue (self, pad, label);
    return;
  }
  g_string_free (label, TRUE);
  gst_pad_push_event (pad, gst_event_new_gap (pts, duration));
}
