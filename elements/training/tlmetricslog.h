/* SPDX-License-Identifier: BSD-3-Clause */

/* metrics.jsonl: one line per finished epoch,
 *
 *   {"epoch":3,"step":24,"lr":0.001,"train":{...},"valid":{...}}
 *
 * with epochs counted from 1. Made from what the checkpoint says of itself, so
 * that its bytes repeat as the checkpoint's do. */

#ifndef TL_METRICS_LOG_H
#define TL_METRICS_LOG_H

#include "tlcheckpointinfo.h"

G_BEGIN_DECLS

/* The line of a checkpoint, with its newline; *transferred*. */
gchar *tl_metrics_log_format (const TlCheckpointInfo *info);

/* Puts the line of @info behind the lines of earlier epochs in the file at
 * @path; later lines, and what is no such line, are left out. @fresh: all that
 * is there belongs to another run. The file is replaced as a whole. */
TlStatus tl_metrics_log_append (const gchar *path, const TlCheckpointInfo *info,
    gboolean fresh, TlError *error);

G_END_DECLS

#endif
