/* SPDX-License-Identifier: BSD-3-Clause */

#include "tldataset.h"

#include <string.h>

#include <tlrandom.h>
#include <tlstatus.h>

#include "tlgrouping.h"
#include "tllayout.h"
#include "tlsummary.h"

static void
clear_sample (gpointer data)
{
  g_free (((TlSample *) data)->path);
}

static TlDataset *
new_dataset (const gchar *location)
{
  TlDataset *self = g_new0 (TlDataset, 1);

  self->location = g_strdup (location);
  self->samples = g_array_new (FALSE, TRUE, sizeof (TlSample));
  g_array_set_clear_func (self->samples, clear_sample);
  self->notes = g_ptr_array_new_with_free_func (g_free);
  self->warnings = g_ptr_array_new_with_free_func (g_free);
  return self;
}

void
tl_dataset_free (TlDataset *self)
{
  if (!self)
    return;
  g_free (self->location);
  g_strfreev (self->classes);
  g_strfreev (self->groups);
  g_array_unref (self->samples);
  g_ptr_array_unref (self->notes);
  g_ptr_array_unref (self->warnings);
  g_free (self);
}

const TlSample *
tl_dataset_get (const TlDataset *self, guint i)
{
  return &g_array_index (self->samples, TlSample, i);
}

guint64 *
tl_dataset_count_classes (const TlDataset *self, TlSplit split)
{
  guint64 *counts = g_new0 (guint64, self->n_classes);

  for (guint i = 0; i < self->n[split]; i++)
    counts[tl_dataset_get (self, self->first[split] + i)->label]++;
  return counts;
}

guint
tl_dataset_count_groups (const TlDataset *self, TlSplit split)
{
  g_autofree gboolean *seen = g_new0 (gboolean, self->n_groups);
  guint n = 0;

  for (guint i = 0; i < self->n[split]; i++) {
    guint32 group = tl_dataset_get (self, self->first[split] + i)->group;

    n += !seen[group];
    seen[group] = TRUE;
  }
  return n;
}

/* ---- classes ---- */

/* Train's classes rule; without a train folder those of the first split. */
static const gchar *
class_folder (const TlLayout *layout)
{
  for (guint i = 0; i < TL_N_SPLITS; i++) {
    if (layout->folder[i])
      return layout->folder[i];
  }
  return NULL;
}

static gboolean
check_class_names (GPtrArray *names, const gchar *folder, GError **error)
{
  g_autofree gchar *shown = g_filename_display_name (folder);

  if (names->len == 0) {
    g_set_error (error, TL_DATASET_ERROR, TL_ERROR_NOT_FOUND,
        "\"%s\" has no class folders: put the pictures of each class into a "
        "folder named after the class.",
        shown);
    return FALSE;
  }
  if (names->len > TL_MAX_CLASSES) {
    g_set_error (error, TL_DATASET_ERROR, TL_ERROR_LIMIT,
        "\"%s\" has %u class folders; at most %d are possible.", shown,
        names->len, TL_MAX_CLASSES);
    return FALSE;
  }
  for (guint i = 0; i < names->len; i++) {
    g_autofree gchar *name = g_filename_display_name (names->pdata[i]);

    if (g_utf8_validate (names->pdata[i], -1, NULL)
        && !strpbrk (names->pdata[i], "\r\n"))
      continue;
    g_set_error (error, TL_DATASET_ERROR, TL_ERROR_FORMAT,
        "The class folder \"%s\" in \"%s\" has a name that is not one line of "
        "UTF-8 text: rename it.",
        name, shown);
    return FALSE;
  }
  return TRUE;
}

/* One folder with all the pictures is most often the wrong level. */
static gboolean
fail_one_class (const TlDataset *self, const gchar *folder, GError **error)
{
  g_autofree gchar *below = g_build_filename (folder, self->classes[0], NULL);
  g_autoptr (GPtrArray) names = tl_folder_list_folders (below, NULL, NULL);
  gboolean deeper = names && names->len > 0;

  g_set_error (error, TL_DATASET_ERROR, TL_ERROR_ARGUMENT,
      "\"%s\" has one class only, \"%s\": training takes two or more%s%s%s.",
      folder, self->classes[0], deeper ? "; did you mean location=" : "",
      deeper ? below : "", deeper ? "" : " class folders");
  return FALSE;
}

static gboolean
find_classes (TlDataset *self, const TlLayout *layout, GError **error)
{
  g_autofree gchar *folder =
      g_build_filename (self->location, class_folder (layout), NULL);
  g_autoptr (GPtrArray) names = NULL;

  /* g_build_filename keeps the "." of plain class folders. */
  if (g_str_has_suffix (folder, "/."))
    folder[strlen (folder) - 2] = '\0';
  names = tl_folder_list_folders (folder, NULL, error);
  if (!names || !check_class_names (names, folder, error))
    return FALSE;
  self->n_classes = names->len;
  g_ptr_array_add (names, NULL);
  self->classes = (gchar **) g_ptr_array_steal (names, NULL);
  if (self->n_classes < 2 && layout->wanted[TL_SPLIT_TRAIN])
    return fail_one_class (self, folder, error);
  return TRUE;
}

static gint
find_label (const TlDataset *self, const gchar *name)
{
  guint low = 0, high = self->n_classes;

  while (low < high) {
    guint middle = low + (high - low) / 2;
    gint order = strcmp (name, self->classes[middle]);

    if (order == 0)
      return middle;
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return -1;
}

/* ---- samples ---- */

static gboolean
add_class (TlDataset *self, TlSplit split, const gchar *below, guint label,
    TlLeftOut *left_out, GError **error)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new ();

  if (!tl_folder_list_pictures (self->location, below, paths, left_out, error))
    return FALSE;
  if (paths->len == 0) {
    g_set_error (error, TL_DATASET_ERROR, TL_ERROR_NOT_FOUND,
        "Found no picture for the class \"%s\" in \"%s/%s\": files with the "
        "extensions " TL_FOLDER_EXTENSIONS " count.",
        self->classes[label], self->location, below);
    return FALSE;
  }
  if (self->samples->len + paths->len > TL_DATASET_MAX_FILES) {
    g_set_error (error, TL_DATASET_ERROR, TL_ERROR_LIMIT,
        "\"%s\" has more than %d pictures: give location a smaller folder.",
        self->location, TL_DATASET_MAX_FILES);
    g_ptr_array_set_free_func (paths, g_free);
    return FALSE;
  }
  for (guint i = 0; i < paths->len; i++) {
    TlSample sample = {paths->pdata[i], label, 0, split};

    g_array_append_val (self->samples, sample);
  }
  return TRUE;
}

static gboolean
fail_unknown_class (const TlDataset *self, const TlLayout *layout,
    TlSplit split, const gchar *name, GError **error)
{
  g_autofree gchar *shown = g_filename_display_name (name);

  g_set_error (error, TL_DATASET_ERROR, TL_ERROR_ARGUMENT,
      "The class \"%s\" is in %s/ of \"%s\" but not in %s/: rename the folder "
      "or add the class to %s/.",
      shown, layout->folder[split], self->location, class_folder (layout),
      class_folder (layout));
  return FALSE;
}

static void
note_missing_classes (TlDataset *self, TlSplit split, GPtrArray *names)
{
  g_autoptr (GString) missing = g_string_new (NULL);
  guint n = 0;

  for (guint i = 0, k = 0; i < self->n_classes; i++) {
    if (k < names->len && strcmp (names->pdata[k], self->classes[i]) == 0) {
      k++;
    } else if (n++ < 5) {
      g_string_append_printf (missing, "%s\"%s\"", missing->len ? ", " : "",
          self->classes[i]);
    }
  }
  if (n)
    g_ptr_array_add (self->notes,
        g_strdup_printf ("%s has no folder for %s%s", tl_split_nick (split),
            missing->str, n > 5 ? " and others" : ""));
}

static gboolean
add_split (TlDataset *self, const TlLayout *layout, TlSplit split,
    TlLeftOut *left_out, GError **error)
{
  gboolean plain = strcmp (layout->folder[split], ".") == 0;
  g_autofree gchar *folder = plain
      ? g_strdup (self->location)
      : g_build_filename (self->location, layout->folder[split], NULL);
  g_autoptr (GPtrArray) names =
      tl_folder_list_folders (folder, left_out, error);

  if (!names || !check_class_names (names, folder, error))
    return FALSE;
  for (guint i = 0; i < names->len; i++) {
    gint label = find_label (self, names->pdata[i]);
    g_autofree gchar *below = plain
        ? g_strdup (names->pdata[i])
        : g_build_filename (layout->folder[split], names->pdata[i], NULL);

    if (label < 0)
      return fail_unknown_class (self, layout, split, names->pdata[i], error);
    if (!add_class (self, split, below, label, left_out, error))
      return FALSE;
  }
  note_missing_classes (self, split, names);
  return TRUE;
}

/* Every split that is played, and train where valid is drawn from it. */
static gboolean
add_samples (TlDataset *self, const TlLayout *layout, GError **error)
{
  g_auto (TlLeftOut) left_out;
  g_autofree gchar *text = NULL;

  tl_left_out_init (&left_out);
  for (guint i = 0; i < TL_N_SPLITS; i++) {
    gboolean source =
        i == TL_SPLIT_TRAIN && layout->draw && layout->wanted[TL_SPLIT_VALID];

    if (!layout->folder[i] || (!layout->wanted[i] && !source))
      continue;
    if (!add_split (self, layout, i, &left_out, error))
      return FALSE;
  }
  text = tl_left_out_to_string (&left_out);
  if (text)
    g_ptr_array_add (self->notes, g_strconcat ("left out ", text, NULL));
  return TRUE;
}

/* ---- what is played ---- */

static gint
compare_keys (gconstpointer a, gconstpointer b)
{
  const guint64 *x = a, *y = b;

  return x[0] != y[0] ? (x[0] < y[0] ? -1 : 1) : (x[1] > y[1]) - (x[1] < y[1]);
}

/* Keeps samples[i] where keep[i], ordered by split; the order within a split
 * stays. */
static void
keep_samples (TlDataset *self, const gboolean *keep)
{
  GArray *kept = g_array_new (FALSE, TRUE, sizeof (TlSample));

  g_array_set_clear_func (kept, clear_sample);
  for (guint s = 0; s < TL_N_SPLITS; s++) {
    self->first[s] = kept->len;
    for (guint i = 0; i < self->samples->len; i++) {
      TlSample *sample = &g_array_index (self->samples, TlSample, i);

      if (!keep[i] || sample->split != s)
        continue;
      g_array_append_val (kept, *sample);
      sample->path = NULL; /* moved */
    }
    self->n[s] = kept->len - self->first[s];
  }
  g_array_unref (self->samples);
  self->samples = kept;
}

static void
update_digest (TlDataset *self)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);

  /* Each string with its NUL, so that no two data sets give the same bytes. */
  for (guint i = 0; i < self->n_classes; i++)
    g_checksum_update (checksum, (const guchar *) self->classes[i],
        strlen (self->classes[i]) + 1);
  for (guint i = 0; i < self->samples->len; i++) {
    const TlSample *sample = tl_dataset_get (self, i);
    g_autofree gchar *what =
        g_strdup_printf ("%s %u", tl_split_nick (sample->split), sample->label);

    g_checksum_update (checksum, (const guchar *) what, strlen (what) + 1);
    g_checksum_update (checksum, (const guchar *) sample->path,
        strlen (sample->path) + 1);
  }
  g_strlcpy (self->digest, g_checksum_get_string (checksum),
      sizeof self->digest);
}

static gboolean
keep_played (TlDataset *self, const TlLayout *layout, GError **error)
{
  g_autofree gboolean *keep = g_new (gboolean, self->samples->len);

  for (guint i = 0; i < self->samples->len; i++)
    keep[i] = layout->wanted[tl_dataset_get (self, i)->split];
  keep_samples (self, keep);
  for (guint s = 0; s < TL_N_SPLITS; s++) {
    self->played[s] = layout->wanted[s];
    if (self->played[s] && self->n[s] == 0) {
      g_set_error (error, TL_DATASET_ERROR, TL_ERROR_ARGUMENT,
          "There is no sample for the split %s in \"%s\": change "
          "valid-fraction or add pictures.",
          tl_split_nick (s), self->location);
      return FALSE;
    }
  }
  update_digest (self);
  return TRUE;
}

TlDataset *
tl_dataset_load (const TlDatasetOptions *options, GError **error)
{
  g_autoptr (TlDataset) self = new_dataset (options->location);
  g_auto (TlLayout) layout = {0};

  if (!tl_layout_find (&layout, options->location, options->splits,
          options->valid_fraction, error)
      || !find_classes (self, &layout, error)
      || !add_samples (self, &layout, error)
      || !tl_grouping_apply (self, &layout, options, error)
      || !keep_played (self, &layout, error))
    return NULL;
  tl_summary_add_notes (self);
  return g_steal_pointer (&self);
}

/* ---- max-samples ---- */

/* The class whose share is furthest from its quota of @max: below it for
 * @step 1, above it for -1. A class keeps one sample and gets no more than it
 * has. */
static guint
find_furthest (const guint64 *shares, const guint64 *have, guint n_classes,
    gdouble ratio, gint step)
{
  gdouble most = -G_MAXDOUBLE;
  guint found = 0;

  for (guint i = 0; i < n_classes; i++) {
    gdouble distance = step * (have[i] * ratio - shares[i]);
    gboolean able = step > 0 ? shares[i] < have[i] : shares[i] > 1;

    if (able && distance > most) {
      most = distance;
      found = i;
    }
  }
  return found;
}

/* Shares @max among the classes in proportion to @counts (largest remainder),
 * at least one each where there is one for each. Turns @counts, whose sum
 * @total is above @max, into the shares. */
static void
share_out (guint64 *counts, guint n_classes, guint64 total, guint64 max)
{
  g_autofree guint64 *have = g_memdup2 (counts, n_classes * sizeof *counts);
  guint64 sum = 0;

  for (guint i = 0; i < n_classes; i++) {
    counts[i] = have[i] * max / total;
    if (counts[i] == 0 && have[i] > 0 && max >= n_classes)
      counts[i] = 1;
    sum += counts[i];
  }
  while (sum != max) {
    gint step = sum < max ? 1 : -1;

    counts[find_furthest (counts, have, n_classes, (gdouble) max / total,
        step)] += step;
    sum += step;
  }
}

/* Of each class of one split, keeps the counts[class] samples with the
 * smallest random keys. */
static void
draw_subset (const TlDataset *self, TlSplit split, guint64 *counts,
    guint64 seed, gboolean *keep)
{
  g_autofree guint64 *keys = g_new (guint64, 2 * (gsize) self->n[split]);

  for (guint i = 0; i < self->n[split]; i++) {
    keys[2 * i] = tl_random_u64 (seed, split, i, TL_DRAW_SUBSET);
    keys[2 * i + 1] = self->first[split] + i;
  }
  qsort (keys, self->n[split], 2 * sizeof *keys, compare_keys);
  for (guint i = 0; i < self->n[split]; i++) {
    guint at = keys[2 * i + 1];
    guint64 *left = &counts[tl_dataset_get (self, at)->label];

    keep[at] = *left > 0;
    *left -= keep[at];
  }
}

void
tl_dataset_limit (TlDataset *self, guint64 max, guint64 seed)
{
  g_autofree gboolean *keep = g_new (gboolean, self->samples->len);

  for (guint i = 0; i < self->samples->len; i++)
    keep[i] = TRUE;
  for (guint s = 0; max > 0 && s < TL_N_SPLITS; s++) {
    g_autofree guint64 *counts = NULL;

    if (self->n[s] <= max)
      continue;
    counts = tl_dataset_count_classes (self, s);
    share_out (counts, self->n_classes, self->n[s], max);
    draw_subset (self, s, counts, seed, keep);
  }
  keep_samples (self, keep);
  update_digest (self);
}
