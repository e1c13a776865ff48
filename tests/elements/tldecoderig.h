/* SPDX-License-Identifier: BSD-3-Clause */

/* imagedecode in a harness: files to feed it with, phases, what it says. */

#ifndef TL_DECODE_RIG_H
#define TL_DECODE_RIG_H

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

#include <tlevents.h>
#include <tlsamplemeta.h>

#include "tlimagedecode.h"

/* Width and height of what comes out. */
#define DECODE_SIDE 32

/* A PNG of noise whose size and pixels depend on @number; no meta. */
GstBuffer *decode_rig_png (guint number);

/* The size of that. */
guint decode_rig_png_width (guint number);
guint decode_rig_png_height (guint number);

/* A grey JPEG of soft waves, 16 times as large as what comes out; the first
 * training sample. */
GstBuffer *decode_rig_jpeg (void);

/* Puts sample @number of epoch 0 on @buffer and returns it. */
GstBuffer *decode_rig_add_sample (GstBuffer *buffer, guint number,
    TlSplit split);
GstBuffer *decode_rig_sample (guint number, TlSplit split);
GstBuffer *decode_rig_bad_sample (guint number, TlSplit split);

/* The element in NULL; properties may be set. */
GstElement *decode_rig_element (guint n_threads);

/* Takes @element, plays it and gives it a bus. */
GstHarness *decode_rig_harness (GstElement *element);
/* The same, with nothing pushed yet. */
GstHarness *decode_rig_bare_harness (GstElement *element);
/* With two threads and one property, "name=value". */
GstHarness *decode_rig_harness_with (const gchar *setting);
void decode_rig_free (GstHarness *h);

void decode_rig_begin_phase (GstHarness *h, guint32 epoch, TlSplit split,
    guint64 n);
void decode_rig_end_phase (GstHarness *h, guint32 epoch, TlSplit split,
    guint64 n);

/* Pulls events until one of @type comes. */
GstEvent *decode_rig_pull_event (GstHarness *h, GstEventType type);

/* Pulls events until an EOS comes. */
void decode_rig_finish (GstHarness *h);

/* Messages on the bus; the texts are of the newest ones, or NULL. */
typedef struct
{
  guint errors, warnings, sample_errors;
  guint summaries; /* of the warnings */
  gchar *error, *warning, *summary;
  GstStructure *sample_error;
} DecodeMessages;

/* Empties the bus. */
DecodeMessages decode_rig_count (GstHarness *h);
void decode_messages_clear (DecodeMessages *messages);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DecodeMessages, decode_messages_clear)

#endif
