/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlrunsearch.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include <tlcheckpoint.h>
#include <tlfail.h>
#include <tlmodelfile.h>

#define LAST "last.safetensors"
#define OTHERS "^(best|epoch-[0-9]{3,10})\\.safetensors$"

void
tl_run_search_clear (TlRunSearch *self)
{
  g_clear_pointer (&self->bad, g_ptr_array_unref);
  g_free (self->path);
  g_free (self->split);
  *self = (TlRunSearch){0};
}

/* ---- One file ---- */

static gboolean
read_number (const TlModelFile *file, const gchar *key, guint64 max,
    guint64 *ret)
{
  const gchar *text = tl_model_file_lookup (file, key);

  return text && g_ascii_string_to_unsigned (text, 10, 0, max, ret, NULL);
}

/* FALSE if it is no checkpoint. */
static gboolean
read_place (TlRunSearch *self, const TlModelFile *file)
{
  const gchar *state = tl_model_file_lookup (file, TL_KEY_STATE);
  const gchar *split = tl_model_file_lookup (file, TL_KEY_SPLIT);
  guint64 epoch, epochs;

  if (!state || !split || !read_number (file, TL_KEY_EPOCH, G_MAXUINT32, &epoch)
      || !read_number (file, TL_KEY_EPOCHS, G_MAXUINT32, &epochs)
      || !read_number (file, TL_KEY_STEP, G_MAXUINT64, &self->step)
      || !read_number (file, TL_KEY_POSITION, G_MAXUINT64, &self->position))
    return FALSE;
  self->epoch = (guint) epoch;
  self->epochs = (guint) epochs;
  self->split = g_strdup (split);
  self->is_finished = strcmp (state, "finished") == 0;
  return TRUE;
}

/* Fills @ret, which is empty, or says in @error why the file is of no use. */
static gboolean
read_checkpoint (TlRunSearch *ret, const gchar *path, TlError *error)
{
  TlModelFile *file;
  gboolean is_good;

  if (tl_model_file_open (path, &file, error) != TL_OK)
    return FALSE;
  is_good = read_place (ret, file);
  tl_model_file_free (file);
  if (is_good)
    ret->path = g_strdup (path);
  else
    tl_fail (error, TL_ERROR_FORMAT,
        "%s is no checkpoint of a run that could go on.", path);
  return is_good;
}

/* ---- The folder ---- */

/* Takes the file if there is none yet, or if it has more steps. Damaged files
 * are passed over; one that may be good and cannot be read is not. */
static TlStatus
try_file (TlRunSearch *self, const gchar *folder, const gchar *name,
    TlError *error)
{
  g_autofree gchar *path = g_build_filename (folder, name, NULL);
  g_auto (TlRunSearch) found = {0};
  TlError reason = TL_ERROR_INIT;

  if (g_access (path, R_OK) < 0)
    return errno == ENOENT
        ? TL_OK
        : tl_fail (error, TL_ERROR_READ, "%s cannot be read: %s.", path,
            g_strerror (errno));
  if (!read_checkpoint (&found, path, &reason)) {
    g_ptr_array_add (self->bad, g_strdup (reason.message));
    return TL_OK;
  }
  if (self->path && self->step >= found.step)
    return TL_OK;
  found.bad = g_steal_pointer (&self->bad);
  tl_run_search_clear (self);
  *self = found;
  found = (TlRunSearch){0};
  return TL_OK;
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const gchar *const *) a, *(const gchar *const *) b);
}

/* Sorted: of two files with the same steps it is always the same one. */
static TlStatus
list_others (const gchar *folder, GPtrArray **ret, TlError *error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &reason);
  const gchar *name;

  *ret = g_ptr_array_new_with_free_func (g_free);
  if (!dir && !g_error_matches (reason, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    return tl_fail (error, TL_ERROR_READ, "The run folder cannot be read: %s.",
        reason->message);
  while (dir && (name = g_dir_read_name (dir))) {
    if (g_regex_match_simple (OTHERS, name, 0, 0))
      g_ptr_array_add (*ret, g_strdup (name));
  }
  g_ptr_array_sort (*ret, compare_names);
  return TL_OK;
}

static TlStatus
search (TlRunSearch *self, const gchar *folder, TlError *error)
{
  g_autoptr (GPtrArray) names = NULL;
  TlStatus status = list_others (folder, &names, error);

  if (status == TL_OK)
    status = try_file (self, folder, LAST, error);
  if (self->path)
    return status;
  for (guint i = 0; i < names->len && status == TL_OK; i++)
    status = try_file (self, folder, names->pdata[i], error);
  return status;
}

TlStatus
tl_run_search (TlRunSearch *ret, const gchar *folder, TlError *error)
{
  TlStatus status;

  *ret = (TlRunSearch){.bad = g_ptr_array_new_with_free_func (g_free)};
  status = search (ret, folder, error);
  if (status != TL_OK)
    tl_run_search_clear (ret);
  return status;
}
