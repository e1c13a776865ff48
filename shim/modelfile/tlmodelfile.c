/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlmodelfile.h"
#include "tlbytes.h"
#include "tlfail.h"
#include "tlfile.h"
#include "tlintegrity.h"
#include "tlpth.h"
#include "tlsafetensors.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Names and metadata. The tables of tensors and zip records, 16 MiB at most,
 * and the values of a pickle come to it. */
#define ARENA_LIMIT (20u << 20)
#define SAFETENSORS_ARENA_LIMIT (40u << 20)

#define HEAD_SIZE 512 /* bytes that tell what a file is */

struct TlModelFile
{
  TlModelFileKind kind;
  void *bytes;
  size_t size;
  char sha256[TL_SHA256_HEX_SIZE];
  TlTensorSet set;
};

typedef TlStatus (
    *Read) (void *bytes, size_t size, TlTensorSet *set, TlError *error);

/* A checksum is of the bytes as they were before tensors were moved. */
static TlStatus
read_safetensors (void *bytes, size_t size, TlTensorSet *set, TlError *error)
{
  TlTensorSet header = TL_TENSOR_SET_INIT (SAFETENSORS_ARENA_LIMIT);
  TlStatus status =
      tl_safetensors_read_header (bytes, size, size, &header, error);

  if (status == TL_OK)
    status = tl_integrity_check (bytes, size, &header, error);
  tl_tensor_set_clear (&header);
  if (status == TL_OK)
    status = tl_safetensors_read_in_place (bytes, size, set, error);
  if (status == TL_OK)
    tl_tensor_set_strip_prefixes (set);
  return status;
}

static const struct
{
  const char *name;
  Read read;
  size_t arena_limit;
} kinds[] = {
    [TL_MODEL_FILE_SAFETENSORS] = {"safetensors", read_safetensors,
        SAFETENSORS_ARENA_LIMIT},
    [TL_MODEL_FILE_PTH_ZIP] = {"PyTorch zip", tl_pth_read_zip, ARENA_LIMIT},
    [TL_MODEL_FILE_PTH_LEGACY] = {"PyTorch legacy", tl_pth_read_legacy,
        ARENA_LIMIT},
    [TL_MODEL_FILE_PTH_TAR] = {"PyTorch tar", tl_pth_read_tar, ARENA_LIMIT},
};

#define RESAVE                                                                 \
  "load it with a recent PyTorch and save model.state_dict() with torch.save"
#define BARE_PICKLE "a bare pickle, not a file of torch.save: " RESAVE
#define UNPACK "decompress it first"

/* What people have in place of a model file, by the bytes at an offset. */
static const struct
{
  size_t offset, n;
  const char *magic;
  const char *sentence;
} known[] = {
    {0, 2, "\x80\x02", BARE_PICKLE},
    {0, 2, "\x80\x03", BARE_PICKLE},
    {0, 2, "\x80\x04", BARE_PICKLE},
    {0, 2, "\x80\x05", BARE_PICKLE},
    {0, 35, "version https://git-lfs.github.com/",
        "a Git LFS pointer, not the file it points to: run `git lfs pull`"},
    {0, 2, "\x1f\x8b", "compressed with gzip: " UNPACK},
    {0, 4, "\x28\xb5\x2f\xfd", "compressed with zstd: " UNPACK},
    {0, 6,
        "\xfd"
        "7zXZ\0",
        "compressed with xz: " UNPACK},
    {0, 3, "BZh", "compressed with bzip2: " UNPACK},
    {0, 6, "7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first"},
    {1, 3, "HDF", "an HDF5 file (Keras), not a PyTorch or safetensors one"},
    {0, 6, "\x93NUMPY", "a NumPy array (.npy), not a file of torch.save"},
    {0, 4, "GGUF", "a GGUF file, not a PyTorch or safetensors one"},
    {4, 4, "TFL3", "a TensorFlow Lite model, not a PyTorch one"},
    {0, 4, "PK\5\6", "an empty zip archive"},
};

/* A server's error page, saved under the name of what was asked for. */
static int
is_web_page (const char *text, size_t n)
{
  static const char *const beginnings[] = {"<!doctype", "<html", "<?xml",
      "<head"};

  if (n >= 3 && memcmp (text, "\xef\xbb\xbf", 3) == 0) {
    text += 3;
    n -= 3;
  }
  while (n > 0 && strchr (" \t\r\n", *text) && *text) {
    text++;
    n--;
  }
  for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
    size_t length = strlen (beginnings[i]);

    if (n >= length && strncasecmp (text, beginnings[i], length) == 0)
      return 1;
  }
  return 0;
}

/* Whether @text occurs in the first bytes. */
static int
mentions (const uint8_t *head, size_t n, const char *text)
{
  return memmem (head, n, text, strlen (text)) != NULL;
}

/* An ONNX file is a message of protobuf that begins with the field ir_version,
 * a small number, and goes on with one of a few others. */
static int
is_onnx (const uint8_t *head, size_t n)
{
  return n >= 3 && head[0] == 0x08 && head[1] >= 1 && head[1] < 32 && head[2]
      && strchr ("\x12\x1a\x22\x28\x32\x3a\x42", head[2]);
}

static TlStatus
refuse (const uint8_t *head, size_t n, TlError *error)
{
  if (is_web_page ((const char *) head, n))
    return tl_fail (error, TL_ERROR_FORMAT,
        "a web page, not a model: the download gave an error page; check the "
        "address and download again");
  if (head[0] == '{')
    return tl_fail (error, TL_ERROR_FORMAT,
        mentions (head, n, "\"weight_map\"") || mentions (head, n, "total_size")
            ? "the index of a model in several files, not one of them: merge "
              "them into one file first"
            : "JSON text, not a model file");
  if (is_onnx (head, n))
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "an ONNX model, which cannot be trained on: give the PyTorch or "
        "safetensors file it was made from");
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (n >= known[i].offset + known[i].n
        && memcmp (head + known[i].offset, known[i].magic, known[i].n) == 0)
      return tl_fail (error, TL_ERROR_FORMAT, "%s", known[i].sentence);
  return tl_fail (error, TL_ERROR_FORMAT,
      "neither a safetensors file nor one of torch.save: it begins with "
      "\"%s\"",
      tl_show_text (head, n < 16 ? n : 16).text);
}

static TlStatus
detect_kind (const TlFile *file, TlModelFileKind *ret, TlError *error)
{
  uint8_t head[HEAD_SIZE];
  size_t n = file->size < sizeof head ? file->size : sizeof head;
  TlStatus status = tl_file_read (file, 0, head, n, error);

  if (status != TL_OK)
    return status;
  if (n >= 4 && memcmp (head, "PK\3\4", 4) == 0)
    *ret = TL_MODEL_FILE_PTH_ZIP;
  else if (tl_pth_is_legacy (head, n))
    *ret = TL_MODEL_FILE_PTH_LEGACY;
  else if (tl_pth_is_tar (head, n))
    *ret = TL_MODEL_FILE_PTH_TAR;
  else if (n >= 9 && head[8] == '{' && head[0] != '{')
    *ret = TL_MODEL_FILE_SAFETENSORS;
  else
    return refuse (head, n, error);
  return TL_OK;
}

static int
is_hex_digit (char c)
{
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* Whether what ends at @dash is 8-4-4-4 digits: with 12 more, a UUID. */
static int
follows_uuid (const char *name, const char *dash)
{
  static const char pattern[] = "xxxxxxxx-xxxx-xxxx-xxxx";
  const char *p = dash - strlen (pattern);

  if (dash - name < (ptrdiff_t) strlen (pattern))
    return 0;
  for (size_t i = 0; pattern[i]; i++)
    if (pattern[i] == '-' ? p[i] != '-' : !is_hex_digit (p[i]))
      return 0;
  return 1;
}

/* The digits of a SHA-256 in a file name, NULL if there are none. */
static const char *
find_name_digest (const char *path, size_t *n)
{
  const char *slash = strrchr (path, '/');
  const char *name = slash ? slash + 1 : path;
  const char *dash = name;

  while ((dash = strchr (dash, '-'))) {
    const char *p = ++dash;
    int has_letter = 0;

    while (is_hex_digit (*p))
      has_letter |= *p++ >= 'a';
    *n = (size_t) (p - dash);
    if (*p == '.' && *n >= 8 && *n < TL_SHA256_HEX_SIZE && has_letter
        && (*n != 12 || !follows_uuid (name, dash - 1)))
      return dash;
  }
  return NULL;
}

int
tl_model_file_name_digest (const char *path, char digits[9])
{
  size_t n;
  const char *found = find_name_digest (path, &n);

  if (!found)
    return 0;
  memcpy (digits, found, 8);
  digits[8] = '\0';
  return 1;
}

void
tl_model_file_sha256 (const TlModelFile *file, char hex[TL_SHA256_HEX_SIZE])
{
  memcpy (hex, file->sha256, TL_SHA256_HEX_SIZE);
}

/* @inner is what the reader says of the file, if that is an error. */
static TlStatus
check_name_digest (const TlModelFile *file, const char *path,
    const TlError *inner, TlError *error)
{
  size_t n = 0;
  const char *digits = find_name_digest (path, &n);

  if (!digits || strncmp (file->sha256, digits, n) == 0)
    return TL_OK;
  return tl_fail (error, TL_ERROR_FORMAT,
      "truncated or altered download: its name promises a SHA-256 that begins "
      "with %.*s, but that of its %s is %.*s; download it again, or rename it "
      "if it was changed on purpose%s%s",
      (int) n, digits, tl_show_bytes (file->size).text, (int) n, file->sha256,
      inner ? "; reading it says: " : "", inner ? inner->message : "");
}

/* Before a reader moves anything in the bytes. */
static void
compute_digest (TlModelFile *self)
{
  TlSha256 sha;

  tl_sha256_init (&sha);
  tl_sha256_update (&sha, self->bytes, self->size);
  tl_sha256_final_hex (&sha, self->sha256);
}

static TlStatus
read_file (TlModelFile *self, const TlFile *file, const char *path,
    TlError *error)
{
  TlError inner = TL_ERROR_INIT;
  TlStatus status = detect_kind (file, &self->kind, error);

  if (status != TL_OK)
    return status;
  self->size = file->size;
  self->bytes = malloc (file->size);
  if (!self->bytes)
    return tl_fail (error, TL_ERROR_MEMORY,
        "out of memory for the %s bytes of the file",
        tl_show_number (file->size).text);
  status = tl_file_read (file, 0, self->bytes, self->size, error);
  if (status != TL_OK)
    return status;
  compute_digest (self);
  self->set.arena.limit = kinds[self->kind].arena_limit;
  status = kinds[self->kind].read (self->bytes, self->size, &self->set, &inner);
  if (check_name_digest (self, path, status == TL_OK ? NULL : &inner, error)
      != TL_OK)
    return TL_ERROR_FORMAT;
  return status == TL_OK
      ? TL_OK
      : tl_fail_at (error, status, inner.offset, "%s", inner.message);
}

/* Puts the path before the message of a reader, which does not know it. */
static TlStatus
name_path (const char *path, TlStatus status, const TlError *inner,
    TlError *error)
{
  return tl_fail_at (error, status, inner->offset, "%.400s: %s", path,
      inner->message);
}

TlStatus
tl_model_file_open (const char *path, TlModelFile **ret, TlError *error)
{
  TlError inner = TL_ERROR_INIT;
  TlModelFile *self;
  TlFile file;
  TlStatus status = tl_file_open (path, &file, error);

  if (status != TL_OK)
    return status;
  self = calloc (1, sizeof *self);
  if (!self) {
    tl_file_close (&file);
    return tl_fail (error, TL_ERROR_MEMORY, "%.400s: out of memory", path);
  }
  status = read_file (self, &file, path, &inner);
  tl_file_close (&file);
  if (status != TL_OK) {
    tl_model_file_free (self);
    return name_path (path, status, &inner, error);
  }
  *ret = self;
  return TL_OK;
}

void
tl_model_file_free (TlModelFile *file)
{
  if (!file)
    return;
  tl_tensor_set_clear (&file->set);
  free (file->bytes);
  free (file);
}

TlModelFileKind
tl_model_file_kind (const TlModelFile *file)
{
  return file->kind;
}

const char *
tl_model_file_kind_name (TlModelFileKind kind)
{
  return kinds[kind].name;
}

const TlTensor *
tl_model_file_tensors (const TlModelFile *file, size_t *n)
{
  *n = file->set.n_tensors;
  return file->set.tensors;
}

const char *
tl_model_file_item (const TlModelFile *file)
{
  return file->set.item ? file->set.item : "";
}

const TlMetadata *
tl_model_file_metadata (const TlModelFile *file, size_t *n)
{
  *n = file->set.n_metadata;
  return file->set.metadata;
}

const char *
tl_model_file_lookup (const TlModelFile *file, const char *key)
{
  for (size_t i = 0; i < file->set.n_metadata; i++)
    if (strcmp (file->set.metadata[i].key, key) == 0)
      return file->set.metadata[i].value;
  return NULL;
}
