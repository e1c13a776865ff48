/* SPDX-License-Identifier: BSD-3-Clause */

/* batcher when it is stopped, flushed, refused and given pictures of another
 * kind. */

#include "tlbatcher.h"
#include "tlpictures.h"
#include "tlstress.h"

#include <gst/check/gstcheck.h>

#include <tlevents.h>
#include <tlsamplemeta.h>

/* Does not divide 7: a phase's last batch is pushed by its end. */
static GstElement *
make (void)
{
  GstElement *batcher = gst_element_factory_make ("batcher", NULL);

  g_object_set (batcher, "batch-size", 4, NULL);
  return batcher;
}

static GstFlowReturn
stream (GstPad *feed)
{
  pictures_begin (feed, PICTURE_CAPS);
  return pictures_push (feed, G_MAXUINT, 7, 3);
}

static const StressSubject subject = {make, stream, stress_answers};

/* ---- What an event pushes ---- */

/* The batch of 3 is pushed by the end of its phase. */
static GstFlowReturn
stream_short_phase (GstPad *feed)
{
  GstFlowReturn flow;

  pictures_begin (feed, PICTURE_CAPS);
  flow = GST_FLOW_OK;
  for (guint e = 0; flow == GST_FLOW_OK; e++) {
    TlPhaseEnd end = {.epoch = e, .split = TL_SPLIT_TRAIN};

    for (guint i = 0; i < 3 && flow == GST_FLOW_OK; i++) {
      /* One of 5 that are announced is missing at the end. */
      Sample sample = {e, TL_SPLIT_TRAIN, i, 5};

      flow = gst_pad_push (feed, picture_new (&sample));
    }
    if (flow == GST_FLOW_OK)
      gst_pad_push_event (feed, tl_event_new_phase_end (&end));
  }
  return flow;
}

GST_START_TEST (error_behind_an_event_ends_with_the_next_picture)
{
  static const StressSubject short_phase = {make, stream_short_phase};
  Stress stress;

  stress_init (&stress, &short_phase);
  g_atomic_int_set (&stress.answer, GST_FLOW_ERROR);
  stress_play (&stress);
  stress_join (&stress, GST_FLOW_ERROR);
  fail_unless_equals_int (g_atomic_int_get (&stress.n_fed), 4);
  stress_clear (&stress);
}
GST_END_TEST

/* ---- A flush in the middle of an event ---- */

static gpointer
start_flush (gpointer feed)
{
  gst_pad_push_event (feed, gst_event_new_flush_start ());
  return NULL;
}

/* Lets a flush of the pad @data overtake the event. */
static GstPadProbeReturn
flush_at (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  GstPad *feed = data;

  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS
      || GST_EVENT_TYPE (event) == GST_EVENT_CUSTOM_DOWNSTREAM_STICKY) {
    gst_pad_remove_probe (pad, GST_PAD_PROBE_INFO_ID (info));
    g_thread_join (g_thread_new ("flush", start_flush, feed));
  }
  return GST_PAD_PROBE_OK;
}

/* A picture whose sticky events are on the way when a flush comes ends with
 * FLUSHING: an error would end the pipeline. */
static void
flush_in_sticky_events (GstEvent *event)
{
  Sample sample = {0, TL_SPLIT_TRAIN, 0, 9};
  g_autoptr (GstPad) sink = NULL;
  Stress stress;

  stress_init (&stress, &subject);
  sink = gst_element_get_static_pad (stress.element, "sink");
  gst_pad_set_active (stress.feed, TRUE);
  gst_pad_set_active (stress.drain, TRUE);
  gst_element_set_state (stress.element, GST_STATE_PLAYING);
  if (event) {
    pictures_begin (stress.feed, PICTURE_CAPS);
    gst_pad_unlink (stress.feed, sink);
    gst_pad_push_event (stress.feed, event);
  } else {
    gst_pad_unlink (stress.feed, sink);
    pictures_begin (stress.feed, PICTURE_CAPS);
  }
  gst_pad_add_probe (sink, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, flush_at,
      stress.feed, NULL);
  gst_pad_link (stress.feed, sink);
  fail_unless_equals_int (gst_pad_push (stress.feed, picture_new (&sample)),
      GST_FLOW_FLUSHING);
  gst_pad_push_event (stress.feed, gst_event_new_flush_stop (TRUE));
  pictures_begin (stress.feed, PICTURE_CAPS);
  fail_unless_equals_int (gst_pad_push (stress.feed, picture_new (&sample)),
      GST_FLOW_OK);
  stress_expect_no_error (&stress);
  stress_clear (&stress);
}

GST_START_TEST (flush_overtakes_caps)
{
  flush_in_sticky_events (NULL);
}
GST_END_TEST

GST_START_TEST (flush_overtakes_a_phase)
{
  TlPhase phase = {.epoch = 0, .split = TL_SPLIT_TRAIN, .n = 9};

  flush_in_sticky_events (tl_event_new_phase (&phase));
}
GST_END_TEST

/* ---- Other pictures ---- */

typedef struct
{
  const gchar *name;
  const gchar *caps;
  guint n_before; /* pictures in a batch of 4 */
  GstFlowReturn flow;
  const gchar *text; /* of the error, or NULL: upstream's */
} Change;

static const Change changes[] = {
    {"width", "video/x-raw,format=RGB,width=5,height=2", 1, GST_FLOW_ERROR,
        "from 3x2 to 5x2 in the middle of a batch"},
    {"height", "video/x-raw,format=RGB,width=3,height=9", 3, GST_FLOW_ERROR,
        "from 3x2 to 3x9 in the middle of a batch"},
    {"framerate", "video/x-raw,format=RGB,width=3,height=2,framerate=7/1", 2,
        GST_FLOW_OK, NULL},
    {"format", "video/x-raw,format=GRAY8,width=3,height=2", 1,
        GST_FLOW_NOT_NEGOTIATED, NULL},
    {"format between batches", "video/x-raw,format=BGR,width=3,height=2", 4,
        GST_FLOW_NOT_NEGOTIATED, NULL},
    {"not pictures", "audio/x-raw", 4, GST_FLOW_NOT_NEGOTIATED, NULL},
};

GST_START_TEST (other_caps_within_a_batch_are_an_error)
{
  const Change *change = &changes[__i__];
  g_autoptr (GstCaps) caps = gst_caps_from_string (change->caps);
  Sample sample = {0, TL_SPLIT_TRAIN, 0, 90};
  Stress stress;

  stress_init (&stress, &subject);
  gst_pad_set_active (stress.feed, TRUE);
  gst_pad_set_active (stress.drain, TRUE);
  gst_element_set_state (stress.element, GST_STATE_PLAYING);
  pictures_begin (stress.feed, PICTURE_CAPS);
  for (; sample.position < change->n_before; sample.position++)
    fail_unless_equals_int (gst_pad_push (stress.feed, picture_new (&sample)),
        GST_FLOW_OK);
  gst_pad_push_event (stress.feed, gst_event_new_caps (caps));
  fail_unless (gst_pad_push (stress.feed, picture_new (&sample))
          == change->flow,
      "%s", change->name);
  if (change->text)
    stress_expect_error (&stress, change->text);
  else
    stress_expect_no_error (&stress);
  fail_unless_equals_int (stress.n_drained, change->n_before / 4);
  stress_clear (&stress);
}
GST_END_TEST

/* Between batches it is the trainer's to refuse. */
GST_START_TEST (other_size_between_batches_is_passed_on)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (
      "video/x-raw,format=RGB,width=3,height=4,framerate=30/1");
  g_autoptr (GstCaps) found = NULL;
  TlBatchInfo info;
  Stress stress;

  stress_init (&stress, &subject);
  gst_pad_set_active (stress.feed, TRUE);
  gst_pad_set_active (stress.drain, TRUE);
  gst_element_set_state (stress.element, GST_STATE_PLAYING);
  pictures_begin (stress.feed, PICTURE_CAPS);
  fail_unless_equals_int (pictures_push (stress.feed, 1, 4, 0), GST_FLOW_OK);
  gst_pad_push_event (stress.feed, gst_event_new_caps (caps));
  found = gst_pad_get_current_caps (stress.drain);
  fail_unless (tl_batch_info_from_caps (&info, found));
  fail_unless_equals_int (info.height, 4);
  stress_clear (&stress);
}
GST_END_TEST

/* ---- Settings out of range ---- */

static const GstState late_states[] = {GST_STATE_READY, GST_STATE_PLAYING};

GST_START_TEST (batch_size_of_0_is_refused_late_too)
{
  GstState state = late_states[__i__];
  Stress stress;

  stress_init (&stress, &subject);
  gst_pad_set_active (stress.feed, TRUE);
  gst_pad_set_active (stress.drain, TRUE);
  gst_element_set_state (stress.element, state);
  g_object_set (stress.element, "batch-size", 0, NULL);
  if (state == GST_STATE_READY) {
    fail_unless_equals_int (gst_element_set_state (stress.element,
                                GST_STATE_PAUSED),
        GST_STATE_CHANGE_FAILURE);
  } else {
    fail_unless (stream (stress.feed) < GST_FLOW_EOS);
  }
  stress_expect_error (&stress, "batch-size=0 is out of range");
  stress_clear (&stress);
}
GST_END_TEST

/* ---- EOS ---- */

GST_START_TEST (eos_goes_through_in_every_state)
{
  static const GstState states[] = {GST_STATE_PAUSED, GST_STATE_PLAYING};
  Stress stress;

  stress_init (&stress, &subject);
  for (guint i = 0; i < G_N_ELEMENTS (states); i++) {
    gst_pad_set_active (stress.feed, TRUE);
    gst_pad_set_active (stress.drain, TRUE);
    gst_element_set_state (stress.element, states[i]);
    pictures_begin (stress.feed, PICTURE_CAPS);
    fail_unless (gst_pad_push_event (stress.feed, gst_event_new_eos ()));
    fail_unless (GST_PAD_IS_EOS (stress.drain));
    gst_element_set_state (stress.element, GST_STATE_READY);
    gst_pad_set_active (stress.feed, FALSE);
    gst_pad_set_active (stress.drain, FALSE);
  }
  gst_pad_set_active (stress.feed, TRUE);
  fail_if (gst_pad_push_event (stress.feed, gst_event_new_eos ()));
  stress_clear (&stress);
}
GST_END_TEST

static Suite *
batcher_stops_suite (void)
{
  Suite *suite = suite_create ("batcher_stops");
  TCase *tcase = tcase_create ("batcher_stops");

  GST_ELEMENT_REGISTER (batcher, NULL);
  stress_add_tests (tcase, &subject);
  tcase_add_test (tcase, error_behind_an_event_ends_with_the_next_picture);
  tcase_add_test (tcase, flush_overtakes_caps);
  tcase_add_test (tcase, flush_overtakes_a_phase);
  tcase_add_loop_test (tcase, other_caps_within_a_batch_are_an_error, 0,
      G_N_ELEMENTS (changes));
  tcase_add_test (tcase, other_size_between_batches_is_passed_on);
  tcase_add_loop_test (tcase, batch_size_of_0_is_refused_late_too, 0,
      G_N_ELEMENTS (late_states));
  tcase_add_test (tcase, eos_goes_through_in_every_state);
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (batcher_stops);
