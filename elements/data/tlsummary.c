/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlsummary.h"

#include <string.h>

#define MAX_CLASSES_SHOWN 10
/* Largest to smallest class from which on it is worth a line. */
#define IMBALANCE 3

typedef struct
{
  guint64 *of[TL_N_SPLITS];
} Counts;

/* "ants (train 123, valid 70)" */
static void
append_class (GString *text, const TlDataset *dataset, const Counts *counts,
    guint label)
{
  const gchar *between = "";

  g_string_append_printf (text, "%s (", dataset->classes[label]);
  for (guint s = 0; s < TL_N_SPLITS; s++) {
    if (!dataset->played[s])
      continue;
    g_string_append_printf (text, "%s%s %" G_GUINT64_FORMAT, between,
        tl_split_nick (s), counts->of[s][label]);
    between = ", ";
  }
  g_string_append_c (text, ')');
}

static gchar *
describe_classes (const TlDataset *dataset, const Counts *counts)
{
  g_autoptr (GString) text = g_string_new (NULL);
  guint shown = MIN (dataset->n_classes, MAX_CLASSES_SHOWN);

  g_string_append_printf (text, "%u class%s: ", dataset->n_classes,
      dataset->n_classes == 1 ? "" : "es");
  for (guint i = 0; i < shown; i++) {
    if (i > 0)
      g_string_append (text, ", ");
    append_class (text, dataset, counts, i);
  }
  if (shown < dataset->n_classes)
    g_string_append_printf (text, " and %u more", dataset->n_classes - shown);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* Of the first split that is played: it is train wherever there is training.
 * NULL where the classes are balanced. */
static gchar *
describe_imbalance (const TlDataset *dataset, const Counts *counts)
{
  guint s = 0, largest = 0, smallest = 0;
  const guint64 *n;

  while (s < TL_N_SPLITS && !dataset->played[s])
    s++;
  n = counts->of[s];
  for (guint i = 0; i < dataset->n_classes; i++) {
    if (n[i] > n[largest])
      largest = i;
    if (n[i] < n[smallest])
      smallest = i;
  }
  if (n[largest] <= IMBALANCE * n[smallest])
    return NULL;
  return g_strdup_printf ("imbalance in %s: %" G_GUINT64_FORMAT
                          " samples of \"%s\", %" G_GUINT64_FORMAT " of \"%s\"",
      tl_split_nick (s), n[largest], dataset->classes[largest], n[smallest],
      dataset->classes[smallest]);
}

/* A sample that is not alone in its group, or NULL. */
static const TlSample *
find_example (const TlDataset *dataset)
{
  g_autofree guint *seen = g_new0 (guint, dataset->n_groups);

  for (guint i = 0; i < dataset->samples->len; i++) {
    const TlSample *sample = tl_dataset_get (dataset, i);

    if (seen[sample->group]++)
      return sample;
  }
  return NULL;
}

/* "130 groups (train 104, valid 26), for example a_02.jpg -> group c/a"; NULL
 * where every sample is its own. */
static gchar *
describe_groups (const TlDataset *dataset)
{
  const TlSample *example = find_example (dataset);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree gchar *name = NULL, *group = NULL;
  guint total = 0;

  if (!example)
    return NULL;
  name = g_filename_display_basename (example->path);
  group = g_filename_display_name (dataset->groups[example->group]);
  for (guint s = 0; s < TL_N_SPLITS; s++) {
    guint n = tl_dataset_count_groups (dataset, s);

    total += n;
    if (dataset->played[s])
      g_string_append_printf (text, "%s%s %u", text->len ? ", " : "",
          tl_split_nick (s), n);
  }
  return g_strdup_printf ("%u groups (%s), for example %s -> group %s", total,
      text->str, name, group);
}

/* The class line goes first, what is worth a look after it. */
void
tl_summary_add_notes (TlDataset *dataset)
{
  Counts counts;
  gchar *imbalance, *groups;

  for (guint s = 0; s < TL_N_SPLITS; s++)
    counts.of[s] = tl_dataset_count_classes (dataset, s);
  g_ptr_array_insert (dataset->notes, 0, describe_classes (dataset, &counts));
  imbalance = describe_imbalance (dataset, &counts);
  if (imbalance)
    g_ptr_array_insert (dataset->notes, 1, imbalance);
  groups = describe_groups (dataset);
  if (groups)
    g_ptr_array_add (dataset->notes, groups);
  for (guint s = 0; s < TL_N_SPLITS; s++)
    g_free (counts.of[s]);
}

gchar *
tl_summary_totals (const TlDataset *dataset)
{
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (text, "%u sample%s: ", dataset->samples->len,
      dataset->samples->len == 1 ? "" : "s");
  for (guint s = 0, n = 0; s < TL_N_SPLITS; s++) {
    if (dataset->played[s])
      g_string_append_printf (text, "%s%s %u", n++ ? ", " : "",
          tl_split_nick (s), dataset->n[s]);
  }
  return g_string_free (g_steal_pointer (&text), FALSE);
}
