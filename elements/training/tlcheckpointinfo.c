/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlcheckpointinfo.h"

#include <tlbytes.h>
#include <tlcheckpoint.h>
#include <tlfail.h>
#include <tlfile.h>
#include <tlintegrity.h>
#include <tlsafetensors.h>

#include <math.h>
#include <string.h>

/* What a header may take once it is read; ResNet-152's takes 1 MiB. */
#define MAX_MEMORY ((gsize) 256 << 20)

/* Two runs that share these give the same files. The number of epochs is not
 * among them: a run may be prolonged. */
static const gchar *const run_keys[] = {TL_KEY_ARCH, TL_KEY_CLASSES,
    TL_KEY_PREPROCESS, TL_KEY_TRANSFORM, TL_KEY_WEIGHTS_SHA256, TL_KEY_FREEZE,
    TL_KEY_TRAIN_BN, TL_KEY_EXACT, TL_KEY_PRECISION, TL_KEY_OPTIMIZER,
    TL_KEY_SCHEDULE, TL_KEY_BATCH_SIZE, TL_KEY_SEED, TL_KEY_SHUFFLE,
    TL_KEY_DIGEST};

void
tl_checkpoint_info_clear (TlCheckpointInfo *self)
{
  g_free (self->run);
  g_free (self->train);
  g_free (self->valid);
  *self = (TlCheckpointInfo){0};
}

static const gchar *
lookup (const TlTensorSet *set, const gchar *key)
{
  for (gsize i = 0; i < set->n_metadata; i++) {
    if (strcmp (set->metadata[i].key, key) == 0)
      return set->metadata[i].value;
  }
  return NULL;
}

static TlStatus
require (const TlTensorSet *set, const gchar *key, const gchar **ret,
    TlError *error)
{
  *ret = lookup (set, key);
  if (*ret)
    return TL_OK;
  return tl_fail (error, TL_ERROR_FORMAT,
      "it does not say %s; checkpointsink takes what resnetfinetune gives",
      key);
}

static TlStatus
require_number (const TlTensorSet *set, const gchar *key, guint64 max,
    guint64 *ret, TlError *error)
{
  const gchar *text;
  TlStatus status = require (set, key, &text, error);

  if (status == TL_OK
      && !g_ascii_string_to_unsigned (text, 10, 0, max, ret, NULL))
    return tl_fail (error, TL_ERROR_FORMAT,
        "it says %s=\"%s\", where a number is expected", key,
        tl_show_text (text, strlen (text)).text);
  return status;
}

static gchar *
describe_run (const TlTensorSet *set)
{
  GString *run = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (run_keys); i++) {
    const gchar *value = lookup (set, run_keys[i]);

    g_string_append_printf (run, "%s=%s\n", run_keys[i], value ? value : "");
  }
  return g_string_free (run, FALSE);
}

static TlStatus
fill (TlCheckpointInfo *ret, const TlTensorSet *set, TlError *error)
{
  const gchar *split, *state;
  guint64 epoch, position, step;
  TlStatus status = require (set, TL_KEY_STATE, &state, error);

  if (status == TL_OK)
    status = require (set, TL_KEY_SPLIT, &split, error);
  if (status == TL_OK)
    status = require_number (set, TL_KEY_EPOCH, G_MAXUINT32, &epoch, error);
  if (status == TL_OK)
    status =
        require_number (set, TL_KEY_POSITION, G_MAXUINT64, &position, error);
  if (status == TL_OK)
    status = require_number (set, TL_KEY_STEP, G_MAXUINT64, &step, error);
  if (status != TL_OK)
    return status;
  ret->run = describe_run (set);
  ret->epoch = (guint32) epoch;
  ret->step = step;
  ret->ends_epoch = epoch > 0
      && (strcmp (state, "finished") == 0
          || (strcmp (split, "train") == 0 && position == 0));
  ret->train = g_strdup (lookup (set, TL_KEY_METRICS_TRAIN));
  ret->valid = g_strdup (lookup (set, TL_KEY_METRICS_VALID));
  return TL_OK;
}

TlStatus
tl_checkpoint_info_read (TlCheckpointInfo *ret, gconstpointer bytes, gsize size,
    guint64 file_size, TlError *error)
{
  TlTensorSet set = TL_TENSOR_SET_INIT (MAX_MEMORY);
  TlStatus status =
      tl_safetensors_read_header (bytes, size, file_size, &set, error);

  if (status == TL_OK)
    status = fill (ret, &set, error);
  tl_tensor_set_clear (&set);
  return status;
}

/* The length of the header is in its first eight bytes. */
static TlStatus
read_start (const TlFile *file, guint8 **ret, gsize *size, TlError *error)
{
  guint8 length[8];
  guint64 n;
  TlStatus status;

  if (file->size < sizeof length)
    return tl_fail (error, TL_ERROR_FORMAT, "the file is too short");
  status = tl_file_read (file, 0, length, sizeof length, error);
  if (status != TL_OK)
    return status;
  n = tl_get_u64 (length);
  if (n > TL_SAFETENSORS_MAX_HEADER || n > file->size - sizeof length)
    return tl_fail (error, TL_ERROR_FORMAT, "the file is not safetensors");
  *size = sizeof length + n;
  *ret = g_malloc (*size);
  return tl_file_read (file, 0, *ret, *size, error);
}

/* Reads the header of the file at @path; @ret is to be freed. */
static TlStatus
read_header (const gchar *path, guint8 **ret, gsize *size, guint64 *file_size,
    TlError *error)
{
  TlFile file;
  TlStatus status = tl_file_open (path, &file, error);

  if (status != TL_OK)
    return status;
  status = read_start (&file, ret, size, error);
  *file_size = file.size;
  tl_file_close (&file);
  return status;
}

TlStatus
tl_checkpoint_info_read_file (TlCheckpointInfo *ret, const gchar *path,
    TlError *error)
{
  g_autofree guint8 *bytes = NULL;
  guint64 file_size = 0;
  gsize size = 0;
  TlStatus status = read_header (path, &bytes, &size, &file_size, error);

  if (status == TL_OK)
    status = tl_checkpoint_info_read (ret, bytes, size, file_size, error);
  return status;
}

TlStatus
tl_checkpoint_check_file (const gchar *path, TlError *error)
{
  TlTensorSet set = TL_TENSOR_SET_INIT (MAX_MEMORY);
  g_autofree guint8 *bytes = NULL;
  guint64 file_size = 0;
  gsize size = 0;
  TlStatus status = read_header (path, &bytes, &size, &file_size, error);

  if (status == TL_OK)
    status = tl_safetensors_read_header (bytes, size, file_size, &set, error);
  if (status == TL_OK)
    status = tl_integrity_check_file (path, bytes, size, &set, error);
  tl_tensor_set_clear (&set);
  return status;
}

gboolean
tl_metrics_lookup (const gchar *metrics, const gchar *name, gdouble *ret)
{
  g_auto (GStrv) words = g_strsplit (metrics ? metrics : "", " ", -1);
  gsize n = strlen (name);

  for (guint i = 0; words[i]; i++) {
    const gchar *number = words[i] + n + 1;
    gchar *end;
    gdouble value;

    if (strncmp (words[i], name, n) != 0 || words[i][n] != '=')
      continue;
    value = g_ascii_strtod (number, &end);
    if (end == number || *end != '\0' || !isfinite (value))
      return FALSE;
    *ret = value;
    return TRUE;
  }
  return FALSE;
}
