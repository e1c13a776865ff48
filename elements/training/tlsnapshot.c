/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlsnapshot.h"

#include <stdlib.h>

#include <tlfail.h>
#include <tlfile.h>
#include <tlintegrity.h>
#include <tlsafetensors.h>

/* Bytes that are copied before they are hashed: they are still in the cache. */
#define PIECE ((gsize) 128 << 10)

/* Copies of some tensors of one visit, their data one behind the other. */
typedef struct
{
  GArray *tensors; /* TlTensor; name owned, no data */
  guint8 *bytes;
  gsize size, capacity;
} Slab;

struct TlSnapshot
{
  const TlShim *shim;
  TlModel *model;
  TlTrainer *trainer;

  /* The frozen tensors begin the data; made by the first checkpoint. */
  gboolean has_frozen;
  Slab frozen; /* bytes are in the memory */
  GstMemory *frozen_memory;
  TlXxh64 frozen_checksum;

  /* Of the last checkpoint, which the next one resembles. */
  gsize model_size, trainer_size;
};

/* ---- Copying ---- */

static void
clear_tensor (TlTensor *tensor)
{
  g_free ((gpointer) tensor->name);
}

/* For @capacity bytes, or more. */
static void
slab_init (Slab *slab, gsize capacity)
{
  slab->tensors = g_array_new (FALSE, FALSE, sizeof (TlTensor));
  g_array_set_clear_func (slab->tensors, (GDestroyNotify) clear_tensor);
  slab->bytes = capacity > 0 ? g_try_malloc (capacity) : NULL;
  slab->size = 0;
  slab->capacity = slab->bytes ? capacity : 0;
}

static void
slab_clear (Slab *slab)
{
  g_clear_pointer (&slab->tensors, g_array_unref);
  g_clear_pointer (&slab->bytes, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Slab, slab_clear)

/* Room that is doubled is not touched, and large blocks move by their pages. */
static TlStatus
slab_reserve (Slab *slab, gsize n, TlError *error)
{
  gsize wanted = MAX (slab->size + n, 2 * slab->capacity);
  guint8 *grown;

  if (n <= slab->capacity - slab->size)
    return TL_OK;
  grown = g_try_realloc (slab->bytes, wanted);
  if (!grown)
    return tl_fail (error, TL_ERROR_MEMORY,
        "Out of memory for a checkpoint: %" G_GSIZE_FORMAT
        " bytes are needed. Take a smaller model, freeze more of it, or use "
        "sgd, which has less state than adam.",
        wanted);
  slab->bytes = grown;
  slab->capacity = wanted;
  return TL_OK;
}

/* One visit. */
typedef struct
{
  Slab *slab;
  gboolean frozen_only, all;
  gsize before; /* bytes of the file's other slabs */
  TlXxh64 *checksum;
  TlError *error; /* borrowed, of who visits */
} Visit;

static void
copy_and_hash (guint8 *target, const guint8 *source, gsize n, TlXxh64 *checksum)
{
  for (gsize at = 0; at < n; at += PIECE) {
    gsize size = MIN (PIECE, n - at);

    memcpy (target + at, source + at, size);
    tl_xxh64_update (checksum, target + at, size);
  }
}

static TlStatus
append_tensor (const TlTensor *tensor, TlTensorRole role, void *user)
{
  Visit *visit = user;
  Slab *slab = visit->slab;
  TlTensor copy = *tensor;
  guint64 size = tl_safetensors_data_size (tensor);
  TlStatus status;

  if (!visit->all && (role == TL_TENSOR_FROZEN) != visit->frozen_only)
    return TL_OK;
  if (size > TL_FILE_MAX_SIZE - TL_SAFETENSORS_MAX_HEADER - visit->before
          - slab->size)
    return tl_fail (visit->error, TL_ERROR_LIMIT,
        "The checkpoint would be larger than 4 GiB, more than a model file may "
        "have.");
  status = slab_reserve (slab, size, visit->error);
  if (status != TL_OK)
    return status;
  copy.name = g_strdup (tensor->name);
  copy.data = NULL;
  g_array_append_val (slab->tensors, copy);
  copy_and_hash (slab->bytes + slab->size, tensor->data, size, visit->checksum);
  slab->size += size;
  return TL_OK;
}

static GstMemory *
slab_to_memory (Slab *slab)
{
  guint8 *bytes = g_steal_pointer (&slab->bytes);
  guint8 *shrunk = realloc (bytes, slab->size);

  bytes = shrunk ? shrunk : bytes;
  return gst_memory_new_wrapped (GST_MEMORY_FLAG_READONLY, bytes, slab->size, 0,
      slab->size, bytes, g_free);
}

/* ---- Life ---- */

TlSnapshot *
tl_snapshot_new (const TlShim *shim, TlModel *model, TlTrainer *trainer)
{
  TlSnapshot *self = g_new0 (TlSnapshot, 1);

  self->shim = shim;
  self->model = model;
  self->trainer = trainer;
  return self;
}

void
tl_snapshot_free (TlSnapshot *self)
{
  if (!self)
    return;
  slab_clear (&self->frozen);
  g_clear_pointer (&self->frozen_memory, gst_memory_unref);
  g_free (self);
}

/* ---- Taking ---- */

static TlStatus
take_frozen (TlSnapshot *self, TlError *error)
{
  g_auto (Slab) slab = {0};
  Visit visit = {.slab = &slab,
      .frozen_only = TRUE,
      .checksum = &self->frozen_checksum,
      .error = error};
  TlStatus status;

  if (self->has_frozen)
    return TL_OK;
  slab_init (&slab, 0);
  tl_xxh64_init (&self->frozen_checksum);
  status = self->shim->model_visit (self->model, append_tensor, &visit, error);
  if (status != TL_OK)
    return status;
  if (slab.size > 0)
    self->frozen_memory = slab_to_memory (&slab);
  self->frozen = slab;
  slab = (Slab){0};
  self->has_frozen = TRUE;
  return TL_OK;
}

/* Fills both slabs; @checksum goes on from the frozen tensors'. */
static TlStatus
take_rest (TlSnapshot *self, Slab *of_model, Slab *of_trainer,
    TlXxh64 *checksum, TlError *error)
{
  Visit visit = {.slab = of_model,
      .before = self->frozen.size,
      .checksum = checksum,
      .error = error};
  TlStatus status =
      self->shim->model_visit (self->model, append_tensor, &visit, error);

  if (status == TL_OK && self->trainer) {
    visit.slab = of_trainer;
    visit.all = TRUE;
    visit.before += of_model->size;
    status =
        self->shim->trainer_visit (self->trainer, append_tensor, &visit, error);
  }
  self->model_size = of_model->size;
  self->trainer_size = of_trainer->size;
  return status;
}

static void
append_seal (GArray *metadata)
{
  const TlMetadata seal[] = {{TL_KEY_CHECKSUM_KIND,
                                 g_strdup (TL_CHECKSUM_KIND)},
      {TL_KEY_CHECKSUM, g_strdup (TL_CHECKSUM_BLANK)}};

  g_array_append_vals (metadata, seal, G_N_ELEMENTS (seal));
}

/* The header of a file with the tensors of these slabs, sealed. */
static TlStatus
build_header (const Slab *const *slabs, guint n_slabs, const TlState *state,
    TlXxh64 *checksum, GstMemory **ret, TlError *error)
{
  g_autoptr (GArray) metadata = tl_state_to_metadata (state);
  g_autoptr (GArray) tensors = g_array_new (FALSE, FALSE, sizeof (TlTensor));
  void *header;
  size_t size;
  TlStatus status;

  append_seal (metadata);
  for (guint i = 0; i < n_slabs; i++) {
    if (slabs[i]->tensors->len > 0)
      g_array_append_vals (tensors, slabs[i]->tensors->data,
          slabs[i]->tensors->len);
  }
  status = tl_safetensors_build_header ((const TlTensor *) tensors->data,
      tensors->len, (const TlMetadata *) metadata->data, metadata->len, &header,
      &size, NULL, error);
  if (status != TL_OK)
    return status;
  tl_integrity_seal (header, size, checksum);
  *ret = gst_memory_new_wrapped (GST_MEMORY_FLAG_READONLY, header, size, 0,
      size, header, free);
  return TL_OK;
}

TlStatus
tl_snapshot_take (TlSnapshot *self, const TlState *state, GstBuffer **ret,
    TlError *error)
{
  g_auto (Slab) of_model = {0}, of_trainer = {0};
  const Slab *const slabs[] = {&self->frozen, &of_model, &of_trainer};
  TlStatus status = take_frozen (self, error);
  GstMemory *header;
  TlXxh64 checksum;

  if (status != TL_OK)
    return status;
  checksum = self->frozen_checksum;
  slab_init (&of_model, self->model_size);
  slab_init (&of_trainer, self->trainer_size);
  status = take_rest (self, &of_model, &of_trainer, &checksum, error);
  if (status == TL_OK)
    status = build_header (slabs, G_N_ELEMENTS (slabs), state, &checksum,
        &header, error);
  if (status != TL_OK)
    return status;

  *ret = gst_buffer_new ();
  gst_buffer_append_memory (*ret, header);
  if (self->frozen_memory)
    gst_buffer_append_memory (*ret, gst_memory_ref (self->frozen_memory));
  if (of_model.size > 0)
    gst_buffer_append_memory (*ret, slab_to_memory (&of_model));
  if (of_trainer.size > 0)
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
