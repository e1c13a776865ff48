/* SPDX-License-Identifier: BSD-3-Clause */

/* What a fuzzer has to know of a picture format: how a file begins, so that an
 * input stays of its format, and its check sums, so that a change inside gets
 * past them. */

#ifndef TL_FUZZ_FORMAT_H
#define TL_FUZZ_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct TlFuzzFormat TlFuzzFormat;

/* "jpeg", "png", "webp", "bmp", "tiff", "pnm"; NULL for a name that is not known. */
const TlFuzzFormat *tl_fuzz_format_find (const char *name);

/* The format whose file begins like @data, or NULL. */
const TlFuzzFormat *tl_fuzz_format_of (const uint8_t *data, size_t size);

const char *tl_fuzz_format_name (const TlFuzzFormat *format);

/* Makes @data begin as a file of the format does. Of several beginnings the
 * one that @choice names, unless @data already has one of them. */
void tl_fuzz_format_stamp (const TlFuzzFormat *format, uint8_t *data,
    size_t size, unsigned choice);

/* Puts right the check sums of a format that has some (PNG). */
void tl_fuzz_format_repair (const TlFuzzFormat *format, uint8_t *data,
    size_t size);

#endif
