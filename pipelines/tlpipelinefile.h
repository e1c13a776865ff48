/* SPDX-License-Identifier: BSD-3-Clause */

/* A pipeline file as the verbs take it: loaded, checked, its mistakes said. */

#ifndef TL_PIPELINE_FILE_H
#define TL_PIPELINE_FILE_H

#include <gst/gst.h>

#include "tloutput.h"
#include "tlspec.h"

G_BEGIN_DECLS

/* Errors and warnings go to stderr and, with --json, to stdout as objects of
 * type "error" and "warning". @sets may be NULL. NULL if there is an error;
 * *transferred*. */
TlSpec *tl_pipeline_file_load (TlOutput *output, const gchar *path,
    const gchar *const *sets);

/* The same for a file that the program brings along. */
TlSpec *tl_pipeline_file_load_text (TlOutput *output, const gchar *name,
    const gchar *text, const gchar *const *sets);

/* The stage as a pipeline in NULL, *transferred*; NULL with the error said. */
GstElement *tl_pipeline_file_build (TlOutput *output, const TlSpecStage *stage);

/* The stages that were asked for: all, or the one called @name. NULL, with the
 * error said, if there is none of that name. The array is *transferred*, its
 * elements belong to @spec. */
GPtrArray *tl_pipeline_file_choose (TlOutput *output, const TlSpec *spec,
    const gchar *name);

G_END_DECLS

#endif
