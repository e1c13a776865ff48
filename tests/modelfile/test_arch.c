/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlarch.h"
#include "tltest.h"

#include <string.h>

#define MAX_TENSORS 1000

static TlError error = TL_ERROR_INIT;

/* A state dict without data, whose tensors a test then changes. */
typedef struct
{
  TlArchEntry *entries;
  TlTensor tensors[MAX_TENSORS];
  size_t n;
} StateDict;

static void
init_state_dict (StateDict *s, const char *arch_name, uint32_t n_classes)
{
  const TlArch *arch = tl_arch_find (arch_name);

  ck_assert_ptr_nonnull (arch);
  memset (s, 0, sizeof *s);
  s->entries = tl_arch_list_entries (arch, n_classes);
  s->n = tl_arch_n_entries (arch);
  ck_assert_uint_le (s->n, MAX_TENSORS);
  for (size_t i = 0; i < s->n; i++) {
    const TlArchEntry *entry = &s->entries[i];

    s->tensors[i].name = entry->name;
    s->tensors[i].dtype = entry->dtype;
    s->tensors[i].n_dims = entry->n_dims;
    memcpy (s->tensors[i].shape, entry->shape, sizeof entry->shape);
  }
}

static TlTensor *
get_tensor (StateDict *s, const char *name)
{
  for (size_t i = 0; i < s->n; i++)
    if (strcmp (s->tensors[i].name, name) == 0)
      return &s->tensors[i];
  ck_abort_msg ("no tensor %s", name);
  return NULL;
}

static void
remove_tensor (StateDict *s, const char *name)
{
  TlTensor *removed = get_tensor (s, name);

  *removed = s->tensors[--s->n];
}

/* Parameters as torchvision publishes them for 1000 classes. */
static const struct
{
  const char *name;
  size_t n_tensors;
  int64_t n_parameters;
} published[] = {
    {"resnet18", 122, 11689512},
    {"resnet34", 218, 21797672},
    {"resnet50", 320, 25557032},
    {"resnet101", 626, 44549160},
    {"resnet152", 932, 60192808},
};

START_TEST (parameters_are_those_published)
{
  StateDict s;
  int64_t n = 0;

  init_state_dict (&s, published[_i].name, 1000);
  ck_assert_uint_eq (s.n, published[_i].n_tensors);
  for (size_t i = 0; i < s.n; i++)
    if (s.entries[i].kind <= TL_ENTRY_BN_BIAS
        || s.entries[i].kind >= TL_ENTRY_FC_WEIGHT)
      n += tl_tensor_numel (&s.tensors[i]);
  ck_assert_int_eq (n, published[_i].n_parameters);
  free (s.entries);
}
END_TEST

START_TEST (every_arch_recognises_itself_alone)
{
  const TlArch *arch = tl_arch_nth ((size_t) _i);
  const TlArch *found = NULL;
  uint32_t n_classes = 0;
  StateDict s;

  init_state_dict (&s, arch->name, 7);
  assert_ok (tl_arch_recognise (s.tensors, s.n, &found, &n_classes, &error));
  ck_assert_ptr_eq (found, arch);
  ck_assert_uint_eq (n_classes, 7);
  assert_ok (tl_arch_check (arch, s.tensors, s.n, &n_classes, &error));
  free (s.entries);
}
END_TEST

START_TEST (stages_agree_with_names)
{
  const TlArch *arch = tl_arch_nth ((size_t) _i);
  StateDict s;

  init_state_dict (&s, arch->name, 2);
  for (size_t i = 0; i < s.n; i++)
    ck_assert_int_eq (tl_stage_of_tensor (s.tensors[i].name),
        s.entries[i].stage);
  free (s.entries);
}
END_TEST

START_TEST (foreign_names_have_no_stage)
{
  static const char *const names[] = {"", "fc", "layer5.0.conv1.weight",
      "optimizer.fc.weight.step", "none.weight", "conv10.weight", "layer1"};

  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    ck_assert_int_eq (tl_stage_of_tensor (names[i]), TL_STAGE_NONE);
}
END_TEST

START_TEST (nicks_round_trip)
{
  TlStage stage = TL_STAGE_NONE;

  for (int i = TL_STAGE_NONE; i <= TL_STAGE_FC; i++) {
    ck_assert (tl_stage_from_nick (tl_stage_nick ((TlStage) i), &stage));
    ck_assert_int_eq (stage, i);
  }
  ck_assert_str_eq (tl_stage_nick (TL_STAGE_LAYER4), "all-but-fc");
  ck_assert (tl_stage_from_nick ("layer4", &stage));
  ck_assert_int_eq (stage, TL_STAGE_LAYER4);
  ck_assert (!tl_stage_from_nick ("layer5", &stage));
  ck_assert_str_eq (tl_stage_name ((TlStage) 99), "invalid");
}
END_TEST

START_TEST (head_of_another_size_is_reported_not_refused)
{
  const TlArch *arch = tl_arch_find ("resnet18");
  TlArchMatch match = {TL_HEAD_MISSING, 0};
  uint32_t n_classes = 0;
  StateDict s;

  init_state_dict (&s, "resnet18", 1000);
  assert_ok (tl_arch_compare (arch, 2, s.tensors, s.n, &match, &error));
  ck_assert_int_eq (match.head, TL_HEAD_OTHER);
  ck_assert_uint_eq (match.n_classes, 1000);
  assert_ok (tl_arch_compare (arch, 1000, s.tensors, s.n, &match, &error));
  ck_assert_int_eq (match.head, TL_HEAD_FITS);

  get_tensor (&s, "fc.weight")->shape[1] = 2048;
  assert_ok (tl_arch_compare (arch, 1000, s.tensors, s.n, &match, &error));
  ck_assert_int_eq (match.head, TL_HEAD_OTHER);
  ck_assert_uint_eq (match.n_classes, 0);
  assert_fails (tl_arch_check (arch, s.tensors, s.n, &n_classes, &error),
      TL_ERROR_ARGUMENT, "fc.weight [classes, 512]");

  remove_tensor (&s, "fc.weight");
  remove_tensor (&s, "fc.bias");
  assert_ok (tl_arch_compare (arch, 2, s.tensors, s.n, &match, &error));
  ck_assert_int_eq (match.head, TL_HEAD_MISSING);
  free (s.entries);
}
END_TEST

START_TEST (differences_are_listed_by_name)
{
  const TlArch *arch = tl_arch_find ("resnet50");
  const TlArch *found = NULL;
  TlArchMatch match;
  StateDict s;

  init_state_dict (&s, "resnet50", 10);
  remove_tensor (&s, "bn1.num_batches_tracked");
  assert_ok (tl_arch_compare (arch, 10, s.tensors, s.n, &match, &error));

  get_tensor (&s, "layer2.0.bn1.weight")->name = "layer2.0.norm\x1b.weight";
  get_tensor (&s, "conv1.weight")->shape[2] = 3;
  get_tensor (&s, "layer1.0.bn1.bias")->dtype = TL_DTYPE_I64;
  assert_fails (tl_arch_compare (arch, 10, s.tensors, s.n, &match, &error),
      TL_ERROR_ARGUMENT, "1 missing: layer2.0.bn1.weight;");
  ck_assert_ptr_nonnull (
      strstr (error.message, "1 unexpected: layer2.0.norm?.weight;"));
  ck_assert_ptr_nonnull (strstr (error.message,
      "conv1.weight (F32 [64, 3, 3, 7] instead of F32 [64, 3, 7, 7])"));
  ck_assert_ptr_nonnull (strstr (error.message,
      "layer1.0.bn1.bias (I64 [64] instead of F32 [64])"));
  assert_fails (tl_arch_recognise (s.tensors, s.n, &found, NULL, &error),
      TL_ERROR_ARGUMENT,
      "nearest: the tensors are not the state dict of "
      "resnet50");
  ck_assert_ptr_null (found);
  free (s.entries);
}
END_TEST

START_TEST (foreign_sets_are_refused)
{
  const TlTensor foreign = {.name = "encoder.weight", .dtype = TL_DTYPE_F32};
  const TlArch *found = NULL;

  assert_fails (tl_arch_recognise (&foreign, 1, &found, NULL, &error),
      TL_ERROR_ARGUMENT, "none of the 1 tensors");
  assert_fails (tl_arch_recognise (&foreign, 0, &found, NULL, &error),
      TL_ERROR_ARGUMENT, "none of the 0 tensors");
}
END_TEST

START_TEST (many_differences_are_counted)
{
  const TlTensor one = {.name = "conv1.weight",
      .dtype = TL_DTYPE_F16,
      .n_dims = 4,
      .shape = {64, 3, 7, 7}};
  TlArchMatch match;

  assert_fails (tl_arch_compare (tl_arch_find ("resnet18"), 2, &one, 1, &match,
                    &error),
      TL_ERROR_ARGUMENT,
      "99 missing: bn1.weight, bn1.bias, bn1.running_mean, "
      "bn1.running_var and 95 more");
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("arch");
  TCase *tests = tcase_create ("state dict");

  tcase_add_loop_test (tests, parameters_are_those_published, 0, 5);
  tcase_add_loop_test (tests, every_arch_recognises_itself_alone, 0, 6);
  tcase_add_loop_test (tests, stages_agree_with_names, 0, 6);
  tcase_add_test (tests, foreign_names_have_no_stage);
  tcase_add_test (tests, nicks_round_trip);
  tcase_add_test (tests, head_of_another_size_is_reported_not_refused);
  tcase_add_test (tests, differences_are_listed_by_name);
  tcase_add_test (tests, foreign_sets_are_refused);
  tcase_add_test (tests, many_differences_are_counted);
  suite_add_tcase (suite, tests);
  return run_suite (suite);
}
