/* SPDX-License-Identifier: BSD-3-Clause */

/* A throw-away folder of files for a test. */

#ifndef TL_TREE_H
#define TL_TREE_H

#include <ftw.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline gchar *
tree_new (void)
{
  gchar *root = g_dir_make_tmp ("tlpipe-XXXXXX", NULL);

  g_assert_nonnull (root);
  return root;
}

/* Writes a file, its folders included. */
static inline void
tree_add_bytes (const gchar *root, const gchar *path, const void *bytes,
    gsize n)
{
  g_autofree gchar *full = g_build_filename (root, path, NULL);
  g_autofree gchar *folder = g_path_get_dirname (full);

  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (full, bytes, n, NULL));
}

/* A file with the beginning of a JPEG, which is all that its reader looks
 * at. */
static inline void
tree_add (const gchar *root, const gchar *path)
{
  tree_add_bytes (root, path, "\xff\xd8\xff\xe0 picture", 12);
}

/* @n files named PREFIX0000.jpg and so on. */
static inline void
tree_add_many (const gchar *root, const gchar *folder, const gchar *prefix,
    guint n)
{
  for (guint i = 0; i < n; i++) {
    g_autofree gchar *path =
        g_strdup_printf ("%s/%s%04u.jpg", folder, prefix, i);

    tree_add (root, path);
  }
}

static inline void
tree_add_folder (const gchar *root, const gchar *path)
{
  g_autofree gchar *full = g_build_filename (root, path, NULL);

  g_assert_cmpint (g_mkdir_with_parents (full, 0700), ==, 0);
}

static inline void
tree_link (const gchar *root, const gchar *target, const gchar *path)
{
  g_autofree gchar *full = g_build_filename (root, path, NULL);

  g_assert_cmpint (symlink (target, full), ==, 0);
}

static inline int
tree_remove_one (const char *path, const struct stat *st, int kind,
    struct FTW *at)
{
  return remove (path);
}

/* Removes all of it and frees @root. */
static inline void
tree_free (gchar *root)
{
  nftw (root, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
  g_free (root);
}

#endif
