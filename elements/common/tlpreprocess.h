/* SPDX-License-Identifier: BSD-3-Clause */

/* How a picture becomes the model's input when nothing is random: decided by
 * imagedecode, kept in every checkpoint, obeyed by resnetinfer. */

#ifndef TL_PREPROCESS_H
#define TL_PREPROCESS_H

#include <gst/gst.h>

#include "tlapi.h"

G_BEGIN_DECLS

/* Room for any value of the text fields, with the terminator. */
#define TL_PREPROCESS_TEXT 64

typedef struct
{
  gint width; /* of the model's input, pixels */
  gint height;
  gint resize;                             /* short side before the crop, > 0 */
  gchar crop[TL_PREPROCESS_TEXT];          /* "center", "none", "pad" */
  gchar interpolation[TL_PREPROCESS_TEXT]; /* "bilinear", "bicubic" */
  gchar region[TL_PREPROCESS_TEXT]; /* "x,y,w,h", pixels or per cent; "" all */
  gboolean auto_orient;
  gdouble mean[3]; /* of RGB scaled to [0, 1] */
  gdouble std[3];
} TlPreprocess;

/* torchvision's preset: 256, centre crop 224, bilinear, ImageNet mean, std. */
TL_API void tl_preprocess_init (TlPreprocess *self);

/* One line, "width=224 height=224 ...": repeats byte for byte.
 * *transferred*. */
TL_API gchar *tl_preprocess_to_string (const TlPreprocess *self);

/* FALSE, with @self untouched, unless @text is such a line with every field in
 * its range. */
TL_API gboolean tl_preprocess_from_string (TlPreprocess *self,
    const gchar *text);

G_END_DECLS

#endif
