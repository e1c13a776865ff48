/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlpropertytable.h"

#include <string.h>

#include <tlnumber.h>
#include <tlrange.h>

#define N_COLUMNS 5

/* ---- One property ---- */

static gchar *
describe_type (const GParamSpec *pspec)
{
  static const struct
  {
    GType type;
    const gchar *name;
  } names[] = {{G_TYPE_BOOLEAN, "boolean"}, {G_TYPE_INT, "int"},
      {G_TYPE_UINT, "uint"}, {G_TYPE_INT64, "int64"}, {G_TYPE_UINT64, "uint64"},
      {G_TYPE_LONG, "int64"}, {G_TYPE_ULONG, "uint64"}, {G_TYPE_FLOAT, "float"},
      {G_TYPE_DOUBLE, "double"}, {G_TYPE_STRING, "string"}};

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    if (pspec->value_type == names[i].type)
      return g_strdup (names[i].name);
  }
  if (G_TYPE_IS_ENUM (pspec->value_type))
    return g_strdup ("enum");
  if (G_TYPE_IS_FLAGS (pspec->value_type))
    return g_strdup ("flags");
  return g_strdup (g_type_name (pspec->value_type));
}

static gchar *
list_nicks (GType type)
{
  g_autoptr (GTypeClass) klass = g_type_class_ref (type);
  g_autoptr (GPtrArray) nicks = g_ptr_array_new ();

  if (G_IS_ENUM_CLASS (klass)) {
    for (guint i = 0; i < G_ENUM_CLASS (klass)->n_values; i++)
      g_ptr_array_add (nicks,
          (gpointer) G_ENUM_CLASS (klass)->values[i].value_nick);
  } else {
    for (guint i = 0; i < G_FLAGS_CLASS (klass)->n_values; i++)
      g_ptr_array_add (nicks,
          (gpointer) G_FLAGS_CLASS (klass)->values[i].value_nick);
  }
  g_ptr_array_add (nicks, NULL);
  return g_strjoinv (", ", (gchar **) nicks->pdata);
}

static gchar *
describe_integers (GParamSpec *pspec)
{
  if (G_IS_PARAM_SPEC_INT (pspec))
    return g_strdup_printf ("%d to %d", G_PARAM_SPEC_INT (pspec)->minimum,
        G_PARAM_SPEC_INT (pspec)->maximum);
  if (G_IS_PARAM_SPEC_UINT (pspec))
    return g_strdup_printf ("%u to %u", G_PARAM_SPEC_UINT (pspec)->minimum,
        G_PARAM_SPEC_UINT (pspec)->maximum);
  if (G_IS_PARAM_SPEC_INT64 (pspec))
    return g_strdup_printf ("%" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
        G_PARAM_SPEC_INT64 (pspec)->minimum,
        G_PARAM_SPEC_INT64 (pspec)->maximum);
  if (G_IS_PARAM_SPEC_UINT64 (pspec))
    return g_strdup_printf ("%" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
        G_PARAM_SPEC_UINT64 (pspec)->minimum,
        G_PARAM_SPEC_UINT64 (pspec)->maximum);
  return g_strdup ("");
}

static gchar *
describe_reals (GParamSpec *pspec)
{
  gboolean is_float = G_IS_PARAM_SPEC_FLOAT (pspec);
  gdouble min = is_float ? (gdouble) G_PARAM_SPEC_FLOAT (pspec)->minimum
                         : G_PARAM_SPEC_DOUBLE (pspec)->minimum;
  gdouble max = is_float ? (gdouble) G_PARAM_SPEC_FLOAT (pspec)->maximum
                         : G_PARAM_SPEC_DOUBLE (pspec)->maximum;
  gdouble all = is_float ? (gdouble) G_MAXFLOAT : G_MAXDOUBLE;

  if (min <= -all && max >= all)
    return g_strdup ("");
  return g_strdup_printf ("%s to %s", tl_number_decimal (min).text,
      tl_number_decimal (max).text);
}

static gchar *
describe_range (GParamSpec *pspec)
{
  const TlRange *range = tl_param_spec_get_range (pspec);

  if (range)
    return tl_range_to_string (range);
  if (pspec->value_type == G_TYPE_BOOLEAN)
    return g_strdup ("true, false");
  if (G_TYPE_IS_ENUM (pspec->value_type) || G_TYPE_IS_FLAGS (pspec->value_type))
    return list_nicks (pspec->value_type);
  if (G_IS_PARAM_SPEC_FLOAT (pspec) || G_IS_PARAM_SPEC_DOUBLE (pspec))
    return describe_reals (pspec);
  return describe_integers (pspec);
}

static const gchar *
describe_changes (const GParamSpec *pspec)
{
  if (!(pspec->flags & G_PARAM_WRITABLE))
    return "read only";
  if (pspec->flags & G_PARAM_CONSTRUCT_ONLY)
    return "when made";
  if (pspec->flags & GST_PARAM_MUTABLE_PLAYING)
    return "PLAYING";
  if (pspec->flags & GST_PARAM_MUTABLE_PAUSED)
    return "PAUSED";
  if (pspec->flags & GST_PARAM_MUTABLE_READY)
    return "READY";
  return "not said";
}

static gchar *
describe_default (GParamSpec *pspec)
{
  const GValue *value = g_param_spec_get_default_value (pspec);
  g_autoptr (GTypeClass) klass = NULL;

  if (!(pspec->flags & G_PARAM_WRITABLE))
    return g_strdup ("");
  if (G_VALUE_HOLDS_STRING (value))
    return g_strdup (g_value_get_string (value) ?: "");
  if (G_VALUE_HOLDS_DOUBLE (value))
    return g_strdup (tl_number_decimal (g_value_get_double (value)).text);
  if (G_VALUE_HOLDS_FLOAT (value))
    return g_strdup_printf ("%g", (gdouble) g_value_get_float (value));
  if (G_VALUE_HOLDS_ENUM (value)) {
    klass = g_type_class_ref (pspec->value_type);
    return g_strdup (
        g_enum_get_value (G_ENUM_CLASS (klass), g_value_get_enum (value))
            ->value_nick);
  }
  /* No boxed value or object is no default: GStreamer cannot serialize it. */
  if (g_value_fits_pointer (value) && !g_value_peek_pointer (value))
    return g_strdup ("");
  return gst_value_serialize (value) ?: g_strdup ("");
}

void
tl_property_row_init (TlPropertyRow *self, GParamSpec *pspec)
{
  *self = (TlPropertyRow){.name = pspec->name,
      .blurb = g_param_spec_get_blurb (pspec) ?: "",
      .changes = describe_changes (pspec),
      .type = describe_type (pspec),
      .range = describe_range (pspec),
      .standard = describe_default (pspec)};
}

void
tl_property_row_clear (TlPropertyRow *self)
{
  g_free (self->type);
  g_free (self->range);
  g_free (self->standard);
}

/* ---- The table ---- */

static void
append_cells (GString *text, const gchar *const cells[N_COLUMNS],
    const guint widths[N_COLUMNS])
{
  for (guint c = 0; c < N_COLUMNS - 1; c++)
    g_string_append_printf (text, "%-*s  ", (int) widths[c], cells[c]);
  g_string_append_printf (text, "%s\n", cells[N_COLUMNS - 1]);
}

/* A list of values that is longer than a column goes below. */
#define WIDEST 28

static void
append_row (GString *text, const TlPropertyRow *row,
    const guint widths[N_COLUMNS])
{
  gboolean is_long = strlen (row->range) > WIDEST;
  const gchar *cells[N_COLUMNS] = {row->name, row->type,
      is_long ? "see below" : row->range, row->standard, row->changes};

  append_cells (text, cells, widths);
  g_string_append_printf (text, "    %s\n", row->blurb);
  if (is_long)
    g_string_append_printf (text, "    %s\n", row->range);
}

static void
widen (guint widths[N_COLUMNS], const TlPropertyRow *row)
{
  widths[0] = MAX (widths[0], (guint) strlen (row->name));
  widths[1] = MAX (widths[1], (guint) strlen (row->type));
  if (strlen (row->range) <= WIDEST)
    widths[2] = MAX (widths[2], (guint) strlen (row->range));
  widths[3] = MAX (widths[3], (guint) strlen (row->standard));
}

gchar *
tl_property_table_format (GObjectClass *klass)
{
  static const gchar *const titles[N_COLUMNS] = {"property", "type",
      "range or values", "default", "may change in"};
  g_autofree GParamSpec **pspecs = NULL;
  g_autofree TlPropertyRow *rows = NULL;
  GString *text = g_string_new (NULL);
  guint widths[N_COLUMNS], n_specs, n = 0;

  pspecs = g_object_class_list_properties (klass, &n_specs);
  rows = g_new0 (TlPropertyRow, n_specs + 1);
  for (guint c = 0; c < N_COLUMNS; c++)
    widths[c] = (guint) strlen (titles[c]);
  for (guint i = 0; i < n_specs; i++) {
    if (pspecs[i]->owner_type == GST_TYPE_OBJECT)
      continue;
    tl_property_row_init (&rows[n], pspecs[i]);
    widen (widths, &rows[n++]);
  }
  append_cells (text, titles, widths);
  for (guint i = 0; i < n; i++) {
    append_row (text, &rows[i], widths);
    tl_property_row_clear (&rows[i]);
  }
  return g_string_free (text, FALSE);
}
