/* SPDX-License-Identifier: BSD-3-Clause */

#include "tloutput.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEFAULT_COLUMNS 80

#define RED "\033[1;31m"
#define MAGENTA "\033[1;35m"
#define PLAIN "\033[0m"
#define ERASE_LINE "\r\033[K"

static gboolean
is_capable (int fd)
{
  const gchar *term = g_getenv ("TERM");

  return isatty (fd) && term && *term && strcmp (term, "dumb") != 0;
}

void
tl_output_init (TlOutput *self, gboolean json, gboolean quiet)
{
  const gchar *no_color = g_getenv ("NO_COLOR");

  *self = (TlOutput){.json = json,
      .quiet = quiet,
      .has_bar = !json && !quiet && is_capable (STDOUT_FILENO),
      .has_color = (!no_color || !*no_color) && is_capable (STDERR_FILENO)};
}

/* Names come from outside: what is not text becomes '?'. */
static gchar *
make_safe (const gchar *format, va_list args)
{
  g_autofree gchar *text = g_strdup_vprintf (format, args);
  gchar *safe = g_utf8_make_valid (text, -1);

  for (gchar *p = safe; *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (c < 0x20 && c != '\n' && c != '\t')
      *p = '?';
    else if (c == 0x7f)
      *p = '?';
    else if (c >= 0x80 && c < 0xa0)
      /* C1 controls have two bytes; U+00BF has as many. */
      memcpy (p, "\xc2\xbf", 2);
  }
  return safe;
}

/* A reader that has gone, or a full disk: what nobody can read is not worth
 * going on for, so the caller stops when it sees this. */
static void
write_out (TlOutput *self, const gchar *text)
{
  if (self->broken)
    return;
  if (fputs (text, stdout) != EOF && fflush (stdout) != EOF)
    return;
  self->broken = TRUE;
  tl_output_error (self, "stdout cannot be written to: %s", g_strerror (errno));
}

void
tl_output_line (TlOutput *self, const gchar *format, ...)
{
  g_autofree gchar *text = NULL, *line = NULL;
  va_list args;

  if (self->json || self->quiet)
    return;
  va_start (args, format);
  text = make_safe (format, args);
  va_end (args);
  line = g_strconcat (self->bar_shown ? ERASE_LINE : "", text, "\n", NULL);
  self->bar_shown = FALSE;
  write_out (self, line);
}

void
tl_output_json (TlOutput *self, GString *line)
{
  g_string_append (line, "}\n");
  if (self->json)
    write_out (self, line->str);
  g_string_free (line, TRUE);
}

static void
write_trouble (TlOutput *self, const gchar *word, const gchar *color,
    const gchar *text)
{
  tl_output_bar (self, NULL);
  fprintf (stderr, "tlpipe: %s%s:%s %s\n", self->has_color ? color : "", word,
      self->has_color ? PLAIN : "", text);
  fflush (stderr);
}

void
tl_output_error (TlOutput *self, const gchar *format, ...)
{
  g_autofree gchar *text = NULL;
  va_list args;

  va_start (args, format);
  text = make_safe (format, args);
  va_end (args);
  write_trouble (self, "error", RED, text);
}

void
tl_output_warning (TlOutput *self, const gchar *format, ...)
{
  g_autofree gchar *text = NULL;
  va_list args;

  va_start (args, format);
  text = make_safe (format, args);
  va_end (args);
  write_trouble (self, "warning", MAGENTA, text);
}

guint
tl_output_columns (void)
{
  struct winsize size;

  if (ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return size.ws_col;
  return DEFAULT_COLUMNS;
}

void
tl_output_bar (TlOutput *self, const gchar *text)
{
  g_autofree gchar *line = NULL;

  if (!self->has_bar || (!text && !self->bar_shown))
    return;
  line = g_strconcat (ERASE_LINE, text, NULL);
  self->bar_shown = text != NULL;
  write_out (self, line);
}
