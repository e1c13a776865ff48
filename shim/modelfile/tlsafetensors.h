/* SPDX-License-Identifier: BSD-3-Clause */

/* safetensors: the length of a JSON header (8 bytes, little endian), the
 * header, and the tensors' bytes without gaps.
 * https://huggingface.co/docs/safetensors */

#ifndef TL_SAFETENSORS_H
#define TL_SAFETENSORS_H

#include "tltensorset.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_SAFETENSORS_MAX_HEADER 100000000u /* bytes, as the reference has */

/* Reads a whole file in memory (borrowed for the set's life, aligned to 8)
 * into an empty set. Tensors come in the header's order. Tensors that are not
 * aligned to their element size are copied into the set. Any defect is
 * TL_ERROR_FORMAT and a sentence; a dtype that TlDtype lacks is
 * TL_ERROR_UNSUPPORTED. The set must be cleared in every case. */
TlStatus tl_safetensors_read (const void *bytes, size_t size, TlTensorSet *set,
    TlError *error);

/* The same, but tensors that are not aligned are not copied: all are then moved
 * together towards the beginning of @bytes, over the header. */
TlStatus tl_safetensors_read_in_place (void *bytes, size_t size,
    TlTensorSet *set, TlError *error);

/* As tl_safetensors_read(), but of the first @size bytes of a file of
 * @file_size >= @size, which must have its whole header: the tensors have no
 * data. */
TlStatus tl_safetensors_read_header (const void *bytes, size_t size,
    uint64_t file_size, TlTensorSet *set, TlError *error);

/* The first bytes of a file: the length and the header, padded with blanks to
 * a multiple of 8. The file goes on with the data of @tensors in the order
 * given, dense and without gaps, so that it can be written in pieces. The same
 * arguments give the same bytes.
 *
 * @ret is transferred, to be freed with free(); @file_size counts it and the
 * data, and may be NULL. TL_ERROR_ARGUMENT: a tensor that is not contiguous, a
 * name that occurs twice or is not one, text that is not UTF-8. */
TlStatus tl_safetensors_build_header (const TlTensor *tensors, size_t n_tensors,
    const TlMetadata *metadata, size_t n_metadata, void **ret,
    size_t *header_size, uint64_t *file_size, TlError *error);

/* Bytes of a tensor's data in the file. */
uint64_t tl_safetensors_data_size (const TlTensor *tensor);

/* Writes a whole file as tl_file_replace() does. */
TlStatus tl_safetensors_write (const char *path, const TlTensor *tensors,
    size_t n_tensors, const TlMetadata *metadata, size_t n_metadata,
    TlError *error);

#ifdef __cplusplus
}
#endif

#endif
