/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlverb.h"

#include "tlcontinue.h"
#include "tlpipelinefile.h"
#include "tlreport.h"
#include "tlrun.h"
#include "tlsignals.h"

#define MAX_STALL_TIMEOUT (7 * 24 * 3600)

static gchar **sets;
static gchar *stage_name;
static gchar *stall_timeout;
static gboolean resume;
static gboolean json;
static gboolean quiet;

/* ---- Resume ---- */

/* One stage must be able to; others may be there to prepare or to evaluate. */
static gboolean
can_resume (TlOutput *output, const GPtrArray *stages)
{
  g_autofree gchar *reason = NULL;

  for (guint i = 0; i < stages->len; i++) {
    g_autoptr (GstElement) pipeline =
        tl_pipeline_file_build (output, stages->pdata[i]);

    g_clear_pointer (&reason, g_free);
    if (!pipeline)
      return FALSE;
    if (tl_continue_is_possible (pipeline, &reason))
      return TRUE;
  }
  tl_output_error (output,
      "--resume needs one resnetfinetune and the one checkpointsink in whose "
      "folder its checkpoints are: %s",
      reason);
  return FALSE;
}

static TlContinue
prepare (TlOutput *output, GstElement *pipeline)
{
  g_autofree gchar *reason = NULL;

  if (resume && tl_continue_is_possible (pipeline, &reason))
    return tl_continue_prepare (pipeline, output);
  if (!resume)
    tl_continue_keep_unfinished (pipeline, output);
  return TL_CONTINUE_READY;
}

/* ---- Stages ---- */

static TlExit
run_stage (TlOutput *output, TlReport *report, const TlSpecStage *stage,
    guint timeout)
{
  g_autoptr (GstElement) pipeline = tl_pipeline_file_build (output, stage);
  TlRunOptions options = {.output = output,
      .stall_timeout = timeout,
      .message = tl_report_message,
      .tick = output->has_bar ? tl_report_tick : NULL,
      .user = report};
  TlExit end;

  if (!pipeline)
    return TL_EXIT_BAD_FILE;
  tl_report_begin (report, stage->name);
  switch (prepare (output, pipeline)) {
    case TL_CONTINUE_READY:
      end = tl_run_pipeline (pipeline, &options);
      break;
    case TL_CONTINUE_FINISHED:
      end = TL_EXIT_OK;
      break;
    default:
      end = TL_EXIT_FAILED;
  }
  tl_report_end (report, end);
  return output->broken ? TL_EXIT_FAILED : end;
}

/* What goes on with this run after an interruption; *transferred*. */
static gchar *
describe_resume (const gchar *path)
{
  GString *text = g_string_new ("tlpipe run ");
  g_autofree gchar *file = g_shell_quote (path);

  g_string_append (text, file);
  for (guint i = 0; sets && sets[i]; i++) {
    g_autofree gchar *set = g_shell_quote (sets[i]);

    g_string_append_printf (text, " --set %s", set);
  }
  if (stage_name) {
    g_autofree gchar *name = g_shell_quote (stage_name);

    g_string_append_printf (text, " --stage %s", name);
  }
  g_string_append (text, " --resume");
  return g_string_free (text, FALSE);
}

static TlExit
run_file (TlOutput *output, const gchar *path, guint timeout)
{
  g_autoptr (TlSpec) spec =
      tl_pipeline_file_load (output, path, (const gchar *const *) sets);
  g_autofree gchar *command = describe_resume (path);
  g_autoptr (TlReport) report = tl_report_new (output, path, command);
  g_autoptr (GPtrArray) stages = NULL;
  TlExit end = TL_EXIT_OK;

  if (!spec)
    return TL_EXIT_BAD_FILE;
  stages = tl_pipeline_file_choose (output, spec, stage_name);
  if (!stages || (resume && !can_resume (output, stages)))
    return TL_EXIT_USAGE;
  for (guint i = 0; i < stages->len && end == TL_EXIT_OK; i++)
    end = run_stage (output, report, stages->pdata[i], timeout);
  return end;
}

static TlExit
run (gchar **args)
{
  guint timeout = TL_RUN_STALL_TIMEOUT;
  TlOutput output;

  if (!tl_verb_parse_count (&tl_verb_run, "stall-timeout", stall_timeout, 0,
          MAX_STALL_TIMEOUT, &timeout))
    return TL_EXIT_USAGE;
  tl_output_init (&output, json, quiet);
  tl_signals_install ();
  /* A checkpoint is to be written yet. */
  tl_signals_ignore_pipe ();
  return run_file (&output, args[0], timeout);
}

static const GOptionEntry options[] = {TL_VERB_SET (&sets),
    {"stage", 0, 0, G_OPTION_ARG_FILENAME, &stage_name,
        "Run this stage of the file alone", "NAME"},
    {"resume", 0, 0, G_OPTION_ARG_NONE, &resume,
        "Go on from the newest good checkpoint in checkpointsink's folder",
        NULL},
    {"stall-timeout", 0, 0, G_OPTION_ARG_FILENAME, &stall_timeout,
        "Give up when nothing has moved for so long; 600, 0 is never",
        "SECONDS"},
    TL_VERB_JSON (&json),
    {"quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet,
        "Write warnings and errors only", NULL},
    {NULL}};

const TlVerb tl_verb_run = {
    .name = "run",
    .arguments = "FILE",
    .summary = "Runs a pipeline file",
    .description =
        "The file is checked as \"tlpipe check\" does; with an error in it nothing is\n"
        "run. Stages run one after the other, and the first that fails is the last.\n"
        "\n"
        "Ctrl-C (SIGINT), SIGTERM, or SIGHUP of a terminal that closes ends the run\n"
        "after the batch that is being worked on; checkpointsink writes a checkpoint to\n"
        "go on from. A second Ctrl-C or SIGTERM ends the program at once.\n"
        "\n"
        "With --resume the run goes on from last.safetensors in the folder of its\n"
        "checkpointsink, or from the newest other checkpoint where that is damaged. An\n"
        "empty folder is a start; a finished run is left alone, and that is a success.\n"
        "So a service can always use it.\n"
        "\n"
        "On a terminal the last line shows how far the run is. In a log there are plain\n"
        "lines. NO_COLOR turns colours off.\n"
        "\n"
        "Exit status: 0 finished, 1 failed, 2 wrong command line, 3 mistakes in the\n"
        "file, 130 interrupted.",
    .examples =
        "  tlpipe run finetune.yaml --set data=frames --set weights=resnet18-f37072fd.pth\n"
        "  tlpipe run finetune.yaml --set data=frames --set resnetfinetune.lr=0.01 --json\n"
        "  tlpipe run finetune.yaml --set data=frames --set run=run --resume",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
