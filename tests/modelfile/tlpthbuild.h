/* SPDX-License-Identifier: BSD-3-Clause */

/* Builds files like those of torch.save, and broken ones, byte by byte. */

#ifndef TL_PTH_BUILD_H
#define TL_PTH_BUILD_H

#include "tlpth.h"

#include <stddef.h>
#include <stdint.h>

/* Bytes that grow; aborts when memory is out. */
typedef struct
{
  uint8_t *data;
  size_t n;
} Bytes;

void bytes_clear (Bytes *b);
void bytes_put (Bytes *b, const void *data, size_t n);

/* A string without its NUL, which may not hold one. */
void bytes_puts (Bytes *b, const char *text);

/* @n bytes, little endian. */
void bytes_put_int (Bytes *b, uint64_t value, int n);

/* Pickle opcodes (protocol 2). */
void pickle_string (Bytes *b, const char *text);
void pickle_int (Bytes *b, int64_t value);
void pickle_ints (Bytes *b, const int64_t *values, size_t n);

/* A tensor on storage @key, as torch.save writes it. */
typedef struct
{
  const char *storage_type; /* "FloatStorage" */
  const char *key;
  int64_t storage_n;
  int64_t offset;
  size_t n_dims;
  int64_t shape[9];
  int64_t stride[9];
} PickledTensor;

void pickle_tensor (Bytes *b, const PickledTensor *t);

/* An OrderedDict: items come between the two. */
void pickle_dict_begin (Bytes *b);
void pickle_dict_end (Bytes *b);

/* One record of an archive; a negative field means the honest value. */
typedef struct
{
  const char *name;
  const void *data;
  size_t size;
  int method;   /* 0 if it is stored */
  int flags;    /* 0x0808 as torch.save sets them */
  int padding;  /* bytes before the data, in the local extra field */
  int64_t said; /* the size that the directory claims, or -1 */
  uint32_t crc; /* that the directory claims; 0: none, as torch.save may */
} Record;

#define RECORD(name_, data_, size_)                                            \
  {                                                                            \
    .name = (name_), .data = (data_), .size = (size_), .flags = 0x0808,        \
    .said = -1                                                                 \
  }

/* The archive; with zip64 as torch.save does, all three ways of it. */
void build_zip (Bytes *b, const Record *records, size_t n, int zip64);

/* A state dict of conv1.weight [2, 3] F32 (1 to 6) and, on storage "1",
 * bn1.num_batches_tracked, a scalar I64 (7). The same in each container. */
void build_small_pth (Bytes *b);
void build_small_legacy (Bytes *b);
void build_small_tar (Bytes *b);

/* The parts of the older ones. A dict that says how the machine was. */
void pickle_sys_info (Bytes *b, int little_endian);

/* The magic number, the version and sys_info of a legacy file. */
void build_legacy_head (Bytes *b, int little_endian);

/* A storage of @n elements, each of @item bytes. */
void bytes_put_storage (Bytes *b, const void *data, int64_t n, size_t item);

/* A member with its header, filled up to 512 bytes; two empty blocks end the
 * archive. */
void tar_put_member (Bytes *b, const char *name, const void *data, size_t n);
void tar_put_end (Bytes *b);

/* Puts the checksums of a tar archive's headers right, as far as it goes. */
void tar_repair (uint8_t *data, size_t n);

/* The members of build_small_tar() behind pickle; @count is the storages'. */
void tar_put_tensors (Bytes *b);
void tar_put_storages (Bytes *b, int64_t count);

#define PTH_N_ELEMENTS 24

/* All elements of storage "0": 4 x 6. */
extern const PickledTensor pth_tensor;

/* A pickle of {@name: @t} between @before and @after. */
void build_state_dict (Bytes *pickle, const char *before, const char *name,
    const PickledTensor *t, const char *after);

/* An archive with that pickle and one storage of floats, 0 to 23, behind
 * @padding bytes. */
void build_pth (Bytes *file, const Bytes *pickle, int padding);

/* Reads an archive of that pickle; frees the pickle. */
TlStatus read_pth (Bytes *pickle, Bytes *file, TlTensorSet *set,
    TlError *error);

#endif
