/* SPDX-License-Identifier: BSD-3-Clause */

/* Every library refuses what tlshim.h says is no argument, with a sentence. The
 * library and an architecture it knows are given on the command line. */

#include "tlcontract.h"

#include <math.h>
#include <string.h>

/* ---- One field at a time ------------------------------------------------ */

typedef enum
{
  FIELD_U32, /* also enums; negative values wrap */
  FIELD_SIZE,
  FIELD_I64,
  FIELD_F32,
  FIELD_F64,
  FIELD_POINTER /* set to NULL */
} FieldKind;

/* A valid struct with one field set to @value gives @status, and a message
 * with @text. */
typedef struct
{
  const char *name;
  FieldKind kind;
  size_t offset;
  double value;
  TlStatus status;
  const char *text;
} FieldRow;

static void
set_field (void *structure, const FieldRow *row)
{
  uint8_t *field = (uint8_t *) structure + row->offset;
  uint32_t u32 = (uint32_t) (isfinite (row->value) ? (int64_t) row->value : 0);
  int64_t i64 = isfinite (row->value) ? (int64_t) row->value : 0;
  float f32 = (float) row->value;

  switch (row->kind) {
    case FIELD_U32:
      memcpy (field, &u32, sizeof u32);
      break;
    case FIELD_SIZE:
    case FIELD_I64:
      memcpy (field, &i64, sizeof i64);
      break;
    case FIELD_F32:
      memcpy (field, &f32, sizeof f32);
      break;
    case FIELD_F64:
      memcpy (field, &row->value, sizeof row->value);
      break;
    case FIELD_POINTER:
      memset (field, 0, sizeof (void *));
      break;
  }
}

static void
assert_row (const FieldRow *row, TlStatus status)
{
  ck_assert_msg (status == row->status, "%s: status %d (%s)", row->name,
      (int) status, error.message);
  if (row->status)
    ck_assert_msg (strstr (error.message, row->text) != NULL,
        "%s: expected \"%s\" in: %s", row->name, row->text, error.message);
}

#define AT(field) offsetof (TlModelOptions, field)

static const FieldRow model_rows[] = {
    {"valid", FIELD_U32, AT (n_threads), 1, TL_OK, ""},
    {"size unset", FIELD_U32, AT (struct_size), 0, ARGUMENT, "struct_size"},
    {"size tiny", FIELD_U32, AT (struct_size), 8, ARGUMENT, "struct_size"},
    {"size wild", FIELD_U32, AT (struct_size), 1e9, ARGUMENT, "struct_size"},
    {"no arch", FIELD_POINTER, AT (arch), 0, ARGUMENT, "arch"},
    {"no device", FIELD_POINTER, AT (device), 0, ARGUMENT, "device"},
    {"precision", FIELD_U32, AT (precision), 3, ARGUMENT, "precision"},
    {"negative precision", FIELD_U32, AT (precision), -1, ARGUMENT,
        "precision"},
    {"freeze", FIELD_U32, AT (freeze), 7, ARGUMENT, "freeze"},
    {"negative freeze", FIELD_U32, AT (freeze), -1, ARGUMENT, "freeze"},
    {"train_bn", FIELD_U32, AT (train_bn), 2, ARGUMENT, "train_bn"},
    {"exact", FIELD_U32, AT (exact), 2, ARGUMENT, "exact"},
    {"threads", FIELD_U32, AT (n_threads), 1025, ARGUMENT, "n_threads"},
    {"mean nan", FIELD_F32, AT (mean[2]), NAN, ARGUMENT, "mean[2]"},
    {"std zero", FIELD_F32, AT (std[0]), 0, ARGUMENT, "std[0]"},
    {"std negative", FIELD_F32, AT (std[1]), -1, ARGUMENT, "std[1]"},
    {"std infinite", FIELD_F32, AT (std[2]), INFINITY, ARGUMENT, "std[2]"},
    {"std nan", FIELD_F32, AT (std[2]), NAN, ARGUMENT, "std[2]"},
};

#undef AT
#define AT(field) offsetof (TlTensor, field)

/* Applied to the first tensor of the state dict. */
static const FieldRow tensor_rows[] = {
    {"no name", FIELD_POINTER, AT (name), 0, ARGUMENT, "no name"},
    {"no dtype", FIELD_U32, AT (dtype), 0, ARGUMENT, "dtype"},
    {"dtype", FIELD_U32, AT (dtype), TL_DTYPE_LAST + 1, ARGUMENT, "dtype"},
    {"dtype of no weights", FIELD_U32, AT (dtype), TL_DTYPE_U16, ARGUMENT,
        "U16"},
    {"integers", FIELD_U32, AT (dtype), TL_DTYPE_I32, ARGUMENT, "weight"},
    {"dimensions", FIELD_U32, AT (n_dims), 9, ARGUMENT, "dimensions"},
    {"scalar", FIELD_U32, AT (n_dims), 0, ARGUMENT, "weight"},
    {"shape negative", FIELD_I64, AT (shape[0]), -1, ARGUMENT, "negative"},
    {"shape huge", FIELD_I64, AT (shape[0]), 1e18, ARGUMENT, "too large"},
    {"shape other", FIELD_I64, AT (shape[0]), 1, ARGUMENT, "weight"},
    {"shape empty", FIELD_I64, AT (shape[0]), 0, ARGUMENT, "weight"},
    {"stride negative", FIELD_I64, AT (stride[0]), -1, ARGUMENT, "negative"},
    {"stride huge", FIELD_I64, AT (stride[0]), 1e18, ARGUMENT, "too large"},
    {"no data", FIELD_POINTER, AT (data), 0, ARGUMENT, "data"},
};

#undef AT
#define AT(field) offsetof (TlBatch, field)

static const FieldRow batch_rows[] = {
    {"size unset", FIELD_U32, AT (struct_size), 0, ARGUMENT, "struct_size"},
    {"empty", FIELD_U32, AT (n), 0, ARGUMENT, "samples"},
    {"huge", FIELD_U32, AT (n), 65537, ARGUMENT, "samples"},
    {"low", FIELD_U32, AT (height), 31, ARGUMENT, "pixels"},
    {"tall", FIELD_U32, AT (height), 8193, ARGUMENT, "pixels"},
    {"narrow", FIELD_U32, AT (width), 31, ARGUMENT, "pixels"},
    {"wide", FIELD_U32, AT (width), 8193, ARGUMENT, "pixels"},
    {"no pixels", FIELD_POINTER, AT (pixels), 0, ARGUMENT, "pixels"},
    {"dense rows", FIELD_SIZE, AT (row_stride), 3 * SIDE, TL_OK, ""},
    {"short rows", FIELD_SIZE, AT (row_stride), 3 * SIDE - 1, ARGUMENT,
        "row_stride"},
    {"endless rows", FIELD_SIZE, AT (row_stride), 0x1p62, ARGUMENT,
        "row_stride"},
    {"dense pictures", FIELD_SIZE, AT (sample_stride), 3 * SIDE *SIDE, TL_OK,
        ""},
    {"short pictures", FIELD_SIZE, AT (sample_stride), 3 * SIDE *SIDE - 1,
        ARGUMENT, "sample_stride"},
    {"endless pictures", FIELD_SIZE, AT (sample_stride), 0x1p62, ARGUMENT,
        "sample_stride"},
};

#undef AT
#define AT(field) offsetof (TlTrainerOptions, field)

static const FieldRow sgd_rows[] = {
    {"valid", FIELD_F64, AT (weight_decay), 0.1, TL_OK, ""},
    {"no momentum", FIELD_F64, AT (momentum), 0, TL_OK, ""},
    {"nesterov", FIELD_U32, AT (nesterov), 1, TL_OK, ""},
    {"betas unused", FIELD_F64, AT (beta1), 5, TL_OK, ""},
    {"size unset", FIELD_U32, AT (struct_size), 0, ARGUMENT, "struct_size"},
    {"optimizer", FIELD_U32, AT (optimizer), 3, ARGUMENT, "optimizer"},
    {"momentum one", FIELD_F64, AT (momentum), 1, ARGUMENT, "momentum"},
    {"momentum negative", FIELD_F64, AT (momentum), -0.1, ARGUMENT, "momentum"},
    {"momentum nan", FIELD_F64, AT (momentum), NAN, ARGUMENT, "momentum"},
    {"decay negative", FIELD_F64, AT (weight_decay), -1, ARGUMENT, "decay"},
    {"decay infinite", FIELD_F64, AT (weight_decay), INFINITY, ARGUMENT,
        "decay"},
    {"nesterov two", FIELD_U32, AT (nesterov), 2, ARGUMENT, "nesterov"},
    {"smoothing", FIELD_F64, AT (label_smoothing), 1, ARGUMENT, "smoothing"},
    {"clip", FIELD_F64, AT (clip_grad_norm), -1, ARGUMENT, "clip"},
    {"clip nan", FIELD_F64, AT (clip_grad_norm), NAN, ARGUMENT, "clip"},
};

static const FieldRow adam_rows[] = {
    {"nesterov", FIELD_U32, AT (nesterov), 1, ARGUMENT, "nesterov"},
    {"beta1", FIELD_F64, AT (beta1), 1, ARGUMENT, "beta1"},
    {"beta2", FIELD_F64, AT (beta2), -0.1, ARGUMENT, "beta2"},
    {"eps zero", FIELD_F64, AT (eps), 0, ARGUMENT, "eps"},
    {"eps nan", FIELD_F64, AT (eps), NAN, ARGUMENT, "eps"},
};

#undef AT
#define N_ROWS(rows) ((int) (sizeof rows / sizeof rows[0]))

START_TEST (model_options_are_checked)
{
  const FieldRow *row = &model_rows[_i];
  TlModelOptions options = get_model_options ();
  TlModel *made = NULL;

  set_field (&options, row);
  assert_row (row,
      lib.model_new (&options, dict.tensors, dict.n, &made, &error));
  ck_assert_int_eq (made != NULL, row->status == TL_OK);
  lib.model_free (made);
}
END_TEST

START_TEST (tensors_are_checked)
{
  const FieldRow *row = &tensor_rows[_i];
  TlModelOptions options = get_model_options ();
  TlTensor saved = dict.tensors[0];
  TlModel *made = NULL;
  TlStatus status;

  set_field (&dict.tensors[0], row);
  status = lib.model_new (&options, dict.tensors, dict.n, &made, &error);
  dict.tensors[0] = saved;
  assert_row (row, status);
  ck_assert_ptr_null (made);
}
END_TEST

START_TEST (batches_are_checked)
{
  const FieldRow *row = &batch_rows[_i];
  TlBatch batch = get_batch ();
  TlStepResult result = {.struct_size = sizeof result};
  float values[N * N_CLASSES];

  set_field (&batch, row);
  assert_row (row, lib.model_infer (model, &batch, values, &error));
  assert_row (row, lib.model_features (model, &batch, features, &error));
  assert_row (row,
      lib.model_evaluate (model, &batch, labels, NULL, &result, &error));
  assert_row (row, lib.trainer_step (trainer, &batch, labels, 0, NULL, &error));
}
END_TEST

static void
check_trainer_row (const FieldRow *row, TlTrainerOptions options)
{
  TlTrainer *made = NULL;

  set_field (&options, row);
  assert_row (row, lib.trainer_new (model, &options, &made, &error));
  ck_assert_int_eq (made != NULL, row->status == TL_OK);
  lib.trainer_free (made);
}

START_TEST (sgd_options_are_checked)
{
  check_trainer_row (&sgd_rows[_i], get_trainer_options ());
}
END_TEST

START_TEST (adam_options_are_checked)
{
  TlTrainerOptions options = get_trainer_options ();

  options.optimizer = TL_OPTIMIZER_ADAM;
  check_trainer_row (&adam_rows[_i], options);
  options.optimizer = TL_OPTIMIZER_ADAMW;
  check_trainer_row (&adam_rows[_i], options);
}
END_TEST

START_TEST (nesterov_without_momentum_is_refused)
{
  TlTrainerOptions options = get_trainer_options ();
  TlTrainer *made = NULL;

  options.nesterov = 1;
  options.momentum = 0;
  assert_fails (lib.trainer_new (model, &options, &made, &error), ARGUMENT,
      "nesterov needs a momentum");
}
END_TEST

/* ---- Arguments that are no struct --------------------------------------- */

START_TEST (null_is_refused_by_model_functions)
{
  TlModelOptions options = get_model_options ();
  TlBatch batch = get_batch ();
  TlStepResult result = {.struct_size = sizeof result};
  float values[N * N_CLASSES];
  TlModel *made = NULL;

#define FAILS(call) assert_fails (call, ARGUMENT, "NULL")
  FAILS (lib.backend_describe (NULL, &error));
  FAILS (lib.device_open ("cpu", NULL, &error));
  FAILS (lib.model_new (NULL, dict.tensors, dict.n, &made, &error));
  FAILS (lib.model_new (&options, NULL, dict.n, &made, &error));
  FAILS (lib.model_new (&options, dict.tensors, dict.n, NULL, &error));
  FAILS (lib.model_describe (NULL, &info, &error));
  FAILS (lib.model_describe (model, NULL, &error));
  FAILS (lib.model_infer (NULL, &batch, values, &error));
  FAILS (lib.model_infer (model, NULL, values, &error));
  FAILS (lib.model_infer (model, &batch, NULL, &error));
  FAILS (lib.model_features (NULL, &batch, features, &error));
  FAILS (lib.model_features (model, NULL, features, &error));
  FAILS (lib.model_features (model, &batch, NULL, &error));
  FAILS (lib.model_evaluate (NULL, &batch, labels, NULL, &result, &error));
  FAILS (lib.model_evaluate (model, NULL, labels, NULL, &result, &error));
  FAILS (lib.model_evaluate (model, &batch, NULL, NULL, &result, &error));
  FAILS (lib.model_evaluate (model, &batch, labels, NULL, NULL, &error));
  FAILS (lib.model_visit (NULL, state_dict_collect, NULL, &error));
  FAILS (lib.model_visit (model, NULL, NULL, &error));
}
END_TEST

START_TEST (null_is_refused_by_trainer_functions)
{
  TlTrainerOptions options = get_trainer_options ();
  TlBatch batch = get_batch ();
  TlTrainer *made = NULL;

  FAILS (lib.trainer_new (NULL, &options, &made, &error));
  FAILS (lib.trainer_new (model, NULL, &made, &error));
  FAILS (lib.trainer_new (model, &options, NULL, &error));
  FAILS (lib.trainer_step (NULL, &batch, labels, 0, NULL, &error));
  FAILS (lib.trainer_step (trainer, NULL, labels, 0, NULL, &error));
  FAILS (lib.trainer_step (trainer, &batch, NULL, 0, NULL, &error));
  FAILS (
      lib.trainer_step_features (NULL, features, labels, N, 0, NULL, &error));
  FAILS (lib.trainer_step_features (trainer, NULL, labels, N, 0, NULL, &error));
  FAILS (
      lib.trainer_step_features (trainer, features, NULL, N, 0, NULL, &error));
  FAILS (lib.trainer_visit (NULL, state_dict_collect, NULL, &error));
  FAILS (lib.trainer_visit (trainer, NULL, NULL, &error));
  FAILS (lib.trainer_restore (NULL, NULL, 0, &error));
  FAILS (lib.trainer_restore (trainer, NULL, 1, &error));
#undef FAILS
  lib.trainer_free (NULL);
  lib.model_free (NULL);
}
END_TEST

START_TEST (labels_outside_the_classes_are_refused)
{
  static const int32_t bad[][N] = {{0, -1}, {N_CLASSES, 0}, {0, INT32_MAX}};
  TlBatch batch = get_batch ();
  TlStepResult result = {.struct_size = sizeof result};

  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    assert_fails (lib.model_evaluate (model, &batch, bad[i], NULL, &result,
                      &error),
        ARGUMENT, "label");
    assert_fails (lib.trainer_step (trainer, &batch, bad[i], 0, NULL, &error),
        ARGUMENT, "label");
    assert_fails (lib.trainer_step_features (trainer, features, bad[i], N, 0,
                      NULL, &error),
        ARGUMENT, "label");
  }
  assert_fails (lib.trainer_step_features (trainer, features, labels, 0, 0,
                    NULL, &error),
      ARGUMENT, "samples");
}
END_TEST

START_TEST (learning_rates_are_checked)
{
  static const double bad[] = {-1e-9, NAN, INFINITY};
  TlBatch batch = get_batch ();

  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    assert_fails (lib.trainer_step (trainer, &batch, labels, bad[i], NULL,
                      &error),
        ARGUMENT, "lr");
    assert_fails (lib.trainer_step_features (trainer, features, labels, N,
                      bad[i], NULL, &error),
        ARGUMENT, "lr");
  }
}
END_TEST

START_TEST (device_names_are_checked)
{
  static const char *const bad[] = {"", "CPU", "gpu", "cpu:0", "cudas",
      "cuda:", "cuda:-1", "cuda:+1", "cuda:1x", "cuda: 1", "cuda:\t1",
      "cuda:1:", "cuda:128", "cuda:18446744073709551616"};
  TlDeviceInfo device = {.struct_size = sizeof device, .index = 77};

  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    assert_fails (lib.device_open (bad[i], &device, &error), ARGUMENT,
        "cuda:N");
  assert_fails (lib.device_open (NULL, &device, &error), ARGUMENT, "NULL");
  ck_assert_int_eq (device.index, 77);

  assert_ok (lib.device_open ("cpu", &device, &error));
  ck_assert_str_eq (device.id, "cpu");
  ck_assert_int_eq (device.kind, TL_DEVICE_CPU);
  ck_assert_int_eq (device.index, -1);
  ck_assert_uint_gt (strlen (device.name), 0);
}
END_TEST

/* Once, an empty dimension ended the check of those behind it. */
START_TEST (a_negative_size_behind_an_empty_one_is_refused)
{
  TlModelOptions options = get_model_options ();
  TlTensor saved = dict.tensors[0];
  TlModel *made = NULL;
  TlStatus status;

  dict.tensors[0].n_dims = 2;
  dict.tensors[0].shape[0] = 0;
  dict.tensors[0].shape[1] = -1;
  status = lib.model_new (&options, dict.tensors, dict.n, &made, &error);
  dict.tensors[0] = saved;
  ck_assert_int_eq (status, ARGUMENT);
  ck_assert_ptr_nonnull (strstr (error.message, "negative"));
}
END_TEST

START_TEST (a_name_given_twice_is_refused)
{
  TlModelOptions options = get_model_options ();
  const char *saved = dict.tensors[1].name;
  TlModel *made = NULL;
  TlStatus status;

  dict.tensors[1].name = dict.tensors[0].name;
  status = lib.model_new (&options, dict.tensors, dict.n, &made, &error);
  dict.tensors[1].name = saved;
  ck_assert_int_eq (status, ARGUMENT);
  ck_assert_ptr_nonnull (strstr (error.message, "twice"));
}
END_TEST

START_TEST (missing_and_unexpected_names_are_listed)
{
  TlModelOptions options = get_model_options ();
  const char *saved = dict.tensors[0].name;
  TlModel *made = NULL;
  TlStatus status;

  dict.tensors[0].name = "surprise.weight";
  status = lib.model_new (&options, dict.tensors, dict.n, &made, &error);
  dict.tensors[0].name = saved;
  ck_assert_int_eq (status, ARGUMENT);
  ck_assert_ptr_nonnull (strstr (error.message, saved));
  ck_assert_ptr_nonnull (strstr (error.message, "surprise.weight"));
}
END_TEST

START_TEST (an_unknown_arch_is_refused)
{
  TlModelOptions options = get_model_options ();
  TlModel *made = NULL;

  options.arch = "vgg16";
  assert_fails (lib.model_new (&options, dict.tensors, dict.n, &made, &error),
      ARGUMENT, "vgg16");
}
END_TEST

static Suite *
make_suite (void)
{
  Suite *suite = suite_create ("arguments");
  TCase *tcase = tcase_create ("arguments");

#define LOOP(test, rows) tcase_add_loop_test (tcase, test, 0, N_ROWS (rows))
  LOOP (model_options_are_checked, model_rows);
  LOOP (tensors_are_checked, tensor_rows);
  LOOP (batches_are_checked, batch_rows);
  LOOP (sgd_options_are_checked, sgd_rows);
  LOOP (adam_options_are_checked, adam_rows);
#undef LOOP
  tcase_add_test (tcase, nesterov_without_momentum_is_refused);
  tcase_add_test (tcase, null_is_refused_by_model_functions);
  tcase_add_test (tcase, null_is_refused_by_trainer_functions);
  tcase_add_test (tcase, labels_outside_the_classes_are_refused);
  tcase_add_test (tcase, learning_rates_are_checked);
  tcase_add_test (tcase, device_names_are_checked);
  tcase_add_test (tcase, a_negative_size_behind_an_empty_one_is_refused);
  tcase_add_test (tcase, a_name_given_twice_is_refused);
  tcase_add_test (tcase, missing_and_unexpected_names_are_listed);
  tcase_add_test (tcase, an_unknown_arch_is_refused);
  tcase_add_unchecked_fixture (tcase, setup_contract, teardown_contract);
  suite_add_tcase (suite, tcase);
  return suite;
}

int
main (int argc, char **argv)
{
  return run_contract (argc, argv, make_suite ());
}
