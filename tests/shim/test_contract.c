/* SPDX-License-Identifier: BSD-3-Clause */

/* What tlshim.h promises of every library, whatever computes in it. The library
 * and an architecture it knows are given on the command line. */

#include "tlcontract.h"

#include <string.h>

/* ---- Older and newer callers -------------------------------------------- */

typedef struct
{
  TlModelOptions known;
  uint64_t unknown;
} NewerModelOptions;

START_TEST (newer_options_are_taken_if_unused)
{
  NewerModelOptions options = {get_model_options (), 0};
  TlModel *made = NULL;

  options.known.struct_size = sizeof options;
  assert_ok (
      lib.model_new (&options.known, dict.tensors, dict.n, &made, &error));
  lib.model_free (made);
  made = NULL;

  options.unknown = 1;
  assert_fails (lib.model_new (&options.known, dict.tensors, dict.n, &made,
                    &error),
      TL_ERROR_UNSUPPORTED, "TlModelOptions");
}
END_TEST

START_TEST (older_options_get_the_defaults)
{
  const uint32_t size = offsetof (TlModelOptions, exact);
  TlModelOptions options = get_model_options ();
  TlModel *made = NULL;

  /* An older caller has no memory there: what lies behind must not be read. */
  memset ((uint8_t *) &options + size, 0xff, sizeof options - size);
  options.struct_size = size;
  assert_ok (lib.model_new (&options, dict.tensors, dict.n, &made, &error));
  lib.model_free (made);
}
END_TEST

START_TEST (returned_structs_fit_the_caller)
{
  struct
  {
    TlStepResult known;
    uint64_t unknown;
  } newer = {{.struct_size = sizeof newer}, 77};
  TlStepResult older = {.struct_size = offsetof (TlStepResult, n_correct),
      .n_correct = 77};
  TlStepResult unset = {0};
  TlBatch batch = get_batch ();

  assert_ok (
      lib.model_evaluate (model, &batch, labels, NULL, &newer.known, &error));
  ck_assert_uint_eq (newer.known.struct_size, sizeof newer);
  ck_assert_uint_eq (newer.unknown, 0);
  assert_ok (lib.model_evaluate (model, &batch, labels, NULL, &older, &error));
  ck_assert_uint_eq (older.n_correct, 77);
  ck_assert (older.loss == newer.known.loss);
  assert_fails (lib.model_evaluate (model, &batch, labels, NULL, &unset,
                    &error),
      ARGUMENT, "struct_size");
}
END_TEST

START_TEST (an_error_of_unknown_size_is_not_written)
{
  TlError unset = {0, "untouched", ""};
  TlDeviceInfo device = {.struct_size = sizeof device};

  ck_assert_int_eq (lib.device_open ("cpu", &device, &unset), ARGUMENT);
  ck_assert_str_eq (unset.message, "untouched");
  ck_assert_int_eq (lib.device_open ("gpu", &device, NULL), ARGUMENT);
  ck_assert_int_eq (lib.device_open ("cpu", &device, NULL), TL_OK);
}
END_TEST

/* ---- Results ------------------------------------------------------------ */

START_TEST (the_library_describes_itself)
{
  TlBackendInfo backend = {.struct_size = sizeof backend};

  ck_assert_uint_eq (lib.abi (), TL_SHIM_ABI);
  assert_ok (lib.backend_describe (&backend, &error));
  ck_assert_uint_gt (strlen (backend.name), 0);
  ck_assert_uint_gt (strlen (backend.version), 0);
  ck_assert_str_eq (info.arch, arch);
  ck_assert_uint_eq (info.n_classes, N_CLASSES);
  ck_assert_uint_eq (info.n_features, tl_arch_find (arch)->n_features);
  ck_assert_uint_eq (info.n_trainable, N_CLASSES * (info.n_features + 1));
  ck_assert_int_eq (info.precision, TL_PRECISION_FP32);
  ck_assert_uint_ge (info.n_threads, 1);
  ck_assert_str_eq (info.device.id, "cpu");
}
END_TEST

START_TEST (probabilities_sum_to_one)
{
  TlBatch batch = get_batch ();
  float values[N * N_CLASSES];

  assert_ok (lib.model_infer (model, &batch, values, &error));
  for (int i = 0; i < N; i++) {
    double sum = 0;

    for (int k = 0; k < N_CLASSES; k++)
      sum += (double) values[i * N_CLASSES + k];
    ck_assert_double_eq_tol (sum, 1, 1e-5);
  }
}
END_TEST

/* Rows are padded, and the last row of the last picture is not. */
START_TEST (padded_pictures_give_the_same_result)
{
  const size_t row = 3 * SIDE, stride = row + 5, sample = SIDE * stride + 7;
  size_t size = (N - 1) * sample + (SIDE - 1) * stride + row;
  TlBatch dense = get_batch (), padded = get_batch ();
  float a[N * N_CLASSES], b[N * N_CLASSES];
  uint8_t *pixels = malloc (size);

  memset (pixels, 0xee, size);
  for (size_t i = 0; i < N * SIDE; i++)
    memcpy (pixels + i / SIDE * sample + i % SIDE * stride, pictures + i * row,
        row);
  padded.pixels = pixels;
  padded.row_stride = stride;
  padded.sample_stride = sample;
  assert_ok (lib.model_infer (model, &dense, a, &error));
  assert_ok (lib.model_infer (model, &padded, b, &error));
  ck_assert_mem_eq (a, b, sizeof a);
  free (pixels);
}
END_TEST

START_TEST (the_state_dict_comes_back_in_order)
{
  StateDict visited = {0};

  assert_ok (lib.model_visit (model, state_dict_collect, &visited, &error));
  ck_assert_uint_eq (visited.n, dict.n);
  for (size_t i = 0; i < dict.n; i++)
    ck_assert_str_eq (visited.tensors[i].name, dict.tensors[i].name);
  ck_assert (state_dict_equal (&visited, &dict));
  state_dict_clear (&visited);
}
END_TEST

static TlStatus
stop_at_second (const TlTensor *tensor, TlTensorRole role, void *user)
{
  int *n = user;

  return ++*n == 2 ? TL_ERROR_WRITE : TL_OK;
}

START_TEST (a_visitor_may_stop_the_visit)
{
  int n = 0;

  ck_assert_int_eq (lib.model_visit (model, stop_at_second, &n, &error),
      TL_ERROR_WRITE);
  ck_assert_int_eq (n, 2);
}
END_TEST

START_TEST (a_frozen_model_has_no_trainer)
{
  TlModelOptions options = get_model_options ();
  TlTrainerOptions trainer_options = get_trainer_options ();
  TlModel *frozen = NULL;
  TlTrainer *made = NULL;

  options.freeze = TL_STAGE_FC;
  assert_ok (lib.model_new (&options, dict.tensors, dict.n, &frozen, &error));
  assert_fails (lib.trainer_new (frozen, &trainer_options, &made, &error),
      ARGUMENT, "nothing is left to train");
  lib.model_free (frozen);
}
END_TEST

START_TEST (features_are_refused_where_more_than_fc_trains)
{
  TlModelOptions options = get_model_options ();
  TlTrainerOptions trainer_options = get_trainer_options ();
  TlModel *open = NULL;
  TlTrainer *made = NULL;

  options.freeze = TL_STAGE_NONE;
  assert_ok (lib.model_new (&options, dict.tensors, dict.n, &open, &error));
  assert_ok (lib.trainer_new (open, &trainer_options, &made, &error));
  assert_fails (lib.trainer_step_features (made, features, labels, N, 0, NULL,
                    &error),
      ARGUMENT, "fc alone");
  lib.trainer_free (made);
  lib.model_free (open);
}
END_TEST

START_TEST (a_foreign_optimizer_state_is_refused)
{
  assert_fails (lib.trainer_restore (trainer, dict.tensors, 1, &error),
      ARGUMENT, "");
}
END_TEST

static Suite *
make_suite (void)
{
  Suite *suite = suite_create ("contract");
  TCase *tcase = tcase_create ("contract");

  tcase_add_test (tcase, newer_options_are_taken_if_unused);
  tcase_add_test (tcase, older_options_get_the_defaults);
  tcase_add_test (tcase, returned_structs_fit_the_caller);
  tcase_add_test (tcase, an_error_of_unknown_size_is_not_written);
  tcase_add_test (tcase, the_library_describes_itself);
  tcase_add_test (tcase, probabilities_sum_to_one);
  tcase_add_test (tcase, padded_pictures_give_the_same_result);
  tcase_add_test (tcase, the_state_dict_comes_back_in_order);
  tcase_add_test (tcase, a_visitor_may_stop_the_visit);
  tcase_add_test (tcase, a_frozen_model_has_no_trainer);
  tcase_add_test (tcase, features_are_refused_where_more_than_fc_trains);
  tcase_add_test (tcase, a_foreign_optimizer_state_is_refused);
  tcase_add_unchecked_fixture (tcase, setup_contract, teardown_contract);
  suite_add_tcase (suite, tcase);
  return suite;
}

int
main (int argc, char **argv)
{
  return run_contract (argc, argv, make_suite ());
}
