/* SPDX-License-Identifier: BSD-3-Clause */

/* The collection of pictures that broke decoders, as a data set: every one is
 * decoded or reported. */

#include <gst/check/gstcheck.h>

#include "tlbatcher.h"
#include "tlbatchmeta.h"
#include "tldatasetsrc.h"
#include "tlimagedecode.h"
#include "tltree.h"

#define N_COLLECTED 391

static gchar *folder;
static guint n_files;

/* A header of 4.3 gigapixels, and nothing behind it. */
static const guint8 bomb[] = {0xff, 0xd8, 0xff, 0xc0, 0, 17, 8, 0xff, 0xdc,
    0xff, 0xdc, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 0xff, 0xda, 0, 12, 3, 1,
    0, 2, 0, 3, 0, 0, 63, 0, 0xff, 0xd9};

/* datasetsrc goes by the extension, the decoder by the first bytes. */
static void
link_file (const gchar *path)
{
  g_autofree gchar *name = g_path_get_basename (path);
  g_autofree gchar *link =
      g_strdup_printf ("%s/data/val/all/%03u-%s.jpg", folder, n_files++, name);

  fail_unless_equals_int (symlink (path, link), 0);
}

static void
link_files (const gchar *below)
{
  g_autoptr (GDir) dir = g_dir_open (below, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_build_filename (below, name, NULL);

    if (g_file_test (path, G_FILE_TEST_IS_DIR))
      link_files (path);
    else
      link_file (path);
  }
}

static void
set_up (void)
{
  g_autofree gchar *archive = g_build_filename (g_getenv ("TLPIPE_MATERIAL"),
      "bad_images.tar.gz", NULL);
  g_autofree gchar *extracted = NULL;
  const gchar *argv[] = {"tar", "-xzf", archive, "-C", NULL, NULL};
  gint status = -1;

  folder = tree_new ();
  extracted = g_build_filename (folder, "files", NULL);
  argv[4] = extracted;
  tree_add_folder (folder, "files");
  fail_unless (g_spawn_sync (NULL, (gchar **) argv, NULL, G_SPAWN_SEARCH_PATH,
      NULL, NULL, NULL, NULL, &status, NULL));
  fail_unless_equals_int (status, 0);
  tree_add_bytes (folder, "data/val/all/bomb.jpg", bomb, sizeof bomb);
  n_files = 0;
  link_files (extracted);
  fail_unless_equals_int (n_files, N_COLLECTED);
}

static void
tear_down (void)
{
  tree_free (folder);
}

/* Of one run; atomic. */
static gint n_reported, n_bombs, n_batched;

static GstBusSyncReply
count_message (GstBus *bus, GstMessage *message, gpointer data)
{
  const gchar *reason;

  if (gst_message_has_name (message, "tl-sample-error")) {
    reason = gst_structure_get_string (gst_message_get_structure (message),
        "reason");
    g_atomic_int_inc (&n_reported);
    if (strstr (reason, "65500x65500") && strstr (reason, "max-pixels"))
      g_atomic_int_inc (&n_bombs);
  }
  if (GST_MESSAGE_TYPE (message) & (GST_MESSAGE_EOS | GST_MESSAGE_ERROR))
    return GST_BUS_PASS;
  gst_message_unref (message);
  return GST_BUS_DROP;
}

static void
count_batch (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  TlBatchMeta *batch = tl_buffer_get_batch_meta (buffer);

  g_atomic_int_add (&n_batched, (gint) batch->n_valid);
}

static GstElement *
make_line (const gchar *settings)
{
  g_autofree gchar *line = g_strdup_printf (
      "datasetsrc name=source location=%s/data splits=valid epochs=1 ! "
      "imagedecode name=decoder n-threads=2 %s ! batcher batch-size=16 ! "
      "fakesink name=sink signal-handoffs=true",
      folder, settings);
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (line, &error);
  g_autoptr (GstElement) sink = NULL;
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  fail_unless (error == NULL, "%s", error ? error->message : "");
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_signal_connect (sink, "handoff", G_CALLBACK (count_batch), NULL);
  gst_bus_set_sync_handler (bus, count_message, NULL, NULL);
  return pipeline;
}

static void
play (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;

  g_atomic_int_set (&n_reported, 0);
  g_atomic_int_set (&n_bombs, 0);
  g_atomic_int_set (&n_batched, 0);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
}

static const gchar *const settings[] = {
    "",
    "accept-truncated=true auto-orient=true interpolation=bicubic crop=random "
    "region=0,0,50%,50%",
};

GST_START_TEST (every_file_is_decoded_or_reported)
{
  GstElement *pipeline = make_line (settings[__i__]);
  g_autoptr (GstElement) source = NULL;
  g_autoptr (GstElement) decoder = NULL;
  guint64 given, decoded, skipped;

  source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  decoder = gst_bin_get_by_name (GST_BIN (pipeline), "decoder");
  play (pipeline);
  g_object_get (source, "n-samples", &given, NULL);
  g_object_get (decoder, "n-decoded", &decoded, "n-skipped", &skipped, NULL);
  fail_unless_equals_uint64 (given, N_COLLECTED + 1);
  fail_unless_equals_uint64 (decoded + (guint64) n_reported, given);
  fail_unless_equals_int (n_batched, (gint) decoded);
  fail_unless_equals_int (n_bombs, 1);
  /* The rest could not even be read: they are empty. */
  fail_unless (skipped <= (guint64) n_reported);
  fail_unless (decoded > 100);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}
GST_END_TEST;

/* Where everything takes forty times as long. */
static gboolean
is_under_valgrind (void)
{
  const gchar *preloaded = g_getenv ("LD_PRELOAD");

  return preloaded && strstr (preloaded, "vgpreload");
}

static Suite *
badfiles_suite (void)
{
  Suite *suite = suite_create ("badfiles");
  TCase *tcase = tcase_create ("collection");

  GST_ELEMENT_REGISTER (datasetsrc, NULL);
  GST_ELEMENT_REGISTER (imagedecode, NULL);
  GST_ELEMENT_REGISTER (batcher, NULL);
  tcase_add_checked_fixture (tcase, set_up, tear_down);
  tcase_add_loop_test (tcase, every_file_is_decoded_or_reported, 0,
      is_under_valgrind () ? 1 : G_N_ELEMENTS (settings));
  suite_add_tcase (suite, tcase);
  return suite;
}

int
main (int argc, char **argv)
{
  const gchar *material = g_getenv ("TLPIPE_MATERIAL");
  g_autofree gchar *archive =
      material ? g_build_filename (material, "bad_images.tar.gz", NULL) : NULL;

  if (!archive || !g_file_test (archive, G_FILE_TEST_EXISTS)) {
    printf ("skipped: TLPIPE_MATERIAL names no folder with "
            "bad_images.tar.gz\n");
    return 77;
  }
  gst_check_init (&argc, &argv);
  return gst_check_run_suite (badfiles_suite (), "badfiles", __FILE__);
}
