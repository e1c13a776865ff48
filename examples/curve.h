/* SPDX-License-Identifier: BSD-3-Clause */

/* Reads metrics.jsonl of a run folder: one line per finished epoch. */

#ifndef CURVE_H
#define CURVE_H

#include <glib.h>

/* A value that the line does not have is NAN. */
typedef struct
{
  gdouble train_loss;
  gdouble train_accuracy;
  gdouble valid_loss;
  gdouble valid_accuracy;
} CurvePoint;

/* An array of CurvePoint, one per epoch; NULL with @error set if the file
 * cannot be read or is not such a file. *transferred*. */
GArray *curve_read (const gchar *path, GError **error);

#endif
