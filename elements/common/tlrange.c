/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlrange.h"

#include <math.h>

static GQuark
range_quark (void)
{
  return g_quark_from_static_string ("tl-range");
}

GParamSpec *
tl_param_spec_set_range (GParamSpec *pspec, gdouble min, gdouble max)
{
  TlRange range = {min, max, FALSE, FALSE};

  return tl_param_spec_set_range_full (pspec, &range);
}

GParamSpec *
tl_param_spec_set_range_full (GParamSpec *pspec, const TlRange *range)
{
  g_param_spec_set_qdata_full (pspec, range_quark (),
      g_memdup2 (range, sizeof *range), g_free);
  return pspec;
}

const TlRange *
tl_param_spec_get_range (GParamSpec *pspec)
{
  return g_param_spec_get_qdata (pspec, range_quark ());
}

gchar *
tl_range_to_string (const TlRange *range)
{
  gchar min[G_ASCII_DTOSTR_BUF_SIZE], max[G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_formatd (min, sizeof min, "%.10g", range->min);
  g_ascii_formatd (max, sizeof max, "%.10g", range->max);
  if (isinf (range->max))
    return g_strdup_printf ("%s %s", range->min_open ? "more than" : "at least",
        min);
  return g_strdup_printf ("%s%s to %s%s", range->min_open ? "more than " : "",
      min, range->max_open ? "less than " : "", max);
}

gboolean
tl_range_contains (const TlRange *range, gdouble v)
{
  return (range->min_open ? v > range->min : v >= range->min)
      && (range->max_open ? v < range->max : v <= range->max);
}

static gboolean
check_property (GstElement *element, GParamSpec *pspec)
{
  const TlRange *range = tl_param_spec_get_range (pspec);
  g_auto (GValue) value = G_VALUE_INIT, number = G_VALUE_INIT;
  g_autofree gchar *allowed = NULL, *given = NULL;

  if (!range)
    return TRUE;
  g_value_init (&value, pspec->value_type);
  g_value_init (&number, G_TYPE_DOUBLE);
  g_object_get_property (G_OBJECT (element), pspec->name, &value);
  g_value_transform (&value, &number);
  if (tl_range_contains (range, g_value_get_double (&number)))
    return TRUE;

  allowed = tl_range_to_string (range);
  given = g_strdup_value_contents (&value);
  GST_ELEMENT_ERROR (element, LIBRARY, SETTINGS,
      ("%s=%s is out of range: expected %s.", pspec->name, given, allowed),
      ("property \"%s\" of type %s", pspec->name,
          g_type_name (pspec->value_type)));
  return FALSE;
}

gboolean
tl_element_check_ranges (GstElement *element)
{
  g_autofree GParamSpec **pspecs = NULL;
  guint n;

  pspecs = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
  for (guint i = 0; i < n; i++) {
    if (!check_property (element, pspecs[i]))
      return FALSE;
  }
  return TRUE;
}
