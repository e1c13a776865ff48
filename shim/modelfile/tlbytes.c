/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlbytes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

TlShown
tl_show_text (const void *bytes, size_t n)
{
  const unsigned char *p = bytes;
  const size_t room = sizeof ((TlShown *) NULL)->text - sizeof "...";
  TlShown shown;
  size_t length = n < room ? n : room;

  for (size_t i = 0; i < length; i++)
    shown.text[i] = p[i] >= ' ' && p[i] <= '~' ? (char) p[i] : '?';
  strcpy (shown.text + length, n > room ? "..." : "");
  return shown;
}

TlShown
tl_show_number (uint64_t number)
{
  TlShown shown;
  char digits[24];
  int n = snprintf (digits, sizeof digits, "%" PRIu64, number);
  char *out = shown.text;

  for (int i = 0; i < n; i++) {
    if (i > 0 && (n - i) % 3 == 0)
      *out++ = ',';
    *out++ = digits[i];
  }
  *out = '\0';
  return shown;
}

TlShown
tl_show_bytes (uint64_t n)
{
  TlShown shown = tl_show_number (n);

  strcat (shown.text, n == 1 ? " byte" : " bytes");
  return shown;
}

/* Length of the character that begins at @p, 0 if it is none. */
static size_t
measure_utf8 (const unsigned char *p, size_t n)
{
  static const uint32_t smallest[] = {0, 1, 0x80, 0x800, 0x10000};
  size_t length = *p < 0x80 ? 1
      : *p >> 5 == 0x6      ? 2
      : *p >> 4 == 0xe      ? 3
      : *p >> 3 == 0x1e     ? 4
                            : 0;
  uint32_t code;

  if (length == 0 || length > n)
    return 0;
  code = length == 1 ? *p : *p & (0x7fu >> length);
  for (size_t i = 1; i < length; i++) {
    if (p[i] >> 6 != 2)
      return 0;
    code = code << 6 | (p[i] & 0x3f);
  }
  if (code < smallest[length] || code > 0x10ffff
      || (code >= 0xd800 && code <= 0xdfff))
    return 0;
  return length;
}

int
tl_is_utf8 (const void *bytes, size_t n)
{
  const unsigned char *p = bytes;

  while (n > 0) {
    size_t length = measure_utf8 (p, n);

    if (length == 0)
      return 0;
    p += length;
    n -= length;
  }
  return 1;
}
