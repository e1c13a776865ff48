/* SPDX-License-Identifier: BSD-3-Clause */

/* Small valid pictures of every kind that a format has, made by its library or
 * byte by byte, and inputs that once broke something: what a fuzzer starts
 * from, and what the tests replay. */

#ifndef TL_SEEDS_H
#define TL_SEEDS_H

#include <stddef.h>
#include <stdint.h>

/* Takes one file. @name is a file name without ending, once per format;
 * @data is borrowed. */
typedef void (*TlSeedFunc) (void *user, const char *name, const uint8_t *data,
    size_t size);

/* Calls @func for every picture of the format named; for a name that is not
 * known, never. */
void tl_seeds_each (const char *format, TlSeedFunc func, void *user);

/* The formats, NULL at the end. */
extern const char *const tl_seed_formats[];

#endif
