/* SPDX-License-Identifier: BSD-3-Clause */

/* checkpointsink when it is paused, flushed and stopped. */

#include "tlcheckpointinfo.h"
#include "tlcheckpointsink.h"
#include "tlsinkrig.h"

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

static Suite *
checkpointsink_stops_suite (void)
{
  Suite *suite = suite_create ("checkpointsink_stops");
  TCase *tcase = tcase_create ("checkpointsink_stops");

  GST_ELEMENT_REGISTER (checkpointsink, NULL);
  tcase_add_checked_fixture (tcase, sink_set_up, sink_tear_down);
  tcase_add_test (tcase, unsaved_state_is_fetched_at_the_stop);
  tcase_add_test (tcase, pause_neither_blocks_nor_loses);
  tcase_add_test (tcase, flush_loses_nothing);
  tcase_add_test (tcase, stops_at_any_time_leave_whole_files);
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (checkpointsink_stops);
