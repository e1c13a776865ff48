/* SPDX-License-Identifier: BSD-3-Clause */

/* What the reference backend computes, and how it misbehaves when asked to. */

#include "tlshimtest.h"
#include "tltest.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define N_CLASSES 3
#define BATCH 12
#define HEIGHT 37 /* 8 does not divide the sides */
#define WIDTH 45
#define N_FEATURES 192

static const char *library_path;
static TlError error = TL_ERROR_INIT;
static ShimLibrary lib;
static StateDict dict;
static int32_t labels[BATCH];

static void
setup (void)
{
  unsetenv ("TLPIPE_REFERENCE_FAIL");
  shim_library_open (&lib, library_path);
  state_dict_init (&dict, "thumbnail", N_CLASSES);
  for (int i = 0; i < BATCH; i++)
    labels[i] = i % N_CLASSES;
}

static void
teardown (void)
{
  state_dict_clear (&dict);
  shim_library_close (&lib);
}

static TlModelOptions
get_options (TlStage freeze)
{
  TlModelOptions options = TL_MODEL_OPTIONS_INIT;

  options.arch = "thumbnail";
  options.freeze = freeze;
  return options;
}

static TlModel *
make_model (const StateDict *state, TlStage freeze)
{
  TlModelOptions options = get_options (freeze);
  TlModel *model = NULL;

  assert_ok (
      lib.model_new (&options, state->tensors, state->n, &model, &error));
  return model;
}

static TlTrainer *
make_trainer (TlModel *model, double momentum, uint32_t nesterov,
    double weight_decay)
{
  TlTrainerOptions options = TL_TRAINER_OPTIONS_INIT;
  TlTrainer *trainer = NULL;

  options.momentum = momentum;
  options.nesterov = nesterov;
  options.weight_decay = weight_decay;
  assert_ok (lib.trainer_new (model, &options, &trainer, &error));
  return trainer;
}

static TlBatch
wrap_pictures (const uint8_t *pixels)
{
  TlBatch batch = {.struct_size = sizeof batch,
      .n = BATCH,
      .height = HEIGHT,
      .width = WIDTH,
      .pixels = pixels};

  return batch;
}

/* Trains on @n_steps batches, the first of them drawn with @seed. */
static void
train (TlTrainer *trainer, uint32_t seed, int n_steps)
{
  for (int i = 0; i < n_steps; i++) {
    uint8_t *pixels =
        make_pictures (BATCH, HEIGHT, WIDTH, labels, seed + (uint32_t) i);
    TlBatch batch = wrap_pictures (pixels);

    assert_ok (lib.trainer_step (trainer, &batch, labels, 0.5, NULL, &error));
    free (pixels);
  }
}

static TlStepResult
evaluate (TlModel *model, uint32_t seed)
{
  uint8_t *pixels = make_pictures (BATCH, HEIGHT, WIDTH, labels, seed);
  TlBatch batch = wrap_pictures (pixels);
  TlStepResult result = {.struct_size = sizeof result};

  assert_ok (lib.model_evaluate (model, &batch, labels, NULL, &result, &error));
  free (pixels);
  return result;
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

/* ---- Learning ----------------------------------------------------------- */

static const TlStage freezes[] = {TL_STAGE_LAYER4, TL_STAGE_NONE};

START_TEST (training_separates_three_classes)
{
  TlModel *model = make_model (&dict, freezes[_i]);
  TlTrainer *trainer = make_trainer (model, 0.9, 0, 0);
  TlStepResult before = evaluate (model, 1000), after;

  train (trainer, 1, 60);
  after = evaluate (model, 1000);
  ck_assert_uint_lt (before.n_correct, BATCH);
  ck_assert_uint_eq (after.n_correct, BATCH);
  ck_assert_float_lt (after.loss, before.loss / 2);
  lib.trainer_free (trainer);
  lib.model_free (model);
}
END_TEST

static int
tensor_changed (const StateDict *state, const char *name)
{
  const TlTensor *a = state_dict_find (&dict, name);
  const TlTensor *b = state_dict_find (state, name);

  return memcmp (a->data, b->data,
             (size_t) tl_tensor_numel (a) * sizeof (float))
      != 0;
}

START_TEST (only_what_is_not_frozen_changes)
{
  TlModel *model = make_model (&dict, freezes[_i]);
  TlTrainer *trainer = make_trainer (model, 0.9, 0, 0.01);
  StateDict trained;

  train (trainer, 1, 3);
  trained = save_model (model);
  ck_assert_int_eq (tensor_changed (&trained, "stem.weight"),
      freezes[_i] == TL_STAGE_NONE);
  ck_assert (tensor_changed (&trained, "fc.weight"));
  ck_assert (tensor_changed (&trained, "fc.bias"));
  state_dict_clear (&trained);
  lib.trainer_free (trainer);
  lib.model_free (model);
}
END_TEST

/* A step of plain SGD at rate 1 subtracts the gradient, which is compared with
 * central differences of the loss. */
START_TEST (gradients_are_those_of_the_loss)
{
  static const char *const names[] = {"stem.weight", "fc.weight", "fc.bias"};
  uint8_t *pixels = make_pictures (BATCH, HEIGHT, WIDTH, labels, 5);
  TlBatch batch = wrap_pictures (pixels);
  TlModel *model = make_model (&dict, TL_STAGE_NONE);
  TlTrainer *trainer = make_trainer (model, 0, 0, 0);
  StateDict stepped;

  assert_ok (lib.trainer_step (trainer, &batch, labels, 1, NULL, &error));
  stepped = save_model (model);
  for (int t = 0; t < 3; t++) {
    float *value = (float *) state_dict_find (&dict, names[t])->data + 2;
    float *moved = (float *) state_dict_find (&stepped, names[t])->data + 2;
    const float saved = *value, h = 0.01f;
    double gradient = (double) saved - (double) *moved, difference = 0;

    for (int side = -1; side <= 1; side += 2) {
      TlStepResult result = {.struct_size = sizeof result};
      TlModel *near;

      *value = saved + (float) side * h;
      near = make_model (&dict, TL_STAGE_NONE);
      assert_ok (
          lib.model_evaluate (near, &batch, labels, NULL, &result, &error));
      difference += side * (double) result.loss / (2 * (double) h);
      lib.model_free (near);
    }
    *value = saved;
    ck_assert_double_gt (fabs (gradient), 1e-5);
    ck_assert_double_eq_tol (gradient, difference, 1e-4);
  }
  state_dict_clear (&stepped);
  lib.trainer_free (trainer);
  lib.model_free (model);
  free (pixels);
}
END_TEST

/* fc.bias of class 0 after three steps on one sample of class 0 with features
 * of zero, where the gradient of the bias is softmax (bias) - one hot. The
 * values are what torch.optim.SGD (2.13, lr 0.1) makes of a bias [0, 0, 0]. */
static const struct
{
  const char *name;
  double momentum;
  uint32_t nesterov;
  double weight_decay;
  double expected;
} sgd_rows[] = {
    {"plain", 0, 0, 0, 0.193239823},
    {"decay", 0, 0, 0.1, 0.191292584},
    {"momentum", 0.9, 0, 0, 0.363068849},
    {"momentum and decay", 0.9, 0, 0.1, 0.359922081},
    {"nesterov", 0.9, 1, 0, 0.504711390},
    {"nesterov and decay", 0.9, 1, 0.1, 0.495810926},
};

START_TEST (sgd_equals_torch)
{
  const int32_t label = 0;
  const float zeros[N_FEATURES] = {0};
  float *bias = (float *) state_dict_find (&dict, "fc.bias")->data;
  TlModel *model;
  TlTrainer *trainer;
  StateDict state;

  memset (bias, 0, N_CLASSES * sizeof *bias);
  model = make_model (&dict, TL_STAGE_LAYER4);
  trainer = make_trainer (model, sgd_rows[_i].momentum, sgd_rows[_i].nesterov,
      sgd_rows[_i].weight_decay);
  for (int i = 0; i < 3; i++)
    assert_ok (lib.trainer_step_features (trainer, zeros, &label, 1, 0.1, NULL,
        &error));
  state = save_model (model);
  ck_assert_double_eq_tol ((double) *(const float *) state_dict_find (&state,
                               "fc.bias")
                               ->data,
      sgd_rows[_i].expected, 1e-7);
  state_dict_clear (&state);
  lib.trainer_free (trainer);
  lib.model_free (model);
}
END_TEST

/* ---- Repeating ---------------------------------------------------------- */

START_TEST (a_restored_trainer_continues_to_the_same_bytes)
{
  TlModel *model = make_model (&dict, freezes[_i]), *resumed_model;
  TlTrainer *trainer = make_trainer (model, 0.9, 1, 0.01), *resumed;
  StateDict weights, optimizer, a, b;

  train (trainer, 1, 5);
  weights = save_model (model);
  optimizer = save_optimizer (trainer);
  train (trainer, 6, 5);
  a = save_model (model);

  resumed_model = make_model (&weights, freezes[_i]);
  resumed = make_trainer (resumed_model, 0.9, 1, 0.01);
  assert_ok (
      lib.trainer_restore (resumed, optimizer.tensors, optimizer.n, &error));
  train (resumed, 6, 5);
  b = save_model (resumed_model);
  ck_assert (state_dict_equal (&a, &b));

  state_dict_clear (&a);
  state_dict_clear (&b);
  state_dict_clear (&weights);
  state_dict_clear (&optimizer);
  lib.trainer_free (resumed);
  lib.model_free (resumed_model);
  lib.trainer_free (trainer);
  lib.model_free (model);
}
END_TEST

START_TEST (optimizer_state_begins_empty_and_can_be_emptied)
{
  TlModel *model = make_model (&dict, TL_STAGE_NONE);
  TlTrainer *trainer = make_trainer (model, 0.9, 0, 0);
  StateDict state = save_optimizer (trainer);

  ck_assert_uint_eq (state.n, 0);
  train (trainer, 1, 1);
  state = save_optimizer (trainer);
  ck_assert_uint_eq (state.n, 3);
  ck_assert_str_eq (state.tensors[0].name,
      "optimizer.stem.weight.momentum_buffer");

  assert_fails (lib.trainer_restore (trainer, state.tensors, 2, &error),
      TL_ERROR_ARGUMENT, "2 of 3");
  state.tensors[1].shape[0]--;
  assert_fails (lib.trainer_restore (trainer, state.tensors, 3, &error),
      TL_ERROR_ARGUMENT, "fc.weight");
  assert_ok (lib.trainer_restore (trainer, NULL, 0, &error));
  state_dict_clear (&state);
  state = save_optimizer (trainer);
  ck_assert_uint_eq (state.n, 0);
  lib.trainer_free (trainer);
  lib.model_free (model);
}
END_TEST

/* The feature cache of the trainer rests on this. */
START_TEST (steps_on_features_equal_steps_on_pictures)
{
  uint8_t *pixels = make_pictures (BATCH, HEIGHT, WIDTH, labels, 5);
  TlBatch batch = wrap_pictures (pixels);
  float features[BATCH * N_FEATURES];
  TlStepResult r[2] = {{sizeof r[0]}, {sizeof r[0]}};
  StateDict state[2];

  for (int i = 0; i < 2; i++) {
    TlModel *model = make_model (&dict, TL_STAGE_LAYER4);
    TlTrainer *trainer = make_trainer (model, 0.9, 0, 0);

    assert_ok (lib.model_features (model, &batch, features, &error));
    if (i == 0)
      assert_ok (
          lib.trainer_step (trainer, &batch, labels, 0.1, &r[i], &error));
    else
      assert_ok (lib.trainer_step_features (trainer, features, labels, BATCH,
          0.1, &r[i], &error));
    state[i] = save_model (model);
    lib.trainer_free (trainer);
    lib.model_free (model);
  }
  ck_assert (state_dict_equal (&state[0], &state[1]));
  ck_assert (r[0].loss == r[1].loss);
  ck_assert_uint_eq (r[0].n_correct, r[1].n_correct);
  state_dict_clear (&state[0]);
  state_dict_clear (&state[1]);
  free (pixels);
}
END_TEST

START_TEST (a_loss_that_is_not_finite_changes_nothing)
{
  const float features[N_FEATURES] = {INFINITY};
  const int32_t label = 0;
  TlModel *model = make_model (&dict, TL_STAGE_LAYER4);
  TlTrainer *trainer = make_trainer (model, 0.9, 0, 0);
  StateDict state;

  assert_fails (lib.trainer_step_features (trainer, features, &label, 1, 0.1,
                    NULL, &error),
      TL_ERROR_BACKEND, "loss");
  state = save_model (model);
  ck_assert (state_dict_equal (&state, &dict));
  state_dict_clear (&state);
  state = save_optimizer (trainer);
  ck_assert_uint_eq (state.n, 0);
  lib.trainer_free (trainer);
  lib.model_free (model);
}
END_TEST

/* ---- Input -------------------------------------------------------------- */

/* Three dtypes of the same stem, 0.5 everywhere, one of them with a stride. */
START_TEST (floating_dtypes_and_strides_are_converted)
{
  uint16_t half[N_FEATURES];
  TlTensor *stem = &dict.tensors[0];
  TlTensor saved = *stem;
  double (*wide)[2] = calloc (N_FEATURES, sizeof *wide);

  for (int i = 0; i < N_FEATURES; i++) {
    half[i] = _i == 0 ? 0x3800 : 0x3f00; /* 0.5 in F16, in BF16 */
    wide[i][0] = 0.5;
  }
  stem->dtype = _i == 0 ? TL_DTYPE_F16 : TL_DTYPE_BF16;
  stem->data = half;
  if (_i == 2) {
    stem->dtype = TL_DTYPE_F64;
    stem->stride[0] = 2;
    stem->data = wide;
  }
  {
    TlModel *model = make_model (&dict, TL_STAGE_LAYER4);
    StateDict state = save_model (model);
    const float *values = state.tensors[0].data;

    for (int i = 0; i < N_FEATURES; i++)
      ck_assert (values[i] == 0.5f);
    state_dict_clear (&state);
    lib.model_free (model);
  }
  *stem = saved;
  free (wide);
}
END_TEST

START_TEST (what_it_cannot_do_is_said)
{
  TlModelOptions options = get_options (TL_STAGE_LAYER4);
  TlTrainerOptions trainer_options = TL_TRAINER_OPTIONS_INIT;
  TlDeviceInfo device = {.struct_size = sizeof device};
  TlModel *model = NULL;
  TlTrainer *trainer = NULL;

#define NEW_MODEL lib.model_new (&options, dict.tensors, dict.n, &model, &error)
#define NEW_TRAINER lib.trainer_new (model, &trainer_options, &trainer, &error)
  assert_ok (lib.device_open ("auto", &device, &error));
  ck_assert_str_eq (device.id, "cpu");
  assert_fails (lib.device_open ("cuda:0", &device, &error), TL_ERROR_DEVICE,
      "torch");
  options.device = "cuda";
  assert_fails (NEW_MODEL, TL_ERROR_DEVICE, "torch");
  options.device = "auto";
  options.arch = "resnet18";
  assert_fails (NEW_MODEL, TL_ERROR_UNSUPPORTED, "libtlshim-torch");
  options.arch = "thumbnail";
  options.precision = TL_PRECISION_BF16;
  assert_fails (NEW_MODEL, TL_ERROR_UNSUPPORTED, "fp32");

  model = make_model (&dict, TL_STAGE_LAYER4);
  trainer_options.optimizer = TL_OPTIMIZER_ADAM;
  assert_fails (NEW_TRAINER, TL_ERROR_UNSUPPORTED, "SGD");
  trainer_options.optimizer = TL_OPTIMIZER_SGD;
  trainer_options.label_smoothing = 0.1;
  assert_fails (NEW_TRAINER, TL_ERROR_UNSUPPORTED, "smoothing");
#undef NEW_MODEL
#undef NEW_TRAINER
  lib.model_free (model);
}
END_TEST

/* ---- Misbehaviour ------------------------------------------------------- */

START_TEST (the_step_asked_for_fails_and_changes_nothing)
{
  uint8_t *pixels = make_pictures (BATCH, HEIGHT, WIDTH, labels, 5);
  TlBatch batch = wrap_pictures (pixels);
  TlModel *model;
  TlTrainer *trainer;
  StateDict before, after;

  setenv ("TLPIPE_REFERENCE_FAIL", "step:3", 1);
  model = make_model (&dict, TL_STAGE_LAYER4);
  trainer = make_trainer (model, 0.9, 0, 0);
  train (trainer, 1, 2);
  before = save_model (model);
  assert_fails (lib.trainer_step (trainer, &batch, labels, 1, NULL, &error),
      TL_ERROR_BACKEND, "call 3 of step");
  after = save_model (model);
  ck_assert (state_dict_equal (&before, &after));
  train (trainer, 1, 1);
  state_dict_clear (&before);
  state_dict_clear (&after);
  lib.trainer_free (trainer);
  lib.model_free (model);
  free (pixels);
}
END_TEST

START_TEST (the_inference_asked_for_fails)
{
  uint8_t *pixels = make_pictures (BATCH, HEIGHT, WIDTH, labels, 5);
  TlBatch batch = wrap_pictures (pixels);
  float values[BATCH * N_CLASSES];
  TlModel *model;

  setenv ("TLPIPE_REFERENCE_FAIL", "step:1,infer:2", 1);
  model = make_model (&dict, TL_STAGE_LAYER4);
  assert_ok (lib.model_infer (model, &batch, values, &error));
  assert_fails (lib.model_infer (model, &batch, values, &error),
      TL_ERROR_BACKEND, "call 2 of infer");
  assert_ok (lib.model_infer (model, &batch, values, &error));
  lib.model_free (model);
  free (pixels);
}
END_TEST

START_TEST (every_step_takes_the_time_asked_for)
{
  struct timespec begin, end;
  TlModel *model;
  TlTrainer *trainer;

  setenv ("TLPIPE_REFERENCE_FAIL", "step-ms:30", 1);
  model = make_model (&dict, TL_STAGE_LAYER4);
  trainer = make_trainer (model, 0.9, 0, 0);
  clock_gettime (CLOCK_MONOTONIC, &begin);
  train (trainer, 1, 2);
  clock_gettime (CLOCK_MONOTONIC, &end);
  ck_assert_double_ge ((double) (end.tv_sec - begin.tv_sec)
          + (double) (end.tv_nsec - begin.tv_nsec) * 1e-9,
      0.06);
  lib.trainer_free (trainer);
  lib.model_free (model);
}
END_TEST

START_TEST (an_unknown_misbehaviour_is_refused)
{
  static const char *const bad[] = {"stop:1", "step", "step:", "step:x",
      "step:1x", "step:99999999999", "step:1,,step-ms:1", "step-s:1", ":", "s"};
  TlModelOptions options = get_options (TL_STAGE_LAYER4);
  TlModel *model = NULL;

  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    setenv ("TLPIPE_REFERENCE_FAIL", bad[i], 1);
    assert_fails (lib.model_new (&options, dict.tensors, dict.n, &model,
                      &error),
        TL_ERROR_ARGUMENT, "TLPIPE_REFERENCE_FAIL");
  }
}
END_TEST

static Suite *
make_suite (void)
{
  Suite *suite = suite_create ("reference");
  TCase *learning = tcase_create ("learning");
  TCase *misbehaviour = tcase_create ("misbehaviour");

  tcase_add_loop_test (learning, training_separates_three_classes, 0, 2);
  tcase_add_loop_test (learning, only_what_is_not_frozen_changes, 0, 2);
  tcase_add_test (learning, gradients_are_those_of_the_loss);
  tcase_add_loop_test (learning, sgd_equals_torch, 0,
      (int) (sizeof sgd_rows / sizeof sgd_rows[0]));
  tcase_add_loop_test (learning, a_restored_trainer_continues_to_the_same_bytes,
      0, 2);
  tcase_add_test (learning, optimizer_state_begins_empty_and_can_be_emptied);
  tcase_add_test (learning, steps_on_features_equal_steps_on_pictures);
  tcase_add_test (learning, a_loss_that_is_not_finite_changes_nothing);
  tcase_add_loop_test (learning, floating_dtypes_and_strides_are_converted, 0,
      3);
  tcase_add_test (learning, what_it_cannot_do_is_said);
  tcase_add_test (misbehaviour, the_step_asked_for_fails_and_changes_nothing);
  tcase_add_test (misbehaviour, the_inference_asked_for_fails);
  tcase_add_test (misbehaviour, every_step_takes_the_time_asked_for);
  tcase_add_test (misbehaviour, an_unknown_misbehaviour_is_refused);
  tcase_add_checked_fixture (learning, setup, teardown);
  tcase_add_checked_fixture (misbehaviour, setup, teardown);
  suite_add_tcase (suite, learning);
  suite_add_tcase (suite, misbehaviour);
  return suite;
}

int
main (int argc, char **argv)
{
  if (argc != 2) {
    fprintf (stderr, "usage: %s LIBRARY\n", argv[0]);
    return 2;
  }
  library_path = argv[1];
  return run_suite (make_suite ());
}
