/* SPDX-License-Identifier: BSD-3-Clause */

/* What is in a data set: classes, samples, splits and groups of a folder of
 * pictures. Reads names only, never the pictures. Not thread-safe. */

#ifndef TL_DATASET_H
#define TL_DATASET_H

/* For TlSplit and TL_MAX_CLASSES: no element and no pipeline is needed. */
#include "tlevents.h"
#include "tlfolder.h"

G_BEGIN_DECLS

typedef struct
{
  const gchar *location;  /* the folder */
  const gchar *splits;    /* "" or NULL: train and valid as present */
  const gchar *group;     /* "auto", "none" or a regular expression */
  gdouble valid_fraction; /* [0, 1], used where valid has no folder */
} TlDatasetOptions;

typedef struct
{
  gchar *path;   /* relative to the location, bytes of the file system */
  guint32 label; /* index into classes */
  guint32 group; /* index into groups */
  TlSplit split;
} TlSample;

typedef struct
{
  gchar *location;
  gchar **classes; /* NULL-terminated UTF-8, sorted */
  guint n_classes;
  gchar **groups; /* NULL-terminated, in the order of their first sample */
  guint n_groups;

  /* All splits that are played, one after the other, each in file order:
   * samples[first[s]] to samples[first[s] + n[s] - 1]. */
  GArray *samples; /* of TlSample */
  gboolean played[TL_N_SPLITS];
  guint32 first[TL_N_SPLITS];
  guint32 n[TL_N_SPLITS];

  /* sha256, 64 hex digits, over the classes and the path, label and split of
   * every sample, never over the content of the files. */
  gchar digest[65];

  GPtrArray *notes;    /* lines for the user: what was found */
  GPtrArray *warnings; /* sentences: what may be wrong */
} TlDataset;

/* Reads the folders. NULL with @error in TL_DATASET_ERROR, whose code is a
 * TlStatus and whose message is one sentence for the user. *transferred*. */
TlDataset *tl_dataset_load (const TlDatasetOptions *options, GError **error);
void tl_dataset_free (TlDataset *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TlDataset, tl_dataset_free)

/* Keeps at most @max samples (0: all) of each split, drawn with @seed, the
 * classes in the same proportion as before and none of them lost while @max
 * allows; changes the digest. */
void tl_dataset_limit (TlDataset *self, guint64 max, guint64 seed);

/* Borrowed; @i is below samples->len. */
const TlSample *tl_dataset_get (const TlDataset *self, guint i);

/* Samples of each class in @split: n_classes values, *transferred*. */
guint64 *tl_dataset_count_classes (const TlDataset *self, TlSplit split);

/* Groups that have a sample in @split. */
guint tl_dataset_count_groups (const TlDataset *self, TlSplit split);

G_END_DECLS

#endif
