/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlbatcherrig.h"

#include "tlpictures.h"

#include <gst/check/gstcheck.h>

GstHarness *
batcher_new (guint batch_size)
{
  GstHarness *h = gst_harness_new ("batcher");

  g_object_set (h->element, "batch-size", batch_size, NULL);
  return h;
}

GstFlowReturn
batcher_push (GstHarness *h, guint32 epoch, TlSplit split, guint64 position,
    guint64 n)
{
  Sample sample = {epoch, split, position, n};

  return gst_harness_push (h, picture_new (&sample));
}

void
batcher_push_range (GstHarness *h, guint32 epoch, TlSplit split, guint64 from,
    guint64 to, guint64 n)
{
  for (guint64 i = from; i < to; i++)
    fail_unless_equals_int (batcher_push (h, epoch, split, i, n), GST_FLOW_OK);
}

void
batcher_expect_error (GstHarness *h, GstBus *bus, GQuark domain,
    const gchar *text)
{
  g_autoptr (GstMessage) message =
      gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_autoptr (GstMessage) other = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;

  fail_unless (message != NULL, "no error with \"%s\"", text);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (error->domain == domain);
  fail_unless (strstr (error->message, text) != NULL, "%s", error->message);
  fail_unless (other == NULL);
}

GstBus *
batcher_watch (GstHarness *h)
{
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (h->element, bus);
  return bus;
}

void
batcher_unwatch (GstHarness *h, GstBus *bus)
{
  gst_element_set_bus (h->element, NULL);
  gst_bus_set_flushing (bus, TRUE);
  gst_object_unref (bus);
}
