/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlpth.h"
#include "tlpthbuild.h"
#include "tltest.h"
#include "tlzip.h"

#include <string.h>

#define LIMIT (1u << 20)

static TlError error = TL_ERROR_INIT;

/* The containers, and a small file of each. */
static const struct
{
  const char *what;
  void (*build) (Bytes *b);
  TlStatus (*read) (void *bytes, size_t size, TlTensorSet *set, TlError *error);
} containers[] = {
    {"zip", build_small_pth, tl_pth_read_zip},
    {"legacy", build_small_legacy, tl_pth_read_legacy},
    {"tar", build_small_tar, tl_pth_read_tar},
};

#define N_CONTAINERS ((int) (sizeof containers / sizeof containers[0]))

START_TEST (small_file_is_read)
{
  static const float weights[6] = {1, 2, 3, 4, 5, 6};
  TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
  Bytes file = {NULL, 0};

  containers[_i].build (&file);
  assert_ok (containers[_i].read (file.data, file.n, &set, &error));
  ck_assert_uint_eq (set.n_tensors, 2);
  ck_assert_str_eq (set.tensors[0].name, "conv1.weight");
  ck_assert_int_eq (set.tensors[0].dtype, TL_DTYPE_F32);
  ck_assert_mem_eq (set.tensors[0].data, weights, sizeof weights);
  ck_assert_int_eq (set.tensors[1].dtype, TL_DTYPE_I64);
  ck_assert_uint_eq (set.tensors[1].n_dims, 0);
  ck_assert_int_eq (*(const int64_t *) set.tensors[1].data, 7);
  tl_tensor_set_clear (&set);
  bytes_clear (&file);
}
END_TEST

/* Views of one storage, aligned or not: the same elements. */
START_TEST (views_are_read_at_every_alignment)
{
  const PickledTensor view = {.storage_type = "FloatStorage",
      .key = "0",
      .storage_n = PTH_N_ELEMENTS,
      .offset = 1,
      .n_dims = 3,
      .shape = {2, 3, 2},
      .stride = {12, 1, 6}};
  TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
  Bytes pickle = {NULL, 0}, file = {NULL, 0};
  const TlTensor *t;

  build_state_dict (&pickle, "", "view", &view, "");
  build_pth (&file, &pickle, _i);
  assert_ok (tl_pth_read_zip (file.data, file.n, &set, &error));
  t = &set.tensors[0];
  ck_assert_uint_eq ((uintptr_t) t->data % 4, 0);
  for (int i = 0; i < 12; i++) {
    int a = i / 6, b = i / 2 % 3, c = i % 2;
    int64_t at = a * t->stride[0] + b * t->stride[1] + c * t->stride[2];

    ck_assert_float_eq (((const float *) t->data)[at],
        (float) (1 + 12 * a + b + 6 * c));
  }
  tl_tensor_set_clear (&set);
  bytes_clear (&pickle);
  bytes_clear (&file);
}
END_TEST

/* Tensors that do not fit their storage, or storages that are not there. */
static const struct
{
  const char *what;
  PickledTensor tensor;
  TlStatus status;
  const char *message;
} misfits[] = {
    {"beyond the record", {"FloatStorage", "0", 4096, 0, 1, {4096}, {1}},
        TL_ERROR_FORMAT,
        "has 96 bytes, but the pickle says 4,096 elements of F32"},
    {"beyond the storage", {"FloatStorage", "0", 24, 0, 1, {25}, {1}},
        TL_ERROR_FORMAT, "beyond the 24 elements"},
    {"offset beyond", {"FloatStorage", "0", 24, 24, 0, {0}, {0}},
        TL_ERROR_FORMAT, "beyond the 24 elements"},
    {"stride beyond", {"FloatStorage", "0", 24, 0, 2, {2, 2}, {23, 1}},
        TL_ERROR_FORMAT, "beyond the 24 elements"},
    {"stride overflows",
        {"FloatStorage", "0", 24, 0, 2, {INT64_C (1) << 39, 2},
            {(INT64_C (1) << 40) - 1, 1}},
        TL_ERROR_FORMAT, "beyond the 24 elements"},
    {"stride too large",
        {"FloatStorage", "0", 24, 0, 1, {1}, {INT64_C (1) << 40}},
        TL_ERROR_FORMAT, "beyond the 24 elements"},
    {"negative size", {"FloatStorage", "0", 24, 0, 1, {-1}, {1}},
        TL_ERROR_FORMAT, "beyond the 24 elements"},
    {"negative offset", {"FloatStorage", "0", 24, -1, 1, {1}, {1}},
        TL_ERROR_FORMAT, "not made of storage"},
    {"negative storage", {"FloatStorage", "0", -1, 0, 1, {1}, {1}},
        TL_ERROR_FORMAT, "a storage is not made of"},
    {"stride 0 repeats", {"FloatStorage", "0", 24, 0, 1, {100000000}, {0}},
        TL_ERROR_LIMIT, "100,000,000 elements, far more than the whole"},
    {"empty but absurd",
        {"FloatStorage", "0", 24, 0, 3,
            {(INT64_C (1) << 40) - 1, (INT64_C (1) << 40) - 1, 0}, {0}},
        TL_ERROR_LIMIT, "absurdly large"},
    {"nine dimensions",
        {"FloatStorage", "0", 24, 0, 9, {1, 1, 1, 1, 1, 1, 1, 1, 1}, {0}},
        TL_ERROR_FORMAT, "not made of storage"},
    {"record missing", {"FloatStorage", "1", 24, 0, 1, {1}, {1}},
        TL_ERROR_FORMAT, "the record data/1 that the pickle names is missing"},
    {"key too long",
        {"FloatStorage",
            "0123456789012345678901234567890123456789012345678901234567890123",
            24, 0, 1, {1}, {1}},
        TL_ERROR_FORMAT, "is missing"},
    {"dtype of no tensor", {"ComplexDoubleStorage", "0", 1, 0, 1, {1}, {1}},
        TL_ERROR_UNSUPPORTED,
        "tensor w is of a kind that is not read (torch.ComplexDoubleStorage)"},
    {"quantized", {"QInt8Storage", "0", 1, 0, 1, {1}, {1}},
        TL_ERROR_UNSUPPORTED, "torch.QInt8Storage"},
};

#define N_MISFITS ((int) (sizeof misfits / sizeof misfits[0]))

START_TEST (tensors_must_fit_their_storage)
{
  TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
  Bytes pickle = {NULL, 0}, file = {NULL, 0};
  TlStatus status;

  build_state_dict (&pickle, "", "w", &misfits[_i].tensor, "");
  status = read_pth (&pickle, &file, &set, &error);
  ck_assert_msg (status == misfits[_i].status
          && strstr (error.message, misfits[_i].message),
      "%s: status %d, %s", misfits[_i].what, status, error.message);
  tl_tensor_set_clear (&set);
  bytes_clear (&file);
}
END_TEST

/* Archives that are refused: what is changed in an honest one. */
typedef void (*Spoil) (Record *records);

static void
compress_data (Record *r)
{
  r[1].method = 8;
}

static void
compress_pickle (Record *r)
{
  r[0].method = 8;
}

static void
encrypt (Record *r)
{
  r[1].flags |= 1;
}

static void
claim_more (Record *r)
{
  r[1].said = 1 << 20;
}

static void
overlap (Record *r)
{
  r[0].said = (int64_t) r[0].size + 60;
}

static void
name_twice (Record *r)
{
  r[2].name = r[1].name;
}

static void
lose_pickle (Record *r)
{
  r[0].name = "model/data.txt";
}

static void
be_torchscript (Record *r)
{
  r[2].name = "model/constants.pkl";
}

static void
be_big_endian (Record *r)
{
  r[2].name = "model/byteorder";
  r[2].data = "big";
  r[2].size = 3;
}

static void
have_two_roots (Record *r)
{
  r[2].name = "other/data.pkl";
}

static const struct
{
  Spoil spoil;
  TlStatus status;
  const char *message;
} spoilt[] = {
    {compress_data, TL_ERROR_UNSUPPORTED, "model/data/0 is compressed"},
    {compress_pickle, TL_ERROR_UNSUPPORTED, "model/data.pkl is compressed"},
    {encrypt, TL_ERROR_UNSUPPORTED, "model/data/0 is encrypted"},
    {claim_more, TL_ERROR_FORMAT, "model/data/0 is damaged"},
    {overlap, TL_ERROR_FORMAT, "overlap"},
    {name_twice, TL_ERROR_FORMAT, "zip record model/data/0 occurs twice"},
    {lose_pickle, TL_ERROR_FORMAT, "without data.pkl"},
    {be_torchscript, TL_ERROR_UNSUPPORTED, "a TorchScript archive"},
    {be_big_endian, TL_ERROR_UNSUPPORTED, "byte order \"big\""},
    {have_two_roots, TL_ERROR_FORMAT, "model/data.pkl and other/data.pkl"},
};

#define N_SPOILT ((int) (sizeof spoilt / sizeof spoilt[0]))

START_TEST (spoilt_archives_are_refused)
{
  static const float elements[PTH_N_ELEMENTS];
  TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
  Bytes pickle = {NULL, 0}, file = {NULL, 0};

  build_state_dict (&pickle, "", "w", &pth_tensor, "");
  {
    Record records[] = {RECORD ("model/data.pkl", pickle.data, pickle.n),
        RECORD ("model/data/0", elements, sizeof elements),
        RECORD ("model/version", "3\n", 2)};

    spoilt[_i].spoil (records);
    build_zip (&file, records, 3, _i % 2);
  }
  assert_fails (tl_pth_read_zip (file.data, file.n, &set, &error),
      spoilt[_i].status, spoilt[_i].message);
  tl_tensor_set_clear (&set);
  bytes_clear (&pickle);
  bytes_clear (&file);
}
END_TEST

START_TEST (every_truncation_is_refused)
{
  Bytes file = {NULL, 0};

  build_small_pth (&file);
  for (size_t n = 0; n < file.n; n++) {
    TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);

    assert_fails (tl_pth_read_zip (file.data, n, &set, &error), TL_ERROR_FORMAT,
        "truncated: the ");
    ck_assert_int_eq (error.offset, (int64_t) n);
    tl_tensor_set_clear (&set);
  }
  bytes_clear (&file);
}
END_TEST

/* The number in "ends at least 1,234 bytes early"; 0 if there is none. */
static uint64_t
find_missing (const char *message)
{
  const char *p = strstr (message, "at least ");
  uint64_t n = 0;

  for (p = p ? p + strlen ("at least ") : ""; *p && *p != ' '; p++)
    if (*p != ',')
      n = 10 * n + (uint64_t) (*p - '0');
  return n;
}

/* A file cut behind its pickle, as downloads are, says how much is missing: at
 * least the tensors that it promises, never more than the file had. */
START_TEST (a_cut_archive_says_how_much_is_missing)
{
  static const float elements[PTH_N_ELEMENTS];
  Bytes pickle = {NULL, 0}, file = {NULL, 0};
  size_t behind_pickle;

  build_state_dict (&pickle, "", "w", &pth_tensor, "");
  {
    const Record records[] = {RECORD ("model/data.pkl", pickle.data, pickle.n),
        RECORD ("model/data/0", elements, sizeof elements),
        RECORD ("model/version", "3\n", 2)};

    build_zip (&file, records, 3, _i);
  }
  behind_pickle = file.n;
  for (size_t n = pickle.n + 64; n < file.n; n++) {
    TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
    uint64_t missing;

    assert_fails (tl_pth_read_zip (file.data, n, &set, &error), TL_ERROR_FORMAT,
        "truncated: the ");
    missing = find_missing (error.message);
    ck_assert_uint_le (missing, file.n - n);
    if (missing > 0 && n < behind_pickle)
      behind_pickle = n;
    if (n >= behind_pickle && n < behind_pickle + sizeof elements)
      ck_assert_uint_gt (missing, 0);
    tl_tensor_set_clear (&set);
  }
  ck_assert_uint_le (behind_pickle, pickle.n + 64);
  bytes_clear (&pickle);
  bytes_clear (&file);
}
END_TEST

/* A fault in each container, and the byte of the file that is named: so many
 * behind the first bytes like those that are changed. */
static const struct
{
  const char *what;
  int container;
  const char *find, *into;
  int behind;
} places[] = {
    {"call in a zip", 0, "_rebuild_tensor_v2", "_rebuild_tensor_v7", 135},
    {"call in a legacy file", 1, "_rebuild_tensor_v2", "_rebuild_tensor_v7",
        135},
    {"zip record without header", 0, "PK\x03\x04", "PK\x03\x05", 0},
    {"damaged end of a zip directory", 0, "PK\x01\x02", "PK\x01\x03", 0},
    {"tar member without header", 2, "ustar", "vstar", -257},
};

#define N_PLACES ((int) (sizeof places / sizeof places[0]))

START_TEST (faults_have_a_place)
{
  TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
  Bytes file = {NULL, 0};
  uint8_t *at;

  containers[places[_i].container].build (&file);
  at = memmem (file.data, file.n, places[_i].find, strlen (places[_i].find));
  ck_assert_ptr_nonnull (at);
  memcpy (at, places[_i].into, strlen (places[_i].into));
  ck_assert_int_ne (containers[places[_i].container].read (file.data, file.n,
                        &set, &error),
      TL_OK);
  ck_assert_msg (error.offset == at - (uint8_t *) file.data + places[_i].behind,
      "%s: byte %lld: %s", places[_i].what, (long long) error.offset,
      error.message);
  tl_tensor_set_clear (&set);
  bytes_clear (&file);
}
END_TEST

START_TEST (a_comment_behind_the_archive_is_allowed)
{
  TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
  Bytes file = {NULL, 0};

  build_small_pth (&file);
  file.data[file.n - 2] = 5;
  bytes_puts (&file, "hello");
  assert_ok (tl_pth_read_zip (file.data, file.n, &set, &error));
  tl_tensor_set_clear (&set);
  bytes_clear (&file);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("pth");
  TCase *tests = tcase_create ("pth");

  tcase_add_loop_test (tests, small_file_is_read, 0, N_CONTAINERS);
  tcase_add_loop_test (tests, views_are_read_at_every_alignment, 0, 8);
  tcase_add_loop_test (tests, tensors_must_fit_their_storage, 0, N_MISFITS);
  tcase_add_loop_test (tests, spoilt_archives_are_refused, 0, N_SPOILT);
  tcase_add_test (tests, every_truncation_is_refused);
  tcase_add_loop_test (tests, a_cut_archive_says_how_much_is_missing, 0, 2);
  tcase_add_loop_test (tests, faults_have_a_place, 0, N_PLACES);
  tcase_add_test (tests, a_comment_behind_the_archive_is_allowed);
  suite_add_tcase (suite, tests);
  return run_suite (suite);
}
