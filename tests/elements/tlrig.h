/* SPDX-License-Identifier: BSD-3-Clause */

/* resnetfinetune between a source pad of the test and a sink that keeps every
 * checkpoint. */

#ifndef TL_RIG_H
#define TL_RIG_H

#include "tlfeed.h"

#include <gst/gst.h>

/* Of one test: a folder, and in it a thumbnail model without a class list. */
extern gchar *rig_folder;
extern gchar *rig_weights;

/* The fixture of every test. */
void rig_set_up (void);
void rig_tear_down (void);

/* Such a model, elsewhere. */
void rig_write_weights (const gchar *path);

typedef struct
{
  GstElement *pipeline;
  GstElement *trainer;
  GstElement *sink;
  GstPad *pad;
  GstBus *bus;
  GPtrArray *checkpoints; /* GBytes */
} Rig;

/* With weights = rig_weights, lr = 0.1 and no reports within epochs; not
 * started. */
void rig_init (Rig *rig);
void rig_clear (Rig *rig);
void rig_play (Rig *rig);

/* The bytes of the last checkpoint; *borrowed*. */
GBytes *rig_last (Rig *rig);

/* Writes them into the folder; the path is *transferred*. */
gchar *rig_save_bytes (GBytes *bytes, const gchar *name);

/* A value of a checkpoint's metadata; *transferred*. */
gchar *rig_get_value (GBytes *bytes, const gchar *key);
void rig_expect_value (GBytes *bytes, const gchar *key, const gchar *expected);

/* The next message of @type (error, warning or progress) holds @text. */
void rig_expect_message (Rig *rig, GstMessageType type, const gchar *text);

/* The next of EOS and errors is EOS. */
void rig_expect_eos (Rig *rig);

/* Plays @feed to its end through a rig of its own; the bytes of the last
 * checkpoint, *transferred*. */
GBytes *rig_run_to_end (const Feed *feed);

#endif
