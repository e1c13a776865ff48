/* SPDX-License-Identifier: BSD-3-Clause */

/* Shows what a checkpoint has learned, and how an application uses tlpipe: it
 * builds a pipeline, reads TlResultMeta and TlSampleMeta from the frames that
 * come out of it (results.c), prints tables and draws a picture (sheet.c).
 *
 *   show-results --checkpoint=run/best.safetensors --data=frames \
 *       --video=video.avi --picture=results.png */

#include "curve.h"
#include "results.h"
#include "sheet.h"

static gchar *option_checkpoint;
static gchar *option_data;
static gchar *option_video;
static gchar *option_metrics;
static gchar *option_picture;
static gdouble option_valid_fraction = 0.2;

static const GOptionEntry option_entries[] = {
    {"checkpoint", 0, 0, G_OPTION_ARG_FILENAME, &option_checkpoint,
        "the model, as resnetfinetune wrote it", "FILE"},
    {"data", 0, 0, G_OPTION_ARG_FILENAME, &option_data,
        "folder whose validation pictures are classified", "FOLDER"},
    {"valid-fraction", 0, 0, G_OPTION_ARG_DOUBLE, &option_valid_fraction,
        "as in training; for a folder without train/ and val/ (0.2)", "X"},
    {"video", 0, 0, G_OPTION_ARG_FILENAME, &option_video,
        "video to classify, frame by frame", "FILE"},
    {"metrics", 0, 0, G_OPTION_ARG_FILENAME, &option_metrics,
        "metrics.jsonl of the run, for the learning curve", "FILE"},
    {"picture", 0, 0, G_OPTION_ARG_FILENAME, &option_picture,
        "where to write the picture", "FILE.png"},
    {NULL},
};

static const gchar *
class_name (const Results *results, gint number)
{
  return number == NO_CLASS ? "no result"
                            : g_ptr_array_index (results->classes, number);
}

static gint
name_width (const Results *results)
{
  gint width = 9;

  for (guint i = 0; i < results->classes->len; i++)
    width = MAX (width, (gint) g_utf8_strlen (class_name (results, i), -1));
  return width;
}

/* One row of the confusion matrix; returns how many of it were right. */
static guint
print_row (const Results *results, gint truth, gint width)
{
  guint right = results_count (results, truth, truth);
  guint n = results_count (results, truth, NO_CLASS);

  g_print ("  %-*s", width, class_name (results, truth));
  for (guint found = 0; found < results->classes->len; found++) {
    guint count = results_count (results, truth, found);

    n += count;
    g_print ("  %*u", width, count);
  }
  if (n > 0)
    g_print ("   %5.1f %% of %u\n", 100.0 * right / n, n);
  else
    g_print ("   none\n");
  return right;
}

static void
print_table (const Results *results)
{
  gint width = name_width (results);
  guint right = 0;

  g_print ("\nValidation pictures, rows: truth, columns: found\n\n  %*s", width,
      "");
  for (guint i = 0; i < results->classes->len; i++)
    g_print ("  %*s", width, class_name (results, i));
  g_print ("   right\n");
  for (guint i = 0; i < results->classes->len; i++)
    right += print_row (results, i, width);
  g_print ("\n  accuracy: %.1f %% (%u of %u)\n",
      100.0 * right / MAX (1, results->frames->len), right,
      results->frames->len);
}

/* A stretch of frames with one class, and its mean probability. */
static void
print_span (const Results *results, guint first, guint end)
{
  const Frame *frames = (const Frame *) results->frames->data;
  gdouble sum = 0;

  for (guint i = first; i < end; i++)
    sum += frames[i].probability;
  g_print ("  %7.2f s to %7.2f s   %-*s  %3.0f %%  (%u frames)\n",
      (gdouble) frames[first].pts / GST_SECOND,
      (gdouble) frames[end - 1].pts / GST_SECOND, name_width (results),
      class_name (results, frames[first].found), 100 * sum / (end - first),
      end - first);
}

static void
print_spans (const Results *results)
{
  const Frame *frames = (const Frame *) results->frames->data;
  guint first = 0;

  g_print ("\nThe video\n\n");
  for (guint i = 1; i <= results->frames->len; i++) {
    if (i < results->frames->len && frames[i].found == frames[first].found)
      continue;
    print_span (results, first, i);
    first = i;
  }
}

static gboolean
parse_arguments (int *argc, char ***argv, GError **error)
{
  g_autoptr (GOptionContext) context =
      g_option_context_new ("- show what a checkpoint has learned");

  g_option_context_add_main_entries (context, option_entries, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (option_checkpoint && (option_data || option_video) && *argc == 1)
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
      "--checkpoint and one of --data and --video are wanted; see --help");
  return FALSE;
}

static gboolean
show (GError **error)
{
  g_autoptr (Results) folder = NULL;
  g_autoptr (Results) video = NULL;
  g_autoptr (GArray) curve = NULL;

  if (option_data) {
    folder = results_new ();
    if (!results_run_folder (folder, option_checkpoint, option_data,
            option_valid_fraction, error))
      return FALSE;
    print_table (folder);
  }
  if (option_video) {
    video = results_new ();
    if (!results_run_video (video, option_checkpoint, option_video, error))
      return FALSE;
    print_spans (video);
  }
  if (option_metrics) {
    curve = curve_read (option_metrics, error);
    if (!curve)
      return FALSE;
  }
  return !option_picture
      || sheet_write (option_picture, curve, folder, video, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (!parse_arguments (&argc, &argv, &error)) {
    g_printerr ("show-results: %s\n", error->message);
    return 2;
  }
  if (!show (&error)) {
    g_printerr ("show-results: %s\n", error->message);
    return 1;
  }
  return 0;
}
