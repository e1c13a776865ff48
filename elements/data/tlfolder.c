/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlfolder.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <tlstatus.h>

G_DEFINE_QUARK (tl - dataset - error, tl_dataset_error)

/* Extensions named in the line about files left out. */
#define MAX_EXTENSIONS_SHOWN 5

typedef DIR TlDir;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TlDir, closedir)

/* ---- what was left out ---- */

void
tl_left_out_init (TlLeftOut *self)
{
  memset (self, 0, sizeof *self);
  self->extensions =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

void
tl_left_out_clear (TlLeftOut *self)
{
  g_clear_pointer (&self->extensions, g_hash_table_unref);
}

static void
count_left_out (TlLeftOut *self, const gchar *name)
{
  const gchar *dot = strrchr (name, '.');
  gchar *extension;
  guint n;

  /* .DS_Store and its like were never meant as data. */
  if (name[0] == '.')
    return;
  extension = dot ? g_ascii_strdown (dot, -1) : g_strdup ("no extension");
  n = GPOINTER_TO_UINT (g_hash_table_lookup (self->extensions, extension));
  g_hash_table_insert (self->extensions, extension, GUINT_TO_POINTER (n + 1));
  self->n_files++;
}

/* Most frequent first, then by name. */
static gint
compare_extensions (gconstpointer a, gconstpointer b, gpointer data)
{
  const gchar *x = a, *y = b;
  guint n_x = GPOINTER_TO_UINT (g_hash_table_lookup (data, x));
  guint n_y = GPOINTER_TO_UINT (g_hash_table_lookup (data, y));

  return n_x != n_y ? (n_x < n_y ? 1 : -1) : strcmp (x, y);
}

static void
append_extensions (GString *text, const TlLeftOut *self)
{
  g_autoptr (GList) keys = g_hash_table_get_keys (self->extensions);
  guint shown = 0;

  keys = g_list_sort_with_data (keys, compare_extensions, self->extensions);
  for (GList *l = keys; l && shown < MAX_EXTENSIONS_SHOWN;
       l = l->next, shown++) {
    g_autofree gchar *extension = g_filename_display_name (l->data);

    g_string_append_printf (text, "%s%u %s", shown ? ", " : " (",
        GPOINTER_TO_UINT (g_hash_table_lookup (self->extensions, l->data)),
        extension);
  }
  g_string_append (text, shown < g_list_length (keys) ? ", ...)" : ")");
}

gchar *
tl_left_out_to_string (const TlLeftOut *self)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (self->n_files) {
    g_string_append_printf (text, "%" G_GUINT64_FORMAT " file%s", self->n_files,
        self->n_files == 1 ? "" : "s");
    append_extensions (text, self);
  }
  if (self->n_hidden)
    g_string_append_printf (text, "%s%" G_GUINT64_FORMAT " hidden folder%s",
        text->len ? ", " : "", self->n_hidden, self->n_hidden == 1 ? "" : "s");
  if (self->n_cycles)
    g_string_append_printf (text,
        "%s%" G_GUINT64_FORMAT " link%s to a folder above",
        text->len ? ", " : "", self->n_cycles, self->n_cycles == 1 ? "" : "s");
  if (text->len == 0)
    return NULL;
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* ---- one folder ---- */

gboolean
tl_folder_is_picture (const gchar *name)
{
  static const gchar *const extensions[] = {".jpg", ".jpeg", ".png", ".ppm",
      ".bmp", ".pgm", ".tif", ".tiff", ".webp"};
  const gchar *dot = strrchr (name, '.');

  for (guint i = 0; dot && i < G_N_ELEMENTS (extensions); i++) {
    if (g_ascii_strcasecmp (dot, extensions[i]) == 0)
      return TRUE;
  }
  return FALSE;
}

/* A link that leads nowhere is no folder: it stays in the list by its name,
 * and whoever opens it reports it. */
static gboolean
is_folder (DIR *dir, const struct dirent *entry)
{
  struct stat st;

  if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
    return entry->d_type == DT_DIR;
  return fstatat (dirfd (dir), entry->d_name, &st, 0) == 0
      && S_ISDIR (st.st_mode);
}

static DIR *
open_folder (const gchar *path, GError **error)
{
  DIR *dir = opendir (path);
  gint code = errno;
  g_autofree gchar *shown = NULL;

  if (dir)
    return dir;
  shown = g_filename_display_name (path);
  if (code == ENOENT)
    g_set_error (error, TL_DATASET_ERROR, TL_ERROR_NOT_FOUND,
        "There is no folder \"%s\".", shown);
  else if (code == ENOTDIR)
    g_set_error (error, TL_DATASET_ERROR, TL_ERROR_READ,
        "\"%s\" is not a folder: location takes a folder of class folders.",
        shown);
  else
    g_set_error (error, TL_DATASET_ERROR, TL_ERROR_READ,
        "Cannot read the folder \"%s\": %s.", shown, g_strerror (code));
  return NULL;
}

/* The next entry that is not the folder itself or its parent. NULL at the end
 * or with errno set. */
static struct dirent *
next_entry (DIR *dir)
{
  struct dirent *entry;

  do {
    errno = 0;
    entry = readdir (dir);
  } while (entry
      && (strcmp (entry->d_name, ".") == 0
          || strcmp (entry->d_name, "..") == 0));
  return entry;
}

static gboolean
check_end (const gchar *path, GError **error)
{
  gint code = errno;
  g_autofree gchar *shown = NULL;

  if (code == 0)
    return TRUE;
  shown = g_filename_display_name (path);
  g_set_error (error, TL_DATASET_ERROR, TL_ERROR_READ,
      "Cannot read the folder \"%s\": %s.", shown, g_strerror (code));
  return FALSE;
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const gchar *const *) a, *(const gchar *const *) b);
}

GPtrArray *
tl_folder_list_folders (const gchar *folder, TlLeftOut *left_out,
    GError **error)
{
  g_autoptr (TlDir) dir = open_folder (folder, error);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  struct dirent *entry;

  if (!dir)
    return NULL;
  while ((entry = next_entry (dir))) {
    if (!is_folder (dir, entry))
      continue;
    if (entry->d_name[0] != '.')
      g_ptr_array_add (names, g_strdup (entry->d_name));
    else if (left_out)
      left_out->n_hidden++;
  }
  if (!check_end (folder, error))
    return NULL;
  g_ptr_array_sort (names, compare_names);
  return g_steal_pointer (&names);
}

/* ---- the walk ---- */

/* The folders from the location down to the current one: a folder that is
 * already among them is a link back up. */
typedef struct _Ancestor
{
  const struct _Ancestor *parent;
  dev_t dev;
  ino_t ino;
  guint depth;
} Ancestor;

typedef struct
{
  const gchar *root;
  GPtrArray *paths;
  TlLeftOut *left_out;
} Walk;

static gboolean
is_above (const Ancestor *parent, const struct stat *st)
{
  for (; parent; parent = parent->parent) {
    if (parent->dev == st->st_dev && parent->ino == st->st_ino)
      return TRUE;
  }
  return FALSE;
}

static gboolean
check_limits (const Walk *walk, const gchar *path, guint depth, GError **error)
{
  g_autofree gchar *shown = g_filename_display_name (path);

  if (depth > TL_FOLDER_MAX_DEPTH) {
    g_set_error (error, TL_DATASET_ERROR, TL_ERROR_LIMIT,
        "The folders at \"%s\" are nested deeper than %d: is location the "
        "right folder?",
        shown, TL_FOLDER_MAX_DEPTH);
    return FALSE;
  }
  if (walk->paths->len > TL_DATASET_MAX_FILES) {
    g_set_error (error, TL_DATASET_ERROR, TL_ERROR_LIMIT,
        "There are more than %d pictures, found at \"%s\": give location a "
        "smaller folder.",
        TL_DATASET_MAX_FILES, shown);
    return FALSE;
  }
  return TRUE;
}

/* Takes the files of one folder; the names of its sub-folders go to
 * @folders. */
static void
take_entry (Walk *walk, DIR *dir, const struct dirent *entry,
    const gchar *below, GPtrArray *folders)
{
  const gchar *name = entry->d_name;

  if (is_folder (dir, entry)) {
    if (name[0] == '.')
      walk->left_out->n_hidden++;
    else
      g_ptr_array_add (folders, g_strconcat (below, "/", name, NULL));
  } else if (tl_folder_is_picture (name)) {
    g_ptr_array_add (walk->paths, g_strconcat (below, "/", name, NULL));
  } else {
    count_left_out (walk->left_out, name);
  }
}

/* Lists one folder into @folders, closed again before the next is opened, so
 * that depth costs no file descriptors. @self is filled with who it is. */
static gboolean
list_one (Walk *walk, const gchar *below, const Ancestor *parent,
    Ancestor *self, GPtrArray *folders, GError **error)
{
  g_autofree gchar *path = g_build_filename (walk->root, below, NULL);
  g_autoptr (TlDir) dir = open_folder (path, error);
  struct dirent *entry;
  struct stat st;

  if (!dir)
    return FALSE;
  self->parent = parent;
  self->depth = parent->depth + 1;
  if (fstat (dirfd (dir), &st) == 0) {
    if (is_above (parent, &st)) {
      walk->left_out->n_cycles++;
      return TRUE;
    }
    self->dev = st.st_dev;
    self->ino = st.st_ino;
  }
  while ((entry = next_entry (dir)))
    take_entry (walk, dir, entry, below, folders);
  return check_end (path, error)
      && check_limits (walk, path, self->depth, error);
}

static gboolean
walk_folder (Walk *walk, const gchar *below, const Ancestor *parent,
    GError **error)
{
  g_autoptr (GPtrArray) folders = g_ptr_array_new_with_free_func (g_free);
  Ancestor self = {0};

  if (!list_one (walk, below, parent, &self, folders, error))
    return FALSE;
  for (guint i = 0; i < folders->len; i++) {
    if (!walk_folder (walk, folders->pdata[i], &self, error))
      return FALSE;
  }
  return TRUE;
}

/* Goes down to the folder @below, of which all but @rest was gone through. What
 * lies above belongs to other classes too. */
static gboolean
descend (Walk *walk, const gchar *below, const gchar *rest,
    const Ancestor *parent, GError **error)
{
  g_autofree gchar *above = g_strndup (below, (gsize) (rest - below));
  g_autofree gchar *path = g_build_filename (walk->root, above, NULL);
  const gchar *slash = strchr (rest, '/');
  Ancestor self = {.parent = parent, .depth = parent ? parent->depth + 1 : 0};
  struct stat st;

  if (stat (path, &st) == 0) {
    self.dev = st.st_dev;
    self.ino = st.st_ino;
  }
  return slash ? descend (walk, below, slash + 1, &self, error)
               : walk_folder (walk, below, &self, error);
}

/* By the path of the folder as one string, then by name: what
 * sorted (os.walk (...)) gives. "a-b" comes before "a/b", as '-' < '/'. */
static gint
compare_paths (gconstpointer a, gconstpointer b)
{
  const gchar *x = *(const gchar *const *) a, *y = *(const gchar *const *) b;
  gsize n_x = strrchr (x, '/') - x, n_y = strrchr (y, '/') - y;
  gint order = memcmp (x, y, MIN (n_x, n_y));

  if (order)
    return order;
  if (n_x != n_y)
    return n_x < n_y ? -1 : 1;
  return strcmp (x + n_x, y + n_y);
}

gboolean
tl_folder_list_pictures (const gchar *root, const gchar *below,
    GPtrArray *paths, TlLeftOut *left_out, GError **error)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);
  Walk walk = {root, found, left_out};

  if (!descend (&walk, below, below, NULL, error))
    return FALSE;
  g_ptr_array_sort (found, compare_paths);
  g_ptr_array_extend_and_steal (paths, g_steal_pointer (&found));
  return TRUE;
}
