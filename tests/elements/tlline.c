/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlline.h"

#include "tlaugment.h"
#include "tlbatcher.h"
#include "tlcheckpointsink.h"
#include "tldatasetsrc.h"
#include "tlimagedecode.h"
#include "tlresnetfinetune.h"
#include "tltree.h"

#include <png.h>
#include <string.h>

#include <gst/check/gstcheck.h>

#define SIDE 32
#define N_PICTURES 12 /* of each class */

gchar *line_folder;
gchar *line_data;

void
line_register (void)
{
  GST_ELEMENT_REGISTER (datasetsrc, NULL);
  GST_ELEMENT_REGISTER (imagedecode, NULL);
  GST_ELEMENT_REGISTER (augment, NULL);
  GST_ELEMENT_REGISTER (batcher, NULL);
  GST_ELEMENT_REGISTER (resnetfinetune, NULL);
  GST_ELEMENT_REGISTER (checkpointsink, NULL);
}

/* ---- Pictures ---- */

/* The other class has its bright channel elsewhere. */
static void
draw (const gchar *path, guint label, guint number)
{
  png_image image = {.version = PNG_IMAGE_VERSION,
      .width = SIDE,
      .height = SIDE,
      .format = PNG_FORMAT_RGB};
  guint8 pixels[SIDE * SIDE * 3];
  guint8 bytes[2 * sizeof pixels];
  png_alloc_size_t n = sizeof bytes;

  for (guint i = 0; i < sizeof pixels; i++)
    pixels[i] = (guint8) (i % 3 == label ? 200 : i * (number + 3) % 97);
  fail_unless (
      png_image_write_to_memory (&image, bytes, &n, 0, pixels, 0, NULL));
  tree_add_bytes (line_data, path, bytes, n);
}

void
line_set_up (void)
{
  line_folder = tree_new ();
  line_data = g_build_filename (line_folder, "data", NULL);
  for (guint i = 0; i < 2 * N_PICTURES; i++) {
    g_autofree gchar *path =
        g_strdup_printf ("%s/%02u.png", i % 2 ? "odd" : "even", i);

    draw (path, i % 2, i);
  }
}

void
line_tear_down (void)
{
  g_unsetenv ("TLPIPE_REFERENCE_FAIL");
  g_clear_pointer (&line_data, g_free);
  tree_free (g_steal_pointer (&line_folder));
}

void
line_slow_down (guint ms)
{
  g_autofree gchar *text = g_strdup_printf ("step-ms:%u", ms);

  g_setenv ("TLPIPE_REFERENCE_FAIL", text, TRUE);
}

/* ---- The line ---- */

static GstPadProbeReturn
count_checkpoint (GstPad *pad, GstPadProbeInfo *info, gpointer line)
{
  g_atomic_int_inc (&((Line *) line)->n_checkpoints);
  return GST_PAD_PROBE_OK;
}

static void
count_checkpoints (Line *line)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (line->trainer, "src");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, count_checkpoint, line,
      NULL);
}

/* Adds an element that the pipeline owns. */
static GstElement *
add (Line *line, const gchar *factory)
{
  GstElement *element = gst_element_factory_make (factory, NULL);

  fail_unless (element != NULL, "no %s", factory);
  gst_bin_add (GST_BIN (line->pipeline), element);
  return element;
}

static void
set_properties (Line *line)
{
  g_object_set (line->source, "location", line_data, "epochs", 2, "seed",
      G_GUINT64_CONSTANT (1), "group", "none", NULL);
  g_object_set (line->decoder, "width", SIDE, "height", SIDE, "n-threads", 2,
      NULL);
  g_object_set (line->augment, "n-threads", 2, NULL);
  g_object_set (line->batcher, "batch-size", 4, NULL);
  g_object_set (line->trainer, "weights", "random", "arch", "thumbnail",
      "device", "cpu", "n-threads", 1, "checkpoint-every", "1", NULL);
}

void
line_init (Line *line, const gchar *run)
{
  GstElement *queue;

  *line = (Line){.pipeline = gst_pipeline_new (NULL)};
  line->source = add (line, "datasetsrc");
  line->decoder = add (line, "imagedecode");
  line->augment = add (line, "augment");
  line->batcher = add (line, "batcher");
  queue = add (line, "queue");
  line->trainer = add (line, "resnetfinetune");
  g_object_set (queue, "max-size-buffers", 2, "max-size-bytes", 0,
      "max-size-time", G_GUINT64_CONSTANT (0), NULL);
  set_properties (line);
  fail_unless (gst_element_link_many (line->source, line->decoder,
      line->augment, line->batcher, queue, line->trainer, NULL));
  count_checkpoints (line);
  line->bus = gst_element_get_bus (line->pipeline);
  if (run)
    line_add_sink (line, run);
}

void
line_clear (Line *line)
{
  line_set_state (line, GST_STATE_NULL);
  gst_object_unref (line->bus);
  gst_object_unref (line->pipeline);
}

void
line_add_sink (Line *line, const gchar *run)
{
  g_autofree gchar *path = g_build_filename (line_folder, run, NULL);

  line->sink = add (line, "checkpointsink");
  g_object_set (line->sink, "location", path, NULL);
  fail_unless (gst_element_sync_state_with_parent (line->sink));
  fail_unless (gst_element_link (line->trainer, line->sink));
}

void
line_set_state (Line *line, GstState state)
{
  fail_unless (gst_element_set_state (line->pipeline, state)
          != GST_STATE_CHANGE_FAILURE,
      "no change to %s", gst_element_state_get_name (state));
}

void
line_wait_for_checkpoints (Line *line, gint n)
{
  for (guint i = 0; g_atomic_int_get (&line->n_checkpoints) < n; i++) {
    fail_unless (i < 20000, "no %d checkpoints within 20 s", n);
    g_usleep (1000);
  }
}

/* ---- What comes of it ---- */

static gchar *
describe (GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL;

  fail_unless (message != NULL, "neither EOS nor an error within 30 s");
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
    return g_strdup ("EOS");
  gst_message_parse_error (message, &error, &debug);
  return g_strdup_printf ("%s (%s)", error->message, debug ? debug : "");
}

static gchar *
next (Line *line)
{
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (line->bus,
      30 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);

  return describe (message);
}

void
line_expect_eos (Line *line)
{
  g_autofree gchar *text = next (line);

  fail_unless_equals_string (text, "EOS");
}

void
line_expect_error (Line *line, const gchar *text)
{
  g_autofree gchar *found = next (line);

  fail_unless (strstr (found, text) != NULL, "\"%s\" without \"%s\"", found,
      text);
}

static GBytes *
read_last (const gchar *run)
{
  g_autofree gchar *path =
      g_build_filename (line_folder, run, "last.safetensors", NULL);
  gchar *bytes;
  gsize n;

  fail_unless (g_file_get_contents (path, &bytes, &n, NULL), "no %s", path);
  return g_bytes_new_take (bytes, n);
}

void
line_expect_same (const gchar *a, const gchar *b)
{
  g_autoptr (GBytes) x = read_last (a);
  g_autoptr (GBytes) y = read_last (b);

  fail_unless (g_bytes_equal (x, y), "%s and %s differ", a, b);
}
