/* SPDX-License-Identifier: BSD-3-Clause */

#include "tljson.h"
#include "tlbytes.h"
#include "tlfail.h"

#include <string.h>

static TlStatus
fail_here (const TlJson *json, const char *expected, TlError *error)
{
  size_t left = (size_t) (json->end - json->p);

  return tl_fail_at (error, TL_ERROR_FORMAT, json->p - json->start,
      "byte %zu of the header: expected %s, found %s%s%s",
      (size_t) (json->p - json->start), expected, left ? "\"" : "its end",
      tl_show_text (json->p, left < 16 ? left : 16).text, left ? "\"" : "");
}

static void
skip_blanks (TlJson *json)
{
  while (json->p < json->end
      && (*json->p == ' ' || *json->p == '\t' || *json->p == '\n'
          || *json->p == '\r'))
    json->p++;
}

int
tl_json_take (TlJson *json, char c)
{
  skip_blanks (json);
  if (json->p == json->end || *json->p != c)
    return 0;
  json->p++;
  return 1;
}

TlStatus
tl_json_expect (TlJson *json, char c, TlError *error)
{
  const char expected[] = {'\'', c, '\'', '\0'};

  return tl_json_take (json, c) ? TL_OK : fail_here (json, expected, error);
}

TlStatus
tl_json_end (TlJson *json, TlError *error)
{
  skip_blanks (json);
  return json->p == json->end ? TL_OK : fail_here (json, "nothing more", error);
}

TlStatus
tl_json_integer (TlJson *json, int64_t *ret, TlError *error)
{
  int64_t value = 0;
  const char *first;

  skip_blanks (json);
  first = json->p;
  while (json->p < json->end && *json->p >= '0' && *json->p <= '9') {
    if (__builtin_mul_overflow (value, 10, &value)
        || __builtin_add_overflow (value, *json->p - '0', &value)) {
      json->p = first;
      return fail_here (json, "an integer below 2^63", error);
    }
    json->p++;
  }
  if (json->p == first || (*first == '0' && json->p - first > 1)) {
    json->p = first;
    return fail_here (json, "a non-negative integer", error);
  }
  *ret = value;
  return TL_OK;
}

/* Four hexadecimal digits at @p, which the caller knows to be there; -1 if
 * they are none. */
static int
parse_hex4 (const char *p)
{
  static const char digits[] = "0123456789abcdef";
  int value = 0;

  for (int i = 0; i < 4; i++) {
    char lower = p[i] >= 'A' && p[i] <= 'F' ? (char) (p[i] + 32) : p[i];
    const char *digit = lower ? strchr (digits, lower) : NULL;

    if (!digit)
      return -1;
    value = value * 16 + (int) (digit - digits);
  }
  return value;
}

static char *
put_utf8 (char *out, uint32_t code)
{
  if (code < 0x80) {
    *out++ = (char) code;
  } else if (code < 0x800) {
    *out++ = (char) (0xc0 | code >> 6);
    *out++ = (char) (0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    *out++ = (char) (0xe0 | code >> 12);
    *out++ = (char) (0x80 | (code >> 6 & 0x3f));
    *out++ = (char) (0x80 | (code & 0x3f));
  } else {
    *out++ = (char) (0xf0 | code >> 18);
    *out++ = (char) (0x80 | (code >> 12 & 0x3f));
    *out++ = (char) (0x80 | (code >> 6 & 0x3f));
    *out++ = (char) (0x80 | (code & 0x3f));
  }
  return out;
}

/* Decodes \uXXXX, or a surrogate pair of them, whose 'u' is at json->p.
 * Lone surrogates come out as what tl_is_utf8() then refuses. */
static char *
decode_unicode (TlJson *json, char *out)
{
  const char *p = json->p;
  int high = json->end - p >= 5 ? parse_hex4 (p + 1) : -1;
  int low = -1;

  if (high < 0)
    return NULL;
  json->p += 5;
  if (high >= 0xd800 && high < 0xdc00 && json->end - p >= 11 && p[5] == '\\'
      && p[6] == 'u')
    low = parse_hex4 (p + 7);
  if (low < 0xdc00 || low > 0xdfff)
    return put_utf8 (out, (uint32_t) high);
  json->p += 6;
  return put_utf8 (out,
      0x10000 + ((uint32_t) (high - 0xd800) << 10) + (uint32_t) (low - 0xdc00));
}

/* Decodes the escape whose backslash was taken; NULL if it is none. */
static char *
decode_escape (TlJson *json, char *out)
{
  static const char letters[] = "\"\\/bfnrt";
  static const char meanings[] = "\"\\/\b\f\n\r\t";
  const char *letter;

  if (json->p == json->end || *json->p == '\0')
    return NULL;
  if (*json->p == 'u')
    return decode_unicode (json, out);
  letter = strchr (letters, *json->p);
  if (!letter)
    return NULL;
  json->p++;
  *out++ = meanings[letter - letters];
  return out;
}

/* The position of the closing quote, or the end of the header. */
static const char *
find_quote (const TlJson *json)
{
  const char *p = json->p;

  while (p < json->end && *p != '"')
    p += *p == '\\' && json->end - p > 1 ? 2 : 1;
  return p;
}

TlStatus
tl_json_string (TlJson *json, const char **ret, TlError *error)
{
  TlStatus status = tl_json_expect (json, '"', error);
  const char *quote;
  char *text, *out;

  if (status != TL_OK)
    return status;
  /* No escape decodes to more bytes than it is written with. */
  quote = find_quote (json);
  text = tl_arena_alloc (json->arena, (size_t) (quote - json->p) + 1);
  if (!text)
    return tl_arena_fail (json->arena, error);
  out = text;
  while (json->p < quote) {
    if ((unsigned char) *json->p < ' ')
      return fail_here (json, "a string without control characters", error);
    if (*json->p != '\\') {
      *out++ = *json->p++;
      continue;
    }
    json->p++;
    out = decode_escape (json, out);
    if (!out)
      return fail_here (json, "a JSON escape", error);
  }
  if (!tl_is_utf8 (text, (size_t) (out - text)))
    return fail_here (json, "UTF-8 text without NUL up to here", error);
  *ret = text;
  return tl_json_expect (json, '"', error);
}
