/* SPDX-License-Identifier: BSD-3-Clause */

/* Runs one pipeline to its end. */

#ifndef TL_RUN_H
#define TL_RUN_H

#include <gst/gst.h>

#include "tlexit.h"
#include "tloutput.h"

G_BEGIN_DECLS

/* Seconds; longer than a step of training takes anywhere. */
#define TL_RUN_STALL_TIMEOUT 600

typedef struct
{
  TlOutput *output; /* borrowed; the run stops when it is broken */

  /* Seconds in which nothing may move before the run is given up; 0: never. */
  guint stall_timeout;

  /* Every message of the bus but those the run answers by itself, and of the
   * errors only the first, which is the cause of the others, and what goes wrong
   * while the pipeline is stopped. The main thread. */
  void (*message) (GstMessage *message, gpointer user);

  /* Five times a second; or NULL. */
  void (*tick) (GstElement *pipeline, gpointer user);

  gpointer user;
} TlRunOptions;

/* From NULL to PLAYING and, after EOS, an error, a stall or a signal
 * (tlsignals.h), back to NULL. A signal does not drain the pipeline: what waits
 * in queues would be trained on first. It is stopped after the running step;
 * checkpointsink then writes what the trainer has.
 *
 * @pipeline is *borrowed*, a GstPipeline. TL_EXIT_OK, TL_EXIT_FAILED or
 * TL_EXIT_INTERRUPTED; every failure has been a message. */
TlExit tl_run_pipeline (GstElement *pipeline, const TlRunOptions *options);

G_END_DECLS

#endif
