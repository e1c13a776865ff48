/* SPDX-License-Identifier: BSD-3-Clause */

/* Bytes that grow while a file is built in memory. */

#ifndef TL_BUFFER_H
#define TL_BUFFER_H

#include "tlstatus.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Begins as zeros. After a failed allocation it takes nothing more and says so
 * in failed, so that only the end of a construction needs a check. */
typedef struct
{
  uint8_t *bytes;
  size_t n;
  size_t capacity;
  int failed;
} TlBuffer;

void tl_buffer_put (TlBuffer *self, const void *bytes, size_t n);

/* Without the NUL. */
void tl_buffer_put_text (TlBuffer *self, const char *text);

/* The lowest @n bytes of @value, 1 to 8, the lowest first. */
void tl_buffer_put_int (TlBuffer *self, uint64_t value, size_t n);

/* @n times @byte. */
void tl_buffer_put_fill (TlBuffer *self, uint8_t byte, size_t n);

/* TL_ERROR_MEMORY if something did not fit. */
TlStatus tl_buffer_check (const TlBuffer *self, TlError *error);

void tl_buffer_clear (TlBuffer *self);

#ifdef __cplusplus
}
#endif

#endif
