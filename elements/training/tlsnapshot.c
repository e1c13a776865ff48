/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlsnapshot.h"

#include <stdlib.h>

#include <tlfail.h>
#include <tlsafetensors.h>

/* Copies of the tensors of one visit. Their data lie one behind the other in
 * the slab, which moves while it grows: views are made at the end. */
typedef struct
{
  GArray *tensors; /* TlTensor; name owned, data set by finish */
  GByteArray *slab;
  TlError *error; /* borrowed, of who visits */
} Slab;

static void
clear_tensor (TlTensor *tensor)
{
  g_free ((gpointer) tensor->name);
}

static void
slab_init (Slab *slab, TlError *error)
{
  slab->error = error;
  slab->tensors = g_array_new (FALSE, FALSE, sizeof (TlTensor));
  g_array_set_clear_func (slab->tensors, (GDestroyNotify) clear_tensor);
  slab->slab = g_byte_array_new ();
}

static void
slab_clear (Slab *slab)
{
  g_clear_pointer (&slab->tensors, g_array_unref);
  g_clear_pointer (&slab->slab, g_byte_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Slab, slab_clear)

/* GByteArray counts in guint. */
#define MAX_SLAB (G_MAXUINT / 2)

static TlStatus
append_tensor (const TlTensor *tensor, TlTensorRole role, void *user)
{
  Slab *slab = user;
  TlTensor copy = *tensor;
  guint64 size = tl_safetensors_data_size (tensor);

  if (size > MAX_SLAB - slab->slab->len)
    return tl_fail (slab->error, TL_ERROR_LIMIT,
        "The checkpoint would be larger than %u bytes.", MAX_SLAB);
  copy.name = g_strdup (tensor->name);
  copy.data = NULL;
  g_array_append_val (slab->tensors, copy);
  g_byte_array_append (slab->slab, tensor->data, (guint) size);
  return TL_OK;
}

static GstMemory *
slab_to_memory (Slab *slab)
{
  GBytes *bytes = g_byte_array_free_to_bytes (g_steal_pointer (&slab->slab));
  gsize size;
  gpointer data = (gpointer) g_bytes_get_data (bytes, &size);

  return gst_memory_new_wrapped (GST_MEMORY_FLAG_READONLY, data, size, 0, size,
      bytes, (GDestroyNotify) g_bytes_unref);
}

/* The header of a file with the tensors of both slabs. */
static TlStatus
build_header (const Slab *model, const Slab *trainer, const TlState *state,
    GstMemory **ret, TlError *error)
{
  g_autoptr (GArray) metadata = tl_state_to_metadata (state);
  guint n = model->tensors->len + trainer->tensors->len;
  g_autofree TlTensor *tensors = g_new (TlTensor, n);
  void *header;
  size_t size;
  TlStatus status;

  memcpy (tensors, model->tensors->data, model->tensors->len * sizeof *tensors);
  if (trainer->tensors->len > 0)
    memcpy (tensors + model->tensors->len, trainer->tensors->data,
        trainer->tensors->len * sizeof *tensors);
  status = tl_safetensors_build_header (tensors, n,
      (const TlMetadata *) metadata->data, metadata->len, &header, &size, NULL,
      error);
  if (status != TL_OK)
    return status;
  *ret = gst_memory_new_wrapped (GST_MEMORY_FLAG_READONLY, header, size, 0,
      size, header, free);
  return TL_OK;
}

TlStatus
tl_snapshot_take (const TlShim *shim, TlModel *model, TlTrainer *trainer,
    const TlState *state, GstBuffer **ret, TlError *error)
{
  g_auto (Slab) of_model = {0}, of_trainer = {0};
  GstMemory *header;
  TlStatus status;

  slab_init (&of_model, error);
  slab_init (&of_trainer, error);
  status = shim->model_visit (model, append_tensor, &of_model, error);
  if (status == TL_OK && trainer)
    status = shim->trainer_visit (trainer, append_tensor, &of_trainer, error);
  if (status == TL_OK)
    status = build_header (&of_model, &of_trainer, state, &header, error);
  if (status != TL_OK)
    return status;

  *ret = gst_buffer_new ();
  gst_buffer_append_memory (*ret, header);
  gst_buffer_append_memory (*ret, slab_to_memory (&of_model));
  if (of_trainer.slab->len > 0)
    gst_buffer_append_memory (*ret, slab_to_memory (&of_trainer));
  return TL_OK;
}

typedef struct
{
  TlSha256 sha;
  guint n;
} FrozenHash;

static TlStatus
hash_frozen (const TlTensor *tensor, TlTensorRole role, void *user)
{
  FrozenHash *hash = user;
  const gchar *dtype = tl_dtype_name (tensor->dtype);

  if (role != TL_TENSOR_FROZEN)
    return TL_OK;
  tl_sha256_update (&hash->sha, tensor->name, strlen (tensor->name) + 1);
  tl_sha256_update (&hash->sha, dtype, strlen (dtype) + 1);
  tl_sha256_update (&hash->sha, tensor->shape,
      tensor->n_dims * sizeof *tensor->shape);
  tl_sha256_update (&hash->sha, tensor->data,
      tl_safetensors_data_size (tensor));
  hash->n++;
  return TL_OK;
}

TlStatus
tl_snapshot_hash_frozen (const TlShim *shim, TlModel *model,
    gchar hex[TL_SHA256_HEX_SIZE], guint *n, TlError *error)
{
  FrozenHash hash = {.n = 0};
  TlStatus status;

  tl_sha256_init (&hash.sha);
  status = shim->model_visit (model, hash_frozen, &hash, error);
  if (status != TL_OK)
    return status;
  tl_sha256_final_hex (&hash.sha, hex);
  *n = hash.n;
  return TL_OK;
}
