/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlsidecars.h"

#include <string.h>

#include <tlbytes.h>
#include <tlfail.h>

/* Names of GStreamer's tensor-id-registry: raw scores, to which the decoder
 * applies a softmax, and probabilities. */
#define ID_SCORES "classification-generic-out"
#define ID_PROBABILITIES "classification-generic-softmaxed-out"

static const gchar *
get_output (const TlSidecars *self)
{
  return self->options->softmax ? "probabilities" : "logits";
}

static void
append_number (GString *text, gdouble value)
{
  gchar number[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append (text,
      g_ascii_formatd (number, sizeof number, "%.9g", value));
}

static gboolean
has_control (const gchar *name)
{
  for (; *name; name++) {
    if ((guchar) *name < ' ' || *name == 0x7f)
      return TRUE;
  }
  return FALSE;
}

TlStatus
tl_sidecars_check (const TlSidecars *self, TlError *error)
{
  for (guint i = 0; self->classes[i]; i++) {
    if (has_control (self->classes[i]))
      return tl_fail (error, TL_ERROR_ARGUMENT,
          "the class \"%s\" has a control character in its name, which a file "
          "of labels cannot hold: rename it, or export without sidecars",
          tl_show_text (self->classes[i], strlen (self->classes[i])).text);
  }
  /* Readers of such files take the blanks around a value away. */
  if (has_control (self->model) || strchr (self->model, '\\')
      || *self->model == ' ' || g_str_has_suffix (self->model, " ")
      || !g_utf8_validate (self->model, -1, NULL))
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "\"%s\": sidecars name their model, and cannot hold this name: choose "
        "one in UTF-8, without control characters and backslashes, and no blank "
        "at its ends",
        tl_show_text (self->model, strlen (self->model)).text);
  return TL_OK;
}

gchar *
tl_sidecars_labels (const TlSidecars *self)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; self->classes[i]; i++)
    g_string_append_printf (text, "%s\n", self->classes[i]);
  return g_string_free (text, FALSE);
}

/* Both programs give the model a whole frame, scaled. */
static void
append_preprocess (GString *text, const TlSidecars *self)
{
  if (self->preprocess)
    g_string_append_printf (text,
        "# The model was validated on pictures prepared so:\n#   %s\n"
        "# What of this is done before the model is the pipeline's to do.\n",
        self->preprocess);
}

static void
append_size (GString *text, guint size)
{
  if (size > 0)
    g_string_append_printf (text, ",%u", size);
  else
    g_string_append (text, ",-1");
}

/* What a byte of 0 and one of 255 become, for each channel. */
static void
append_ranges (GString *text, const TlOnnxOptions *options)
{
  g_string_append (text, "ranges=");
  for (guint i = 0; i < 3; i++) {
    gboolean is_raw = options->input != TL_ONNX_NORMALIZED;

    append_number (text, is_raw ? 0 : -options->mean[i] / options->std[i]);
    g_string_append_c (text, ',');
    append_number (text,
        is_raw ? 255 : (1 - options->mean[i]) / options->std[i]);
    g_string_append_c (text, i < 2 ? ';' : '\n');
  }
}

gchar *
tl_sidecars_modelinfo (const TlSidecars *self)
{
  const TlOnnxOptions *options = self->options;
  const gchar *id = options->softmax ? ID_PROBABILITIES : ID_SCORES;
  gboolean is_packed = options->input == TL_ONNX_UINT8;
  GString *text = g_string_new (NULL);

  g_string_append_printf (text,
      "# %s for onnxinference of GStreamer 1.28 or later.\n", self->model);
  append_preprocess (text, self);
  g_string_append_printf (text,
      "\n[modelinfo]\nversion=1.0\ngroup-id=%s\n\n"
      "[input]\nid=input\ntype=%s\ndims=-1%s",
      id, is_packed ? "uint8" : "float32", is_packed ? "" : ",3");
  append_size (text, options->height);
  append_size (text, options->width);
  g_string_append (text, is_packed ? ",3\ndir=input\n" : "\ndir=input\n");
  append_ranges (text, options);
  g_string_append_printf (text,
      "\n[%s]\nid=%s\ntype=float32\ndims=-1,%u\ndir=output\n"
      "dims-order=row-major\n",
      get_output (self), id, g_strv_length ((gchar **) self->classes));
  return g_string_free (text, FALSE);
}

/* ---- nvinfer ---- */

const gchar *
tl_sidecars_nvinfer_obstacle (const TlSidecars *self)
{
  if (self->options->input == TL_ONNX_UINT8)
    return "nvinfer gives a model float32 alone: export with --input float";
  if (self->options->width == 0)
    return "nvinfer needs the size of the input: give --size";
  for (guint i = 0; self->classes[i]; i++) {
    if (strchr (self->classes[i], ';'))
      return "nvinfer separates classes by semicolons, and a name has one";
  }
  return NULL;
}

/* nvinfer computes net-scale-factor * (value - offset), with an offset for each
 * channel but one factor for all. */
static void
append_scale (GString *text, const TlOnnxOptions *options)
{
  gdouble std = (options->std[0] + options->std[1] + options->std[2]) / 3;
  gboolean is_exact =
      options->std[0] == options->std[1] && options->std[1] == options->std[2];

  if (options->input == TL_ONNX_FLOAT) {
    g_string_append (text,
        "# The model normalizes by itself, each channel as it was trained:\n"
        "# values go in unscaled.\nnet-scale-factor=1\n");
    return;
  }
  if (is_exact)
    g_string_append (text, "# (value / 255 - mean) / std\n");
  else
    g_string_append (text,
        "# NOT EXACT: the model wants a standard deviation for each channel, and\n"
        "# nvinfer has one factor for all; this is their mean. Export with\n"
        "# --input float, and the model normalizes exactly by itself.\n");
  g_string_append (text, "net-scale-factor=");
  append_number (text, 1 / (255 * std));
  g_string_append (text, "\noffsets=");
  for (guint i = 0; i < 3; i++) {
    append_number (text, 255 * options->mean[i]);
    g_string_append_c (text, i < 2 ? ';' : '\n');
  }
}

gchar *
tl_sidecars_nvinfer (const TlSidecars *self, const gchar *labels)
{
  const TlOnnxOptions *options = self->options;
  GString *text = g_string_new (NULL);

  g_string_append_printf (text,
      "# %s for nvinfer of NVIDIA DeepStream: config-file-path=this file.\n"
      "# Written after NVIDIA's documentation, and not run.\n",
      self->model);
  append_preprocess (text, self);
  g_string_append_printf (text,
      "\n[property]\nonnx-file=%s\nlabelfile-path=%s\n"
      "# 1: a classifier, of whole frames, in fp32\n"
      "network-type=1\nprocess-mode=1\nnetwork-mode=0\n"
      "gie-unique-id=1\nbatch-size=1\n"
      "# planes of R, G, B\nnetwork-input-order=0\nmodel-color-format=0\n"
      "infer-dims=3;%u;%u\n",
      self->model, labels, options->height, options->width);
  append_scale (text, options);
  g_string_append_printf (text, "output-blob-names=%s\n", get_output (self));
  g_string_append (text,
      options->softmax
          ? "# of a probability\nclassifier-threshold=0.5\n"
          : "# The output is logits, which nvinfer takes for probabilities: it "
            "compares\n# this with a logit. Export with --softmax for "
            "probabilities.\nclassifier-threshold=0\n");
  return g_string_free (text, FALSE);
}

gchar *
tl_sidecars_nvinfer_labels (const TlSidecars *self)
{
  g_autofree gchar *joined = g_strjoinv (";", (gchar **) self->classes);

  return g_strconcat (joined, "\n", NULL);
}
