/* SPDX-License-Identifier: BSD-3-Clause */

/* Properties as a table: each row is a field of an element's struct of
 * settings. */

#ifndef TL_SETTINGS_H
#define TL_SETTINGS_H

#include <gst/gst.h>

#include "tlrange.h"

G_BEGIN_DECLS

typedef enum
{
  TL_SETTING_STRING,  /* gchar *, owned, never NULL */
  TL_SETTING_BOOLEAN, /* gboolean */
  TL_SETTING_UINT,    /* guint */
  TL_SETTING_DOUBLE,  /* gdouble */
  TL_SETTING_ENUM,    /* gint */
} TlSettingKind;

typedef struct
{
  const gchar *name;
  const gchar *nick;
  const gchar *blurb;
  TlSettingKind kind;
  gsize offset;      /* of the field */
  const gchar *text; /* default of a string */
  gdouble number;    /* default of the other kinds */
  TlRange range;     /* of numbers; the GParamSpec itself takes all */
  GType (*enum_type) (void);
  gboolean is_live; /* it counts while playing, else from the next start on */
} TlSetting;

/* Installs the properties with the ids from @first_id on. Every instance begins
 * with a zeroed struct, which GObject fills with the defaults (the properties
 * are CONSTRUCT). */
void tl_settings_install (GObjectClass *klass, guint first_id,
    const TlSetting *table, guint n);

/* Of the struct @settings. Not thread-safe: under the object's lock. */
void tl_settings_set (gpointer settings, const TlSetting *row,
    const GValue *value);
void tl_settings_get (gconstpointer settings, const TlSetting *row,
    GValue *value);

G_END_DECLS

#endif
