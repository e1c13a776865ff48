/* SPDX-License-Identifier: BSD-3-Clause */

/* A reader of model files: TL_FUZZ_FORMAT says which. Whatever is read must
 * lie within the file's bytes, whatever is refused has a sentence. */

#include "tlfuzztarget.h"
#include "tlpth.h"
#include "tlpthbuild.h"
#include "tlsafetensors.h"
#include "tlstatus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_LIMIT (20u << 20)

#define PROMISE(what)                                                          \
  do {                                                                         \
    if (!(what)) {                                                             \
      fprintf (stderr, "broken promise: %s\n", #what);                         \
      abort ();                                                                \
    }                                                                          \
  } while (0)

typedef TlStatus (
    *Read) (void *bytes, size_t size, TlTensorSet *set, TlError *error);

static void build_safetensors (Bytes *b);

static const struct
{
  const char *name;
  Read read;
  void (*build) (Bytes *b);
} formats[] = {
    {"pth-zip", tl_pth_read_zip, build_small_pth},
    {"pth-legacy", tl_pth_read_legacy, build_small_legacy},
    {"pth-tar", tl_pth_read_tar, build_small_tar},
    {"safetensors", tl_safetensors_read_in_place, build_safetensors},
};

static size_t
find_format (void)
{
  size_t i = 0;

  while (strcmp (formats[i].name, TL_FUZZ_FORMAT) != 0)
    i++;
  return i;
}

static void
build_safetensors (Bytes *b)
{
  static const int64_t data[4] = {1, 2, 3, 4};
  const TlTensor tensors[] = {{"c", TL_DTYPE_U8, 1, {3}, {1}, data},
      {"conv1.weight", TL_DTYPE_F32, 2, {2, 3}, {3, 1}, data},
      {"n", TL_DTYPE_I64, 0, {0}, {0}, data},
      {"e", TL_DTYPE_BF16, 2, {0, 3}, {3, 1}, data}};
  const TlMetadata metadata = {"classes", "[\"a\",\"\\u00e9\"]"};
  TlError error = TL_ERROR_INIT;
  void *header = NULL;
  size_t n = 0;

  PROMISE (tl_safetensors_build_header (tensors, 4, &metadata, 1, &header, &n,
               NULL, &error)
      == TL_OK);
  bytes_put (b, header, n);
  for (int i = 0; i < 4; i++)
    bytes_put (b, tensors[i].data, tl_safetensors_data_size (&tensors[i]));
  free (header);
}

/* Where the last element ends; the first is at @tensor->data. */
static const uint8_t *
find_end (const TlTensor *tensor)
{
  const uint8_t *last = tensor->data;
  size_t item = tl_dtype_size (tensor->dtype);

  if (tl_tensor_numel (tensor) == 0)
    return last;
  for (uint32_t i = 0; i < tensor->n_dims; i++)
    last += (size_t) ((tensor->shape[i] - 1) * tensor->stride[i]) * item;
  return last + item;
}

static void
check_tensors (const TlTensorSet *set, const uint8_t *bytes, size_t size)
{
  for (size_t i = 0; i < set->n_tensors; i++) {
    const TlTensor *tensor = &set->tensors[i];
    const uint8_t *data = tensor->data;

    PROMISE (tensor->name && tl_dtype_size (tensor->dtype) > 0);
    PROMISE ((uintptr_t) data % tl_dtype_size (tensor->dtype) == 0);
    PROMISE (data >= bytes && find_end (tensor) <= bytes + size);
    PROMISE (tl_tensor_numel (tensor) <= (int64_t) size + (1 << 20));
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  TlTensorSet set = TL_TENSOR_SET_INIT (ARENA_LIMIT);
  TlError error = TL_ERROR_INIT;
  uint8_t *bytes = malloc (size ? size : 1);

  PROMISE (bytes);
  if (size > 0)
    memcpy (bytes, data, size);
  if (formats[find_format ()].read (bytes, size, &set, &error) == TL_OK)
    check_tensors (&set, bytes, size);
  else
    PROMISE (error.message[0] != '\0');
  tl_tensor_set_clear (&set);
  free (bytes);
  return 0;
}

/* Words that chance does not find. */
static const char *const tokens[] = {"ctorch._utils\n_rebuild_tensor_v2\n",
    "ctorch._utils\n_rebuild_tensor_v3\n", "ctorch\nHalfStorage\n",
    "ctorch\nUntypedStorage\n", "ctorch\nuint16\n",
    "ctorch._tensor\n_rebuild_from_type_v2\n",
    "ctorch._utils\n_rebuild_parameter\n", "ctorch\nSize\n",
    "ccollections\nOrderedDict\n)R", "X\5", "]", "}", "(", "t", "u", "e", "s",
    "\x85", "\x86", "\x87", "R", "Q", "b", "\x81", "\x8f", "\x90", "\x91", "d",
    "l", "0", "1", "2", "PK\1\2", "PK\3\4", "PK\6\6", "PK\6\7", "PK\5\6",
    "\"dtype\":\"F8_E4M3\"", "\"shape\":[", "\"data_offsets\":[0,",
    "\"__metadata__\":{", "\\u00e9", "\xff\xff\xff\xff"};

size_t
LLVMFuzzerCustomMutator (uint8_t *data, size_t size, size_t max_size,
    unsigned seed)
{
  const char *token = tokens[seed / 8 % (sizeof tokens / sizeof *tokens)];
  size_t length = strlen (token);
  size_t at = size ? seed / 512 * 2654435761u % (size + 1) : 0;

  if (seed % 4 != 0 || size + length > max_size) {
    size = LLVMFuzzerMutate (data, size, max_size);
  } else {
    memmove (data + at + length, data + at, size - at);
    memcpy (data + at, token, length);
    size += length;
  }
  tar_repair (data, strcmp (TL_FUZZ_FORMAT, "pth-tar") == 0 ? size : 0);
  return size;
}

void
tl_fuzz_target_each_start (TlSeedFunc func, void *user)
{
  size_t format = find_format ();
  Bytes file = {NULL, 0};

  formats[format].build (&file);
  func (user, "small", file.data, file.n);
  bytes_clear (&file);
  tl_seeds_each (TL_FUZZ_FORMAT, func, user);
}

/* Files of the material, and those that torch wrote: as they are. */
void
tl_fuzz_target_each_of_file (const char *name, const uint8_t *file, size_t size,
    TlSeedFunc func, void *user)
{
  func (user, name, file, size);
}
