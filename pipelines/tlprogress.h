/* SPDX-License-Identifier: BSD-3-Clause */

/* The line at the bottom of a terminal. Text alone: knows no terminal and no
 * GStreamer. */

#ifndef TL_PROGRESS_H
#define TL_PROGRESS_H

#include <glib.h>

G_BEGIN_DECLS

/* What is not known is a negative number, or 0 where a count cannot be 0. */
typedef struct
{
  guint epoch;      /* the one that runs, from 1; 0: none */
  guint epochs;     /* 0: endless */
  gdouble fraction; /* of the whole run, [0, 1] */
  gdouble loss;     /* nats */
  gdouble accuracy; /* [0, 1] */
  gdouble images_per_second;
  gdouble seconds; /* since the start */
  gdouble seconds_left;
} TlProgress;

/* Nothing is known. */
void tl_progress_init (TlProgress *self);

/* At most @columns characters of ASCII, none of them a control character: the
 * less room, the fewer parts. *transferred*. */
gchar *tl_progress_format (const TlProgress *self, guint columns);

/* "7 s", "1:23", "2:03:04"; *transferred*. */
gchar *tl_progress_format_time (gdouble seconds);

G_END_DECLS

#endif
