/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlsha256blocks.h"
#include "tlfile.h"
#include "tlmodelfile.h"
#include "tlpthbuild.h"
#include "tlsafetensors.h"
#include "tltest.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

static TlError error = TL_ERROR_INIT;
static char folder[64];

static void
make_folder (void)
{
  strcpy (folder, "/tmp/tl-modelfile-XXXXXX");
  ck_assert_ptr_nonnull (mkdtemp (folder));
}

static void
remove_folder (void)
{
  DIR *dir = opendir (folder);
  const struct dirent *entry;
  char path[512];

  ck_assert_ptr_nonnull (dir);
  while ((entry = readdir (dir))) {
    snprintf (path, sizeof path, "%s/%s", folder, entry->d_name);
    if (unlink (path) < 0)
      rmdir (path);
  }
  closedir (dir);
  ck_assert_int_eq (rmdir (folder), 0);
}

static size_t
count_files (void)
{
  DIR *dir = opendir (folder);
  const struct dirent *entry;
  size_t n = 0;

  ck_assert_ptr_nonnull (dir);
  while ((entry = readdir (dir)))
    n += entry->d_name[0] != '.';
  closedir (dir);
  return n;
}

/* A path in the folder; good until the next call. */
static const char *
in_folder (const char *name)
{
  static char path[256];

  snprintf (path, sizeof path, "%s/%s", folder, name);
  return path;
}

static const char *
write_file (const char *name, const void *bytes, size_t n)
{
  const TlChunk chunk = {bytes, n};
  const char *path = in_folder (name);

  assert_ok (tl_file_replace (path, &chunk, 1, &error));
  return path;
}

/* Nothing to compare where the processor has no such instructions. */
START_TEST (sha256_instructions_agree_with_c)
{
  const TlSha256Process accelerated = tl_sha256_find_accelerated ();
  uint8_t blocks[17 * 64 + 1];
  uint32_t seed = 1, c[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  uint32_t instructions[8] = {1, 2, 3, 4, 5, 6, 7, 8};

  for (size_t round = 0; accelerated && round < 50; round++) {
    for (size_t i = 0; i < sizeof blocks; i++)
      blocks[i] = (uint8_t) ((seed = seed * 1664525u + 1013904223u) >> 24);
    tl_sha256_process_portable (c, blocks + 1, 1 + round % 17);
    accelerated (instructions, blocks + 1, 1 + round % 17);
    ck_assert_mem_eq (c, instructions, sizeof c);
  }
}
END_TEST

static const struct
{
  const char *text;
  size_t repeat;
  const char *digest;
} vectors[] = {
    {"", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", 1,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"a", 1000000,
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

START_TEST (sha256_agrees_with_fips_180)
{
  char hex[TL_SHA256_HEX_SIZE];

  for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
    TlSha256 sha;

    tl_sha256_init (&sha);
    for (size_t k = 0; k < vectors[i].repeat; k++)
      tl_sha256_update (&sha, vectors[i].text, strlen (vectors[i].text));
    tl_sha256_final_hex (&sha, hex);
    ck_assert_str_eq (hex, vectors[i].digest);
  }
}
END_TEST

/* However the bytes are cut, at every length around the block size. */
START_TEST (sha256_does_not_depend_on_pieces)
{
  uint8_t bytes[200], whole[32], pieces[32];
  TlSha256 sha;

  for (size_t n = 0; n < sizeof bytes; n++) {
    bytes[n] = (uint8_t) (n * 7);
    tl_sha256_init (&sha);
    tl_sha256_update (&sha, bytes, n);
    tl_sha256_final (&sha, whole);
    tl_sha256_init (&sha);
    tl_sha256_update (&sha, bytes, n / 3);
    tl_sha256_update (&sha, NULL, 0);
    tl_sha256_update (&sha, bytes + n / 3, n - n / 3);
    tl_sha256_final (&sha, pieces);
    ck_assert_mem_eq (whole, pieces, sizeof whole);
  }
}
END_TEST

START_TEST (safetensors_are_opened_with_metadata)
{
  static const float data[2] = {1, 2};
  const TlTensor tensor = {"fc.bias", TL_DTYPE_F32, 1, {2}, {1}, data};
  const TlMetadata metadata[] = {{"arch", "resnet18"}, {"seed", "7"}};
  const char *path = in_folder ("last.safetensors");
  TlModelFile *file = NULL;
  size_t n = 0;

  assert_ok (tl_safetensors_write (path, &tensor, 1, metadata, 2, &error));
  assert_ok (tl_model_file_open (path, &file, &error));
  ck_assert_int_eq (tl_model_file_kind (file), TL_MODEL_FILE_SAFETENSORS);
  ck_assert_str_eq (tl_model_file_tensors (file, &n)->name, "fc.bias");
  ck_assert_uint_eq (n, 1);
  ck_assert_str_eq (tl_model_file_metadata (file, &n)[1].key, "seed");
  ck_assert_uint_eq (n, 2);
  ck_assert_str_eq (tl_model_file_lookup (file, "arch"), "resnet18");
  ck_assert_ptr_null (tl_model_file_lookup (file, "Arch"));
  tl_model_file_free (file);
  tl_model_file_free (NULL);
}
END_TEST

START_TEST (format_is_told_by_bytes_not_by_name)
{
  Bytes pth = {NULL, 0};
  TlModelFile *file = NULL;

  build_small_pth (&pth);
  assert_ok (tl_model_file_open (write_file ("a.safetensors", pth.data, pth.n),
      &file, &error));
  ck_assert_str_eq (tl_model_file_kind_name (tl_model_file_kind (file)),
      "PyTorch zip");
  tl_model_file_free (file);
  bytes_clear (&pth);
}
END_TEST

START_TEST (file_that_is_overwritten_keeps_its_bytes)
{
  Bytes pth = {NULL, 0};
  TlModelFile *file = NULL;
  const char *path;
  size_t n;

  build_small_pth (&pth);
  path = write_file ("a.pth", pth.data, pth.n);
  assert_ok (tl_model_file_open (path, &file, &error));
  ck_assert_int_eq (truncate (path, 0), 0);
  ck_assert_float_eq (*(const float *) tl_model_file_tensors (file, &n)[0].data,
      1);
  tl_model_file_free (file);
  bytes_clear (&pth);
}
END_TEST

static const struct
{
  const char *name;
  const char *bytes;
  size_t n;
  TlStatus status;
  const char *message;
} others[] = {
    {"page.pth", "\n <!DOCTYPE html><html>", 23, TL_ERROR_FORMAT, "a web page"},
    {"page.safetensors", "\xef\xbb\xbf<HTML>", 9, TL_ERROR_FORMAT,
        "a web page"},
    {"lfs.pth", "version https://git-lfs.github.com/spec/v1\noid sha256:0", 54,
        TL_ERROR_FORMAT, "git lfs pull"},
    {"legacy.pth",
        "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.", 21,
        TL_ERROR_FORMAT, "its sys_info, which begins at byte 21 of the file"},
    {"bare4.pth", "\x80\x04\x95\x02", 4, TL_ERROR_FORMAT, "a bare pickle"},
    {"bare.pth", "\x80\x02}.", 4, TL_ERROR_FORMAT, "a bare pickle"},
    {"packed.pth", "\x1f\x8b\x08\0", 4, TL_ERROR_FORMAT, "gzip"},
    {"a.zst", "\x28\xb5\x2f\xfd\0", 5, TL_ERROR_FORMAT, "zstd"},
    {"a.xz", "\xfd\x37zXZ\0", 6, TL_ERROR_FORMAT, "xz"},
    {"a.bz2", "BZh91AY", 7, TL_ERROR_FORMAT, "bzip2"},
    {"a.npy", "\x93NUMPY\1\0", 8, TL_ERROR_FORMAT, "a NumPy array"},
    {"a.gguf", "GGUF\3\0\0\0", 8, TL_ERROR_FORMAT, "a GGUF file"},
    {"a.tflite", "\x1c\0\0\0TFL3", 8, TL_ERROR_FORMAT, "TensorFlow Lite"},
    {"net.onnx", "\x08\x0a\x12\x07pytorch\x1a\x05", 13, TL_ERROR_UNSUPPORTED,
        "an ONNX model"},
    {"model.safetensors.index.json",
        "{\"metadata\": {}, \"weight_map\": {\"a\": \"b\"}}", 41,
        TL_ERROR_FORMAT, "the index of a model in several files"},
    {"config.json", "{\n  \"a\": {}}", 13, TL_ERROR_FORMAT, "JSON text"},
    {"none.pth", "PK\5\6\0\0\0\0", 8, TL_ERROR_FORMAT, "an empty zip archive"},
    {"keras.h5", "\x89HDF\r\n", 6, TL_ERROR_FORMAT, "HDF5"},
    {"short.pth", "P", 1, TL_ERROR_FORMAT, "it begins with \"P\""},
    {"text.pth", "hello, this is text", 19, TL_ERROR_FORMAT,
        "it begins with \"hello, this is t\""},
    {"zip.pth", "PK\3\4 and no more", 16, TL_ERROR_FORMAT,
        "truncated: the zip directory"},
    {"resnet18-f37072fd.pth", "PK\3\4 and no more", 16, TL_ERROR_FORMAT,
        "truncated or altered download: its name promises a SHA-256 that "
        "begins with f37072fd, but that of its 16 bytes is "},
    {"resnet18-20240131.pth", "PK\3\4 and no more", 16, TL_ERROR_FORMAT,
        "truncated: the zip directory"},
};

#define N_OTHERS ((int) (sizeof others / sizeof others[0]))

START_TEST (other_files_are_named)
{
  TlModelFile *file = NULL;
  const char *path =
      write_file (others[_i].name, others[_i].bytes, others[_i].n);

  assert_fails (tl_model_file_open (path, &file, &error), others[_i].status,
      others[_i].message);
  ck_assert_int_eq (strncmp (error.message, path, strlen (path)), 0);
  ck_assert_ptr_null (file);
}
END_TEST

START_TEST (paths_that_are_no_files_are_named)
{
  TlModelFile *file = NULL;
  const char *path;

  assert_fails (tl_model_file_open (in_folder ("none"), &file, &error),
      TL_ERROR_NOT_FOUND, "No such file");
  assert_fails (tl_model_file_open (folder, &file, &error), TL_ERROR_READ,
      "is a folder");
  assert_fails (tl_model_file_open ("/dev/null", &file, &error), TL_ERROR_READ,
      "not a regular file");
  path = in_folder ("pipe");
  ck_assert_int_eq (mkfifo (path, 0600), 0);
  assert_fails (tl_model_file_open (path, &file, &error), TL_ERROR_READ,
      "not a regular file");
  assert_fails (tl_model_file_open (write_file ("empty", "", 0), &file, &error),
      TL_ERROR_READ, "the file is empty");
  path = write_file ("huge.pth", "PK\3\4", 4);
  ck_assert_int_eq (truncate (path, (off_t) TL_FILE_MAX_SIZE + 1), 0);
  assert_fails (tl_model_file_open (path, &file, &error), TL_ERROR_LIMIT,
      "4,294,967,297 bytes are more than");
}
END_TEST

START_TEST (digest_in_a_name_is_recognised)
{
  static const struct
  {
    const char *path, *digits;
  } names[] = {{"/a-b/resnet50-0676ba61.pth", "0676ba61"},
      {"resnet152-f82ba261.pth", "f82ba261"},
      {"resnet18-f37072fd.pth.tar", "f37072fd"},
      {"my-net-f37072fd.safetensors", "f37072fd"},
      {"shufflenetv2_x1-5666bf0f80.pth", "5666bf0f"},
      {"a-very-long-name-of-a-model-f37072fd.pth", "f37072fd"},
      {"net-3e8c5ca7-f37072fd.pth", "f37072fd"}, {"-f37072fd.pth", "f37072fd"},
      {"w-f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec.pth",
          "f37072fd"},
      /* Too long, too short, upper case, no dot behind. */
      {"w-f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec1.p",
          NULL},
      {"resnet18-f37072f.pth", NULL}, {"resnet18-F37072FD.pth", NULL},
      {"resnet18-f37072fd", NULL}, {"resnet18-f37072fd_new.pth", NULL},
      /* Dates, seconds, steps. */
      {"resnet18-20240131.pth", NULL}, {"run-20240131-143059.pth", NULL},
      {"resnet18-1706711459.pth", NULL}, {"model-00002000.safetensors", NULL},
      /* Versions of git, UUIDs, folders. */
      {"net-v1.2-3-gf37072fd.pth", NULL},
      {"550e8400-e29b-41d4-a716-4466554400ab.pth", NULL},
      {"a-f37072fd.d/resnet18.pth", NULL}, {"resnet18.pth", NULL}};
  char digits[9];

  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    int found = tl_model_file_name_digest (names[i].path, digits);

    ck_assert_msg (found == (names[i].digits != NULL), "%s", names[i].path);
    if (found)
      ck_assert_str_eq (digits, names[i].digits);
  }
}
END_TEST

START_TEST (files_are_replaced_whole)
{
  const TlChunk chunks[] = {{"one", 3}, {"", 0}, {" two", 4}};
  const char *path;
  const mode_t before = umask (022);
  struct stat st;
  char text[8] = "";
  TlFile file;

  write_file ("a", "something longer", 16);
  path = in_folder ("a");
  assert_ok (tl_file_replace (path, chunks, 3, &error));
  ck_assert_uint_eq (count_files (), 1);
  assert_ok (tl_file_open (path, &file, &error));
  ck_assert_uint_eq (file.size, 7);
  assert_ok (tl_file_read (&file, 0, text, 7, &error));
  ck_assert_str_eq (text, "one two");
  assert_fails (tl_file_read (&file, 4, text, 7, &error), TL_ERROR_READ,
      "became shorter while it was read, now 7 bytes");
  tl_file_close (&file);
  assert_ok (tl_file_replace (path, chunks, 3, &error));
  ck_assert_int_eq (stat (path, &st), 0);
  ck_assert_int_eq (st.st_mode & 0777, 0644);
  umask (before);
}
END_TEST

START_TEST (replaced_file_in_the_current_folder)
{
  const TlChunk chunk = {"x", 1};

  ck_assert_int_eq (chdir (folder), 0);
  assert_ok (tl_file_replace ("plain-name", &chunk, 1, &error));
  ck_assert_uint_eq (count_files (), 1);
  ck_assert_int_eq (chdir ("/"), 0);
}
END_TEST

/* What is written to would be lost to everybody else: a device, as root. */
START_TEST (only_regular_files_are_replaced)
{
  static const struct
  {
    const char *name, *target;
  } links[] = {{"device", "/dev/null"}, {"output", "/proc/self/fd/1"}};
  const TlChunk chunk = {"x", 1};
  const char *path = in_folder ("pipe");
  struct stat st;

  ck_assert_int_eq (mkfifo (path, 0600), 0);
  assert_fails (tl_file_replace (path, &chunk, 1, &error), TL_ERROR_WRITE,
      "/pipe: is not a regular file");
  ck_assert_int_eq (lstat (path, &st), 0);
  ck_assert (S_ISFIFO (st.st_mode));
  for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
    path = in_folder (links[i].name);
    ck_assert_int_eq (symlink (links[i].target, path), 0);
    assert_fails (tl_file_replace (path, &chunk, 1, &error), TL_ERROR_WRITE,
        "is not a regular file");
    ck_assert_int_eq (lstat (path, &st), 0);
    ck_assert (S_ISLNK (st.st_mode));
  }
  ck_assert_uint_eq (count_files (), 3);
}
END_TEST

START_TEST (failed_writes_leave_the_old_file_alone)
{
  static const char bytes[8192];
  const TlChunk chunk = {bytes, sizeof bytes};
  const char *path = write_file ("a", "old", 3);
  struct rlimit before, limit;
  struct stat st;

  /* A limit on the size of files fails as a full disk does: half-way. */
  signal (SIGXFSZ, SIG_IGN);
  ck_assert_int_eq (getrlimit (RLIMIT_FSIZE, &before), 0);
  limit = before;
  limit.rlim_cur = 4096;
  ck_assert_int_eq (setrlimit (RLIMIT_FSIZE, &limit), 0);
  assert_fails (tl_file_replace (path, &chunk, 1, &error), TL_ERROR_WRITE,
      "/a: cannot be written: File too large");
  ck_assert_int_eq (setrlimit (RLIMIT_FSIZE, &before), 0);
  ck_assert_uint_eq (count_files (), 1);
  ck_assert_int_eq (stat (path, &st), 0);
  ck_assert_int_eq (st.st_size, 3);
}
END_TEST

START_TEST (missing_folders_are_named)
{
  const TlChunk chunk = {"x", 1};
  const TlTensor tensor = {"w", TL_DTYPE_U8, 1, {1}, {1}, "x"};

  assert_fails (tl_file_replace ("/dev/full/a", &chunk, 1, &error),
      TL_ERROR_WRITE, "/dev/full/a: cannot be created: Not a directory");
  assert_fails (tl_safetensors_write (in_folder ("none/a"), &tensor, 1, NULL, 0,
                    &error),
      TL_ERROR_WRITE, "none/a: cannot be created: No such file");
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("modelfile");
  TCase *tests = tcase_create ("modelfile");

  tcase_add_checked_fixture (tests, make_folder, remove_folder);
  tcase_add_test (tests, sha256_instructions_agree_with_c);
  tcase_add_test (tests, sha256_agrees_with_fips_180);
  tcase_add_test (tests, sha256_does_not_depend_on_pieces);
  tcase_add_test (tests, safetensors_are_opened_with_metadata);
  tcase_add_test (tests, format_is_told_by_bytes_not_by_name);
  tcase_add_test (tests, file_that_is_overwritten_keeps_its_bytes);
  tcase_add_loop_test (tests, other_files_are_named, 0, N_OTHERS);
  tcase_add_test (tests, paths_that_are_no_files_are_named);
  tcase_add_test (tests, digest_in_a_name_is_recognised);
  tcase_add_test (tests, files_are_replaced_whole);
  tcase_add_test (tests, replaced_file_in_the_current_folder);
  tcase_add_test (tests, only_regular_files_are_replaced);
  tcase_add_test (tests, failed_writes_leave_the_old_file_alone);
  tcase_add_test (tests, missing_folders_are_named);
  suite_add_tcase (suite, tests);
  return run_suite (suite);
}
