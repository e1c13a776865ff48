/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlweights.h"

#include <math.h>
#include <stdlib.h>

#include <tlcheckpoint.h>
#include <tlclasses.h>
#include <tlfail.h>
#include <tlmodelfile.h>
#include <tlrandom.h>

#define OPTIMIZER_PREFIX "optimizer."

struct TlWeights
{
  gchar *path;
  TlModelFile *file; /* NULL: random */
  GArray *model;     /* TlTensor, those of the file without the optimizer's */
  const TlArch *arch;
  gboolean is_checkpoint;
  TlState state; /* of a checkpoint */
  gchar sha256[TL_SHA256_HEX_SIZE];
};

/* ---- Opening ---- */

static TlStatus
find_arch (const gchar *name, const TlArch **ret, TlError *error)
{
  g_autoptr (GString) names = NULL;

  *ret = NULL;
  if (strcmp (name, "auto") == 0)
    return TL_OK;
  *ret = tl_arch_find (name);
  if (*ret)
    return TL_OK;
  names = g_string_new ("auto");
  for (size_t i = 0; tl_arch_nth (i); i++) {
    if (tl_arch_nth (i)->block != TL_BLOCK_NONE)
      g_string_append_printf (names, ", %s", tl_arch_nth (i)->name);
  }
  return tl_fail (error, TL_ERROR_ARGUMENT,
      "arch=%s is unknown: expected one of %s.", name, names->str);
}

/* Splits the file's tensors: those of the optimizer are not the model's. */
static GArray *
select_tensors (const TlWeights *self, gboolean of_optimizer)
{
  GArray *selected = g_array_new (FALSE, FALSE, sizeof (TlTensor));
  size_t n;
  const TlTensor *tensors = tl_model_file_tensors (self->file, &n);

  for (size_t i = 0; i < n; i++) {
    gboolean is_optimizer = self->is_checkpoint
        && g_str_has_prefix (tensors[i].name, OPTIMIZER_PREFIX);

    if (is_optimizer == of_optimizer)
      g_array_append_val (selected, tensors[i]);
  }
  return selected;
}

static TlStatus
read_state (TlWeights *self, TlError *error)
{
  size_t n;
  const TlMetadata *metadata = tl_model_file_metadata (self->file, &n);

  self->is_checkpoint =
      tl_model_file_lookup (self->file, TL_KEY_VERSION) != NULL;
  if (!self->is_checkpoint)
    return TL_OK;
  return tl_state_from_metadata (&self->state, metadata, n, self->path, error);
}

static TlStatus
check_state (const TlWeights *self, guint32 n_classes, TlError *error)
{
  g_auto (GStrv) classes = tl_classes_from_json (self->state.classes);
  guint n_listed = classes ? g_strv_length (classes) : 0;

  if (strcmp (self->state.arch, self->arch->name) != 0)
    return tl_fail (error, TL_ERROR_FORMAT,
        "%s is damaged: it says that it is a %.64s, but has the tensors of a "
        "%s.",
        self->path, self->state.arch, self->arch->name);
  if (n_listed != n_classes)
    return tl_fail (error, TL_ERROR_FORMAT,
        "%s is damaged: its head is for %u classes, but it lists %u.",
        self->path, n_classes, n_listed);
  return TL_OK;
}

/* The architecture is that of the tensors; @wanted (or NULL) and the metadata
 * must not contradict. */
static TlStatus
recognise (TlWeights *self, const TlArch *wanted, TlError *error)
{
  guint32 n_classes = 0;
  TlStatus status = tl_arch_recognise ((const TlTensor *) self->model->data,
      self->model->len, &self->arch, &n_classes, error);

  if (status != TL_OK) {
    g_autofree gchar *reason = g_strdup (error->message);

    return tl_fail (error, status, "%s is not a ResNet that tlpipe knows: %s",
        self->path, reason);
  }
  if (wanted && wanted != self->arch)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "%s is a %s, but arch=%s was asked for: leave arch at auto, or take "
        "another file.",
        self->path, self->arch->name, wanted->name);
  return self->is_checkpoint ? check_state (self, n_classes, error) : TL_OK;
}

static TlStatus
open_file (TlWeights *self, const TlArch *wanted, TlError *error)
{
  TlStatus status = tl_model_file_open (self->path, &self->file, error);

  if (status == TL_OK)
    status = read_state (self, error);
  if (status != TL_OK)
    return status;
  tl_model_file_sha256 (self->file, self->sha256);
  self->model = select_tensors (self, FALSE);
  return recognise (self, wanted, error);
}

TlStatus
tl_weights_open (const gchar *path, const gchar *arch, TlWeights **ret,
    TlError *error)
{
  g_autoptr (TlWeights) self = g_new0 (TlWeights, 1);
  const TlArch *wanted;
  TlStatus status = find_arch (arch, &wanted, error);

  if (status != TL_OK)
    return status;
  self->path = g_strdup (path ? path : "random");
  if (path) {
    status = open_file (self, wanted, error);
  } else {
    self->arch = wanted;
    g_strlcpy (self->sha256, "random", sizeof self->sha256);
  }
  if (status == TL_OK)
    *ret = g_steal_pointer (&self);
  return status;
}

void
tl_weights_free (TlWeights *self)
{
  if (!self)
    return;
  g_clear_pointer (&self->model, g_array_unref);
  tl_model_file_free (self->file);
  tl_state_clear (&self->state);
  g_free (self->path);
  g_free (self);
}

/* ---- What it is ---- */

const gchar *
tl_weights_path (const TlWeights *self)
{
  return self->path;
}

const gchar *
tl_weights_sha256 (const TlWeights *self)
{
  return self->sha256;
}

const TlArch *
tl_weights_arch (const TlWeights *self)
{
  return self->arch;
}

const TlState *
tl_weights_state (const TlWeights *self)
{
  return self->is_checkpoint ? &self->state : NULL;
}

gboolean
tl_weights_has_classes (const TlWeights *self, const gchar *const *classes)
{
  g_auto (GStrv) own = NULL;

  if (!self->is_checkpoint)
    return FALSE;
  own = tl_classes_from_json (self->state.classes);
  return own && g_strv_equal ((const gchar *const *) own, classes);
}

GArray *
tl_weights_get_optimizer (const TlWeights *self)
{
  return select_tensors (self, TRUE);
}

/* ---- Drawing ---- */

static gsize
n_elements (const TlArchEntry *entry)
{
  gsize n = 1;

  for (guint32 d = 0; d < entry->n_dims; d++)
    n *= (gsize) entry->shape[d];
  return n;
}

static void
fill (gfloat *values, gsize n, gfloat value)
{
  for (gsize i = 0; i < n; i++)
    values[i] = value;
}

/* The number of the tensor in the state dict takes the place of the view:
 * there are more tensors than draw numbers. */
static void
draw_uniform (gfloat *values, gsize n, guint64 seed, guint32 tensor,
    gdouble bound)
{
  for (gsize i = 0; i < n; i++)
    values[i] = (gfloat) (bound
        * (2 * tl_random_uniform (seed, tensor, i, TL_DRAW_WEIGHTS) - 1));
}

static void
draw_normal (gfloat *values, gsize n, guint64 seed, guint32 tensor,
    gdouble deviation)
{
  for (gsize i = 0; i < n; i++)
    values[i] = (gfloat) (deviation
        * tl_random_normal (seed, tensor, i, TL_DRAW_WEIGHTS));
}

/* Outputs that an input reaches: all dimensions but that of the inputs. */
static gdouble
fan_out (const TlArchEntry *entry)
{
  gdouble n = 1;

  for (guint32 d = 0; d < entry->n_dims; d++)
    n *= d == 1 ? 1.0 : (gdouble) entry->shape[d];
  return n;
}

static void
draw_tensor (TlWeightsSet *set, const TlArch *arch, const TlArchEntry *entry,
    guint64 seed, guint32 number)
{
  gsize n = n_elements (entry);
  gfloat *values = g_new (gfloat, n);
  gchar *name = g_strdup (entry->name);
  TlTensor tensor = {.name = name,
      .dtype = TL_DTYPE_F32,
      .n_dims = entry->n_dims,
      .data = values};

  memcpy (tensor.shape, entry->shape, sizeof entry->shape);
  tl_tensor_set_contiguous (&tensor);
  if (entry->kind == TL_ENTRY_FC_WEIGHT || entry->kind == TL_ENTRY_FC_BIAS)
    draw_uniform (values, n, seed, number, 1 / sqrt (arch->n_features));
  else if (entry->kind == TL_ENTRY_CONV_WEIGHT)
    draw_normal (values, n, seed, number, sqrt (2 / fan_out (entry)));
  else
    fill (values, n,
        entry->kind == TL_ENTRY_BN_WEIGHT || entry->kind == TL_ENTRY_BN_VAR);
  g_ptr_array_add (set->drawn, name);
  g_ptr_array_add (set->drawn, values);
  g_array_append_val (set->tensors, tensor);
}

static gboolean
is_head (const gchar *name)
{
  return tl_stage_of_tensor (name) == TL_STAGE_FC;
}

/* The head, or every tensor that a file must have. */
static void
draw_tensors (const TlWeights *self, guint32 n_classes, guint64 seed,
    gboolean head_only, TlWeightsSet *set)
{
  TlArchEntry *entries = tl_arch_list_entries (self->arch, n_classes);
  size_t n = tl_arch_n_entries (self->arch);

  g_assert (entries);
  for (size_t i = 0; i < n; i++) {
    if (entries[i].kind != TL_ENTRY_BN_COUNT
        && (!head_only || is_head (entries[i].name)))
      draw_tensor (set, self->arch, &entries[i], seed, (guint32) i);
  }
  free (entries);
}

void
tl_weights_build (const TlWeights *self, const gchar *const *classes,
    guint64 seed, TlWeightsSet *ret)
{
  guint n_classes = g_strv_length ((gchar **) classes);

  ret->tensors = g_array_new (FALSE, FALSE, sizeof (TlTensor));
  ret->drawn = g_ptr_array_new_with_free_func (g_free);
  ret->new_head = !tl_weights_has_classes (self, classes);
  for (guint i = 0; self->model && i < self->model->len; i++) {
    TlTensor *tensor = &g_array_index (self->model, TlTensor, i);

    if (!ret->new_head || !is_head (tensor->name))
      g_array_append_vals (ret->tensors, tensor, 1);
  }
  if (ret->new_head)
    draw_tensors (self, n_classes, seed, self->file != NULL, ret);
}

void
tl_weights_set_clear (TlWeightsSet *self)
{
  g_clear_pointer (&self->tensors, g_array_unref);
  g_clear_pointer (&self->drawn, g_ptr_array_unref);
}
