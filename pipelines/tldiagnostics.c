/* SPDX-License-Identifier: BSD-3-Clause */

#include "tldiagnostics.h"

#include <string.h>

/* A longer line is shown around the caret only, in characters. */
#define MAX_SHOWN 160

typedef struct
{
  gchar *name;
  gchar *folder;
  gchar *text;
  gsize size;
  GArray *lines; /* gsize: where each begins */
} Source;

typedef struct
{
  TlDiagnostic shown;
  guint number; /* in the order they came; keeps the sorting stable */
} Entry;

struct _TlDiagnostics
{
  GPtrArray *sources; /* Source; the first is source 1 */
  GPtrArray *entries; /* Entry */
  GHashTable *seen;   /* "place message" */
  gboolean sorted;
  guint n_errors;
  guint n_warnings;
};

/* ---- Life ---- */

static void
free_source (gpointer data)
{
  Source *source = data;

  g_free (source->name);
  g_free (source->folder);
  g_free (source->text);
  g_array_unref (source->lines);
  g_free (source);
}

static void
free_entry (gpointer data)
{
  Entry *entry = data;

  g_free (entry->shown.message);
  g_free (entry->shown.notes);
  g_free (entry);
}

TlDiagnostics *
tl_diagnostics_new (void)
{
  TlDiagnostics *self = g_new0 (TlDiagnostics, 1);

  self->sources = g_ptr_array_new_with_free_func (free_source);
  self->entries = g_ptr_array_new_with_free_func (free_entry);
  self->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

void
tl_diagnostics_free (TlDiagnostics *self)
{
  if (!self)
    return;
  g_ptr_array_unref (self->sources);
  g_ptr_array_unref (self->entries);
  g_hash_table_unref (self->seen);
  g_free (self);
}

/* ---- Sources ---- */

static GArray *
find_lines (const gchar *text, gsize size)
{
  GArray *lines = g_array_new (FALSE, FALSE, sizeof (gsize));
  gsize begin = 0;

  g_array_append_val (lines, begin);
  for (gsize i = 0; i < size; i++) {
    /* As YAML does: LF, CR LF, CR. */
    if (text[i] == '\n'
        || (text[i] == '\r' && (i + 1 == size || text[i + 1] != '\n'))) {
      begin = i + 1;
      g_array_append_val (lines, begin);
    }
  }
  return lines;
}

guint
tl_diagnostics_add_source (TlDiagnostics *self, const gchar *name,
    const gchar *folder, const gchar *text, gsize size)
{
  Source *source = g_new0 (Source, 1);

  /* A byte order mark is on no line. */
  if (size >= 3 && memcmp (text, "\xef\xbb\xbf", 3) == 0) {
    text += 3;
    size -= 3;
  }
  source->name = g_strdup (name);
  source->folder = g_strdup (folder ? folder : ".");
  source->text = g_malloc (size + 1);
  if (size > 0)
    memcpy (source->text, text, size);
  source->text[size] = '\0';
  source->size = size;
  source->lines = find_lines (source->text, size);
  g_ptr_array_add (self->sources, source);
  return self->sources->len;
}

static const Source *
get_source (const TlDiagnostics *self, guint source)
{
  if (source == 0 || source > self->sources->len)
    return NULL;
  return self->sources->pdata[source - 1];
}

const gchar *
tl_diagnostics_get_name (const TlDiagnostics *self, guint source)
{
  const Source *found = get_source (self, source);

  return found ? found->name : "";
}

const gchar *
tl_diagnostics_get_folder (const TlDiagnostics *self, guint source)
{
  const Source *found = get_source (self, source);

  return found ? found->folder : ".";
}

const gchar *
tl_diagnostics_get_line (const TlDiagnostics *self, guint source, guint line,
    gsize *size)
{
  const Source *found = get_source (self, source);
  gsize begin, end;

  *size = 0;
  if (!found || line == 0 || line > found->lines->len)
    return NULL;
  begin = g_array_index (found->lines, gsize, line - 1);
  end = line < found->lines->len ? g_array_index (found->lines, gsize, line)
                                 : found->size;
  while (end > begin
      && (found->text[end - 1] == '\n' || found->text[end - 1] == '\r'))
    end--;
  *size = end - begin;
  return found->text + begin;
}

/* ---- Mistakes ---- */

static void
add (TlDiagnostics *self, TlPlace place, gboolean warning, const gchar *notes,
    const gchar *format, va_list args)
{
  g_autofree gchar *message = g_strdup_vprintf (format, args);
  gchar *key = g_strdup_printf ("%u:%u:%u %s", place.source, place.line,
      place.column, message);
  Entry *entry;

  if (!g_hash_table_add (self->seen, key))
    return;
  if (warning)
    self->n_warnings++;
  else
    self->n_errors++;
  entry = g_new0 (Entry, 1);
  entry->shown.place = place;
  entry->shown.warning = warning;
  entry->shown.message = g_steal_pointer (&message);
  entry->shown.notes = g_strdup (notes);
  entry->number = self->entries->len;
  g_ptr_array_add (self->entries, entry);
  self->sorted = FALSE;
}

void
tl_diagnostics_error (TlDiagnostics *self, TlPlace place, const gchar *notes,
    const gchar *format, ...)
{
  va_list args;

  va_start (args, format);
  add (self, place, FALSE, notes, format, args);
  va_end (args);
}

void
tl_diagnostics_warning (TlDiagnostics *self, TlPlace place, const gchar *notes,
    const gchar *format, ...)
{
  va_list args;

  va_start (args, format);
  add (self, place, TRUE, notes, format, args);
  va_end (args);
}

gboolean
tl_diagnostics_is_full (const TlDiagnostics *self)
{
  return self->entries->len >= 3 * TL_DIAGNOSTICS_MAX;
}

guint
tl_diagnostics_count_errors (const TlDiagnostics *self)
{
  return self->n_errors;
}

guint
tl_diagnostics_count_warnings (const TlDiagnostics *self)
{
  return self->n_warnings;
}

#define COMPARE(a, b)                                                          \
  if ((a) != (b))                                                              \
  return (a) < (b) ? -1 : 1

static gint
compare_entries (gconstpointer first, gconstpointer second)
{
  const Entry *a = *(Entry *const *) first, *b = *(Entry *const *) second;

  COMPARE (a->shown.place.source, b->shown.place.source);
  COMPARE (a->shown.place.line, b->shown.place.line);
  COMPARE (a->shown.place.column, b->shown.place.column);
  COMPARE (a->number, b->number);
  return 0;
}

const TlDiagnostic *
tl_diagnostics_get (TlDiagnostics *self, guint i)
{
  if (!self->sorted)
    g_ptr_array_sort (self->entries, compare_entries);
  self->sorted = TRUE;
  if (i >= self->entries->len || i >= TL_DIAGNOSTICS_MAX)
    return NULL;
  return &((Entry *) self->entries->pdata[i])->shown;
}

/* ---- Text ---- */

gchar *
tl_diagnostics_describe_place (const TlDiagnostics *self, TlPlace place)
{
  const gchar *name = tl_diagnostics_get_name (self, place.source);

  /* An argument is a line of its own: nobody counts columns there. */
  if (place.line == 0 || g_str_has_prefix (name, "--"))
    return g_strdup (name);
  return g_strdup_printf ("%s:%u:%u", name, place.line, place.column);
}

/* Appends characters [from, from + n) of a line whatever its bytes are: what is
 * no text becomes "?", a tab one space, so that the caret stays below its
 * character. Returns how many there were. */
static guint
append_line (GString *text, const gchar *line, gsize size, guint from, guint n)
{
  const gchar *end = line + size;
  guint i = 0;

  while (line < end && i < from + n) {
    gunichar c = g_utf8_get_char_validated (line, end - line);
    gboolean valid = c != (gunichar) -1 && c != (gunichar) -2;

    if (i >= from && valid && g_unichar_isprint (c))
      g_string_append_unichar (text, c);
    else if (i >= from)
      g_string_append_c (text, valid && c == '\t' ? ' ' : '?');
    line = valid ? g_utf8_next_char (line) : line + 1;
    i++;
  }
  return i > from ? i - from : 0;
}

static void
append_excerpt (const TlDiagnostics *self, GString *text, TlPlace place,
    gboolean colour)
{
  gsize size;
  const gchar *line =
      tl_diagnostics_get_line (self, place.source, place.line, &size);
  guint from = 0;

  if (!line)
    return;
  if (place.column > MAX_SHOWN / 2 && size > MAX_SHOWN)
    from = place.column - MAX_SHOWN / 2;
  if (g_str_has_prefix (tl_diagnostics_get_name (self, place.source), "--"))
    g_string_append (text, "      | ");
  else
    g_string_append_printf (text, "%5u | ", place.line);
  append_line (text, line, size, from, MAX_SHOWN);
  g_string_append_printf (text, "\n      | %*s%s^%s\n",
      (gint) (place.column > from ? place.column - 1 - from : 0), "",
      colour ? "\033[1;32m" : "", colour ? "\033[0m" : "");
}

static void
append_notes (GString *text, const gchar *notes)
{
  g_auto (GStrv) lines = g_strsplit (notes, "\n", -1);

  for (guint i = 0; lines[i]; i++)
    g_string_append_printf (text, "        %s\n", lines[i]);
}

static void
append_diagnostic (const TlDiagnostics *self, GString *text,
    const TlDiagnostic *shown, gboolean colour)
{
  g_autofree gchar *place = tl_diagnostics_describe_place (self, shown->place);
  const gchar *begin = "", *end = "";

  if (colour) {
    begin = shown->warning ? "\033[1;35m" : "\033[1;31m";
    end = "\033[0m";
  }
  if (*place)
    g_string_append_printf (text, "%s: ", place);
  g_string_append_printf (text, "%s%s:%s %s\n", begin,
      shown->warning ? "warning" : "error", end, shown->message);
  append_excerpt (self, text, shown->place, colour);
  if (shown->notes)
    append_notes (text, shown->notes);
}

static gchar *
format_all (TlDiagnostics *self, gboolean colour)
{
  g_autoptr (GString) text = g_string_new (NULL);
  const TlDiagnostic *shown;

  for (guint i = 0; (shown = tl_diagnostics_get (self, i)); i++)
    append_diagnostic (self, text, shown, colour);
  if (self->entries->len > TL_DIAGNOSTICS_MAX)
    g_string_append_printf (text, "and %u more\n",
        self->entries->len - TL_DIAGNOSTICS_MAX);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

gchar *
tl_diagnostics_to_string (TlDiagnostics *self)
{
  return format_all (self, FALSE);
}

void
tl_diagnostics_print (TlDiagnostics *self, FILE *stream, gboolean colour)
{
  g_autofree gchar *text = format_all (self, colour);

  fputs (text, stream);
}
