/* SPDX-License-Identifier: BSD-3-Clause */

/* How long augment takes for a picture of 224x224.
 *
 *   augmentspeed operations    one line per operation: name, microseconds (the
 *                              best of five rounds, in turns)
 *   augmentspeed threads       frames through the element with one and with two
 *                              threads: seconds each (best of five, in turns)
 */

#include "tlaugment.h"
#include "tljitter.h"

#include <gst/check/gstharness.h>
#include <string.h>
#include <time.h>

#include <tlsamplemeta.h>

#define SIDE 224
#define STRIDE (SIDE * 3)
#define CAPS "video/x-raw,format=RGB,width=224,height=224,framerate=0/1"
#define ROUNDS 5
#define PICTURES 200
#define FRAMES 400

static guint8 pixels[SIDE * STRIDE];

/* Smooth and coloured, with some grain. */
static void
paint (guint8 *to)
{
  guint32 noise = 1;

  for (gsize i = 0; i < sizeof pixels; i++) {
    noise = noise * 1664525 + 1013904223;
    to[i] = (guint8) (i % STRIDE / 4 + i / STRIDE / 3 * (i % 3) / 2
        + (noise >> 28));
  }
}

typedef struct
{
  const gchar *name;
  TlJitterRange range;
} Operation;

static const Operation operations[] = {
    {"horizontal", {.flip = TL_FLIP_HORIZONTAL, .flip_probability = 1}},
    {"vertical", {.flip = TL_FLIP_VERTICAL, .flip_probability = 1}},
    {"nearest", {.rotate = 30}},
    {"bilinear", {.rotate = 30, .rotate_filter = TL_ROTATE_BILINEAR}},
    {"brightness", {.brightness = 0.4}},
    {"contrast", {.contrast = 0.4}},
    {"saturation", {.saturation = 0.4}},
    {"hue", {.hue = 0.1}},
    {"erase", {.erase_probability = 1}},
};

/* Nanoseconds that this thread has run: other programs do not count. */
static gint64
cpu_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

static gint64
time_operation (const Operation *operation, TlRotator *rotator)
{
  const TlRaster raster = {pixels, STRIDE, SIDE, SIDE};
  gint64 taken = 0;

  for (guint i = 0; i < PICTURES; i++) {
    TlError error = TL_ERROR_INIT;
    TlJitter jitter;
    gint64 start;

    paint (pixels);
    start = cpu_time ();
    tl_jitter_draw (&operation->range, SIDE, SIDE, 1, 0, i, &jitter);
    tl_jitter_apply (&jitter, &raster, rotator, &error);
    taken += cpu_time () - start;
  }
  return taken;
}

static void
time_operations (void)
{
  gint64 best[G_N_ELEMENTS (operations)];
  TlRotator *rotator = tl_rotator_new ();

  for (guint round = 0; round < ROUNDS; round++) {
    for (guint i = 0; i < G_N_ELEMENTS (operations); i++) {
      gint64 taken = time_operation (&operations[i], rotator);

      best[i] = round ? MIN (best[i], taken) : taken;
    }
  }
  for (guint i = 0; i < G_N_ELEMENTS (operations); i++)
    g_print ("%s %.1f\n", operations[i].name,
        (gdouble) best[i] / PICTURES / 1000);
  tl_rotator_free (rotator);
}

static GstBuffer *
make_frame (guint64 index)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, sizeof pixels, NULL);
  TlSampleMeta *sample = tl_buffer_add_sample_meta (buffer);

  gst_buffer_fill (buffer, 0, pixels, sizeof pixels);
  sample->index = index;
  sample->split = TL_SPLIT_TRAIN;
  return buffer;
}

static gint64
time_frames (guint n_threads, const gchar *properties)
{
  g_autofree gchar *line =
      g_strdup_printf ("augment n-threads=%u %s", n_threads, properties);
  GstHarness *h = gst_harness_new_parse (line);
  GstBuffer *frames[FRAMES];
  gint64 start;

  gst_harness_set_caps_str (h, CAPS, CAPS);
  for (guint i = 0; i < FRAMES; i++)
    frames[i] = make_frame (i);
  start = g_get_monotonic_time ();
  for (guint i = 0; i < FRAMES; i++)
    gst_harness_push (h, frames[i]);
  for (guint i = 0; i < FRAMES; i++)
    gst_buffer_unref (gst_harness_pull (h));
  start = g_get_monotonic_time () - start;
  gst_harness_teardown (h);
  return start;
}

static void
time_threads (const gchar *properties)
{
  gint64 best[2] = {G_MAXINT64, G_MAXINT64};

  for (guint round = 0; round < ROUNDS; round++) {
    for (guint i = 0; i < 2; i++)
      best[i] = MIN (best[i], time_frames (i + 1, properties));
  }
  g_print ("%s: %.0f pictures/s with 1 thread, %.0f with 2: %.2f times\n",
      properties, FRAMES * 1e6 / (gdouble) best[0],
      FRAMES * 1e6 / (gdouble) best[1], (gdouble) best[0] / (gdouble) best[1]);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  GST_ELEMENT_REGISTER (augment, NULL);
  paint (pixels);
  if (argc == 2 && !strcmp (argv[1], "operations")) {
    time_operations ();
  } else if (argc == 2 && !strcmp (argv[1], "threads")) {
    time_threads ("flip=none hue=0.1");
    time_threads ("rotate=30 rotate-interpolation=bilinear brightness=0.4 "
                  "contrast=0.4 saturation=0.4 hue=0.1 erase-probability=0.5");
  } else {
    g_printerr ("Usage: augmentspeed operations|threads\n");
    return 2;
  }
  return 0;
}
