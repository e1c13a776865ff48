/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlskips.h"

#include <tlmessages.h>

#define MAX_WARNINGS 10

void
tl_skips_begin_phase (TlSkips *self)
{
  self->phase_used = 0;
  self->phase_skipped = 0;
  self->phase_warned = 0;
}

void
tl_skips_add_used (TlSkips *self, GstElement *element)
{
  GST_OBJECT_LOCK (element);
  self->n_used++;
  GST_OBJECT_UNLOCK (element);
  self->phase_used++;
}

void
tl_skips_add (TlSkips *self, GstElement *element, const TlSampleMeta *sample,
    const TlError *reason)
{
  const gchar *path = sample && sample->path ? sample->path : "a picture";

  GST_OBJECT_LOCK (element);
  self->n_skipped++;
  GST_OBJECT_UNLOCK (element);
  self->phase_skipped++;
  gst_element_post_message (element,
      tl_message_new_sample_error (GST_OBJECT (element), sample,
          reason->message, self->phase_skipped));
  if (self->n_skipped > MAX_WARNINGS)
    return;
  self->phase_warned++;
  GST_ELEMENT_WARNING (element, STREAM, DECODE,
      ("Skipped %s: %s", path, reason->message),
      ("%s", reason->detail[0] ? reason->detail : "the sample is left out"));
}

gboolean
tl_skips_end_phase (TlSkips *self, GstElement *element)
{
  guint64 quiet = self->phase_skipped - self->phase_warned;
  guint64 skipped = self->phase_skipped;
  guint64 n = self->phase_used + self->phase_skipped;

  tl_skips_begin_phase (self);
  if (skipped > 0 && skipped == n) {
    GST_ELEMENT_ERROR (element, STREAM, DECODE,
        ("None of the %" G_GUINT64_FORMAT " pictures could be decoded; the "
         "warnings above say why.",
            n),
        ("no sample of the phase was left"));
    return FALSE;
  }
  if (quiet > 0)
    GST_ELEMENT_WARNING (element, STREAM, DECODE,
        ("Skipped %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " pictures, "
         "%" G_GUINT64_FORMAT " of them without a warning of their own.",
            skipped, n, quiet),
        ("tl-sample-error messages list every one"));
  return TRUE;
}
