/* SPDX-License-Identifier: BSD-3-Clause */

/* imagedecode in a harness, fed with files made here. */

#include "tldecoderig.h"

#include <string.h>

#define N_SAMPLES 60

static GstBuffer *
pull_checked (GstHarness *h, guint number)
{
  GstBuffer *buffer = gst_harness_pull (h);
  TlSampleMeta *sample;

  fail_unless (buffer != NULL);
  sample = tl_buffer_get_sample_meta (buffer);
  fail_unless_equals_uint64 (sample->index, number);
  fail_unless_equals_int (sample->source_width, decode_rig_png_width (number));
  fail_unless_equals_int (gst_buffer_get_size (buffer),
      DECODE_SIDE * DECODE_SIDE * 3);
  return buffer;
}

/* All pixels of N_SAMPLES training samples, one after the other. */
static GByteArray *
decode_all (guint n_threads)
{
  GByteArray *all = g_byte_array_new ();
  GstHarness *h = decode_rig_harness (decode_rig_element (n_threads));

  for (guint i = 0; i < N_SAMPLES; i++)
    fail_unless_equals_int (gst_harness_push (h,
                                decode_rig_sample (i, TL_SPLIT_TRAIN)),
        GST_FLOW_OK);
  for (guint i = 0; i < N_SAMPLES; i++) {
    GstBuffer *buffer = pull_checked (h, i);
    GstMapInfo map;

    gst_buffer_map (buffer, &map, GST_MAP_READ);
    g_byte_array_append (all, map.data, (guint) map.size);
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
  }
  decode_rig_free (h);
  return all;
}

GST_START_TEST (threads_change_neither_order_nor_pixels)
{
  g_autoptr (GByteArray) one = decode_all (1);
  g_autoptr (GByteArray) four = decode_all (4);

  fail_unless_equals_int (one->len, N_SAMPLES * DECODE_SIDE * DECODE_SIDE * 3);
  fail_unless (memcmp (one->data, four->data, one->len) == 0);
}
GST_END_TEST;

/* One buffer through an element with one property set; NULL if it is skipped.
 * Takes @buffer. */
static GstBuffer *
decode_with (const gchar *property, const gchar *value, GstBuffer *buffer)
{
  GstElement *element = decode_rig_element (1);
  GstBuffer *out;
  GstHarness *h;

  g_object_set (element, "crop", 3, NULL); /* none */
  gst_util_set_object_arg (G_OBJECT (element), property, value);
  h = decode_rig_harness (element);
  gst_harness_push (h, buffer);
  decode_rig_finish (h);
  out = gst_harness_try_pull (h);
  decode_rig_free (h);
  return out;
}

GST_START_TEST (dct_scaling_changes_large_training_jpegs_a_little)
{
  GstBuffer *full = decode_with ("dct-scaling", "off", decode_rig_jpeg ());
  GstBuffer *scaled = decode_with ("dct-scaling", "auto", decode_rig_jpeg ());
  guint64 difference = 0;
  GstMapInfo a, b;

  gst_buffer_map (full, &a, GST_MAP_READ);
  gst_buffer_map (scaled, &b, GST_MAP_READ);
  fail_unless_equals_int (a.size, b.size);
  for (gsize i = 0; i < a.size; i++)
    difference += (guint64) ABS (a.data[i] - b.data[i]);
  fail_unless (difference > 0);
  fail_unless (difference < 3 * a.size, "mean of %g levels",
      (gdouble) difference / (gdouble) a.size);
  gst_buffer_unmap (full, &a);
  gst_buffer_unmap (scaled, &b);
  gst_buffer_unref (full);
  gst_buffer_unref (scaled);
}
GST_END_TEST;

GST_START_TEST (cut_file_is_used_only_when_asked)
{
  for (guint accept = 0; accept < 2; accept++) {
    GstBuffer *jpeg = decode_rig_jpeg (),
              *png = decode_rig_sample (1, TL_SPLIT_TRAIN);
    GstBuffer *out[2];

    gst_buffer_resize (jpeg, 0, (gssize) gst_buffer_get_size (jpeg) / 2);
    gst_buffer_resize (png, 0, (gssize) gst_buffer_get_size (png) / 2);
    out[0] = decode_with ("accept-truncated", accept ? "true" : "false", jpeg);
    out[1] = decode_with ("accept-truncated", accept ? "true" : "false", png);
    for (guint i = 0; i < 2; i++) {
      fail_unless_equals_int (out[i] != NULL, accept);
      gst_clear_buffer (&out[i]);
    }
  }
}
GST_END_TEST;

GST_START_TEST (transform_says_what_was_done)
{
  GstElement *element = decode_rig_element (1);
  GstEvent *event;
  GstHarness *h;
  g_auto (TlTransform) transform = {0};

  g_object_set (element, "region", " 10%, 0 ,80%,100%", "interpolation", 1,
      NULL);
  h = decode_rig_harness (element);
  gst_harness_push (h, decode_rig_sample (0, TL_SPLIT_VALID));
  event = decode_rig_pull_event (h, GST_EVENT_CUSTOM_DOWNSTREAM_STICKY);
  fail_unless (tl_event_parse_transform (event, &transform));
  gst_event_unref (event);
  fail_unless_equals_int (transform.preprocess.width, DECODE_SIDE);
  fail_unless_equals_int (transform.preprocess.resize, 37);
  fail_unless_equals_string (transform.preprocess.region, "10%,0,80%,100%");
  fail_unless_equals_string (transform.preprocess.interpolation, "bicubic");
  fail_unless (g_str_has_prefix (transform.steps,
      "imagedecode width=32 height=32 resize=37 crop=auto "));
  decode_rig_free (h);
}
GST_END_TEST;

typedef struct
{
  const gchar *property, *value;
} SettingCase;

static const SettingCase bad_settings[] = {
    {"n-threads", "100000"},
    {"width", "0"},
    {"height", "100000"},
    {"resize", "1000000"},
    {"scale-min", "0"},
    {"scale-max", "0.01"}, /* below scale-min */
    {"ratio-min", "2"},    /* above ratio-max */
    {"ratio-max", "1e9"},
    {"max-pixels", "0"},
    {"region", "10,10"},
    {"region",
        "0,0,100%,100%                                              "
        "                       "},
};

GST_START_TEST (bad_setting_is_one_error)
{
  const SettingCase *c = &bad_settings[__i__];
  GstElement *element = decode_rig_element (1);
  g_autoptr (GstBus) bus = gst_element_get_bus (element);
  GstMessage *message;

  gst_util_set_object_arg (G_OBJECT (element), c->property, c->value);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_READY),
      GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL, "%s=%s", c->property, c->value);
  gst_message_unref (message);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}
GST_END_TEST;

/* Pushes until the element says stop. */
static gpointer
push_forever (gpointer data)
{
  GstHarness *h = data;
  GstFlowReturn flow = GST_FLOW_OK;

  for (guint i = 0; flow == GST_FLOW_OK; i++)
    flow = gst_harness_push (h,
        i % 11 == 3 ? decode_rig_bad_sample (i, TL_SPLIT_TRAIN)
                    : decode_rig_sample (i, TL_SPLIT_TRAIN));
  return GINT_TO_POINTER (flow);
}

GST_START_TEST (twenty_flushes_leave_it_working)
{
  GstHarness *h = decode_rig_harness (decode_rig_element (3));

  for (guint round = 0; round < 20; round++) {
    GThread *thread = g_thread_new ("push", push_forever, h);
    GstSegment segment;

    g_usleep (g_random_int_range (0, 8000));
    fail_unless (gst_harness_push_event (h, gst_event_new_flush_start ()));
    fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)),
        GST_FLOW_FLUSHING);
    fail_unless (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
    gst_segment_init (&segment, GST_FORMAT_TIME);
    gst_harness_push_event (h, gst_event_new_segment (&segment));
    while (gst_harness_buffers_in_queue (h) > 0)
      gst_buffer_unref (gst_harness_pull (h));
    fail_unless_equals_int (gst_harness_push (h,
                                decode_rig_sample (round, TL_SPLIT_TRAIN)),
        GST_FLOW_OK);
    gst_buffer_unref (pull_checked (h, round));
  }
  decode_rig_free (h);
}
GST_END_TEST;

GST_START_TEST (twenty_stops_at_any_time)
{
  for (guint round = 0; round < 20; round++) {
    GstHarness *h = decode_rig_harness (decode_rig_element (3));
    GThread *thread = g_thread_new ("push", push_forever, h);

    g_usleep (g_random_int_range (0, 8000));
    gst_element_set_state (h->element, GST_STATE_NULL);
    fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)),
        GST_FLOW_FLUSHING);
    decode_rig_free (h);
  }
}
GST_END_TEST;

static GstPadProbeReturn
refuse_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  gst_buffer_unref (GST_PAD_PROBE_INFO_BUFFER (info));
  GST_PAD_PROBE_INFO_FLOW_RETURN (info) = GST_FLOW_EOS;
  return GST_PAD_PROBE_HANDLED;
}

GST_START_TEST (eos_passes_after_downstream_had_enough)
{
  GstHarness *h = decode_rig_harness (decode_rig_element (2));

  gst_pad_add_probe (h->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, refuse_buffer, NULL,
      NULL);
  fail_unless_equals_int (GPOINTER_TO_INT (push_forever (h)), GST_FLOW_EOS);
  decode_rig_finish (h);
  decode_rig_free (h);
}
GST_END_TEST;

GST_START_TEST (allocation_query_does_not_wait)
{
  GstHarness *h = decode_rig_harness (decode_rig_element (2));
  g_autoptr (GstCaps) caps = gst_caps_from_string (TL_CAPS_IMAGE);
  GstQuery *query = gst_query_new_allocation (caps, TRUE);

  fail_if (gst_pad_peer_query (h->srcpad, query));
  gst_query_unref (query);
  decode_rig_free (h);
}
GST_END_TEST;

static Suite *
imagedecode_suite (void)
{
  Suite *suite = suite_create ("imagedecode");
  TCase *data = tcase_create ("data"), *flow = tcase_create ("flow");

  GST_ELEMENT_REGISTER (imagedecode, NULL);
  tcase_add_test (data, threads_change_neither_order_nor_pixels);
  tcase_add_test (data, dct_scaling_changes_large_training_jpegs_a_little);
  tcase_add_test (data, cut_file_is_used_only_when_asked);
  tcase_add_test (data, transform_says_what_was_done);
  tcase_add_loop_test (data, bad_setting_is_one_error, 0,
      G_N_ELEMENTS (bad_settings));
  tcase_add_test (flow, twenty_flushes_leave_it_working);
  tcase_add_test (flow, twenty_stops_at_any_time);
  tcase_add_test (flow, eos_passes_after_downstream_had_enough);
  tcase_add_test (flow, allocation_query_does_not_wait);
  suite_add_tcase (suite, data);
  suite_add_tcase (suite, flow);
  return suite;
}

GST_CHECK_MAIN (imagedecode);
