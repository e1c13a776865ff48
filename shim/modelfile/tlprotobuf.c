/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlprotobuf.h"

#include <string.h>

enum
{
  WIRE_VARINT = 0,
  WIRE_LENGTH = 2,
  WIRE_FIXED32 = 5,
};

/* Seven bits in a byte, the lowest first; the eighth says that more follow. */
static void
put_varint (TlBuffer *b, uint64_t value)
{
  for (; value >= 0x80; value >>= 7)
    tl_buffer_put_int (b, (value & 0x7f) | 0x80, 1);
  tl_buffer_put_int (b, value, 1);
}

static void
put_key (TlBuffer *b, unsigned field, unsigned wire)
{
  put_varint (b, field << 3 | wire);
}

void
tl_proto_put_int (TlBuffer *b, unsigned field, uint64_t value)
{
  put_key (b, field, WIRE_VARINT);
  put_varint (b, value);
}

void
tl_proto_put_float (TlBuffer *b, unsigned field, float value)
{
  uint32_t bits;

  memcpy (&bits, &value, sizeof bits);
  put_key (b, field, WIRE_FIXED32);
  tl_buffer_put_int (b, bits, 4);
}

void
tl_proto_put_size (TlBuffer *b, unsigned field, uint64_t size)
{
  put_key (b, field, WIRE_LENGTH);
  put_varint (b, size);
}

void
tl_proto_put_text (TlBuffer *b, unsigned field, const char *text)
{
  tl_proto_put_size (b, field, strlen (text));
  tl_buffer_put_text (b, text);
}

void
tl_proto_take_message (TlBuffer *b, unsigned field, TlBuffer *message)
{
  tl_proto_put_size (b, field, message->n);
  tl_buffer_put (b, message->bytes, message->n);
  b->failed |= message->failed;
  tl_buffer_clear (message);
}
