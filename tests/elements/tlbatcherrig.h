/* SPDX-License-Identifier: BSD-3-Clause */

/* batcher in a harness. */

#ifndef TL_BATCHER_RIG_H
#define TL_BATCHER_RIG_H

#include <gst/check/gstharness.h>

#include <tlsamplemeta.h>

/* *Transferred*: gst_harness_teardown(). */
GstHarness *batcher_new (guint batch_size);

/* The picture at @position of a phase of @n; those from @from up to @to, which
 * it must take. */
GstFlowReturn batcher_push (GstHarness *h, guint32 epoch, TlSplit split,
    guint64 position, guint64 n);
void batcher_push_range (GstHarness *h, guint32 epoch, TlSplit split,
    guint64 from, guint64 to, guint64 n);

/* A bus for its messages, until batcher_unwatch(), which frees it: no message
 * keeps the element alive then. */
GstBus *batcher_watch (GstHarness *h);
void batcher_unwatch (GstHarness *h, GstBus *bus);

/* The error on @bus is the only one, in @domain, and holds @text. */
void batcher_expect_error (GstHarness *h, GstBus *bus, GQuark domain,
    const gchar *text);

#endif
