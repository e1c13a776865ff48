/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlshimtest.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
find_function (ShimLibrary *lib, const char *name)
{
  void *function = dlsym (lib->handle, name);

  if (!function) {
    fprintf (stderr, "%s\n", dlerror ());
    exit (EXIT_FAILURE);
  }
  return function;
}

void
shim_library_open (ShimLibrary *lib, const char *path)
{
  lib->handle = dlopen (path, RTLD_LAZY | RTLD_LOCAL);
  if (!lib->handle) {
    fprintf (stderr, "%s\n", dlerror ());
    exit (EXIT_FAILURE);
  }
  lib->abi = find_function (lib, "tl_shim_abi");
  lib->backend_describe = find_function (lib, "tl_backend_describe");
  lib->device_open = find_function (lib, "tl_device_open");
  lib->model_new = find_function (lib, "tl_model_new");
  lib->model_free = find_function (lib, "tl_model_free");
  lib->model_describe = find_function (lib, "tl_model_describe");
  lib->model_infer = find_function (lib, "tl_model_infer");
  lib->model_features = find_function (lib, "tl_model_features");
  lib->model_evaluate = find_function (lib, "tl_model_evaluate");
  lib->model_visit = find_function (lib, "tl_model_visit");
  lib->trainer_new = find_function (lib, "tl_trainer_new");
  lib->trainer_free = find_function (lib, "tl_trainer_free");
  lib->trainer_step = find_function (lib, "tl_trainer_step");
  lib->trainer_step_features = find_function (lib, "tl_trainer_step_features");
  lib->trainer_visit = find_function (lib, "tl_trainer_visit");
  lib->trainer_restore = find_function (lib, "tl_trainer_restore");
}

void
shim_library_close (ShimLibrary *lib)
{
  dlclose (lib->handle);
}

/* ---- State dicts -------------------------------------------------------- */

static void *
allocate (size_t size)
{
  void *memory = calloc (1, size ? size : 1);

  if (!memory)
    abort ();
  return memory;
}

static uint32_t
draw (uint32_t *state)
{
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

/* Adds room for one tensor like @model with dense data of its own. */
static TlTensor *
add_tensor (StateDict *dict, const TlTensor *model)
{
  size_t size = (size_t) tl_tensor_numel (model) * tl_dtype_size (model->dtype);
  TlTensor *tensor;

  dict->tensors =
      realloc (dict->tensors, (dict->n + 1) * sizeof *dict->tensors);
  if (!dict->tensors)
    abort ();
  tensor = &dict->tensors[dict->n++];
  *tensor = *model;
  tl_tensor_set_contiguous (tensor);
  tensor->name = strdup (model->name);
  tensor->data = allocate (size);
  return tensor;
}

static void
fill_tensor (const TlTensor *tensor, TlEntryKind kind, uint32_t *state)
{
  float *values = (float *) tensor->data;
  int64_t n = tl_tensor_numel (tensor);
  int is_one = kind == TL_ENTRY_BN_WEIGHT || kind == TL_ENTRY_BN_VAR;
  int is_zero = kind == TL_ENTRY_BN_BIAS || kind == TL_ENTRY_BN_MEAN
      || kind == TL_ENTRY_BN_COUNT;

  if (is_zero)
    return;
  for (int64_t i = 0; i < n; i++)
    values[i] = is_one ? 1 : (float) draw (state) / (1 << 24) * 0.1f - 0.05f;
}

void
state_dict_init (StateDict *dict, const char *arch_name, uint32_t n_classes)
{
  const TlArch *arch = tl_arch_find (arch_name);
  TlArchEntry *entries = tl_arch_list_entries (arch, n_classes);
  size_t n = tl_arch_n_entries (arch);
  uint32_t state = 1;

  memset (dict, 0, sizeof *dict);
  for (size_t i = 0; i < n; i++) {
    TlTensor model = {.name = entries[i].name,
        .dtype = entries[i].dtype,
        .n_dims = entries[i].n_dims};

    memcpy (model.shape, entries[i].shape, sizeof entries[i].shape);
    fill_tensor (add_tensor (dict, &model), entries[i].kind, &state);
  }
  free (entries);
}

void
state_dict_clear (StateDict *dict)
{
  for (size_t i = 0; i < dict->n; i++) {
    free ((void *) dict->tensors[i].name);
    free ((void *) dict->tensors[i].data);
  }
  free (dict->tensors);
  memset (dict, 0, sizeof *dict);
}

static size_t
get_size (const TlTensor *tensor)
{
  return (size_t) tl_tensor_numel (tensor) * tl_dtype_size (tensor->dtype);
}

TlStatus
state_dict_collect (const TlTensor *tensor, TlTensorRole role, void *dict)
{
  TlTensor *copy = add_tensor (dict, tensor);

  if (!tl_tensor_is_contiguous (tensor))
    return TL_ERROR_FORMAT;
  memcpy ((void *) copy->data, tensor->data, get_size (tensor));
  return TL_OK;
}

int
state_dict_equal (const StateDict *a, const StateDict *b)
{
  if (a->n != b->n)
    return 0;
  for (size_t i = 0; i < a->n; i++) {
    const TlTensor *x = &a->tensors[i], *y = &b->tensors[i];

    if (strcmp (x->name, y->name) != 0 || get_size (x) != get_size (y)
        || memcmp (x->data, y->data, get_size (x)) != 0)
      return 0;
  }
  return 1;
}

const TlTensor *
state_dict_find (const StateDict *dict, const char *name)
{
  for (size_t i = 0; i < dict->n; i++) {
    if (strcmp (dict->tensors[i].name, name) == 0)
      return &dict->tensors[i];
  }
  return NULL;
}

/* ---- Pictures ----------------------------------------------------------- */

uint8_t *
make_pictures (uint32_t n, uint32_t height, uint32_t width,
    const int32_t *labels, uint32_t seed)
{
  size_t size = (size_t) 3 * height * width;
  uint8_t *pictures = allocate (n * size);
  uint32_t state = seed;

  for (uint32_t i = 0; i < n; i++) {
    for (size_t j = 0; j < size; j++) {
      uint32_t lift = (int32_t) (j % 3) == labels[i] % 3 ? 60 : 0;

      pictures[i * size + j] = (uint8_t) (draw (&state) % 192 + lift);
    }
  }
  return pictures;
}
