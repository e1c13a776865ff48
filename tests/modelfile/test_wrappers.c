/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlpth.h"
#include "tlpthbuild.h"
#include "tltest.h"

#include <string.h>

#define LIMIT (1u << 20)

static TlError error = TL_ERROR_INIT;

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

int
main (void)
{
  Suite *suite = suite_create ("wrappers");
  TCase *tests = tcase_create ("wrappers");

  tcase_add_loop_test (tests, wrappers_are_found_and_prefixes_taken_off, 0,
      N_WRAPPERS);
  suite_add_tcase (suite, tests);
  return run_suite (suite);
}
