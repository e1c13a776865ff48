/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlmodelfile.h"
#include "tlarch.h"
#include "tlbytes.h"
#include "tlfail.h"
#include "tlfile.h"
#include "tlintegrity.h"
#include "tlpth.h"
#include "tlsafetensors.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Values and names may take this much memory beside the file's own bytes,
 * which unaligned tensors may take once more. */
#define ARENA_SLACK (256u << 20)

#define HEAD_SIZE 512 /* bytes that tell what a file is */

struct TlModelFile
{
  TlModelFileKind kind;
  void *bytes;
  size_t size;
  TlTensorSet set;
};

typedef TlStatus (
    *Read) (const void *bytes, size_t size, TlTensorSet *set, TlError *error);

static const struct
{
  const char *name;
  Read read;
} kinds[] = {
    [TL_MODEL_FILE_SAFETENSORS] = {"safetensors", tl_safetensors_read},
    [TL_MODEL_FILE_PTH_ZIP] = {"PyTorch zip", tl_pth_read_zip},
};

#define RESAVE                                                                 \
  "load it with a recent PyTorch and save model.state_dict() with torch.save"

/* What people have in place of a model file, by the bytes at an offset. */
static const struct
{
  size_t offset, n;
  const char *magic;
  TlStatus status;
  const char *sentence;
} known[] = {
    {0, 14, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19",
        TL_ERROR_UNSUPPORTED,
        "a file of torch.save before PyTorch 1.6 (legacy format), which this "
        "version does not read: " RESAVE},
    {257, 5, "ustar", TL_ERROR_UNSUPPORTED,
        "a tar archive, as torch.save of PyTorch 0.1 wrote it, which this "
        "version does not read: " RESAVE},
    {0, 2, "\x80\x02", TL_ERROR_FORMAT,
        "a bare pickle, not a file of torch.save: " RESAVE},
    {0, 2, "\x80\x03", TL_ERROR_FORMAT,
        "a bare pickle, not a file of torch.save: " RESAVE},
    {0, 2, "\x80\x04", TL_ERROR_FORMAT,
        "a bare pickle, not a file of torch.save: " RESAVE},
    {0, 2, "\x80\x05", TL_ERROR_FORMAT,
        "a bare pickle, not a file of torch.save: " RESAVE},
    {0, 35, "version https://git-lfs.github.com/", TL_ERROR_FORMAT,
        "a Git LFS pointer, not the file it points to: run `git lfs pull`"},
    {0, 2, "\x1f\x8b", TL_ERROR_FORMAT,
        "compressed with gzip: decompress it first"},
    {1, 3, "HDF", TL_ERROR_FORMAT,
        "an HDF5 file (Keras), not a PyTorch or safetensors one"},
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

static TlStatus
refuse (const uint8_t *head, size_t n, TlError *error)
{
  if (is_web_page ((const char *) head, n))
    return tl_fail (error, TL_ERROR_FORMAT,
        "a web page, not a model: the download gave an error page; check the "
        "address and download again");
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (n >= known[i].offset + known[i].n
        && memcmp (head + known[i].offset, known[i].magic, known[i].n) == 0)
      return tl_fail (error, known[i].status, "%s", known[i].sentence);
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
  else if (n >= 9 && head[8] == '{')
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

int
tl_model_file_name_digest (const char *path, char digits[9])
{
  const char *slash = strrchr (path, '/');
  const char *name = slash ? slash + 1 : path;
  const char *dash = strrchr (name, '-');
  char arch[16];
  int has_letter = 0;

  if (!dash || dash - name >= (ptrdiff_t) sizeof arch
      || strlen (dash) != strlen ("-01234567.pth")
      || strcmp (dash + 9, ".pth") != 0)
    return 0;
  memcpy (arch, name, (size_t) (dash - name));
  arch[dash - name] = '\0';
  for (int i = 1; i <= 8; i++) {
    if (!is_hex_digit (dash[i]))
      return 0;
    has_letter |= dash[i] >= 'a';
  }
  if (!has_letter || !tl_arch_find (arch))
    return 0;
  memcpy (digits, dash + 1, 8);
  digits[8] = '\0';
  return 1;
}

void
tl_model_file_sha256 (const TlModelFile *file, char hex[TL_SHA256_HEX_SIZE])
{
  TlSha256 sha;

  tl_sha256_init (&sha);
  tl_sha256_update (&sha, file->bytes, file->size);
  tl_sha256_final_hex (&sha, hex);
}

static TlStatus
check_name_digest (const TlModelFile *file, const char *path, TlError *error)
{
  char digits[9], hex[TL_SHA256_HEX_SIZE];

  if (!tl_model_file_name_digest (path, digits))
    return TL_OK;
  tl_model_file_sha256 (file, hex);
  if (strncmp (hex, digits, 8) == 0)
    return TL_OK;
  return tl_fail (error, TL_ERROR_FORMAT,
      "truncated or altered download: its name promises a SHA-256 that begins "
      "with %s, but it is %.8s; download it again, or rename it if it was "
      "changed on purpose",
      digits, hex);
}

static TlStatus
read_file (TlModelFile *self, const TlFile *file, const char *path,
    TlError *error)
{
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
  if (status == TL_OK)
    status = check_name_digest (self, path, error);
  if (status == TL_OK)
    status =
        kinds[self->kind].read (self->bytes, self->size, &self->set, error);
  if (status == TL_OK && self->kind == TL_MODEL_FILE_SAFETENSORS)
    status = tl_integrity_check (self->bytes, self->size, &self->set, error);
  return status;
}

/* Puts the path before the message of a reader, which does not know it. */
static TlStatus
name_path (const char *path, TlStatus status, const TlError *inner,
    TlError *error)
{
  return tl_fail (error, status, "%.400s: %s", path, inner->message);
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
  self->set.arena.limit = file.size + ARENA_SLACK;
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
