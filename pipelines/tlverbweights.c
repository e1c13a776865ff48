/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlverb.h"

#include <string.h>

#include <tlweightscache.h>

#include "tljsonline.h"
#include "tlnear.h"
#include "tlsignals.h"
#include "tlweightscheck.h"
#include "tlweightsfetch.h"

#define MAX_STALL_TIMEOUT (24 * 60 * 60)

static gboolean json;
static gchar *from;
static gchar *stall_text;

/* ---- list ---- */

static void
write_json_row (TlOutput *output, const TlKnownWeights *known,
    const gchar *path)
{
  GString *line = tl_json_line_new ("weights");
  g_autofree gchar *url = g_strconcat (TL_WEIGHTS_URL, known->file, NULL);
  char torchvision[TL_KNOWN_WEIGHTS_NAME_SIZE];

  tl_known_weights_spell (known, 1, torchvision);
  tl_json_line_add_text (line, "name", known->name);
  tl_json_line_add_text (line, "torchvision", torchvision);
  tl_json_line_add_truth (line, "default", known->is_default);
  tl_json_line_add_text (line, "arch", known->arch);
  tl_json_line_add_text (line, "file", known->file);
  tl_json_line_add_text (line, "url", url);
  tl_json_line_add_text (line, "sha256", known->sha256);
  tl_json_line_add_number (line, "mebibytes", known->mebibytes);
  if (known->size > 0)
    tl_json_line_add_count (line, "bytes", known->size);
  tl_json_line_add_count (line, "parameters", known->n_parameters);
  tl_json_line_add_number (line, "top1", known->top1);
  tl_json_line_add_number (line, "top5", known->top5);
  tl_json_line_add_count (line, "resize", known->resize);
  tl_json_line_add_count (line, "crop", known->crop);
  tl_json_line_add_text (line, "path", path);
  tl_output_json (output, line);
}

static TlExit
list (TlOutput *output, gchar **args)
{
  g_auto (GStrv) folders = tl_weights_cache_list_folders ();
  const TlKnownWeights *known;

  tl_output_line (output, "%-12s %-23s %9s %6s %6s %6s %4s  %s", "name", "file",
      "size", "top-1", "top-5", "resize", "crop", "is at");
  for (gsize i = 0; (known = tl_known_weights_nth (i)); i++) {
    g_autofree gchar *path = tl_weights_cache_find (known);

    write_json_row (output, known, path);
    tl_output_line (output, "%-12s %-23s %5.1f MiB %6.3f %6.3f %6u %4u  %s",
        known->name, known->file, known->mebibytes, known->top1, known->top5,
        known->resize, known->crop, path ? path : "-");
  }
  tl_output_line (output,
      "\nLooked for in %s, then in %s.\n"
      "top-1 and top-5: per cent of ImageNet's validation pictures that torchvision\n"
      "found right, prepared with imagedecode's resize as given.",
      folders[0], folders[1]);
  return output->broken ? TL_EXIT_FAILED : TL_EXIT_OK;
}

/* ---- verify and fetch ---- */

static TlExit
verify (TlOutput *output, gchar **args)
{
  gboolean all_good = TRUE;

  for (guint i = 0; args[i] && !output->broken; i++)
    all_good &= tl_weights_check_file (output, args[i]);
  return all_good && !output->broken ? TL_EXIT_OK : TL_EXIT_FAILED;
}

static TlExit
fetch (TlOutput *output, gchar **args)
{
  TlFetchOptions options = {.base = from, .stall_timeout = 60};

  if (!tl_verb_parse_count (&tl_verb_weights, "stall-timeout", stall_text, 1,
          MAX_STALL_TIMEOUT, &options.stall_timeout))
    return TL_EXIT_USAGE;
  tl_signals_install ();
  return tl_weights_fetch (output, (const gchar *const *) args, &options);
}

/* ---- The verb ---- */

static const struct
{
  const gchar *name;
  const gchar *argument; /* what it needs; NULL: takes nothing */
  gboolean is_network;
  TlExit (*run) (TlOutput *output, gchar **args);
} actions[] = {
    {"list", NULL, FALSE, list},
    {"verify", "FILE", FALSE, verify},
    {"fetch", "NAME", TRUE, fetch},
};

static TlExit
fail_action (const gchar *name)
{
  g_autofree gchar *suggestion = NULL;
  TlNear near;

  tl_near_init (&near, name);
  for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
    tl_near_offer (&near, actions[i].name);
  suggestion = tl_near_suggest (&near);
  return tl_verb_fail (&tl_verb_weights,
      "weights does not %s%s; it can list, verify and fetch", name, suggestion);
}

static TlExit
run_action (guint i, gchar **args)
{
  const gchar *name = actions[i].name;
  TlOutput output;

  if (!actions[i].argument && args[0])
    return tl_verb_fail (&tl_verb_weights,
        "weights %s takes no arguments, but there is \"%s\"", name, args[0]);
  if (actions[i].argument && !args[0])
    return tl_verb_fail (&tl_verb_weights, "weights %s needs %s...", name,
        actions[i].argument);
  if (!actions[i].is_network && (from || stall_text))
    return tl_verb_fail (&tl_verb_weights,
        "--from and --stall-timeout are for weights fetch");
  tl_output_init (&output, json, FALSE);
  return actions[i].run (&output, args);
}

static TlExit
run (gchar **args)
{
  for (guint i = 0; i < G_N_ELEMENTS (actions); i++) {
    if (g_str_equal (actions[i].name, args[0]))
      return run_action (i, args + 1);
  }
  return fail_action (args[0]);
}

static const GOptionEntry options[] = {TL_VERB_JSON (&json),
    {"from", 0, 0, G_OPTION_ARG_FILENAME, &from,
        "Fetch from there: an http or https folder that has the file", "URL"},
    {"stall-timeout", 0, 0, G_OPTION_ARG_STRING, &stall_text,
        "Give up when nothing has come for so long (60)", "SECONDS"},
    {NULL}};

const TlVerb tl_verb_weights = {
    .name = "weights",
    .arguments = "list|verify FILE...|fetch NAME...",
    .summary = "Lists, verifies and downloads pretrained weights",
    .description =
        "list: the files that torchvision publishes, with the names under which elements\n"
        "take them (weights=resnet50), how accurate they are, how pictures were prepared\n"
        "for that, and where they are here.\n"
        "verify: reads files as the elements would, and says what each is and whether its\n"
        "content is what its name or torchvision promises. A name means its file.\n"
        "fetch: downloads files by name to the cache, goes on with what was interrupted,\n"
        "and verifies them. --from, else TLPIPE_WEIGHTS_URL, names a mirror; http_proxy,\n"
        "https_proxy and no_proxy are honoured.\n"
        "\n"
        "The cache is TLPIPE_WEIGHTS, else ~/.cache/tlpipe/weights; PyTorch's own folder,\n"
        "~/.cache/torch/hub/checkpoints, is looked into too.\n"
        "\n"
        "Exit status: 0 done, 1 a file is bad or could not be fetched, 2 wrong command\n"
        "line, 130 interrupted.",
    .examples = "  tlpipe weights list\n"
                "  tlpipe weights fetch resnet18 resnet50-v1\n"
                "  tlpipe weights verify resnet18 run/best.safetensors",
    .options = options,
    .min_args = 1,
    .max_args = G_MAXUINT,
    .run = run,
};
