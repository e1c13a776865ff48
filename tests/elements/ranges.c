/* SPDX-License-Identifier: BSD-3-Clause */

/* Numbers out of their range, set in NULL or in READY: every element refuses
 * the next change of state with one error that names the property. */

#include <gst/check/gstcheck.h>

#include <math.h>

#include <tlrange.h>

#include "tlaugment.h"
#include "tlbatcher.h"
#include "tlcheckpointsink.h"
#include "tldatasetsrc.h"
#include "tlimagedecode.h"
#include "tlmodelrig.h"
#include "tlresnetfinetune.h"
#include "tlresnetinfer.h"
#include "tlresultlog.h"

/* Launch lines with all that READY needs; %s: a folder. */
static const gchar *const elements[] = {
    "datasetsrc location=%s",
    "imagedecode",
    "augment",
    "batcher",
    "resnetfinetune weights=random arch=resnet18",
    "checkpointsink location=%s/run",
    "resnetinfer",
    "resultlog location=%s/results.csv",
};

static GstElement *
make_element (const gchar *format)
{
  g_auto (GStrv) parts = g_strsplit (format, "%s", 2);
  g_autofree gchar *line = g_strjoinv (model_folder, parts);
  g_autoptr (GError) error = NULL;
  GstElement *element = gst_parse_launch (line, &error);

  fail_unless (element && !error, "%s: %s", line, error ? error->message : "");
  gst_element_set_bus (element, gst_bus_new ());
  return element;
}

static void
free_element (GstElement *element)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (element);

  gst_object_unref (bus); /* the reference of gst_bus_new() */
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (element);
}

/* The nearest whole number above the range, or below it where there is none
 * above. NAN where the type has neither. */
static gdouble
choose_outsider (const TlRange *range, GType type)
{
  if (range->max < G_MAXUINT)
    return range->max + 1;
  return range->min > 0 || type == G_TYPE_DOUBLE ? range->min - 1 : NAN;
}

static void
set_number (GstElement *element, GParamSpec *pspec, gdouble number)
{
  g_auto (GValue) given = G_VALUE_INIT, value = G_VALUE_INIT;

  g_value_init (&given, G_TYPE_DOUBLE);
  g_value_set_double (&given, number);
  g_value_init (&value, pspec->value_type);
  fail_unless (g_value_transform (&given, &value));
  g_object_set_property (G_OBJECT (element), pspec->name, &value);
}

static void
expect_refusal (GstElement *element, GstState state, const gchar *property)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (element);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  fail_unless (gst_element_set_state (element, state)
          == GST_STATE_CHANGE_FAILURE,
      "%s is taken for %s", property, gst_element_state_get_name (state));
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL, "%s: no error", property);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_str_has_prefix (error->message, property)
          && strstr (error->message, "out of range"),
      "%s: %s", property, error->message);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL,
      "%s: two errors", property);
}

static void
check_property (const gchar *line, GParamSpec *pspec)
{
  const TlRange *range = tl_param_spec_get_range (pspec);
  gdouble outsider;
  GstElement *element;

  if (!range)
    return;
  outsider = choose_outsider (range, pspec->value_type);
  if (isnan (outsider))
    return;
  element = make_element (line);
  set_number (element, pspec, outsider);
  expect_refusal (element, GST_STATE_READY, pspec->name);
  free_element (element);

  element = make_element (line);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_READY),
      GST_STATE_CHANGE_SUCCESS);
  set_number (element, pspec, outsider);
  expect_refusal (element, GST_STATE_PAUSED, pspec->name);
  free_element (element);
}

GST_START_TEST (numbers_out_of_range_are_refused_in_null_and_ready)
{
  GstElement *element = make_element (elements[__i__]);
  g_autofree GParamSpec **pspecs = NULL;
  guint n, n_checked = 0;

  pspecs = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
  for (guint i = 0; i < n; i++) {
    n_checked += tl_param_spec_get_range (pspecs[i]) != NULL;
    check_property (elements[__i__], pspecs[i]);
  }
  fail_unless (n_checked > 0, "%s has no ranges", elements[__i__]);
  free_element (element);
}
GST_END_TEST

static Suite *
ranges_suite (void)
{
  Suite *suite = suite_create ("ranges");
  TCase *tc = tcase_create ("general");

  GST_ELEMENT_REGISTER (datasetsrc, NULL);
  GST_ELEMENT_REGISTER (imagedecode, NULL);
  GST_ELEMENT_REGISTER (augment, NULL);
  GST_ELEMENT_REGISTER (batcher, NULL);
  GST_ELEMENT_REGISTER (resnetfinetune, NULL);
  GST_ELEMENT_REGISTER (checkpointsink, NULL);
  GST_ELEMENT_REGISTER (resnetinfer, NULL);
  GST_ELEMENT_REGISTER (resultlog, NULL);
  tcase_add_checked_fixture (tc, model_set_up, model_tear_down);
  tcase_add_loop_test (tc, numbers_out_of_range_are_refused_in_null_and_ready,
      0, G_N_ELEMENTS (elements));
  suite_add_tcase (suite, tc);
  return suite;
}

GST_CHECK_MAIN (ranges);
