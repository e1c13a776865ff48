/* SPDX-License-Identifier: BSD-3-Clause */

/* The pictures that a command line names. */

#include <gst/check/gstcheck.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tlpicturelist.h>

static gchar *root;

static gchar *
make_path (const gchar *name)
{
  return g_build_filename (root, name, NULL);
}

static void
make_file (const gchar *name)
{
  g_autofree gchar *path = make_path (name);
  g_autofree gchar *folder = g_path_get_dirname (path);

  g_assert_no_errno (g_mkdir_with_parents (folder, 0700));
  g_assert_true (g_file_set_contents (path, "x", 1, NULL));
}

static void
set_up (void)
{
  static const gchar *const names[] = {"set/b/2.JPG", "set/b/10.png",
      "set/a/1.jpeg", "set/a/notes.txt", "set/a/.hidden.jpg", "set/.git/x.jpg",
      "set/0.webp", "set/x.gif", "set/jpg", "none/readme.txt", "one.raw"};

  root = g_dir_make_tmp ("tlpipe-list-XXXXXX", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    make_file (names[i]);
}

static void
tear_down (void)
{
  gchar *argv[] = {(gchar *) "rm", (gchar *) "-rf", root, NULL};

  g_spawn_sync (NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
      NULL, NULL);
  g_free (root);
}

/* What @name gives, relative to the root and joined with blanks; or "!". */
static gchar *
list (const gchar *name)
{
  g_autoptr (GPtrArray) pictures = g_ptr_array_new_with_free_func (g_free);
  g_autofree gchar *path = make_path (name);
  g_autofree gchar *reason = tl_picture_list_add (pictures, path);
  GString *text = g_string_new (reason ? "!" : NULL);

  for (guint i = 0; !reason && i < pictures->len; i++) {
    const gchar *picture = pictures->pdata[i];

    g_string_append_printf (text, "%s%s", i ? " " : "",
        picture + strlen (root) + 1);
  }
  return g_string_free (text, FALSE);
}

static const struct
{
  const gchar *name;
  const gchar *path;
  const gchar *expected;
} rows[] = {
    {"a folder, sorted, at any depth", "set",
        "set/0.webp set/a/1.jpeg set/b/10.png set/b/2.JPG"},
    {"a folder with a slash", "set/b/", "set/b/10.png set/b/2.JPG"},
    {"a file of any name", "one.raw", "one.raw"},
    {"a folder without pictures", "none", "!"},
    {"nothing", "missing", "!"},
    {"a pipe", "pipe", "!"},
    {"a link that leads in a circle", "circle", "!"},
    {"a link to nothing", "dangling", "!"},
};

GST_START_TEST (files_and_folders)
{
  g_autofree gchar *pipe = make_path ("pipe");
  g_autofree gchar *circle = make_path ("circle");
  g_autofree gchar *inner = make_path ("circle/again");
  g_autofree gchar *dangling = make_path ("dangling");

  g_assert_no_errno (mkfifo (pipe, 0600));
  g_assert_no_errno (mkdir (circle, 0700));
  g_assert_no_errno (symlink (circle, inner));
  g_assert_no_errno (symlink ("/no/such", dangling));
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *text = list (rows[i].path);

    fail_unless (g_str_equal (text, rows[i].expected), "%s: \"%s\"",
        rows[i].name, text);
  }
}

GST_END_TEST

static Suite *
picturelist_suite (void)
{
  Suite *suite = suite_create ("picturelist");
  TCase *tcase = tcase_create ("paths");

  suite_add_tcase (suite, tcase);
  tcase_add_checked_fixture (tcase, set_up, tear_down);
  tcase_add_test (tcase, files_and_folders);
  return suite;
}

GST_CHECK_MAIN (picturelist)
