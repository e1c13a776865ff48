/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlverb.h"

#include <string.h>
#include <sys/stat.h>

#include <tlexport.h>

#include "tljsonline.h"

#define MAX_LABELS_SIZE (16 << 20)
#define MAX_SIDE 4096
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

static gchar *format_name;
static gchar *output_path;
static gchar *input_nick;
static gchar *labels_path;
static gchar *mean_text;
static gchar *std_text;
static gchar *size_text;
static gboolean fold_batchnorm;
static gboolean softmax;
static gboolean sidecars;
static gboolean json;

typedef struct
{
  TlOutput output;
  TlExportFormat format;
  gchar *target;
  gchar **labels;
  gdouble mean[3];
  gdouble std[3];
  TlExportOptions options;
  TlExport *export; /* while it is open */
} Export;

/* ---- The command line ---- */

static gboolean
parse_triple (const gchar *option, const gchar *text, gdouble min,
    gdouble ret[3], const gdouble **given)
{
  g_auto (GStrv) parts = NULL;
  gboolean good = TRUE;

  if (!text)
    return TRUE;
  parts = g_strsplit (text, ",", 4);
  good = g_strv_length (parts) == 3;
  for (guint i = 0; good && i < 3; i++) {
    gchar *end;

    ret[i] = g_ascii_strtod (parts[i], &end);
    good = end != parts[i] && !*end && ret[i] >= min && ret[i] <= 1e6;
  }
  if (!good) {
    tl_verb_fail (&tl_verb_export,
        "--%s=%s: expected three numbers for R, G and B scaled to [0, 1], as in "
        "0.485,0.456,0.406",
        option, text);
    return FALSE;
  }
  *given = ret;
  return TRUE;
}

static gboolean
parse_size (TlExportOptions *options)
{
  g_auto (GStrv) parts = NULL;
  guint64 width, height;

  if (!size_text)
    return TRUE;
  parts = g_strsplit (size_text, "x", 3);
  if (g_strv_length (parts) == 2
      && g_ascii_string_to_unsigned (parts[0], 10, 32, MAX_SIDE, &width, NULL)
      && g_ascii_string_to_unsigned (parts[1], 10, 32, MAX_SIDE, &height,
          NULL)) {
    options->width = (guint) width;
    options->height = (guint) height;
    return TRUE;
  }
  tl_verb_fail (&tl_verb_export,
      "--size=%s: expected WIDTHxHEIGHT of 32 to %d pixels, as in 224x224",
      size_text, MAX_SIDE);
  return FALSE;
}

/* The format is named, or told by the ending of the output. */
static gboolean
find_format (TlExportFormat *ret)
{
  const gchar *dot = output_path ? strrchr (output_path, '.') : NULL;

  if (format_name) {
    if (tl_export_format_from_name (format_name, ret))
      return TRUE;
    tl_verb_fail (&tl_verb_export,
        "--format=%s: expected onnx, pth or safetensors", format_name);
    return FALSE;
  }
  if (dot && tl_export_format_from_name (dot + 1, ret))
    return TRUE;
  tl_verb_fail (&tl_verb_export,
      "no format is given: --format onnx, pth or safetensors, or an --output "
      "that ends so");
  return FALSE;
}

/* The other formats have no place for any of this. */
static gboolean
check_format (const Export *self)
{
  const struct
  {
    const gchar *name;
    gboolean is_given;
  } only_onnx[] = {{"fold-batchnorm", fold_batchnorm}, {"softmax", softmax},
      {"sidecars", sidecars}, {"input", input_nick != NULL},
      {"labels", labels_path != NULL}, {"mean", mean_text != NULL},
      {"std", std_text != NULL}, {"size", size_text != NULL}};

  if (self->format == TL_EXPORT_ONNX)
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (only_onnx); i++) {
    if (only_onnx[i].is_given) {
      tl_verb_fail (&tl_verb_export, "--%s is for --format onnx alone",
          only_onnx[i].name);
      return FALSE;
    }
  }
  return TRUE;
}

/* Beside the source, with another ending. */
static gchar *
choose_target (const gchar *source, TlExportFormat format)
{
  const gchar *slash = strrchr (source, '/');
  const gchar *dot = strrchr (source, '.');
  gsize length = dot && (!slash || dot > slash + 1) ? (gsize) (dot - source)
                                                    : strlen (source);

  if (output_path)
    return g_strdup (output_path);
  return g_strdup_printf ("%.*s.%s", (int) length, source,
      tl_export_format_name (format));
}

static gboolean
check_target (const gchar *source, const gchar *target)
{
  struct stat a, b;

  if (stat (source, &a) != 0 || stat (target, &b) != 0 || a.st_dev != b.st_dev
      || a.st_ino != b.st_ino)
    return TRUE;
  tl_verb_fail (&tl_verb_export,
      "%s would be replaced by its own export: give another --output", source);
  return FALSE;
}

static gboolean
parse_options (Export *self, const gchar *source)
{
  TlExportOptions *options = &self->options;

  options->fold_batchnorm = fold_batchnorm;
  options->softmax = softmax;
  options->sidecars = sidecars;
  if (input_nick && !tl_onnx_input_from_nick (input_nick, &options->input)) {
    tl_verb_fail (&tl_verb_export,
        "--input=%s: expected normalized, float or uint8", input_nick);
    return FALSE;
  }
  if (!find_format (&self->format) || !check_format (self)
      || !parse_triple ("mean", mean_text, -1e6, self->mean, &options->mean)
      || !parse_triple ("std", std_text, 1e-6, self->std, &options->std)
      || !parse_size (options))
    return FALSE;
  if (!options->mean != !options->std) {
    tl_verb_fail (&tl_verb_export, "--mean and --std go together");
    return FALSE;
  }
  self->target = choose_target (source, self->format);
  return check_target (source, self->target);
}

/* One name a line; empty lines at the end do not count. */
static gboolean
read_labels (Export *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *text = NULL;
  gsize size;

  if (!labels_path)
    return TRUE;
  if (!g_file_get_contents (labels_path, &text, &size, &error)) {
    tl_output_error (&self->output, "%s", error->message);
    return FALSE;
  }
  if (size > MAX_LABELS_SIZE || !g_utf8_validate (text, (gssize) size, NULL)) {
    tl_output_error (&self->output,
        "%s: not a text in UTF-8 of one name a line", labels_path);
    return FALSE;
  }
  g_strchomp (text);
  /* Editors on Windows begin a file with a mark that it is UTF-8. */
  self->labels = g_strsplit (g_str_has_prefix (text, BYTE_ORDER_MARK)
          ? text + strlen (BYTE_ORDER_MARK)
          : text,
      "\n", -1);
  for (guint i = 0; self->labels[i]; i++)
    g_strchomp (self->labels[i]);
  self->options.labels = (const gchar *const *) self->labels;
  return TRUE;
}

/* ---- What was written ---- */

static void
take_written (const gchar *kind, const gchar *path, const gchar *reason,
    gpointer user)
{
  Export *self = user;
  GString *line = tl_json_line_new ("export");

  tl_json_line_add_text (line, "kind", kind);
  tl_json_line_add_text (line, "path", path);
  tl_json_line_add_truth (line, "written", reason == NULL);
  tl_json_line_add_text (line, "reason", reason);
  if (reason) {
    tl_output_warning (&self->output, "%s is not written: %s", path, reason);
  } else if (g_str_equal (kind, "model")) {
    const gchar *arch = tl_export_get_arch (self->export)->name;
    guint n = tl_export_get_n_classes (self->export);

    tl_json_line_add_text (line, "format",
        tl_export_format_name (self->format));
    tl_json_line_add_text (line, "arch", arch);
    tl_json_line_add_count (line, "classes", n);
    tl_output_line (&self->output, "%s: %s, %u class%s", path, arch, n,
        n == 1 ? "" : "es");
  } else {
    tl_output_line (&self->output, "%s", path);
  }
  tl_output_json (&self->output, line);
}

static TlExit
fail_export (Export *self, TlStatus status, const TlError *error)
{
  tl_output_error (&self->output, "%s", error->message);
  return status == TL_ERROR_WRITE || status == TL_ERROR_MEMORY
      ? TL_EXIT_FAILED
      : TL_EXIT_BAD_FILE;
}

static TlExit
export_file (Export *self, const gchar *source)
{
  TlError error = TL_ERROR_INIT;
  TlStatus status =
      tl_export_open (source, &self->options, &self->export, &error);

  if (status == TL_OK)
    status = tl_export_write (self->export, self->format, self->target,
        take_written, self, &error);
  tl_export_free (self->export);
  if (status != TL_OK)
    return fail_export (self, status, &error);
  return self->output.broken ? TL_EXIT_FAILED : TL_EXIT_OK;
}

static TlExit
run (gchar **args)
{
  Export self = {.target = NULL};
  TlExit end = TL_EXIT_USAGE;

  tl_output_init (&self.output, json, FALSE);
  if (parse_options (&self, args[0]))
    end = read_labels (&self) ? export_file (&self, args[0]) : TL_EXIT_BAD_FILE;
  g_strfreev (self.labels);
  g_free (self.target);
  return end;
}

static const GOptionEntry options[] =
    {{"format", 0, 0, G_OPTION_ARG_FILENAME, &format_name,
         "onnx, pth or safetensors; else what --output ends with", "FORMAT"},
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output_path,
            "The file to write; else CHECKPOINT with another ending", "FILE"},
        {"fold-batchnorm", 0, 0, G_OPTION_ARG_NONE, &fold_batchnorm,
            "onnx: compute BatchNorm into the convolutions", NULL},
        {"softmax", 0, 0, G_OPTION_ARG_NONE, &softmax,
            "onnx: give probabilities instead of logits", NULL},
        {"input", 0, 0, G_OPTION_ARG_FILENAME, &input_nick,
            "onnx: normalized (the default), float or uint8", "KIND"},
        {"sidecars", 0, 0, G_OPTION_ARG_NONE, &sidecars,
            "onnx: write labels and files for onnxinference and nvinfer too",
            NULL},
        {"labels", 0, 0, G_OPTION_ARG_FILENAME, &labels_path,
            "Names of the classes, one a line, for a file without them",
            "FILE"},
        {"mean", 0, 0, G_OPTION_ARG_FILENAME, &mean_text,
            "Of R, G and B in [0, 1], for a file that does not say", "R,G,B"},
        {"std", 0, 0, G_OPTION_ARG_FILENAME, &std_text, "The same", "R,G,B"},
        {"size", 0, 0, G_OPTION_ARG_FILENAME, &size_text,
            "Of the input, for a file that does not say; else any", "WxH"},
        TL_VERB_JSON (&json), {NULL}};

const TlVerb tl_verb_export = {
    .name = "export",
    .arguments = "CHECKPOINT",
    .summary = "Writes a model as ONNX, .pth or safetensors",
    .description =
        "The checkpoint is one of tlpipe, or any file of weights of a ResNet. A .pth is\n"
        "what torch.load (weights_only=True) and load_state_dict (strict=True) take; a\n"
        "safetensors file is the checkpoint without the optimizer's state.\n"
        "\n"
        "An ONNX model (opset 17) takes a batch of any size. --input says of what:\n"
        "  normalized  float32 [batch, 3, height, width], (value / 255 - mean) / std\n"
        "  float       float32 [batch, 3, height, width], 0 to 255: for nvinfer\n"
        "  uint8       uint8 [batch, height, width, 3]: RGB as it is in memory\n"
        "Classes and preprocessing are in its metadata. With --sidecars there are also\n"
        "labels.txt, FILE.modelinfo for GStreamer's onnxinference, and FILE.nvinfer.txt\n"
        "for NVIDIA DeepStream.\n"
        "\n"
        "Exit status: 0 all is written, 1 writing failed, 2 wrong command line, 3 the\n"
        "checkpoint cannot be exported so.",
    .examples = "  tlpipe export run/best.safetensors --format pth\n"
                "  tlpipe export run/best.safetensors --output model.onnx "
                "--input uint8 --sidecars",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
