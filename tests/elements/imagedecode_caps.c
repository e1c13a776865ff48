/* SPDX-License-Identifier: BSD-3-Clause */

/* What imagedecode may be linked to: caps, lines with video, files that come in
 * pieces. */

#include "tldecoderig.h"

#include <glib/gstdio.h>
#include <gst/video/video.h>
#include <string.h>

/* ---- Caps ---- */

static const gchar *const taken[] = {
    "application/x-tl-image",
    "image/jpeg, width=10, height=10, framerate=0/1, parsed=true",
    "image/png",
    "image/webp",
    "image/bmp",
    "image/tiff",
    "image/x-portable-bitmap",
    "image/x-portable-graymap",
    "image/x-portable-pixmap",
    "image/x-portable-anymap",
    "video/x-raw, format=RGB, width=10, height=10, framerate=30/1",
    "video/x-raw, format=GRAY8, width=1, height=10, framerate=0/1",
};

GST_START_TEST (all_that_can_be_read_is_taken)
{
  GstHarness *h = decode_rig_harness_with ("crop=none");

  for (guint i = 0; i < G_N_ELEMENTS (taken); i++) {
    g_autoptr (GstCaps) caps = gst_caps_from_string (taken[i]);

    fail_unless (gst_pad_peer_query_accept_caps (h->srcpad, caps), "%s",
        taken[i]);
    fail_unless (gst_harness_push_event (h, gst_event_new_caps (caps)));
  }
  g_auto (DecodeMessages) n = decode_rig_count (h);
  fail_unless_equals_int (n.errors, 0);
  decode_rig_free (h);
}
GST_END_TEST;

/* They wait until the stream says whether it trains; what says so meets an
 * element that is being stopped, and is sent again. A pad that was stopped
 * forgets the start of the stream it had sent. */
GST_START_TEST (caps_that_wait_survive_a_stop_between)
{
  GstHarness *h = decode_rig_bare_harness (decode_rig_element (1));
  g_autoptr (GstPad) srcpad = gst_element_get_static_pad (h->element, "src");
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("image/png");
  g_autoptr (GstEvent) start = NULL, event = NULL;
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_play (h);
  fail_unless (
      gst_pad_push_event (h->srcpad, gst_event_new_stream_start ("x")));
  start = decode_rig_pull_event (h, GST_EVENT_STREAM_START);
  fail_unless (gst_pad_push_event (h->srcpad, gst_event_new_caps (caps)));
  gst_pad_set_active (srcpad, FALSE);
  gst_pad_push_event (h->srcpad, gst_event_new_segment (&segment));
  gst_pad_set_active (srcpad, TRUE);
  fail_unless (
      gst_pad_push_event (h->srcpad, gst_event_new_stream_start ("x")));
  fail_unless_equals_int (gst_harness_push (h, decode_rig_png (0)),
      GST_FLOW_OK);
  event = decode_rig_pull_event (h, GST_EVENT_CAPS);
  decode_rig_free (h);
}
GST_END_TEST;

typedef struct
{
  const gchar *caps, *remedy;
} Refusal;

static const Refusal refusals[] = {
    {"video/x-raw,format=I420,width=64,height=64,framerate=30/1",
        "not as I420: put videoconvert before"},
    {"video/x-raw,format=RGBx,width=64,height=64,framerate=30/1",
        "not as RGBx: put videoconvert before"},
    {"video/x-raw,format=GRAY16_LE,width=64,height=64,framerate=30/1",
        "videoconvert"},
    {"video/x-raw,format=RGB,width=64,height=64,framerate=30/1,"
     "interlace-mode=interleaved",
        "put deinterlace before"},
    {"video/x-raw,format=RGB,width=64,height=64,framerate=30/1,"
     "interlace-mode=mixed",
        "put deinterlace before"},
    {"video/x-raw(memory:GLMemory),format=RGB,width=64,height=64,"
     "framerate=30/1",
        "gldownload"},
    {"video/x-raw,format=RGB,framerate=30/1", "width and height"},
};

/* One error with a remedy; what comes after it fails. */
GST_START_TEST (other_video_is_refused_with_a_remedy)
{
  const Refusal *r = &refusals[__i__];
  GstHarness *h = decode_rig_harness_with ("crop=none");

  gst_harness_set_src_caps_str (h, r->caps);
  fail_unless_equals_int (gst_harness_push (h,
                              gst_buffer_new_allocate (NULL, 64 * 64 * 4,
                                  NULL)),
      GST_FLOW_ERROR);
  decode_rig_finish (h);
  g_auto (DecodeMessages) n = decode_rig_count (h);
  fail_unless_equals_int (n.errors, 1);
  fail_unless (strstr (n.error, r->remedy) != NULL, "%s", n.error);
  fail_unless_equals_int (n.sample_errors, 0);
  fail_unless_equals_int (gst_harness_buffers_received (h), 0);
  decode_rig_free (h);
}
GST_END_TEST;

static void
expect_answer (GstHarness *h, const gchar *filter, const gchar *expected)
{
  g_autoptr (GstCaps) asked = gst_caps_from_string (filter);
  g_autoptr (GstCaps) wanted = gst_caps_from_string (expected);
  g_autoptr (GstCaps) answer = gst_pad_peer_query_caps (h->srcpad, asked);
  g_autofree gchar *text = gst_caps_to_string (answer);

  fail_unless (gst_caps_is_equal (answer, wanted), "%s: %s", filter, text);
}

/* A converter must not think that its input passes through. */
GST_START_TEST (caps_query_prefers_what_is_taken)
{
  GstHarness *h = decode_rig_harness_with ("crop=none");

  expect_answer (h, "video/x-raw,format={I420,RGB,GRAY8},width=8,height=8",
      "video/x-raw,format={RGB,GRAY8},width=8,height=8");
  expect_answer (h, "video/x-raw,format={YUY2},width=8,height=8;image/jpeg",
      "image/jpeg");
  expect_answer (h, "video/x-raw,format=I420,width=8,height=8",
      "video/x-raw,format=I420,width=8,height=8");
  expect_answer (h, "audio/x-raw", "EMPTY");
  decode_rig_free (h);
}
GST_END_TEST;

GST_START_TEST (frames_of_any_stride_are_asked_for)
{
  static const gchar *const kinds[] =
      {"video/x-raw,format=RGB,width=8,height=8", "image/png"};
  GstHarness *h = decode_rig_harness_with ("crop=none");

  for (guint i = 0; i < 2; i++) {
    g_autoptr (GstCaps) caps = gst_caps_from_string (kinds[i]);
    GstQuery *query = gst_query_new_allocation (caps, TRUE);

    fail_unless_equals_int (gst_pad_peer_query (h->srcpad, query), i == 0);
    fail_unless_equals_int (gst_query_find_allocation_meta (query,
                                GST_VIDEO_META_API_TYPE, NULL),
        i == 0);
    gst_query_unref (query);
  }
  decode_rig_free (h);
}
GST_END_TEST;

/* ---- Lines ---- */

/* Runs to EOS; the error that ended it instead is *transferred*. */
static gchar *
run_line (const gchar *line)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, &failure);
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;
  gchar *text = NULL;

  fail_unless (pipeline != NULL && failure == NULL, "%s: %s", line,
      failure ? failure->message : "");
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message != NULL, "hangs: %s", line);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &failure, NULL);
    text = g_strdup (failure->message);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return text;
}

typedef struct
{
  const gchar *line, *error; /* NULL: it runs */
} Line;

static const Line lines[] = {
    {"videotestsrc num-buffers=3 ! imagedecode ! fakesink", NULL},
    {"videotestsrc num-buffers=3 ! video/x-raw,format=RGB ! imagedecode ! "
     "video/x-raw,format=RGB,width=224,height=224 ! fakesink",
        NULL},
    {"videotestsrc num-buffers=3 ! video/x-raw,format=GRAY8 ! imagedecode ! "
     "fakesink",
        NULL},
    {"videotestsrc num-buffers=3 ! video/x-raw,format=I420 ! videoconvert ! "
     "imagedecode ! videoconvert ! video/x-raw,format=I420 ! fakesink",
        NULL},
    {"videotestsrc num-buffers=3 ! imagedecode width=32 height=32 crop=pad ! "
     "imagedecode width=16 height=16 crop=none ! fakesink",
        NULL},
    {"videotestsrc num-buffers=3 ! video/x-raw,format=I420 ! imagedecode ! "
     "fakesink",
        "put videoconvert before"},
    {"videotestsrc num-buffers=3 ! video/x-raw,format=RGB,"
     "interlace-mode=interleaved ! imagedecode ! fakesink",
        "put deinterlace before"},
    {"fakesrc num-buffers=3 ! imagedecode ! fakesink",
        "None of the 3 pictures"},
};

GST_START_TEST (lines_with_video_run_or_say_why_not)
{
  const Line *l = &lines[__i__];
  g_autofree gchar *error = run_line (l->line);

  if (l->error)
    fail_unless (error && strstr (error, l->error), "%s: %s", l->line,
        error ? error : "no error");
  else
    fail_unless (error == NULL, "%s: %s", l->line, error);
}
GST_END_TEST;

/* ---- Files in pieces ---- */

GST_START_TEST (file_is_put_together_from_pieces)
{
  static const gchar *const between[] = {"", "typefind !", "queue ! typefind !",
      "blocksize=17 !", "blocksize=1000000 !", "identity !"};
  g_autofree gchar *path = NULL, *line = NULL, *error = NULL;
  g_autoptr (GstBuffer) jpeg = decode_rig_jpeg ();
  gint fd = g_file_open_tmp ("tlpipe-XXXXXX", &path, NULL);
  GstMapInfo map;

  gst_buffer_map (jpeg, &map, GST_MAP_READ);
  fail_unless (map.size > 2 * 4096);
  fail_unless (
      g_file_set_contents (path, (gchar *) map.data, (gssize) map.size, NULL));
  gst_buffer_unmap (jpeg, &map);
  line = g_strdup_printf ("filesrc location=%s %s %s imagedecode on-error=fail "
                          "! fakesink num-buffers=1",
      path, g_str_has_prefix (between[__i__], "blocksize") ? "" : "!",
      between[__i__]);
  error = run_line (line);
  fail_unless (error == NULL, "%s", error);
  g_close (fd, NULL);
  g_unlink (path);
}
GST_END_TEST;

static GstPadProbeReturn
answer_duration (GstPad *pad, GstPadProbeInfo *info, gpointer size)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);

  if (GST_QUERY_TYPE (query) != GST_QUERY_DURATION)
    return GST_PAD_PROBE_OK;
  gst_query_set_duration (query, GST_FORMAT_BYTES, *(const gint64 *) size);
  return GST_PAD_PROBE_HANDLED;
}

/* A source of bytes that says it has @size of them. */
static GstHarness *
make_byte_harness (gint64 *size)
{
  GstHarness *h = decode_rig_harness_with ("crop=none");
  GstSegment segment;

  gst_pad_add_probe (h->srcpad, GST_PAD_PROBE_TYPE_QUERY_UPSTREAM,
      answer_duration, size, NULL);
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  return h;
}

GST_START_TEST (file_that_ends_early_is_one_error)
{
  gint64 size = 5000;
  GstHarness *h = make_byte_harness (&size);

  gst_harness_push (h, gst_buffer_new_memdup ("\x89PNG", 4));
  decode_rig_finish (h);
  g_auto (DecodeMessages) n = decode_rig_count (h);
  fail_unless_equals_int (n.errors, 1);
  fail_unless (strstr (n.error, "after 4 of 5000 bytes") != NULL, "%s",
      n.error);
  decode_rig_free (h);
}
GST_END_TEST;

GST_START_TEST (file_that_is_too_long_is_one_error)
{
  gint64 size = G_GINT64_CONSTANT (1) << 40;
  GstHarness *h = make_byte_harness (&size);

  fail_unless_equals_int (gst_harness_push (h,
                              gst_buffer_new_memdup ("\x89PNG", 4)),
      GST_FLOW_ERROR);
  decode_rig_finish (h);
  g_auto (DecodeMessages) n = decode_rig_count (h);
  fail_unless_equals_int (n.errors, 1);
  decode_rig_free (h);
}
GST_END_TEST;

/* multifilesrc counts bytes too, but nobody knows how many there will be. */
GST_START_TEST (whole_files_in_a_stream_of_bytes_stay_whole)
{
  gint64 size = -1;
  GstHarness *h = make_byte_harness (&size);

  for (guint i = 0; i < 3; i++)
    gst_harness_push (h, decode_rig_png (i));
  decode_rig_finish (h);
  fail_unless_equals_int (gst_harness_buffers_received (h), 3);
  decode_rig_free (h);
}
GST_END_TEST;

GST_START_TEST (flush_forgets_the_pieces)
{
  gint64 size = 0;
  g_autoptr (GstBuffer) png = decode_rig_png (1);
  GstHarness *h;
  GstSegment segment;

  size = (gint64) gst_buffer_get_size (png);
  h = make_byte_harness (&size);
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_harness_push (h, gst_buffer_new_memdup ("\x89PNG", 4));
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  gst_harness_push (h, gst_buffer_ref (png));
  decode_rig_finish (h);
  g_auto (DecodeMessages) n = decode_rig_count (h);
  fail_unless_equals_int (n.errors + n.sample_errors, 0);
  fail_unless_equals_int (gst_harness_buffers_received (h), 1);
  decode_rig_free (h);
}
GST_END_TEST;

static Suite *
imagedecode_caps_suite (void)
{
  Suite *suite = suite_create ("imagedecode-caps");
  TCase *caps = tcase_create ("caps"), *pieces = tcase_create ("pieces");

  GST_ELEMENT_REGISTER (imagedecode, NULL);
  tcase_add_test (caps, all_that_can_be_read_is_taken);
  tcase_add_test (caps, caps_that_wait_survive_a_stop_between);
  tcase_add_loop_test (caps, other_video_is_refused_with_a_remedy, 0,
      G_N_ELEMENTS (refusals));
  tcase_add_test (caps, caps_query_prefers_what_is_taken);
  tcase_add_test (caps, frames_of_any_stride_are_asked_for);
  tcase_add_loop_test (caps, lines_with_video_run_or_say_why_not, 0,
      G_N_ELEMENTS (lines));
  tcase_add_loop_test (pieces, file_is_put_together_from_pieces, 0, 6);
  tcase_add_test (pieces, file_that_ends_early_is_one_error);
  tcase_add_test (pieces, file_that_is_too_long_is_one_error);
  tcase_add_test (pieces, whole_files_in_a_stream_of_bytes_stay_whole);
  tcase_add_test (pieces, flush_forgets_the_pieces);
  suite_add_tcase (suite, caps);
  suite_add_tcase (suite, pieces);
  return suite;
}

GST_CHECK_MAIN (imagedecode_caps);
