/* SPDX-License-Identifier: BSD-3-Clause */

/* checkpointsink when it is paused, flushed and stopped. */

#include "tlcheckpointinfo.h"
#include "tlcheckpointsink.h"
#include "tlsinkrig.h"
#include "tlstress.h"

#include <tlqueries.h>

#include <gst/check/gstcheck.h>

#define GOOD "loss=0.2 accuracy=0.9 balanced-accuracy=0.875 n=8 skipped=0"
#define BAD "loss=0.05 accuracy=0.95 balanced-accuracy=0.5 n=8 skipped=0"

static GstPadProbeReturn
answer_final (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);
  g_autoptr (GstBuffer) checkpoint = NULL;

  if (!tl_query_is_final_checkpoint (query))
    return GST_PAD_PROBE_OK;
  checkpoint = sink_new_checkpoint (user);
  tl_query_answer_final_checkpoint (query, checkpoint);
  return GST_PAD_PROBE_HANDLED;
}

GST_START_TEST (unsaved_state_is_fetched_at_the_stop)
{
  Checkpoint final = {.epoch = 1, .position = 3, .valid = GOOD};
  SinkRun run;

  sink_start (&run, sink_folder, NULL);
  gst_pad_add_probe (run.h->srcpad, GST_PAD_PROBE_TYPE_QUERY_UPSTREAM,
      answer_final, &final, NULL);
  sink_push_epoch (&run, 1, GOOD);
  sink_stop (&run);
  sink_expect_checkpoint ("last.safetensors", &final);
  sink_expect_epoch ("best.safetensors", 1, GOOD);
}
GST_END_TEST

GST_START_TEST (pause_neither_blocks_nor_loses)
{
  SinkRun run;

  sink_start (&run, sink_folder, NULL);
  gst_element_set_state (run.h->element, GST_STATE_PAUSED);
  for (guint i = 1; i < 6; i++)
    sink_push_epoch (&run, i, GOOD);
  sink_stop (&run);
  sink_expect_epoch ("last.safetensors", 5, GOOD);
}
GST_END_TEST

GST_START_TEST (flush_loses_nothing)
{
  GstSegment segment;
  SinkRun run;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  sink_start (&run, sink_folder, NULL);
  for (guint i = 1; i < 10; i++) {
    sink_push_epoch (&run, i, GOOD);
    gst_harness_push_event (run.h, gst_event_new_flush_start ());
    gst_harness_push_event (run.h, gst_event_new_flush_stop (TRUE));
    gst_harness_push_event (run.h, gst_event_new_segment (&segment));
  }
  sink_stop (&run);
  sink_expect_epoch ("last.safetensors", 9, GOOD);
}
GST_END_TEST

/* ---- at any time ---- */

static GstElement *
make (void)
{
  GstElement *sink = gst_element_factory_make ("checkpointsink", NULL);

  g_object_set (sink, "location", sink_folder, "save-top-k", 2, NULL);
  return sink;
}

static GstFlowReturn
stream (GstPad *feed)
{
  g_autoptr (GstCaps) caps =
      gst_caps_from_string ("application/x-tl-checkpoint,format=safetensors");
  GstFlowReturn flow = GST_FLOW_OK;
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_pad_push_event (feed, gst_event_new_stream_start ("checkpoints"));
  gst_pad_push_event (feed, gst_event_new_caps (caps));
  gst_pad_push_event (feed, gst_event_new_segment (&segment));
  for (guint i = 1; flow == GST_FLOW_OK; i++) {
    Checkpoint c = {.epoch = i, .position = i % 3, .valid = BAD};

    flow = gst_pad_push (feed, sink_new_checkpoint (&c));
  }
  return flow;
}

static const StressSubject subject = {make, stream, NULL};

static gpointer
push_epochs (gpointer user)
{
  for (guint i = 1; i < 1000; i++) {
    Checkpoint c = {.epoch = i, .position = i % 3, .valid = BAD};

    if (sink_push (user, &c) != GST_FLOW_OK)
      break;
  }
  return NULL;
}

GST_START_TEST (stops_at_any_time_leave_whole_files)
{
  for (guint i = 0; i < 20; i++) {
    TlCheckpointInfo info = {0};
    TlError error = TL_ERROR_INIT;
    g_autofree gchar *path = sink_path_of ("last.safetensors");
    GThread *thread;
    SinkRun run;

    sink_start (&run, sink_folder, "save-top-k=3");
    thread = g_thread_new ("push", push_epochs, &run);
    g_usleep (500 * i);
    gst_element_set_state (run.h->element, GST_STATE_READY);
    g_thread_join (thread);
    sink_stop (&run);
    if (sink_has_file ("last.safetensors"))
      fail_unless (tl_checkpoint_info_read_file (&info, path, &error) == TL_OK,
          "%s", error.message);
    tl_checkpoint_info_clear (&info);
    fail_unless (sink_count_files () <= 6);
  }
}
GST_END_TEST

/* ---- EOS and lists ---- */

static gpointer
push_eos (gpointer user)
{
  SinkRun *run = user;

  gst_harness_push_event (run->h, gst_event_new_eos ());
  return NULL;
}

/* What came before it is written, though it waits for PLAYING itself. */
GST_START_TEST (eos_in_paused_writes_and_waits)
{
  g_autoptr (GstMessage) message = NULL;
  GThread *thread;
  SinkRun run;

  sink_start (&run, sink_folder, NULL);
  gst_element_set_state (run.h->element, GST_STATE_PAUSED);
  sink_push_epoch (&run, 1, GOOD);
  thread = g_thread_new ("eos", push_eos, &run);
  sink_wait_for ("last.safetensors");
  message =
      gst_bus_timed_pop_filtered (run.bus, 30 * GST_MSECOND, GST_MESSAGE_EOS);
  fail_unless (message == NULL);
  if (__i__ == 0) {
    gst_element_set_state (run.h->element, GST_STATE_PLAYING);
    message =
        gst_bus_timed_pop_filtered (run.bus, 5 * GST_SECOND, GST_MESSAGE_EOS);
    fail_unless (message != NULL);
  } else {
    gst_element_set_state (run.h->element, GST_STATE_READY);
  }
  g_thread_join (thread);
  sink_stop (&run);
  sink_expect_epoch ("last.safetensors", 1, GOOD);
}
GST_END_TEST

GST_START_TEST (lists_are_written_too)
{
  GstBufferList *list = gst_buffer_list_new ();
  Checkpoint one = {.epoch = 1, .valid = GOOD};
  Checkpoint two = {.epoch = 2, .valid = BAD};
  SinkRun run;

  gst_buffer_list_add (list, sink_new_checkpoint (&one));
  gst_buffer_list_add (list, sink_new_checkpoint (&two));
  sink_start (&run, sink_folder, NULL);
  fail_unless_equals_int (gst_pad_push_list (run.h->srcpad, list), GST_FLOW_OK);
  sink_finish (&run);
  sink_expect_checkpoint ("best.safetensors", &one);
  sink_expect_checkpoint ("last.safetensors", &two);
}
GST_END_TEST

/* The final checkpoint is the newest, though an older one comes behind it. */
static GstPadProbeReturn
answer_and_push_older (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);
  SinkRun *run = user;
  Checkpoint older = {.epoch = 1, .position = 1};
  Checkpoint final = {.epoch = 1, .position = 2};
  g_autoptr (GstBuffer) checkpoint = NULL;

  if (!tl_query_is_final_checkpoint (query))
    return GST_PAD_PROBE_OK;
  fail_unless_equals_uint64 (tl_query_final_checkpoint_received (query), 1);
  fail_unless_equals_int (sink_push (run, &older), GST_FLOW_FLUSHING);
  checkpoint = sink_new_checkpoint (&final);
  tl_query_answer_final_checkpoint (query, checkpoint);
  return GST_PAD_PROBE_HANDLED;
}

GST_START_TEST (nothing_comes_behind_the_final_checkpoint)
{
  Checkpoint final = {.epoch = 1, .position = 2};
  SinkRun run;

  sink_start (&run, sink_folder, NULL);
  gst_pad_add_probe (run.h->srcpad, GST_PAD_PROBE_TYPE_QUERY_UPSTREAM,
      answer_and_push_older, &run, NULL);
  sink_push_epoch (&run, 1, GOOD);
  sink_stop (&run);
  sink_expect_checkpoint ("last.safetensors", &final);
}
GST_END_TEST

static Suite *
checkpointsink_stops_suite (void)
{
  Suite *suite = suite_create ("checkpointsink_stops");
  TCase *tcase = tcase_create ("checkpointsink_stops");

  GST_ELEMENT_REGISTER (checkpointsink, NULL);
  tcase_add_checked_fixture (tcase, sink_set_up, sink_tear_down);
  stress_add_tests (tcase, &subject);
  tcase_add_test (tcase, unsaved_state_is_fetched_at_the_stop);
  tcase_add_test (tcase, pause_neither_blocks_nor_loses);
  tcase_add_test (tcase, flush_loses_nothing);
  tcase_add_test (tcase, stops_at_any_time_leave_whole_files);
  tcase_add_loop_test (tcase, eos_in_paused_writes_and_waits, 0, 2);
  tcase_add_test (tcase, lists_are_written_too);
  tcase_add_test (tcase, nothing_comes_behind_the_final_checkpoint);
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (checkpointsink_stops);
