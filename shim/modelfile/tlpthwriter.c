/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlpthwriter.h"
#include "tlbuffer.h"
#include "tlbytes.h"
#include "tlcrc32.h"
#include "tlfail.h"
#include "tlfile.h"
#include "tltensorset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOT "archive/"
#define ALIGNMENT 64 /* of records, as PyTorch has it, for mapped files */
#define MAX_TENSORS 65000u
#define MAX_SIZE UINT32_MAX

/* ---- Pickle: opcodes of protocol 2 ---- */

static void
put_unicode (TlBuffer *b, const char *text)
{
  tl_buffer_put_text (b, "X");
  tl_buffer_put_int (b, strlen (text), 4);
  tl_buffer_put_text (b, text);
}

/* BININT1, BININT2 or BININT, or LONG1 where those end. */
static void
put_integer (TlBuffer *b, int64_t value)
{
  if (value <= UINT8_MAX) {
    tl_buffer_put_text (b, "K");
    tl_buffer_put_int (b, (uint64_t) value, 1);
  } else if (value <= UINT16_MAX) {
    tl_buffer_put_text (b, "M");
    tl_buffer_put_int (b, (uint64_t) value, 2);
  } else if (value <= INT32_MAX) {
    tl_buffer_put_text (b, "J");
    tl_buffer_put_int (b, (uint64_t) value, 4);
  } else {
    tl_buffer_put_text (b, "\x8a\x08");
    tl_buffer_put_int (b, (uint64_t) value, 8);
  }
}

static void
put_integers (TlBuffer *b, const int64_t *values, uint32_t n)
{
  tl_buffer_put_text (b, "(");
  for (uint32_t i = 0; i < n; i++)
    put_integer (b, values[i]);
  tl_buffer_put_text (b, "t");
}

static const char *
get_storage_type (TlDtype dtype)
{
  static const char *const types[] = {
      [TL_DTYPE_F32] = "FloatStorage",
      [TL_DTYPE_F64] = "DoubleStorage",
      [TL_DTYPE_F16] = "HalfStorage",
      [TL_DTYPE_BF16] = "BFloat16Storage",
      [TL_DTYPE_I64] = "LongStorage",
      [TL_DTYPE_I32] = "IntStorage",
      [TL_DTYPE_I16] = "ShortStorage",
      [TL_DTYPE_I8] = "CharStorage",
      [TL_DTYPE_U8] = "ByteStorage",
      [TL_DTYPE_BOOL] = "BoolStorage",
  };

  return tl_dtype_size (dtype) > 0 ? types[dtype] : NULL;
}

/* _rebuild_tensor_v2 (storage, 0, size, stride, False, OrderedDict ()); the
 * storage is named by ("storage", type, key, "cpu", elements). */
static void
put_tensor (TlBuffer *b, const TlTensor *tensor, size_t key)
{
  char number[24];

  snprintf (number, sizeof number, "%zu", key);
  put_unicode (b, tensor->name);
  tl_buffer_put_text (b, "ctorch._utils\n_rebuild_tensor_v2\n((");
  put_unicode (b, "storage");
  tl_buffer_put_text (b, "ctorch\n");
  tl_buffer_put_text (b, get_storage_type (tensor->dtype));
  tl_buffer_put_text (b, "\n");
  put_unicode (b, number);
  put_unicode (b, "cpu");
  put_integer (b, tl_tensor_numel (tensor));
  tl_buffer_put_text (b, "tQ");
  put_integer (b, 0);
  put_integers (b, tensor->shape, tensor->n_dims);
  put_integers (b, tensor->stride, tensor->n_dims);
  tl_buffer_put_text (b,
      "\x89"
      "ccollections\nOrderedDict\n)RtR");
}

static void
put_pickle (TlBuffer *b, const TlTensor *tensors, size_t n)
{
  tl_buffer_put_text (b,
      "\x80\x02"
      "ccollections\nOrderedDict\n)R");
  if (n > 0) {
    tl_buffer_put_text (b, "(");
    for (size_t i = 0; i < n; i++)
      put_tensor (b, &tensors[i], i);
    tl_buffer_put_text (b, "u");
  }
  tl_buffer_put_text (b, ".");
}

/* ---- Zip ---- */

/* The file as it grows: chunks alternate between headers, in a buffer each,
 * and the records' own bytes. */
typedef struct
{
  TlChunk *chunks;
  TlBuffer *headers; /* one for each record, and the directory */
  size_t n_records;
  uint64_t size;
  TlBuffer directory;
} Archive;

/* What local and central header have in common: no flags, stored, at the
 * first moment that zip has a date for, so that bytes repeat. */
static void
put_common (TlBuffer *b, uint32_t crc, size_t size, size_t name_length)
{
  tl_buffer_put_int (b, 0, 2);          /* version needed */
  tl_buffer_put_int (b, 0, 2);          /* flags */
  tl_buffer_put_int (b, 0, 2);          /* method: stored */
  tl_buffer_put_int (b, 0, 2);          /* time */
  tl_buffer_put_int (b, 1 << 5 | 1, 2); /* 1980-01-01 */
  tl_buffer_put_int (b, crc, 4);
  tl_buffer_put_int (b, size, 4);
  tl_buffer_put_int (b, size, 4);
  tl_buffer_put_int (b, name_length, 2);
}

/* Name and the extra field "FB" of PyTorch, which pads up to the data. */
static void
put_local_header (TlBuffer *b, uint64_t offset, const char *name, uint32_t crc,
    size_t size)
{
  size_t fixed = 30 + strlen (name) + 4;
  size_t padding = (ALIGNMENT - (offset + fixed) % ALIGNMENT) % ALIGNMENT;

  tl_buffer_put (b, "PK\3\4", 4);
  put_common (b, crc, size, strlen (name));
  tl_buffer_put_int (b, 4 + padding, 2);
  tl_buffer_put_text (b, name);
  tl_buffer_put_text (b, "FB");
  tl_buffer_put_int (b, padding, 2);
  tl_buffer_put_fill (b, 'Z', padding);
}

static void
put_central_header (TlBuffer *b, uint64_t offset, const char *name,
    uint32_t crc, size_t size)
{
  tl_buffer_put (b, "PK\1\2\0\0", 6);
  put_common (b, crc, size, strlen (name));
  tl_buffer_put_fill (b, 0, 12); /* no extra field, no comment, disk 0 */
  tl_buffer_put_int (b, offset, 4);
  tl_buffer_put_text (b, name);
}

static void
add_record (Archive *archive, const char *name, const void *bytes, size_t size)
{
  size_t i = archive->n_records++;
  TlBuffer *header = &archive->headers[i];
  uint32_t crc = tl_crc32 (bytes, size);

  put_local_header (header, archive->size, name, crc, size);
  put_central_header (&archive->directory, archive->size, name, crc, size);
  archive->chunks[2 * i] = (TlChunk){header->bytes, header->n};
  archive->chunks[2 * i + 1] = (TlChunk){bytes, size};
  archive->size += header->n + size;
}

static void
end_archive (Archive *archive)
{
  TlBuffer *b = &archive->directory;
  size_t size = b->n;

  tl_buffer_put (b, "PK\5\6\0\0\0\0", 8);
  tl_buffer_put_int (b, archive->n_records, 2);
  tl_buffer_put_int (b, archive->n_records, 2);
  tl_buffer_put_int (b, size, 4);
  tl_buffer_put_int (b, archive->size, 4);
  tl_buffer_put_int (b, 0, 2);
  archive->chunks[2 * archive->n_records] = (TlChunk){b->bytes, b->n};
}

static TlStatus
check_archive (const Archive *archive, TlError *error)
{
  TlStatus status = tl_buffer_check (&archive->directory, error);

  for (size_t i = 0; status == TL_OK && i < archive->n_records; i++)
    status = tl_buffer_check (&archive->headers[i], error);
  return status;
}

/* ---- The file ---- */

static size_t
get_data_size (const TlTensor *tensor)
{
  return (size_t) tl_tensor_numel (tensor) * tl_dtype_size (tensor->dtype);
}

static TlStatus
add_tensor (TlTensorSet *seen, const TlTensor *tensor, uint64_t *total,
    TlError *error)
{
  TlTensor *copy;
  size_t length = strlen (tensor->name);
  TlStatus status = tl_tensor_set_add (seen, tensor->name, length,
      tensor->dtype, &copy, error);

  if (status == TL_OK)
    status = tl_tensor_set_shape (copy, tensor->shape, tensor->n_dims, error);
  if (status != TL_OK)
    return status;
  if (tl_dtype_size (tensor->dtype) == 0 || !tl_tensor_is_contiguous (tensor))
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "tensor %s cannot be written: its dtype is unknown or its elements are "
        "not dense",
        tl_show_text (tensor->name, length).text);
  /* Data, its headers and its part of the pickle, at most. */
  *total += get_data_size (tensor) + 2 * length + 1024;
  return TL_OK;
}

/* Nothing is written that a reader would refuse. */
static TlStatus
check_tensors (const TlTensor *tensors, size_t n, TlError *error)
{
  TlTensorSet seen = TL_TENSOR_SET_INIT (SIZE_MAX);
  uint64_t total = 4096;
  TlStatus status = TL_OK;

  if (n > MAX_TENSORS)
    return tl_fail (error, TL_ERROR_LIMIT, "more than %u tensors", MAX_TENSORS);
  for (size_t i = 0; status == TL_OK && i < n; i++)
    status = add_tensor (&seen, &tensors[i], &total, error);
  if (status == TL_OK)
    status = tl_tensor_set_check_names (&seen, error);
  tl_tensor_set_clear (&seen);
  if (status == TL_OK && total > MAX_SIZE)
    return tl_fail (error, TL_ERROR_LIMIT,
        "a .pth file of 4 GiB or more is not written (here %s bytes)",
        tl_show_number (total).text);
  /* To the caller the defect is in the arguments, not in a file. */
  return status == TL_ERROR_FORMAT ? TL_ERROR_ARGUMENT : status;
}

static TlStatus
write_archive (const char *path, Archive *archive, const TlBuffer *pickle,
    const TlTensor *tensors, size_t n, TlError *error)
{
  TlStatus status;
  char name[48];

  add_record (archive, ROOT "data.pkl", pickle->bytes, pickle->n);
  add_record (archive, ROOT "byteorder", "little", 6);
  for (size_t i = 0; i < n; i++) {
    snprintf (name, sizeof name, ROOT "data/%zu", i);
    add_record (archive, name, tensors[i].data, get_data_size (&tensors[i]));
  }
  add_record (archive, ROOT "version", "3\n", 2);
  end_archive (archive);
  status = check_archive (archive, error);
  if (status != TL_OK)
    return status;
  return tl_file_replace (path, archive->chunks, 2 * archive->n_records + 1,
      error);
}

TlStatus
tl_pth_write (const char *path, const TlTensor *tensors, size_t n_tensors,
    TlError *error)
{
  size_t n_records = n_tensors + 3;
  Archive archive = {.chunks = NULL};
  TlBuffer pickle = {NULL, 0, 0, 0};
  TlStatus status = check_tensors (tensors, n_tensors, error);

  if (status != TL_OK)
    return status;
  put_pickle (&pickle, tensors, n_tensors);
  archive.chunks = calloc (2 * n_records + 1, sizeof *archive.chunks);
  archive.headers = calloc (n_records, sizeof *archive.headers);
  if (archive.chunks && archive.headers && !pickle.failed)
    status = write_archive (path, &archive, &pickle, tensors, n_tensors, error);
  else
    status = tl_fail (error, TL_ERROR_MEMORY, "out of memory");
  for (size_t i = 0; i < archive.n_records; i++)
    tl_buffer_clear (&archive.headers[i]);
  tl_buffer_clear (&archive.directory);
  tl_buffer_clear (&pickle);
  free (archive.chunks);
  free (archive.headers);
  return status;
}
