/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlcontract.h"

#include <stdio.h>

const char *arch;
TlError error = TL_ERROR_INIT;
ShimLibrary lib;
StateDict dict;
TlModel *model;
TlTrainer *trainer;
TlModelInfo info = {.struct_size = sizeof info};
uint8_t *pictures;
float *features;
const int32_t labels[N] = {0, 2};

static const char *library_path;

TlModelOptions
get_model_options (void)
{
  TlModelOptions options = TL_MODEL_OPTIONS_INIT;

  options.arch = arch;
  return options;
}

TlTrainerOptions
get_trainer_options (void)
{
  TlTrainerOptions options = TL_TRAINER_OPTIONS_INIT;

  return options;
}

TlBatch
get_batch (void)
{
  TlBatch batch = {.struct_size = sizeof batch,
      .n = N,
      .height = SIDE,
      .width = SIDE,
      .pixels = pictures};

  return batch;
}

void
setup_contract (void)
{
  TlModelOptions model_options = get_model_options ();
  TlTrainerOptions trainer_options = get_trainer_options ();
  TlBatch batch;

  shim_library_open (&lib, library_path);
  state_dict_init (&dict, arch, N_CLASSES);
  pictures = make_pictures (N, SIDE, SIDE, labels, 1);
  batch = get_batch ();
  assert_ok (
      lib.model_new (&model_options, dict.tensors, dict.n, &model, &error));
  assert_ok (lib.model_describe (model, &info, &error));
  assert_ok (lib.trainer_new (model, &trainer_options, &trainer, &error));
  features = calloc ((size_t) N * info.n_features, sizeof *features);
  assert_ok (lib.model_features (model, &batch, features, &error));
}

void
teardown_contract (void)
{
  lib.trainer_free (trainer);
  lib.model_free (model);
  free (features);
  free (pictures);
  state_dict_clear (&dict);
  shim_library_close (&lib);
}

int
run_contract (int argc, char **argv, Suite *suite)
{
  if (argc != 3) {
    fprintf (stderr, "usage: %s LIBRARY ARCH\n", argv[0]);
    return 2;
  }
  library_path = argv[1];
  arch = argv[2];

  /* One process: libtorch's threads do not survive a fork. */
  setenv ("CK_FORK", "no", 0);
  return run_suite (suite);
}
