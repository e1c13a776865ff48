/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlbytes.h"
#include "tlpthbuild.h"
#include "tlsafetensors.h"
#include "tltest.h"

#include <string.h>

#define LIMIT (1u << 20)

static TlError error = TL_ERROR_INIT;

/* A file with that header and @n_data bytes of data, 0, 1, 2... */
static void
build_file (Bytes *file, const char *header, size_t n_data)
{
  bytes_put_int (file, strlen (header), 8);
  bytes_puts (file, header);
  for (size_t i = 0; i < n_data; i++)
    bytes_put_int (file, i & 0xff, 1);
}

START_TEST (what_is_written_is_read_back)
{
  static const float floats[3] = {1.5f, -2, 3};
  static const int64_t count = 42;
  const TlTensor tensors[] = {
      {"layer1.0.conv1.weight", TL_DTYPE_F32, 2, {1, 3}, {3, 1}, floats},
      {"bn1.num_batches_tracked", TL_DTYPE_I64, 0, {0}, {0}, &count},
      {"empty", TL_DTYPE_BF16, 2, {0, 4}, {4, 1}, floats},
      {"tail \"quoted\" \xc3\xa9", TL_DTYPE_BOOL, 1, {3}, {1}, floats},
  };
  const TlMetadata metadata[] = {{"arch", "resnet18"},
      {"classes", "[\"a\\b\",\"\xf0\x9f\x90\x9d\n\"]"}, {"", ""}};
  TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
  Bytes file = {NULL, 0};
  void *header = NULL;
  size_t header_size = 0;
  uint64_t file_size = 0;

  assert_ok (tl_safetensors_build_header (tensors, 4, metadata, 3, &header,
      &header_size, &file_size, &error));
  ck_assert_uint_eq (header_size % 8, 0);
  bytes_put (&file, header, header_size);
  for (int i = 0; i < 4; i++)
    bytes_put (&file, tensors[i].data, tl_safetensors_data_size (&tensors[i]));
  ck_assert_uint_eq (file.n, file_size);
  assert_ok (tl_safetensors_read (file.data, file.n, &set, &error));

  ck_assert_uint_eq (set.n_tensors, 4);
  for (int i = 0; i < 4; i++) {
    const TlTensor *t = &set.tensors[i];

    ck_assert_str_eq (t->name, tensors[i].name);
    ck_assert_int_eq (t->dtype, tensors[i].dtype);
    ck_assert_uint_eq (t->n_dims, tensors[i].n_dims);
    ck_assert_mem_eq (t->shape, tensors[i].shape, sizeof t->shape);
    ck_assert_mem_eq (t->data, tensors[i].data, tl_safetensors_data_size (t));
    ck_assert_uint_eq ((uintptr_t) t->data % tl_dtype_size (t->dtype), 0);
  }
  ck_assert_uint_eq (set.n_metadata, 3);
  for (int i = 0; i < 3; i++) {
    ck_assert_str_eq (set.metadata[i].key, metadata[i].key);
    ck_assert_str_eq (set.metadata[i].value, metadata[i].value);
  }
  tl_tensor_set_clear (&set);
  free (header);
  bytes_clear (&file);
}
END_TEST

START_TEST (header_is_read_without_the_data)
{
  static const char header[] =
      "{\"__metadata__\":{\"k\":\"v\"},"
      "\"w\":{\"dtype\":\"U8\",\"shape\":[9],\"data_offsets\":[0,9]}}";
  TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
  Bytes file = {NULL, 0};

  build_file (&file, header, 0);
  assert_ok (
      tl_safetensors_read_header (file.data, file.n, file.n + 9, &set, &error));
  ck_assert_str_eq (set.metadata[0].value, "v");
  ck_assert_int_eq (set.tensors[0].shape[0], 9);
  ck_assert_ptr_null (set.tensors[0].data);
  tl_tensor_set_clear (&set);
  assert_fails (tl_safetensors_read_header (file.data, file.n, file.n + 8, &set,
                    &error),
      TL_ERROR_FORMAT, "ends 1 byte early");
  tl_tensor_set_clear (&set);
  assert_fails (tl_safetensors_read_header (file.data, file.n - 1, file.n + 9,
                    &set, &error),
      TL_ERROR_FORMAT, "within its header");
  tl_tensor_set_clear (&set);
  bytes_clear (&file);
}
END_TEST

/* The byte of the file that is named for a fault in the header, in what the
 * header says of the data, and at the end of the file. */
START_TEST (faults_have_a_place)
{
  static const struct
  {
    const char *what, *header;
    size_t n_data;
    int64_t place;
  } rows[] = {
      {"word that is not expected", "{\"w\":{\"type\":", 0, 8 + 13},
      {"header that ends early", "{\"w\":{", 0, 8 + 6},
      {"data that ends early",
          "{\"w\":{\"dtype\":\"U8\",\"shape\":[9],\"data_offsets\":[0,9]}}", 5,
          8 + 53 + 5},
      {"data behind the last tensor",
          "{\"w\":{\"dtype\":\"U8\",\"shape\":[9],\"data_offsets\":[0,9]}}", 11,
          8 + 53 + 9},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
    Bytes file = {NULL, 0};

    build_file (&file, rows[i].header, rows[i].n_data);
    assert_fails (tl_safetensors_read (file.data, file.n, &set, &error),
        TL_ERROR_FORMAT, "");
    ck_assert_msg (error.offset == rows[i].place, "%s: byte %lld: %s",
        rows[i].what, (long long) error.offset, error.message);
    tl_tensor_set_clear (&set);
    bytes_clear (&file);
  }
}
END_TEST

START_TEST (header_bytes_are_as_documented)
{
  static const char wanted[] = "\x70\0\0\0\0\0\0\0"
                               "{\"__metadata__\":{\"k\":\"\\u0001\\\"\\\\\"},"
                               "\"w\":{\"dtype\":\"F32\",\"shape\":[2,1],"
                               "\"data_offsets\":[0,8]}}";
  const TlTensor tensor = {"w", TL_DTYPE_F32, 2, {2, 1}, {1, 1}, wanted};
  const TlMetadata metadata = {"k", "\x01\"\\"};
  void *header = NULL;
  size_t n = 0;
  uint64_t file_size = 0;

  assert_ok (tl_safetensors_build_header (&tensor, 1, &metadata, 1, &header, &n,
      &file_size, &error));
  ck_assert_uint_ge (n, sizeof wanted - 1);
  ck_assert_mem_eq ((char *) header + 8, wanted + 8, sizeof wanted - 9);
  for (size_t i = sizeof wanted - 1; i < n; i++)
    ck_assert_int_eq (((char *) header)[i], ' ');
  ck_assert_uint_eq (tl_get_u64 (header), n - 8);
  ck_assert_uint_eq (file_size, n + 8);
  free (header);
}
END_TEST

#define W(dtype, shape, offsets)                                               \
  "{\"w\":{\"dtype\":\"" dtype "\",\"shape\":" shape                           \
  ",\"data_offsets\":" offsets "}}"

/* Headers that are refused, with the bytes of data behind and the message. */
static const struct
{
  const char *what;
  const char *header;
  size_t n_data;
  TlStatus status;
  const char *message;
} refused[] = {
    {"not an object", "[1]", 0, TL_ERROR_FORMAT, "expected '{'"},
    {"two objects", "{}{}", 0, TL_ERROR_FORMAT, "expected nothing more"},
    {"unclosed", "{", 0, TL_ERROR_FORMAT, "found its end"},
    {"name unclosed", "{\"w", 0, TL_ERROR_FORMAT, "found its end"},
    {"trailing comma", "{\"__metadata__\":{},}", 0, TL_ERROR_FORMAT,
        "expected '\"'"},
    {"data missing", W ("F32", "[2]", "[0,8]"), 5, TL_ERROR_FORMAT,
        "truncated: the file ends 3 bytes early"},
    {"data left over", W ("F32", "[2]", "[0,8]"), 9, TL_ERROR_FORMAT,
        "goes on for 1 byte behind its last tensor"},
    {"hole at the start", W ("U8", "[2]", "[1,3]"), 3, TL_ERROR_FORMAT,
        "begins at byte 1 of the data, but the one before it ends at 0"},
    {"shape and offsets differ", W ("F32", "[3]", "[0,8]"), 8, TL_ERROR_FORMAT,
        "its shape needs 12 bytes"},
    {"offsets backwards", W ("F32", "[2]", "[8,0]"), 8, TL_ERROR_FORMAT,
        "run from 8 to 0"},
    {"three offsets", W ("F32", "[2]", "[0,8,8]"), 8, TL_ERROR_LIMIT,
        "more than 2 numbers"},
    {"one offset", W ("F32", "[2]", "[8]"), 8, TL_ERROR_FORMAT,
        "both data_offsets"},
    {"nine dimensions", W ("U8", "[1,1,1,1,1,1,1,1,1]", "[0,1]"), 1,
        TL_ERROR_LIMIT, "more than 8 numbers"},
    {"size over 2^40", W ("U8", "[1099511627776]", "[0,1]"), 1, TL_ERROR_LIMIT,
        "absurdly large"},
    {"product overflows", W ("U8", "[4294967296,4294967296,0]", "[0,0]"), 0,
        TL_ERROR_LIMIT, "absurdly large"},
    {"integer over 2^63", W ("U8", "[9223372036854775808]", "[0,1]"), 1,
        TL_ERROR_FORMAT, "an integer below 2^63"},
    {"negative size", W ("U8", "[-1]", "[0,1]"), 1, TL_ERROR_FORMAT,
        "a non-negative integer"},
    {"leading zero", W ("U8", "[01]", "[0,1]"), 1, TL_ERROR_FORMAT,
        "a non-negative integer"},
    {"fraction", W ("U8", "[1.0]", "[0,1]"), 1, TL_ERROR_FORMAT,
        "expected ']'"},
    {"dtype unknown", W ("F6_E2M3", "[1]", "[0,1]"), 1, TL_ERROR_UNSUPPORTED,
        "tensor w has the dtype \"F6_E2M3\""},
    {"field unknown", "{\"w\":{\"strides\":[1]}}", 0, TL_ERROR_FORMAT,
        "\"strides\" is not expected"},
    {"field twice", "{\"w\":{\"dtype\":\"U8\",\"dtype\":\"U8\"}}", 0,
        TL_ERROR_FORMAT, "once each"},
    {"no fields", "{\"w\":{}}", 0, TL_ERROR_FORMAT, "without dtype"},
    {"deep nesting", "{\"w\":{\"shape\":[[[[[[", 0, TL_ERROR_FORMAT,
        "a non-negative integer"},
    {"name twice",
        "{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
        "\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
        2, TL_ERROR_FORMAT, "the name \"w\" occurs twice"},
    {"overlap",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
        "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}",
        3, TL_ERROR_FORMAT, "tensor b begins at byte 1"},
    {"empty name",
        "{\"\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
        TL_ERROR_FORMAT, "name is empty"},
    {"line break in a name",
        "{\"a\\nb\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
        1, TL_ERROR_FORMAT, "not text: \"a?b\""},
    {"NUL in a string", "{\"\\u0000\":1}", 0, TL_ERROR_FORMAT, "without NUL"},
    {"lone surrogate", "{\"\\ud800\":1}", 0, TL_ERROR_FORMAT, "UTF-8"},
    {"overlong UTF-8", "{\"\xc0\x80\":1}", 0, TL_ERROR_FORMAT, "UTF-8"},
    {"bad escape", "{\"\\x41\":1}", 0, TL_ERROR_FORMAT, "a JSON escape"},
    {"short escape", "{\"\\u00", 0, TL_ERROR_FORMAT, "a JSON escape"},
    {"raw control character", "{\"\n\":1}", 0, TL_ERROR_FORMAT,
        "without control characters"},
    {"metadata twice", "{\"__metadata__\":{\"a\":\"1\"},\"__metadata__\":{}}",
        0, TL_ERROR_FORMAT, "__metadata__ occurs twice"},
    {"metadata key twice", "{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0,
        TL_ERROR_FORMAT, "the name \"a\" occurs twice"},
    {"metadata not a string", "{\"__metadata__\":{\"a\":1}}", 0,
        TL_ERROR_FORMAT, "expected '\"'"},
};

#define N_REFUSED ((int) (sizeof refused / sizeof refused[0]))

START_TEST (defects_are_refused)
{
  TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
  Bytes file = {NULL, 0};
  TlStatus status;

  build_file (&file, refused[_i].header, refused[_i].n_data);
  status = tl_safetensors_read (file.data, file.n, &set, &error);
  ck_assert_msg (status == refused[_i].status
          && strstr (error.message, refused[_i].message),
      "%s: status %d, %s", refused[_i].what, status, error.message);
  tl_tensor_set_clear (&set);
  bytes_clear (&file);
}
END_TEST

START_TEST (every_truncation_is_refused)
{
  Bytes file = {NULL, 0};

  build_file (&file, W ("F32", "[2]", "[0,8]"), 8);
  for (size_t n = 0; n < file.n; n++) {
    TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);

    assert_fails (tl_safetensors_read (file.data, n, &set, &error),
        TL_ERROR_FORMAT, "truncated: the file ends");
    tl_tensor_set_clear (&set);
  }
  bytes_clear (&file);
}
END_TEST

START_TEST (header_length_is_bounded)
{
  uint8_t file[16] = {0, 0, 0, 0, 0, 0, 0, 0x80, '{', '}'};
  TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);

  assert_fails (tl_safetensors_read (file, sizeof file, &set, &error),
      TL_ERROR_LIMIT, "claims 9,223,372,036,854,775,808 bytes");
}
END_TEST

START_TEST (memory_is_bounded)
{
  TlTensorSet set = TL_TENSOR_SET_INIT (64);
  Bytes file = {NULL, 0};

  build_file (&file, W ("F32", "[2]", "[0,8]"), 8);
  assert_fails (tl_safetensors_read (file.data, file.n, &set, &error),
      TL_ERROR_LIMIT, "more than the 64 bytes that its reader may use");
  tl_tensor_set_clear (&set);
  bytes_clear (&file);
}
END_TEST

START_TEST (escapes_are_decoded)
{
  TlTensorSet set = TL_TENSOR_SET_INIT (LIMIT);
  Bytes file = {NULL, 0};

  build_file (&file,
      " {\"__metadata__\" : {\"k\":\"\\u00e9\\uD83D\\uDC1d\\/\\b\\f\\n\\r\\t"
      "\\u20AC\"} }  ",
      0);
  assert_ok (tl_safetensors_read (file.data, file.n, &set, &error));
  ck_assert_str_eq (set.metadata[0].value,
      "\xc3\xa9\xf0\x9f\x90\x9d/\b\f\n\r\t\xe2\x82\xac");
  tl_tensor_set_clear (&set);
  bytes_clear (&file);
}
END_TEST

START_TEST (writer_refuses_what_the_reader_would)
{
  static const float data[4];
  const struct
  {
    TlTensor tensor;
    TlMetadata metadata;
  } cases[] = {
      {{"", TL_DTYPE_F32, 1, {1}, {1}, data}, {"k", "v"}},
      {{"__metadata__", TL_DTYPE_F32, 1, {1}, {1}, data}, {"k", "v"}},
      {{"strided", TL_DTYPE_F32, 2, {2, 2}, {1, 2}, data}, {"k", "v"}},
      {{"no dtype", TL_DTYPE_INVALID, 1, {1}, {1}, data}, {"k", "v"}},
      {{"w", TL_DTYPE_F32, 1, {1}, {1}, data}, {"k", "\xff"}},
      {{"w", TL_DTYPE_F32, 1, {1}, {1}, data}, {"\xed\xa0\x80", "v"}},
  };
  const TlTensor twins[2] = {cases[4].tensor, cases[4].tensor};
  void *header = NULL;
  size_t n = 0;

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    ck_assert_int_eq (tl_safetensors_build_header (&cases[i].tensor, 1,
                          &cases[i].metadata, 1, &header, &n, NULL, &error),
        TL_ERROR_ARGUMENT);
  assert_fails (tl_safetensors_build_header (twins, 2, NULL, 0, &header, &n,
                    NULL, &error),
      TL_ERROR_ARGUMENT, "occurs twice");
  ck_assert_ptr_null (header);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("safetensors");
  TCase *tests = tcase_create ("safetensors");

  tcase_add_test (tests, what_is_written_is_read_back);
  tcase_add_test (tests, header_is_read_without_the_data);
  tcase_add_test (tests, faults_have_a_place);
  tcase_add_test (tests, header_bytes_are_as_documented);
  tcase_add_loop_test (tests, defects_are_refused, 0, N_REFUSED);
  tcase_add_test (tests, every_truncation_is_refused);
  tcase_add_test (tests, header_length_is_bounded);
  tcase_add_test (tests, memory_is_bounded);
  tcase_add_test (tests, escapes_are_decoded);
  tcase_add_test (tests, writer_refuses_what_the_reader_would);
  suite_add_tcase (suite, tests);
  return run_suite (suite);
}
