/* SPDX-License-Identifier: BSD-3-Clause */

/* The checksum of a checkpoint: every changed byte is noticed. */

#include "tlintegrity.h"
#include "tlmodelfile.h"
#include "tlpthbuild.h"
#include "tlsafetensors.h"
#include "tltest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static TlError error = TL_ERROR_INIT;

/* Of the xxhash package for Python, over bytes (37 * i + 11) & 255. */
static const struct
{
  size_t n;
  uint64_t value;
} vectors[] = {{0, UINT64_C (0xef46db3751d8e999)},
    {1, UINT64_C (0xf592c0c7639c4cb6)}, {3, UINT64_C (0x22c08528601d4f27)},
    {4, UINT64_C (0xfb1e5cf2f1ae4d95)}, {7, UINT64_C (0x5613ac510496c04e)},
    {8, UINT64_C (0x57cb2b7521f3e21a)}, {12, UINT64_C (0x2f53b00266039e64)},
    {31, UINT64_C (0xe4a0e629e519a4ae)}, {32, UINT64_C (0xcc6b8aaada790b2d)},
    {33, UINT64_C (0x35ec49850475a832)}, {63, UINT64_C (0xbf9f0ba3cf95b28a)},
    {64, UINT64_C (0x155ccce4bf32befc)}, {100, UINT64_C (0x4826e367566ea023)},
    {999, UINT64_C (0xb49cf50426f895bf)},
    {1000, UINT64_C (0x128da10cfbdc59d9)}};

START_TEST (checksum_is_xxh64)
{
  uint8_t bytes[1000];
  TlXxh64 whole, parts;

  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = (uint8_t) (37 * i + 11);
  tl_xxh64_init (&whole);
  tl_xxh64_update (&whole, bytes, vectors[_i].n);
  ck_assert_uint_eq (tl_xxh64_value (&whole), vectors[_i].value);
  for (size_t step = 1; step < 70; step += 3) {
    tl_xxh64_init (&parts);
    for (size_t at = 0; at < vectors[_i].n; at += step)
      tl_xxh64_update (&parts, bytes + at,
          vectors[_i].n - at < step ? vectors[_i].n - at : step);
    ck_assert_uint_eq (tl_xxh64_value (&parts), vectors[_i].value);
  }
}
END_TEST

/* A small sealed checkpoint; @kind and @digits may be NULL: left out. */
static void
build (Bytes *file, const char *kind, const char *digits)
{
  float values[40];
  const TlTensor tensors[] = {{"fc.weight", TL_DTYPE_F32, 2, {2, 16}, {16, 1},
                                  values},
      {"optimizer.fc.bias.exp_avg", TL_DTYPE_F32, 1, {8}, {1}, values + 32}};
  TlMetadata metadata[3] = {{"tlpipe.version", "0.1.0"}};
  size_t n = 1, size;
  void *header;
  TlXxh64 data;

  for (int i = 0; i < 40; i++)
    values[i] = (float) i / 7;
  if (kind)
    metadata[n++] = (TlMetadata){TL_KEY_CHECKSUM_KIND, kind};
  if (digits)
    metadata[n++] = (TlMetadata){TL_KEY_CHECKSUM, digits};
  assert_ok (tl_safetensors_build_header (tensors, 2, metadata, n, &header,
      &size, NULL, &error));
  tl_xxh64_init (&data);
  tl_xxh64_update (&data, values, sizeof values);
  tl_integrity_seal (header, size, &data);
  bytes_put (file, header, size);
  bytes_put (file, values, sizeof values);
  free (header);
}

static TlStatus
check (const Bytes *file)
{
  TlTensorSet set = TL_TENSOR_SET_INIT (1u << 20);
  TlStatus status = tl_safetensors_read (file->data, file->n, &set, &error);

  if (status == TL_OK)
    status = tl_integrity_check (file->data, file->n, &set, &error);
  tl_tensor_set_clear (&set);
  return status;
}

START_TEST (every_changed_byte_is_noticed)
{
  static const uint8_t changes[] = {0x01, 0x20, 0x80, 0xff};
  Bytes file = {NULL, 0};

  build (&file, TL_CHECKSUM_KIND, TL_CHECKSUM_BLANK);
  assert_ok (check (&file));
  for (size_t i = 0; i < file.n; i++) {
    for (size_t k = 0; k < sizeof changes; k++) {
      file.data[i] ^= changes[k];
      ck_assert_msg (check (&file) != TL_OK, "byte %zu, change %x", i,
          changes[k]);
      ck_assert (error.message[0] != '\0');
      file.data[i] ^= changes[k];
    }
  }
  assert_ok (check (&file));
  free (file.data);
}
END_TEST

static const struct
{
  const char *name, *kind, *digits, *text;
  TlStatus status;
} promises[] = {
    {"an older checkpoint", NULL, NULL, "", TL_OK},
    {"sealed", TL_CHECKSUM_KIND, TL_CHECKSUM_BLANK, "", TL_OK},
    {"no kind", NULL, TL_CHECKSUM_BLANK, "is damaged: it has", TL_ERROR_FORMAT},
    {"no digits", TL_CHECKSUM_KIND, NULL, "is damaged: it has",
        TL_ERROR_FORMAT},
    {"another value", TL_CHECKSUM_KIND, "0123456789abcdef",
        "is damaged: its bytes have", TL_ERROR_FORMAT},
    {"too few digits", TL_CHECKSUM_KIND, "12", "is damaged: its checksum is",
        TL_ERROR_FORMAT},
    {"of a newer version", "blake3", "12", "newer version",
        TL_ERROR_UNSUPPORTED},
};

START_TEST (promise_is_held_against_the_bytes)
{
  Bytes file = {NULL, 0};

  build (&file, promises[_i].kind, promises[_i].digits);
  if (promises[_i].status == TL_OK)
    assert_ok (check (&file));
  else
    assert_fails (check (&file), promises[_i].status, promises[_i].text);
  free (file.data);
}
END_TEST

static void
write_file (const char *path, const Bytes *file)
{
  FILE *f = fopen (path, "wb");

  ck_assert (f && fwrite (file->data, 1, file->n, f) == file->n);
  ck_assert (fclose (f) == 0);
}

/* Through the door by which every element reads, and in pieces. */
START_TEST (file_is_checked_when_it_is_opened)
{
  char path[] = "/tmp/tlpipe-integrity-XXXXXX";
  Bytes file = {NULL, 0};
  TlTensorSet set = TL_TENSOR_SET_INIT (1u << 20);
  TlModelFile *opened = NULL;
  size_t header_size;

  ck_assert (close (mkstemp (path)) == 0);
  build (&file, TL_CHECKSUM_KIND, TL_CHECKSUM_BLANK);
  header_size = file.n - 160;
  write_file (path, &file);
  assert_ok (tl_model_file_open (path, &opened, &error));
  tl_model_file_free (opened);
  assert_ok (tl_safetensors_read_header (file.data, header_size, file.n, &set,
      &error));
  assert_ok (
      tl_integrity_check_file (path, file.data, header_size, &set, &error));

  file.data[file.n - 1] ^= 1;
  write_file (path, &file);
  assert_fails (tl_model_file_open (path, &opened, &error), TL_ERROR_FORMAT,
      "the file is damaged: its bytes have");
  assert_fails (tl_integrity_check_file (path, file.data, header_size, &set,
                    &error),
      TL_ERROR_FORMAT, "the file is damaged: its bytes have");
  unlink (path);
  tl_tensor_set_clear (&set);
  free (file.data);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("integrity");
  TCase *tcase = tcase_create ("integrity");

  tcase_add_loop_test (tcase, checksum_is_xxh64, 0,
      sizeof vectors / sizeof vectors[0]);
  tcase_add_test (tcase, every_changed_byte_is_noticed);
  tcase_add_loop_test (tcase, promise_is_held_against_the_bytes, 0,
      sizeof promises / sizeof promises[0]);
  tcase_add_test (tcase, file_is_checked_when_it_is_opened);
  suite_add_tcase (suite, tcase);
  return run_suite (suite);
}
