/* SPDX-License-Identifier: BSD-3-Clause */

/* A smooth scene as a frame of any raw format, and what of it the model should
 * see. */

#ifndef TL_LIVE_SCENE_H
#define TL_LIVE_SCENE_H

#include <gst/video/video.h>

#include <tllivepicture.h>

/* The names in GST_VIDEO_FORMATS_ALL. *transferred*. */
gchar **tl_scene_formats (void);

/* Colours of the scene: RGB, 0 to 1, at a place of 0 to 1 either way. Chroma
 * changes slowly, so that it can be interpolated. */
typedef void (*TlScene) (gdouble x, gdouble y, gdouble rgb[3]);
void tl_scene_gradients (gdouble x, gdouble y, gdouble rgb[3]);

/* A frame of @info, as exactly as the format can have it: chroma is computed for
 * the place that it stands for. Of alternating fields the top one. */
GstBuffer *tl_scene_paint (const GstVideoInfo *info, TlScene scene);

/* Renders @buffer; fails the test if that fails. *transferred*. */
guint8 *tl_scene_render (const GstVideoInfo *info, GstBuffer *buffer,
    const TlPreprocess *preprocess, TlField field);

/* The same of the scene as RGB of @width x @height. *transferred*. */
guint8 *tl_scene_expect (TlScene scene, guint width, guint height,
    const TlPreprocess *preprocess);

/* The largest difference of two pictures for @preprocess. */
guint tl_scene_compare (const guint8 *a, const guint8 *b,
    const TlPreprocess *preprocess);

#endif
