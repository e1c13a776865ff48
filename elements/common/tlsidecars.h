/* SPDX-License-Identifier: BSD-3-Clause */

/* The texts that go beside an ONNX file. docs/export.md says which were run and
 * which were only written after their documentation. */

#ifndef TL_SIDECARS_H
#define TL_SIDECARS_H

#include <glib.h>

#include <tlonnx.h>

G_BEGIN_DECLS

typedef struct
{
  const gchar *model;           /* the ONNX file's name, without its folder */
  const gchar *const *classes;  /* NULL-terminated */
  const gchar *preprocess;      /* the line of a checkpoint, or NULL */
  const TlOnnxOptions *options; /* mean and std are set in any case */
} TlSidecars;

/* One class a line: labels-file of GStreamer's decoders. *transferred*. */
gchar *tl_sidecars_labels (const TlSidecars *self);

/* For GStreamer's onnxinference. *transferred*. */
gchar *tl_sidecars_modelinfo (const TlSidecars *self);

/* For NVIDIA's nvinfer, which reads its labels from @labels. *transferred*. */
gchar *tl_sidecars_nvinfer (const TlSidecars *self, const gchar *labels);

/* All classes in one line, between semicolons. *transferred*. */
gchar *tl_sidecars_nvinfer_labels (const TlSidecars *self);

/* Why nvinfer cannot take the model; NULL: it can. *borrowed*. */
const gchar *tl_sidecars_nvinfer_obstacle (const TlSidecars *self);

/* TL_ERROR_ARGUMENT: a name that would break the lines of a file. */
TlStatus tl_sidecars_check (const TlSidecars *self, TlError *error);

G_END_DECLS

#endif
