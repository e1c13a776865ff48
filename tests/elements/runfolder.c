/* SPDX-License-Identifier: BSD-3-Clause */

/* The trainer and the sink together: the files of a run, whole and damaged. */

#include "tlcheckpointsink.h"
#include "tlfeed.h"
#include "tlresnetfinetune.h"
#include "tlresnetinfer.h"
#include "tlrig.h"

#include <gst/check/gstcheck.h>

static const gchar *const files[] = {"last.safetensors", "best.safetensors",
    "epoch-001.safetensors", "epoch-002.safetensors", "epoch-003.safetensors",
    "metrics.jsonl"};

/* The rig with a sink to rig_folder/@name in place of its own. */
static gchar *
use_sink (Rig *rig, const gchar *name)
{
  gchar *path = g_build_filename (rig_folder, name, NULL);

  rig_init (rig);
  gst_bin_remove (GST_BIN (rig->pipeline), rig->sink);
  rig->sink = gst_element_factory_make ("checkpointsink", NULL);
  g_object_set (rig->sink, "location", path, "save-top-k", 3, NULL);
  gst_bin_add (GST_BIN (rig->pipeline), rig->sink);
  fail_unless (gst_element_link (rig->trainer, rig->sink));
  return path;
}

/* A run of @n batches, 0 for all; ended by a stop, not by EOS, if @cut. */
static void
run (const gchar *name, guint n, gboolean cut, gboolean resume)
{
  Feed feed = FEED_INIT;
  g_autofree gchar *path = NULL, *last = NULL;
  Rig rig;

  path = use_sink (&rig, name);
  last = g_build_filename (path, "last.safetensors", NULL);
  feed.max_batches = n;
  if (resume)
    g_object_set (rig.trainer, "resume", last, NULL);
  rig_play (&rig);
  if (resume) {
    g_autoptr (GstQuery) query = tl_query_new_cursor ();

    fail_unless (gst_pad_peer_query (rig.pad, query));
    fail_unless (tl_query_parse_cursor (query, &feed.start));
  }
  if (cut) {
    feed_begin (&feed, rig.pad);
    feed_run (&feed, rig.pad, NULL);
  } else {
    feed_all (&feed, rig.pad);
    rig_expect_eos (&rig);
  }
  rig_clear (&rig);
}

static gchar *
read_file (const gchar *folder, const gchar *name, gsize *n)
{
  g_autofree gchar *path = g_build_filename (rig_folder, folder, name, NULL);
  gchar *bytes = NULL;

  fail_unless (g_file_get_contents (path, &bytes, n, NULL), "no %s", path);
  return bytes;
}

static void
expect_same_files (const gchar *a, const gchar *b)
{
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    gsize n = 0, m = 0;
    g_autofree gchar *x = read_file (a, files[i], &n);
    g_autofree gchar *y = read_file (b, files[i], &m);

    fail_unless (n == m && memcmp (x, y, n) == 0, "%s of %s and %s", files[i],
        a, b);
  }
}

static void
remove_runs (void)
{
  g_autofree gchar *quoted = g_shell_quote (rig_folder);
  g_autofree gchar *command = g_strdup_printf ("rm -rf %s/run-*", quoted);

  fail_unless (system (command) == 0);
  rig_tear_down ();
}

GST_START_TEST (same_run_gives_the_same_files)
{
  run ("run-a", 0, FALSE, FALSE);
  run ("run-b", 0, FALSE, FALSE);
  run ("run-b", 0, FALSE, FALSE);
  expect_same_files ("run-a", "run-b");
}
GST_END_TEST

GST_START_TEST (stopped_and_resumed_run_gives_the_same_files)
{
  run ("run-whole", 0, FALSE, FALSE);
  for (guint n = 1; n < 24; n += 3) {
    g_autofree gchar *name = g_strdup_printf ("run-%u", n);

    run (name, n, TRUE, FALSE);
    run (name, 0, FALSE, TRUE);
    expect_same_files ("run-whole", name);
  }
}
GST_END_TEST

/* A fresh element whose @property is the file must say before data that it
 * is damaged, once, or take it. */
static void
expect_opinion (const gchar *factory, const gchar *property, const gchar *path,
    gboolean is_damaged, gssize at)
{
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_make (factory, NULL));
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL, other = NULL;
  g_autoptr (GError) error = NULL;
  GstStateChangeReturn ret;

  gst_element_set_bus (element, bus);
  g_object_set (element, property, path, NULL);
  ret = gst_element_set_state (element, GST_STATE_PAUSED);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  other = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_bus_set_flushing (bus, TRUE);
  fail_unless ((ret == GST_STATE_CHANGE_FAILURE) == is_damaged,
      "%s %s, byte %" G_GSSIZE_FORMAT, factory, property, at);
  if (!is_damaged)
    return;
  fail_unless (message && !other);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (strstr (error->message, path) != NULL, "%s", error->message);
  /* A change in the header may be met before the checksum is. */
  fail_unless (at < 0 || strstr (error->message, "is damaged: ") != NULL,
      "byte %" G_GSSIZE_FORMAT ": %s", at, error->message);
}

/* @at: the changed byte of the data; below 0 in the header. */
static void
expect_opinions (const gchar *path, gboolean is_damaged, gssize at)
{
  expect_opinion ("resnetfinetune", "resume", path, is_damaged, at);
  expect_opinion ("resnetfinetune", "weights", path, is_damaged, at);
  expect_opinion ("resnetinfer", "checkpoint", path, is_damaged, at);
}

/* Frozen tensors, trained ones, optimizer and header alike. */
GST_START_TEST (changed_byte_is_refused_by_every_reader)
{
  g_autofree gchar *path =
      g_build_filename (rig_folder, "run-a", "last.safetensors", NULL);
  g_autofree guint8 *bytes = NULL;
  gsize n, header_size;

  run ("run-a", 0, FALSE, FALSE);
  bytes = (guint8 *) read_file ("run-a", "last.safetensors", &n);
  header_size = 8 + bytes[0] + 256 * bytes[1];
  expect_opinions (path, FALSE, 0);
  for (gsize at = 3; at < n; at += n / 40) {
    bytes[at] ^= 0x10;
    fail_unless (g_file_set_contents (path, (gchar *) bytes, (gssize) n, NULL));
    expect_opinions (path, TRUE, (gssize) at - (gssize) header_size);
    bytes[at] ^= 0x10;
  }
}
GST_END_TEST

static GstPadProbeReturn
keep_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  g_ptr_array_add (user, gst_buffer_ref (GST_PAD_PROBE_INFO_BUFFER (info)));
  return GST_PAD_PROBE_OK;
}

/* Header, frozen tensors, trained ones, optimizer: the second is one memory,
 * whatever the number of checkpoints that wait. */
GST_START_TEST (frozen_tensors_are_copied_once)
{
  g_autoptr (GPtrArray) kept =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  g_autoptr (GstPad) pad = NULL;
  Feed feed = FEED_INIT;
  Rig rig;

  rig_init (&rig);
  pad = gst_element_get_static_pad (rig.trainer, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, keep_buffer, kept, NULL);
  rig_play (&rig);
  feed_all (&feed, rig.pad);
  rig_expect_eos (&rig);
  rig_clear (&rig);
  fail_unless (kept->len > 2);
  for (guint i = 0; i < kept->len; i++) {
    GstBuffer *buffer = kept->pdata[i];

    fail_unless_equals_int (gst_buffer_n_memory (buffer), 4);
    fail_unless (gst_buffer_peek_memory (buffer, 1)
        == gst_buffer_peek_memory (kept->pdata[0], 1));
    fail_if (i > 0
        && gst_buffer_peek_memory (buffer, 2)
            == gst_buffer_peek_memory (kept->pdata[0], 2));
  }
}
GST_END_TEST

static Suite *
runfolder_suite (void)
{
  Suite *suite = suite_create ("runfolder");
  TCase *tcase = tcase_create ("runfolder");

  GST_ELEMENT_REGISTER (checkpointsink, NULL);
  GST_ELEMENT_REGISTER (resnetfinetune, NULL);
  GST_ELEMENT_REGISTER (resnetinfer, NULL);
  tcase_add_checked_fixture (tcase, rig_set_up, remove_runs);
  tcase_add_test (tcase, same_run_gives_the_same_files);
  tcase_add_test (tcase, stopped_and_resumed_run_gives_the_same_files);
  tcase_add_test (tcase, changed_byte_is_refused_by_every_reader);
  tcase_add_test (tcase, frozen_tensors_are_copied_once);
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (runfolder);
