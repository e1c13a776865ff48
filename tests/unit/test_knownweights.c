/* SPDX-License-Identifier: BSD-3-Clause */

/* The table of torchvision's files: what each is called, and that it agrees
 * with the architectures and with the digests in the files' names. */

#include "tlarch.h"
#include "tlknownweights.h"
#include "tlmodelfile.h"
#include "tltest.h"

#include <string.h>

/* What people write, and the file that it means; NULL: none. */
static const struct
{
  const char *name, *arch, *file;
} names[] = {
    {"resnet18", NULL, "resnet18-f37072fd.pth"},
    {"resnet18-v1", NULL, "resnet18-f37072fd.pth"},
    {"resnet34", NULL, "resnet34-b627a593.pth"},
    {"resnet50", NULL, "resnet50-11ad3fa6.pth"},
    {"resnet50-v1", NULL, "resnet50-0676ba61.pth"},
    {"resnet50-v2", NULL, "resnet50-11ad3fa6.pth"},
    {"ResNet50", NULL, "resnet50-11ad3fa6.pth"},
    {"ResNet50_Weights.IMAGENET1K_V1", NULL, "resnet50-0676ba61.pth"},
    {"ResNet50_Weights.IMAGENET1K_V2", NULL, "resnet50-11ad3fa6.pth"},
    {"ResNet50_Weights.DEFAULT", NULL, "resnet50-11ad3fa6.pth"},
    {"resnet101", NULL, "resnet101-cd907fc2.pth"},
    {"ResNet101_Weights.IMAGENET1K_V1", NULL, "resnet101-63fe2227.pth"},
    {"resnet152", NULL, "resnet152-f82ba261.pth"},
    {"resnet152-v1", NULL, "resnet152-394f9c45.pth"},
    {"IMAGENET1K_V1", "resnet50", "resnet50-0676ba61.pth"},
    {"IMAGENET1K_V2", "resnet152", "resnet152-f82ba261.pth"},
    {"DEFAULT", "resnet18", "resnet18-f37072fd.pth"},
    {"default", "resnet101", "resnet101-cd907fc2.pth"},
    {"IMAGENET1K_V2", "resnet18", NULL},
    {"IMAGENET1K_V1", NULL, NULL},
    {"IMAGENET1K_V1", "thumbnail", NULL},
    {"resnet18-v2", NULL, NULL},
    {"ResNet18_Weights.IMAGENET1K_V2", NULL, NULL},
    {"resnet", NULL, NULL},
    {"resnet50 ", NULL, NULL},
    {"resnet18-f37072fd.pth", NULL, NULL},
    {"random", NULL, NULL},
    {"", NULL, NULL},
};

START_TEST (test_every_name_means_its_file)
{
  const TlKnownWeights *known =
      tl_known_weights_find (names[_i].name, names[_i].arch);

  if (names[_i].file) {
    ck_assert_ptr_nonnull (known);
    ck_assert_str_eq (known->file, names[_i].file);
  } else {
    ck_assert_ptr_null (known);
  }
}
END_TEST

START_TEST (test_the_table_agrees_with_the_readers)
{
  size_t n = 0;

  for (const TlKnownWeights *k; (k = tl_known_weights_nth (n)); n++) {
    const TlArch *arch = tl_arch_find (k->arch);
    char digits[9], name[TL_KNOWN_WEIGHTS_NAME_SIZE];

    ck_assert_ptr_nonnull (arch);
    /* A name that the readers check the file against. */
    ck_assert (tl_model_file_name_digest (k->file, digits));
    ck_assert_int_eq (strncmp (k->sha256, digits, 8), 0);
    ck_assert (strlen (k->sha256) == 8 || strlen (k->sha256) == 64);
    /* Its own name is one of its names. */
    ck_assert_ptr_eq (tl_known_weights_find (k->name, NULL), k);
    for (size_t i = 0; tl_known_weights_spell (k, i, name); i++)
      ck_assert_ptr_eq (tl_known_weights_find (name, NULL), k);
    /* Four bytes for each parameter, and not much beside them. */
    ck_assert (k->mebibytes * 1048576 > 4.0 * (double) k->n_parameters);
    ck_assert (
        k->mebibytes * 1048576 < 4.0 * (double) k->n_parameters + 1048576);
  }
  ck_assert_uint_eq (n, 8);
}
END_TEST

/* Parameters without the buffers of BatchNorm, as torchvision counts. */
static uint64_t
count_parameters (const TlArch *arch)
{
  TlArchEntry *entries = tl_arch_list_entries (arch, 1000);
  uint64_t n = 0;

  for (size_t i = 0; i < tl_arch_n_entries (arch); i++) {
    uint64_t product = 1;

    if (entries[i].kind == TL_ENTRY_BN_MEAN
        || entries[i].kind == TL_ENTRY_BN_VAR
        || entries[i].kind == TL_ENTRY_BN_COUNT)
      continue;
    for (uint32_t d = 0; d < entries[i].n_dims; d++)
      product *= (uint64_t) entries[i].shape[d];
    n += product;
  }
  free (entries);
  return n;
}

START_TEST (test_parameters_are_those_of_the_architecture)
{
  for (size_t i = 0; tl_known_weights_nth (i); i++) {
    const TlKnownWeights *k = tl_known_weights_nth (i);

    ck_assert_uint_eq (k->n_parameters,
        count_parameters (tl_arch_find (k->arch)));
  }
}
END_TEST

START_TEST (test_files_are_found_by_name_and_digest)
{
  const TlKnownWeights *resnet18 = tl_known_weights_find ("resnet18", NULL);
  char hex[65];

  ck_assert_ptr_eq (tl_known_weights_find_file ("/a/resnet18-f37072fd.pth/"
                                                "resnet18-f37072fd.pth"),
      resnet18);
  ck_assert_ptr_eq (tl_known_weights_find_file ("resnet18-f37072fd.pth"),
      resnet18);
  ck_assert_ptr_null (tl_known_weights_find_file ("resnet18-f37072fd.pth/"));
  ck_assert_ptr_null (tl_known_weights_find_file ("resnet18.pth"));
  ck_assert_ptr_eq (tl_known_weights_find_sha256 (resnet18->sha256), resnet18);
  /* Where the whole digest is known its first digits are not enough. */
  strcpy (hex, resnet18->sha256);
  hex[63] ^= 1;
  ck_assert_ptr_null (tl_known_weights_find_sha256 (hex));
  memset (hex, '0', 64);
  memcpy (hex, "0676ba61", 8);
  ck_assert_str_eq (tl_known_weights_find_sha256 (hex)->name, "resnet50-v1");
}
END_TEST

START_TEST (test_sizes_are_as_exact_as_they_are_known)
{
  const TlKnownWeights *exact = tl_known_weights_find ("resnet18", NULL);
  const TlKnownWeights *rounded = tl_known_weights_find ("resnet34", NULL);
  uint64_t about = (uint64_t) (83.275 * 1048576);

  ck_assert (tl_known_weights_has_size (exact, 46830571));
  ck_assert (!tl_known_weights_has_size (exact, 46830570));
  ck_assert (!tl_known_weights_has_size (exact, 46830572));
  ck_assert_uint_eq (tl_known_weights_max_size (exact), 46830571);
  ck_assert (tl_known_weights_has_size (rounded, about + 500));
  ck_assert (tl_known_weights_has_size (rounded, about - 500));
  ck_assert (!tl_known_weights_has_size (rounded, about + 2000));
  ck_assert (!tl_known_weights_has_size (rounded, about - 2000));
  ck_assert (!tl_known_weights_has_size (rounded, 0));
  ck_assert (tl_known_weights_max_size (rounded) >= about + 524);
}
END_TEST

START_TEST (test_words_that_need_an_architecture)
{
  ck_assert (tl_known_weights_needs_arch ("IMAGENET1K_V1"));
  ck_assert (tl_known_weights_needs_arch ("imagenet1k_v2"));
  ck_assert (tl_known_weights_needs_arch ("DEFAULT"));
  ck_assert (!tl_known_weights_needs_arch ("IMAGENET1K_V3"));
  ck_assert (!tl_known_weights_needs_arch ("resnet18"));
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("knownweights");
  TCase *tcase = tcase_create ("knownweights");

  tcase_add_loop_test (tcase, test_every_name_means_its_file, 0,
      sizeof names / sizeof names[0]);
  tcase_add_test (tcase, test_the_table_agrees_with_the_readers);
  tcase_add_test (tcase, test_parameters_are_those_of_the_architecture);
  tcase_add_test (tcase, test_files_are_found_by_name_and_digest);
  tcase_add_test (tcase, test_sizes_are_as_exact_as_they_are_known);
  tcase_add_test (tcase, test_words_that_need_an_architecture);
  suite_add_tcase (suite, tcase);
  return run_suite (suite);
}
