/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlsinkrig.h"

#include <tlcheckpoint.h>
#include <tlsafetensors.h>

#include <gst/check/gstcheck.h>

#include <stdlib.h>

#define CAPS "application/x-tl-checkpoint,format=safetensors"

GstBuffer *
sink_new_checkpoint (const Checkpoint *c)
{
  static const gchar *const empty = "";
  gfloat *data = g_new (gfloat, SINK_N_FLOATS);
  TlTensor tensor = {"fc.weight", TL_DTYPE_F32, 1, {SINK_N_FLOATS}, {1}, data};
  g_autofree gchar *epoch = g_strdup_printf ("%u", c->epoch);
  g_autofree gchar *position = g_strdup_printf ("%u", c->position);
  g_autofree gchar *step = g_strdup_printf ("%u", 10 * c->epoch + c->position);
  TlMetadata all[] = {{TL_KEY_ARCH, "thumbnail"},
      {TL_KEY_DIGEST, c->digest ? c->digest : "d0"}, {TL_KEY_SEED, "1"},
      {TL_KEY_STATE, "running"}, {TL_KEY_EPOCH, epoch}, {TL_KEY_SPLIT, "train"},
      {TL_KEY_POSITION, position}, {TL_KEY_STEP, step},
      {TL_KEY_METRICS_TRAIN, "loss=0.5 accuracy=0.75 lr=0.001 n=10 skipped=0"},
      {TL_KEY_METRICS_VALID, c->valid ? c->valid : empty}};
  TlMetadata used[G_N_ELEMENTS (all)];
  gsize n = 0, size;
  TlError error = TL_ERROR_INIT;
  void *header;
  GstBuffer *buffer = gst_buffer_new ();

  for (guint i = 0; i < SINK_N_FLOATS; i++)
    data[i] = (gfloat) (c->epoch * 1000 + c->position + i);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++) {
    if (*all[i].value && g_strcmp0 (all[i].key, c->without) != 0)
      used[n++] = all[i];
  }
  fail_unless (tl_safetensors_build_header (&tensor, 1, used, n, &header, &size,
                   NULL, &error)
      == TL_OK);
  gst_buffer_append_memory (buffer,
      gst_memory_new_wrapped (0, header, size, 0, size, header, free));
  size = SINK_N_FLOATS * sizeof (gfloat);
  gst_buffer_append_memory (buffer,
      gst_memory_new_wrapped (0, data, size, 0, size, data, g_free));
  return buffer;
}

/* ---- a sink with a folder ---- */

gchar *sink_folder;

void
sink_set_up (void)
{
  sink_folder = g_dir_make_tmp ("tlpipe-XXXXXX", NULL);
}

void
sink_tear_down (void)
{
  g_autofree gchar *quoted = g_shell_quote (sink_folder);
  g_autofree gchar *command = g_strdup_printf ("rm -rf %s", quoted);

  fail_unless (system (command) == 0);
  g_clear_pointer (&sink_folder, g_free);
}

gchar *
sink_path_of (const gchar *name)
{
  return g_build_filename (sink_folder, name, NULL);
}

GstElement *
sink_new (const gchar *location)
{
  GstElement *sink = gst_element_factory_make ("checkpointsink", NULL);

  g_object_set (sink, "location", location, NULL);
  return gst_object_ref_sink (sink);
}

/* @settings: properties as in a launch line, or NULL. */
void
sink_start (SinkRun *run, const gchar *location, const gchar *settings)
{
  g_autofree gchar *line = g_strdup_printf ("checkpointsink location=\"%s\" %s",
      location, settings ? settings : "");
  GstElement *sink = gst_parse_launch (line, NULL);

  gst_object_ref_sink (sink);
  run->bus = gst_bus_new ();
  gst_element_set_bus (sink, run->bus);
  run->h = gst_harness_new_with_element (sink, "sink", NULL);
  gst_object_unref (sink);
  gst_harness_set_src_caps_str (run->h, CAPS);
}

GstFlowReturn
sink_push (SinkRun *run, const Checkpoint *c)
{
  return gst_harness_push (run->h, sink_new_checkpoint (c));
}

void
sink_push_epoch (SinkRun *run, guint epoch, const gchar *valid)
{
  Checkpoint c = {.epoch = epoch, .valid = valid};

  fail_unless_equals_int (sink_push (run, &c), GST_FLOW_OK);
}

void
sink_stop (SinkRun *run)
{
  gst_element_set_state (run->h->element, GST_STATE_NULL);
  gst_element_set_bus (run->h->element, NULL);
  gst_bus_set_flushing (run->bus, TRUE);
  gst_object_unref (run->bus);
  gst_harness_teardown (run->h);
}

void
sink_finish (SinkRun *run)
{
  gst_harness_push_event (run->h, gst_event_new_eos ());
  sink_stop (run);
}

gint
sink_count_messages (SinkRun *run, GstMessageType type)
{
  GstMessage *message;
  gint n = 0;

  while ((message = gst_bus_pop_filtered (run->bus, type))) {
    gst_message_unref (message);
    n++;
  }
  return n;
}

/* The only error so far must be in @domain and hold @text. */
void
sink_expect_error (GstBus *bus, GQuark domain, const gchar *text)
{
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, 5 * GST_SECOND, GST_MESSAGE_ERROR);
  g_autoptr (GstMessage) other = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;

  fail_unless (message != NULL, "no error with \"%s\"", text);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (error->domain == domain, "%s", error->message);
  fail_unless (strstr (error->message, text) != NULL, "%s", error->message);
  fail_unless (other == NULL);
}

/* ---- what is in the folder ---- */

gboolean
sink_has_file (const gchar *name)
{
  g_autofree gchar *path = sink_path_of (name);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

void
sink_wait_for (const gchar *name)
{
  for (guint i = 0; i < 500 && !sink_has_file (name); i++)
    g_usleep (10000);
  fail_unless (sink_has_file (name));
}

gsize
sink_count_files (void)
{
  g_autoptr (GDir) dir = g_dir_open (sink_folder, 0, NULL);
  gsize n = 0;

  while (g_dir_read_name (dir))
    n++;
  return n;
}

void
sink_expect_text (const gchar *name, const gchar *text)
{
  g_autofree gchar *path = sink_path_of (name), *found = NULL;

  fail_unless (g_file_get_contents (path, &found, NULL, NULL));
  fail_unless_equals_string (found, text);
}

void
sink_expect_checkpoint (const gchar *name, const Checkpoint *c)
{
  g_autofree gchar *path = sink_path_of (name), *found = NULL;
  g_autoptr (GstBuffer) wanted = sink_new_checkpoint (c);
  gsize n;

  fail_unless (g_file_get_contents (path, &found, &n, NULL), "no %s", name);
  fail_unless_equals_uint64 (n, gst_buffer_get_size (wanted));
  fail_unless (gst_buffer_memcmp (wanted, 0, found, n) == 0, "%s", name);
}

void
sink_expect_epoch (const gchar *name, guint epoch, const gchar *valid)
{
  Checkpoint c = {.epoch = epoch, .valid = valid};

  sink_expect_checkpoint (name, &c);
}

void
sink_put_file (const gchar *name, const gchar *text)
{
  g_autofree gchar *path = sink_path_of (name);

  fail_unless (g_file_set_contents (path, text, -1, NULL));
}
