/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlgrouping.h"

#include <string.h>

#include <tlstatus.h>

#include "tlgroup.h"

#define MAX_LEAKS_SHOWN 5

/* ---- the name of each sample's group ---- */

typedef enum
{
  GROUP_NONE,
  GROUP_AUTO,
  GROUP_REGEX,
} GroupMode;

typedef struct
{
  GroupMode mode;
  GRegex *regex;
  guint n_unmatched; /* files that the expression does not match */
} Namer;

static GroupMode
mode_from_text (const gchar *group)
{
  if (strcmp (group, "none") == 0)
    return GROUP_NONE;
  return strcmp (group, "auto") == 0 ? GROUP_AUTO : GROUP_REGEX;
}

static TlSample *
sample_at (TlDataset *dataset, guint i)
{
  return &g_array_index (dataset->samples, TlSample, i);
}

/* The path from the class folder on: the same for train/ants/a.jpg and
 * val/ants/a.jpg. */
static const gchar *
path_in_split (const TlSample *sample, const TlLayout *layout)
{
  const gchar *folder = layout->folder[sample->split];

  if (strcmp (folder, ".") == 0)
    return sample->path;
  return sample->path + strlen (folder) + 1;
}

static gchar *
match_group (Namer *namer, const gchar *path)
{
  g_autoptr (GMatchInfo) match = NULL;
  gchar *name;

  if (!g_regex_match (namer->regex, path, 0, &match)) {
    namer->n_unmatched++;
    return NULL;
  }
  name = g_match_info_fetch (match, 1);
  if (name && *name)
    return name;
  g_free (name);
  return g_match_info_fetch (match, 0);
}

/* A sample without a group gets one of its own, named by its whole path. */
static gchar *
name_group (Namer *namer, const TlSample *sample, const TlLayout *layout)
{
  const gchar *path = path_in_split (sample, layout);
  gchar *name = NULL;

  if (namer->mode == GROUP_AUTO)
    name = tl_group_from_path (path);
  else if (namer->mode == GROUP_REGEX)
    name = match_group (namer, path);
  return name ? name : g_strdup (sample->path);
}

static void
assign_groups (TlDataset *dataset, const TlLayout *layout, Namer *namer)
{
  g_autoptr (GHashTable) ids = g_hash_table_new (g_str_hash, g_str_equal);
  GPtrArray *names = g_ptr_array_new ();

  for (guint i = 0; i < dataset->samples->len; i++) {
    TlSample *sample = sample_at (dataset, i);
    gchar *name = name_group (namer, sample, layout);
    gpointer id;

    if (g_hash_table_lookup_extended (ids, name, NULL, &id)) {
      sample->group = GPOINTER_TO_UINT (id);
      g_free (name);
      continue;
    }
    sample->group = names->len;
    g_hash_table_insert (ids, name, GUINT_TO_POINTER (names->len));
    g_ptr_array_add (names, name);
  }
  g_strfreev (dataset->groups);
  dataset->n_groups = names->len;
  g_ptr_array_add (names, NULL);
  dataset->groups = (gchar **) g_ptr_array_free (names, FALSE);
}

/* ---- when the names tell nothing ---- */

static guint64 *
count_members (TlDataset *dataset)
{
  guint64 *n = g_new0 (guint64, dataset->n_groups);

  for (guint i = 0; i < dataset->samples->len; i++)
    n[sample_at (dataset, i)->group]++;
  return n;
}

static gboolean
most_are_alone (TlDataset *dataset)
{
  g_autofree guint64 *members = count_members (dataset);
  guint alone = 0;

  for (guint i = 0; i < dataset->n_groups; i++)
    alone += members[i] == 1;
  return 2 * (guint64) alone >= dataset->samples->len;
}

/* A class all of whose samples are in one group, or -1. */
static gint
find_one_group_class (TlDataset *dataset)
{
  g_autofree gint64 *only = g_new (gint64, dataset->n_classes);

  for (guint i = 0; i < dataset->n_classes; i++)
    only[i] = -1;
  for (guint i = 0; i < dataset->samples->len; i++) {
    const TlSample *sample = sample_at (dataset, i);
    gint64 *group = &only[sample->label];

    if (*group == -1)
      *group = sample->group;
    else if (*group != sample->group)
      *group = -2; /* two or more */
  }
  for (guint i = 0; i < dataset->n_classes; i++) {
    if (only[i] >= 0)
      return i;
  }
  return -1;
}

static void
warn_one_group (TlDataset *dataset, gint label, gboolean draw)
{
  gchar *text = g_strdup_printf (
      "The file names show one group only for the class \"%s\", so groups are "
      "not used%s: frames of one video may be in both train and valid, and the "
      "scores too good. Give group=REGEX, or group=none if every file stands "
      "alone.",
      dataset->classes[label], draw ? " and valid is drawn file by file" : "");

  g_ptr_array_add (dataset->warnings, text);
}

/* group=auto is a guess from names. It holds where names repeat; given splits,
 * which can only be refused, take more evidence than a draw, which loses
 * nothing by keeping two files together. */
static void
stand_down (TlDataset *dataset, const TlLayout *layout, Namer *namer)
{
  gint label = find_one_group_class (dataset);

  if (dataset->n_groups < dataset->samples->len && label < 0
      && (layout->draw || !most_are_alone (dataset)))
    return;
  if (dataset->n_groups < dataset->samples->len && label >= 0 && layout->draw)
    warn_one_group (dataset, label, layout->draw);
  else
    g_ptr_array_add (dataset->notes,
        g_strdup ("the file names show no groups: every file is its own"));
  namer->mode = GROUP_NONE;
  assign_groups (dataset, layout, namer);
}

static void
warn_none (TlDataset *dataset, const TlLayout *layout)
{
  g_ptr_array_add (dataset->warnings,
      g_strdup_printf ("group=none: %s, so frames of one video or pictures of "
                       "one patient may be on both sides, and the scores too "
                       "good.",
          layout->draw ? "valid is drawn file by file"
                       : "the splits are not checked for shared groups"));
}

/* ---- given splits ---- */

static gboolean
is_in_two (guint mask)
{
  return mask & (mask - 1);
}

/* Under group=auto a group that is a whole class folder (IMG_0001.jpg...) says
 * nothing about a video. */
static gboolean
counts_as_leak (const Namer *namer, const gchar *name, guint mask)
{
  return is_in_two (mask)
      && (namer->mode == GROUP_REGEX || strchr (name, '/') != NULL);
}

static gboolean
check_leaks (TlDataset *dataset, const Namer *namer, GError **error)
{
  g_autofree guint8 *masks = g_new0 (guint8, dataset->n_groups);
  g_autoptr (GString) list = g_string_new (NULL);
  guint n = 0;

  for (guint i = 0; i < dataset->samples->len; i++) {
    const TlSample *sample = sample_at (dataset, i);

    masks[sample->group] |= 1 << sample->split;
  }
  for (guint i = 0; i < dataset->n_groups; i++) {
    g_autofree gchar *shown = NULL;

    if (!counts_as_leak (namer, dataset->groups[i], masks[i])
        || n++ >= MAX_LEAKS_SHOWN)
      continue;
    shown = g_filename_display_name (dataset->groups[i]);
    g_string_append_printf (list, "%s\"%s\"", list->len ? ", " : "", shown);
  }
  if (n == 0)
    return TRUE;
  g_set_error (error, TL_DATASET_ERROR, TL_ERROR_ARGUMENT,
      "%u group%s in two splits of \"%s\": %s%s. Move each group into one "
      "split, or set group=none if these are not frames of one video or "
      "pictures of one patient.",
      n, n == 1 ? " is" : "s are", dataset->location, list->str,
      n > MAX_LEAKS_SHOWN ? ", ..." : "");
  return FALSE;
}

/* ---- valid drawn from train ---- */

/* The stratum of a group is the rarest class in it, so that a class that is
 * only in few videos is spread too. Groups without a train sample get none. */
static guint32 *
find_strata (TlDataset *dataset, guint64 *n_samples)
{
  g_autofree guint64 *of_class = g_new0 (guint64, dataset->n_classes);
  guint32 *strata = g_new (guint32, dataset->n_groups);

  for (guint i = 0; i < dataset->n_groups; i++)
    strata[i] = G_MAXUINT32;
  for (guint i = 0; i < dataset->samples->len; i++)
    of_class[sample_at (dataset, i)->label]++;
  for (guint i = 0; i < dataset->samples->len; i++) {
    const TlSample *sample = sample_at (dataset, i);
    guint32 *stratum = &strata[sample->group];

    if (sample->split != TL_SPLIT_TRAIN)
      continue;
    n_samples[sample->group]++;
    if (*stratum == G_MAXUINT32 || of_class[sample->label] < of_class[*stratum])
      *stratum = sample->label;
  }
  return strata;
}

static void
draw_valid (TlDataset *dataset, gdouble fraction)
{
  g_autofree guint64 *n_samples = g_new0 (guint64, dataset->n_groups);
  g_autofree guint32 *strata = find_strata (dataset, n_samples);
  g_autofree gboolean *drawn = g_new (gboolean, dataset->n_groups);

  tl_group_draw (dataset->groups, n_samples, strata, dataset->n_groups,
      dataset->n_classes, fraction, drawn);
  for (guint i = 0; i < dataset->samples->len; i++) {
    TlSample *sample = sample_at (dataset, i);

    if (sample->split == TL_SPLIT_TRAIN && drawn[sample->group])
      sample->split = TL_SPLIT_VALID;
  }
  g_ptr_array_add (dataset->notes,
      g_strdup_printf ("valid is drawn from the same folders, by %s "
                       "(valid-fraction=%.4g)",
          dataset->n_groups < dataset->samples->len ? "group" : "file",
          fraction));
}

/* ---- all of it ---- */

static gboolean
open_namer (Namer *namer, const gchar *group, GError **error)
{
  g_autoptr (GError) bad = NULL;

  namer->mode = mode_from_text (group);
  if (namer->mode != GROUP_REGEX)
    return TRUE;
  /* Raw: names are bytes and need not be UTF-8. */
  namer->regex = *group ? g_regex_new (group, G_REGEX_RAW, 0, &bad) : NULL;
  if (namer->regex)
    return TRUE;
  g_set_error (error, TL_DATASET_ERROR, TL_ERROR_ARGUMENT,
      "group=\"%s\" is neither auto nor none nor a regular expression%s%s.",
      group, bad ? ": " : "", bad ? bad->message : "");
  return FALSE;
}

static gboolean
check_matches (TlDataset *dataset, const Namer *namer, const gchar *group,
    GError **error)
{
  g_autofree gchar *shown = NULL;

  if (namer->n_unmatched == 0)
    return TRUE;
  if (namer->n_unmatched < dataset->samples->len) {
    g_ptr_array_add (dataset->notes,
        g_strdup_printf ("%u files do not match group=%s: each is its own "
                         "group",
            namer->n_unmatched, group));
    return TRUE;
  }
  shown = g_filename_display_name (sample_at (dataset, 0)->path);
  g_set_error (error, TL_DATASET_ERROR, TL_ERROR_ARGUMENT,
      "group=%s matches no file, for example not \"%s\".", group, shown);
  return FALSE;
}

static gboolean
apply (TlDataset *dataset, const TlLayout *layout, Namer *namer,
    const TlDatasetOptions *options, GError **error)
{
  assign_groups (dataset, layout, namer);
  if (!check_matches (dataset, namer, options->group, error))
    return FALSE;
  if (namer->mode == GROUP_AUTO)
    stand_down (dataset, layout, namer);
  else if (namer->mode == GROUP_NONE)
    warn_none (dataset, layout);
  if (namer->mode != GROUP_NONE && !check_leaks (dataset, namer, error))
    return FALSE;
  if (layout->draw)
    draw_valid (dataset, options->valid_fraction);
  return TRUE;
}

gboolean
tl_grouping_apply (TlDataset *dataset, const TlLayout *layout,
    const TlDatasetOptions *options, GError **error)
{
  const gchar *group = options->group ? options->group : "auto";
  Namer namer = {0};
  gboolean ok;

  if (!open_namer (&namer, group, error))
    return FALSE;
  ok = apply (dataset, layout, &namer, options, error);
  g_clear_pointer (&namer.regex, g_regex_unref);
  return ok;
}
