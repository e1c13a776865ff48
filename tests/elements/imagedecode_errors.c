/* SPDX-License-Identifier: BSD-3-Clause */

/* Faults of different kinds after each other: the first ends the stream and is
 * the only one that imagedecode posts. */

#include "tldecoderig.h"

#include <string.h>

#define HUGE (G_GINT64_CONSTANT (1) << 40)

typedef struct
{
  GstHarness *harness;
  gboolean is_huge; /* the file that upstream announces */
  guint n_bad, n_pushed;
} Stream;

static GstPadProbeReturn
answer_duration (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);
  const Stream *stream = data;

  if (GST_QUERY_TYPE (query) != GST_QUERY_DURATION)
    return GST_PAD_PROBE_OK;
  gst_query_set_duration (query, GST_FORMAT_BYTES,
      stream->is_huge ? HUGE : 100);
  return GST_PAD_PROBE_HANDLED;
}

static void
push_segment (Stream *stream, gboolean is_huge)
{
  GstSegment segment;

  stream->is_huge = is_huge;
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_harness_push_event (stream->harness, gst_event_new_segment (&segment));
}

static void
push_picture (Stream *stream, gboolean is_good)
{
  guint number = stream->n_pushed++;
  GstBuffer *buffer = is_good ? decode_rig_sample (number, TL_SPLIT_TRAIN)
                              : decode_rig_bad_sample (number, TL_SPLIT_TRAIN);

  stream->n_bad += !is_good;
  gst_harness_push (stream->harness, buffer);
}

static void
push_caps (Stream *stream, const gchar *text)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (text);

  gst_harness_push_event (stream->harness, gst_event_new_caps (caps));
}

/* So that the order of what two threads do is always the same. */
static void
wait_for_skips (Stream *stream)
{
  guint64 skipped = 0;

  while (skipped < stream->n_bad) {
    g_usleep (1000);
    g_object_get (stream->harness->element, "n-skipped", &skipped, NULL);
  }
}

static void
flush (Stream *stream)
{
  gst_harness_push_event (stream->harness, gst_event_new_flush_start ());
  gst_harness_push_event (stream->harness, gst_event_new_flush_stop (TRUE));
}

/* One letter of a script. */
static void
act (Stream *stream, gchar what)
{
  switch (what) {
    case 'g':
      push_picture (stream, TRUE);
      break;
    case 'b':
      push_picture (stream, FALSE);
      break;
    case 'w':
      wait_for_skips (stream);
      break;
    case 'r':
      push_caps (stream, "video/x-raw,format=I420,width=8,height=8");
      break;
    case 'c':
      push_caps (stream, "image/png");
      break;
    case 'h':
      push_segment (stream, TRUE);
      break;
    case 'p':
      push_segment (stream, FALSE);
      break;
    case '<':
      decode_rig_begin_phase (stream->harness, 0, TL_SPLIT_TRAIN, 5);
      break;
    case '>':
      decode_rig_end_phase (stream->harness, 0, TL_SPLIT_TRAIN, 5);
      break;
    case 'f':
      flush (stream);
      break;
    default:
      decode_rig_finish (stream->harness);
  }
}

typedef struct
{
  const gchar *script, *setting;
  const gchar *error; /* NULL: either thread may be the first */
} FaultCase;

/* g and b: a good and a bad picture; w: all of them have been reported; r and c:
 * caps that are refused and taken; h: a file that is too long is announced; p:
 * one that comes in pieces; < and >: a phase begins and ends; f: a flush; e: EOS. */
static const FaultCase faults[] = {
    {"bwre", "crop=none", "videoconvert"},
    {"<bwr>e", "crop=none", "videoconvert"},
    {"bwhe", "crop=none", "at most"},
    {"rre", "crop=none", "videoconvert"},
    {"rhe", "crop=none", "videoconvert"},
    {"hre", "crop=none", "at most"},
    {"hhe", "crop=none", "at most"},
    {"rche", "crop=none", "videoconvert"},
    {"<bw>re", "crop=none", NULL},
    {"<bw><b>e", "crop=none", "None of the 1 pictures"},
    {"bwrgbe", "crop=none", "videoconvert"},
    {"gbwre", "crop=none", "videoconvert"},
    {"gbbwre", "max-errors=1", NULL},
    {"gbbwe", "max-errors=1", "max-errors=1"},
    {"gbe", "on-error=fail", "file-1.png"},
    {"rgbe", "on-error=fail", "videoconvert"},
    {"pbe", "crop=none", "after 10 of 100 bytes"},
    {"pbre", "crop=none", "videoconvert"},
    {"bwfre", "crop=none", "videoconvert"},
};

GST_START_TEST (first_fault_is_the_only_error)
{
  const FaultCase *c = &faults[__i__];
  Stream stream = {.harness = decode_rig_harness_with (c->setting)};

  gst_pad_add_probe (stream.harness->srcpad, GST_PAD_PROBE_TYPE_QUERY_UPSTREAM,
      answer_duration, &stream, NULL);
  for (const gchar *what = c->script; *what; what++)
    act (&stream, *what);
  g_auto (DecodeMessages) n = decode_rig_count (stream.harness);
  fail_unless_equals_int (n.errors, 1);
  fail_unless (!c->error || strstr (n.error, c->error), "%s: %s", c->script,
      n.error);
  fail_unless_equals_int (n.summaries, 0);
  decode_rig_free (stream.harness);
}
GST_END_TEST;

/* A flush begins anew: what comes after it may fail too. */
GST_START_TEST (each_stream_may_fail_once)
{
  Stream stream = {.harness = decode_rig_harness_with ("crop=none")};

  for (guint i = 0; i < 3; i++) {
    act (&stream, 'r');
    act (&stream, 'r');
    act (&stream, 'f');
  }
  g_auto (DecodeMessages) n = decode_rig_count (stream.harness);
  fail_unless_equals_int (n.errors, 3);
  decode_rig_free (stream.harness);
}
GST_END_TEST;

/* Upstream need not say again what it sends: what was refused still is. */
GST_START_TEST (flush_does_not_make_caps_good)
{
  Stream stream = {.harness = decode_rig_harness_with ("crop=none")};
  GstSegment segment;

  push_caps (&stream, "video/x-raw,format=GRAY16_LE,width=64,height=64");
  act (&stream, 'f');
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (stream.harness, gst_event_new_segment (&segment));
  gst_harness_push (stream.harness,
      gst_buffer_new_allocate (NULL, 64 * 64 * 2, NULL));
  decode_rig_finish (stream.harness);
  g_auto (DecodeMessages) n = decode_rig_count (stream.harness);
  fail_unless_equals_int (n.errors, 2);
  fail_unless_equals_int (gst_harness_buffers_received (stream.harness), 0);
  decode_rig_free (stream.harness);
}
GST_END_TEST;

/* Nobody takes what comes out for a while. */
GST_START_TEST (fault_without_a_peer_is_an_error)
{
  Stream stream = {.harness = decode_rig_harness_with ("crop=none")};
  GstHarness *h = stream.harness;
  g_autoptr (GstPad) src = gst_element_get_static_pad (h->element, "src");

  gst_pad_unlink (src, h->sinkpad);
  while (gst_harness_push (h, decode_rig_sample (0, TL_SPLIT_TRAIN))
      == GST_FLOW_OK)
    g_usleep (1000);
  push_caps (&stream, "video/x-raw,format=GRAY16_LE,width=64,height=64");
  fail_unless_equals_int (gst_pad_link (src, h->sinkpad), GST_PAD_LINK_OK);
  fail_unless_equals_int (gst_harness_push (h,
                              gst_buffer_new_allocate (NULL, 64 * 64 * 2,
                                  NULL)),
      GST_FLOW_ERROR);
  g_auto (DecodeMessages) n = decode_rig_count (h);
  fail_unless_equals_int (n.errors, 1);
  decode_rig_free (h);
}
GST_END_TEST;

static Suite *
imagedecode_errors_suite (void)
{
  Suite *suite = suite_create ("imagedecode-errors");
  TCase *tcase = tcase_create ("errors");

  GST_ELEMENT_REGISTER (imagedecode, NULL);
  tcase_add_loop_test (tcase, first_fault_is_the_only_error, 0,
      G_N_ELEMENTS (faults));
  tcase_add_test (tcase, each_stream_may_fail_once);
  tcase_add_test (tcase, flush_does_not_make_caps_good);
  tcase_add_test (tcase, fault_without_a_peer_is_an_error);
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (imagedecode_errors);
