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

/* Two's complement, little endian, of the length that is given first. */
void
tl_pickle_run_long1 (TlPickleMachine *m)
{
  const uint8_t *n = tl_pickle_take (m, 1);
  const uint8_t *p = n ? tl_pickle_take (m, *n) : NULL;
  uint64_t bits;

  if (!p)
    return;
  if (*n > 8) {
    tl_pickle_fail (m, TL_ERROR_LIMIT, "an integer of more than 64 bits");
    return;
  }
  bits = *n > 0 && p[*n - 1] & 0x80 ? UINT64_MAX : 0;
  for (uint8_t i = *n; i-- > 0;)
    bits = bits << 8 | p[i];
  push_integer (m, TL_PICKLE_INTEGER, (int64_t) bits);
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
push_string (TlPickleMachine *m, uint32_t length)
{
  const uint8_t *bytes;
  TlPickleValue *value;

  if (length > TL_PICKLE_MAX_STRING) {
    tl_pickle_fail (m, TL_ERROR_LIMIT, "a string of %s bytes, over %u",
        tl_show_number (length).text, TL_PICKLE_MAX_STRING);
    return;
  }
  bytes = tl_pickle_take (m, length);
  value = bytes ? tl_pickle_push_new (m, TL_PICKLE_STRING) : NULL;
  if (!value)
    return;
  value->string.bytes = (const char *) bytes;
  value->string.length = length;
}

void
tl_pickle_run_binunicode (TlPickleMachine *m)
{
  const uint8_t *length = tl_pickle_take (m, 4);

  if (length)
    push_string (m, tl_get_u32 (length));
}

void
tl_pickle_run_short_string (TlPickleMachine *m)
{
  const uint8_t *length = tl_pickle_take (m, 1);

  if (length)
    push_string (m, *length);
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
