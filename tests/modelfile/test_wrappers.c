/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlpth.h"
#include "tlpthbuild.h"
#include "tltest.h"

#include <string.h>

#define LIMIT (1u << 20)

static TlError error = TL_ERROR_INIT;

/* A tensor on storage "0"; its offset is 1, as the text holds no NUL. */
#define TENSOR_OF(type, sizes, strides, flags)                                 \
  "ctorch._utils\n_rebuild_tensor_v2\n((U\7storagectorch\n" type               \
  "\nU\1\60U\3cpuK\x18tQK\1" sizes strides "\x89}}" flags "tR"
#define SCALAR TENSOR_OF ("FloatStorage", ")", ")", "")
#define VECTOR TENSOR_OF ("FloatStorage", "K\2\x85", "K\1\x85", "")
#define CONJUGATED                                                             \
  TENSOR_OF ("ComplexFloatStorage", "K\2\x85", "K\1\x85", "U\4conj\x88s")

/* What comes before and after the dict, the name in the file, the name read. */
static const struct
{
  const char *before;
  const char *name;
  const char *after;
  const char *read_as;
} wrappers[] = {
    {"", "fc.weight", "", "fc.weight"},
    {"", "module.fc.weight", "", "fc.weight"},
    {"", "_orig_mod.module.fc.weight", "", "fc.weight"},
    {"", "model.fc.weight", "", "fc.weight"},
    {"", "module.", "", "module."},
    {"}(U\x05"
     "epochK\x03U\x0astate_dict",
        "fc.weight", "u", "fc.weight"},
    {"}U\x05"
     "model",
        "fc.weight", "s", "fc.weight"},
    {"}U\x10"
     "model_state_dict",
        "fc.weight", "s", "fc.weight"},
    {"}(U\x09"
     "model_emaU\x01xU\x0astate_dict",
        "fc.weight", "u", "fc.weight"},
    /* One in the other, below a name that is not known. */
    {"}U\x0a"
     "checkpoint}U\x05"
     "model",
        "module.model.fc.weight", "ss", "fc.weight"},
    {"}U\x07weights", "fc.weight", "s", "fc.weight"},
    /* Objects beside it: of classes, of calls, sets, bytes, large numbers. */
    {"}(U\x01"
     "acargparse\nNamespace\n)\x81}U\x01lK\x01sb"
     "U\x01"
     "bcnumpy.core.multiarray\nscalar\nU\x01xC\x02yz\x86R"
     "U\x01"
     "cccollections\ndefaultdict\ncbuiltins\nlist\n\x85R(U\x01kNu"
     "U\x01"
     "dcmy.Config\nConfig\n)\x81(K\x01K\x02"
     "e}U\x01nNsb"
     "U\x01"
     "e\x8f(K\x01K\x02\x90U\x01"
     "f(K\x01\x91U\x01g\x8a\x09"
     "123456789"
     "U\x01h(NN1NU\x01i(K\x01lU\x01j(U\x01kK\x02"
     "d"
     "U\x05"
     "model",
        "fc.weight", "u", "fc.weight"},
    /* A score or a count beside it; under a known name scalars win too. */
    {"}(U\4best" SCALAR "U\7network", "fc.weight", "u", "fc.weight"},
    {"}(U\3ema}U\1n" SCALAR "sU\5model", "fc.weight", "u", "n"},
    {"}(U\3ema}(U\5decay" SCALAR "U\6shadow", "fc.weight", "uu", "fc.weight"},
    {"}(U\6params}U\1w" VECTOR "sU\12params_ema", "fc.weight", "u",
        "fc.weight"},
    /* The last of one name counts, as in Python. */
    {"}(U\5model}U\1w" VECTOR "sU\5model", "fc.weight", "u", "fc.weight"},
    /* Tensors that are not read, beside it. */
    {"}(U\1c" CONJUGATED "U\5model", "fc.weight", "u", "fc.weight"},
    {"}(U\1ec__builtin__\nEllipsis\nU\5model", "fc.weight", "u", "fc.weight"},
    /* Whatever stands before the names of a ResNet. */
    {"", "backbone.layer1.0.conv1.weight", "", "layer1.0.conv1.weight"},
    {"", "module.encoder.0.layer1.0.conv1.weight", "", "layer1.0.conv1.weight"},
    {"", "xlayer1.0.conv1.weight", "", "xlayer1.0.conv1.weight"},
    /* BUILD of _metadata */
    {"", "fc.weight", "}U\x09_metadata}sb", "fc.weight"},
};

#define N_WRAPPERS ((int) (sizeof wrappers / sizeof wrappers[0]))

START_TEST (wrappers_are_found_and_prefixes_taken_off)
{
  TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
  Bytes pickle = {NULL, 0}, file = {NULL, 0};

  build_state_dict (&pickle, wrappers[_i].before, wrappers[_i].name,
      &pth_tensor, wrappers[_i].after);
  assert_ok (read_pth (&pickle, &file, &set, &error));
  ck_assert_uint_eq (set.n_tensors, 1);
  ck_assert_str_eq (set.tensors[0].name, wrappers[_i].read_as);
  tl_tensor_set_clear (&set);
  bytes_clear (&file);
}
END_TEST

/* Files in which it is not clear what is meant, or that hold what is not
 * read. */
static const struct
{
  const char *what;
  const char *pickle;
  TlStatus status;
  const char *message;
} unclear[] = {
    {"two of no known name",
        "\x80\2}(U\7teacher}U\1w" VECTOR "sU\7student}U\1w" VECTOR "su.",
        TL_ERROR_FORMAT, "such as teacher and student, and none under a known"},
    {"two and a score",
        "\x80\2}(U\1s" SCALAR "U\1a}U\1w" VECTOR "sU\1b}U\1w" VECTOR "su.",
        TL_ERROR_FORMAT, "such as a and b"},
    {"three dicts deep", "\x80\2}U\1a}U\1b}U\1c}U\1w" VECTOR "ssss.",
        TL_ERROR_FORMAT, "at most two dicts deep"},
    {"a conjugated tensor in it", "\x80\2}U\1w" CONJUGATED "s.",
        TL_ERROR_UNSUPPORTED, "tensor w is of a kind that is not read"},
    {"a number for a name", "\x80\2}K\1" VECTOR "s.", TL_ERROR_FORMAT,
        "has no name"},
};

#define N_UNCLEAR ((int) (sizeof unclear / sizeof unclear[0]))

START_TEST (unclear_files_are_refused)
{
  TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
  Bytes pickle = {NULL, 0}, file = {NULL, 0};
  TlStatus status;

  bytes_puts (&pickle, unclear[_i].pickle);
  status = read_pth (&pickle, &file, &set, &error);
  ck_assert_msg (status == unclear[_i].status
          && strstr (error.message, unclear[_i].message),
      "%s: status %d, %s", unclear[_i].what, status, error.message);
  tl_tensor_set_clear (&set);
  bytes_clear (&file);
}
END_TEST

/* Elements whose size is known are passed over in the legacy container, where
 * they stand between those of others. */
START_TEST (legacy_storages_of_foreign_types_are_passed_over)
{
  static const struct
  {
    const char *type;
    size_t size;
  } foreign[] = {{"ComplexDoubleStorage", 16}, {"QInt8Storage", 1},
      {"QUInt8Storage", 1}, {"QInt32Storage", 4}, {"QUInt4x2Storage", 1},
      {"QUInt2x4Storage", 1}};
  static const uint8_t zeros[2 * 16];
  const PickledTensor other = {foreign[_i].type, "a", 2, 0, 1, {2}, {1}};
  const PickledTensor mine = {"FloatStorage", "b", 1, 0, 1, {1}, {1}};
  const float value = 7;
  TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
  Bytes file = {NULL, 0};

  build_legacy_head (&file, 1);
  bytes_puts (&file, "\x80\x02}(U\1x");
  pickle_tensor (&file, &other);
  bytes_puts (&file, "U\5model}U\1w");
  pickle_tensor (&file, &mine);
  bytes_puts (&file, "su.\x80\x02](U\1aU\1be.");
  bytes_put_storage (&file, zeros, 2, foreign[_i].size);
  bytes_put_storage (&file, &value, 1, sizeof value);
  assert_ok (tl_pth_read_legacy (file.data, file.n, &set, &error));
  ck_assert_uint_eq (set.n_tensors, 1);
  ck_assert_float_eq (*(const float *) set.tensors[0].data, value);
  tl_tensor_set_clear (&set);
  bytes_clear (&file);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("wrappers");
  TCase *tests = tcase_create ("wrappers");

  tcase_add_loop_test (tests, wrappers_are_found_and_prefixes_taken_off, 0,
      N_WRAPPERS);
  tcase_add_loop_test (tests, unclear_files_are_refused, 0, N_UNCLEAR);
  tcase_add_loop_test (tests, legacy_storages_of_foreign_types_are_passed_over,
      0, 6);
  suite_add_tcase (suite, tests);
  return run_suite (suite);
}
