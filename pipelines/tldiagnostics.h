/* SPDX-License-Identifier: BSD-3-Clause */

/* What is wrong with a pipeline file, told as a compiler does:
 *
 *   run.yaml:7:33: error: datasetsrc has no property "epohcs" - did you mean
 *   "epochs"?
 *        7 |   - datasetsrc: {location: data, epohcs: 2}
 *          |                                  ^
 *
 * All mistakes of a run are collected, then printed in the order of the text.
 * Everything here belongs to one thread. */

#ifndef TL_DIAGNOSTICS_H
#define TL_DIAGNOSTICS_H

#include <glib.h>
#include <stdio.h>

G_BEGIN_DECLS

/* As many are printed; the rest is a number. */
#define TL_DIAGNOSTICS_MAX 100

typedef struct _TlDiagnostics TlDiagnostics;

/* A position in a source. Copied about as a value; {0} is no position. */
typedef struct
{
  guint source; /* from tl_diagnostics_add_source(), 0 is none */
  guint line;   /* from 1; 0 is the source as a whole */
  guint column; /* from 1, in characters */
} TlPlace;

typedef struct
{
  TlPlace place;
  gboolean warning; /* else an error */
  gchar *message;   /* one line, no full stop */
  gchar *notes;     /* lines that follow the caret, or NULL */
} TlDiagnostic;

TlDiagnostics *tl_diagnostics_new (void);
void tl_diagnostics_free (TlDiagnostics *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TlDiagnostics, tl_diagnostics_free)

/* Makes @text (*copied*, @size bytes, any bytes at all) known as @name, which
 * is printed before the line number: a path, or "--set" for an argument.
 * @folder is what ${DIR} stands for in it; NULL: the current folder. */
guint tl_diagnostics_add_source (TlDiagnostics *self, const gchar *name,
    const gchar *folder, const gchar *text, gsize size);

/* Borrowed; "" for source 0. */
const gchar *tl_diagnostics_get_name (const TlDiagnostics *self, guint source);
/* Borrowed; "." where it has none. */
const gchar *tl_diagnostics_get_folder (const TlDiagnostics *self,
    guint source);
/* Line @line of @source without its end; borrowed, *@size bytes, no NUL behind
 * it. NULL if there is no such line. */
const gchar *tl_diagnostics_get_line (const TlDiagnostics *self, guint source,
    guint line, gsize *size);

/* One mistake. @notes may be NULL. The same message at the same place is kept
 * once: an alias brings a node to many places. */
void tl_diagnostics_error (TlDiagnostics *self, TlPlace place,
    const gchar *notes, const gchar *format, ...) G_GNUC_PRINTF (4, 5);
void tl_diagnostics_warning (TlDiagnostics *self, TlPlace place,
    const gchar *notes, const gchar *format, ...) G_GNUC_PRINTF (4, 5);

/* So many mistakes have come that looking for more helps nobody. */
gboolean tl_diagnostics_is_full (const TlDiagnostics *self);

guint tl_diagnostics_count_errors (const TlDiagnostics *self);
guint tl_diagnostics_count_warnings (const TlDiagnostics *self);

/* The @i-th in the order of sources, lines and columns, borrowed until the next
 * one is added; NULL behind the last, or behind TL_DIAGNOSTICS_MAX. */
const TlDiagnostic *tl_diagnostics_get (TlDiagnostics *self, guint i);

/* "run.yaml:7:33" or "--set"; *transferred*. */
gchar *tl_diagnostics_describe_place (const TlDiagnostics *self, TlPlace place);

/* All of them, each with its line and a caret; *transferred*. */
gchar *tl_diagnostics_to_string (TlDiagnostics *self);
/* The same to @stream; @colour: with ANSI colours. */
void tl_diagnostics_print (TlDiagnostics *self, FILE *stream, gboolean colour);

G_END_DECLS

#endif
