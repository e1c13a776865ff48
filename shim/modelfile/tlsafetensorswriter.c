/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlbytes.h"
#include "tlfail.h"
#include "tlfile.h"
#include "tlsafetensors.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A growing text; after a failed allocation it takes nothing more. */
typedef struct
{
  char *bytes;
  size_t n, capacity;
  int failed;
} Text;

static void
put_bytes (Text *t, const char *bytes, size_t n)
{
  if (t->failed)
    return;
  if (t->capacity - t->n < n) {
    size_t capacity = 2 * (t->capacity + n);
    char *grown = realloc (t->bytes, capacity);

    if (!grown) {
      t->failed = 1;
      return;
    }
    t->bytes = grown;
    t->capacity = capacity;
  }
  memcpy (t->bytes + t->n, bytes, n);
  t->n += n;
}

/* For short texts without strings from outside. */
static void __attribute__ ((format (printf, 2, 3)))
put_format (Text *t, const char *format, ...)
{
  char buffer[64];
  va_list args;
  int n;

  va_start (args, format);
  n = vsnprintf (buffer, sizeof buffer, format, args);
  va_end (args);
  put_bytes (t, buffer, (size_t) n);
}

/* A JSON string; only what JSON demands is escaped. */
static void
put_string (Text *t, const char *string)
{
  put_bytes (t, "\"", 1);
  for (const char *p = string; *p; p++) {
    if (*p == '"' || *p == '\\')
      put_format (t, "\\%c", *p);
    else if ((unsigned char) *p < ' ')
      put_format (t, "\\u%04x", (unsigned) *p);
    else
      put_bytes (t, p, 1);
  }
  put_bytes (t, "\"", 1);
}

uint64_t
tl_safetensors_data_size (const TlTensor *tensor)
{
  return (uint64_t) tl_tensor_numel (tensor) * tl_dtype_size (tensor->dtype);
}

static void
put_tensor (Text *t, const TlTensor *tensor, uint64_t *offset)
{
  uint64_t end = *offset + tl_safetensors_data_size (tensor);

  put_string (t, tensor->name);
  put_format (t, ":{\"dtype\":\"%s\",\"shape\":[",
      tl_dtype_name (tensor->dtype));
  for (uint32_t i = 0; i < tensor->n_dims; i++)
    put_format (t, "%s%" PRId64, i ? "," : "", tensor->shape[i]);
  put_format (t, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", *offset, end);
  *offset = end;
}

static void
put_metadata (Text *t, const TlMetadata *metadata, size_t n)
{
  put_format (t, "\"__metadata__\":{");
  for (size_t i = 0; i < n; i++) {
    if (i > 0)
      put_bytes (t, ",", 1);
    put_string (t, metadata[i].key);
    put_bytes (t, ":", 1);
    put_string (t, metadata[i].value);
  }
  put_bytes (t, "}", 1);
}

static TlStatus
check_tensor (TlTensorSet *seen, const TlTensor *tensor, TlError *error)
{
  TlTensor *copy;
  size_t length = strlen (tensor->name);
  TlStatus status = tl_tensor_set_add (seen, tensor->name, length,
      tensor->dtype, &copy, error);

  if (status == TL_OK)
    status = tl_tensor_set_shape (copy, tensor->shape, tensor->n_dims, error);
  if (status != TL_OK)
    return status;
  if (tl_dtype_size (tensor->dtype) == 0
      || strcmp (tensor->name, "__metadata__") == 0
      || !tl_tensor_is_contiguous (tensor))
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "tensor %s cannot be written: its dtype, its name or its strides are "
        "none of safetensors",
        tl_show_text (tensor->name, length).text);
  return TL_OK;
}

/* Nothing is written that the reader would refuse. */
static TlStatus
check_content (const TlTensor *tensors, size_t n_tensors,
    const TlMetadata *metadata, size_t n_metadata, TlError *error)
{
  TlTensorSet seen = TL_TENSOR_SET_INIT (SIZE_MAX);
  TlStatus status = TL_OK;

  for (size_t i = 0; status == TL_OK && i < n_tensors; i++)
    status = check_tensor (&seen, &tensors[i], error);
  for (size_t i = 0; status == TL_OK && i < n_metadata; i++) {
    const TlMetadata *m = &metadata[i];

    status = tl_tensor_set_add_metadata (&seen, m->key, m->value, error);
    if (status == TL_OK
        && (!tl_is_utf8 (m->key, strlen (m->key))
            || !tl_is_utf8 (m->value, strlen (m->value))))
      status =
          tl_fail (error, TL_ERROR_ARGUMENT, "the metadata \"%s\" is not UTF-8",
              tl_show_text (m->key, strlen (m->key)).text);
  }
  if (status == TL_OK)
    status = tl_tensor_set_check_names (&seen, error);
  tl_tensor_set_clear (&seen);
  /* To the caller the defect is in the arguments, not in a file. */
  return status == TL_ERROR_FORMAT ? TL_ERROR_ARGUMENT : status;
}

static uint64_t
put_header (Text *t, const TlTensor *tensors, size_t n_tensors,
    const TlMetadata *metadata, size_t n_metadata)
{
  uint64_t offset = 0;

  put_bytes (t, "\0\0\0\0\0\0\0\0{", 9);
  if (n_metadata > 0)
    put_metadata (t, metadata, n_metadata);
  for (size_t i = 0; i < n_tensors; i++) {
    if (i > 0 || n_metadata > 0)
      put_bytes (t, ",", 1);
    put_tensor (t, &tensors[i], &offset);
  }
  put_bytes (t, "}", 1);
  while (!t->failed && t->n % 8 != 0)
    put_bytes (t, " ", 1);
  return offset;
}

TlStatus
tl_safetensors_build_header (const TlTensor *tensors, size_t n_tensors,
    const TlMetadata *metadata, size_t n_metadata, void **ret,
    size_t *header_size, uint64_t *file_size, TlError *error)
{
  Text t = {NULL, 0, 0, 0};
  uint64_t data_size;
  TlStatus status =
      check_content (tensors, n_tensors, metadata, n_metadata, error);

  if (status != TL_OK)
    return status;
  data_size = put_header (&t, tensors, n_tensors, metadata, n_metadata);
  if (!t.failed && t.n - 8 <= TL_SAFETENSORS_MAX_HEADER) {
    tl_put_u64 ((uint8_t *) t.bytes, t.n - 8);
    *ret = t.bytes;
    *header_size = t.n;
    if (file_size)
      *file_size = t.n + data_size;
    return TL_OK;
  }
  free (t.bytes);
  if (t.failed)
    return tl_fail (error, TL_ERROR_MEMORY, "out of memory");
  return tl_fail (error, TL_ERROR_LIMIT,
      "the header would be larger than %s bytes",
      tl_show_number (TL_SAFETENSORS_MAX_HEADER).text);
}

TlStatus
tl_safetensors_write (const char *path, const TlTensor *tensors,
    size_t n_tensors, const TlMetadata *metadata, size_t n_metadata,
    TlError *error)
{
  TlChunk *chunks = calloc (n_tensors + 1, sizeof *chunks);
  void *header = NULL;
  TlStatus status;

  if (!chunks)
    return tl_fail (error, TL_ERROR_MEMORY, "out of memory");
  status = tl_safetensors_build_header (tensors, n_tensors, metadata,
      n_metadata, &header, &chunks[0].size, NULL, error);
  if (status == TL_OK) {
    chunks[0].bytes = header;
    for (size_t i = 0; i < n_tensors; i++) {
      chunks[i + 1].bytes = tensors[i].data;
      chunks[i + 1].size = (size_t) tl_safetensors_data_size (&tensors[i]);
    }
    status = tl_file_replace (path, chunks, n_tensors + 1, error);
  }
  free (header);
  free (chunks);
  return status;
}
