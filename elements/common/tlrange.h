/* SPDX-License-Identifier: BSD-3-Clause */

/* True ranges of properties.
 *
 * gst-launch-1.0 only warns about a value outside the GParamSpec's range and
 * runs with the default. So properties that matter have a wide GParamSpec and
 * carry the range that holds as qdata on it. The element checks it going from
 * NULL to READY; loaders and inspectors read it. */

#ifndef TL_RANGE_H
#define TL_RANGE_H

#include <gst/gst.h>

#include "tlapi.h"

G_BEGIN_DECLS

typedef struct
{
  gdouble min;
  gdouble max;
  gboolean min_open; /* min itself is not allowed */
  gboolean max_open;
} TlRange;

/* Sets the range of a numeric property; returns @pspec. */
TL_API GParamSpec *tl_param_spec_set_range (GParamSpec *pspec, gdouble min,
    gdouble max);
TL_API GParamSpec *tl_param_spec_set_range_full (GParamSpec *pspec,
    const TlRange *range);

/* Borrowed, or NULL where the GParamSpec's own range is the true one. */
TL_API const TlRange *tl_param_spec_get_range (GParamSpec *pspec);

/* NaN is in no range. */
TL_API gboolean tl_range_contains (const TlRange *range, gdouble v);

/* "0 to 1", "more than 0"; *transferred*. */
TL_API gchar *tl_range_to_string (const TlRange *range);

/* Checks every property with a range; posts one GST_ELEMENT_ERROR for the
 * first that is outside and returns FALSE. */
TL_API gboolean tl_element_check_ranges (GstElement *element);

G_END_DECLS

#endif
