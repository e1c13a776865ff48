/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlcontinue.h"

#include <unistd.h>

#include <glib/gstdio.h>

#include "tljsonline.h"
#include "tlrunsearch.h"

#define TRAINER "resnetfinetune"
#define SINK "checkpointsink"
#define KEPT "unfinished.safetensors"

/* ---- The pipeline ---- */

typedef struct
{
  const gchar *factory;
  guint n;
  GstElement *first; /* borrowed from the pipeline */
} Search;

static void
count_element (const GValue *item, gpointer user)
{
  GstElement *element = g_value_get_object (item);
  GstElementFactory *factory = gst_element_get_factory (element);
  Search *search = user;

  if (!factory || !g_str_equal (GST_OBJECT_NAME (factory), search->factory))
    return;
  if (search->n++ == 0)
    search->first = element;
}

static Search
find_elements (GstElement *pipeline, const gchar *factory)
{
  Search search = {factory, 0, NULL};
  GstIterator *elements = gst_bin_iterate_recurse (GST_BIN (pipeline));

  gst_iterator_foreach (elements, count_element, &search);
  gst_iterator_free (elements);
  return search;
}

gboolean
tl_continue_is_possible (GstElement *pipeline, gchar **reason)
{
  Search searches[] = {find_elements (pipeline, TRAINER),
      find_elements (pipeline, SINK)};

  for (guint i = 0; i < G_N_ELEMENTS (searches); i++) {
    if (searches[i].n == 1)
      continue;
    *reason = searches[i].n == 0
        ? g_strdup_printf ("there is no %s", searches[i].factory)
        : g_strdup_printf ("there are %u of %s", searches[i].n,
            searches[i].factory);
    return FALSE;
  }
  return TRUE;
}

static gchar *
get_text (GstElement *element, const gchar *property)
{
  gchar *text = NULL;

  g_object_get (element, property, &text, NULL);
  return text;
}

/* Epochs that the pipeline is to have at its end, as far as it says. */
static guint
get_epochs (GstElement *pipeline, const TlRunSearch *found)
{
  Search source = find_elements (pipeline, "datasetsrc");
  guint epochs = found->epochs;

  if (source.n == 1)
    g_object_get (source.first, "epochs", &epochs, NULL);
  return epochs;
}

static gboolean
is_done (GstElement *pipeline, const TlRunSearch *found)
{
  guint epochs = get_epochs (pipeline, found);

  return found->is_finished && epochs > 0 && found->epoch >= epochs;
}

/* ---- What is said ---- */

/* "epoch 2 of 3, step 14, train sample 40"; *transferred*. */
static gchar *
describe_place (const TlRunSearch *found)
{
  GString *text = g_string_new (NULL);

  if (found->is_finished) {
    g_string_printf (text, "finished with epoch %u, step %" G_GUINT64_FORMAT,
        found->epoch, found->step);
    return g_string_free (text, FALSE);
  }
  g_string_printf (text, "epoch %u", found->epoch + 1);
  if (found->epochs > 0)
    g_string_append_printf (text, " of %u", found->epochs);
  g_string_append_printf (text,
      ", step %" G_GUINT64_FORMAT ", %s sample %" G_GUINT64_FORMAT, found->step,
      found->split, found->position);
  return g_string_free (text, FALSE);
}

static void
write_object (TlOutput *output, const gchar *state, const TlRunSearch *found)
{
  GString *line = tl_json_line_new ("resume");

  tl_json_line_add_text (line, "state", state);
  tl_json_line_add_text (line, "checkpoint", found->path);
  if (found->path) {
    tl_json_line_add_count (line, "epoch", found->epoch);
    tl_json_line_add_count (line, "epochs", found->epochs);
    tl_json_line_add_count (line, "step", found->step);
    tl_json_line_add_text (line, "split", found->split);
    tl_json_line_add_count (line, "position", found->position);
  }
  tl_output_json (output, line);
}

static void
write_trouble (TlOutput *output, const gchar *type, const gchar *text)
{
  GString *line = tl_json_line_new (type);

  tl_json_line_add_text (line, "text", text);
  tl_output_json (output, line);
  if (g_str_equal (type, "error"))
    tl_output_error (output, "%s", text);
  else
    tl_output_warning (output, "%s", text);
}

/* ---- Both ways to run ---- */

static TlContinue
begin_anew (GstElement *trainer, TlOutput *output, const gchar *folder,
    const TlRunSearch *found)
{
  g_autofree gchar *resume = get_text (trainer, "resume");

  if (resume && *resume)
    tl_output_line (output, "resume: no checkpoint in %s yet; begins with %s",
        folder, resume);
  else
    tl_output_line (output,
        "resume: no checkpoint in %s%s; begins at the start", folder,
        found->bad->len > 0 ? " can be used" : " yet");
  write_object (output, "begins", found);
  return TL_CONTINUE_READY;
}

TlContinue
tl_continue_prepare (GstElement *pipeline, TlOutput *output)
{
  GstElement *trainer = find_elements (pipeline, TRAINER).first;
  g_autofree gchar *folder =
      get_text (find_elements (pipeline, SINK).first, "location");
  g_autofree gchar *place = NULL;
  g_auto (TlRunSearch) found = {0};
  TlError error = TL_ERROR_INIT;

  if (tl_run_search (&found, folder, &error) != TL_OK) {
    write_trouble (output, "error", error.message);
    return TL_CONTINUE_FAILED;
  }
  for (guint i = 0; i < found.bad->len; i++)
    write_trouble (output, "warning", found.bad->pdata[i]);
  if (!found.path)
    return begin_anew (trainer, output, folder, &found);
  place = describe_place (&found);
  if (is_done (pipeline, &found)) {
    tl_output_line (output,
        "resume: %s is %s: nothing is left to do. Raise epochs to train "
        "longer",
        found.path, place);
    write_object (output, "finished", &found);
    return TL_CONTINUE_FINISHED;
  }
  g_object_set (trainer, "resume", found.path, NULL);
  tl_output_line (output, "resume: goes on from %s (%s)%s", found.path, place,
      g_str_has_suffix (found.path, "last.safetensors")
          ? ""
          : ", the newest that is good: there is no good last.safetensors");
  write_object (output, "goes-on", &found);
  return TL_CONTINUE_READY;
}

/* A second name for the file: what replaces it leaves this one alone. NULL where
 * the file system has no such names. */
static gchar *
keep_file (const gchar *path)
{
  g_autofree gchar *folder = g_path_get_dirname (path);
  g_autofree gchar *kept = g_build_filename (folder, KEPT, NULL);

  g_unlink (kept);
  return link (path, kept) == 0 ? g_steal_pointer (&kept) : NULL;
}

void
tl_continue_keep_unfinished (GstElement *pipeline, TlOutput *output)
{
  GstElement *trainer = find_elements (pipeline, TRAINER).first;
  GstElement *sink = find_elements (pipeline, SINK).first;
  g_autofree gchar *folder = sink ? get_text (sink, "location") : NULL;
  g_autofree gchar *resume = trainer ? get_text (trainer, "resume") : NULL;
  g_autofree gchar *place = NULL, *text = NULL, *kept = NULL;
  g_auto (TlRunSearch) found = {0};
  TlError error = TL_ERROR_INIT;

  /* What is wrong with the folder, the sink will say. */
  if (!folder || !trainer || (resume && *resume)
      || tl_run_search (&found, folder, &error) != TL_OK || !found.path
      || found.is_finished)
    return;
  place = describe_place (&found);
  kept = keep_file (found.path);
  text = g_strdup_printf (
      "%s is of a run that is not finished (%s). --resume would go on with it; "
      "without, this run begins at the start and replaces the files. %s%s.",
      found.path, place,
      kept ? "The old checkpoint is kept as "
           : "The old checkpoint cannot be kept in ",
      kept ? kept : folder);
  write_trouble (output, "warning", text);
}
