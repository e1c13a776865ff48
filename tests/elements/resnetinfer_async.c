/* SPDX-License-Identifier: BSD-3-Clause */

/* resnetinfer beside a live feed: no frame waits, each carries the newest
 * result. The harness upstream says that it is live. */

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

#include "tlmodelrig.h"
#include "tlresnetinfer.h"
#include "tlresultmeta.h"

#define CAPS "video/x-raw,format=RGB,width=64,height=48,framerate=25/1"
#define FRAME (40 * GST_MSECOND)
#define PATIENCE (20 * G_USEC_PER_SEC)

typedef struct
{
  GstHarness *h;
  GstBus *bus;
  guint n; /* frames pushed */
} Feed;

/* @infer_ms: what the model takes. */
static void
feed_init (Feed *feed, guint infer_ms, const gchar *settings)
{
  g_autofree gchar *path =
      model_write_checkpoint ("good", "[\"red\",\"green\",\"blue\"]", NULL);
  g_autofree gchar *line =
      g_strdup_printf ("resnetinfer checkpoint=%s device=cpu n-threads=1 %s",
          path, settings);
  g_autofree gchar *delay = g_strdup_printf ("infer-ms:%u", infer_ms);

  g_setenv ("TLPIPE_REFERENCE_FAIL", delay, TRUE);
  feed->h = gst_harness_new_parse (line);
  feed->bus = gst_bus_new ();
  feed->n = 0;
  gst_element_set_bus (feed->h->element, feed->bus);
  gst_harness_set_src_caps_str (feed->h, CAPS);
  g_unsetenv ("TLPIPE_REFERENCE_FAIL");
}

static void
feed_clear (Feed *feed)
{
  gst_element_set_bus (feed->h->element, NULL);
  gst_object_unref (feed->bus);
  gst_harness_teardown (feed->h);
}

static GstElement *
find_infer (Feed *feed)
{
  return gst_harness_find_element (feed->h, "resnetinfer");
}

/* The next frame, with channel @bright of it, through the element. */
static GstBuffer *
pass (Feed *feed, guint bright)
{
  GstBuffer *frame = model_new_frame (64, 48, bright);

  GST_BUFFER_PTS (frame) = feed->n++ * FRAME;
  return gst_harness_push_and_pull (feed->h, frame);
}

/* Passes frames until one has a valid result with another serial than @serial;
 * returns a copy of that. */
static TlResultMeta
pass_until_result (Feed *feed, guint bright, guint64 serial)
{
  gint64 end = g_get_monotonic_time () + PATIENCE;

  while (TRUE) {
    g_autoptr (GstBuffer) frame = pass (feed, bright);
    TlResultMeta *meta = tl_buffer_get_result_meta (frame);

    if (meta->state == TL_RESULT_VALID && meta->serial != serial)
      return *meta;
    fail_unless (g_get_monotonic_time () < end, "no result came");
    g_usleep (1000);
  }
}

/* ---- Frames do not wait ---- */

GST_START_TEST (no_frame_waits_for_the_model)
{
  Feed feed;
  gint64 begin, longest = 0;

  feed_init (&feed, 2000, "");
  for (guint i = 0; i < 50; i++) {
    g_autoptr (GstBuffer) out = NULL;
    TlResultMeta *meta;

    begin = g_get_monotonic_time ();
    out = pass (&feed, 1);
    longest = MAX (longest, g_get_monotonic_time () - begin);
    meta = tl_buffer_get_result_meta (out);
    fail_unless_equals_int (meta->state, TL_RESULT_ABSENT);
    fail_unless_equals_string (g_quark_to_string (meta->reason),
        "no result yet");
    fail_unless_equals_uint64 (meta->serial, 0);
  }
  fail_unless (longest < G_USEC_PER_SEC, "%" G_GINT64_FORMAT, longest);
  feed_clear (&feed);
}
GST_END_TEST

GST_START_TEST (results_tell_their_frame_and_age)
{
  Feed feed;
  guint64 serial = 0;

  feed_init (&feed, 20, "");
  for (guint i = 0; i < 5; i++) {
    guint before = feed.n;
    TlResultMeta meta = pass_until_result (&feed, i % 3, serial);
    guint now = feed.n - 1;

    fail_unless (meta.serial > serial);
    fail_unless (meta.pts < now * FRAME);
    fail_unless_equals_uint64 (meta.age, now * FRAME - meta.pts);
    fail_unless (meta.inference_time >= 20 * GST_MSECOND);
    if (meta.pts >= before * FRAME)
      fail_unless_equals_int (meta.top[0].index, i % 3);
    serial = meta.serial;
  }
  feed_clear (&feed);
}
GST_END_TEST

/* While the model is at the first, others come: it takes the last of them next,
 * and tells how many it has passed over. */
GST_START_TEST (the_newest_frame_wins)
{
  Feed feed;
  TlResultMeta earlier, later;

  feed_init (&feed, 300, "");
  gst_buffer_unref (pass (&feed, 0));
  g_usleep (50000); /* the model has taken it */
  for (guint i = 0; i < 3; i++)
    gst_buffer_unref (pass (&feed, 1));
  gst_buffer_unref (pass (&feed, 2));
  earlier = pass_until_result (&feed, 2, 0);
  fail_unless_equals_uint64 (earlier.pts, 0);
  fail_unless_equals_int (earlier.top[0].index, 0);
  fail_unless_equals_int (earlier.n_skipped, 0);
  later = pass_until_result (&feed, 2, earlier.serial);
  fail_unless_equals_int (later.top[0].index, 2);
  fail_unless_equals_int (later.n_skipped, later.pts / FRAME - 1);
  fail_unless (later.n_skipped >= 3);
  feed_clear (&feed);
}
GST_END_TEST

GST_START_TEST (frames_and_their_memory_are_given_back)
{
  Feed feed;
  g_autoptr (GstBuffer) in = model_new_frame (64, 48, 1), out = NULL;
  GstMiniObject *memory;
  gint64 end = g_get_monotonic_time () + PATIENCE;

  feed_init (&feed, 0, "");
  memory = GST_MINI_OBJECT_CAST (gst_buffer_peek_memory (in, 0));
  out = gst_harness_push_and_pull (feed.h, gst_buffer_ref (in));
  fail_unless (gst_buffer_peek_memory (out, 0) == GST_MEMORY_CAST (memory));
  gst_clear_buffer (&out);
  while (GST_MINI_OBJECT_REFCOUNT_VALUE (memory) > 1) {
    fail_unless (g_get_monotonic_time () < end, "the frame is held");
    g_usleep (1000);
  }
  feed_clear (&feed);
}
GST_END_TEST

/* ---- New streams ---- */

static void
flush (Feed *feed)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (feed->h, gst_event_new_flush_start ());
  gst_harness_push_event (feed->h, gst_event_new_flush_stop (TRUE));
  gst_harness_push_event (feed->h, gst_event_new_segment (&segment));
}

static void
begin_stream (Feed *feed)
{
  GstSegment segment;
  g_autoptr (GstCaps) caps = gst_caps_from_string (CAPS);

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (feed->h, gst_event_new_stream_start ("another"));
  gst_harness_push_event (feed->h, gst_event_new_caps (caps));
  gst_harness_push_event (feed->h, gst_event_new_segment (&segment));
}

static void (*const renewals[]) (Feed *) = {flush, begin_stream};

/* With a result there, and with one under way. */
GST_START_TEST (results_stay_in_their_stream)
{
  Feed feed;
  TlResultMeta old, new;

  feed_init (&feed, 100, "smoothing=1000 hysteresis=1");
  old = pass_until_result (&feed, 0, 0);
  gst_buffer_unref (pass (&feed, 0));
  g_usleep (30000); /* the model is at it */
  gst_buffer_unref (pass (&feed, 0));
  renewals[__i__](&feed);
  {
    g_autoptr (GstBuffer) out = pass (&feed, 1);

    fail_unless_equals_string (g_quark_to_string (
                                   tl_buffer_get_result_meta (out)->reason),
        "no result yet");
  }
  new = pass_until_result (&feed, 1, old.serial);
  fail_unless_equals_int (new.top[0].index, 1);
  feed_clear (&feed);
}
GST_END_TEST

/* ---- Faults ---- */

/* The caps promise more than is there: no frame can be classified. */
static GstBuffer *
pass_short (Feed *feed)
{
  GstBuffer *frame = model_new_frame (64, 48, 0);

  gst_buffer_set_size (frame, 100);
  GST_BUFFER_PTS (frame) = feed->n++ * FRAME;
  return gst_harness_push_and_pull (feed->h, frame);
}

GST_START_TEST (a_fault_is_said_once_and_so_is_its_end)
{
  Feed feed;
  gint64 begin = g_get_monotonic_time (), end = begin + PATIENCE;
  guint64 serial = 0;
  g_autoptr (GstMessage) warning = NULL, info = NULL, more = NULL;

  feed_init (&feed, 0, "");
  while (serial < 3) { /* tries: at once, after 0.1 s and after 0.2 s more */
    g_autoptr (GstBuffer) out = pass_short (&feed);
    TlResultMeta *meta = tl_buffer_get_result_meta (out);

    serial = meta->serial;
    fail_unless_equals_int (meta->state, TL_RESULT_ABSENT);
    fail_unless (g_get_monotonic_time () < end, "it is not tried again");
    g_usleep (1000);
  }
  fail_unless (g_get_monotonic_time () - begin >= 300000);
  pass_until_result (&feed, 1, serial);
  warning = gst_bus_pop_filtered (feed.bus, GST_MESSAGE_WARNING);
  info = gst_bus_pop_filtered (feed.bus, GST_MESSAGE_INFO);
  more = gst_bus_pop_filtered (feed.bus, GST_MESSAGE_WARNING);
  fail_unless (warning != NULL && info != NULL && more == NULL);
  feed_clear (&feed);
}
GST_END_TEST

/* ---- Messages and statistics ---- */

static guint
count_results (Feed *feed)
{
  guint n = 0;
  GstMessage *message;

  while ((message = gst_bus_pop_filtered (feed->bus, GST_MESSAGE_ELEMENT))) {
    n += gst_message_has_name (message, "tl-result");
    gst_message_unref (message);
  }
  return n;
}

GST_START_TEST (messages_come_at_most_so_often_unless_the_class_changes)
{
  Feed feed;
  TlResultMeta meta = {.serial = 0};

  feed_init (&feed, 0, "message-interval-ms=3600000");
  for (guint i = 0; i < 5; i++)
    meta = pass_until_result (&feed, 0, meta.serial);
  fail_unless_equals_int (count_results (&feed), 1);
  while (meta.top[0].index != 2)
    meta = pass_until_result (&feed, 2, meta.serial);
  fail_unless_equals_int (count_results (&feed), 1);
  feed_clear (&feed);
}
GST_END_TEST

GST_START_TEST (each_result_is_posted_when_asked_for)
{
  Feed feed;
  TlResultMeta meta = {.serial = 0};

  feed_init (&feed, 5, "message-interval-ms=0");
  for (guint i = 0; i < 4; i++)
    meta = pass_until_result (&feed, 0, meta.serial);
  fail_unless_equals_int (count_results (&feed), (gint) meta.serial);
  feed_clear (&feed);
}
GST_END_TEST

GST_START_TEST (times_are_those_of_the_model)
{
  Feed feed;
  g_autoptr (GstElement) infer = NULL;
  TlResultMeta meta = {.serial = 0};
  guint64 last, p50, p95, p99;
  gdouble fps;

  feed_init (&feed, 10, "");
  infer = find_infer (&feed);
  for (guint i = 0; i < 5; i++)
    meta = pass_until_result (&feed, 0, meta.serial);
  g_object_get (infer, "inference-time", &last, "inference-fps", &fps,
      "inference-p50", &p50, "inference-p95", &p95, "inference-p99", &p99,
      NULL);
  fail_unless_equals_uint64 (last, meta.inference_time);
  fail_unless (p50 >= 10 * GST_MSECOND && p50 <= p95 && p95 <= p99);
  fail_unless (fps > 0 && fps <= 100);
  feed_clear (&feed);
}
GST_END_TEST

/* Frames between are passed over whether or not the model is free. */
GST_START_TEST (interval_spares_the_model)
{
  Feed feed;
  TlResultMeta meta = {.serial = 0};

  feed_init (&feed, 0, "interval=10");
  for (guint i = 0; i < 3; i++) {
    meta = pass_until_result (&feed, 0, meta.serial);
    if (meta.serial > 2)
      fail_unless (meta.n_skipped >= 9);
  }
  feed_clear (&feed);
}
GST_END_TEST

/* ---- Latency ---- */

static GstClockTime
query_latency (Feed *feed)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  g_autoptr (GstElement) infer = find_infer (feed);
  g_autoptr (GstPad) src = gst_element_get_static_pad (infer, "src");
  gboolean is_live;
  GstClockTime min, max;

  fail_unless (gst_pad_query (src, query));
  gst_query_parse_latency (query, &is_live, &min, &max);
  fail_unless (is_live);
  return min;
}

GST_START_TEST (async_adds_no_latency)
{
  Feed feed;

  feed_init (&feed, 30, "");
  pass_until_result (&feed, 0, 0);
  fail_unless_equals_uint64 (query_latency (&feed), 0);
  feed_clear (&feed);
}
GST_END_TEST

/* What is reported lies among what the frames have waited. */
GST_START_TEST (sync_reports_what_frames_wait)
{
  Feed feed;
  GstClockTime latency, shortest = G_MAXUINT64, longest = 0;
  g_autoptr (GstMessage) message = NULL;

  feed_init (&feed, 40, "mode=sync");
  for (guint i = 0; i < 4; i++) {
    GstClockTime begin = gst_util_get_timestamp (), took;
    g_autoptr (GstBuffer) out = pass (&feed, i % 3);
    TlResultMeta *meta = tl_buffer_get_result_meta (out);

    took = gst_util_get_timestamp () - begin;
    shortest = MIN (shortest, took);
    longest = MAX (longest, took);
    fail_unless_equals_int (meta->top[0].index, i % 3);
    fail_unless_equals_uint64 (meta->age, 0);
    fail_unless_equals_uint64 (meta->serial, i + 1);
  }
  latency = query_latency (&feed);
  fail_unless (latency >= 40 * GST_MSECOND && latency <= longest,
      "%" GST_TIME_FORMAT " of %" GST_TIME_FORMAT " to %" GST_TIME_FORMAT,
      GST_TIME_ARGS (latency), GST_TIME_ARGS (shortest),
      GST_TIME_ARGS (longest));
  message = gst_bus_pop_filtered (feed.bus, GST_MESSAGE_LATENCY);
  fail_unless (message != NULL);
  feed_clear (&feed);
}
GST_END_TEST

static Suite *
resnetinfer_async_suite (void)
{
  Suite *suite = suite_create ("resnetinfer_async");
  TCase *tcase = tcase_create ("resnetinfer_async");

  GST_ELEMENT_REGISTER (resnetinfer, NULL);
  suite_add_tcase (suite, tcase);
  tcase_add_checked_fixture (tcase, model_set_up, model_tear_down);
  tcase_add_test (tcase, no_frame_waits_for_the_model);
  tcase_add_test (tcase, results_tell_their_frame_and_age);
  tcase_add_test (tcase, the_newest_frame_wins);
  tcase_add_test (tcase, frames_and_their_memory_are_given_back);
  tcase_add_loop_test (tcase, results_stay_in_their_stream, 0,
      G_N_ELEMENTS (renewals));
  tcase_add_test (tcase, a_fault_is_said_once_and_so_is_its_end);
  tcase_add_test (tcase,
      messages_come_at_most_so_often_unless_the_class_changes);
  tcase_add_test (tcase, each_result_is_posted_when_asked_for);
  tcase_add_test (tcase, times_are_those_of_the_model);
  tcase_add_test (tcase, interval_spares_the_model);
  tcase_add_test (tcase, async_adds_no_latency);
  tcase_add_test (tcase, sync_reports_what_frames_wait);
  return suite;
}

GST_CHECK_MAIN (resnetinfer_async)
