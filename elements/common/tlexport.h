/* SPDX-License-Identifier: BSD-3-Clause */

/* A checkpoint, or any file of weights, written for other programs: .pth for
 * PyTorch, ONNX for runtimes, safetensors without the optimizer's state; with
 * an ONNX file, what GStreamer's and NVIDIA's elements want to know of it. What
 * the tool's `export` and checkpointsink's `export` share. Any thread; one at a
 * time. */

#ifndef TL_EXPORT_H
#define TL_EXPORT_H

#include <glib.h>

#include <tlonnx.h>

G_BEGIN_DECLS

typedef enum
{
  TL_EXPORT_ONNX = 0,
  TL_EXPORT_PTH = 1,
  TL_EXPORT_SAFETENSORS = 2,
  TL_N_EXPORT_FORMATS
} TlExportFormat;

/* All but sidecars, labels, mean, std, width and height are those of
 * TlOnnxOptions, and for ONNX alone, as are sidecars. What a checkpoint says of
 * itself must not be given again; what it or a file of weights does not say may
 * be left out where nothing needs it. Borrowed for the life of the export. */
typedef struct
{
  TlOnnxInput input;
  gboolean fold_batchnorm;
  gboolean softmax;
  gboolean sidecars;
  const gchar *const *labels; /* names of the classes, NULL-terminated */
  const gdouble *mean;        /* three each, or NULL */
  const gdouble *std;
  guint width; /* of the model's input, both or neither; 0: not given */
  guint height;
} TlExportOptions;

typedef struct TlExport TlExport;

/* "onnx", "pth", "safetensors": also the ending of a file. */
const gchar *tl_export_format_name (TlExportFormat format);
gboolean tl_export_format_from_name (const gchar *name, TlExportFormat *ret);

/* Reads @source whole. The message of an error begins with the path.
 * TL_ERROR_ARGUMENT: not a model that tlpipe knows, or options that contradict
 * it. */
TlStatus tl_export_open (const gchar *source, const TlExportOptions *options,
    TlExport **ret, TlError *error);

/* Accepts NULL. */
void tl_export_free (TlExport *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TlExport, tl_export_free)

const TlArch *tl_export_get_arch (const TlExport *self);
guint tl_export_get_n_classes (const TlExport *self);

/* Reports a file: @kind is "model", "labels", "modelinfo", "nvinfer" or
 * "nvinfer-labels"; @reason is NULL, or says why it was not written. All is
 * borrowed. */
typedef void (*TlExportWritten) (const gchar *kind, const gchar *path,
    const gchar *reason, gpointer user);

/* Writes @target, and its sidecars, each replaced as a whole: a failure leaves
 * what was there. The same source and options give the same bytes. @written may
 * be NULL. TL_ERROR_ARGUMENT before anything is written: something is needed
 * that neither the source nor the options say. */
TlStatus tl_export_write (TlExport *self, TlExportFormat format,
    const gchar *target, TlExportWritten written, gpointer user,
    TlError *error);

G_END_DECLS

#endif
