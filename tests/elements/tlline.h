/* SPDX-License-Identifier: BSD-3-Clause */

/* The documented line, from datasetsrc to checkpointsink, over a folder of
 * pictures drawn by the test. The elements are registered statically. */

#ifndef TL_LINE_H
#define TL_LINE_H

#include <gst/gst.h>

/* Of one test: two classes of pictures in line_data, runs in line_folder. */
extern gchar *line_folder;
extern gchar *line_data;

/* Registers the elements; once per program. */
void line_register (void);

/* The fixture of every test. */
void line_set_up (void);
void line_tear_down (void);

typedef struct
{
  GstElement *pipeline;
  GstElement *source, *decoder, *augment, *batcher, *trainer;
  GstElement *sink; /* NULL where the line ends with the trainer */
  GstBus *bus;
  gint n_checkpoints; /* atomic: what has left the trainer */
} Line;

/* Two epochs in batches of 4, a checkpoint per step; files to
 * line_folder/@run. Without @run the line ends with the trainer. */
void line_init (Line *line, const gchar *run);
void line_clear (Line *line);

/* Every training step of trainers made from now on takes @ms longer. */
void line_slow_down (guint ms);

/* Puts the checkpointsink for @run behind the trainer of a running line. */
void line_add_sink (Line *line, const gchar *run);

/* Fails unless the change succeeds. */
void line_set_state (Line *line, GstState state);

/* Returns when @n checkpoints have left the trainer since line_init. */
void line_wait_for_checkpoints (Line *line, gint n);

/* The next of EOS and errors, which must be one of EOS or of an error that
 * holds @text. */
void line_expect_eos (Line *line);
void line_expect_error (Line *line, const gchar *text);

/* last.safetensors of two runs holds the same bytes. */
void line_expect_same (const gchar *a, const gchar *b);

#endif
