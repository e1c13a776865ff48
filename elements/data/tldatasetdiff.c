/* SPDX-License-Identifier: BSD-3-Clause */

#include "tldatasetdiff.h"

#include <string.h>

#include <tlclasses.h>

/* Clauses of each kind, and bytes of a class name, that a message has. */
#define MAX_CLAUSES 6
#define NAME "\"%.60s\""

typedef struct
{
  GString *text;
  guint n;
} Clauses;

static void G_GNUC_PRINTF (2, 3)
    add_clause (Clauses *self, const gchar *format, ...)
{
  va_list args;

  if (self->n++ >= MAX_CLAUSES)
    return;
  if (self->text->len > 0)
    g_string_append (self->text, "; ");
  va_start (args, format);
  g_string_append_vprintf (self->text, format, args);
  va_end (args);
}

static void
end_clauses (Clauses *self)
{
  if (self->n > MAX_CLAUSES)
    g_string_append_printf (self->text, "; and %u more", self->n - MAX_CLAUSES);
  self->n = 0;
}

/* Classes of @list that are not in @others. */
static void
compare_classes (Clauses *clauses, gchar **list, gchar **others,
    const gchar *what)
{
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; others[i]; i++)
    g_hash_table_add (known, others[i]);
  for (guint i = 0; list[i]; i++) {
    if (!g_hash_table_contains (known, list[i]))
      add_clause (clauses, "the class " NAME " %s", list[i], what);
  }
  end_clauses (clauses);
}

/* What the checkpoint says of @split, "124,121"; NULL if it was not played. */
static const gchar *
find_counts (gchar **words, TlSplit split)
{
  const gchar *nick = tl_split_nick (split);
  gsize n = strlen (nick);

  for (guint i = 0; words[i]; i++) {
    if (strncmp (words[i], nick, n) == 0 && words[i][n] == '=')
      return words[i] + n + 1;
  }
  return NULL;
}

static void
compare_numbers (Clauses *clauses, const TlDataset *dataset, TlSplit split,
    const gchar *before)
{
  g_autofree guint64 *now = tl_dataset_count_classes (dataset, split);
  g_auto (GStrv) numbers = g_strsplit (before, ",", -1);

  if (g_strv_length (numbers) != dataset->n_classes)
    return;
  for (guint i = 0; i < dataset->n_classes; i++) {
    guint64 was = g_ascii_strtoull (numbers[i], NULL, 10);

    if (was != now[i])
      add_clause (clauses,
          "%s of the class " NAME " had %" G_GUINT64_FORMAT
          " picture%s and has %" G_GUINT64_FORMAT,
          tl_split_nick (split), dataset->classes[i], was, was == 1 ? "" : "s",
          now[i]);
  }
}

static void
compare_counts (Clauses *clauses, const TlDataset *dataset, const gchar *counts)
{
  g_auto (GStrv) words = g_strsplit (counts, " ", -1);

  for (guint s = 0; s < TL_N_SPLITS; s++) {
    const gchar *before = find_counts (words, s);

    if (before && dataset->played[s])
      compare_numbers (clauses, dataset, s, before);
    else if (before || dataset->played[s])
      add_clause (clauses, "%s was %splayed and now is%s", tl_split_nick (s),
          before ? "" : "not ", before ? " not" : "");
  }
  end_clauses (clauses);
}

gchar *
tl_dataset_diff (const TlDataset *dataset, const gchar *classes,
    const gchar *counts)
{
  Clauses clauses = {g_string_new (NULL), 0};
  g_auto (GStrv) before = classes ? tl_classes_from_json (classes) : NULL;

  if (before) {
    compare_classes (&clauses, dataset->classes, before, "is new");
    compare_classes (&clauses, before, dataset->classes, "is gone");
  }
  if (counts && clauses.text->len == 0)
    compare_counts (&clauses, dataset, counts);
  if (clauses.text->len == 0)
    g_string_append (clauses.text,
        counts ? "it has as many pictures of each class and split, but some "
                 "were renamed, exchanged or moved"
               : "pictures were added, removed, renamed or moved");
  return g_string_free (clauses.text, FALSE);
}
