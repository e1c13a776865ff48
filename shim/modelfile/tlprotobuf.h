/* SPDX-License-Identifier: BSD-3-Clause */

/* Writes Protocol Buffers: fields one after the other into a buffer.
 * https://protobuf.dev/programming-guides/encoding/ */

#ifndef TL_PROTOBUF_H
#define TL_PROTOBUF_H

#include "tlbuffer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* int32, int64, uint64, bool and enums that are not negative. */
void tl_proto_put_int (TlBuffer *b, unsigned field, uint64_t value);

/* float. */
void tl_proto_put_float (TlBuffer *b, unsigned field, float value);

/* string, bytes. */
void tl_proto_put_text (TlBuffer *b, unsigned field, const char *text);

/* A message that is done, which is cleared. */
void tl_proto_take_message (TlBuffer *b, unsigned field, TlBuffer *message);

/* What comes before @size bytes that are put, or follow in a file. */
void tl_proto_put_size (TlBuffer *b, unsigned field, uint64_t size);

#ifdef __cplusplus
}
#endif

#endif
