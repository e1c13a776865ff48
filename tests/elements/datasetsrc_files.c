/* SPDX-License-Identifier: BSD-3-Clause */

/* What becomes of files between the listing of a folder and their turn. */

#include "tlstage.h"
#include "tltree.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <gst/check/gstcheck.h>

#define VICTIM "odd/x0002.jpg"

/* ---- What a file turns into ---- */

static void
be_gone (const gchar *path)
{
}

static void
be_empty (const gchar *path)
{
  fail_unless (g_file_set_contents (path, "", 0, NULL));
}

static void
be_fifo (const gchar *path)
{
  fail_unless (mkfifo (path, 0600) == 0);
}

static void
be_socket (const gchar *path)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = socket (AF_UNIX, SOCK_STREAM, 0);

  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  fail_unless (bind (fd, (struct sockaddr *) &address, sizeof address) == 0);
  close (fd);
}

static void
be_device (const gchar *path)
{
  fail_unless (symlink ("/dev/zero", path) == 0);
}

static void
be_folder (const gchar *path)
{
  fail_unless (mkdir (path, 0700) == 0);
}

static void
be_link_to_itself (const gchar *path)
{
  fail_unless (symlink (path, path) == 0);
}

/* Takes no room on a disk. */
static void
be_huge (const gchar *path)
{
  be_empty (path);
  fail_unless (truncate (path, (off_t) 3 << 30) == 0);
}

static void
be_behind_a_file (const gchar *path)
{
  fail_unless (symlink ("x0000.jpg/x0002.jpg", path) == 0);
}

static const struct
{
  void (*turn) (const gchar *path);
  const gchar *reason;
} changes[] = {
    {be_gone, "No such file"},
    {be_empty, "empty"},
    {be_fifo, "no regular file"},
    {be_socket, "No such device or address"},
    {be_device, "no regular file"},
    {be_folder, "no regular file"},
    {be_link_to_itself, "Too many levels"},
    {be_huge, "larger than 512 MiB"},
    {be_behind_a_file, "Not a directory"},
};

/* The next warning names the file and the reason. */
static void
expect_warning (Stage *stage, const gchar *reason)
{
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (stage->bus,
      20 * GST_SECOND, GST_MESSAGE_WARNING);
  g_autoptr (GError) error = NULL;

  fail_unless (message != NULL, "no warning of \"%s\"", reason);
  gst_message_parse_warning (message, &error, NULL);
  fail_unless (strstr (error->message, reason) != NULL
          && strstr (error->message, "x0002.jpg") != NULL,
      "\"%s\" without \"%s\"", error->message, reason);
}

static void
change (guint i)
{
  g_autofree gchar *path = g_build_filename (stage_folder, VICTIM, NULL);

  fail_unless (unlink (path) == 0);
  changes[i].turn (path);
}

/* The listing has been made, and some pictures are out. */
static void
start (Stage *stage)
{
  stage_init (stage, "datasetsrc");
  stage->may_skip = TRUE;
  stage_start (stage);
  stage_wait_for_buffers (stage, 3);
}

GST_START_TEST (file_that_changes_is_left_out_and_named)
{
  guint n;
  Stage stage;

  start (&stage);
  stage_stall (&stage, TRUE);
  stage_wait_for_stall (&stage);
  while (gst_bus_have_pending (stage.bus))
    gst_message_unref (gst_bus_pop (stage.bus));
  change ((guint) __i__);
  g_mutex_lock (&stage.lock);
  n = stage.n_taken;
  g_mutex_unlock (&stage.lock);
  stage_stall (&stage, FALSE);
  expect_warning (&stage, changes[__i__].reason);
  stage_wait_for_buffers (&stage, n + 30);
  stage_stop (&stage, GST_STATE_READY, TRUE);
  stage_expect_errors (&stage, 0);
  stage_clear (&stage);
}
GST_END_TEST

GST_START_TEST (folder_that_is_removed_ends_the_run_with_one_error)
{
  Stage stage;

  start (&stage);
  stage_stall (&stage, TRUE);
  stage_wait_for_stall (&stage);
  nftw (stage_folder, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
  stage_stall (&stage, FALSE);
  stage_wait_for_eos (&stage, 1);
  stage_stop (&stage, GST_STATE_READY, TRUE);
  stage_expect_errors (&stage, 1);

  fail_unless_equals_int (gst_element_set_state (stage.element,
                              GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  stage_expect_errors (&stage, 1);
  stage_clear (&stage);
}
GST_END_TEST

static Suite *
datasetsrc_files_suite (void)
{
  Suite *suite = suite_create ("datasetsrc_files");
  TCase *tc = tcase_create ("datasetsrc_files");

  stage_register ();
  tcase_add_checked_fixture (tc, stage_set_up, stage_tear_down);
  tcase_add_loop_test (tc, file_that_changes_is_left_out_and_named, 0,
      G_N_ELEMENTS (changes));
  tcase_add_test (tc, folder_that_is_removed_ends_the_run_with_one_error);
  suite_add_tcase (suite, tc);
  return suite;
}

GST_CHECK_MAIN (datasetsrc_files);
