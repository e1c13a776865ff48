/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlverb.h"

#include <math.h>
#include <string.h>

#include <gst/video/video.h>

#include <tlclassifier.h>
#include <tlcrop.h>
#include <tlimage.h>

#include "tljsonline.h"
#include "tlpicturelist.h"
#include "tlplugin.h"
#include "tlvideopaint.h"

#define CHANNELS 3
#define MAX_PIXELS 100000000
/* Classes that the model is as good as sure of not being: single precision ends
 * not far below. */
#define LEAST_PROBABILITY 1e-30
/* Of RGB, which should be none at all. */
#define TOLERANCE 1e-4

static gchar *device;
static gboolean json;

typedef struct
{
  const gchar *name;
  GstVideoFormat format;
  const gchar *colorimetry; /* NULL: RGB's own */
} Way;

static const Way ways[] = {
    {"RGB", GST_VIDEO_FORMAT_RGB, NULL},
    {"I420 BT.601 limited", GST_VIDEO_FORMAT_I420, "2:4:16:4"},
    {"I420 BT.601 full", GST_VIDEO_FORMAT_I420, "1:4:16:4"},
    {"I420 BT.709 limited", GST_VIDEO_FORMAT_I420, "2:3:5:1"},
    {"I420 BT.709 full", GST_VIDEO_FORMAT_I420, "1:3:5:1"},
    {"NV12 BT.601 limited", GST_VIDEO_FORMAT_NV12, "2:4:16:4"},
    {"NV12 BT.601 full", GST_VIDEO_FORMAT_NV12, "1:4:16:4"},
    {"NV12 BT.709 limited", GST_VIDEO_FORMAT_NV12, "2:3:5:1"},
    {"NV12 BT.709 full", GST_VIDEO_FORMAT_NV12, "1:3:5:1"},
    {"UYVY BT.601 limited", GST_VIDEO_FORMAT_UYVY, "2:4:16:4"},
    {"UYVY BT.601 full", GST_VIDEO_FORMAT_UYVY, "1:4:16:4"},
    {"UYVY BT.709 limited", GST_VIDEO_FORMAT_UYVY, "2:3:5:1"},
    {"UYVY BT.709 full", GST_VIDEO_FORMAT_UYVY, "1:3:5:1"},
};

typedef struct
{
  TlOutput output;
  TlClassifier *classifier;
  TlImageDecoder *decoder;
  guint n_classes;
  gsize input_size; /* bytes */
  guint8 *input;    /* of the training path */
  gfloat *trained;  /* its probabilities */
  gfloat *live;
  gdouble worst_rgb;
  guint n_bad;
} Parity;

/* ---- The training path ---- */

/* As imagedecode does it when nothing is random. */
static TlStatus
render_as_trained (Parity *self, const guint8 *data, gsize size,
    const TlImageOptions *options, const TlImageInfo *info, TlError *error)
{
  const TlPreprocess *p = tl_classifier_preprocess (self->classifier);
  TlFilter filter = g_str_equal (p->interpolation, "bicubic")
      ? TL_FILTER_BICUBIC
      : TL_FILTER_BILINEAR;
  TlRegion region;
  TlCropKind crop;
  TlCropPlan plan;
  TlBox box;
  TlStatus status = tl_region_parse (p->region, &region, error);

  if (status == TL_OK)
    status =
        tl_region_resolve (&region, info->width, info->height, &box, error);
  if (status != TL_OK)
    return status;
  tl_crop_kind_from_nick (p->crop, &crop);
  status = tl_crop_plan_fixed (crop, &box, (guint) p->resize, (guint) p->width,
      (guint) p->height, &plan, error);
  if (status != TL_OK)
    return status;
  return tl_image_render (self->decoder, data, size, options, &plan, filter,
      FALSE, (guint) p->width, (guint) p->height, self->input,
      (gsize) p->width * CHANNELS, error);
}

static TlStatus
classify (Parity *self, GstBuffer *frame, const GstVideoInfo *info,
    gboolean prepared, gfloat *probabilities, TlError *error)
{
  TlStatus status = tl_classifier_take (self->classifier, frame, info, prepared,
      TL_FIELD_AUTO, error);

  if (status != TL_OK)
    return status;
  return tl_classifier_run (self->classifier, probabilities, error);
}

static TlStatus
classify_as_trained (Parity *self, TlError *error)
{
  const TlPreprocess *p = tl_classifier_preprocess (self->classifier);
  g_autoptr (GstBuffer) frame = NULL;
  GstVideoInfo info;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, (guint) p->width,
      (guint) p->height);
  frame = tl_video_paint (&info, self->input);
  return classify (self, frame, &info, TRUE, self->trained, error);
}

/* ---- The live path ---- */

/* Logits without what they have in common. */
static gdouble
compare_probabilities (const Parity *self)
{
  gdouble worst = 0;

  for (guint i = 0; i < self->n_classes; i++)
    worst = MAX (worst,
        fabs (log (MAX (self->live[i], LEAST_PROBABILITY))
            - log (MAX (self->trained[i], LEAST_PROBABILITY))));
  return worst;
}

static guint
compare_inputs (const Parity *self)
{
  const guint8 *live = tl_classifier_input (self->classifier);
  guint worst = 0;

  for (gsize i = 0; i < self->input_size; i++)
    worst = MAX (worst, (guint) ABS (live[i] - self->input[i]));
  return worst;
}

static void
report (Parity *self, const gchar *path, const Way *way)
{
  gdouble difference = compare_probabilities (self);
  guint levels = compare_inputs (self);
  GString *line = tl_json_line_new ("parity");
  gchar number[G_ASCII_DTOSTR_BUF_SIZE];

  if (way->format == GST_VIDEO_FORMAT_RGB)
    self->worst_rgb = MAX (self->worst_rgb, difference);
  tl_json_line_add_text (line, "path", path);
  tl_json_line_add_text (line, "video", way->name);
  tl_json_line_add_count (line, "levels", levels);
  tl_json_line_add_number (line, "difference", difference);
  tl_output_json (&self->output, line);
  tl_output_line (&self->output, "  %-20s %4u  %s", way->name, levels,
      g_ascii_formatd (number, sizeof number, "%.6f", difference));
}

static TlStatus
compare_live (Parity *self, const gchar *path, const guint8 *rgb,
    const TlImageInfo *picture, const Way *way, TlError *error)
{
  g_autoptr (GstBuffer) frame = NULL;
  GstVideoInfo info;
  TlStatus status;

  gst_video_info_set_format (&info, way->format, picture->width,
      picture->height);
  if (way->colorimetry)
    gst_video_colorimetry_from_string (&info.colorimetry, way->colorimetry);
  GST_VIDEO_INFO_CHROMA_SITE (&info) = GST_VIDEO_CHROMA_SITE_MPEG2;
  frame = tl_video_paint (&info, rgb);
  status = classify (self, frame, &info, FALSE, self->live, error);
  if (status == TL_OK)
    report (self, path, way);
  return status;
}

/* ---- Pictures ---- */

static TlStatus
compare_decoded (Parity *self, const gchar *path, const guint8 *data,
    gsize size, TlError *error)
{
  const TlImageOptions options = {
      .max_pixels = MAX_PIXELS,
      .auto_orient = tl_classifier_preprocess (self->classifier)->auto_orient,
  };
  g_autofree guint8 *rgb = NULL;
  TlImageInfo info;
  TlCropPlan whole;
  TlBox all = {0};
  TlStatus status = tl_image_probe (data, size, &options, &info, error);

  if (status != TL_OK)
    return status;
  all.width = info.width;
  all.height = info.height;
  tl_crop_plan_stretch (&all, info.width, info.height, &whole);
  rgb = g_malloc ((gsize) info.width * info.height * CHANNELS);
  status = tl_image_render (self->decoder, data, size, &options, &whole,
      TL_FILTER_BILINEAR, FALSE, info.width, info.height, rgb,
      (gsize) info.width * CHANNELS, error);
  if (status == TL_OK)
    status = render_as_trained (self, data, size, &options, &info, error);
  if (status == TL_OK)
    status = classify_as_trained (self, error);
  if (status == TL_OK)
    tl_output_line (&self->output, "%s", path);
  for (guint i = 0; status == TL_OK && i < G_N_ELEMENTS (ways); i++)
    status = compare_live (self, path, rgb, &info, &ways[i], error);
  return status;
}

static void
report_bad (Parity *self, const gchar *path, const gchar *reason)
{
  GString *line = tl_json_line_new ("sample-error");

  self->n_bad++;
  tl_json_line_add_text (line, "path", path);
  tl_json_line_add_text (line, "reason", reason);
  tl_output_json (&self->output, line);
  tl_output_line (&self->output, "%s\n  cannot be used: %s", path, reason);
}

static void
compare_picture (Parity *self, const gchar *path)
{
  g_autoptr (GError) failure = NULL;
  g_autofree gchar *data = NULL;
  TlError error = TL_ERROR_INIT;
  gsize size;

  if (!g_file_get_contents (path, &data, &size, &failure))
    report_bad (self, path, failure->message);
  else if (compare_decoded (self, path, (const guint8 *) data, size, &error)
      != TL_OK)
    report_bad (self, path, error.message);
}

/* ---- The verb ---- */

static gboolean
load (Parity *self, const gchar *checkpoint)
{
  TlClassifierOptions options = {
      .checkpoint = checkpoint,
      .device = device ? device : "auto",
  };
  TlError error = TL_ERROR_INIT;
  const TlPreprocess *p;

  if (tl_classifier_new (&options, &self->classifier, &error) != TL_OK) {
    tl_output_error (&self->output, "%s", error.message);
    return FALSE;
  }
  p = tl_classifier_preprocess (self->classifier);
  self->n_classes = tl_classifier_n_classes (self->classifier);
  self->input_size = (gsize) p->width * (gsize) p->height * CHANNELS;
  self->input = g_malloc (self->input_size);
  self->trained = g_new (gfloat, self->n_classes);
  self->live = g_new (gfloat, self->n_classes);
  self->decoder = tl_image_decoder_new ();
  return TRUE;
}

static void
clear (Parity *self)
{
  g_clear_pointer (&self->classifier, tl_classifier_unref);
  g_clear_pointer (&self->decoder, tl_image_decoder_free);
  g_clear_pointer (&self->input, g_free);
  g_clear_pointer (&self->trained, g_free);
  g_clear_pointer (&self->live, g_free);
}

static TlExit
conclude (Parity *self)
{
  gchar number[G_ASCII_DTOSTR_BUF_SIZE];

  if (self->worst_rgb > TOLERANCE) {
    tl_output_error (&self->output,
        "RGB video of a picture differs from the picture by %s, more than "
        "0.0001: the live path is not the training path",
        g_ascii_formatd (number, sizeof number, "%.6f", self->worst_rgb));
    return TL_EXIT_FAILED;
  }
  if (self->output.broken || self->n_bad > 0)
    return TL_EXIT_FAILED;
  return TL_EXIT_OK;
}

static TlExit
run (gchar **args)
{
  g_autoptr (GPtrArray) pictures = g_ptr_array_new_with_free_func (g_free);
  Parity self = {0};
  TlExit end;

  tl_plugin_find ();
  tl_output_init (&self.output, json, FALSE);
  for (gchar **path = args + 1; *path; path++) {
    g_autofree gchar *reason = tl_picture_list_add (pictures, *path);

    if (reason)
      report_bad (&self, *path, reason);
  }
  if (!load (&self, args[0]))
    return TL_EXIT_FAILED;
  for (guint i = 0; i < pictures->len; i++)
    compare_picture (&self, pictures->pdata[i]);
  end = conclude (&self);
  clear (&self);
  return end;
}

static const GOptionEntry options[] = {
    TL_VERB_DEVICE (&device),
    TL_VERB_JSON (&json),
    {NULL},
};

const TlVerb tl_verb_parity = {
    .name = "parity",
    .arguments = "CHECKPOINT PATH...",
    .summary = "Says whether video is seen as pictures were in training",
    .description =
        "Each picture goes to the model as it did in training, and as a frame of\n"
        "video in several formats, as resnetinfer takes it. Written are the largest\n"
        "difference of the model's input, in levels of 0 to 255, and of the logarithms\n"
        "of the probabilities, which are the logits without what they have in common.\n"
        "\n"
        "RGB must not differ; otherwise the exit status is 1. What YUV differs by is\n"
        "the rounding to 8 bits and the chroma that a format leaves out.\n"
        "\n"
        "Exit status: 0 RGB is the same, 1 it is not, or a picture cannot be used,\n"
        "2 wrong command line.",
    .examples = "  tlpipe parity run/best.safetensors bee.jpg frames/",
    .options = options,
    .min_args = 2,
    .max_args = G_MAXUINT,
    .run = run,
};
