/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlverb.h"

#include "tljsonline.h"
#include "tlpipelinefile.h"

static gchar **sets;
static gboolean json;

static guint
count_steps (const GPtrArray *chains)
{
  guint n = 0;

  for (guint c = 0; c < chains->len; c++) {
    const TlSpecChain *chain = chains->pdata[c];

    n += chain->steps->len;
    for (guint s = 0; s < chain->steps->len; s++) {
      const TlSpecStep *step = chain->steps->pdata[s];

      n += count_steps (step->branches);
    }
  }
  return n;
}

static void
write_result (TlOutput *output, const gchar *path, const TlSpec *spec)
{
  GString *line = tl_json_line_new ("check");
  guint n = 0;

  tl_json_line_add_text (line, "file", path);
  tl_json_line_add_truth (line, "good", spec != NULL);
  if (spec) {
    for (guint i = 0; i < spec->stages->len; i++)
      n += count_steps (((const TlSpecStage *) spec->stages->pdata[i])->chains);
    tl_json_line_add_count (line, "stages", spec->stages->len);
    tl_json_line_add_count (line, "steps", n);
    tl_output_line (output, "%s: good, %u step%s in %u stage%s", path, n,
        n == 1 ? "" : "s", spec->stages->len,
        spec->stages->len == 1 ? "" : "s");
  }
  tl_output_json (output, line);
}

static TlExit
run (gchar **args)
{
  TlExit end = TL_EXIT_OK;
  TlOutput output;

  tl_output_init (&output, json, FALSE);
  for (guint i = 0; args[i]; i++) {
    g_autoptr (TlSpec) spec =
        tl_pipeline_file_load (&output, args[i], (const gchar *const *) sets);

    write_result (&output, args[i], spec);
    if (!spec)
      end = TL_EXIT_BAD_FILE;
  }
  return end == TL_EXIT_OK && output.broken ? TL_EXIT_FAILED : end;
}

static const GOptionEntry options[] = {TL_VERB_SET (&sets),
    TL_VERB_JSON (&json), {NULL}};

const TlVerb tl_verb_check = {
    .name = "check",
    .arguments = "FILE...",
    .summary = "Finds the mistakes in pipeline files, and runs nothing",
    .description =
        "Every mistake is reported with its line, a caret and, where there is one, a\n"
        "suggestion: unknown keys, elements and properties, values that do not fit or\n"
        "are out of range, links that cannot be. Files that the pipeline will read or\n"
        "write are not looked for.\n"
        "\n"
        "Exit status: 0 good, 2 wrong command line, 3 mistakes in a file.",
    .examples = "  tlpipe check finetune.yaml --set data=frames",
    .options = options,
    .min_args = 1,
    .max_args = G_MAXUINT,
    .run = run,
};
