/* SPDX-License-Identifier: BSD-3-Clause */

#include "tldatasetsettings.h"

#include <tlrange.h>

#include "tldataset.h"

#define DEFAULT_SPLITS ""
#define DEFAULT_VALID_FRACTION 0.2
#define DEFAULT_GROUP "auto"
#define DEFAULT_EPOCHS 1
#define DEFAULT_SHUFFLE TRUE
#define DEFAULT_SEED 0
#define DEFAULT_MAX_SAMPLES 0

#define MAX_EPOCHS 1000000

void
tl_dataset_settings_init (TlDatasetSettings *self)
{
  self->splits = g_strdup (DEFAULT_SPLITS);
  self->valid_fraction = DEFAULT_VALID_FRACTION;
  self->group = g_strdup (DEFAULT_GROUP);
  self->epochs = DEFAULT_EPOCHS;
  self->shuffle = DEFAULT_SHUFFLE;
  self->seed = DEFAULT_SEED;
  self->max_samples = DEFAULT_MAX_SAMPLES;
}

void
tl_dataset_settings_clear (TlDatasetSettings *self)
{
  g_clear_pointer (&self->location, g_free);
  g_clear_pointer (&self->splits, g_free);
  g_clear_pointer (&self->group, g_free);
}

void
tl_dataset_settings_copy (TlDatasetSettings *self,
    const TlDatasetSettings *from)
{
  tl_dataset_settings_clear (self);
  *self = *from;
  self->location = g_strdup (from->location);
  self->splits = g_strdup (from->splits);
  self->group = g_strdup (from->group);
}

#define FLAGS                                                                  \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)

static void
install_folder_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, TL_DATASET_SETTING_LOCATION,
      g_param_spec_string ("location", "Location",
          "Folder with train/ and val/ (or valid/, validation/), test/ below "
          "it, or with one folder per class",
          NULL, FLAGS));
  g_object_class_install_property (klass, TL_DATASET_SETTING_SPLITS,
      g_param_spec_string ("splits", "Splits",
          "Comma-separated splits to play: train, valid, test; valid or test "
          "alone is evaluation only (empty = train and valid as present)",
          DEFAULT_SPLITS, FLAGS));
  g_object_class_install_property (klass, TL_DATASET_SETTING_VALID_FRACTION,
      tl_param_spec_set_range (
          g_param_spec_double ("valid-fraction", "Validation fraction",
              "Share of the samples, 0 to 1, drawn as valid by group where "
              "there is no folder for it (0 = none)",
              -G_MAXDOUBLE, G_MAXDOUBLE, DEFAULT_VALID_FRACTION, FLAGS),
          0, 1));
  g_object_class_install_property (klass, TL_DATASET_SETTING_GROUP,
      g_param_spec_string ("group", "Group",
          "Samples that must stay in one split: auto = by the file name without "
          "its frame number, a regular expression (its first group, on the path "
          "from the class folder on), or none",
          DEFAULT_GROUP, FLAGS));
}

static void
install_run_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, TL_DATASET_SETTING_EPOCHS,
      tl_param_spec_set_range (
          g_param_spec_uint ("epochs", "Epochs",
              "Times that the data set is played, 0 to 1000000 (0 = endless)",
              0, G_MAXUINT, DEFAULT_EPOCHS, FLAGS),
          0, MAX_EPOCHS));
  g_object_class_install_property (klass, TL_DATASET_SETTING_SHUFFLE,
      g_param_spec_boolean ("shuffle", "Shuffle",
          "Play train in a new order in every epoch", DEFAULT_SHUFFLE, FLAGS));
  g_object_class_install_property (klass, TL_DATASET_SETTING_SEED,
      g_param_spec_uint64 ("seed", "Seed",
          "Keys the order, the augmentation and a new head; a resumed run "
          "takes that of its checkpoint",
          0, G_MAXUINT64, DEFAULT_SEED, FLAGS));
  g_object_class_install_property (klass, TL_DATASET_SETTING_MAX_SAMPLES,
      tl_param_spec_set_range (
          g_param_spec_uint ("max-samples", "Maximum of samples",
              "Most samples of each split, up to 20000000, drawn by seed with the "
              "classes in proportion (0 = all)",
              0, G_MAXUINT, DEFAULT_MAX_SAMPLES, FLAGS),
          0, TL_DATASET_MAX_FILES));
}

void
tl_dataset_settings_install (GObjectClass *klass)
{
  install_folder_properties (klass);
  install_run_properties (klass);
}

static void
set_text (gchar **field, const GValue *value, const gchar *otherwise)
{
  const gchar *text = g_value_get_string (value);

  g_free (*field);
  *field = g_strdup (text ? text : otherwise);
}

gboolean
tl_dataset_settings_set (TlDatasetSettings *self, guint id, const GValue *value)
{
  switch (id) {
    case TL_DATASET_SETTING_LOCATION:
      set_text (&self->location, value, NULL);
      break;
    case TL_DATASET_SETTING_SPLITS:
      set_text (&self->splits, value, DEFAULT_SPLITS);
      break;
    case TL_DATASET_SETTING_VALID_FRACTION:
      self->valid_fraction = g_value_get_double (value);
      break;
    case TL_DATASET_SETTING_GROUP:
      set_text (&self->group, value, DEFAULT_GROUP);
      break;
    case TL_DATASET_SETTING_EPOCHS:
      self->epochs = g_value_get_uint (value);
      break;
    case TL_DATASET_SETTING_SHUFFLE:
      self->shuffle = g_value_get_boolean (value);
      break;
    case TL_DATASET_SETTING_SEED:
      self->seed = g_value_get_uint64 (value);
      self->seed_given = TRUE;
      break;
    case TL_DATASET_SETTING_MAX_SAMPLES:
      self->max_samples = g_value_get_uint (value);
      break;
    default:
      return FALSE;
  }
  return TRUE;
}

gboolean
tl_dataset_settings_get (const TlDatasetSettings *self, guint id, GValue *value)
{
  switch (id) {
    case TL_DATASET_SETTING_LOCATION:
      g_value_set_string (value, self->location);
      break;
    case TL_DATASET_SETTING_SPLITS:
      g_value_set_string (value, self->splits);
      break;
    case TL_DATASET_SETTING_VALID_FRACTION:
      g_value_set_double (value, self->valid_fraction);
      break;
    case TL_DATASET_SETTING_GROUP:
      g_value_set_string (value, self->group);
      break;
    case TL_DATASET_SETTING_EPOCHS:
      g_value_set_uint (value, self->epochs);
      break;
    case TL_DATASET_SETTING_SHUFFLE:
      g_value_set_boolean (value, self->shuffle);
      break;
    case TL_DATASET_SETTING_SEED:
      g_value_set_uint64 (value, self->seed);
      break;
    case TL_DATASET_SETTING_MAX_SAMPLES:
      g_value_set_uint (value, self->max_samples);
      break;
    default:
      return FALSE;
  }
  return TRUE;
}
