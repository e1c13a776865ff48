/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlverb.h"

#include <stdio.h>

#include "tlbuild.h"
#include "tllaunch.h"
#include "tlpipelinefile.h"

static gchar **sets;
static gchar *stage_name;
static gboolean launch;
static gboolean dot;

static gchar *
describe_launch (TlOutput *output, const TlSpecStage *stage)
{
  g_autoptr (TlDiagnostics) diagnostics = tl_diagnostics_new ();
  gchar *line = tl_launch_line (stage, diagnostics);

  tl_diagnostics_print (diagnostics, stderr, output->has_color);
  return line;
}

static gchar *
describe_dot (TlOutput *output, const TlSpecStage *stage)
{
  g_autoptr (GstElement) pipeline = tl_pipeline_file_build (output, stage);

  if (!pipeline)
    return NULL;
  return gst_debug_bin_to_dot_data (GST_BIN (pipeline),
      GST_DEBUG_GRAPH_SHOW_NON_DEFAULT_PARAMS
          | GST_DEBUG_GRAPH_SHOW_MEDIA_TYPE);
}

/* Bytes as they are: quoting has made them safe for a shell, and dot has its
 * own. */
static TlExit
show_stage (TlOutput *output, const TlSpecStage *stage)
{
  g_autofree gchar *text =
      dot ? describe_dot (output, stage) : describe_launch (output, stage);

  if (!text)
    return TL_EXIT_BAD_FILE;
  if (stage->name && launch)
    printf ("# stage %s\n", stage->name);
  printf ("%s\n", text);
  return TL_EXIT_OK;
}

static TlExit
run (gchar **args)
{
  g_autoptr (TlSpec) spec = NULL;
  g_autoptr (GPtrArray) stages = NULL;
  TlExit end = TL_EXIT_OK;
  TlOutput output;

  if (launch == dot)
    return tl_verb_fail (&tl_verb_show, "show needs --launch or --dot");
  tl_output_init (&output, FALSE, FALSE);
  spec = tl_pipeline_file_load (&output, args[0], (const gchar *const *) sets);
  if (!spec)
    return TL_EXIT_BAD_FILE;
  stages = tl_pipeline_file_choose (&output, spec, stage_name);
  if (!stages)
    return TL_EXIT_USAGE;
  for (guint i = 0; i < stages->len && end == TL_EXIT_OK; i++)
    end = show_stage (&output, stages->pdata[i]);
  return end;
}

static const GOptionEntry options[] =
    {{"launch", 0, 0, G_OPTION_ARG_NONE, &launch,
         "As gst-launch-1.0 lines, quoted for a shell", NULL},
        {"dot", 0, 0, G_OPTION_ARG_NONE, &dot,
            "As a graph for \"dot -Tsvg\", before any data flows", NULL},
        TL_VERB_SET (&sets),
        {"stage", 0, 0, G_OPTION_ARG_FILENAME, &stage_name,
            "This stage of the file alone", "NAME"},
        {NULL}};

const TlVerb tl_verb_show = {
    .name = "show",
    .arguments = "FILE",
    .summary = "Shows what a pipeline file builds",
    .description =
        "With --launch: the line that builds the same pipeline without tlpipe. With\n"
        "--dot: a drawing of its elements and links for Graphviz.\n"
        "\n"
        "Exit status: 0 shown, 2 wrong command line, 3 mistakes in the file.",
    .examples =
        "  tlpipe show --launch finetune.yaml --set data=frames --set weights=random\n"
        "  tlpipe show --dot finetune.yaml --set data=frames --set weights=random | dot -Tsvg",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
