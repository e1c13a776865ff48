/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlcheckpointsettings.h"
#include "tlcheckpointexport.h"

#include <tlrange.h>

#include <string.h>

#define DEFAULT_LOCATION ""
#define DEFAULT_SAVE_LAST TRUE
#define DEFAULT_SAVE_TOP_K 1
#define MAX_SAVE_TOP_K 100
#define DEFAULT_MONITOR "balanced-accuracy"
#define DEFAULT_MODE TL_MONITOR_AUTO
#define DEFAULT_EXPORT ""

static const gchar *const monitors[] = {"balanced-accuracy", "accuracy", "loss",
    "auc", NULL};

GType
tl_monitor_mode_get_type (void)
{
  static const GEnumValue values[] = {
      {TL_MONITOR_AUTO, "Smaller for loss, larger for the rest", "auto"},
      {TL_MONITOR_MIN, "Smaller is better", "min"},
      {TL_MONITOR_MAX, "Larger is better", "max"},
      {0, NULL, NULL},
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("TlMonitorMode", values));
  return type;
}

void
tl_checkpoint_settings_init (TlCheckpointSettings *self)
{
  *self = (TlCheckpointSettings){.location = g_strdup (DEFAULT_LOCATION),
      .save_last = DEFAULT_SAVE_LAST,
      .save_top_k = DEFAULT_SAVE_TOP_K,
      .monitor = g_strdup (DEFAULT_MONITOR),
      .mode = DEFAULT_MODE,
      .export = g_strdup (DEFAULT_EXPORT)};
}

void
tl_checkpoint_settings_clear (TlCheckpointSettings *self)
{
  g_clear_pointer (&self->location, g_free);
  g_clear_pointer (&self->monitor, g_free);
  g_clear_pointer (&self->export, g_free);
}

void
tl_checkpoint_settings_install (GObjectClass *klass)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  g_object_class_install_property (klass, TL_CHECKPOINT_SETTING_LOCATION,
      g_param_spec_string ("location", "Location",
          "Folder of the run's files, created where missing; must be set",
          DEFAULT_LOCATION, flags));
  g_object_class_install_property (klass, TL_CHECKPOINT_SETTING_SAVE_LAST,
      g_param_spec_boolean ("save-last", "Save last",
          "Keep the newest checkpoint as last.safetensors, from which a run "
          "resumes",
          DEFAULT_SAVE_LAST, flags));
  g_object_class_install_property (klass, TL_CHECKPOINT_SETTING_SAVE_TOP_K,
      tl_param_spec_set_range (
          g_param_spec_uint ("save-top-k", "Save top k",
              "Best epochs kept, 0 to 100: 0 none, 1 best.safetensors, more "
              "also as epoch-NNN.safetensors",
              0, G_MAXUINT, DEFAULT_SAVE_TOP_K, flags),
          0, MAX_SAVE_TOP_K));
  g_object_class_install_property (klass, TL_CHECKPOINT_SETTING_MONITOR,
      g_param_spec_string ("monitor", "Monitor",
          "Validation metric that decides which epoch is best, ties by loss: "
          "balanced-accuracy, accuracy, loss, auc",
          DEFAULT_MONITOR, flags));
  g_object_class_install_property (klass, TL_CHECKPOINT_SETTING_MODE,
      g_param_spec_enum ("mode", "Mode",
          "Whether a larger or a smaller value of the monitored metric is "
          "better",
          TL_TYPE_MONITOR_MODE, DEFAULT_MODE, flags));
  g_object_class_install_property (klass, TL_CHECKPOINT_SETTING_EXPORT,
      g_param_spec_string ("export", "Export",
          "Formats in which the best checkpoint is written too, for other "
          "programs: onnx, pth, or both with a comma; empty: none",
          DEFAULT_EXPORT, flags));
  gst_type_mark_as_plugin_api (TL_TYPE_MONITOR_MODE, 0);
}

static void
set_text (gchar **text, const GValue *value)
{
  g_free (*text);
  *text = g_value_dup_string (value);
}

gboolean
tl_checkpoint_settings_set (TlCheckpointSettings *self, guint id,
    const GValue *value)
{
  switch (id) {
    case TL_CHECKPOINT_SETTING_LOCATION:
      set_text (&self->location, value);
      return TRUE;
    case TL_CHECKPOINT_SETTING_SAVE_LAST:
      self->save_last = g_value_get_boolean (value);
      return TRUE;
    case TL_CHECKPOINT_SETTING_SAVE_TOP_K:
      self->save_top_k = g_value_get_uint (value);
      return TRUE;
    case TL_CHECKPOINT_SETTING_MONITOR:
      set_text (&self->monitor, value);
      return TRUE;
    case TL_CHECKPOINT_SETTING_MODE:
      self->mode = g_value_get_enum (value);
      return TRUE;
    case TL_CHECKPOINT_SETTING_EXPORT:
      set_text (&self->export, value);
      return TRUE;
    default:
      return FALSE;
  }
}

gboolean
tl_checkpoint_settings_get (const TlCheckpointSettings *self, guint id,
    GValue *value)
{
  switch (id) {
    case TL_CHECKPOINT_SETTING_LOCATION:
      g_value_set_string (value, self->location);
      return TRUE;
    case TL_CHECKPOINT_SETTING_SAVE_LAST:
      g_value_set_boolean (value, self->save_last);
      return TRUE;
    case TL_CHECKPOINT_SETTING_SAVE_TOP_K:
      g_value_set_uint (value, self->save_top_k);
      return TRUE;
    case TL_CHECKPOINT_SETTING_MONITOR:
      g_value_set_string (value, self->monitor);
      return TRUE;
    case TL_CHECKPOINT_SETTING_MODE:
      g_value_set_enum (value, self->mode);
      return TRUE;
    case TL_CHECKPOINT_SETTING_EXPORT:
      g_value_set_string (value, self->export);
      return TRUE;
    default:
      return FALSE;
  }
}

/* ---- what a folder is opened with ---- */

static gchar *
dup_text (const gchar *text)
{
  return g_strdup (text ? text : "");
}

void
tl_checkpoint_settings_get_folder (const TlCheckpointSettings *self,
    TlRunFolderSettings *ret)
{
  *ret = (TlRunFolderSettings){
      .location = dup_text (self->location),
      .save_last = self->save_last,
      .save_top_k = self->save_top_k,
      .monitor = dup_text (self->monitor),
      .lower_is_better = self->mode == TL_MONITOR_AUTO
          ? g_strcmp0 (self->monitor, "loss") == 0
          : self->mode == TL_MONITOR_MIN,
      .export = dup_text (self->export),
  };
}

void
tl_checkpoint_settings_clear_folder (TlRunFolderSettings *settings)
{
  g_free ((gpointer) settings->location);
  g_free ((gpointer) settings->monitor);
  g_free ((gpointer) settings->export);
  *settings = (TlRunFolderSettings){0};
}

gboolean
tl_checkpoint_settings_check (GstElement *element,
    const TlRunFolderSettings *settings)
{
  if (!*settings->location) {
    GST_ELEMENT_ERROR (element, RESOURCE, NOT_FOUND,
        ("No location is set: name the folder for the files of the run, as in "
         "checkpointsink location=run."),
        (NULL));
    return FALSE;
  }
  if (!g_strv_contains (monitors, settings->monitor)) {
    GST_ELEMENT_ERROR (element, LIBRARY, SETTINGS,
        ("monitor=\"%s\" is not known: choose balanced-accuracy, accuracy, loss "
         "or auc.",
            settings->monitor),
        (NULL));
    return FALSE;
  }
  if (*settings->export
      && (!tl_checkpoint_export_check (settings->export)
          || settings->save_top_k == 0)) {
    GST_ELEMENT_ERROR (element, LIBRARY, SETTINGS,
        ("export=\"%s\" is not possible: choose onnx, pth or onnx,pth, and a "
         "save-top-k of 1 or more, for it is the best checkpoint that is "
         "exported.",
            settings->export),
        (NULL));
    return FALSE;
  }
  return tl_element_check_ranges (element);
}
