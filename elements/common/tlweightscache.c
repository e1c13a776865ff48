/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlweightscache.h"

#include <string.h>

#include <tlfail.h>

#include "tlnear.h"

/* ---- Folders ---- */

/* As Python's expanduser, for a variable that no shell has seen. */
static gchar *
expand_home (const gchar *folder)
{
  if (g_str_equal (folder, "~"))
    return g_strdup (g_get_home_dir ());
  if (g_str_has_prefix (folder, "~/"))
    return g_build_filename (g_get_home_dir (), folder + 2, NULL);
  return g_strdup (folder);
}

/* NULL if the variable is not set, or empty. */
static gchar *
get_folder_of (const gchar *variable)
{
  const gchar *value = g_getenv (variable);

  return value && *value ? expand_home (value) : NULL;
}

static gchar *
get_cache_home (void)
{
  gchar *folder = get_folder_of ("XDG_CACHE_HOME");

  return folder ? folder : g_build_filename (g_get_home_dir (), ".cache", NULL);
}

gchar *
tl_weights_cache_get_folder (void)
{
  g_autofree gchar *own = get_folder_of ("TLPIPE_WEIGHTS");
  g_autofree gchar *caches = get_cache_home ();

  return own ? g_steal_pointer (&own)
             : g_build_filename (caches, "tlpipe", "weights", NULL);
}

static gchar *
get_torch_folder (void)
{
  g_autofree gchar *torch = get_folder_of ("TORCH_HOME");

  if (!torch) {
    g_autofree gchar *caches = get_cache_home ();

    torch = g_build_filename (caches, "torch", NULL);
  }
  return g_build_filename (torch, "hub", "checkpoints", NULL);
}

gchar **
tl_weights_cache_list_folders (void)
{
  gchar **folders = g_new0 (gchar *, 3);

  folders[0] = tl_weights_cache_get_folder ();
  folders[1] = get_torch_folder ();
  return folders;
}

gchar *
tl_weights_cache_find (const TlKnownWeights *known)
{
  g_auto (GStrv) folders = tl_weights_cache_list_folders ();

  for (guint i = 0; folders[i]; i++) {
    g_autofree gchar *path = g_build_filename (folders[i], known->file, NULL);

    if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
      return g_steal_pointer (&path);
  }
  return NULL;
}

/* ---- Names ---- */

gchar *
tl_weights_cache_suggest (const gchar *name)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const TlKnownWeights *known;
  char own[TL_KNOWN_WEIGHTS_NAME_SIZE];
  TlNear near;

  tl_near_init (&near, name);
  for (gsize i = 0; (known = tl_known_weights_nth (i)); i++) {
    for (gsize k = 0; tl_known_weights_spell (known, k, own); k++) {
      g_ptr_array_add (names, g_strdup (own));
      tl_near_offer (&near, g_ptr_array_index (names, names->len - 1));
    }
  }
  return tl_near_suggest (&near);
}

static TlStatus
fail_missing (const gchar *weights, const TlKnownWeights *known, TlError *error)
{
  g_auto (GStrv) folders = tl_weights_cache_list_folders ();
  gboolean is_here = g_file_test (weights, G_FILE_TEST_EXISTS);

  return tl_fail (error, TL_ERROR_NOT_FOUND,
      "weights=%.64s: there is no %s in %.250s or %.250s. Get it with \"tlpipe "
      "weights fetch %s\", or download %s%s and put it there.%s%.64s%s",
      weights, known->file, folders[0], folders[1], known->name, TL_WEIGHTS_URL,
      known->file, is_here ? " What is here under that name is weights=./" : "",
      is_here ? weights : "", is_here ? "." : "");
}

static TlStatus
resolve_known (const gchar *weights, const TlKnownWeights *known,
    const gchar *arch, gchar **ret, TlError *error)
{
  if (arch && strcmp (arch, known->arch) != 0)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "weights=%.64s is a %s, but arch=%.64s was asked for: leave arch at "
        "auto, or take other weights.",
        weights, known->arch, arch);
  *ret = tl_weights_cache_find (known);
  return *ret ? TL_OK : fail_missing (weights, known, error);
}

/* A path to nothing: a file that could be had, or a name mistyped. */
static TlStatus
fail_path (const gchar *path, TlError *error)
{
  const TlKnownWeights *known = tl_known_weights_find_file (path);
  g_autofree gchar *cached = known ? tl_weights_cache_find (known) : NULL;
  g_autofree gchar *suggestion = NULL;

  if (cached)
    return tl_fail (error, TL_ERROR_NOT_FOUND,
        "There is no file %.300s. The one in %.300s is weights=%s.", path,
        cached, known->name);
  if (known)
    return tl_fail (error, TL_ERROR_NOT_FOUND,
        "There is no file %.300s. \"tlpipe weights fetch %s\" downloads it; it "
        "is then weights=%s.",
        path, known->name, known->name);
  if (strchr (path, '/'))
    return tl_fail (error, TL_ERROR_NOT_FOUND, "There is no file %.600s.",
        path);
  suggestion = tl_weights_cache_suggest (path);
  return tl_fail (error, TL_ERROR_NOT_FOUND,
      "weights=%.300s is neither a file here nor a name of weights that tlpipe "
      "knows%s. \"tlpipe weights list\" shows the names.",
      path, suggestion);
}

TlStatus
tl_weights_cache_resolve (const gchar *weights, const gchar *arch, gchar **ret,
    TlError *error)
{
  const gchar *wanted = strcmp (arch, "auto") == 0 ? NULL : arch;
  const TlKnownWeights *known = tl_known_weights_find (weights, wanted);

  if (known)
    return resolve_known (weights, known, wanted, ret, error);
  if (!g_file_test (weights, G_FILE_TEST_EXISTS)) {
    if (!wanted && tl_known_weights_needs_arch (weights))
      return tl_fail (error, TL_ERROR_ARGUMENT,
          "weights=%.64s is said of several models: set arch too, or take a "
          "name of \"tlpipe weights list\".",
          weights);
    return fail_path (weights, error);
  }
  *ret = g_strdup (weights);
  return TL_OK;
}
