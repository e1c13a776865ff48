/* SPDX-License-Identifier: BSD-3-Clause */

/* What tlpipe writes. Results go to stdout: lines for people, or with --json
 * one object per line and nothing else. Warnings, errors and usage go to
 * stderr. On a terminal one line at the bottom may show progress; every other
 * line pushes it down.
 *
 * Control characters in what files, cameras and models are called never reach a
 * terminal. One thread. */

#ifndef TL_OUTPUT_H
#define TL_OUTPUT_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  gboolean json;
  gboolean quiet;     /* no lines for people; warnings and errors remain */
  gboolean has_bar;   /* stdout is a terminal that can take back a line */
  gboolean has_color; /* stderr is a terminal, and NO_COLOR is not set */
  gboolean bar_shown;
  gboolean broken; /* stdout could not be written to, which was said */
} TlOutput;

/* Looks at the terminal and at NO_COLOR and TERM. */
void tl_output_init (TlOutput *self, gboolean json, gboolean quiet);

/* A line for people, without its end; nothing with json or quiet. */
void tl_output_line (TlOutput *self, const gchar *format, ...)
    G_GNUC_PRINTF (2, 3);

/* Ends @line, writes and frees it; only frees it without json. */
void tl_output_json (TlOutput *self, GString *line);

/* "tlpipe: error: ..." on stderr. */
void tl_output_error (TlOutput *self, const gchar *format, ...)
    G_GNUC_PRINTF (2, 3);
void tl_output_warning (TlOutput *self, const gchar *format, ...)
    G_GNUC_PRINTF (2, 3);

/* Columns of the terminal, 80 where it does not say. */
guint tl_output_columns (void);

/* Shows @text, shorter than the terminal is wide, in place of what the bar
 * showed; NULL takes it back. Nothing without has_bar. */
void tl_output_bar (TlOutput *self, const gchar *text);

G_END_DECLS

#endif
