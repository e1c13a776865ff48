/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlclassifier.h"

#include <string.h>

#include "tlarch.h"
#include "tlcheckpoint.h"
#include "tlclasses.h"
#include "tlcrop.h"
#include "tlfail.h"
#include "tlmodelfile.h"
#include "tlshimloader.h"

#define ID_DIGITS 16

struct TlClassifier
{
  const TlShim *shim;
  TlModel *model;
  gchar **classes;
  guint n_classes;
  GQuark id;

  TlPreprocess preprocess;
  guint8 *input; /* height x width x 3, packed */

  /* How frames become input, and which frames; NULL: not known yet. */
  TlLivePicture *picture;
  GstVideoInfo info;
  gboolean prepared;
  TlField field;
};

/* ---- From the file ---- */

static TlStatus
read_description (TlClassifier *self, const TlModelFile *file,
    const gchar *path, TlError *error)
{
  const char *classes = tl_model_file_lookup (file, TL_KEY_CLASSES);
  const char *preprocess = tl_model_file_lookup (file, TL_KEY_PREPROCESS);

  if (!classes || !preprocess)
    return tl_fail (error, TL_ERROR_FORMAT,
        "%s has weights but neither class names nor preprocessing: it is not a "
        "tlpipe checkpoint. Fine-tune it first, or give best.safetensors of a "
        "run.",
        path);
  self->classes = tl_classes_from_json (classes);
  if (!self->classes)
    return tl_fail (error, TL_ERROR_FORMAT,
        "%s: " TL_KEY_CLASSES " is not a list of class names.", path);
  self->n_classes = g_strv_length (self->classes);
  if (!tl_preprocess_from_string (&self->preprocess, preprocess))
    return tl_fail (error, TL_ERROR_FORMAT,
        "%s: " TL_KEY_PREPROCESS " is not understood: \"%s\".", path,
        preprocess);
  return TL_OK;
}

/* What can be known to be wrong before the first frame. */
static TlStatus
prepare_input (TlClassifier *self, const gchar *path, TlError *error)
{
  const TlPreprocess *p = &self->preprocess;
  TlRegion region;
  TlCropKind crop;
  TlStatus status = tl_region_parse (p->region, &region, error);

  if (status != TL_OK)
    return status;
  if (!tl_crop_kind_from_nick (p->crop, &crop))
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "%s asks for crop=%s, which this version does not know.", path,
        p->crop);
  if (!g_str_equal (p->interpolation, "bilinear")
      && !g_str_equal (p->interpolation, "bicubic"))
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "%s asks for interpolation=%s, which this version does not know.", path,
        p->interpolation);
  self->input = g_try_malloc ((gsize) p->width * p->height * 3);
  if (!self->input)
    return tl_fail (error, TL_ERROR_MEMORY, "Out of memory for %d x %d pixels.",
        p->width, p->height);
  return TL_OK;
}

/* The model's own tensors: not the optimizer's state. */
static TlTensor *
model_tensors (const TlModelFile *file, gsize *n)
{
  size_t n_all;
  const TlTensor *all = tl_model_file_tensors (file, &n_all);
  TlTensor *tensors = g_new (TlTensor, n_all + 1);

  *n = 0;
  for (size_t i = 0; i < n_all; i++) {
    if (!g_str_has_prefix (all[i].name, TL_OPTIMIZER_PREFIX))
      tensors[(*n)++] = all[i];
  }
  return tensors;
}

static TlStatus
build_model (TlClassifier *self, const TlModelFile *file,
    const TlClassifierOptions *given, TlError *error)
{
  TlModelOptions options = TL_MODEL_OPTIONS_INIT;
  g_autofree TlTensor *tensors = NULL;
  const TlArch *arch;
  guint32 n_classes;
  gsize n;
  TlStatus status;

  tensors = model_tensors (file, &n);
  status = tl_arch_recognise (tensors, n, &arch, &n_classes, error);
  if (status != TL_OK)
    return status;
  if (n_classes != self->n_classes)
    return tl_fail (error, TL_ERROR_FORMAT,
        "%s names %u classes, but its head has %u outputs.", given->checkpoint,
        self->n_classes, n_classes);
  options.arch = arch->name;
  options.device = given->device;
  options.precision = TL_PRECISION_FP32;
  options.freeze = TL_STAGE_FC;
  options.n_threads = given->n_threads;
  for (guint i = 0; i < 3; i++) {
    options.mean[i] = (float) self->preprocess.mean[i];
    options.std[i] = (float) self->preprocess.std[i];
  }
  return self->shim->model_new (&options, tensors, n, &self->model, error);
}

static TlStatus
load (TlClassifier *self, const TlClassifierOptions *options, TlError *error)
{
  TlModelFile *file = NULL;
  char digest[TL_SHA256_HEX_SIZE];
  TlStatus status;

  self->shim = tl_shim_load (error);
  if (!self->shim)
    return TL_ERROR_NOT_FOUND;
  status = tl_model_file_open (options->checkpoint, &file, error);
  if (status != TL_OK)
    return status;
  status = read_description (self, file, options->checkpoint, error);
  if (status == TL_OK)
    status = prepare_input (self, options->checkpoint, error);
  if (status == TL_OK)
    status = build_model (self, file, options, error);
  if (status == TL_OK) {
    tl_model_file_sha256 (file, digest);
    digest[ID_DIGITS] = '\0';
    self->id = g_quark_from_string (digest);
  }
  tl_model_file_free (file);
  return status;
}

TlStatus
tl_classifier_new (const TlClassifierOptions *options, TlClassifier **ret,
    TlError *error)
{
  TlClassifier *self = g_atomic_rc_box_new0 (TlClassifier);
  TlStatus status = load (self, options, error);

  if (status != TL_OK) {
    tl_classifier_unref (self);
    return status;
  }
  *ret = self;
  return TL_OK;
}

static void
clear (TlClassifier *self)
{
  if (self->model)
    self->shim->model_free (self->model);
  tl_live_picture_free (self->picture);
  g_free (self->input);
  g_strfreev (self->classes);
}

TlClassifier *
tl_classifier_ref (TlClassifier *self)
{
  return g_atomic_rc_box_acquire (self);
}

void
tl_classifier_unref (TlClassifier *self)
{
  g_atomic_rc_box_release_full (self, (GDestroyNotify) clear);
}

guint
tl_classifier_n_classes (const TlClassifier *self)
{
  return self->n_classes;
}

const gchar *const *
tl_classifier_classes (const TlClassifier *self)
{
  return (const gchar *const *) self->classes;
}

const TlPreprocess *
tl_classifier_preprocess (const TlClassifier *self)
{
  return &self->preprocess;
}

GQuark
tl_classifier_id (const TlClassifier *self)
{
  return self->id;
}

/* ---- Pictures ---- */

static gboolean
is_planned (const TlClassifier *self, const GstVideoInfo *info,
    gboolean prepared, TlField field)
{
  return self->picture && self->prepared == prepared && self->field == field
      && GST_VIDEO_INFO_FIELD_ORDER (&self->info)
      == GST_VIDEO_INFO_FIELD_ORDER (info)
      && gst_video_info_is_equal (&self->info, info);
}

TlStatus
tl_classifier_take (TlClassifier *self, GstBuffer *frame,
    const GstVideoInfo *info, gboolean prepared, TlField field, TlError *error)
{
  TlStatus status;

  if (!is_planned (self, info, prepared, field)) {
    g_clear_pointer (&self->picture, tl_live_picture_free);
    status = tl_live_picture_new (info, &self->preprocess, prepared, field,
        &self->picture, error);
    if (status != TL_OK)
      return status;
    self->info = *info;
    self->prepared = prepared;
    self->field = field;
  }
  return tl_live_picture_render (self->picture, frame, self->input, error);
}

const guint8 *
tl_classifier_input (const TlClassifier *self)
{
  return self->input;
}

TlStatus
tl_classifier_run (TlClassifier *self, gfloat *probabilities, TlError *error)
{
  TlBatch batch = {
      .struct_size = sizeof batch,
      .n = 1,
      .width = self->preprocess.width,
      .height = self->preprocess.height,
      .pixels = self->input,
  };

  return self->shim->model_infer (self->model, &batch, probabilities, error);
}
