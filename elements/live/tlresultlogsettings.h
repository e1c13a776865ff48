/* SPDX-License-Identifier: BSD-3-Clause */

/* The settings of resultlog: one struct and one table of properties. */

#ifndef TL_RESULT_LOG_SETTINGS_H
#define TL_RESULT_LOG_SETTINGS_H

#include <gst/gst.h>

#include "tlresultwriter.h"

G_BEGIN_DECLS

typedef enum
{
  TL_RESULT_EVERY_RESULT = 0,
  TL_RESULT_EVERY_FRAME = 1,
} TlResultEvery;

/* Strings are owned and never NULL. */
typedef struct
{
  gchar *location; /* a path or "" */
  gint format;     /* 0: by the ending of location, else a TlResultFormat + 1 */
  gboolean append;
  gint flush; /* TlResultFlush */
  gint every; /* TlResultEvery */
  guint top_k;
} TlResultLogSettings;

void tl_result_log_settings_copy (TlResultLogSettings *self,
    const TlResultLogSettings *from);
void tl_result_log_settings_clear (TlResultLogSettings *self);

/* FALSE: neither format nor the ending of location says which. */
gboolean tl_result_log_settings_get_format (const TlResultLogSettings *self,
    TlResultFormat *ret);

/* Installs the properties with the ids from @first_id on; returns the first id
 * that is free behind them. Every instance begins with a zeroed struct, which
 * GObject fills with the defaults (the properties are CONSTRUCT). */
guint tl_result_log_settings_install (GObjectClass *klass, guint first_id);

/* @id counts from 0, as does the table. Not thread-safe: under the object's
 * lock. */
void tl_result_log_settings_set (TlResultLogSettings *self, guint id,
    const GValue *value);
void tl_result_log_settings_get (const TlResultLogSettings *self, guint id,
    GValue *value);

G_END_DECLS

#endif
