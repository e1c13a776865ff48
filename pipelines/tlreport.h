/* SPDX-License-Identifier: BSD-3-Clause */

/* What the bus says, as lines for people or JSON lines: the callbacks of a run
 * (tlrun.h). The main thread.
 *
 * JSON objects by "type": "stage" begins one; "model", "metrics", "flow",
 * "checkpoint", "sample-error", "result" are tlpipe's element messages with their
 * fields (tlmessages.h); "progress", "warning", "error"; "end" ends a stage. */

#ifndef TL_REPORT_H
#define TL_REPORT_H

#include <gst/gst.h>

#include "tlexit.h"
#include "tloutput.h"

G_BEGIN_DECLS

typedef struct _TlReport TlReport;

/* @output is *borrowed* for the report's life; @file is what the user calls the
 * pipeline file, @resume the command that goes on after an interruption; both
 * *copied*. *transferred*. */
TlReport *tl_report_new (TlOutput *output, const gchar *file,
    const gchar *resume);
void tl_report_free (TlReport *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TlReport, tl_report_free)

/* A pipeline begins. @stage may be NULL. */
void tl_report_begin (TlReport *self, const gchar *stage);

/* As TlRunOptions wants them; @self is a TlReport. */
void tl_report_message (GstMessage *message, gpointer self);
void tl_report_tick (GstElement *pipeline, gpointer self);

/* It has ended so: where the checkpoints are, how good the best is, how long it
 * took, and who waited for whom. */
void tl_report_end (TlReport *self, TlExit end);

G_END_DECLS

#endif
