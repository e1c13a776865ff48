/* SPDX-License-Identifier: BSD-3-Clause */

/* One result as a line of JSON or CSV, or as a WebVTT cue. GLib alone: values
 * go in, text comes out, the same in every locale.
 *
 * Text of a result may be any bytes: what is no UTF-8 becomes U+FFFD. */

#ifndef TL_RESULT_FORMAT_H
#define TL_RESULT_FORMAT_H

#include <glib.h>

G_BEGIN_DECLS

/* Most classes of an entry. */
#define TL_RESULT_ENTRY_MAX 16

/* A time that is not known. */
#define TL_RESULT_NO_TIME G_MAXUINT64

typedef enum
{
  TL_RESULT_JSONL = 0,
  TL_RESULT_CSV = 1,
  TL_RESULT_VTT = 2,
} TlResultFormat;

typedef enum
{
  TL_RESULT_ENTRY_VALID = 0,
  TL_RESULT_ENTRY_ABSTAINED = 1,
  TL_RESULT_ENTRY_ABSENT = 2,
} TlResultEntryState;

typedef struct
{
  guint32 index;
  const gchar *name; /* NULL: not known */
  gdouble probability;
} TlResultEntryClass;

/* A result on a frame. Text is borrowed and lives as long as the process:
 * strings of quarks. Times in ns. */
typedef struct
{
  guint64 time;  /* stream time of the frame */
  guint64 until; /* its end; TL_RESULT_NO_TIME: not known */
  guint64 frame; /* frames before it since the start */
  guint64 serial;
  guint64 age;
  guint64 inference;
  guint64 n_lost; /* entries before this one that were dropped */
  guint n_skipped;
  TlResultEntryState state;
  const gchar *reason; /* NULL: none, as below */
  const gchar *model;
  guint n; /* of top, best first */
  TlResultEntryClass top[TL_RESULT_ENTRY_MAX];
} TlResultEntry;

/* What a file begins with, with its line end: CSV has a column pair per class
 * of @top_k. Nothing for JSON lines. */
void tl_result_format_header (GString *text, TlResultFormat format,
    guint top_k);

/* Appends the line of @entry, with its line end and at most @top_k classes. Not
 * for TL_RESULT_VTT. */
void tl_result_format_line (GString *text, TlResultFormat format, guint top_k,
    const TlResultEntry *entry);

/* Appends a line that says that @n entries are missing here. */
void tl_result_format_lost (GString *text, TlResultFormat format, guint top_k,
    guint64 n);

/* "hh:mm:ss.mmm", rounded down; hours take more digits from 100 on. */
void tl_result_format_cue_time (GString *text, guint64 time);

/* Appends a cue with the text between @start and @end, escaped, and the empty
 * line that ends it. */
void tl_result_format_cue (GString *text, guint64 start, guint64 end,
    const gchar *label);

/* What one reads of @entry: the best class, with @percent as "bees 93 %", or
 * "Uncertain"; one line. Appends nothing where there is no result. */
void tl_result_format_label (GString *text, const TlResultEntry *entry,
    gboolean percent);

G_END_DECLS

#endif
