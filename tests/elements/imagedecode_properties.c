/* SPDX-License-Identifier: BSD-3-Clause */

/* Properties of imagedecode that are set while it plays: the run goes on as it
 * began, the next one takes them. */

#include "tldecoderig.h"

#include <string.h>

typedef struct
{
  const gchar *name, *value;
  gboolean changes_nothing; /* of what comes out */
} Row;

static const Row rows[] = {
    {"width", "40"},
    {"height", "40"},
    {"resize", "80"},
    {"crop", "pad"},
    {"scale-min", "0.5"},
    {"scale-max", "0.2"},
    {"ratio-min", "1.2"},
    {"ratio-max", "0.9"},
    {"interpolation", "bicubic"},
    {"region", "0,0,50%,50%"},
    {"dct-scaling", "off"},
    {"on-error", "fail"},
    {"max-errors", "1"},
    {"max-pixels", "2000"},
    {"accept-truncated", "true"},
    {"auto-orient", "true"},
    {"n-threads", "1", TRUE},
};

/* Nobody is to add a property without a row. */
GST_START_TEST (every_property_is_tried)
{
  GstHarness *h = decode_rig_harness (decode_rig_element (1));
  g_autofree GParamSpec **pspecs = NULL;
  guint n, n_found = 0;

  pspecs = g_object_class_list_properties (G_OBJECT_GET_CLASS (h->element), &n);
  for (guint i = 0; i < n; i++) {
    gboolean found = FALSE;

    if (!g_type_is_a (pspecs[i]->owner_type, TL_TYPE_ORDERED_ELEMENT)
        || !(pspecs[i]->flags & G_PARAM_WRITABLE))
      continue;
    for (guint k = 0; k < G_N_ELEMENTS (rows); k++)
      found |= g_str_equal (rows[k].name, pspecs[i]->name);
    fail_unless (found, "%s has no row", pspecs[i]->name);
    fail_unless_equals_int (pspecs[i]->flags
            & (GST_PARAM_MUTABLE_READY | GST_PARAM_MUTABLE_PAUSED
                | GST_PARAM_MUTABLE_PLAYING),
        GST_PARAM_MUTABLE_READY);
    n_found++;
  }
  fail_unless_equals_int (n_found, G_N_ELEMENTS (rows));
  decode_rig_free (h);
}
GST_END_TEST;

static GstBuffer *
make_picture (guint number)
{
  GstBuffer *buffer;

  switch (number % 4) {
    case 0:
      return decode_rig_sample (number, TL_SPLIT_TRAIN);
    case 1:
      return decode_rig_jpeg ();
    case 2:
      return decode_rig_sample (number, TL_SPLIT_VALID);
    default:
      buffer = decode_rig_jpeg ();
      gst_buffer_resize (buffer, 0, (gssize) gst_buffer_get_size (buffer) / 2);
      return buffer;
  }
}

static void
add_buffers (GstHarness *h, GChecksum *checksum)
{
  GstBuffer *buffer;
  GstMapInfo map;

  while ((buffer = gst_harness_try_pull (h))) {
    gst_buffer_map (buffer, &map, GST_MAP_READ);
    g_checksum_update (checksum, map.data, (gssize) map.size);
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
  }
}

static void
add_events (GstHarness *h, GChecksum *checksum)
{
  GstEvent *event;

  while ((event = gst_harness_try_pull_event (h))) {
    g_auto (TlTransform) transform = {0};

    if (tl_event_parse_transform (event, &transform))
      g_checksum_update (checksum, (guchar *) transform.steps, -1);
    gst_event_unref (event);
  }
}

/* Without taking the events that came before it. */
static void
wait_for_eos (GstHarness *h)
{
  GstEvent *eos;

  while (!(eos = gst_pad_get_sticky_event (h->sinkpad, GST_EVENT_EOS, 0)))
    g_usleep (1000);
  gst_event_unref (eos);
}

/* Plays twelve pictures, two of three of which are good; sets @row on the way.
 * All that came out: caps, settings, pixels, errors; *transferred*. */
static gchar *
play (GstHarness *h, const Row *row)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autoptr (GstCaps) caps = NULL;
  g_autofree gchar *text = NULL;
  g_auto (DecodeMessages) n = {0};
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_stream_start ("s"));
  gst_harness_set_src_caps_str (h, "application/x-tl-image");
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  for (guint i = 0; i < 12; i++) {
    if (row && i == 5)
      gst_util_set_object_arg (G_OBJECT (h->element), row->name, row->value);
    gst_harness_push (h, make_picture (i));
  }
  gst_harness_push_event (h, gst_event_new_eos ());
  wait_for_eos (h);
  caps = gst_pad_get_current_caps (h->sinkpad);
  text = gst_caps_to_string (caps);
  g_checksum_update (checksum, (guchar *) text, -1);
  add_events (h, checksum);
  add_buffers (h, checksum);
  n = decode_rig_count (h);
  return g_strdup_printf ("%s %u errors, %u reported",
      g_checksum_get_string (checksum), n.errors, n.sample_errors);
}

static gchar *
play_anew (GstHarness *h)
{
  gst_element_set_state (h->element, GST_STATE_READY);
  gst_harness_play (h);
  return play (h, NULL);
}

/* Of an element that has @row from the beginning. */
static gchar *
play_fresh (const Row *row)
{
  GstElement *element = decode_rig_element (2);
  GstHarness *h;
  gchar *result;

  if (row)
    gst_util_set_object_arg (G_OBJECT (element), row->name, row->value);
  h = decode_rig_harness (element);
  result = play (h, NULL);
  decode_rig_free (h);
  return result;
}

GST_START_TEST (property_set_while_playing_waits_for_the_next_run)
{
  const Row *row = &rows[__i__];
  g_autofree gchar *before = play_fresh (NULL), *after = play_fresh (row);
  g_autofree gchar *torn = NULL, *next = NULL;
  GstHarness *h = decode_rig_harness (decode_rig_element (2));

  torn = play (h, row);
  next = play_anew (h);
  fail_unless_equals_string (torn, before);
  if (!row->changes_nothing)
    fail_if (g_str_equal (before, after), "%s=%s does not show", row->name,
        row->value);
  fail_unless_equals_string (next, after);
  decode_rig_free (h);
}
GST_END_TEST;

static Suite *
imagedecode_properties_suite (void)
{
  Suite *suite = suite_create ("imagedecode-properties");
  TCase *tcase = tcase_create ("properties");

  GST_ELEMENT_REGISTER (imagedecode, NULL);
  tcase_add_test (tcase, every_property_is_tried);
  tcase_add_loop_test (tcase, property_set_while_playing_waits_for_the_next_run,
      0, G_N_ELEMENTS (rows));
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (imagedecode_properties);
