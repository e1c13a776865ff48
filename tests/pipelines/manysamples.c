/* SPDX-License-Identifier: BSD-3-Clause */

/* A data set of 200,000 samples, links to a few small files, through
 * datasetsrc ! imagedecode ! batcher: memory and speed do not depend on how
 * much has been played. Prints what it measures. */

#include <gst/gst.h>
#include <png.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tlbatchmeta.h"
#include "tlorder.h"
#include "tltree.h"

#define N_SAMPLES 200000
#define N_FILES 10 /* a file system allows some 65,000 links to one */
#define N_PARTS 5
#define SIDE 16
#define MAX_ORDER_MS 100.0
#define MAX_GROWTH 0.02
#define MIN_SPEED 0.7

/* At the end of each fifth of the run; the streaming thread's. */
typedef struct
{
  guint64 n_played;
  guint n_parts;
  gint64 time[N_PARTS + 1];  /* us; [0]: the first batch */
  gdouble work[N_PARTS + 1]; /* s of all CPUs: what else runs does not count */
  gulong memory[N_PARTS + 1];
} Course;

static gulong
resident_bytes (void)
{
  FILE *file = fopen ("/proc/self/statm", "r");
  gulong pages = 0;

  if (!file || fscanf (file, "%*u %lu", &pages) != 1)
    g_error ("/proc/self/statm cannot be read");
  fclose (file);
  return pages * (gulong) sysconf (_SC_PAGESIZE);
}

static gdouble
worked_seconds (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return (gdouble) now.tv_sec + (gdouble) now.tv_nsec / 1e9;
}

static void
mark (Course *course)
{
  course->work[course->n_parts] = worked_seconds ();
  course->time[course->n_parts] = g_get_monotonic_time ();
  course->memory[course->n_parts++] = resident_bytes ();
}

static GstPadProbeReturn
count_batch (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Course *course = data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);

  if (course->n_parts == 0)
    mark (course);
  course->n_played += tl_buffer_get_batch_meta (buffer)->n_valid;
  if (course->n_played * N_PARTS / N_SAMPLES >= course->n_parts)
    mark (course);
  return GST_PAD_PROBE_OK;
}

static void
make_file (const gchar *root, guint number)
{
  guint8 pixels[SIDE * SIDE * 3];
  png_image image = {.version = PNG_IMAGE_VERSION,
      .width = SIDE,
      .height = SIDE,
      .format = PNG_FORMAT_RGB};
  g_autofree gchar *path = g_strdup_printf ("%s/%u.png", root, number);

  for (gsize i = 0; i < sizeof pixels; i++)
    pixels[i] = (guint8) (i * (number + 3));
  if (!png_image_write_to_file (&image, path, 0, pixels, 0, NULL))
    g_error ("%s: %s", path, image.message);
}

static void
make_samples (const gchar *root)
{
  for (guint i = 0; i < N_FILES; i++)
    make_file (root, i);
  tree_add_folder (root, "data/train/a");
  tree_add_folder (root, "data/train/b");
  for (guint i = 0; i < N_SAMPLES; i++) {
    g_autofree gchar *from = g_strdup_printf ("%s/%u.png", root, i % N_FILES);
    g_autofree gchar *to = g_strdup_printf ("%s/data/train/%c/%06u.png", root,
        i % 2 ? 'a' : 'b', i);

    if (link (from, to) != 0)
      g_error ("%s cannot be linked: %s", to, g_strerror (errno));
  }
}

static void
play (const gchar *root, Course *course)
{
  g_autofree gchar *line = g_strdup_printf (
      "datasetsrc location=%s/data splits=train valid-fraction=0 epochs=1 seed=1 ! "
      "imagedecode width=32 height=32 ! batcher name=batcher ! fakesink",
      root);
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, NULL);
  g_autoptr (GstElement) batcher =
      gst_bin_get_by_name (GST_BIN (pipeline), "batcher");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (batcher, "src");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, count_batch, course, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    g_error ("%" GST_PTR_FORMAT, (gpointer) message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

static gdouble
images_per_second (const Course *course, guint part)
{
  gdouble seconds = (course->time[part] - course->time[part - 1]) / 1e6;

  return N_SAMPLES / N_PARTS / seconds;
}

static gdouble
work_of (const Course *course, guint part)
{
  return course->work[part] - course->work[part - 1];
}

static guint
expect (gboolean holds, const gchar *what)
{
  if (!holds)
    printf ("FAILED: %s\n", what);
  return !holds;
}

static guint
check_course (const Course *course)
{
  gdouble growth =
      (gdouble) course->memory[N_PARTS] / (gdouble) course->memory[1] - 1;
  gdouble speed = work_of (course, 2) / work_of (course, N_PARTS);

  for (guint i = 1; i <= N_PARTS; i++)
    printf ("after %3u %%: %.0f images/s in this fifth, %.2f s of CPUs, "
            "%.1f MB\n",
        100 * i / N_PARTS, images_per_second (course, i), work_of (course, i),
        (gdouble) course->memory[i] / 1e6);
  printf ("memory from 20 %% on: %+.2f %%\n", 100 * growth);
  printf ("CPU time of the second fifth / the last: %.2f\n", speed);
  return expect (course->n_played == N_SAMPLES, "every sample is played")
      + expect (growth < MAX_GROWTH, "memory does not grow")
      + expect (speed > MIN_SPEED, "the speed holds");
}

static guint
check_order (void)
{
  g_autofree guint32 *order = g_new (guint32, N_SAMPLES);
  gint64 start = g_get_monotonic_time ();
  gdouble ms;

  tl_order_fill (order, N_SAMPLES, 1, 1, TRUE);
  ms = (gdouble) (g_get_monotonic_time () - start) / 1e3;
  printf ("order of an epoch of %d: %.1f ms\n", N_SAMPLES, ms);
  return expect (ms < MAX_ORDER_MS, "the order takes milliseconds");
}

int
main (int argc, char **argv)
{
  gchar *root = tree_new ();
  gint64 start = g_get_monotonic_time ();
  Course course = {0};
  guint failures;

  gst_init (&argc, &argv);
  make_samples (root);
  printf ("%d links made in %.1f s\n", N_SAMPLES,
      (gdouble) (g_get_monotonic_time () - start) / 1e6);
  start = g_get_monotonic_time ();
  play (root, &course);
  printf ("from start to first batch: %.2f s\n",
      (gdouble) (course.time[0] - start) / 1e6);
  failures = check_order () + check_course (&course);
  tree_free (root);
  return failures ? 1 : 0;
}
