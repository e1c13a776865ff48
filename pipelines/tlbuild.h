/* SPDX-License-Identifier: BSD-3-Clause */

/* A stage of a pipeline file as a GstPipeline, in NULL. Elements are made and
 * linked one by one; only the text of a "launch:" step is given to GStreamer's
 * own parser. gst_init() must have been called. Any thread, one at a time. */

#ifndef TL_BUILD_H
#define TL_BUILD_H

#include <gst/gst.h>

#include "tlspec.h"

G_BEGIN_DECLS

/* Builds every stage and drops it again: all mistakes in elements, properties,
 * values and links are then in @diagnostics. Elements are made but never leave
 * NULL. FALSE if @diagnostics holds an error, also one from before. */
gboolean tl_build_check (const TlSpec *spec, TlDiagnostics *diagnostics);

/* The pipeline of @stage, *transferred* (not floating), named as the stage is;
 * NULL if @diagnostics holds an error afterwards, also one from before.
 *
 * Links from pads that appear later are made when they do; one that cannot be
 * made when all pads are there is an error message on the bus. */
GstElement *tl_build_stage (const TlSpecStage *stage,
    TlDiagnostics *diagnostics);

G_END_DECLS

#endif
