/* SPDX-License-Identifier: BSD-3-Clause */

/* How long a trainer stands still for its checkpoints. Runs a launch line with
 * a resnetfinetune of the name "trainer" twice: with checkpoint-every=none, and
 * as it is given. Takes the time between the batches that the trainer gets,
 * which always wait for it behind a queue: a step alone, a step and a
 * checkpoint that was copied and handed on, and the step after that, beside
 * which the checkpoint is written. Prints each, the medians and the peak memory
 * of the process.
 *
 *   checkpointstall 'datasetsrc ... ! resnetfinetune name=trainer ... ! ...' */

#include <gst/gst.h>

#include <stdio.h>
#include <sys/resource.h>

typedef struct
{
  GMutex lock;
  gint64 last;         /* when the batch before came, microseconds; 0: none */
  gboolean has_saved;  /* since then */
  gboolean is_writing; /* a checkpoint came before the batch before */
  GArray *plain, *saving, *writing;
} Gaps;

static GstPadProbeReturn
note_batch (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  Gaps *gaps = user;
  gint64 now = g_get_monotonic_time ();

  g_mutex_lock (&gaps->lock);
  if (gaps->last != 0) {
    gdouble gap = 1e-6 * (gdouble) (now - gaps->last);

    printf ("%7.3f s%s\n", gap,
        gaps->has_saved        ? " with a checkpoint"
            : gaps->is_writing ? " after one"
                               : "");
    fflush (stdout);
    g_array_append_val (gaps->has_saved ? gaps->saving
            : gaps->is_writing          ? gaps->writing
                                        : gaps->plain,
        gap);
  }
  gaps->last = now;
  gaps->is_writing = gaps->has_saved;
  gaps->has_saved = FALSE;
  g_mutex_unlock (&gaps->lock);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
note_checkpoint (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  Gaps *gaps = user;
  GstBuffer *checkpoint = GST_PAD_PROBE_INFO_BUFFER (info);

  g_mutex_lock (&gaps->lock);
  if (gaps->saving->len == 0 && !gaps->has_saved)
    printf ("a checkpoint has %.0f MB in %u memories\n",
        1e-6 * (gdouble) gst_buffer_get_size (checkpoint),
        gst_buffer_n_memory (checkpoint));
  gaps->has_saved = TRUE;
  g_mutex_unlock (&gaps->lock);
  return GST_PAD_PROBE_OK;
}

static void
watch (GstElement *trainer, const gchar *name, GstPadProbeCallback callback,
    Gaps *gaps)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (trainer, name);

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, callback, gaps, NULL);
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  const gdouble *x = a, *y = b;

  return (*x > *y) - (*x < *y);
}

static gdouble
get_median (GArray *values)
{
  g_array_sort (values, compare);
  return values->len > 0 ? g_array_index (values, gdouble, values->len / 2) : 0;
}

static void
report (const Gaps *without, const Gaps *with)
{
  gdouble plain = get_median (without->plain);
  gdouble saving = get_median (with->saving);
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  printf ("step, no checkpoints %7.3f s (median of %u)\n", plain,
      without->plain->len);
  printf ("step and checkpoint  %7.3f s (median of %u)\n", saving,
      with->saving->len);
  printf ("step after one       %7.3f s (median of %u)\n",
      get_median (with->writing), with->writing->len);
  printf ("stall                %7.3f s, %.2f of a step\n", saving - plain,
      plain > 0 ? (saving - plain) / plain : 0);
  printf ("peak memory          %7.0f MB\n",
      1.024e-3 * (gdouble) usage.ru_maxrss);
}

static gboolean
run_to_the_end (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
    return TRUE;
  gst_message_parse_error (message, &error, NULL);
  fprintf (stderr, "%s\n", error->message);
  return FALSE;
}

static void
gaps_init (Gaps *gaps)
{
  *gaps = (Gaps){.last = 0};
  gaps->plain = g_array_new (FALSE, FALSE, sizeof (gdouble));
  gaps->saving = g_array_new (FALSE, FALSE, sizeof (gdouble));
  gaps->writing = g_array_new (FALSE, FALSE, sizeof (gdouble));
}

static void
gaps_clear (Gaps *gaps)
{
  g_array_unref (gaps->plain);
  g_array_unref (gaps->saving);
  g_array_unref (gaps->writing);
}

/* 0, or the program's exit status. */
static int
measure (const gchar *line, const gchar *every, Gaps *gaps)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, &error);
  g_autoptr (GstElement) trainer = NULL;

  if (error || !GST_IS_BIN (pipeline)
      || !(trainer = gst_bin_get_by_name (GST_BIN (pipeline), "trainer"))) {
    fprintf (stderr, "%s\n", error ? error->message : "no name=trainer");
    return 2;
  }
  if (every)
    gst_util_set_object_arg (G_OBJECT (trainer), "checkpoint-every", every);
  watch (trainer, "sink", note_batch, gaps);
  watch (trainer, "src", note_checkpoint, gaps);
  return run_to_the_end (pipeline) ? 0 : 1;
}

int
main (int argc, char **argv)
{
  Gaps without, with;
  int status;

  gst_init (&argc, &argv);
  if (argc != 2) {
    fprintf (stderr, "usage: %s LAUNCH-LINE\n", argv[0]);
    return 2;
  }
  gaps_init (&without);
  gaps_init (&with);
  status = measure (argv[1], "none", &without);
  if (status == 0)
    status = measure (argv[1], NULL, &with);
  if (status == 0)
    report (&without, &with);
  gaps_clear (&without);
  gaps_clear (&with);
  return status;
}
