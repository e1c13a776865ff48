/* SPDX-License-Identifier: BSD-3-Clause */

/* imagedecode in a harness, fed with PNG files made here. */

#include "tlimagedecode.h"

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <png.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <tlcaps.h>
#include <tlevents.h>
#include <tlsamplemeta.h>

#define N_SAMPLES 60
#define SIDE 32

/* A PNG of noise whose size and pixels depend on @number. */
static GstBuffer *
make_png (guint number)
{
  png_image image = {.version = PNG_IMAGE_VERSION,
      .width = 40 + number % 7 * 9,
      .height = 35 + number % 5 * 11,
      .format = PNG_FORMAT_RGB};
  g_autofree guint8 *pixels = g_malloc (PNG_IMAGE_SIZE (image));
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX (image);
  guint8 *data = g_malloc (size);

  for (gsize i = 0; i < PNG_IMAGE_SIZE (image); i++)
    pixels[i] = (guint8) (i * (number + 3) >> 2);
  fail_unless (
      png_image_write_to_memory (&image, data, &size, 0, pixels, 0, NULL));
  return gst_buffer_new_wrapped (data, size);
}

static void
add_sample (GstBuffer *buffer, guint number, TlSplit split)
{
  TlSampleMeta *sample = tl_buffer_add_sample_meta (buffer);
  g_autofree gchar *path = g_strdup_printf ("file-%u.png", number);

  sample->label = (gint) number % 2;
  sample->path = g_ref_string_new (path);
  sample->index = number;
  sample->seed = 11;
  sample->split = split;
}

static GstBuffer *
make_sample (guint number, TlSplit split)
{
  GstBuffer *buffer = make_png (number);

  add_sample (buffer, number, split);
  return buffer;
}

static GstBuffer *
make_bad_sample (guint number)
{
  GstBuffer *buffer = gst_buffer_new_memdup ("no picture", 10);

  add_sample (buffer, number, TL_SPLIT_VALID);
  return buffer;
}

/* The element in READY at most; properties may be set. */
static GstElement *
make_element (guint n_threads)
{
  GstElement *element = gst_element_factory_make ("imagedecode", NULL);

  g_object_set (element, "n-threads", n_threads, "width", SIDE, "height", SIDE,
      NULL);
  gst_element_set_bus (element, gst_bus_new ());
  return element;
}

/* Takes @element. */
static GstHarness *
make_harness (GstElement *element)
{
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  g_autoptr (GstBus) bus = gst_element_get_bus (element);

  gst_object_unref (bus); /* the reference of gst_bus_new() */
  gst_object_unref (element);
  gst_harness_set_src_caps_str (h, TL_CAPS_IMAGE);
  return h;
}

/* Messages hold the element and its bus holds them: part the two first. */
static void
free_harness (GstHarness *h)
{
  gst_element_set_bus (h->element, NULL);
  gst_harness_teardown (h);
}

static void
push_phase (GstHarness *h, guint64 n)
{
  TlPhase phase = {.split = TL_SPLIT_VALID, .n = n};

  fail_unless (gst_harness_push_event (h, tl_event_new_phase (&phase)));
}

static void
push_phase_end (GstHarness *h, guint64 n)
{
  TlPhaseEnd end = {.split = TL_SPLIT_VALID, .sent = n};

  fail_unless (gst_harness_push_event (h, tl_event_new_phase_end (&end)));
}

/* Pulls events until one of @type comes. */
static GstEvent *
pull_event (GstHarness *h, GstEventType type)
{
  GstEvent *event = gst_harness_pull_event (h);

  while (event && GST_EVENT_TYPE (event) != type) {
    gst_event_unref (event);
    event = gst_harness_pull_event (h);
  }
  fail_unless (event != NULL);
  return event;
}

typedef struct
{
  guint errors, warnings, sample_errors;
} Messages;

static Messages
count_messages (GstHarness *h)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (h->element);
  Messages n = {0};
  GstMessage *message;

  while ((message = gst_bus_pop (bus))) {
    n.errors += GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR;
    n.warnings += GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING;
    n.sample_errors += gst_message_has_name (message, "tl-sample-error");
    gst_message_unref (message);
  }
  return n;
}

static GstBuffer *
pull_checked (GstHarness *h, guint number)
{
  GstBuffer *buffer = gst_harness_pull (h);
  TlSampleMeta *sample;

  fail_unless (buffer != NULL);
  sample = tl_buffer_get_sample_meta (buffer);
  fail_unless_equals_uint64 (sample->index, number);
  fail_unless_equals_int (sample->source_width, 40 + number % 7 * 9);
  fail_unless_equals_int (gst_buffer_get_size (buffer), SIDE * SIDE * 3);
  return buffer;
}

/* All pixels of N_SAMPLES training samples, one after the other. */
static GByteArray *
decode_all (guint n_threads)
{
  GByteArray *all = g_byte_array_new ();
  GstHarness *h = make_harness (make_element (n_threads));

  for (guint i = 0; i < N_SAMPLES; i++)
    fail_unless_equals_int (gst_harness_push (h,
                                make_sample (i, TL_SPLIT_TRAIN)),
        GST_FLOW_OK);
  for (guint i = 0; i < N_SAMPLES; i++) {
    GstBuffer *buffer = pull_checked (h, i);
    GstMapInfo map;

    gst_buffer_map (buffer, &map, GST_MAP_READ);
    g_byte_array_append (all, map.data, (guint) map.size);
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
  }
  free_harness (h);
  return all;
}

GST_START_TEST (threads_change_neither_order_nor_pixels)
{
  g_autoptr (GByteArray) one = decode_all (1);
  g_autoptr (GByteArray) four = decode_all (4);

  fail_unless_equals_int (one->len, N_SAMPLES * SIDE * SIDE * 3);
  fail_unless (memcmp (one->data, four->data, one->len) == 0);
}
GST_END_TEST;

GST_START_TEST (skipped_files_are_counted_and_reported)
{
  GstHarness *h = make_harness (make_element (2));
  GstEvent *event;
  TlPhaseEnd end;
  Messages n;
  guint64 decoded, skipped;

  push_phase (h, 40);
  for (guint i = 0; i < 40; i++)
    gst_harness_push (h,
        i % 3 == 1 ? make_bad_sample (i) : make_sample (i, TL_SPLIT_VALID));
  push_phase_end (h, 40);
  for (guint i = 0; i < 40; i++) {
    if (i % 3 != 1)
      gst_buffer_unref (pull_checked (h, i));
  }
  event = pull_event (h, GST_EVENT_CUSTOM_DOWNSTREAM);
  fail_unless (tl_event_parse_phase_end (event, &end));
  gst_event_unref (event);
  fail_unless_equals_uint64 (end.sent, 40);
  fail_unless_equals_uint64 (end.skipped, 13);
  n = count_messages (h);
  fail_unless_equals_int (n.sample_errors, 13);
  fail_unless_equals_int (n.warnings, 11);
  fail_unless_equals_int (n.errors, 0);
  g_object_get (h->element, "n-decoded", &decoded, "n-skipped", &skipped, NULL);
  fail_unless_equals_uint64 (decoded, 27);
  fail_unless_equals_uint64 (skipped, 13);
  free_harness (h);
}
GST_END_TEST;

GST_START_TEST (phase_without_a_good_file_is_an_error)
{
  GstHarness *h = make_harness (make_element (2));

  push_phase (h, 3);
  for (guint i = 0; i < 3; i++)
    gst_harness_push (h, make_bad_sample (i));
  push_phase_end (h, 3);
  gst_event_unref (pull_event (h, GST_EVENT_CUSTOM_DOWNSTREAM));
  fail_unless_equals_int (count_messages (h).errors, 1);
  fail_unless_equals_int (gst_harness_push (h, make_sample (0, TL_SPLIT_VALID)),
      GST_FLOW_ERROR);
  free_harness (h);
}
GST_END_TEST;

typedef struct
{
  const gchar *property, *value;
  guint n_good_first, n_bad;
  guint sample_errors;
} FailCase;

static const FailCase fail_cases[] = {
    {"on-error", "fail", 2, 1, 0},
    {"max-errors", "2", 2, 3, 3},
};

GST_START_TEST (bad_files_stop_the_run_when_asked)
{
  const FailCase *c = &fail_cases[__i__];
  GstElement *element = make_element (1);
  GstHarness *h;
  Messages n;

  gst_util_set_object_arg (G_OBJECT (element), c->property, c->value);
  h = make_harness (element);
  for (guint i = 0; i < c->n_good_first; i++)
    gst_harness_push (h, make_sample (i, TL_SPLIT_VALID));
  for (guint i = 0; i < c->n_bad; i++)
    gst_harness_push (h, make_bad_sample (i));
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  gst_event_unref (pull_event (h, GST_EVENT_EOS));
  n = count_messages (h);
  fail_unless_equals_int (n.errors, 1);
  fail_unless_equals_int (n.sample_errors, c->sample_errors);
  free_harness (h);
}
GST_END_TEST;

/* A JPEG of soft waves, far larger than the output. */
static GstBuffer *
make_jpeg (void)
{
  enum
  {
    LARGE = 16 * SIDE
  };
  struct jpeg_compress_struct cinfo;
  struct jpeg_error_mgr errors;
  unsigned char *data = NULL;
  unsigned long size = 0;
  JSAMPLE row[LARGE], *rows[] = {row};
  GstBuffer *buffer;

  cinfo.err = jpeg_std_error (&errors);
  jpeg_create_compress (&cinfo);
  jpeg_mem_dest (&cinfo, &data, &size);
  cinfo.image_width = cinfo.image_height = LARGE;
  cinfo.input_components = 1;
  cinfo.in_color_space = JCS_GRAYSCALE;
  jpeg_set_defaults (&cinfo);
  jpeg_start_compress (&cinfo, TRUE);
  while (cinfo.next_scanline < LARGE) {
    for (guint x = 0; x < LARGE; x++)
      row[x] = (JSAMPLE) ((x * x >> 9) ^ (cinfo.next_scanline >> 2));
    jpeg_write_scanlines (&cinfo, rows, 1);
  }
  jpeg_finish_compress (&cinfo);
  jpeg_destroy_compress (&cinfo);
  buffer = gst_buffer_new_memdup (data, size);
  free (data);
  add_sample (buffer, 0, TL_SPLIT_TRAIN);
  return buffer;
}

/* One buffer through an element with one property set; NULL if it is skipped.
 * Takes @buffer. */
static GstBuffer *
decode_with (const gchar *property, const gchar *value, GstBuffer *buffer)
{
  GstElement *element = make_element (1);
  GstBuffer *out;
  GstHarness *h;

  g_object_set (element, "crop", 3, NULL); /* none */
  gst_util_set_object_arg (G_OBJECT (element), property, value);
  h = make_harness (element);
  gst_harness_push (h, buffer);
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  gst_event_unref (pull_event (h, GST_EVENT_EOS));
  out = gst_harness_try_pull (h);
  free_harness (h);
  return out;
}

GST_START_TEST (dct_scaling_changes_large_training_jpegs_a_little)
{
  GstBuffer *full = decode_with ("dct-scaling", "off", make_jpeg ());
  GstBuffer *scaled = decode_with ("dct-scaling", "auto", make_jpeg ());
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
    GstBuffer *jpeg = make_jpeg (), *png = make_sample (1, TL_SPLIT_TRAIN);
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
  GstElement *element = make_element (1);
  GstEvent *event;
  GstHarness *h;
  g_auto (TlTransform) transform = {0};

  g_object_set (element, "region", " 10%, 0 ,80%,100%", "interpolation", 1,
      NULL);
  h = make_harness (element);
  gst_harness_push (h, make_sample (0, TL_SPLIT_VALID));
  event = pull_event (h, GST_EVENT_CUSTOM_DOWNSTREAM_STICKY);
  fail_unless (tl_event_parse_transform (event, &transform));
  gst_event_unref (event);
  fail_unless_equals_int (transform.preprocess.width, SIDE);
  fail_unless_equals_int (transform.preprocess.resize, 37);
  fail_unless_equals_string (transform.preprocess.region, "10%,0,80%,100%");
  fail_unless_equals_string (transform.preprocess.interpolation, "bicubic");
  fail_unless (g_str_has_prefix (transform.steps,
      "imagedecode width=32 height=32 resize=37 crop=auto "));
  free_harness (h);
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
  GstElement *element = make_element (1);
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
        i % 11 == 3 ? make_bad_sample (i) : make_sample (i, TL_SPLIT_TRAIN));
  return GINT_TO_POINTER (flow);
}

GST_START_TEST (twenty_flushes_leave_it_working)
{
  GstHarness *h = make_harness (make_element (3));

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
                                make_sample (round, TL_SPLIT_TRAIN)),
        GST_FLOW_OK);
    gst_buffer_unref (pull_checked (h, round));
  }
  free_harness (h);
}
GST_END_TEST;

GST_START_TEST (twenty_stops_at_any_time)
{
  for (guint round = 0; round < 20; round++) {
    GstHarness *h = make_harness (make_element (3));
    GThread *thread = g_thread_new ("push", push_forever, h);

    g_usleep (g_random_int_range (0, 8000));
    gst_element_set_state (h->element, GST_STATE_NULL);
    fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)),
        GST_FLOW_FLUSHING);
    free_harness (h);
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
  GstHarness *h = make_harness (make_element (2));

  gst_pad_add_probe (h->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, refuse_buffer, NULL,
      NULL);
  fail_unless_equals_int (GPOINTER_TO_INT (push_forever (h)), GST_FLOW_EOS);
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  gst_event_unref (pull_event (h, GST_EVENT_EOS));
  free_harness (h);
}
GST_END_TEST;

GST_START_TEST (allocation_query_does_not_wait)
{
  GstHarness *h = make_harness (make_element (2));
  g_autoptr (GstCaps) caps = gst_caps_from_string (TL_CAPS_IMAGE);
  GstQuery *query = gst_query_new_allocation (caps, TRUE);

  fail_if (gst_pad_peer_query (h->srcpad, query));
  gst_query_unref (query);
  free_harness (h);
}
GST_END_TEST;

static Suite *
imagedecode_suite (void)
{
  Suite *suite = suite_create ("imagedecode");
  TCase *data = tcase_create ("data"), *flow = tcase_create ("flow");

  GST_ELEMENT_REGISTER (imagedecode, NULL);
  tcase_add_test (data, threads_change_neither_order_nor_pixels);
  tcase_add_test (data, skipped_files_are_counted_and_reported);
  tcase_add_test (data, phase_without_a_good_file_is_an_error);
  tcase_add_loop_test (data, bad_files_stop_the_run_when_asked, 0,
      G_N_ELEMENTS (fail_cases));
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
