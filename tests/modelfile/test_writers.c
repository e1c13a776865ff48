/* SPDX-License-Identifier: BSD-3-Clause */

/* What is written for other programs; tests/parity/exportparity.py asks those
 * programs. */

#include "tlconvert.h"
#include "tlcrc32.h"
#include "tlmodelfile.h"
#include "tlonnx.h"
#include "tlpthwriter.h"
#include "tltest.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static TlError error = TL_ERROR_INIT;
static char folder[64];
static char path[96];

static void
make_folder (void)
{
  snprintf (folder, sizeof folder, "/tmp/tlpipe-writers-XXXXXX");
  ck_assert_ptr_nonnull (mkdtemp (folder));
  snprintf (path, sizeof path, "%s/model", folder);
}

/* Also looks that no temporary file is left. */
static void
remove_folder (void)
{
  unlink (path);
  ck_assert_int_eq (rmdir (folder), 0);
}

static char *
read_file (size_t *size)
{
  FILE *file = fopen (path, "rb");
  struct stat st;
  char *bytes;

  ck_assert_ptr_nonnull (file);
  ck_assert_int_eq (fstat (fileno (file), &st), 0);
  *size = (size_t) st.st_size;
  bytes = malloc (*size);
  ck_assert_uint_eq (fread (bytes, 1, *size, file), *size);
  fclose (file);
  return bytes;
}

START_TEST (crc_is_that_of_zip)
{
  uint8_t bytes[64];

  ck_assert_uint_eq (tl_crc32 ("", 0), 0);
  ck_assert_uint_eq (tl_crc32 ("123456789", 9), 0xcbf43926u);
  memset (bytes, 0xff, sizeof bytes);
  ck_assert_uint_eq (tl_crc32 (bytes, 32), 0xff6cab0bu);
  ck_assert_uint_eq (tl_crc32 (bytes + 1, 4), 0xffffffffu);
}
END_TEST

START_TEST (halves_are_converted_exactly)
{
  static const struct
  {
    uint16_t half;
    float value;
  } cases[] = {{0x0000, 0}, {0x3c00, 1}, {0xc000, -2}, {0x7bff, 65504},
      {0x0001, 0x1p-24f}, {0x83ff, -0x1.ff8p-15f}, {0x0400, 0x1p-14f},
      {0x3555, 0x1.554p-2f}, {0x7c00, INFINITY}, {0xfc00, -INFINITY}};

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const TlTensor tensor = {"h", TL_DTYPE_F16, 0, {0}, {0}, &cases[i].half};
    float value;

    tl_convert_to_f32 (&tensor, &value);
    ck_assert_msg (value == cases[i].value, "%04x: %g", cases[i].half,
        (double) value);
  }
}
END_TEST

START_TEST (strides_are_obeyed)
{
  static const double data[6] = {0, 1, 2, 3, 4, 5};
  const TlTensor transposed = {"t", TL_DTYPE_F64, 2, {3, 2}, {1, 3}, data};
  static const float wanted[6] = {0, 3, 1, 4, 2, 5};
  float values[6];

  tl_convert_to_f32 (&transposed, values);
  ck_assert_mem_eq (values, wanted, sizeof wanted);
}
END_TEST

/* ---- .pth ---- */

static const float floats[6] = {1.5f, -2, 3, 4, 5, 6};
static const int64_t count = 1 << 20;
static const TlTensor some[] = {
    {"layer1.0.conv1.weight", TL_DTYPE_F32, 2, {2, 3}, {3, 1}, floats},
    {"bn1.num_batches_tracked", TL_DTYPE_I64, 0, {0}, {0}, &count},
    {"empty", TL_DTYPE_BF16, 2, {0, 4}, {4, 1}, floats},
    {"tail \xc3\xa9", TL_DTYPE_BOOL, 1, {3}, {1}, "\1\0\1"},
    {"long", TL_DTYPE_U8, 4, {1, 300, 1, 1}, {300, 1, 1, 1}, some},
};

#define N_SOME (sizeof some / sizeof some[0])

START_TEST (pth_is_read_back)
{
  TlModelFile *file = NULL;
  const TlTensor *tensors;
  size_t n;

  make_folder ();
  assert_ok (tl_pth_write (path, some, N_SOME, &error));
  assert_ok (tl_model_file_open (path, &file, &error));
  tensors = tl_model_file_tensors (file, &n);
  ck_assert_uint_eq (n, N_SOME);
  for (size_t i = 0; i < n; i++) {
    size_t size =
        (size_t) tl_tensor_numel (&some[i]) * tl_dtype_size (some[i].dtype);

    ck_assert_str_eq (tensors[i].name, some[i].name);
    ck_assert_int_eq (tensors[i].dtype, some[i].dtype);
    ck_assert_uint_eq (tensors[i].n_dims, some[i].n_dims);
    ck_assert_mem_eq (tensors[i].shape, some[i].shape, sizeof some[i].shape);
    ck_assert (memcmp (tensors[i].data, some[i].data, size) == 0);
  }
  tl_model_file_free (file);
  remove_folder ();
}
END_TEST

START_TEST (pth_bytes_repeat_and_records_are_aligned)
{
  size_t n, n_again;
  char *bytes, *again;
  int n_records = 0;

  make_folder ();
  assert_ok (tl_pth_write (path, some, N_SOME, &error));
  bytes = read_file (&n);
  assert_ok (tl_pth_write (path, some, N_SOME, &error));
  again = read_file (&n_again);
  ck_assert_uint_eq (n, n_again);
  ck_assert_mem_eq (bytes, again, n);
  for (size_t i = 0; i + 30 < n; i++) {
    const uint8_t *p = (const uint8_t *) bytes + i;

    if (memcmp (p, "PK\3\4", 4) == 0) {
      ck_assert_uint_eq ((i + 30 + (p[26] | p[27] << 8) + (p[28] | p[29] << 8))
              % 64,
          0);
      n_records++;
    }
  }
  ck_assert_int_eq (n_records, (int) N_SOME + 3);
  free (bytes);
  free (again);
  remove_folder ();
}
END_TEST

START_TEST (pth_refuses_what_is_no_state_dict)
{
  const TlTensor strided = {"t", TL_DTYPE_F32, 2, {2, 2}, {1, 2}, floats};
  const TlTensor nothing = {"t", TL_DTYPE_INVALID, 1, {1}, {1}, floats};
  const TlTensor nameless = {"", TL_DTYPE_F32, 1, {1}, {1}, floats};
  const TlTensor huge = {"t", TL_DTYPE_F32, 2, {1 << 20, 1 << 10}, {1 << 10, 1},
      floats};
  const TlTensor twins[2] = {some[0], some[0]};

  make_folder ();
  assert_fails (tl_pth_write (path, &strided, 1, &error), TL_ERROR_ARGUMENT,
      "tensor t cannot be written");
  assert_fails (tl_pth_write (path, &nothing, 1, &error), TL_ERROR_ARGUMENT,
      "tensor t cannot be written");
  assert_fails (tl_pth_write (path, &nameless, 1, &error), TL_ERROR_ARGUMENT,
      "name is empty");
  assert_fails (tl_pth_write (path, twins, 2, &error), TL_ERROR_ARGUMENT,
      "occurs twice");
  assert_fails (tl_pth_write (path, &huge, 1, &error), TL_ERROR_LIMIT,
      "4 GiB or more");
  remove_folder ();
}
END_TEST

START_TEST (a_full_disk_leaves_the_old_file)
{
  struct rlimit before, small = {256, RLIM_INFINITY};
  size_t n, n_left;
  char *bytes, *left;

  make_folder ();
  assert_ok (tl_pth_write (path, some, 0, &error));
  bytes = read_file (&n);
  signal (SIGXFSZ, SIG_IGN);
  ck_assert_int_eq (getrlimit (RLIMIT_FSIZE, &before), 0);
  small.rlim_max = before.rlim_max;
  ck_assert_int_eq (setrlimit (RLIMIT_FSIZE, &small), 0);
  assert_fails (tl_pth_write (path, some, N_SOME, &error), TL_ERROR_WRITE,
      "File too large");
  ck_assert_int_eq (setrlimit (RLIMIT_FSIZE, &before), 0);
  left = read_file (&n_left);
  ck_assert_uint_eq (n_left, n);
  ck_assert_mem_eq (left, bytes, n);
  free (left);
  free (bytes);
  remove_folder ();
}
END_TEST

START_TEST (a_folder_that_is_not_there_is_named)
{
  assert_fails (tl_pth_write ("/nowhere/model.pth", some, 1, &error),
      TL_ERROR_WRITE, "/nowhere/model.pth: cannot be created");
}
END_TEST

/* ---- Models ---- */

/* A ResNet-18 of zeros; BatchNorm variances are 0 too, which is allowed. */
typedef struct
{
  TlArchEntry *entries;
  TlTensor *tensors;
  size_t n;
  float *zeros; /* the data of all, or NULL: no data */
} Model;

static void
init_model (Model *m, const char *name, uint32_t n_classes, int with_data)
{
  const TlArch *arch = tl_arch_find (name);

  m->n = tl_arch_n_entries (arch);
  m->entries = tl_arch_list_entries (arch, n_classes);
  m->tensors = calloc (m->n, sizeof *m->tensors);
  m->zeros = with_data ? calloc (512 * 512 * 9, sizeof *m->zeros) : NULL;
  for (size_t i = 0; i < m->n; i++) {
    TlTensor *t = &m->tensors[i];

    t->name = m->entries[i].name;
    t->dtype = m->entries[i].dtype;
    t->n_dims = m->entries[i].n_dims;
    memcpy (t->shape, m->entries[i].shape, sizeof m->entries[i].shape);
    tl_tensor_set_contiguous (t);
    t->data = m->zeros;
  }
}

static TlTensor *
get_tensor (Model *m, const char *name)
{
  for (size_t i = 0; i < m->n; i++)
    if (strcmp (m->tensors[i].name, name) == 0)
      return &m->tensors[i];
  ck_abort_msg ("no tensor %s", name);
  return NULL;
}

static void
clear_model (Model *m)
{
  free (m->entries);
  free (m->tensors);
  free (m->zeros);
}

START_TEST (a_missing_count_is_zero_and_others_are_widened)
{
  static const int32_t narrow = 7;
  TlStateDict dict = {NULL};
  TlTensor *renamed;
  Model m;

  init_model (&m, "resnet18", 2, 1);
  renamed = get_tensor (&m, "bn1.num_batches_tracked");
  renamed->name = "optimizer.fc.bias.momentum_buffer";
  get_tensor (&m, "layer1.0.bn1.num_batches_tracked")->dtype = TL_DTYPE_I32;
  get_tensor (&m, "layer1.0.bn1.num_batches_tracked")->data = &narrow;
  assert_ok (
      tl_state_dict_collect (&dict, m.tensors, m.n, "optimizer.", &error));
  ck_assert_uint_eq (dict.n, m.n);
  ck_assert_uint_eq (dict.n_classes, 2);
  ck_assert_int_eq (*(const int64_t *) tl_state_dict_find (&dict,
                        "bn1.num_batches_tracked")
                         ->data,
      0);
  ck_assert_int_eq (*(const int64_t *) tl_state_dict_find (&dict,
                        "layer1.0.bn1.num_batches_tracked")
                         ->data,
      7);
  tl_state_dict_clear (&dict);
  assert_fails (tl_state_dict_collect (&dict, m.tensors, m.n, NULL, &error),
      TL_ERROR_ARGUMENT, "unexpected: optimizer.fc.bias");
  tl_state_dict_clear (&dict);
  clear_model (&m);
}
END_TEST

static const struct
{
  const char *what, *arch, *tensor;
  float value; /* what its first element becomes */
  TlStatus status;
  const char *message;
} refused[] = {
    {"variance below zero", "resnet18", "layer2.0.bn1.running_var", -1,
        TL_ERROR_ARGUMENT, "layer2.0.bn1.running_var holds a variance below"},
    {"variance not a number", "resnet18", "bn1.running_var", NAN,
        TL_ERROR_ARGUMENT, "bn1.running_var holds a value that is no finite"},
    {"infinite weight", "resnet18", "fc.weight", INFINITY, TL_ERROR_ARGUMENT,
        "fc.weight holds a value that is no finite number (element 0)"},
    {"no ResNet", "thumbnail", "fc.bias", 0, TL_ERROR_UNSUPPORTED,
        "a thumbnail cannot be written as ONNX"},
};

START_TEST (onnx_refuses)
{
  const TlOnnxOptions options = {.fold_batchnorm = 1, .version = "0"};
  TlStateDict dict = {NULL};
  TlTensor *changed;
  float *values;
  Model m;

  make_folder ();
  init_model (&m, refused[_i].arch, 2, 1);
  changed = get_tensor (&m, refused[_i].tensor);
  values = calloc ((size_t) tl_tensor_numel (changed), sizeof *values);
  values[0] = refused[_i].value;
  changed->data = values;
  assert_ok (tl_state_dict_collect (&dict, m.tensors, m.n, NULL, &error));
  assert_fails (tl_onnx_write (path, &dict, &options, &error),
      refused[_i].status, refused[_i].message);
  tl_state_dict_clear (&dict);
  free (values);
  clear_model (&m);
  remove_folder ();
}
END_TEST

/* Its data is not even looked at: there is none. */
START_TEST (onnx_of_more_than_2_gib_is_refused)
{
  const TlOnnxOptions options = {.version = "0"};
  TlStateDict dict = {NULL};
  Model m;

  make_folder ();
  init_model (&m, "resnet50", 300000, 0);
  assert_ok (tl_state_dict_collect (&dict, m.tensors, m.n, NULL, &error));
  assert_fails (tl_onnx_write (path, &dict, &options, &error), TL_ERROR_LIMIT,
      "cannot be larger than 2 GiB");
  tl_state_dict_clear (&dict);
  clear_model (&m);
  remove_folder ();
}
END_TEST

START_TEST (a_model_without_its_tensors_is_refused)
{
  TlStateDict dict = {NULL};
  Model m;

  init_model (&m, "resnet18", 2, 1);
  assert_fails (tl_state_dict_collect (&dict, m.tensors, m.n - 1, NULL, &error),
      TL_ERROR_ARGUMENT, "no usable head");
  tl_state_dict_clear (&dict);
  assert_fails (tl_state_dict_collect (&dict, m.tensors + 1, m.n - 1, NULL,
                    &error),
      TL_ERROR_ARGUMENT, "missing: conv1.weight");
  tl_state_dict_clear (&dict);
  clear_model (&m);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("writers");
  TCase *tests = tcase_create ("writers");

  tcase_set_timeout (tests, 60);
  tcase_add_test (tests, crc_is_that_of_zip);
  tcase_add_test (tests, halves_are_converted_exactly);
  tcase_add_test (tests, strides_are_obeyed);
  tcase_add_test (tests, pth_is_read_back);
  tcase_add_test (tests, pth_bytes_repeat_and_records_are_aligned);
  tcase_add_test (tests, pth_refuses_what_is_no_state_dict);
  tcase_add_test (tests, a_full_disk_leaves_the_old_file);
  tcase_add_test (tests, a_folder_that_is_not_there_is_named);
  tcase_add_test (tests, a_missing_count_is_zero_and_others_are_widened);
  tcase_add_loop_test (tests, onnx_refuses, 0,
      (int) (sizeof refused / sizeof refused[0]));
  tcase_add_test (tests, onnx_of_more_than_2_gib_is_refused);
  tcase_add_test (tests, a_model_without_its_tensors_is_refused);
  suite_add_tcase (suite, tests);
  return run_suite (suite);
}
