/* SPDX-License-Identifier: BSD-3-Clause */

/* Reads small files with bytes changed at random: each must be read or refused
 * with a sentence, and every element of a tensor that was read must be there.
 * Meant for builds with sanitizers; TL_MUTATIONS sets how many of each kind. */

#include "tlpth.h"
#include "tlpthbuild.h"
#include "tlsafetensors.h"
#include "tltest.h"

#include <string.h>

#define LIMIT (1u << 20)
#define DEFAULT_MUTATIONS 2000

typedef TlStatus (
    *Read) (void *bytes, size_t size, TlTensorSet *set, TlError *error);

static TlError error = TL_ERROR_INIT;

/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift
 * generators, scrambled" (2016). */
static uint64_t
draw (uint64_t *state)
{
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return *state * UINT64_C (0x2545f4914f6cdd1d);
}

/* Changes up to four bytes: to a random value, by one bit, or to that of
 * another place, which makes valid pieces meet. */
static void
mutate (uint8_t *bytes, size_t n, uint64_t *state)
{
  int n_changes = 1 + (int) (draw (state) % 4);

  for (int i = 0; i < n_changes; i++) {
    size_t at = draw (state) % n;

    switch (draw (state) % 3) {
      case 0:
        bytes[at] = (uint8_t) draw (state);
        break;
      case 1:
        bytes[at] ^= (uint8_t) (1 << draw (state) % 8);
        break;
      default:
        bytes[at] = bytes[draw (state) % n];
    }
  }
}

/* Sums the bytes of each element, so that a sanitizer sees each of them. */
static unsigned
touch (const TlTensor *t, uint32_t dim, const uint8_t *at)
{
  size_t item = tl_dtype_size (t->dtype);
  unsigned sum = 0;

  if (dim == t->n_dims) {
    for (size_t i = 0; i < item; i++)
      sum += at[i];
    return sum;
  }
  for (int64_t i = 0; i < t->shape[dim]; i++)
    sum += touch (t, dim + 1, at + (size_t) (i * t->stride[dim]) * item);
  return sum;
}

static void
check_mutations (const Bytes *file, Read read)
{
  const char *wanted = getenv ("TL_MUTATIONS");
  int n = wanted ? atoi (wanted) : DEFAULT_MUTATIONS;
  uint64_t state = 1;
  int n_read = 0;

  for (int i = 0; i < n; i++) {
    TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
    /* Of its own, so that a byte beyond it is found; aligned as files are. */
    uint8_t *copy = malloc (file->n);

    ck_assert_ptr_nonnull (copy);
    memcpy (copy, file->data, file->n);
    mutate (copy, file->n, &state);
    error.message[0] = '\0';
    if (read (copy, file->n, &set, &error) == TL_OK) {
      n_read++;
      for (size_t t = 0; t < set.n_tensors; t++)
        touch (&set.tensors[t], 0, set.tensors[t].data);
    } else {
      ck_assert_str_ne (error.message, "");
    }
    tl_tensor_set_clear (&set);
    free (copy);
  }
  /* Most changes hit something that matters, some hit only data. */
  ck_assert_int_gt (n_read, 0);
  ck_assert_int_lt (n_read, n);
}

START_TEST (mutated_pth_files_are_harmless)
{
  Bytes file = {NULL, 0};

  build_small_pth (&file);
  check_mutations (&file, tl_pth_read_zip);
  bytes_clear (&file);
}
END_TEST

START_TEST (mutated_safetensors_files_are_harmless)
{
  static const float data[6] = {1, 2, 3, 4, 5, 6};
  const TlTensor tensors[] = {{"conv1.weight", TL_DTYPE_F32, 2, {2, 3}, {3, 1},
                                  data},
      {"bn1.bias", TL_DTYPE_BF16, 1, {3}, {1}, data},
      {"count", TL_DTYPE_I64, 0, {0}, {0}, data}};
  const TlMetadata metadata = {"classes", "[\"a\",\"b\\\"\"]"};
  Bytes file = {NULL, 0};
  void *header = NULL;
  size_t n = 0;

  assert_ok (tl_safetensors_build_header (tensors, 3, &metadata, 1, &header, &n,
      NULL, &error));
  bytes_put (&file, header, n);
  for (int i = 0; i < 3; i++)
    bytes_put (&file, tensors[i].data, tl_safetensors_data_size (&tensors[i]));
  check_mutations (&file, tl_safetensors_read_in_place);
  free (header);
  bytes_clear (&file);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("mutations");
  TCase *tests = tcase_create ("mutations");

  tcase_set_timeout (tests, 600);
  tcase_add_test (tests, mutated_pth_files_are_harmless);
  tcase_add_test (tests, mutated_safetensors_files_are_harmless);
  suite_add_tcase (suite, tests);
  return run_suite (suite);
}
