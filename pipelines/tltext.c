/* SPDX-License-Identifier: BSD-3-Clause */

#include "tltext.h"

#include <string.h>

/* YAML's c-printable. */
static gboolean
is_allowed (gunichar c)
{
  if (c < 0x20)
    return c == '\t' || c == '\n' || c == '\r';
  return c <= 0x7e || c == 0x85 || (c >= 0xa0 && c <= 0xd7ff)
      || (c >= 0xe000 && c <= 0xfffd && c != 0xfeff) || c >= 0x10000;
}

/* A wide encoding leaves NUL in the place of half of the ASCII characters. */
static gboolean
is_wide (const gchar *text, gsize size)
{
  if (size < 2)
    return FALSE;
  return memcmp (text, "\xff\xfe", 2) == 0 || memcmp (text, "\xfe\xff", 2) == 0
      || (text[0] == '\0') != (text[1] == '\0');
}

static gboolean
report_byte (const gchar *c, TlPlace place, TlDiagnostics *diagnostics)
{
  tl_diagnostics_error (diagnostics, place, NULL,
      "this is no text: byte 0x%02x (a pipeline file is UTF-8)", (guint8) *c);
  return FALSE;
}

gboolean
tl_text_check (const gchar *text, gsize size, gsize max_size, guint source,
    TlDiagnostics *diagnostics)
{
  TlPlace place = {source, 0, 0};
  const gchar *end = text + size;

  if (size > max_size) {
    tl_diagnostics_error (diagnostics, place, NULL,
        "%" G_GSIZE_FORMAT " bytes are too many: a pipeline file has at most "
        "%" G_GSIZE_FORMAT,
        size, max_size);
    return FALSE;
  }
  if (is_wide (text, size)) {
    tl_diagnostics_error (diagnostics, place, NULL,
        "the text is UTF-16 or UTF-32: save it as UTF-8");
    return FALSE;
  }
  place.line = place.column = 1;
  while (text < end) {
    gunichar c = g_utf8_get_char_validated (text, end - text);

    if (c == (gunichar) -1 || c == (gunichar) -2 || !is_allowed (c))
      return report_byte (text, place, diagnostics);
    text = g_utf8_next_char (text);
    place.column++;
    if (c == '\n' || (c == '\r' && (text == end || *text != '\n'))) {
      place.line++;
      place.column = 1;
    }
  }
  return TRUE;
}
