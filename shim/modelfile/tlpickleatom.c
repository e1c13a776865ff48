/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlbytes.h"
#include "tlpicklemachine.h"

#include <string.h>

void
tl_pickle_run_none (TlPickleMachine *m)
{
  tl_pickle_push_new (m, TL_PICKLE_NONE);
}

static void
push_integer (TlPickleMachine *m, TlPickleType type, int64_t integer)
{
  TlPickleValue *value = tl_pickle_push_new (m, type);

  if (value)
    value->integer = integer;
}

void
tl_pickle_run_true (TlPickleMachine *m)
{
  push_integer (m, TL_PICKLE_BOOL, 1);
}

void
tl_pickle_run_false (TlPickleMachine *m)
{
  push_integer (m, TL_PICKLE_BOOL, 0);
}

void
tl_pickle_run_binint (TlPickleMachine *m)
{
  const uint8_t *p = tl_pickle_take (m, 4);

  if (p)
    push_integer (m, TL_PICKLE_INTEGER, (int32_t) tl_get_u32 (p));
}

void
tl_pickle_run_binint1 (TlPickleMachine *m)
{
  const uint8_t *p = tl_pickle_take (m, 1);

  if (p)
    push_integer (m, TL_PICKLE_INTEGER, *p);
}

void
tl_pickle_run_binint2 (TlPickleMachine *m)
{
  const uint8_t *p = tl_pickle_take (m, 2);

  if (p)
    push_integer (m, TL_PICKLE_INTEGER, tl_get_u16 (p));
}

/* Two's complement, little endian. One of more than 64 bits, such as the state
 * of a generator of random numbers, is of no use to a tensor. */
static void
push_long (TlPickleMachine *m, uint32_t n)
{
  const uint8_t *p = tl_pickle_take (m, n);
  uint64_t bits;

  if (!p)
    return;
  if (n > 8) {
    TlPickleValue *value = tl_pickle_push_new (m, TL_PICKLE_OPAQUE);

    if (value)
      value->global = &tl_pickle_integer_type;
    return;
  }
  bits = n > 0 && p[n - 1] & 0x80 ? UINT64_MAX : 0;
  for (uint32_t i = n; i-- > 0;)
    bits = bits << 8 | p[i];
  push_integer (m, TL_PICKLE_INTEGER, (int64_t) bits);
}

void
tl_pickle_run_long1 (TlPickleMachine *m)
{
  const uint8_t *n = tl_pickle_take (m, 1);

  if (n)
    push_long (m, *n);
}

void
tl_pickle_run_long4 (TlPickleMachine *m)
{
  const uint8_t *n = tl_pickle_take (m, 4);

  if (n)
    push_long (m, tl_get_u32 (n));
}

/* Big endian, the only opcode that is. */
void
tl_pickle_run_binfloat (TlPickleMachine *m)
{
  const uint8_t *p = tl_pickle_take (m, 8);
  TlPickleValue *value = p ? tl_pickle_push_new (m, TL_PICKLE_REAL) : NULL;
  uint64_t bits = 0;

  if (!value)
    return;
  for (int i = 0; i < 8; i++)
    bits = bits << 8 | p[i];
  memcpy (&value->real, &bits, sizeof bits);
}

static void
push_string (TlPickleMachine *m, uint64_t length)
{
  const uint8_t *bytes = tl_pickle_take (m, length);
  TlPickleValue *value =
      bytes ? tl_pickle_push_new (m, TL_PICKLE_STRING) : NULL;

  if (!value)
    return;
  value->string.bytes = (const char *) bytes;
  value->string.length = (size_t) length;
}

void
tl_pickle_run_binunicode (TlPickleMachine *m)
{
  const uint8_t *length = tl_pickle_take (m, 4);

  if (length)
    push_string (m, tl_get_u32 (length));
}

void
tl_pickle_run_binunicode8 (TlPickleMachine *m)
{
  const uint8_t *length = tl_pickle_take (m, 8);

  if (length)
    push_string (m, tl_get_u64 (length));
}

void
tl_pickle_run_short_string (TlPickleMachine *m)
{
  const uint8_t *length = tl_pickle_take (m, 1);

  if (length)
    push_string (m, *length);
}

/* Bytes are no text, and nothing else here. */
static void
push_bytes (TlPickleMachine *m, uint64_t length)
{
  TlPickleValue *value = tl_pickle_take (m, length)
      ? tl_pickle_push_new (m, TL_PICKLE_OPAQUE)
      : NULL;

  if (value)
    value->global = &tl_pickle_bytes_type;
}

void
tl_pickle_run_short_bytes (TlPickleMachine *m)
{
  const uint8_t *length = tl_pickle_take (m, 1);

  if (length)
    push_bytes (m, *length);
}

void
tl_pickle_run_bytes (TlPickleMachine *m)
{
  const uint8_t *length = tl_pickle_take (m, 4);

  if (length)
    push_bytes (m, tl_get_u32 (length));
}

void
tl_pickle_run_bytes8 (TlPickleMachine *m)
{
  const uint8_t *length = tl_pickle_take (m, 8);

  if (length)
    push_bytes (m, tl_get_u64 (length));
}

void
tl_pickle_run_empty_tuple (TlPickleMachine *m)
{
  tl_pickle_push_new (m, TL_PICKLE_TUPLE);
}

void
tl_pickle_run_empty_list (TlPickleMachine *m)
{
  tl_pickle_push_new (m, TL_PICKLE_LIST);
}

void
tl_pickle_run_empty_dict (TlPickleMachine *m)
{
  tl_pickle_push_new (m, TL_PICKLE_DICT);
}

void
tl_pickle_run_empty_set (TlPickleMachine *m)
{
  TlPickleValue *value = tl_pickle_push_new (m, TL_PICKLE_OPAQUE);

  if (value)
    value->global = &tl_pickle_set_type;
}
