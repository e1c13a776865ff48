/* SPDX-License-Identifier: BSD-3-Clause */

/* tlpipe run --resume: a stage goes on from what is in the run folder of its
 * checkpointsink. The main thread. */

#ifndef TL_CONTINUE_H
#define TL_CONTINUE_H

#include <gst/gst.h>

#include "tloutput.h"

G_BEGIN_DECLS

typedef enum
{
  TL_CONTINUE_READY,    /* may be run: from a checkpoint, or from the start */
  TL_CONTINUE_FINISHED, /* nothing is left to do */
  TL_CONTINUE_FAILED,   /* the run folder cannot be read */
} TlContinue;

/* Whether @pipeline, in NULL, has one trainer and one checkpointsink. FALSE
 * with what it lacks in @reason, *transferred*. */
gboolean tl_continue_is_possible (GstElement *pipeline, gchar **reason);

/* Sets resume on the trainer of such a pipeline, where its run folder holds a
 * checkpoint; and says what it does and why. */
TlContinue tl_continue_prepare (GstElement *pipeline, TlOutput *output);

/* Without --resume: where the folder holds a run that is not finished, says so
 * and keeps its checkpoint as unfinished.safetensors. */
void tl_continue_keep_unfinished (GstElement *pipeline, TlOutput *output);

G_END_DECLS

#endif
