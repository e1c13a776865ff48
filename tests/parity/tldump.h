/* SPDX-License-Identifier: BSD-3-Clause */

/* Named tensors in a file, between the Python and the C half of a parity test:
 * per tensor u32 name length, name, u32 TlDtype, u32 n_dims, i64 shape[], dense
 * data; little endian, up to the end of the file. Test data only: the reader
 * trusts its file. */

#ifndef TL_DUMP_H
#define TL_DUMP_H

#include <tltensor.h>

typedef struct
{
  TlTensor *tensors; /* names and data belong to the dump */
  size_t n_tensors;
} TlDump;

/* Both exit with a message if the file cannot be read or written. */
void tl_dump_read (const char *path, TlDump *ret);
void tl_dump_write (const TlDump *dump, const char *path);

/* Copies @tensor (dense) into the dump under @prefix and its name. */
void tl_dump_add (TlDump *dump, const char *prefix, const TlTensor *tensor);

/* The tensor called @name; exits if there is none. */
const TlTensor *tl_dump_get (const TlDump *dump, const char *name);

/* Views of the tensors whose names begin with @prefix, without it; borrowed
 * from @dump, the array to be freed with free(). */
TlTensor *tl_dump_select (const TlDump *dump, const char *prefix,
    size_t *ret_n);

void tl_dump_clear (TlDump *dump);

#endif
