/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlpthbuild.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY_SIZE 46
#define IN_ZIP64 0xffffffffu

void
bytes_clear (Bytes *b)
{
  free (b->data);
  b->data = NULL;
  b->n = 0;
}

void
bytes_put (Bytes *b, const void *data, size_t n)
{
  b->data = realloc (b->data, b->n + n + 1);
  if (!b->data)
    abort ();
  if (n > 0)
    memcpy (b->data + b->n, data, n);
  b->n += n;
}

void
bytes_puts (Bytes *b, const char *text)
{
  bytes_put (b, text, strlen (text));
}

void
bytes_put_int (Bytes *b, uint64_t value, int n)
{
  for (int i = 0; i < n; i++) {
    uint8_t byte = i < 8 ? (uint8_t) (value >> (8 * i)) : 0;

    bytes_put (b, &byte, 1);
  }
}

void
pickle_string (Bytes *b, const char *text)
{
  bytes_puts (b, "X");
  bytes_put_int (b, strlen (text), 4);
  bytes_puts (b, text);
}

void
pickle_int (Bytes *b, int64_t value)
{
  if (value >= INT32_MIN && value <= INT32_MAX) {
    bytes_puts (b, "J");
    bytes_put_int (b, (uint64_t) value, 4);
  } else {
    bytes_puts (b, "\x8a\x08");
    bytes_put_int (b, (uint64_t) value, 8);
  }
}

void
pickle_ints (Bytes *b, const int64_t *values, size_t n)
{
  bytes_puts (b, "(");
  for (size_t i = 0; i < n; i++)
    pickle_int (b, values[i]);
  bytes_puts (b, "t");
}

void
pickle_dict_begin (Bytes *b)
{
  bytes_puts (b, "ccollections\nOrderedDict\n)R(");
}

void
pickle_dict_end (Bytes *b)
{
  bytes_puts (b, "u");
}

void
pickle_tensor (Bytes *b, const PickledTensor *t)
{
  bytes_puts (b, "ctorch._utils\n_rebuild_tensor_v2\n((");
  pickle_string (b, "storage");
  bytes_puts (b, "ctorch\n");
  bytes_puts (b, t->storage_type);
  bytes_puts (b, "\n");
  pickle_string (b, t->key);
  pickle_string (b, "cpu");
  pickle_int (b, t->storage_n);
  bytes_puts (b, "tQ");
  pickle_int (b, t->offset);
  pickle_ints (b, t->shape, t->n_dims);
  pickle_ints (b, t->stride, t->n_dims);
  bytes_puts (b, "\x89");
  pickle_dict_begin (b);
  pickle_dict_end (b);
  bytes_puts (b, "tR");
}

static void
put_local_header (Bytes *b, const Record *r)
{
  bytes_puts (b, "PK\3\4");
  bytes_put_int (b, 0, 2);
  bytes_put_int (b, (uint64_t) r->flags, 2);
  bytes_put_int (b, (uint64_t) r->method, 2);
  bytes_put_int (b, 0, 8 + 8);
  bytes_put_int (b, strlen (r->name), 2);
  bytes_put_int (b, (uint64_t) r->padding, 2);
  bytes_puts (b, r->name);
  for (int i = 0; i < r->padding; i++)
    bytes_put (b, "Z", 1);
}

static void
put_entry (Bytes *b, const Record *r, uint64_t offset, int zip64)
{
  uint64_t size = r->said < 0 ? r->size : (uint64_t) r->said;

  bytes_puts (b, "PK\1\2");
  bytes_put_int (b, 0, 4);
  bytes_put_int (b, (uint64_t) r->flags, 2);
  bytes_put_int (b, (uint64_t) r->method, 2);
  bytes_put_int (b, 0, 4);
  bytes_put_int (b, r->crc, 4);
  bytes_put_int (b, zip64 ? IN_ZIP64 : size, 4);
  bytes_put_int (b, zip64 ? IN_ZIP64 : size, 4);
  bytes_put_int (b, strlen (r->name), 2);
  bytes_put_int (b, zip64 ? 4 + 24 : 0, 2);
  bytes_put_int (b, 0, 10);
  bytes_put_int (b, zip64 ? IN_ZIP64 : offset, 4);
  bytes_puts (b, r->name);
  if (zip64) {
    bytes_put_int (b, 1, 2);
    bytes_put_int (b, 24, 2);
    bytes_put_int (b, size, 8);
    bytes_put_int (b, size, 8);
    bytes_put_int (b, offset, 8);
  }
}

static void
put_end64 (Bytes *b, size_t n, uint64_t begin, uint64_t length)
{
  uint64_t position = b->n;

  bytes_puts (b, "PK\6\6");
  bytes_put_int (b, 44, 8);
  bytes_put_int (b, 0, 12);
  bytes_put_int (b, n, 8);
  bytes_put_int (b, n, 8);
  bytes_put_int (b, length, 8);
  bytes_put_int (b, begin, 8);
  bytes_puts (b, "PK\6\7");
  bytes_put_int (b, 0, 4);
  bytes_put_int (b, position, 8);
  bytes_put_int (b, 1, 4);
}

void
build_zip (Bytes *b, const Record *records, size_t n, int zip64)
{
  uint64_t offsets[16], begin, length;

  if (n > 16)
    abort ();
  for (size_t i = 0; i < n; i++) {
    offsets[i] = b->n;
    put_local_header (b, &records[i]);
    bytes_put (b, records[i].data, records[i].size);
  }
  begin = b->n;
  for (size_t i = 0; i < n; i++)
    put_entry (b, &records[i], offsets[i], zip64);
  length = b->n - begin;
  if (zip64)
    put_end64 (b, n, begin, length);
  bytes_puts (b, "PK\5\6");
  bytes_put_int (b, 0, 4);
  bytes_put_int (b, zip64 ? 0xffff : n, 2);
  bytes_put_int (b, zip64 ? 0xffff : n, 2);
  bytes_put_int (b, zip64 ? IN_ZIP64 : length, 4);
  bytes_put_int (b, zip64 ? IN_ZIP64 : begin, 4);
  bytes_put_int (b, 0, 2);
}

static const float weights[6] = {1, 2, 3, 4, 5, 6};
static const int64_t count = 7;

/* The object of the zip and of the legacy container. */
static void
pickle_small (Bytes *pickle)
{
  const PickledTensor conv = {.storage_type = "FloatStorage",
      .key = "0",
      .storage_n = 6,
      .n_dims = 2,
      .shape = {2, 3},
      .stride = {3, 1}};
  const PickledTensor tracked = {.storage_type = "LongStorage",
      .key = "1",
      .storage_n = 1};

  bytes_puts (pickle, "\x80\x02");
  pickle_dict_begin (pickle);
  pickle_string (pickle, "conv1.weight");
  pickle_tensor (pickle, &conv);
  pickle_string (pickle, "bn1.num_batches_tracked");
  pickle_tensor (pickle, &tracked);
  pickle_dict_end (pickle);
  bytes_puts (pickle, ".");
}

void
build_small_pth (Bytes *b)
{
  Bytes pickle = {NULL, 0};

  pickle_small (&pickle);
  {
    Record records[] = {RECORD ("archive/data.pkl", pickle.data, pickle.n),
        RECORD ("archive/byteorder", "little", 6),
        RECORD ("archive/data/0", weights, sizeof weights),
        RECORD ("archive/data/1", &count, sizeof count)};

    build_zip (b, records, 4, 1);
  }
  bytes_clear (&pickle);
}

void
pickle_sys_info (Bytes *b, int little_endian)
{
  bytes_puts (b, "\x80\x02}(");
  pickle_string (b, "protocol_version");
  pickle_int (b, 1001);
  pickle_string (b, "little_endian");
  bytes_puts (b, little_endian ? "\x88u." : "\x89u.");
}

void
build_legacy_head (Bytes *b, int little_endian)
{
  bytes_puts (b, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.");
  bytes_puts (b, "\x80\x02M\xe9\x03.");
  pickle_sys_info (b, little_endian);
}

void
bytes_put_storage (Bytes *b, const void *data, int64_t n, size_t item)
{
  bytes_put_int (b, (uint64_t) n, 8);
  bytes_put (b, data, (size_t) n * item);
}

void
build_small_legacy (Bytes *b)
{
  build_legacy_head (b, 1);
  pickle_small (b);
  bytes_puts (b, "\x80\x02](");
  pickle_string (b, "0");
  pickle_string (b, "1");
  bytes_puts (b, "e.");
  bytes_put_storage (b, weights, 6, sizeof *weights);
  bytes_put_storage (b, &count, 1, sizeof count);
}

#define TAR_BLOCK 512
#define TAR_SIZE 124
#define TAR_SUM 148

static void
set_tar_sum (uint8_t *header)
{
  char text[8];
  unsigned sum = 0;

  memset (header + TAR_SUM, ' ', sizeof text);
  for (int i = 0; i < TAR_BLOCK; i++)
    sum += header[i];
  snprintf (text, sizeof text, "%06o", sum);
  memcpy (header + TAR_SUM, text, sizeof text - 1);
}

void
tar_put_member (Bytes *b, const char *name, const void *data, size_t n)
{
  uint8_t header[TAR_BLOCK] = {0};

  memcpy (header, name, strlen (name));
  snprintf ((char *) header + 100, 8, "%07o", 0644);
  snprintf ((char *) header + TAR_SIZE, 12, "%011zo", n);
  header[156] = '0';
  memcpy (header + 257, "ustar\00000", 8);
  set_tar_sum (header);
  bytes_put (b, header, sizeof header);
  bytes_put (b, data, n);
  bytes_put_int (b, 0, (int) (-n % TAR_BLOCK));
}

void
tar_put_end (Bytes *b)
{
  bytes_put_int (b, 0, 2 * TAR_BLOCK);
}

void
tar_repair (uint8_t *data, size_t n)
{
  size_t at = 0;

  while (at + TAR_BLOCK <= n && data[at] != '\0') {
    char text[13] = "";
    unsigned long long size;

    memcpy (text, data + at + TAR_SIZE, 12);
    size = strtoull (text, NULL, 8);
    set_tar_sum (data + at);
    if (size > n)
      return;
    at += TAR_BLOCK + (size_t) (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
  }
}

/* A pickle of (key, @second, class of torch). */
static void
pickle_key (Bytes *b, int64_t key, int64_t storage, const char *type)
{
  bytes_puts (b, "\x80\x02");
  pickle_int (b, key);
  if (storage)
    pickle_int (b, storage);
  else
    pickle_string (b, "cpu");
  bytes_puts (b, "ctorch\n");
  bytes_puts (b, type);
  bytes_puts (b, "\n\x87.");
}

void
tar_put_tensors (Bytes *b)
{
  static const int64_t geometry[] = {2, 3, 3, 1, 0};
  Bytes tensors = {NULL, 0};

  bytes_puts (&tensors, "\x80\x02K\x02.");
  pickle_key (&tensors, 1001, 2001, "FloatTensor");
  bytes_put_int (&tensors, 2, 8);
  bytes_put (&tensors, geometry, sizeof geometry);
  pickle_key (&tensors, 1002, 2003, "LongTensor");
  bytes_put_int (&tensors, 0, 8);
  bytes_put_int (&tensors, 0, 8);
  tar_put_member (b, "tensors", tensors.data, tensors.n);
  bytes_clear (&tensors);
}

void
tar_put_storages (Bytes *b, int64_t n)
{
  const int64_t counts[2] = {0, count};
  Bytes storages = {NULL, 0};

  bytes_puts (&storages, "\x80\x02");
  pickle_int (&storages, n);
  bytes_puts (&storages, ".");
  pickle_key (&storages, 2001, 0, "FloatStorage");
  bytes_put_storage (&storages, weights, 6, sizeof *weights);
  pickle_key (&storages, 2002, 0, "LongStorage");
  bytes_put_storage (&storages, counts, 2, sizeof *counts);
  /* Storage 2003 is the second element of 2002. */
  bytes_puts (&storages, "\x80\x02]((");
  pickle_int (&storages, 2003);
  pickle_int (&storages, 2002);
  bytes_puts (&storages, "K\x01K\x01te.");
  tar_put_member (b, "storages", storages.data, storages.n);
  bytes_clear (&storages);
}

/* conv1.weight is a Parameter as PyTorch 0.1 pickled it. */
void
build_small_tar (Bytes *b)
{
  Bytes pickle = {NULL, 0};

  pickle_sys_info (&pickle, 1);
  tar_put_member (b, "sys_info", pickle.data, pickle.n);
  bytes_clear (&pickle);
  bytes_puts (&pickle, "\x80\x02");
  pickle_dict_begin (&pickle);
  pickle_string (&pickle, "conv1.weight");
  bytes_puts (&pickle, "ctorch.nn.parameter\nParameter\n)\x81(");
  pickle_string (&pickle, "1001");
  bytes_puts (&pickle, "QNN\x88\x89tb");
  pickle_string (&pickle, "bn1.num_batches_tracked");
  pickle_string (&pickle, "1002");
  bytes_puts (&pickle, "Q");
  pickle_dict_end (&pickle);
  bytes_puts (&pickle, ".");
  tar_put_member (b, "pickle", pickle.data, pickle.n);
  tar_put_tensors (b);
  tar_put_storages (b, 2);
  tar_put_end (b);
  bytes_clear (&pickle);
}

const PickledTensor pth_tensor = {.storage_type = "FloatStorage",
    .key = "0",
    .storage_n = PTH_N_ELEMENTS,
    .n_dims = 2,
    .shape = {4, 6},
    .stride = {6, 1}};

void
build_pth (Bytes *file, const Bytes *pickle, int padding)
{
  float elements[PTH_N_ELEMENTS];
  Record records[] = {RECORD ("model/data.pkl", pickle->data, pickle->n),
      RECORD ("model/data/0", elements, sizeof elements)};

  for (int i = 0; i < PTH_N_ELEMENTS; i++)
    elements[i] = (float) i;
  records[1].padding = padding;
  build_zip (file, records, 2, 0);
}

void
build_state_dict (Bytes *pickle, const char *before, const char *name,
    const PickledTensor *t, const char *after)
{
  bytes_puts (pickle, "\x80\x02");
  bytes_puts (pickle, before);
  pickle_dict_begin (pickle);
  pickle_string (pickle, name);
  pickle_tensor (pickle, t);
  pickle_dict_end (pickle);
  bytes_puts (pickle, after);
  bytes_puts (pickle, ".");
}

TlStatus
read_pth (Bytes *pickle, Bytes *file, TlTensorSet *set, TlError *error)
{
  TlStatus status;

  build_pth (file, pickle, 0);
  status = tl_pth_read_zip (file->data, file->n, set, error);
  bytes_clear (pickle);
  return status;
}
