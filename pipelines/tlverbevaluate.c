/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlverb.h"

#include <string.h>

#include <gst/gst.h>

#include "tlevaluation.h"
#include "tlpipelinefile.h"
#include "tlrun.h"
#include "tlsignals.h"
#include "tltrouble.h"

static gchar *split;
static gchar *device;
static gboolean json;

static const gchar pipeline_file[] =
    "tlpipe: 1\n"
    "vars: {checkpoint: '', data: '', split: valid, device: auto}\n"
    "pipeline:\n"
    "  - datasetsrc: {name: data, location: \"${data}\", splits: \"${split}\"}\n"
    "  - imagedecode\n"
    "  - batcher\n"
    "  - queue: {max-size-buffers: 2, max-size-bytes: 0, max-size-time: 0}\n"
    "  - resnetfinetune: {weights: \"${checkpoint}\", device: \"${device}\"}\n";

typedef struct
{
  TlOutput output;
  GstElement *source;       /* borrowed */
  TlEvaluation *evaluation; /* NULL until the phase has ended */
} Evaluate;

/* ---- The run ---- */

static void
take_element (Evaluate *self, GstMessage *message)
{
  const GstStructure *s = gst_message_get_structure (message);
  g_autofree gchar *classes = NULL;

  if (!gst_structure_has_name (s, "tl-metrics")
      || g_strcmp0 (gst_structure_get_string (s, "scope"), "phase") != 0)
    return;
  g_object_get (self->source, "classes", &classes, NULL);
  g_clear_pointer (&self->evaluation, tl_evaluation_free);
  self->evaluation = tl_evaluation_new (s, classes);
}

static void
take_message (GstMessage *message, gpointer user)
{
  Evaluate *self = user;

  if (!tl_trouble_write (&self->output, message)
      && GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT)
    take_element (self, message);
}

static TlExit
evaluate (Evaluate *self, gchar **args)
{
  g_autofree gchar *checkpoint = g_strconcat ("checkpoint=", args[0], NULL);
  g_autofree gchar *data = g_strconcat ("data=", args[1], NULL);
  g_autofree gchar *split_set =
      g_strconcat ("split=", split ? split : "valid", NULL);
  g_autofree gchar *device_set =
      g_strconcat ("device=", device ? device : "auto", NULL);
  const gchar *sets[] = {checkpoint, data, split_set, device_set, NULL};
  g_autoptr (TlSpec) spec = tl_pipeline_file_load_text (&self->output,
      "tlpipe evaluate", pipeline_file, sets);
  g_autoptr (GstElement) pipeline = NULL;
  TlRunOptions options = {.output = &self->output,
      .stall_timeout = TL_RUN_STALL_TIMEOUT,
      .message = take_message,
      .user = self};
  TlExit end;

  if (spec)
    pipeline = tl_pipeline_file_build (&self->output, spec->stages->pdata[0]);
  if (!pipeline)
    return TL_EXIT_FAILED;
  self->source = gst_bin_get_by_name (GST_BIN (pipeline), "data");
  end = tl_run_pipeline (pipeline, &options);
  gst_object_unref (self->source);
  return end;
}

static TlExit
run (gchar **args)
{
  Evaluate self = {0};
  TlExit end;

  if (split && strcmp (split, "valid") != 0 && strcmp (split, "test") != 0)
    return tl_verb_fail (&tl_verb_evaluate,
        "--split=%s: expected valid or test", split);
  tl_output_init (&self.output, json, FALSE);
  tl_signals_install ();
  end = evaluate (&self, args);
  if (end == TL_EXIT_OK && self.evaluation)
    tl_evaluation_write (self.evaluation, &self.output, args[0], args[1]);
  g_clear_pointer (&self.evaluation, tl_evaluation_free);
  return self.output.broken ? TL_EXIT_FAILED : end;
}

static const GOptionEntry options[] =
    {{"split", 0, 0, G_OPTION_ARG_FILENAME, &split,
         "Which pictures: valid (the default) or test", "SPLIT"},
        TL_VERB_DEVICE (&device), TL_VERB_JSON (&json), {NULL}};

const TlVerb tl_verb_evaluate = {
    .name = "evaluate",
    .arguments = "CHECKPOINT FOLDER",
    .summary = "Measures a checkpoint on pictures whose classes are known",
    .description =
        "The folder is one that datasetsrc takes, with the classes that the checkpoint\n"
        "has. With --split test, class folders right in it are one test set; with valid,\n"
        "the part is taken that training would hold back. Sensitivity is the share of a\n"
        "class's pictures that were found, specificity the share of the others that were\n"
        "not taken for it.\n"
        "\n"
        "Exit status: 0 measured, 1 failed, 2 wrong command line, 130 interrupted.",
    .examples =
        "  tlpipe evaluate run/best.safetensors frames\n"
        "  tlpipe evaluate run/best.safetensors other-hospital --split test --json",
    .options = options,
    .min_args = 2,
    .max_args = 2,
    .run = run,
};
