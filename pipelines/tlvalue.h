/* SPDX-License-Identifier: BSD-3-Clause */

/* Text to the value of a property. What a text means is decided by the
 * property's type, and numbers are parsed strictly: gst_value_deserialize()
 * takes "3000000000" for an int as -1294967296, "010" as 8 and "" as 0. */

#ifndef TL_VALUE_H
#define TL_VALUE_H

#include <gst/gst.h>

#include "tlspec.h"

G_BEGIN_DECLS

/* Sets *@value, which is zero-filled and left so after an error, to what
 * @property says for @pspec of an element of @factory_name. The range is that
 * of tl_param_spec_get_range(), else the GParamSpec's. */
gboolean tl_value_parse (GValue *value, GParamSpec *pspec,
    const gchar *factory_name, const TlSpecProperty *property,
    TlDiagnostics *diagnostics);

/* Of an integer property: signed ones have min and max, others umin and umax. */
typedef struct
{
  gboolean is_unsigned;
  gint64 min, max;
  guint64 umin, umax;
} TlValueLimits;

/* What @pspec allows; FALSE if it is not for integers. */
gboolean tl_value_get_limits (GParamSpec *pspec, TlValueLimits *limits);

/* The nick of value @i of an enum or of flags, borrowed; NULL behind the last
 * and for other types. */
const gchar *tl_value_get_nick (GParamSpec *pspec, guint i);

/* "an integer, 1 to 64", "one of no, upstream, downstream"; *transferred*. */
gchar *tl_value_describe (GParamSpec *pspec);

/* The text that gst_value_deserialize_with_pspec() takes for @value;
 * *transferred*, NULL if there is none. */
gchar *tl_value_to_string (const GValue *value);

G_END_DECLS

#endif
