/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlrig.h"

#include <glib/gstdio.h>

#include <gst/check/gstcheck.h>

#include <tlsafetensors.h>

gchar *rig_folder;
gchar *rig_weights;

void
rig_write_weights (const gchar *path)
{
  gfloat stem[192], fc[2 * 192] = {0}, bias[2] = {0};
  TlTensor tensors[] = {
      {"stem.weight", TL_DTYPE_F32, 1, {192}, {1}, stem},
      {"fc.weight", TL_DTYPE_F32, 2, {2, 192}, {192, 1}, fc},
      {"fc.bias", TL_DTYPE_F32, 1, {2}, {1}, bias},
  };

  for (guint i = 0; i < G_N_ELEMENTS (stem); i++)
    stem[i] = 1;
  fail_unless_equals_int (tl_safetensors_write (path, tensors,
                              G_N_ELEMENTS (tensors), NULL, 0, NULL),
      TL_OK);
}

void
rig_set_up (void)
{
  rig_folder = g_dir_make_tmp ("tlpipe-XXXXXX", NULL);
  rig_weights = g_build_filename (rig_folder, "thumbnail.safetensors", NULL);
  rig_write_weights (rig_weights);
}

void
rig_tear_down (void)
{
  g_autoptr (GDir) dir = g_dir_open (rig_folder, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_build_filename (rig_folder, name, NULL);

    g_remove (path);
  }
  g_rmdir (rig_folder);
  g_unsetenv ("TLPIPE_REFERENCE_FAIL");
  g_clear_pointer (&rig_folder, g_free);
  g_clear_pointer (&rig_weights, g_free);
}

static void
keep_checkpoint (GstElement *sink, GstBuffer *buffer, GstPad *pad, Rig *rig)
{
  gpointer data;
  gsize size;

  gst_buffer_extract_dup (buffer, 0, gst_buffer_get_size (buffer), &data,
      &size);
  g_ptr_array_add (rig->checkpoints, g_bytes_new_take (data, size));
}

void
rig_init (Rig *rig)
{
  g_autoptr (GstPad) sinkpad = NULL;

  rig->pipeline = gst_pipeline_new (NULL);
  rig->trainer = gst_element_factory_make ("resnetfinetune", NULL);
  rig->sink = gst_element_factory_make ("fakesink", NULL);
  rig->checkpoints =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_object_set (rig->sink, "async", FALSE, "sync", FALSE, "signal-handoffs",
      TRUE, NULL);
  g_signal_connect (rig->sink, "handoff", G_CALLBACK (keep_checkpoint), rig);
  g_object_set (rig->trainer, "weights", rig_weights, "report-interval", 0,
      "lr", 0.1, NULL);
  gst_bin_add_many (GST_BIN (rig->pipeline), rig->trainer, rig->sink, NULL);
  fail_unless (gst_element_link (rig->trainer, rig->sink));
  rig->bus = gst_element_get_bus (rig->pipeline);

  rig->pad = gst_pad_new ("feed", GST_PAD_SRC);
  sinkpad = gst_element_get_static_pad (rig->trainer, "sink");
  fail_unless_equals_int (gst_pad_link (rig->pad, sinkpad), GST_PAD_LINK_OK);
  gst_pad_set_active (rig->pad, TRUE);
}

void
rig_clear (Rig *rig)
{
  gst_element_set_state (rig->pipeline, GST_STATE_NULL);
  gst_pad_set_active (rig->pad, FALSE);
  gst_object_unref (rig->pad);
  gst_object_unref (rig->bus);
  gst_object_unref (rig->pipeline);
  g_ptr_array_unref (rig->checkpoints);
}

void
rig_play (Rig *rig)
{
  fail_unless (gst_element_set_state (rig->pipeline, GST_STATE_PLAYING)
      != GST_STATE_CHANGE_FAILURE);
}

/* The bytes of the last checkpoint; *borrowed*. */
GBytes *
rig_last (Rig *rig)
{
  fail_unless (rig->checkpoints->len > 0, "no checkpoint");
  return g_ptr_array_index (rig->checkpoints, rig->checkpoints->len - 1);
}

gchar *
rig_save_bytes (GBytes *bytes, const gchar *name)
{
  gchar *path = g_build_filename (rig_folder, name, NULL);

  fail_unless (g_file_set_contents (path, g_bytes_get_data (bytes, NULL),
      (gssize) g_bytes_get_size (bytes), NULL));
  return path;
}

/* A value of the file's metadata; *transferred*. */
gchar *
rig_get_value (GBytes *bytes, const gchar *key)
{
  TlTensorSet set = TL_TENSOR_SET_INIT (1 << 20);
  gchar *value = NULL;

  fail_unless_equals_int (tl_safetensors_read (g_bytes_get_data (bytes, NULL),
                              g_bytes_get_size (bytes), &set, NULL),
      TL_OK);
  for (size_t i = 0; i < set.n_metadata; i++) {
    if (strcmp (set.metadata[i].key, key) == 0)
      value = g_strdup (set.metadata[i].value);
  }
  tl_tensor_set_clear (&set);
  return value;
}

void
rig_expect_value (GBytes *bytes, const gchar *key, const gchar *expected)
{
  g_autofree gchar *value = rig_get_value (bytes, key);

  fail_unless_equals_string (value, expected);
}

/* The next message of @type must come and hold @text. */
void
rig_expect_message (Rig *rig, GstMessageType type, const gchar *text)
{
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (rig->bus, 5 * GST_SECOND, type);
  g_autoptr (GError) error = NULL;
  g_autofree gchar *found = NULL;

  fail_unless (message != NULL, "no message with \"%s\"", text);
  if (type == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    found = g_strdup (error->message);
  } else if (type == GST_MESSAGE_WARNING) {
    gst_message_parse_warning (message, &error, NULL);
    found = g_strdup (error->message);
  } else {
    gst_message_parse_progress (message, NULL, NULL, &found);
  }
  fail_unless (strstr (found, text) != NULL, "\"%s\" lacks \"%s\"", found,
      text);
}

void
rig_expect_eos (Rig *rig)
{
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (rig->bus,
      5 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);

  fail_unless (message != NULL, "the pipeline does not end");
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
}

GBytes *
rig_run_to_end (const Feed *feed)
{
  GBytes *last;
  Rig rig;

  rig_init (&rig);
  rig_play (&rig);
  feed_all (feed, rig.pad);
  rig_expect_eos (&rig);
  last = g_bytes_ref (rig_last (&rig));
  rig_clear (&rig);
  return last;
}
