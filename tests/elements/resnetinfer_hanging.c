/* SPDX-License-Identifier: BSD-3-Clause */

/* resnetinfer with a model that does not come back in time. */

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

#include "tlmodelrig.h"
#include "tlresnetinfer.h"
#include "tlresultmeta.h"

#define CAPS "video/x-raw,format=RGB,width=64,height=48,framerate=25/1"
#define HANGS_MS 1500
#define PATIENCE (20 * G_USEC_PER_SEC)

static const gchar *const modes[] = {"async", "sync"};

static GstHarness *
new_harness (GstBus *bus, const gchar *mode, guint timeout_ms)
{
  g_autofree gchar *path =
      model_write_checkpoint ("good", "[\"red\",\"green\",\"blue\"]", NULL);
  g_autofree gchar *line =
      g_strdup_printf ("resnetinfer checkpoint=%s device=cpu n-threads=1 "
                       "mode=%s timeout-ms=%u",
          path, mode, timeout_ms);
  g_autofree gchar *delay = g_strdup_printf ("infer-ms:%u", HANGS_MS);
  GstHarness *h;

  g_setenv ("TLPIPE_REFERENCE_FAIL", delay, TRUE);
  h = gst_harness_new_parse (line);
  gst_element_set_bus (h->element, bus);
  gst_harness_set_src_caps_str (h, CAPS);
  g_unsetenv ("TLPIPE_REFERENCE_FAIL");
  return h;
}

static void
tear_down (GstHarness *h, GstBus *bus)
{
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

static TlResultMeta
pass (GstHarness *h, guint i)
{
  GstBuffer *frame = model_new_frame (64, 48, 1);
  g_autoptr (GstBuffer) out = NULL;

  GST_BUFFER_PTS (frame) = i * 40 * GST_MSECOND;
  out = gst_harness_push_and_pull (h, frame);
  return *tl_buffer_get_result_meta (out);
}

/* Frames go on without a result, and with one once the model is back. */
GST_START_TEST (the_video_goes_on)
{
  GstBus *bus = gst_bus_new ();
  GstHarness *h = new_harness (bus, modes[__i__], 100);
  gint64 end = g_get_monotonic_time () + PATIENCE;
  gboolean was_absent = FALSE;
  TlResultMeta meta;
  g_autoptr (GstMessage) warning = NULL, more = NULL;

  for (guint i = 0;; i++) {
    meta = pass (h, i);
    if (meta.state == TL_RESULT_VALID)
      break;
    was_absent |=
        strstr (g_quark_to_string (meta.reason), "not answered for 100 ms")
        != NULL;
    fail_unless (g_get_monotonic_time () < end, "the model never came back");
    g_usleep (10000);
    if (__i__ == 1 && was_absent)
      break; /* each of its frames comes too late */
  }
  fail_unless (was_absent);
  warning = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  more = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  fail_unless (warning != NULL && more == NULL);
  tear_down (h, bus);
}
GST_END_TEST

/* One that hangs holds up a stop for no longer than timeout-ms. */
GST_START_TEST (a_stop_leaves_it_behind)
{
  GstBus *bus = gst_bus_new ();
  GstHarness *h = new_harness (bus, modes[__i__], 100);
  g_autoptr (GstMessage) warning = NULL;
  g_autoptr (GError) error = NULL;
  gint64 begin;

  pass (h, 0);
  g_usleep (50000);
  begin = g_get_monotonic_time ();
  gst_element_set_state (h->element, GST_STATE_NULL);
  fail_unless (g_get_monotonic_time () - begin < HANGS_MS * 900);
  do {
    gst_clear_message (&warning);
    g_clear_error (&error);
    warning = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
    fail_unless (warning != NULL);
    gst_message_parse_warning (warning, &error, NULL);
  } while (!strstr (error->message, "left behind"));
  tear_down (h, bus);
  g_usleep (HANGS_MS * 1000); /* so that nothing is left at the end */
}
GST_END_TEST

typedef struct
{
  GstHarness *h;
  TlResultMeta meta;
} Pusher;

static gpointer
push_one (gpointer data)
{
  Pusher *pusher = data;

  gst_harness_push (pusher->h, model_new_frame (64, 48, 1));
  return NULL;
}

static void
stop (GstHarness *h)
{
  gst_element_set_state (h->element, GST_STATE_READY);
}

static void
flush (GstHarness *h)
{
  gst_harness_push_event (h, gst_event_new_flush_start ());
}

static void (*const interruptions[]) (GstHarness *) = {stop, flush};

/* A frame that waits for its result lets a stop and a flush pass, though
 * timeout-ms is far away. */
GST_START_TEST (a_waiting_frame_lets_go)
{
  GstBus *bus = gst_bus_new ();
  GstHarness *h = new_harness (bus, "sync", 0);
  Pusher pusher = {.h = h};
  GThread *thread = g_thread_new ("pusher", push_one, &pusher);
  gint64 begin;

  g_usleep (100000);
  begin = g_get_monotonic_time ();
  interruptions[__i__](h);
  g_thread_join (thread);
  if (__i__ == 1)
    fail_unless (g_get_monotonic_time () - begin < HANGS_MS * 900);
  tear_down (h, bus);
}
GST_END_TEST

static Suite *
resnetinfer_hanging_suite (void)
{
  Suite *suite = suite_create ("resnetinfer_hanging");
  TCase *tcase = tcase_create ("resnetinfer_hanging");

  GST_ELEMENT_REGISTER (resnetinfer, NULL);
  suite_add_tcase (suite, tcase);
  tcase_add_checked_fixture (tcase, model_set_up, model_tear_down);
  tcase_add_loop_test (tcase, the_video_goes_on, 0, G_N_ELEMENTS (modes));
  tcase_add_loop_test (tcase, a_stop_leaves_it_behind, 0, G_N_ELEMENTS (modes));
  tcase_add_loop_test (tcase, a_waiting_frame_lets_go, 0,
      G_N_ELEMENTS (interruptions));
  return suite;
}

GST_CHECK_MAIN (resnetinfer_hanging)
