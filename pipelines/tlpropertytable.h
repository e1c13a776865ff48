/* SPDX-License-Identifier: BSD-3-Clause */

/* A property in words, as tables and messages show it. */

#ifndef TL_PROPERTY_TABLE_H
#define TL_PROPERTY_TABLE_H

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct
{
  const gchar *name;    /* borrowed from the GParamSpec */
  const gchar *blurb;   /* borrowed; may be "" */
  const gchar *changes; /* "READY", "PAUSED", "PLAYING", "read only"...;
                           borrowed for ever: the highest state in which the
                           property may be set */
  gchar *type;          /* "uint", "enum"... */
  gchar *range;         /* "0 to 1", "sgd, adam, adamw"; "" for any */
  gchar *standard; /* the default as a pipeline file writes it; "" if none */
} TlPropertyRow;

/* The true range where the GParamSpec carries one (tlrange.h). Clear it
 * afterwards. */
void tl_property_row_init (TlPropertyRow *self, GParamSpec *pspec);
void tl_property_row_clear (TlPropertyRow *self);

/* Columns "property type range default changes" for people, the blurb below
 * each; *transferred*. Leaves out those of GstObject. */
gchar *tl_property_table_format (GObjectClass *klass);

G_END_DECLS

#endif
