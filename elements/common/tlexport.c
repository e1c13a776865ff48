/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlexport.h"

#include <stdlib.h>
#include <string.h>

#include <tlfail.h>
#include <tlfile.h>
#include <tlintegrity.h>
#include <tlmodelfile.h>
#include <tlpthwriter.h>
#include <tlsafetensors.h>

#include "tlcheckpoint.h"
#include "tlclasses.h"
#include "tlpreprocess.h"
#include "tlsidecars.h"

#define KEY_INPUT "tlpipe.input"

struct TlExport
{
  gchar *source;
  const TlExportOptions *options;
  TlModelFile *file;
  TlStateDict model; /* borrows from the file */
  gchar **classes;   /* or NULL */
  const gchar *preprocess;
  gboolean has_scale; /* mean and std below */
  TlOnnxOptions onnx; /* without metadata */
};

static const gchar *const format_names[] = {
    [TL_EXPORT_ONNX] = "onnx",
    [TL_EXPORT_PTH] = "pth",
    [TL_EXPORT_SAFETENSORS] = "safetensors",
};

const gchar *
tl_export_format_name (TlExportFormat format)
{
  return format_names[format];
}

gboolean
tl_export_format_from_name (const gchar *name, TlExportFormat *ret)
{
  for (guint i = 0; i < TL_N_EXPORT_FORMATS; i++) {
    if (g_str_equal (name, format_names[i])) {
      *ret = i;
      return TRUE;
    }
  }
  return FALSE;
}

/* ---- Opening ---- */

static TlStatus
read_classes (TlExport *self, TlError *error)
{
  const gchar *json = tl_model_file_lookup (self->file, TL_KEY_CLASSES);
  guint n;

  if (json && self->options->labels)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "%s names its classes itself: leave out the labels", self->source);
  if (json)
    self->classes = tl_classes_from_json (json);
  else
    self->classes = g_strdupv ((gchar **) self->options->labels);
  if (json && !self->classes)
    return tl_fail (error, TL_ERROR_FORMAT,
        "%s: " TL_KEY_CLASSES " is not a list of class names", self->source);
  n = self->classes ? g_strv_length (self->classes) : self->model.n_classes;
  if (n != self->model.n_classes)
    return tl_fail (error, json ? TL_ERROR_FORMAT : TL_ERROR_ARGUMENT,
        "%s: its head is for %u classes, but there are names for %u",
        self->source, self->model.n_classes, n);
  return TL_OK;
}

static TlStatus
take_preprocess (TlExport *self, const gchar *line, TlError *error)
{
  const TlExportOptions *options = self->options;
  TlPreprocess found;

  if (options->mean || options->std || options->width > 0)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "%s says itself how pictures are prepared for it: leave out mean, std "
        "and size",
        self->source);
  if (!tl_preprocess_from_string (&found, line))
    return tl_fail (error, TL_ERROR_FORMAT,
        "%s: " TL_KEY_PREPROCESS " is not understood: \"%.100s\"", self->source,
        line);
  self->preprocess = line;
  self->has_scale = TRUE;
  self->onnx.width = (guint) found.width;
  self->onnx.height = (guint) found.height;
  memcpy (self->onnx.mean, found.mean, sizeof found.mean);
  memcpy (self->onnx.std, found.std, sizeof found.std);
  return TL_OK;
}

static TlStatus
read_preprocess (TlExport *self, TlError *error)
{
  const gchar *line = tl_model_file_lookup (self->file, TL_KEY_PREPROCESS);
  const TlExportOptions *options = self->options;

  if (line)
    return take_preprocess (self, line, error);
  self->has_scale = options->mean && options->std;
  self->onnx.width = options->width;
  self->onnx.height = options->height;
  if (self->has_scale) {
    memcpy (self->onnx.mean, options->mean, sizeof self->onnx.mean);
    memcpy (self->onnx.std, options->std, sizeof self->onnx.std);
  }
  return TL_OK;
}

/* Whether it is a checkpoint or not: weights may carry optimizer state of
 * tlpipe's names only if they come from one. */
static TlStatus
read_model (TlExport *self, TlError *error)
{
  const gchar *arch = tl_model_file_lookup (self->file, TL_KEY_ARCH);
  TlError inner = TL_ERROR_INIT;
  gsize n;
  const TlTensor *tensors = tl_model_file_tensors (self->file, &n);
  TlStatus status = tl_state_dict_collect (&self->model, tensors, n,
      TL_OPTIMIZER_PREFIX, &inner);

  if (status != TL_OK)
    return tl_fail (error, status, "%.400s: %s", self->source, inner.message);
  if (arch && !g_str_equal (arch, self->model.arch->name))
    return tl_fail (error, TL_ERROR_FORMAT,
        "%s is damaged: it says that it is a %.64s, but has the tensors of a "
        "%s",
        self->source, arch, self->model.arch->name);
  return TL_OK;
}

static TlStatus
read_file (TlExport *self, TlError *error)
{
  TlStatus status = tl_model_file_open (self->source, &self->file, error);

  if (status == TL_OK)
    status = read_model (self, error);
  if (status == TL_OK)
    status = read_classes (self, error);
  if (status == TL_OK)
    status = read_preprocess (self, error);
  return status;
}

TlStatus
tl_export_open (const gchar *source, const TlExportOptions *options,
    TlExport **ret, TlError *error)
{
  g_autoptr (TlExport) self = g_new0 (TlExport, 1);
  TlStatus status;

  self->source = g_strdup (source);
  self->options = options;
  self->onnx.input = options->input;
  self->onnx.fold_batchnorm = options->fold_batchnorm;
  self->onnx.softmax = options->softmax;
  self->onnx.version = TL_VERSION;
  status = read_file (self, error);
  if (status == TL_OK)
    *ret = g_steal_pointer (&self);
  return status;
}

void
tl_export_free (TlExport *self)
{
  if (!self)
    return;
  tl_state_dict_clear (&self->model);
  tl_model_file_free (self->file);
  g_strfreev (self->classes);
  g_free (self->source);
  g_free (self);
}

const TlArch *
tl_export_get_arch (const TlExport *self)
{
  return self->model.arch;
}

guint
tl_export_get_n_classes (const TlExport *self)
{
  return self->model.n_classes;
}

/* ---- What is said of the model ---- */

static void
add_metadata (GArray *metadata, const gchar *key, const gchar *value)
{
  TlMetadata entry = {key, value};

  if (value)
    g_array_append_val (metadata, entry);
}

/* What an ONNX file carries: what the model is and where it comes from, but not
 * where its training stands. @classes is the list as JSON, or NULL. */
static GArray *
list_metadata (const TlExport *self, const gchar *classes)
{
  static const gchar *const keys[] = {TL_KEY_PREPROCESS, TL_KEY_WEIGHTS_SHA256,
      TL_KEY_DIGEST, TL_KEY_SEED, TL_KEY_EPOCH, TL_KEY_STEP,
      TL_KEY_METRICS_TRAIN, TL_KEY_METRICS_VALID, TL_KEY_METRICS_TEST};
  GArray *metadata = g_array_new (FALSE, FALSE, sizeof (TlMetadata));

  add_metadata (metadata, TL_KEY_VERSION, TL_VERSION);
  add_metadata (metadata, TL_KEY_ARCH, self->model.arch->name);
  add_metadata (metadata, TL_KEY_CLASSES, classes);
  add_metadata (metadata, KEY_INPUT, tl_onnx_input_nick (self->onnx.input));
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    add_metadata (metadata, keys[i],
        tl_model_file_lookup (self->file, keys[i]));
  return metadata;
}

/* ---- Writing ---- */

static TlStatus
write_onnx (const TlExport *self, const gchar *target, TlError *error)
{
  g_autofree gchar *classes = self->classes
      ? tl_classes_to_json ((const gchar *const *) self->classes)
      : NULL;
  g_autoptr (GArray) metadata = list_metadata (self, classes);
  TlOnnxOptions options = self->onnx;

  options.metadata = (const TlMetadata *) metadata->data;
  options.n_metadata = metadata->len;
  return tl_onnx_write (target, &self->model, &options, error);
}

/* What the source says, with room for another checksum. */
static TlMetadata *
copy_metadata (const TlExport *self, gsize *n)
{
  const TlMetadata *all = tl_model_file_metadata (self->file, n);
  TlMetadata *copy = g_new (TlMetadata, *n + 1);

  for (gsize i = 0; i < *n; i++) {
    copy[i] = all[i];
    if (g_str_equal (all[i].key, TL_KEY_CHECKSUM))
      copy[i].value = TL_CHECKSUM_BLANK;
  }
  return copy;
}

static TlStatus
write_sealed (const TlExport *self, const gchar *target, void *header,
    gsize header_size, TlError *error)
{
  g_autofree TlChunk *chunks = g_new (TlChunk, self->model.n + 1);
  TlXxh64 data;

  tl_xxh64_init (&data);
  for (gsize i = 0; i < self->model.n; i++) {
    const TlTensor *tensor = &self->model.tensors[i];

    chunks[i + 1] =
        (TlChunk){tensor->data, (gsize) tl_safetensors_data_size (tensor)};
    tl_xxh64_update (&data, chunks[i + 1].bytes, chunks[i + 1].size);
  }
  if (tl_model_file_lookup (self->file, TL_KEY_CHECKSUM))
    tl_integrity_seal (header, header_size, &data);
  chunks[0] = (TlChunk){header, header_size};
  return tl_file_replace (target, chunks, self->model.n + 1, error);
}

/* A checkpoint keeps all that it says: it can begin another run, but whose
 * optimizer needs its state cannot resume from it. */
static TlStatus
write_safetensors (const TlExport *self, const gchar *target, TlError *error)
{
  gsize n, header_size;
  g_autofree TlMetadata *metadata = copy_metadata (self, &n);
  void *header;
  TlStatus status = tl_safetensors_build_header (self->model.tensors,
      self->model.n, metadata, n, &header, &header_size, NULL, error);

  if (status != TL_OK)
    return status;
  status = write_sealed (self, target, header, header_size, error);
  free (header);
  return status;
}

static TlStatus
write_model (const TlExport *self, TlExportFormat format, const gchar *target,
    TlError *error)
{
  TlError inner = TL_ERROR_INIT;
  TlStatus status;

  if (format == TL_EXPORT_ONNX)
    status = write_onnx (self, target, &inner);
  else if (format == TL_EXPORT_PTH)
    status = tl_pth_write (target, self->model.tensors, self->model.n, &inner);
  else
    status = write_safetensors (self, target, &inner);
  /* A message about the file that was written begins with its path. */
  if (status == TL_ERROR_WRITE)
    tl_fail (error, status, "%s", inner.message);
  else if (status != TL_OK)
    tl_fail (error, status, "%.400s: %s", self->source, inner.message);
  if (status != TL_OK)
    tl_fail_detail (error, "%s", inner.detail);
  return status;
}

static TlStatus
write_text (const gchar *folder, const gchar *name, const gchar *text,
    const gchar *kind, TlExportWritten written, gpointer user, TlError *error)
{
  g_autofree gchar *path = g_str_equal (folder, ".")
      ? g_strdup (name)
      : g_build_filename (folder, name, NULL);
  TlChunk chunk = {text, strlen (text)};
  TlStatus status = tl_file_replace (path, &chunk, 1, error);

  if (status == TL_OK && written)
    written (kind, path, NULL, user);
  return status;
}

static TlStatus
write_nvinfer (const TlSidecars *sidecars, const gchar *folder,
    TlExportWritten written, gpointer user, TlError *error)
{
  const gchar *obstacle = tl_sidecars_nvinfer_obstacle (sidecars);
  g_autofree gchar *name = g_strconcat (sidecars->model, ".nvinfer.txt", NULL);
  g_autofree gchar *labels =
      g_strconcat (sidecars->model, ".nvinfer-labels.txt", NULL);
  g_autofree gchar *names = tl_sidecars_nvinfer_labels (sidecars);
  g_autofree gchar *text = tl_sidecars_nvinfer (sidecars, labels);
  TlStatus status;

  if (obstacle) {
    if (written)
      written ("nvinfer", name, obstacle, user);
    return TL_OK;
  }
  status = write_text (folder, labels, names, "nvinfer-labels", written, user,
      error);
  if (status == TL_OK)
    status = write_text (folder, name, text, "nvinfer", written, user, error);
  return status;
}

static TlStatus
write_sidecars (const TlSidecars *sidecars, const gchar *target,
    TlExportWritten written, gpointer user, TlError *error)
{
  g_autofree gchar *folder = g_path_get_dirname (target);
  g_autofree gchar *name = g_strconcat (sidecars->model, ".modelinfo", NULL);
  g_autofree gchar *labels = tl_sidecars_labels (sidecars);
  g_autofree gchar *modelinfo = tl_sidecars_modelinfo (sidecars);
  TlStatus status =
      write_text (folder, "labels.txt", labels, "labels", written, user, error);

  if (status == TL_OK)
    status =
        write_text (folder, name, modelinfo, "modelinfo", written, user, error);
  if (status == TL_OK)
    status = write_nvinfer (sidecars, folder, written, user, error);
  return status;
}

/* What the file leaves open must have been given. */
static TlStatus
check_complete (const TlExport *self, gboolean sidecars, TlError *error)
{
  if (!self->has_scale && (sidecars || self->onnx.input != TL_ONNX_NORMALIZED))
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "%s does not say how its input is normalized, which %s: give mean and "
        "std, as in --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 for "
        "torchvision's weights",
        self->source,
        sidecars ? "sidecars need" : "a model that normalizes needs");
  if (sidecars && !self->classes)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "%s does not name its classes, which sidecars need: give --labels with "
        "a file of one name a line",
        self->source);
  return TL_OK;
}

TlStatus
tl_export_write (TlExport *self, TlExportFormat format, const gchar *target,
    TlExportWritten written, gpointer user, TlError *error)
{
  gboolean is_onnx = format == TL_EXPORT_ONNX;
  gboolean with_sidecars = is_onnx && self->options->sidecars;
  g_autofree gchar *name = g_path_get_basename (target);
  TlSidecars sidecars = {name, (const gchar *const *) self->classes,
      self->preprocess, &self->onnx};
  TlStatus status = TL_OK;

  if (is_onnx)
    status = check_complete (self, with_sidecars, error);
  if (status == TL_OK && with_sidecars)
    status = tl_sidecars_check (&sidecars, error);
  if (status == TL_OK)
    status = write_model (self, format, target, error);
  if (status != TL_OK)
    return status;
  if (written)
    written ("model", target, NULL, user);
  return with_sidecars
      ? write_sidecars (&sidecars, target, written, user, error)
      : TL_OK;
}
