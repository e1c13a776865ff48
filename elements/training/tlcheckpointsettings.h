/* SPDX-License-Identifier: BSD-3-Clause */

/* The properties of checkpointsink that a user sets. */

#ifndef TL_CHECKPOINT_SETTINGS_H
#define TL_CHECKPOINT_SETTINGS_H

#include "tlrunfolder.h"

#include <gst/gst.h>

G_BEGIN_DECLS

/* Whether a larger or a smaller value of the monitored metric is better. */
typedef enum
{
  TL_MONITOR_AUTO = 0, /* smaller for loss, larger for the rest */
  TL_MONITOR_MIN = 1,
  TL_MONITOR_MAX = 2,
} TlMonitorMode;

#define TL_TYPE_MONITOR_MODE (tl_monitor_mode_get_type ())
GType tl_monitor_mode_get_type (void);

typedef struct
{
  gchar *location;
  gboolean save_last;
  guint save_top_k;
  gchar *monitor;
  gint mode; /* TlMonitorMode */
  gchar *export;
} TlCheckpointSettings;

/* Identifiers of the properties; an element's own begin at the last. */
enum
{
  TL_CHECKPOINT_SETTING_LOCATION = 1,
  TL_CHECKPOINT_SETTING_SAVE_LAST,
  TL_CHECKPOINT_SETTING_SAVE_TOP_K,
  TL_CHECKPOINT_SETTING_MONITOR,
  TL_CHECKPOINT_SETTING_MODE,
  TL_CHECKPOINT_SETTING_EXPORT,
  TL_CHECKPOINT_SETTING_END,
};

void tl_checkpoint_settings_init (TlCheckpointSettings *self);
void tl_checkpoint_settings_clear (TlCheckpointSettings *self);

void tl_checkpoint_settings_install (GObjectClass *klass);

/* FALSE if @id is none of the above. The caller holds the lock. */
gboolean tl_checkpoint_settings_set (TlCheckpointSettings *self, guint id,
    const GValue *value);
gboolean tl_checkpoint_settings_get (const TlCheckpointSettings *self, guint id,
    GValue *value);

/* What a folder is opened with. @ret has strings of its own, never NULL:
 * release it with tl_checkpoint_settings_clear_folder(). The caller holds the
 * lock. */
void tl_checkpoint_settings_get_folder (const TlCheckpointSettings *self,
    TlRunFolderSettings *ret);
void tl_checkpoint_settings_clear_folder (TlRunFolderSettings *settings);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TlRunFolderSettings,
    tl_checkpoint_settings_clear_folder)

/* Posts one error and returns FALSE if no folder can be meant by @settings.
 * Without the object lock. */
gboolean tl_checkpoint_settings_check (GstElement *element,
    const TlRunFolderSettings *settings);

G_END_DECLS

#endif
