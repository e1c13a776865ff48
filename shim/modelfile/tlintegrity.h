/* SPDX-License-Identifier: BSD-3-Clause */

/* The checksum that a checkpoint carries in its metadata, so that a changed
 * byte anywhere in it is noticed: XXH64 of the data, which is all that follows
 * the header, and then of the header with zeros for the checksum's digits. In
 * this order, because the data are known piece by piece, and the header is
 * built last. Two keys, so that neither can be lost by a changed byte in its
 * own name. */

#ifndef TL_INTEGRITY_H
#define TL_INTEGRITY_H

#include "tltensorset.h"
#include "tlxxh64.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_KEY_CHECKSUM "tlpipe.checksum" /* 16 lower-case digits */
#define TL_KEY_CHECKSUM_KIND "tlpipe.checksum.kind"
#define TL_CHECKSUM_KIND "xxh64"
#define TL_CHECKSUM_BLANK "0000000000000000" /* until it is sealed */

/* Puts the checksum into a header of tl_safetensors_build_header() that has
 * TL_CHECKSUM_BLANK. @data has taken all that will follow, and is used up. */
void tl_integrity_seal (void *header, size_t header_size, TlXxh64 *data);

/* Holds a file in memory against its checksum. @set is what was read from it.
 * TL_OK too for a file with neither key; TL_ERROR_FORMAT for a damaged one;
 * TL_ERROR_UNSUPPORTED for a kind of checksum that is not known here. */
TlStatus tl_integrity_check (const void *bytes, size_t size,
    const TlTensorSet *set, TlError *error);

/* The same for a file on the disk that begins with these @header_size bytes;
 * it is read in pieces. */
TlStatus tl_integrity_check_file (const char *path, const void *header,
    size_t header_size, const TlTensorSet *set, TlError *error);

#ifdef __cplusplus
}
#endif

#endif
