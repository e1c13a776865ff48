/* SPDX-License-Identifier: BSD-3-Clause */

/* The settings of resnetinfer: one struct and one table of properties. */

#ifndef TL_INFER_SETTINGS_H
#define TL_INFER_SETTINGS_H

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum
{
  TL_INFER_AUTO = 0,
  TL_INFER_ASYNC = 1,
  TL_INFER_SYNC = 2,
} TlInferMode;

/* Strings are owned and never NULL. */
typedef struct
{
  gchar *checkpoint; /* a path or "" */
  gchar *device;
  gint mode; /* TlInferMode */
  guint n_threads;
  guint timeout_ms; /* 0: never */
  guint interval;   /* frames from one inference to the next */
  guint top_k;
  gdouble threshold;
  gdouble abstain_below;
  gdouble smoothing; /* seconds */
  gdouble hysteresis;
  guint message_interval_ms;
  gint field; /* TlField */
} TlInferSettings;

void tl_infer_settings_clear (TlInferSettings *self);

/* Installs the properties with the ids from @first_id on; returns the first id
 * that is free behind them. Every instance begins with a zeroed struct, which
 * GObject fills with the defaults (the properties are CONSTRUCT). */
guint tl_infer_settings_install (GObjectClass *klass, guint first_id);

/* @id counts from 0, as does the table. Not thread-safe: under the object's
 * lock. */
void tl_infer_settings_set (TlInferSettings *self, guint id,
    const GValue *value);
void tl_infer_settings_get (const TlInferSettings *self, guint id,
    GValue *value);

G_END_DECLS

#endif
