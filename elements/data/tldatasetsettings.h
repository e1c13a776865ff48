/* SPDX-License-Identifier: BSD-3-Clause */

/* The properties of datasetsrc that a user sets. */

#ifndef TL_DATASET_SETTINGS_H
#define TL_DATASET_SETTINGS_H

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct
{
  gchar *location;
  gchar *splits;
  gdouble valid_fraction;
  gchar *group;
  guint epochs;
  gboolean shuffle;
  guint64 seed;
  gboolean seed_given; /* set by the user, so no checkpoint may change it */
  guint max_samples;
} TlDatasetSettings;

/* Identifiers of the properties; an element's own begin at the last. */
enum
{
  TL_DATASET_SETTING_LOCATION = 1,
  TL_DATASET_SETTING_SPLITS,
  TL_DATASET_SETTING_VALID_FRACTION,
  TL_DATASET_SETTING_GROUP,
  TL_DATASET_SETTING_EPOCHS,
  TL_DATASET_SETTING_SHUFFLE,
  TL_DATASET_SETTING_SEED,
  TL_DATASET_SETTING_MAX_SAMPLES,
  TL_DATASET_SETTING_END,
};

void tl_dataset_settings_init (TlDatasetSettings *self);
void tl_dataset_settings_clear (TlDatasetSettings *self);

/* Replaces @self, initialised or all zero, with a deep copy. */
void tl_dataset_settings_copy (TlDatasetSettings *self,
    const TlDatasetSettings *from);

void tl_dataset_settings_install (GObjectClass *klass);

/* FALSE if @id is none of the above. The caller holds the lock. */
gboolean tl_dataset_settings_set (TlDatasetSettings *self, guint id,
    const GValue *value);
gboolean tl_dataset_settings_get (const TlDatasetSettings *self, guint id,
    GValue *value);

G_END_DECLS

#endif
