/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlverb.h"

#include <sys/stat.h>

#include <gst/app/gstappsrc.h>

#include <tlcaps.h>
#include <tlmessages.h>
#include <tlsamplemeta.h>

#include "tljsonline.h"
#include "tlpicturelist.h"
#include "tlpipelinefile.h"
#include "tlrun.h"
#include "tlsignals.h"
#include "tltrouble.h"

/* As datasetsrc. */
#define MAX_FILE_SIZE ((goffset) 512 << 20)

/* Wider paths push their line's other columns to the right. */
#define MAX_PATH_COLUMN 60

static gchar *top_k;
static gchar *device;
static gboolean json;

static const gchar pipeline_file[] =
    "tlpipe: 1\n"
    "vars: {checkpoint: '', device: auto, top-k: 3}\n"
    "pipeline:\n"
    "  - appsrc: {name: pictures, format: time, caps: " TL_CAPS_IMAGE "}\n"
    "  - imagedecode: {name: decoder}\n"
    "  - resnetinfer: {checkpoint: \"${checkpoint}\", device: \"${device}\", "
    "top-k: \"${top-k}\"}\n"
    "  - fakesink: {sync: false}\n";

typedef struct
{
  TlOutput output;
  GPtrArray *pictures; /* paths; not changed while the pipeline runs */
  guint next;          /* of them: streaming thread of the source */
  gint column;         /* characters for a path */
  guint n_bad;
} Predict;

/* ---- What was found ---- */

static void
write_bad (Predict *self, const gchar *path, const gchar *reason)
{
  self->n_bad++;
  tl_output_line (&self->output, "%-*s  cannot be used: %s", self->column, path,
      reason);
}

static void
report_bad (Predict *self, const gchar *path, const gchar *reason)
{
  GString *line = tl_json_line_new ("sample-error");

  tl_json_line_add_text (line, "path", path);
  tl_json_line_add_text (line, "reason", reason);
  tl_output_json (&self->output, line);
  write_bad (self, path, reason);
}

static gchar *
describe_classes (const GstStructure *s)
{
  const GValue *names = gst_structure_get_value (s, "classes");
  const GValue *values = gst_structure_get_value (s, "probabilities");
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < gst_value_array_get_size (names); i++) {
    gdouble value = g_value_get_double (gst_value_array_get_value (values, i));
    gchar number[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append_printf (text, "%s%s %s", i ? "  " : "",
        g_value_get_string (gst_value_array_get_value (names, i)),
        g_ascii_formatd (number, sizeof number, "%.4f", value));
  }
  return g_string_free (text, FALSE);
}

static void
take_result (Predict *self, const GstStructure *s)
{
  const gchar *path = gst_structure_get_string (s, "path");
  const gchar *reason = gst_structure_get_string (s, "reason");
  g_autofree gchar *classes = NULL;
  GString *line = tl_json_line_new ("prediction");

  tl_json_line_add_structure (line, s);
  tl_output_json (&self->output, line);
  if (g_strcmp0 (gst_structure_get_string (s, "state"), "valid") != 0) {
    write_bad (self, path, reason ? reason : "there is no result");
    return;
  }
  classes = describe_classes (s);
  tl_output_line (&self->output, "%-*s  %s", self->column, path, classes);
}

static void
take_element (Predict *self, GstMessage *message)
{
  const GstStructure *s = gst_message_get_structure (message);

  if (gst_structure_has_name (s, "tl-result"))
    take_result (self, s);
  else if (gst_structure_has_name (s, "tl-sample-error"))
    report_bad (self, gst_structure_get_string (s, "path"),
        gst_structure_get_string (s, "reason"));
}

/* What the decoder warns of has its line already, and that nothing was left is
 * then plain to see. */
static gboolean
was_said (const Predict *self, GstMessage *message)
{
  if (g_strcmp0 (GST_MESSAGE_SRC_NAME (message), "decoder") != 0)
    return FALSE;
  return GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING
      || (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR
          && self->n_bad >= self->pictures->len);
}

static void
take_message (GstMessage *message, gpointer user)
{
  Predict *self = user;

  if (was_said (self, message) || tl_trouble_write (&self->output, message))
    return;
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT)
    take_element (self, message);
}

/* ---- What goes in ---- */

static GstBuffer *
read_picture (const gchar *path, gchar **reason)
{
  g_autoptr (GError) error = NULL;
  struct stat info;
  gchar *content;
  gsize size;

  if (stat (path, &info) == 0 && info.st_size > MAX_FILE_SIZE) {
    *reason = g_strdup ("the file has more than 512 MiB");
    return NULL;
  }
  if (!g_file_get_contents (path, &content, &size, &error)) {
    *reason = g_strdup (error->message);
    return NULL;
  }
  return gst_buffer_new_wrapped (content, size);
}

/* Nobody trains on them, and nobody knows their class. */
static void
describe_picture (GstBuffer *buffer, const gchar *path, guint64 index,
    guint64 n)
{
  TlSampleMeta *sample = tl_buffer_add_sample_meta (buffer);

  sample->path = g_ref_string_new (path);
  sample->index = sample->position = index;
  sample->n = n;
  sample->split = TL_SPLIT_TEST;
}

static void
post_unreadable (GstElement *source, const gchar *path, const gchar *reason)
{
  TlSampleMeta sample = {.split = TL_SPLIT_TEST};
  GstMessage *message;

  sample.path = g_ref_string_new (path);
  message =
      tl_message_new_sample_error (GST_OBJECT (source), &sample, reason, -1, 0);
  g_ref_string_release (sample.path);
  gst_element_post_message (source, message);
}

/* One picture, or the end; the streaming thread of @source. */
static void
push_next (GstAppSrc *source, guint size, gpointer user)
{
  Predict *self = user;

  while (self->next < self->pictures->len) {
    guint i = self->next++;
    const gchar *path = self->pictures->pdata[i];
    g_autofree gchar *reason = NULL;
    GstBuffer *buffer = read_picture (path, &reason);

    if (buffer) {
      describe_picture (buffer, path, i, self->pictures->len);
      gst_app_src_push_buffer (source, buffer);
      return;
    }
    post_unreadable (GST_ELEMENT (source), path, reason);
  }
  gst_app_src_end_of_stream (source);
}

/* ---- The verb ---- */

static void
list_pictures (Predict *self, gchar **paths)
{
  for (guint i = 0; paths[i]; i++) {
    g_autofree gchar *reason = tl_picture_list_add (self->pictures, paths[i]);

    if (reason)
      report_bad (self, paths[i], reason);
  }
  for (guint i = 0; i < self->pictures->len; i++) {
    glong n = g_utf8_strlen (self->pictures->pdata[i], -1);

    self->column = MAX (self->column, (gint) MIN (n, MAX_PATH_COLUMN));
  }
}

static TlExit
run_pipeline (Predict *self, GstElement *pipeline)
{
  g_autoptr (GstElement) source =
      gst_bin_get_by_name (GST_BIN (pipeline), "pictures");
  GstAppSrcCallbacks callbacks = {.need_data = push_next};
  TlRunOptions options = {.output = &self->output,
      .stall_timeout = TL_RUN_STALL_TIMEOUT,
      .message = take_message,
      .user = self};
  guint n_before = self->n_bad;
  TlExit end;

  self->n_bad = 0;
  gst_app_src_set_callbacks (GST_APP_SRC (source), &callbacks, self, NULL);
  end = tl_run_pipeline (pipeline, &options);
  self->n_bad += n_before;
  return end;
}

static TlExit
predict (Predict *self, gchar **args)
{
  g_autofree gchar *checkpoint = g_strconcat ("checkpoint=", args[0], NULL);
  g_autofree gchar *device_set =
      g_strconcat ("device=", device ? device : "auto", NULL);
  g_autofree gchar *top_k_set =
      g_strconcat ("top-k=", top_k ? top_k : "3", NULL);
  const gchar *sets[] = {checkpoint, device_set, top_k_set, NULL};
  g_autoptr (TlSpec) spec = tl_pipeline_file_load_text (&self->output,
      "tlpipe predict", pipeline_file, sets);
  g_autoptr (GstElement) pipeline = NULL;
  TlExit end = TL_EXIT_OK;

  if (spec)
    pipeline = tl_pipeline_file_build (&self->output, spec->stages->pdata[0]);
  if (!pipeline)
    return TL_EXIT_FAILED;
  list_pictures (self, args + 1);
  if (self->pictures->len > 0)
    end = run_pipeline (self, pipeline);
  return end == TL_EXIT_OK && self->n_bad > 0 ? TL_EXIT_FAILED : end;
}

static TlExit
run (gchar **args)
{
  Predict self = {0};
  guint k;
  TlExit end;

  if (!tl_verb_parse_count (&tl_verb_predict, "top-k", top_k, 1, 16, &k))
    return TL_EXIT_USAGE;
  self.pictures = g_ptr_array_new_with_free_func (g_free);
  tl_output_init (&self.output, json, FALSE);
  tl_signals_install ();
  end = predict (&self, args);
  g_ptr_array_unref (self.pictures);
  return end;
}

static const GOptionEntry options[] =
    {{"top-k", 0, 0, G_OPTION_ARG_FILENAME, &top_k,
         "Classes listed for each picture, 1 to 16; 3", "N"},
        TL_VERB_DEVICE (&device), TL_VERB_JSON (&json), {NULL}};

const TlVerb tl_verb_predict = {
    .name = "predict",
    .arguments = "CHECKPOINT PATH...",
    .summary = "Says what a checkpoint makes of pictures",
    .description =
        "Paths are pictures, or folders whose pictures are taken at any depth. A line for\n"
        "each: its classes with their probabilities, the likeliest first. Pictures are\n"
        "prepared as the checkpoint says, by the code that prepared those of its\n"
        "validation. What cannot be read gets a line with the reason.\n"
        "\n"
        "Exit status: 0 all pictures were classified, 1 one was not, 2 wrong command\n"
        "line, 130 interrupted.",
    .examples = "  tlpipe predict run/best.safetensors frame.jpg frames/",
    .options = options,
    .min_args = 2,
    .max_args = G_MAXUINT,
    .run = run,
};
