/* SPDX-License-Identifier: BSD-3-Clause */

#include "tldecoderig.h"

#include <png.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <tlcaps.h>

guint
decode_rig_png_width (guint number)
{
  return 40 + number % 7 * 9;
}

guint
decode_rig_png_height (guint number)
{
  return 35 + number % 5 * 11;
}

GstBuffer *
decode_rig_png (guint number)
{
  png_image image = {.version = PNG_IMAGE_VERSION,
      .width = decode_rig_png_width (number),
      .height = decode_rig_png_height (number),
      .format = PNG_FORMAT_RGB};
  g_autofree guint8 *pixels = g_malloc (PNG_IMAGE_SIZE (image));
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX (image);
  guint8 *data = g_malloc (size);

  for (gsize i = 0; i < PNG_IMAGE_SIZE (image); i++)
    pixels[i] = (guint8) (i * (number + 3) >> 2);
  fail_unless (
      png_image_write_to_memory (&image, data, &size, 0, pixels, 0, NULL));
  return gst_buffer_new_wrapped (data, size);
}

GstBuffer *
decode_rig_jpeg (void)
{
  enum
  {
    LARGE = 16 * DECODE_SIDE
  };
  struct jpeg_compress_struct cinfo;
  struct jpeg_error_mgr errors;
  unsigned char *data = NULL;
  unsigned long size = 0;
  JSAMPLE row[LARGE], *rows[] = {row};
  GstBuffer *buffer;

  cinfo.err = jpeg_std_error (&errors);
  jpeg_create_compress (&cinfo);
  jpeg_mem_dest (&cinfo, &data, &size);
  cinfo.image_width = cinfo.image_height = LARGE;
  cinfo.input_components = 1;
  cinfo.in_color_space = JCS_GRAYSCALE;
  jpeg_set_defaults (&cinfo);
  jpeg_start_compress (&cinfo, TRUE);
  while (cinfo.next_scanline < LARGE) {
    for (guint x = 0; x < LARGE; x++)
      row[x] = (JSAMPLE) ((x * x >> 9) ^ (cinfo.next_scanline >> 2));
    jpeg_write_scanlines (&cinfo, rows, 1);
  }
  jpeg_finish_compress (&cinfo);
  jpeg_destroy_compress (&cinfo);
  buffer = gst_buffer_new_memdup (data, size);
  free (data);
  return decode_rig_add_sample (buffer, 0, TL_SPLIT_TRAIN);
}

GstBuffer *
decode_rig_add_sample (GstBuffer *buffer, guint number, TlSplit split)
{
  TlSampleMeta *sample = tl_buffer_add_sample_meta (buffer);
  g_autofree gchar *path = g_strdup_printf ("file-%u.png", number);

  sample->label = (gint) number % 2;
  sample->path = g_ref_string_new (path);
  sample->index = number;
  sample->seed = 11;
  sample->split = split;
  return buffer;
}

GstBuffer *
decode_rig_sample (guint number, TlSplit split)
{
  return decode_rig_add_sample (decode_rig_png (number), number, split);
}

GstBuffer *
decode_rig_bad_sample (guint number, TlSplit split)
{
  return decode_rig_add_sample (gst_buffer_new_memdup ("no picture", 10),
      number, split);
}

GstElement *
decode_rig_element (guint n_threads)
{
  GstElement *element = gst_element_factory_make ("imagedecode", NULL);

  g_object_set (element, "n-threads", n_threads, "width", DECODE_SIDE, "height",
      DECODE_SIDE, NULL);
  gst_element_set_bus (element, gst_bus_new ());
  return element;
}

GstHarness *
decode_rig_bare_harness (GstElement *element)
{
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  g_autoptr (GstBus) bus = gst_element_get_bus (element);

  gst_object_unref (bus); /* the reference of gst_bus_new() */
  gst_object_unref (element);
  return h;
}

GstHarness *
decode_rig_harness (GstElement *element)
{
  GstHarness *h = decode_rig_bare_harness (element);

  gst_harness_set_src_caps_str (h, TL_CAPS_IMAGE);
  return h;
}

GstHarness *
decode_rig_harness_with (const gchar *setting)
{
  GstElement *element = decode_rig_element (2);
  g_auto (GStrv) words = g_strsplit (setting, "=", 2);

  gst_util_set_object_arg (G_OBJECT (element), words[0], words[1]);
  return decode_rig_harness (element);
}

/* Messages hold the element and its bus holds them: part the two first. */
void
decode_rig_free (GstHarness *h)
{
  gst_element_set_bus (h->element, NULL);
  gst_harness_teardown (h);
}

void
decode_rig_begin_phase (GstHarness *h, guint32 epoch, TlSplit split, guint64 n)
{
  TlPhase phase = {.epoch = epoch, .split = split, .n = n};

  fail_unless (gst_harness_push_event (h, tl_event_new_phase (&phase)));
}

void
decode_rig_end_phase (GstHarness *h, guint32 epoch, TlSplit split, guint64 n)
{
  TlPhaseEnd end = {.epoch = epoch, .split = split, .sent = n};

  fail_unless (gst_harness_push_event (h, tl_event_new_phase_end (&end)));
}

GstEvent *
decode_rig_pull_event (GstHarness *h, GstEventType type)
{
  GstEvent *event = gst_harness_pull_event (h);

  while (event && GST_EVENT_TYPE (event) != type) {
    gst_event_unref (event);
    event = gst_harness_pull_event (h);
  }
  fail_unless (event != NULL);
  return event;
}

void
decode_rig_finish (GstHarness *h)
{
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  gst_event_unref (decode_rig_pull_event (h, GST_EVENT_EOS));
}

static void
take_text (gchar **text, const gchar *newer)
{
  g_free (*text);
  *text = g_strdup (newer);
}

/* A summary speaks of pictures, a warning of one. */
static void
count_warning (DecodeMessages *n, GstMessage *message)
{
  g_autoptr (GError) error = NULL;

  gst_message_parse_warning (message, &error, NULL);
  n->warnings++;
  if (strstr (error->message, " pictures")) {
    n->summaries++;
    take_text (&n->summary, error->message);
  } else {
    take_text (&n->warning, error->message);
  }
}

static void
count_error (DecodeMessages *n, GstMessage *message)
{
  g_autoptr (GError) error = NULL;

  gst_message_parse_error (message, &error, NULL);
  n->errors++;
  take_text (&n->error, error->message);
}

static void
count_message (DecodeMessages *n, GstMessage *message)
{
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    count_error (n, message);
  } else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING) {
    count_warning (n, message);
  } else if (gst_message_has_name (message, "tl-sample-error")) {
    n->sample_errors++;
    g_clear_pointer (&n->sample_error, gst_structure_free);
    n->sample_error = gst_structure_copy (gst_message_get_structure (message));
  }
}

DecodeMessages
decode_rig_count (GstHarness *h)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (h->element);
  DecodeMessages n = {0};
  GstMessage *message;

  while ((message = gst_bus_pop (bus))) {
    count_message (&n, message);
    gst_message_unref (message);
  }
  return n;
}

void
decode_messages_clear (DecodeMessages *messages)
{
  g_clear_pointer (&messages->error, g_free);
  g_clear_pointer (&messages->warning, g_free);
  g_clear_pointer (&messages->summary, g_free);
  g_clear_pointer (&messages->sample_error, gst_structure_free);
}
