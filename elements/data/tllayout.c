/* SPDX-License-Identifier: BSD-3-Clause */

#include "tllayout.h"

#include <string.h>

#include <tlstatus.h>

#include "tlfolder.h"

void
tl_layout_clear (TlLayout *self)
{
  for (guint i = 0; i < TL_N_SPLITS; i++)
    g_clear_pointer (&self->folder[i], g_free);
}

/* "validation" is a folder's name only: tl_split_from_nick takes the rest. */
static gboolean
split_from_folder (const gchar *name, TlSplit *split)
{
  if (strcmp (name, "validation") == 0)
    name = "valid";
  return tl_split_from_nick (name, split);
}

/* ---- what is there ---- */

static gboolean
take_split_folders (TlLayout *self, GPtrArray *names, const gchar *location,
    GError **error)
{
  for (guint i = 0; i < names->len; i++) {
    const gchar *name = names->pdata[i];
    TlSplit split;

    if (!split_from_folder (name, &split))
      continue;
    if (self->folder[split]) {
      g_set_error (error, TL_DATASET_ERROR, TL_ERROR_ARGUMENT,
          "\"%s\" has both %s/ and %s/: keep one folder for the split \"%s\".",
          location, self->folder[split], name, tl_split_nick (split));
      return FALSE;
    }
    self->folder[split] = g_strdup (name);
  }
  return TRUE;
}

/* With train/ there, or nothing but folders named after splits. A lone "test"
 * among other folders is a class. */
static gboolean
has_split_folders (GPtrArray *names)
{
  guint n_named = 0;
  TlSplit split;

  for (guint i = 0; i < names->len; i++) {
    if (strcmp (names->pdata[i], "train") == 0)
      return TRUE;
    n_named += split_from_folder (names->pdata[i], &split);
  }
  return n_named > 0 && n_named == names->len;
}

static gboolean
find_folders (TlLayout *self, const gchar *location, GError **error)
{
  g_autoptr (GPtrArray) names = tl_folder_list_folders (location, NULL, error);
  g_autofree gchar *shown = g_filename_display_name (location);

  if (!names)
    return FALSE;
  if (names->len == 0) {
    g_set_error (error, TL_DATASET_ERROR, TL_ERROR_NOT_FOUND,
        "\"%s\" has no class folders: put the pictures of each class into a "
        "folder named after the class.",
        shown);
    return FALSE;
  }
  if (has_split_folders (names))
    return take_split_folders (self, names, shown, error);
  /* Class folders: one set of samples, from which valid may be drawn. */
  self->folder[TL_SPLIT_TRAIN] = g_strdup (".");
  return TRUE;
}

/* ---- what is asked for ---- */

static gboolean
parse_splits (TlLayout *self, const gchar *splits, GError **error)
{
  g_auto (GStrv) nicks = g_strsplit (splits, ",", -1);

  for (gchar **nick = nicks; *nick; nick++) {
    TlSplit split;

    if (!tl_split_from_nick (g_strstrip (*nick), &split)) {
      g_set_error (error, TL_DATASET_ERROR, TL_ERROR_ARGUMENT,
          "splits=%s: \"%s\" is no split; give train, valid or test, joined "
          "with commas.",
          splits, *nick);
      return FALSE;
    }
    if (self->wanted[split]) {
      g_set_error (error, TL_DATASET_ERROR, TL_ERROR_ARGUMENT,
          "splits=%s names %s twice.", splits, *nick);
      return FALSE;
    }
    self->wanted[split] = TRUE;
  }
  return TRUE;
}

static gboolean
fail_missing (const gchar *location, TlSplit split, GError **error)
{
  g_autofree gchar *shown = g_filename_display_name (location);

  if (split == TL_SPLIT_VALID)
    g_set_error (error, TL_DATASET_ERROR, TL_ERROR_NOT_FOUND,
        "splits asks for valid, but \"%s\" has no valid/ or val/ folder and "
        "there is nothing to draw it from: it takes a train/ folder and "
        "valid-fraction above 0.",
        shown);
  else
    g_set_error (error, TL_DATASET_ERROR, TL_ERROR_NOT_FOUND,
        "splits asks for %s, but \"%s\" has no %s/ folder.",
        tl_split_nick (split), shown, tl_split_nick (split));
  return FALSE;
}

static gboolean
choose_default (TlLayout *self, const gchar *location, gdouble valid_fraction,
    GError **error)
{
  g_autofree gchar *shown = g_filename_display_name (location);
  gboolean all_drawn = self->draw && valid_fraction >= 1;

  self->wanted[TL_SPLIT_TRAIN] = self->folder[TL_SPLIT_TRAIN] && !all_drawn;
  self->wanted[TL_SPLIT_VALID] = self->folder[TL_SPLIT_VALID] || self->draw;
  if (self->wanted[TL_SPLIT_TRAIN] || self->wanted[TL_SPLIT_VALID])
    return TRUE;
  g_set_error (error, TL_DATASET_ERROR, TL_ERROR_NOT_FOUND,
      "\"%s\" has neither train/ nor valid/: set splits=test to evaluate on "
      "its test/ folder.",
      shown);
  return FALSE;
}

/* With splits=test, class folders right at the location are the test split. */
static void
take_all_as_test (TlLayout *self)
{
  if (self->wanted[TL_SPLIT_TRAIN] || self->wanted[TL_SPLIT_VALID]
      || g_strcmp0 (self->folder[TL_SPLIT_TRAIN], ".") != 0)
    return;
  self->folder[TL_SPLIT_TEST] = g_steal_pointer (&self->folder[TL_SPLIT_TRAIN]);
}

static gboolean
choose (TlLayout *self, const gchar *location, const gchar *splits,
    gdouble valid_fraction, GError **error)
{
  gboolean named = splits && *splits;

  if (named && !parse_splits (self, splits, error))
    return FALSE;
  if (named)
    take_all_as_test (self);
  self->draw = self->folder[TL_SPLIT_TRAIN] && !self->folder[TL_SPLIT_VALID]
      && valid_fraction > 0;
  if (!named)
    return choose_default (self, location, valid_fraction, error);

  for (guint i = 0; i < TL_N_SPLITS; i++) {
    if (!self->wanted[i] || self->folder[i])
      continue;
    if (i != TL_SPLIT_VALID || !self->draw)
      return fail_missing (location, i, error);
  }
  return TRUE;
}

gboolean
tl_layout_find (TlLayout *self, const gchar *location, const gchar *splits,
    gdouble valid_fraction, GError **error)
{
  g_auto (TlLayout) found = {0};

  if (!find_folders (&found, location, error)
      || !choose (&found, location, splits, valid_fraction, error))
    return FALSE;
  *self = found;
  memset (&found, 0, sizeof found);
  return TRUE;
}
