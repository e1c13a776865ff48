/* SPDX-License-Identifier: BSD-3-Clause */

/* Properties in words. */

#include <gst/check/gstcheck.h>
#include <math.h>

#include <tlpropertytable.h>
#include <tlrange.h>

#define READY (G_PARAM_READWRITE | GST_PARAM_MUTABLE_READY)

static GParamSpec *
make_open_range (void)
{
  TlRange range = {.min = 0, .max = INFINITY, .min_open = TRUE};

  return tl_param_spec_set_range_full (g_param_spec_double ("p", NULL, NULL,
                                           -G_MAXDOUBLE, G_MAXDOUBLE, 1e-3,
                                           READY),
      &range);
}

static GParamSpec *
make_spec (guint row)
{
  switch (row) {
    case 0:
      return g_param_spec_uint ("p", NULL, NULL, 1, 65536, 32, READY);
    case 1:
      return g_param_spec_int64 ("p", NULL, NULL, G_MININT64, 5, -1,
          G_PARAM_READWRITE | GST_PARAM_MUTABLE_PLAYING);
    case 2:
      return g_param_spec_boolean ("p", NULL, NULL, TRUE,
          G_PARAM_READWRITE | GST_PARAM_MUTABLE_PAUSED);
    case 3:
      return g_param_spec_double ("p", NULL, NULL, -G_MAXDOUBLE, G_MAXDOUBLE,
          0.1, READY);
    case 4:
      return make_open_range ();
    case 5:
      return g_param_spec_enum ("p", NULL, NULL, GST_TYPE_STATE,
          GST_STATE_READY, READY);
    case 6:
      return g_param_spec_string ("p", NULL, NULL, NULL, READY);
    case 7:
      return g_param_spec_double ("p", NULL, NULL, 0, 1, 0, G_PARAM_READABLE);
    case 8:
      return g_param_spec_string ("p", NULL, NULL, "x",
          G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY);
    case 9:
      return g_param_spec_boxed ("p", NULL, NULL, GST_TYPE_CAPS,
          G_PARAM_READWRITE);
    default:
      return NULL;
  }
}

static const struct
{
  const gchar *name, *type, *range, *standard, *changes;
} rows[] = {
    {"a count", "uint", "1 to 65536", "32", "READY"},
    {"64 bits", "int64", "-9223372036854775808 to 5", "-1", "PLAYING"},
    {"a truth", "boolean", "true, false", "true", "PAUSED"},
    {"any real", "double", "", "0.1", "READY"},
    {"a true range", "double", "more than 0", "0.001", "READY"},
    {"an enum", "enum", "void-pending, null, ready, paused, playing", "ready",
        "READY"},
    {"no default", "string", "", "", "READY"},
    {"read only", "double", "0 to 1", "", "read only"},
    {"construct only", "string", "", "x", "when made"},
    {"a boxed one", "GstCaps", "", "", "not said"},
};

GST_START_TEST (every_kind_of_property)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GParamSpec *pspec = g_param_spec_ref_sink (make_spec (i));
    TlPropertyRow row;

    tl_property_row_init (&row, pspec);
    fail_unless (g_str_equal (row.type, rows[i].type)
            && g_str_equal (row.range, rows[i].range)
            && g_str_equal (row.standard, rows[i].standard)
            && g_str_equal (row.changes, rows[i].changes),
        "%s: \"%s\" \"%s\" \"%s\" \"%s\"", rows[i].name, row.type, row.range,
        row.standard, row.changes);
    tl_property_row_clear (&row);
    g_param_spec_unref (pspec);
  }
}

GST_END_TEST

/* Also those of elements that were not written here. */
GST_START_TEST (every_element_has_a_table)
{
  g_autolist (GstPluginFeature) features =
      gst_registry_get_feature_list (gst_registry_get (),
          GST_TYPE_ELEMENT_FACTORY);

  for (GList *l = features; l; l = l->next) {
    g_autoptr (GstElement) element =
        gst_element_factory_create (GST_ELEMENT_FACTORY (l->data), NULL);
    g_autofree gchar *table = NULL;

    if (!element)
      continue;
    gst_object_ref_sink (element);
    table = tl_property_table_format (G_OBJECT_GET_CLASS (element));
    fail_unless (g_str_has_prefix (table, "property "), "%s: %s",
        GST_OBJECT_NAME (l->data), table);
  }
}

GST_END_TEST

static Suite *
propertytable_suite (void)
{
  Suite *suite = suite_create ("propertytable");
  TCase *tcase = tcase_create ("words");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, every_kind_of_property);
  tcase_add_test (tcase, every_element_has_a_table);
  return suite;
}

GST_CHECK_MAIN (propertytable)
