/* SPDX-License-Identifier: BSD-3-Clause */

/* Runs resnetinfer over a folder or a video and keeps what it said. */

#ifndef RESULTS_H
#define RESULTS_H

#include <cairo.h>
#include <gst/gst.h>

/* Pixels of a kept picture, each side. */
#define THUMBNAIL_SIDE 128

/* Most pictures kept, of those that were right and of those that were wrong. */
#define MAX_THUMBNAILS 16

#define NO_CLASS (-1)

typedef struct
{
  gint truth;          /* of classes; NO_CLASS for video */
  gint found;          /* of classes; NO_CLASS where there is no result */
  gdouble probability; /* of the class found, [0, 1] */
  GstClockTime pts;
  cairo_surface_t *thumbnail; /* or NULL: only some are kept */
} Frame;

typedef struct
{
  GPtrArray *classes;    /* of gchar *, in the order of the model */
  GArray *frames;        /* of Frame, in the order they came */
  guint n_thumbnails[2]; /* wrong ones, right ones */
} Results;

Results *results_new (void);
void results_free (Results *results);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Results, results_free)

/* Classifies the validation pictures of @folder, split as @valid_fraction says
 * where the folder does not say. FALSE with @error set if that fails. */
gboolean results_run_folder (Results *results, const gchar *checkpoint,
    const gchar *folder, gdouble valid_fraction, GError **error);

/* Classifies every frame of @video. */
gboolean results_run_video (Results *results, const gchar *checkpoint,
    const gchar *video, GError **error);

/* How many frames of class @truth were found to be @found. */
guint results_count (const Results *results, gint truth, gint found);

#endif
