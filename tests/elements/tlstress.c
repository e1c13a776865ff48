/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlstress.h"

#include <tlqueries.h>

#define N_ROUNDS 20
#define MAX_DELAY_US 15000
#define N_VISITED 200 /* starts and stops */

static GstStaticPadTemplate drain_template = GST_STATIC_PAD_TEMPLATE ("drain",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

const StressAnswer stress_answers[] = {
    {GST_FLOW_ERROR, GST_FLOW_ERROR},
    {GST_FLOW_EOS, GST_FLOW_EOS},
    {GST_FLOW_FLUSHING, GST_FLOW_FLUSHING},
    {GST_FLOW_NOT_LINKED, GST_FLOW_NOT_LINKED},
    {GST_FLOW_NOT_NEGOTIATED, GST_FLOW_NOT_NEGOTIATED},
};

/* Of the tests below; set where they are added. */
static const StressSubject *tested;

/* ---- Pads ---- */

static GstFlowReturn
drain_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  Stress *self = GST_PAD_ELEMENT_PRIVATE (pad);

  gst_buffer_unref (buffer);
  g_atomic_int_inc (&self->n_drained);
  while (g_atomic_int_get (&self->is_stalled))
    g_usleep (1000);
  return g_atomic_int_get (&self->answer);
}

static gboolean
drain_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  gst_event_unref (event);
  return TRUE;
}

static GstPadProbeReturn
count_fed (GstPad *pad, GstPadProbeInfo *info, gpointer stress)
{
  g_atomic_int_inc (&((Stress *) stress)->n_fed);
  return GST_PAD_PROBE_OK;
}

static void
link_feed (Stress *self)
{
  g_autoptr (GstPad) sink = gst_element_get_static_pad (self->element, "sink");

  self->feed = gst_pad_new ("feed", GST_PAD_SRC);
  gst_pad_add_probe (self->feed, GST_PAD_PROBE_TYPE_BUFFER, count_fed, self,
      NULL);
  fail_unless_equals_int (gst_pad_link (self->feed, sink), GST_PAD_LINK_OK);
}

static void
link_drain (Stress *self)
{
  g_autoptr (GstPad) src = gst_element_get_static_pad (self->element, "src");

  if (!src)
    return;
  self->drain = gst_pad_new_from_static_template (&drain_template, "drain");
  GST_PAD_ELEMENT_PRIVATE (self->drain) = self;
  gst_pad_set_chain_function (self->drain, drain_chain);
  gst_pad_set_event_function (self->drain, drain_event);
  fail_unless_equals_int (gst_pad_link (src, self->drain), GST_PAD_LINK_OK);
}

/* Forgets the sticky events, as a source does that begins again. */
static void
renew (GstPad *pad)
{
  if (!pad)
    return;
  gst_pad_set_active (pad, FALSE);
  gst_pad_set_active (pad, TRUE);
}

/* ---- Life ---- */

void
stress_init (Stress *self, const StressSubject *subject)
{
  *self = (Stress){.subject = subject, .bus = gst_bus_new ()};
  self->element = gst_object_ref_sink (subject->make ());
  gst_element_set_bus (self->element, self->bus);
  link_feed (self);
  link_drain (self);
}

void
stress_clear (Stress *self)
{
  gst_element_set_state (self->element, GST_STATE_NULL);
  gst_element_set_bus (self->element, NULL);
  gst_bus_set_flushing (self->bus, TRUE);
  gst_object_unref (self->bus);
  gst_object_unref (self->feed);
  if (self->drain)
    gst_object_unref (self->drain);
  gst_object_unref (self->element);
}

static gpointer
feed (gpointer stress)
{
  Stress *self = stress;

  return GINT_TO_POINTER (self->subject->stream (self->feed));
}

static void
start_thread (Stress *self)
{
  self->thread = g_thread_new ("feed", feed, self);
}

void
stress_play (Stress *self)
{
  renew (self->feed);
  renew (self->drain);
  g_atomic_int_set (&self->n_fed, 0);
  g_atomic_int_set (&self->n_drained, 0);
  fail_unless (gst_element_set_state (self->element, GST_STATE_PLAYING)
      != GST_STATE_CHANGE_FAILURE);
  start_thread (self);
}

void
stress_join (Stress *self, GstFlowReturn flow)
{
  GstFlowReturn found =
      GPOINTER_TO_INT (g_thread_join (g_steal_pointer (&self->thread)));

  fail_unless (found == flow, "the feed ended with %s, not %s",
      gst_flow_get_name (found), gst_flow_get_name (flow));
}

void
stress_wait_for_output (Stress *self, gint n)
{
  for (guint i = 0; g_atomic_int_get (&self->n_drained) < n; i++) {
    fail_unless (i < 20000, "no %d buffers within 20 s", n);
    g_usleep (1000);
  }
}

void
stress_expect_no_error (Stress *self)
{
  g_autoptr (GstMessage) message =
      gst_bus_pop_filtered (self->bus, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;

  if (message)
    gst_message_parse_error (message, &error, NULL);
  fail_unless (message == NULL, "%s", error ? error->message : "");
}

void
stress_expect_error (Stress *self, const gchar *text)
{
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (self->bus, 5 * GST_SECOND, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;

  fail_unless (message != NULL, "no error with \"%s\"", text);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (strstr (error->message, text) != NULL, "\"%s\" lacks \"%s\"",
      error->message, text);
  stress_expect_no_error (self);
}

/* ---- The tests ---- */

static GRand *
new_random (void)
{
  const gchar *given = g_getenv ("TLPIPE_SEED");
  guint32 seed =
      given ? (guint32) g_ascii_strtoull (given, NULL, 10) : g_random_int ();

  g_print ("TLPIPE_SEED=%u\n", seed);
  return g_rand_new_with_seed (seed);
}

static void
delay (GRand *random)
{
  g_usleep ((gulong) g_rand_int_range (random, 0, MAX_DELAY_US));
}

GST_START_TEST (stops_at_any_time)
{
  g_autoptr (GRand) random = new_random ();
  Stress stress;

  stress_init (&stress, tested);
  for (guint i = 0; i < N_ROUNDS; i++) {
    stress_play (&stress);
    delay (random);
    if (g_rand_boolean (random))
      gst_element_set_state (stress.element, GST_STATE_PAUSED);
    fail_unless_equals_int (gst_element_set_state (stress.element,
                                i % 2 ? GST_STATE_NULL : GST_STATE_READY),
        GST_STATE_CHANGE_SUCCESS);
    stress_join (&stress, GST_FLOW_FLUSHING);
    stress_expect_no_error (&stress);
  }
  stress_clear (&stress);
}
GST_END_TEST

GST_START_TEST (flushes_at_any_time)
{
  g_autoptr (GRand) random = new_random ();
  Stress stress;

  stress_init (&stress, tested);
  stress_play (&stress);
  for (guint i = 0; i < N_ROUNDS; i++) {
    delay (random);
    gst_pad_push_event (stress.feed, gst_event_new_flush_start ());
    stress_join (&stress, GST_FLOW_FLUSHING);
    gst_pad_push_event (stress.feed, gst_event_new_flush_stop (TRUE));
    stress_expect_no_error (&stress);
    start_thread (&stress);
  }
  gst_element_set_state (stress.element, GST_STATE_READY);
  stress_join (&stress, GST_FLOW_FLUSHING);
  stress_clear (&stress);
}
GST_END_TEST

GST_START_TEST (downstream_ends_it_at_once)
{
  const StressAnswer *answer = &tested->answers[__i__];
  Stress stress;

  stress_init (&stress, tested);
  for (guint i = 0; i < 2; i++) {
    g_atomic_int_set (&stress.answer, answer->given);
    stress_play (&stress);
    stress_join (&stress, answer->flow);
    fail_unless_equals_int (g_atomic_int_get (&stress.n_drained), 1);
    gst_element_set_state (stress.element, GST_STATE_READY);

    g_atomic_int_set (&stress.answer, GST_FLOW_OK);
    stress_play (&stress);
    stress_wait_for_output (&stress, 3);
    gst_element_set_state (stress.element, GST_STATE_READY);
    stress_join (&stress, GST_FLOW_FLUSHING);
  }
  stress_clear (&stress);
}
GST_END_TEST

GST_START_TEST (stalled_consumer_stops_the_stream)
{
  gint n_fed;
  Stress stress;

  stress_init (&stress, tested);
  g_atomic_int_set (&stress.is_stalled, TRUE);
  stress_play (&stress);
  stress_wait_for_output (&stress, 1);
  g_usleep (20000);
  n_fed = g_atomic_int_get (&stress.n_fed);
  g_usleep (100000);
  fail_unless_equals_int (g_atomic_int_get (&stress.n_fed), n_fed);
  fail_unless_equals_int (g_atomic_int_get (&stress.n_drained), 1);
  g_atomic_int_set (&stress.is_stalled, FALSE);
  stress_wait_for_output (&stress, 3);
  gst_element_set_state (stress.element, GST_STATE_READY);
  stress_join (&stress, GST_FLOW_FLUSHING);
  stress_expect_no_error (&stress);
  stress_clear (&stress);
}
GST_END_TEST

/* ---- Visits ---- */

typedef struct
{
  GstElement *element;
  gint is_over; /* atomic */
} Visitor;

static void
ask (GstPad *pad, GstQuery *query)
{
  gst_pad_query (pad, query);
  gst_query_unref (query);
}

static void
read_properties (GstElement *element)
{
  guint n;
  g_autofree GParamSpec **pspecs =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);

  for (guint i = 0; i < n; i++) {
    GValue value = G_VALUE_INIT;

    g_value_init (&value, pspecs[i]->value_type);
    g_object_get_property (G_OBJECT (element), pspecs[i]->name, &value);
    g_value_unset (&value);
  }
}

static gpointer
visit (gpointer user)
{
  Visitor *visitor = user;
  g_autoptr (GstPad) pad =
      gst_element_get_static_pad (visitor->element, "sink");

  while (!g_atomic_int_get (&visitor->is_over)) {
    ask (pad, tl_query_new_cursor ());
    ask (pad, tl_query_new_preprocess (FALSE));
    ask (pad, gst_query_new_caps (NULL));
    gst_pad_send_event (pad, gst_event_new_flush_start ());
    gst_pad_send_event (pad, gst_event_new_flush_stop (TRUE));
    read_properties (visitor->element);
  }
  return NULL;
}

GST_START_TEST (visits_meet_stops)
{
  Visitor visitor = {0};
  GThread *thread;
  Stress stress;

  stress_init (&stress, tested);
  visitor.element = stress.element;
  thread = g_thread_new ("visitor", visit, &visitor);
  for (guint i = 0; i < N_VISITED; i++) {
    renew (stress.drain);
    fail_unless (gst_element_set_state (stress.element,
                     i % 3 ? GST_STATE_PLAYING : GST_STATE_PAUSED)
        != GST_STATE_CHANGE_FAILURE);
    fail_unless_equals_int (gst_element_set_state (stress.element,
                                i % 2 ? GST_STATE_NULL : GST_STATE_READY),
        GST_STATE_CHANGE_SUCCESS);
  }
  g_atomic_int_set (&visitor.is_over, TRUE);
  g_thread_join (thread);
  stress_expect_no_error (&stress);
  stress_clear (&stress);
}
GST_END_TEST

void
stress_add_tests (TCase *tcase, const StressSubject *subject)
{
  tested = subject;
  tcase_add_test (tcase, stops_at_any_time);
  tcase_add_test (tcase, flushes_at_any_time);
  tcase_add_test (tcase, visits_meet_stops);
  if (subject->answers == NULL)
    return;
  tcase_add_loop_test (tcase, downstream_ends_it_at_once, 0, STRESS_N_ANSWERS);
  tcase_add_test (tcase, stalled_consumer_stops_the_stream);
}
