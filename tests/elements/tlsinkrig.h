/* SPDX-License-Identifier: BSD-3-Clause */

/* checkpointsink in a harness, with small checkpoints and a folder to look
 * into. */

#ifndef TL_SINK_RIG_H
#define TL_SINK_RIG_H

#include <gst/check/gstharness.h>

#define SINK_N_FLOATS 1000

typedef struct
{
  guint epoch;          /* finished epochs */
  guint position;       /* in the training phase of the next one */
  const gchar *valid;   /* metrics, or NULL */
  const gchar *digest;  /* NULL: "d0" */
  const gchar *without; /* a key left out */
} Checkpoint;

/* Header and data are two memories, as the trainer gives them. */
GstBuffer *sink_new_checkpoint (const Checkpoint *c);

/* Of one test; the fixture of every test makes and removes it. */
extern gchar *sink_folder;
void sink_set_up (void);
void sink_tear_down (void);

/* Of a file in the folder; *transferred*. */
gchar *sink_path_of (const gchar *name);

/* A sink, not started; *transferred*. */
GstElement *sink_new (const gchar *location);

typedef struct
{
  GstHarness *h;
  GstBus *bus;
} SinkRun;

/* PLAYING. @settings: properties as in a launch line, or NULL. */
void sink_start (SinkRun *run, const gchar *location, const gchar *settings);
GstFlowReturn sink_push (SinkRun *run, const Checkpoint *c);

/* A checkpoint that ends @epoch must be taken. */
void sink_push_epoch (SinkRun *run, guint epoch, const gchar *valid);

/* To NULL; finish sends EOS before. */
void sink_stop (SinkRun *run);
void sink_finish (SinkRun *run);

/* Takes them off the bus. */
gint sink_count_messages (SinkRun *run, GstMessageType type);

/* The only error so far must be in @domain and hold @text. */
void sink_expect_error (GstBus *bus, GQuark domain, const gchar *text);

/* What is in the folder. */
gboolean sink_has_file (const gchar *name);
void sink_wait_for (const gchar *name);
gsize sink_count_files (void);
void sink_put_file (const gchar *name, const gchar *text);
void sink_expect_text (const gchar *name, const gchar *text);
void sink_expect_checkpoint (const gchar *name, const Checkpoint *c);
void sink_expect_epoch (const gchar *name, guint epoch, const gchar *valid);

#endif
