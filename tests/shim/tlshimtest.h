/* SPDX-License-Identifier: BSD-3-Clause */

/* A shim library opened by path, and models and pictures to call it with. */

#ifndef TL_SHIM_TEST_H
#define TL_SHIM_TEST_H

#include "tlarch.h"

/* The functions of tlshim.h, without their prefix. */
typedef struct
{
  void *handle;
  __typeof__ (tl_shim_abi) *abi;
  __typeof__ (tl_backend_describe) *backend_describe;
  __typeof__ (tl_device_open) *device_open;
  __typeof__ (tl_model_new) *model_new;
  __typeof__ (tl_model_free) *model_free;
  __typeof__ (tl_model_describe) *model_describe;
  __typeof__ (tl_model_infer) *model_infer;
  __typeof__ (tl_model_features) *model_features;
  __typeof__ (tl_model_evaluate) *model_evaluate;
  __typeof__ (tl_model_visit) *model_visit;
  __typeof__ (tl_trainer_new) *trainer_new;
  __typeof__ (tl_trainer_free) *trainer_free;
  __typeof__ (tl_trainer_step) *trainer_step;
  __typeof__ (tl_trainer_step_features) *trainer_step_features;
  __typeof__ (tl_trainer_visit) *trainer_visit;
  __typeof__ (tl_trainer_restore) *trainer_restore;
} ShimLibrary;

/* Ends the program with a sentence if the library or a function is missing. */
void shim_library_open (ShimLibrary *lib, const char *path);
void shim_library_close (ShimLibrary *lib);

/* A complete set of tensors; names and data are its own. */
typedef struct
{
  TlTensor *tensors;
  size_t n;
} StateDict;

/* Small repeatable weights in the shapes of @arch, BatchNorm at identity. */
void state_dict_init (StateDict *dict, const char *arch, uint32_t n_classes);
/* An empty one, to be filled by state_dict_collect. */
void state_dict_clear (StateDict *dict);
/* A TlTensorVisitor that copies every tensor into the StateDict @dict. */
TlStatus state_dict_collect (const TlTensor *tensor, TlTensorRole role,
    void *dict);
int state_dict_equal (const StateDict *a, const StateDict *b);
const TlTensor *state_dict_find (const StateDict *dict, const char *name);

/* Pictures of noise around a colour that depends on the label: label k is
 * brighter in channel k % 3. Repeatable by @seed. Freed with free(). */
uint8_t *make_pictures (uint32_t n, uint32_t height, uint32_t width,
    const int32_t *labels, uint32_t seed);

#endif
