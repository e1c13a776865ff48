/* SPDX-License-Identifier: BSD-3-Clause */

/* Files made to harm: each is refused by name of the reason, and none makes
 * its reader take more than 64 MiB beside the file's own bytes. */

#include "tlmodelfile.h"
#include "tlpth.h"
#include "tlpthbuild.h"
#include "tlsafetensors.h"
#include "tltest.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIMIT (20u << 20)

static TlError error = TL_ERROR_INIT;

/* The linker leads every allocation through these. */
static size_t allocated, most_allocated;

void *__real_malloc (size_t size);
void *__real_calloc (size_t n, size_t size);
void *__real_realloc (void *memory, size_t size);
void __real_free (void *memory);
void *__wrap_malloc (size_t size);
void *__wrap_calloc (size_t n, size_t size);
void *__wrap_realloc (void *memory, size_t size);
void __wrap_free (void *memory);

static void *
count (void *memory)
{
  allocated += memory ? malloc_usable_size (memory) : 0;
  if (allocated > most_allocated)
    most_allocated = allocated;
  return memory;
}

void *
__wrap_malloc (size_t size)
{
  return count (__real_malloc (size));
}

void *
__wrap_calloc (size_t n, size_t size)
{
  return count (__real_calloc (n, size));
}

/* While it moves, both blocks are there. */
void *
__wrap_realloc (void *memory, size_t size)
{
  size_t before = memory ? malloc_usable_size (memory) : 0;
  void *grown = count (__real_realloc (memory, size));

  allocated -= grown ? before : 0;
  return grown;
}

void
__wrap_free (void *memory)
{
  allocated -= memory ? malloc_usable_size (memory) : 0;
  __real_free (memory);
}

static void
repeat (Bytes *b, const char *text, size_t length, int n)
{
  uint8_t *all = malloc (length * (size_t) n);

  ck_assert_ptr_nonnull (all);
  for (int i = 0; i < n; i++)
    memcpy (all + length * (size_t) i, text, length);
  bytes_put (b, all, length * (size_t) n);
  free (all);
}

/* Fewer where growing a block copies it each time: under AddressSanitizer, and
 * under valgrind, which is told by what it loads before the program. */
static int
scale (int n)
{
#ifdef __SANITIZE_ADDRESS__
  return n / 50;
#else
  const char *preload = getenv ("LD_PRELOAD");

  return preload && strstr (preload, "vgpreload") ? n / 50 : n;
#endif
}

static void
nest_lists (Bytes *b)
{
  repeat (b, "]", 1, 1000000);
  repeat (b, "a", 1, 999999);
}

static void
nest_marks (Bytes *b)
{
  repeat (b, "](", 2, 1000000);
  repeat (b, "e", 1, 1000000);
}

static void
nest_tuples (Bytes *b)
{
  bytes_puts (b, "N");
  repeat (b, "\x85", 1, 1000000);
}

/* Each tuple holds the one before it three times: that on the stack, and twice
 * from the memo. */
static void
explode_memo (Bytes *b)
{
  bytes_puts (b, "Nq\2");
  repeat (b, "h\2h\2\x87q\2", 7, 1000000);
}

static void
dup_values (Bytes *b)
{
  bytes_puts (b, "N");
  repeat (b, "2", 1, 5000000);
}

static void
make_values (Bytes *b)
{
  bytes_puts (b, "]");
  repeat (b, "K\1a", 3, 2000000);
}

static void
grow_memo (Bytes *b)
{
  bytes_puts (b, "N");
  repeat (b, "\x94", 1, 5000000);
}

static void
make_dicts_of_dicts (Bytes *b)
{
  bytes_puts (b, "}q\1(");
  repeat (b, "U\1kN", 4, 100000);
  bytes_puts (b, "u0}(");
  repeat (b, "U\1kh\1", 5, 100000);
  bytes_puts (b, "u");
}

/* What pickles do to those who run them. */
static const struct
{
  const char *what;
  void (*make) (Bytes *b);
  TlStatus status;
  const char *message;
} bombs[] = {
    {"10^6 lists, one in the other", nest_lists, TL_ERROR_LIMIT,
        "more than 262,144 values are nested or open at once"},
    {"10^6 open marks", nest_marks, TL_ERROR_LIMIT,
        "more than 262,144 values are nested or open at once"},
    {"10^6 tuples, one in the other", nest_tuples, TL_ERROR_LIMIT,
        "more than the 29,360,128 bytes that its reader may use"},
    {"a memo that stands for 3^1000000 values", explode_memo, TL_ERROR_LIMIT,
        "more than the 29,360,128 bytes"},
    {"5*10^6 copies on the stack", dup_values, TL_ERROR_LIMIT,
        "nested or open at once"},
    {"2*10^6 numbers", make_values, TL_ERROR_LIMIT,
        "more than the 29,360,128 bytes"},
    {"5*10^6 memos", grow_memo, TL_ERROR_LIMIT,
        "more than the 29,360,128 bytes"},
    {"a dict 10^5 times in a dict", make_dicts_of_dicts, TL_ERROR_FORMAT,
        "no state dict"},
};

#define N_BOMBS ((int) (sizeof bombs / sizeof bombs[0]))

/* Opens the bytes as a file. */
static TlStatus
open_bytes (const Bytes *b)
{
  char path[] = "/tmp/tl-hostile-XXXXXX";
  int fd = mkstemp (path);
  TlModelFile *file = NULL;
  TlStatus status;

  ck_assert_int_ge (fd, 0);
  ck_assert_int_eq (write (fd, b->data, b->n), (ssize_t) b->n);
  close (fd);
  most_allocated = allocated;
  status = tl_model_file_open (path, &file, &error);
  tl_model_file_free (file);
  unlink (path);
  return status;
}

START_TEST (bombs_are_refused_in_bounded_memory)
{
  Bytes pickle = {NULL, 0}, file = {NULL, 0};
  Record record = RECORD ("a/data.pkl", NULL, 0);
  size_t before;

  bytes_puts (&pickle, "\x80\x02");
  bombs[_i].make (&pickle);
  bytes_puts (&pickle, ".");
  record.data = pickle.data;
  record.size = pickle.n;
  build_zip (&file, &record, 1, 0);
  bytes_clear (&pickle);
  before = allocated;
  assert_fails (open_bytes (&file), bombs[_i].status, bombs[_i].message);
  ck_assert_uint_le (most_allocated - before, file.n + TL_MODEL_FILE_MAX_EXTRA);
  bytes_clear (&file);
}
END_TEST

/* The most tensors, records and names that are allowed, in each format. */
START_TEST (large_zip_takes_bounded_memory)
{
  const PickledTensor tensor = {"FloatStorage", "0", 4, 0, 1, {4}, {1}};
  const float data[4] = {1, 2, 3, 4};
  const int n = scale (40000);
  Bytes pickle = {NULL, 0}, one = {NULL, 0}, file = {NULL, 0};
  size_t before;

  /* The names are longest, the tensor is one. */
  bytes_puts (&pickle, "\x80\x02");
  pickle_tensor (&pickle, &tensor);
  bytes_puts (&pickle, "q\1\x30}(");
  repeat (&one, "n", 1, 200);
  for (int i = 0; i < n; i++) {
    char number[16];

    snprintf (number, sizeof number, "%010d", i);
    memcpy (one.data, number, 10);
    bytes_puts (&pickle, "X");
    bytes_put_int (&pickle, one.n, 4);
    bytes_put (&pickle, one.data, one.n);
    bytes_puts (&pickle, "h\1");
  }
  bytes_puts (&pickle, "u.");
  {
    Record records[] = {RECORD ("a/data.pkl", pickle.data, pickle.n),
        RECORD ("a/data/0", data, sizeof data)};

    build_zip (&file, records, 2, 1);
  }
  bytes_clear (&pickle);
  bytes_clear (&one);
  before = allocated;
  assert_ok (open_bytes (&file));
  ck_assert_uint_le (most_allocated - before, file.n + TL_MODEL_FILE_MAX_EXTRA);
  bytes_clear (&file);
}
END_TEST

START_TEST (large_safetensors_take_bounded_memory)
{
  const int n = scale (65000);
  Bytes header = {NULL, 0}, file = {NULL, 0};
  char text[128];
  size_t before;

  /* Each second one is not aligned, so that all are moved. */
  for (int i = 0; i < n; i++) {
    snprintf (text, sizeof text,
        "%c\"n%d\":{\"dtype\":\"%s\",\"shape\":[1],\"data_offsets\":[%d,%d]}",
        i ? ',' : '{', i, i % 2 ? "F32" : "U8", i / 2 * 5 + i % 2,
        i % 2 ? (i + 1) / 2 * 5 : i / 2 * 5 + 1);
    bytes_puts (&header, text);
  }
  bytes_puts (&header, "}");
  bytes_put_int (&file, header.n, 8);
  bytes_put (&file, header.data, header.n);
  bytes_clear (&header);
  repeat (&file, "\1\2\3\4\5", 5, n / 2);
  before = allocated;
  assert_ok (open_bytes (&file));
  ck_assert_uint_le (most_allocated - before, file.n + TL_MODEL_FILE_MAX_EXTRA);
  bytes_clear (&file);
}
END_TEST

/* Whatever the alignment, data is in what was read: nothing is copied. */
START_TEST (tensors_point_into_the_bytes)
{
  static const struct
  {
    void (*build) (Bytes *b);
    TlStatus (
        *read) (void *bytes, size_t size, TlTensorSet *set, TlError *error);
  } readers[] = {{build_small_pth, tl_pth_read_zip},
      {build_small_legacy, tl_pth_read_legacy},
      {build_small_tar, tl_pth_read_tar}};

  for (size_t r = 0; r < 3; r++)
    for (size_t shift = 0; shift < 8; shift++) {
      TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
      Bytes file = {NULL, 0};
      uint8_t *bytes;

      readers[r].build (&file);
      bytes = malloc (file.n + shift);
      ck_assert_ptr_nonnull (bytes);
      memcpy (bytes + shift, file.data, file.n);
      assert_ok (readers[r].read (bytes + shift, file.n, &set, &error));
      for (size_t i = 0; i < set.n_tensors; i++) {
        const uint8_t *data = set.tensors[i].data;

        ck_assert (data >= bytes + shift && data < bytes + shift + file.n);
        ck_assert_uint_eq ((uintptr_t) data % 8, 0);
      }
      ck_assert_float_eq (((const float *) set.tensors[0].data)[5], 6);
      ck_assert_int_eq (*(const int64_t *) set.tensors[1].data, 7);
      tl_tensor_set_clear (&set);
      bytes_clear (&file);
      free (bytes);
    }
}
END_TEST

/* Where torch.save aligned them they are not moved either. */
START_TEST (aligned_data_stay_where_they_are)
{
  TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
  Bytes pickle = {NULL, 0}, file = {NULL, 0};
  const PickledTensor tensor = {"FloatStorage", "0", 4, 0, 1, {4}, {1}};
  const float data[4] = {1, 2, 3, 4};
  const uint8_t *found;

  bytes_puts (&pickle, "\x80\x02}");
  pickle_string (&pickle, "w");
  pickle_tensor (&pickle, &tensor);
  bytes_puts (&pickle, "s.");
  {
    Record records[] = {RECORD ("a/data.pkl", pickle.data, pickle.n),
        RECORD ("a/data/0", data, sizeof data)};

    records[1].padding = (int) (-(40 + pickle.n + 38) % 8) + 8;
    build_zip (&file, records, 2, 0);
  }
  found = memmem (file.data, file.n, data, sizeof data);
  ck_assert_uint_eq ((uintptr_t) found % 8, 0);
  assert_ok (tl_pth_read_zip (file.data, file.n, &set, &error));
  ck_assert_ptr_eq (set.tensors[0].data, found);
  tl_tensor_set_clear (&set);
  bytes_clear (&pickle);
  bytes_clear (&file);
}
END_TEST

/* Archives whose two accounts of themselves differ. Offsets are from the end
 * of build_small_pth(): end record 22 bytes, locator 20, zip64 end 56. */
static const struct
{
  const char *what;
  int from_end, size;
  uint64_t value;
  const char *message;
} lies[] = {
    {"another number of entries", 22 - 10, 2, 3, "contradict each other"},
    {"another size of the directory", 22 - 12, 4, 1, "contradict each other"},
    {"another place of the directory", 22 - 16, 4, 1, "contradict each other"},
    {"fewer entries than the directory has", 22 + 20 + 56 - 32, 8, 3,
        "goes on for"},
    {"more entries than there is room for", 22 + 20 + 56 - 32, 8, UINT64_MAX,
        "no room for it"},
    {"a directory of 2^64 bytes", 22 + 20 + 56 - 40, 8, UINT64_MAX,
        "no room for it"},
    {"a directory behind the file", 22 + 20 + 56 - 48, 8, 1 << 30,
        "no room for it"},
    {"a locator into nothing", 22 + 20 - 8, 8, 1 << 30,
        "not where its locator says"},
    {"one of several files", 22 - 4, 2, 1, "in several files"},
};

#define N_LIES ((int) (sizeof lies / sizeof lies[0]))

START_TEST (zip_archives_that_lie_are_refused)
{
  TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
  Bytes file = {NULL, 0};
  TlStatus status;

  build_small_pth (&file);
  for (int i = 0; i < lies[_i].size; i++)
    file.data[file.n - (size_t) lies[_i].from_end + (size_t) i] =
        (uint8_t) (lies[_i].value >> (8 * i));
  status = tl_pth_read_zip (file.data, file.n, &set, &error);
  ck_assert_msg (status != TL_OK && strstr (error.message, lies[_i].message),
      "%s: status %d, %s", lies[_i].what, status, error.message);
  tl_tensor_set_clear (&set);
  bytes_clear (&file);
}
END_TEST

START_TEST (records_that_were_altered_are_refused)
{
  static const char *const messages[] = {NULL,
      "zip record a/data/0 is damaged: its checksum (CRC-32) is ",
      "zip record a/data/0 has another name in its header at byte",
      "zip records a/data.pkl and a/data/0 overlap"};
  TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
  const PickledTensor tensor = {"FloatStorage", "0", 2, 0, 1, {2}, {1}};
  Bytes pickle = {NULL, 0}, file = {NULL, 0};
  Record records[] = {RECORD ("a/data.pkl", NULL, 0),
      RECORD ("a/data/0", "12345678", 8)};
  TlStatus status;

  bytes_puts (&pickle, "\x80\x02}");
  pickle_string (&pickle, "w");
  pickle_tensor (&pickle, &tensor);
  bytes_puts (&pickle, "s.");
  records[0].data = pickle.data;
  records[0].size = pickle.n;
  /* CRC-32 of "12345678". */
  records[1].crc = _i == 1 ? 0x9ae0daae : 0x9ae0daaf;
  /* The first record's data go on into the second's header. */
  if (_i == 3)
    records[0].said = (int64_t) pickle.n + 10;
  build_zip (&file, records, 2, 0);
  if (_i == 2)
    *(uint8_t *) memmem (file.data, file.n, "a/data/0", 8) = 'b';
  status = tl_pth_read_zip (file.data, file.n, &set, &error);
  if (messages[_i])
    ck_assert_msg (status == TL_ERROR_FORMAT
            && strstr (error.message, messages[_i]),
        "status %d: %s", status, error.message);
  else
    ck_assert_msg (status == TL_OK, "%s", error.message);
  tl_tensor_set_clear (&set);
  bytes_clear (&pickle);
  bytes_clear (&file);
}
END_TEST

static void
end_legacy (Bytes *b, const char *object, const char *keys)
{
  build_legacy_head (b, 1);
  bytes_puts (b, "\x80\x02");
  bytes_puts (b, object);
  bytes_puts (b, ".\x80\x02");
  bytes_puts (b, keys);
  bytes_puts (b, ".");
}

static void
legacy_big_endian (Bytes *b)
{
  build_legacy_head (b, 0);
}

static void
legacy_huge (Bytes *b)
{
  const PickledTensor huge = {"DoubleStorage", "0", INT64_MAX / 8, 0, 1, {1},
      {1}};

  build_legacy_head (b, 1);
  bytes_puts (b, "\x80\x02}U\1w");
  pickle_tensor (b, &huge);
  bytes_puts (b,
      "s.\x80\x02]U\1"
      "0a.");
}

static void
legacy_other_count (Bytes *b)
{
  build_small_legacy (b);
  b->data[b->n - 16 - 24 - 8] = 5;
}

static void
legacy_missing (Bytes *b)
{
  const PickledTensor tensor = {"FloatStorage", "0", 1, 0, 1, {1}, {1}};

  build_legacy_head (b, 1);
  bytes_puts (b, "\x80\x02}U\1w");
  pickle_tensor (b, &tensor);
  bytes_puts (b, "s.\x80\x02].");
}

static void
legacy_unknown (Bytes *b)
{
  end_legacy (b, "}", "]U\1xa");
}

static void
legacy_twice (Bytes *b)
{
  end_legacy (b, "}", "](U\1xU\1xe");
}

static void
legacy_no_list (Bytes *b)
{
  end_legacy (b, "}", "}");
}

static void
tar_big_endian (Bytes *b)
{
  Bytes info = {NULL, 0};

  pickle_sys_info (&info, 0);
  tar_put_member (b, "sys_info", info.data, info.n);
  tar_put_member (b, "pickle", "", 0);
  tar_put_tensors (b);
  tar_put_storages (b, 2);
  bytes_clear (&info);
}

static void
tar_other (Bytes *b)
{
  tar_put_member (b, "resnet18.pth", "hello", 5);
  tar_put_end (b);
}

static void
tar_twice (Bytes *b)
{
  tar_put_storages (b, 2);
  tar_put_storages (b, 2);
}

static void
tar_more (Bytes *b)
{
  Bytes info = {NULL, 0};

  pickle_sys_info (&info, 1);
  tar_put_member (b, "sys_info", info.data, info.n);
  tar_put_member (b, "pickle", "", 0);
  tar_put_tensors (b);
  tar_put_storages (b, 1 << 30);
  bytes_clear (&info);
}

static void
tar_checksum (Bytes *b)
{
  build_small_tar (b);
  b->data[110] ^= 1;
}

static const struct
{
  const char *what;
  void (*build) (Bytes *b);
  TlStatus status;
  const char *message;
} others[] = {
    {"legacy, big endian", legacy_big_endian, TL_ERROR_UNSUPPORTED,
        "written on a big-endian machine"},
    {"legacy, a storage of 2^60 elements", legacy_huge, TL_ERROR_FORMAT,
        "truncated: the file ends 9,223,372,036,854,775,808 bytes early"},
    {"legacy, two numbers of elements", legacy_other_count, TL_ERROR_FORMAT,
        "the storage 0 is said to have 5 elements, but the pickle says 6"},
    {"legacy, storage not listed", legacy_missing, TL_ERROR_FORMAT,
        "the storage 0 that the pickle names is not in the file's list"},
    {"legacy, storage of no tensor", legacy_unknown, TL_ERROR_FORMAT,
        "the storage x is of no tensor"},
    {"legacy, storage twice", legacy_twice, TL_ERROR_FORMAT,
        "storage x is listed twice"},
    {"legacy, no list", legacy_no_list, TL_ERROR_FORMAT, "is no list"},
    {"tar, big endian", tar_big_endian, TL_ERROR_UNSUPPORTED,
        "written on a big-endian machine"},
    {"tar of something else", tar_other, TL_ERROR_FORMAT,
        "without the member sys_info"},
    {"tar, a member twice", tar_twice, TL_ERROR_FORMAT,
        "the member storages occurs twice"},
    {"tar, 2^30 storages", tar_more, TL_ERROR_FORMAT,
        "in storages: not a number of items that has room"},
    {"tar, altered header", tar_checksum, TL_ERROR_FORMAT,
        "at byte 0 there is no header of a tar member, or a damaged one"},
};

#define N_OTHERS ((int) (sizeof others / sizeof others[0]))

START_TEST (older_containers_that_are_wrong_are_refused)
{
  Bytes file = {NULL, 0};
  TlStatus status;

  others[_i].build (&file);
  status = open_bytes (&file);
  ck_assert_msg (status == others[_i].status
          && strstr (error.message, others[_i].message),
      "%s: status %d, %s", others[_i].what, status, error.message);
  bytes_clear (&file);
}
END_TEST

START_TEST (every_truncation_is_refused)
{
  Bytes legacy = {NULL, 0}, tar = {NULL, 0};

  build_small_legacy (&legacy);
  for (size_t n = 0; n < legacy.n; n++) {
    TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);

    assert_fails (tl_pth_read_legacy (legacy.data, n, &set, &error),
        TL_ERROR_FORMAT, n < 15 ? "magic number" : "truncated");
    tl_tensor_set_clear (&set);
  }
  build_small_tar (&tar);
  /* What follows the last member is padding. */
  for (size_t n = 0; n + 3 * 512 < tar.n; n++) {
    TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);

    assert_fails (tl_pth_read_tar (tar.data, n, &set, &error), TL_ERROR_FORMAT,
        "");
    tl_tensor_set_clear (&set);
  }
  bytes_clear (&legacy);
  bytes_clear (&tar);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("hostile");
  TCase *tests = tcase_create ("hostile");

  tcase_set_timeout (tests, 120);
  tcase_add_loop_test (tests, bombs_are_refused_in_bounded_memory, 0, N_BOMBS);
  tcase_add_test (tests, large_zip_takes_bounded_memory);
  tcase_add_test (tests, large_safetensors_take_bounded_memory);
  tcase_add_test (tests, tensors_point_into_the_bytes);
  tcase_add_test (tests, aligned_data_stay_where_they_are);
  tcase_add_loop_test (tests, zip_archives_that_lie_are_refused, 0, N_LIES);
  tcase_add_loop_test (tests, records_that_were_altered_are_refused, 0, 4);
  tcase_add_loop_test (tests, older_containers_that_are_wrong_are_refused, 0,
      N_OTHERS);
  tcase_add_test (tests, every_truncation_is_refused);
  suite_add_tcase (suite, tests);
  return run_suite (suite);
}
