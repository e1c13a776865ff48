/* SPDX-License-Identifier: BSD-3-Clause */

/* A scanner for the little JSON of a safetensors header: the caller says what
 * must come next, so that depth is bounded by the caller's own grammar and
 * nothing recurses. Numbers are non-negative integers. */

#ifndef TL_JSON_H
#define TL_JSON_H

#include "tlarena.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct
{
  const char *start;
  const char *p;
  const char *end;
  TlArena *arena; /* decoded strings */
} TlJson;

/* Skips blanks; whether the next character is @c, which is then taken. */
int tl_json_take (TlJson *json, char c);

/* The next character must be @c: TL_ERROR_FORMAT with the position. */
TlStatus tl_json_expect (TlJson *json, char c, TlError *error);

/* A string, decoded into the arena, UTF-8 without NUL. */
TlStatus tl_json_string (TlJson *json, const char **ret, TlError *error);

/* An integer in [0, 2^63). */
TlStatus tl_json_integer (TlJson *json, int64_t *ret, TlError *error);

/* Only blanks may be left. */
TlStatus tl_json_end (TlJson *json, TlError *error);

#ifdef __cplusplus
}
#endif

#endif
