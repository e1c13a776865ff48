/* SPDX-License-Identifier: BSD-3-Clause */

/* A model of the reference backend: class c wins for pictures whose channel c
 * (red, green, blue) is bright. */

#ifndef TL_MODEL_RIG_H
#define TL_MODEL_RIG_H

#include <gst/gst.h>

#define MODEL_N_CLASSES 3

/* Of one test; the fixture of every test makes and removes it. */
extern gchar *model_folder;
void model_set_up (void);
void model_tear_down (void);

/* A checkpoint @name in the folder, its path *transferred*. @classes is JSON;
 * metadata without the key @leave_out, which may be NULL. */
gchar *model_write_checkpoint (const gchar *name, const gchar *classes,
    const gchar *leave_out);

/* RGB, channel @bright of it; PTS is 40 ms. */
GstBuffer *model_new_frame (guint width, guint height, guint bright);

#endif
