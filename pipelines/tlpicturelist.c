/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlpicturelist.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* Links are followed: one may lead in a circle. */
#define MAX_DEPTH 32

/* As many as datasetsrc takes of one data set. */
#define MAX_PICTURES 10000000

static gboolean
has_picture_suffix (const gchar *name)
{
  static const gchar *const suffixes[] = {".jpg", ".jpeg", ".png", ".ppm",
      ".bmp", ".pgm", ".tif", ".tiff", ".webp"};
  gsize n = strlen (name);

  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++) {
    gsize m = strlen (suffixes[i]);

    if (n > m && g_ascii_strcasecmp (name + n - m, suffixes[i]) == 0)
      return TRUE;
  }
  return FALSE;
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const gchar *const *) a, *(const gchar *const *) b);
}

/* NULL with @reason set if the folder cannot be read. */
static GPtrArray *
list_folder (const gchar *folder, gchar **reason)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &error);
  GPtrArray *names;
  const gchar *name;

  if (!dir) {
    *reason = g_strdup (error->message);
    return NULL;
  }
  names = g_ptr_array_new_with_free_func (g_free);
  while ((name = g_dir_read_name (dir))) {
    if (*name != '.')
      g_ptr_array_add (names, g_strdup (name));
  }
  g_ptr_array_sort (names, compare_names);
  return names;
}

static gchar *
walk (GPtrArray *pictures, const gchar *folder, guint depth)
{
  gchar *reason = NULL;
  g_autoptr (GPtrArray) names = NULL;

  if (depth > MAX_DEPTH)
    return g_strdup_printf ("folders are nested deeper than %u", MAX_DEPTH);
  names = list_folder (folder, &reason);
  for (guint i = 0; names && i < names->len && !reason; i++) {
    g_autofree gchar *path = g_build_filename (folder, names->pdata[i], NULL);

    if (g_file_test (path, G_FILE_TEST_IS_DIR))
      reason = walk (pictures, path, depth + 1);
    else if (pictures->len >= MAX_PICTURES)
      reason =
          g_strdup_printf ("there are more than %u pictures", MAX_PICTURES);
    else if (has_picture_suffix (path))
      g_ptr_array_add (pictures, g_steal_pointer (&path));
  }
  return reason;
}

gchar *
tl_picture_list_add (GPtrArray *pictures, const gchar *path)
{
  guint before = pictures->len;
  gchar *reason = NULL;
  struct stat info;

  if (stat (path, &info) != 0)
    return g_strdup (g_strerror (errno));
  if (S_ISDIR (info.st_mode)) {
    reason = walk (pictures, path, 0);
    if (!reason && pictures->len == before)
      reason = g_strdup ("there is no picture in this folder");
    return reason;
  }
  /* Reading a device or a pipe may never end. */
  if (!S_ISREG (info.st_mode))
    return g_strdup ("neither a file nor a folder");
  g_ptr_array_add (pictures, g_strdup (path));
  return NULL;
}
