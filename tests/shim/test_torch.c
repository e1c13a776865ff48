/* SPDX-License-Identifier: BSD-3-Clause */

/* What the libtorch backend does beyond the contract of every backend; that
 * its numbers are PyTorch's is checked in tests/parity. */

#include "tlshimtest.h"
#include "tltest.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define N_CLASSES 3
#define BATCH 6
#define SIDE 64
#define N_FEATURES 512

static const char *library_path;
static TlError error = TL_ERROR_INIT;
static ShimLibrary lib;
static StateDict dict;
static int32_t labels[BATCH];
static uint8_t *pixels;
static TlBatch batch;

static void
setup (void)
{
  shim_library_open (&lib, library_path);
  state_dict_init (&dict, "resnet18", N_CLASSES);
  for (int i = 0; i < BATCH; i++)
    labels[i] = i % N_CLASSES;
  pixels = make_pictures (BATCH, SIDE, SIDE, labels, 1);
  batch = (TlBatch){.struct_size = sizeof batch,
      .n = BATCH,
      .height = SIDE,
      .width = SIDE,
      .pixels = pixels};
}

static void
teardown (void)
{
  free (pixels);
  state_dict_clear (&dict);
  shim_library_close (&lib);
}

static TlModelOptions
get_options (TlStage freeze)
{
  TlModelOptions options = TL_MODEL_OPTIONS_INIT;

  options.freeze = freeze;
  options.n_threads = 1;
  return options;
}

static TlModel *
make_model (const StateDict *state, const TlModelOptions *options)
{
  TlModel *model = NULL;

  assert_ok (lib.model_new (options, state->tensors, state->n, &model, &error));
  return model;
}

static TlTrainer *
make_trainer (TlModel *model, TlOptimizer optimizer)
{
  TlTrainerOptions options = TL_TRAINER_OPTIONS_INIT;
  TlTrainer *trainer = NULL;

  options.optimizer = optimizer;
  options.weight_decay = 0.01;
  assert_ok (lib.trainer_new (model, &options, &trainer, &error));
  return trainer;
}

static StateDict
save_model (TlModel *model)
{
  StateDict state = {0};

  assert_ok (lib.model_visit (model, state_dict_collect, &state, &error));
  return state;
}

static StateDict
save_optimizer (TlTrainer *trainer)
{
  StateDict state = {0};

  assert_ok (lib.trainer_visit (trainer, state_dict_collect, &state, &error));
  return state;
}

static void
train (TlTrainer *trainer, int n_steps)
{
  for (int i = 0; i < n_steps; i++)
    assert_ok (lib.trainer_step (trainer, &batch, labels, 1e-3, NULL, &error));
}

static float
evaluate (TlModel *model)
{
  TlStepResult result = {.struct_size = sizeof result};

  assert_ok (lib.model_evaluate (model, &batch, labels, NULL, &result, &error));
  return result.loss;
}

/* ---- Training ----------------------------------------------------------- */

static const struct
{
  const char *name;
  TlStage freeze;
  TlOptimizer optimizer;
  uint32_t train_bn;
  uint32_t exact;
} recipes[] = {
    {"sgd, fc", TL_STAGE_LAYER4, TL_OPTIMIZER_SGD, 0, 0},
    {"sgd, layer4", TL_STAGE_LAYER3, TL_OPTIMIZER_SGD, 0, 0},
    {"sgd, layer4, moving BatchNorm", TL_STAGE_LAYER3, TL_OPTIMIZER_SGD, 1, 0},
    {"sgd, everything", TL_STAGE_NONE, TL_OPTIMIZER_SGD, 0, 0},
    {"sgd, layer4, exact", TL_STAGE_LAYER3, TL_OPTIMIZER_SGD, 0, 1},
    {"adam, layer4", TL_STAGE_LAYER3, TL_OPTIMIZER_ADAM, 0, 0},
    {"adamw, layer4", TL_STAGE_LAYER3, TL_OPTIMIZER_ADAMW, 0, 0},
};

#define N_RECIPES ((int) (sizeof recipes / sizeof recipes[0]))

static TlModel *
make_recipe_model (const StateDict *state, int i)
{
  TlModelOptions options = get_options (recipes[i].freeze);

  options.train_bn = recipes[i].train_bn;
  options.exact = recipes[i].exact;
  return make_model (state, &options);
}

START_TEST (training_lowers_the_loss)
{
  TlModel *model = make_recipe_model (&dict, _i);
  TlTrainer *trainer = make_trainer (model, recipes[_i].optimizer);
  float before = evaluate (model), after;

  train (trainer, 30);
  after = evaluate (model);
  ck_assert_msg (after < before, "%s: loss %g, then %g", recipes[_i].name,
      (double) before, (double) after);
  lib.trainer_free (trainer);
  lib.model_free (model);
}
END_TEST

START_TEST (a_restored_trainer_continues_to_the_same_bytes)
{
  TlModel *model = make_recipe_model (&dict, _i), *resumed_model;
  TlTrainer *trainer = make_trainer (model, recipes[_i].optimizer), *resumed;
  StateDict saved, saved_optimizer, wanted, wanted_optimizer, got,
      got_optimizer;

  train (trainer, 2);
  saved = save_model (model);
  saved_optimizer = save_optimizer (trainer);
  train (trainer, 2);
  wanted = save_model (model);
  wanted_optimizer = save_optimizer (trainer);

  resumed_model = make_recipe_model (&saved, _i);
  resumed = make_trainer (resumed_model, recipes[_i].optimizer);
  assert_ok (lib.trainer_restore (resumed, saved_optimizer.tensors,
      saved_optimizer.n, &error));
  train (resumed, 2);
  got = save_model (resumed_model);
  got_optimizer = save_optimizer (resumed);
  ck_assert_msg (state_dict_equal (&wanted, &got), "%s", recipes[_i].name);
  ck_assert_msg (state_dict_equal (&wanted_optimizer, &got_optimizer), "%s",
      recipes[_i].name);
  ck_assert (!state_dict_equal (&saved, &got));

  state_dict_clear (&saved);
  state_dict_clear (&saved_optimizer);
  state_dict_clear (&wanted);
  state_dict_clear (&wanted_optimizer);
  state_dict_clear (&got);
  state_dict_clear (&got_optimizer);
  lib.trainer_free (resumed);
  lib.model_free (resumed_model);
  lib.trainer_free (trainer);
  lib.model_free (model);
}
END_TEST

START_TEST (steps_on_features_equal_steps_on_pictures)
{
  TlModelOptions options = get_options (TL_STAGE_LAYER4);
  TlModel *plain = make_model (&dict, &options);
  TlModel *cached = make_model (&dict, &options);
  TlTrainer *plain_trainer = make_trainer (plain, TL_OPTIMIZER_SGD);
  TlTrainer *cached_trainer = make_trainer (cached, TL_OPTIMIZER_SGD);
  float features[BATCH * N_FEATURES];
  StateDict wanted, got;

  assert_ok (lib.model_features (cached, &batch, features, &error));
  train (plain_trainer, 3);
  for (int i = 0; i < 3; i++)
    assert_ok (lib.trainer_step_features (cached_trainer, features, labels,
        BATCH, 1e-3, NULL, &error));
  wanted = save_model (plain);
  got = save_model (cached);
  ck_assert (state_dict_equal (&wanted, &got));
  state_dict_clear (&wanted);
  state_dict_clear (&got);
  lib.trainer_free (plain_trainer);
  lib.trainer_free (cached_trainer);
  lib.model_free (plain);
  lib.model_free (cached);
}
END_TEST

/* What a cache of features relies on. */
START_TEST (features_of_a_picture_do_not_depend_on_its_batch)
{
  TlModelOptions options = get_options (TL_STAGE_LAYER4);
  TlModel *model = make_model (&dict, &options);
  float together[BATCH * N_FEATURES], alone[N_FEATURES];
  TlBatch one = batch;

  assert_ok (lib.model_features (model, &batch, together, &error));
  one.n = 1;
  for (int i = 0; i < BATCH; i++) {
    one.pixels = pixels + i * 3 * SIDE * SIDE;
    assert_ok (lib.model_features (model, &one, alone, &error));
    ck_assert_mem_eq (alone, together + i * N_FEATURES, sizeof alone);
  }
  lib.model_free (model);
}
END_TEST

/* Evaluation uses folded copies of the weights: they must follow training. */
START_TEST (evaluation_sees_the_trained_weights)
{
  TlModel *model = make_recipe_model (&dict, _i), *fresh;
  TlTrainer *trainer = make_trainer (model, recipes[_i].optimizer);
  StateDict trained;

  evaluate (model);
  train (trainer, 3);
  trained = save_model (model);
  fresh = make_recipe_model (&trained, _i);
  ck_assert_msg (evaluate (model) == evaluate (fresh), "%s", recipes[_i].name);
  state_dict_clear (&trained);
  lib.model_free (fresh);
  lib.trainer_free (trainer);
  lib.model_free (model);
}
END_TEST

static double
resident_megabytes (void)
{
  FILE *file = fopen ("/proc/self/statm", "r");
  long pages = 0;

  ck_assert_ptr_nonnull (file);
  ck_assert_int_eq (fscanf (file, "%*d %ld", &pages), 1);
  fclose (file);
  return (double) pages * sysconf (_SC_PAGESIZE) / (1024 * 1024);
}

START_TEST (memory_does_not_grow_over_100_steps)
{
  TlModelOptions options = get_options (TL_STAGE_LAYER3);
  TlModel *model = make_model (&dict, &options);
  TlTrainer *trainer = make_trainer (model, TL_OPTIMIZER_SGD);
  double before, after;

  train (trainer, 20);
  before = resident_megabytes ();
  train (trainer, 100);
  after = resident_megabytes ();
  ck_assert_msg (after < before + 8, "%.1f MB, then %.1f MB", before, after);
  lib.trainer_free (trainer);
  lib.model_free (model);
}
END_TEST

/* ---- Failures ----------------------------------------------------------- */

START_TEST (a_step_that_fails_changes_nothing)
{
  TlModel *model;
  TlTrainer *trainer;
  StateDict before, after;
  TlModelOptions options = get_options (TL_STAGE_LAYER3);
  float *bias = (float *) state_dict_find (&dict, "fc.bias")->data;

  bias[0] = INFINITY;
  model = make_model (&dict, &options);
  trainer = make_trainer (model, TL_OPTIMIZER_SGD);
  before = save_model (model);
  assert_fails (lib.trainer_step (trainer, &batch, labels, 1e-3, NULL, &error),
      TL_ERROR_BACKEND, "not a finite number");
  after = save_model (model);
  ck_assert (state_dict_equal (&before, &after));
  state_dict_clear (&before);
  state_dict_clear (&after);
  lib.trainer_free (trainer);
  lib.model_free (model);
}
END_TEST

START_TEST (batch_norm_refuses_a_single_value)
{
  TlModelOptions options = get_options (TL_STAGE_LAYER3);
  TlModel *model = make_model (&dict, &options);
  TlTrainer *trainer = make_trainer (model, TL_OPTIMIZER_SGD);
  TlBatch one = batch;

  one.n = 1;
  one.height = one.width = 32;
  assert_fails (lib.trainer_step (trainer, &one, labels, 1e-3, NULL, &error),
      TL_ERROR_ARGUMENT, "one picture of 32x32");
  one.height = 33;
  assert_ok (lib.trainer_step (trainer, &one, labels, 1e-3, NULL, &error));
  lib.trainer_free (trainer);
  lib.model_free (model);
}
END_TEST

START_TEST (a_state_of_another_setting_is_refused)
{
  TlModelOptions options = get_options (TL_STAGE_LAYER4);
  TlModel *model = make_model (&dict, &options);
  TlTrainer *sgd = make_trainer (model, TL_OPTIMIZER_SGD);
  TlTrainer *adam = make_trainer (model, TL_OPTIMIZER_ADAM);
  StateDict state;

  train (sgd, 1);
  state = save_optimizer (sgd);
  ck_assert_uint_eq (state.n, 2);
  assert_fails (lib.trainer_restore (adam, state.tensors, state.n, &error),
      TL_ERROR_ARGUMENT, "lacks \"optimizer.fc.weight.step\"");
  state.tensors[0].shape[0] = 1;
  assert_fails (lib.trainer_restore (sgd, state.tensors, state.n, &error),
      TL_ERROR_ARGUMENT, "another shape");
  state_dict_clear (&state);
  lib.trainer_free (sgd);
  lib.trainer_free (adam);
  lib.model_free (model);
}
END_TEST

START_TEST (what_this_build_does_not_do_is_refused)
{
  TlModelOptions options = get_options (TL_STAGE_LAYER4);
  TlModel *model = make_model (&dict, &options), *other = NULL;

  options.precision = TL_PRECISION_BF16;
  assert_fails (lib.model_new (&options, dict.tensors, dict.n, &other, &error),
      TL_ERROR_UNSUPPORTED, "precision=bf16 does not run on cpu");
  options.precision = TL_PRECISION_AUTO;
  options.arch = "thumbnail";
  assert_fails (lib.model_new (&options, dict.tensors, dict.n, &other, &error),
      TL_ERROR_ARGUMENT, "no architecture \"thumbnail\"");
  ck_assert_ptr_null (other);
  lib.model_free (model);
}
END_TEST

/* Where there is a GPU this cannot be asked; elsewhere "cuda" says why not. */
START_TEST (cuda_without_a_gpu_is_one_sentence)
{
  TlDeviceInfo info = {.struct_size = sizeof info};

  assert_ok (lib.device_open ("auto", &info, &error));
  if (info.kind == TL_DEVICE_CUDA)
    return;
  ck_assert_str_eq (info.id, "cpu");
  assert_fails (lib.device_open ("cuda", &info, &error), TL_ERROR_DEVICE,
      "use device=cpu");
  assert_fails (lib.device_open ("cuda:1", &info, &error), TL_ERROR_DEVICE,
      "no CUDA device: ");
  ck_assert_ptr_null (strchr (error.message, '\n'));
}
END_TEST

static Suite *
make_suite (void)
{
  Suite *suite = suite_create ("torch");
  TCase *training = tcase_create ("training");
  TCase *failures = tcase_create ("failures");

  tcase_add_checked_fixture (training, setup, teardown);
  tcase_set_timeout (training, 300);
  tcase_add_loop_test (training, training_lowers_the_loss, 0, N_RECIPES);
  tcase_add_loop_test (training, a_restored_trainer_continues_to_the_same_bytes,
      0, N_RECIPES);
  tcase_add_loop_test (training, evaluation_sees_the_trained_weights, 0,
      N_RECIPES);
  tcase_add_test (training, steps_on_features_equal_steps_on_pictures);
  tcase_add_test (training, features_of_a_picture_do_not_depend_on_its_batch);
  tcase_add_test (training, memory_does_not_grow_over_100_steps);
  suite_add_tcase (suite, training);

  tcase_add_checked_fixture (failures, setup, teardown);
  tcase_set_timeout (failures, 60);
  tcase_add_test (failures, a_step_that_fails_changes_nothing);
  tcase_add_test (failures, batch_norm_refuses_a_single_value);
  tcase_add_test (failures, a_state_of_another_setting_is_refused);
  tcase_add_test (failures, what_this_build_does_not_do_is_refused);
  tcase_add_test (failures, cuda_without_a_gpu_is_one_sentence);
  suite_add_tcase (suite, failures);
  return suite;
}

int
main (int argc, char **argv)
{
  if (argc != 2)
    return 2;
  library_path = argv[1];
  return run_suite (make_suite ());
}
