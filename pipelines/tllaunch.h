/* SPDX-License-Identifier: BSD-3-Clause */

/* A stage of a pipeline file as a gst-launch-1.0 line. */

#ifndef TL_LAUNCH_H
#define TL_LAUNCH_H

#include <gst/gst.h>

#include "tlspec.h"

G_BEGIN_DECLS

/* "gst-launch-1.0 datasetsrc location=…", quoted for a POSIX shell, on several
 * lines that end in a backslash, no newline behind the last. It builds the
 * pipeline that tl_build_stage() builds; names that nobody gave and nothing
 * refers to are left to GStreamer. *Transferred*.
 *
 * @stage must have passed tl_build_check(). NULL, with an error in
 * @diagnostics, if a value cannot be written in a launch line. */
gchar *tl_launch_line (const TlSpecStage *stage, TlDiagnostics *diagnostics);

G_END_DECLS

#endif
