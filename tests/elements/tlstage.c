/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlstage.h"

#include "tlaugment.h"
#include "tlbatcher.h"
#include "tldatasetsrc.h"
#include "tlimagedecode.h"
#include "tlorderedelement.h"
#include "tltree.h"

#include <png.h>
#include <string.h>

#include <gst/check/gstcheck.h>

#include <tlcaps.h>
#include <tlsamplemeta.h>

#define SIDE 16
#define RGB "video/x-raw,format=RGB,width=16,height=16,framerate=0/1"
#define TIMEOUT (30 * G_TIME_SPAN_SECOND)

gchar *stage_folder;

gint stage_work_ms;
gint stage_n_works;

/* ---- An ordered element of our own ---- */

#define TYPE_SLOW_WORK slow_work_get_type ()
G_DECLARE_FINAL_TYPE (SlowWork, slow_work, SLOW, WORK, TlOrderedElement)

struct _SlowWork
{
  TlOrderedElement parent;
};

G_DEFINE_TYPE (SlowWork, slow_work, TL_TYPE_ORDERED_ELEMENT)

static void
slow_work_work (TlOrderedElement *element, gpointer context, TlOrderedJob *job)
{
  g_atomic_int_inc (&stage_n_works);
  g_usleep ((gulong) g_atomic_int_get (&stage_work_ms) * 1000);
  job->output = gst_buffer_ref (job->input);
}

static void
slow_work_class_init (SlowWorkClass *klass)
{
  static GstStaticPadTemplate sink = GST_STATIC_PAD_TEMPLATE ("sink",
      GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  static GstStaticPadTemplate src = GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC,
      GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  gst_element_class_add_static_pad_template (element_class, &sink);
  gst_element_class_add_static_pad_template (element_class, &src);
  gst_element_class_set_static_metadata (element_class, "Slow work", "Test",
      "Takes its time", "tlpipe developers");
  TL_ORDERED_ELEMENT_CLASS (klass)->work = slow_work_work;
}

static void
slow_work_init (SlowWork *self)
{
}

void
stage_register (void)
{
  GST_ELEMENT_REGISTER (datasetsrc, NULL);
  GST_ELEMENT_REGISTER (imagedecode, NULL);
  GST_ELEMENT_REGISTER (augment, NULL);
  GST_ELEMENT_REGISTER (batcher, NULL);
  gst_element_register (NULL, "slowwork", GST_RANK_NONE, TYPE_SLOW_WORK);
}

/* ---- Pictures ---- */

static GstBuffer *
make_pixels (void)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, SIDE * SIDE * 3, NULL);

  gst_buffer_memset (buffer, 0, 77, SIDE * SIDE * 3);
  return buffer;
}

static GstBuffer *
make_png (void)
{
  static const guint8 pixels[SIDE * SIDE * 3] = {1, 2, 3};
  png_image image = {.version = PNG_IMAGE_VERSION,
      .width = SIDE,
      .height = SIDE,
      .format = PNG_FORMAT_RGB};
  guint8 bytes[2 * sizeof pixels];
  png_alloc_size_t n = sizeof bytes;

  fail_unless (
      png_image_write_to_memory (&image, bytes, &n, 0, pixels, 0, NULL));
  return gst_buffer_new_memdup (bytes, n);
}

void
stage_set_up (void)
{
  stage_folder = tree_new ();
  tree_add_many (stage_folder, "even", "x", 6);
  tree_add_many (stage_folder, "odd", "x", 6);
  stage_work_ms = stage_n_works = 0;
}

void
stage_tear_down (void)
{
  tree_free (g_steal_pointer (&stage_folder));
}

/* ---- The pad that takes ---- */

static GstFlowReturn
take_buffer (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  Stage *stage = gst_pad_get_element_private (pad);
  guint64 number = GST_BUFFER_OFFSET (buffer), expected;
  GstFlowReturn answer;

  g_mutex_lock (&stage->lock);
  while (stage->is_stalled) {
    stage->is_waited_for = TRUE;
    g_cond_broadcast (&stage->changed);
    g_cond_wait (&stage->changed, &stage->lock);
  }
  stage->is_waited_for = FALSE;
  expected = stage->next;
  stage->next = number + 1;
  stage->n_taken++;
  answer = stage->answer;
  g_cond_broadcast (&stage->changed);
  g_mutex_unlock (&stage->lock);
  fail_unless (expected == GST_BUFFER_OFFSET_NONE || number == expected
          || (stage->may_skip && number > expected),
      "buffer %" G_GUINT64_FORMAT " instead of %" G_GUINT64_FORMAT, number,
      expected);
  gst_buffer_unref (buffer);
  return answer;
}

static gboolean
take_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  Stage *stage = gst_pad_get_element_private (pad);

  g_mutex_lock (&stage->lock);
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    stage->n_eos++;
  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_START)
    stage->is_stalled = FALSE;
  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP)
    stage->next = GST_BUFFER_OFFSET_NONE;
  g_cond_broadcast (&stage->changed);
  g_mutex_unlock (&stage->lock);
  gst_event_unref (event);
  return TRUE;
}

static gboolean
activate_take (GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active)
{
  if (!active)
    stage_stall (gst_pad_get_element_private (pad), FALSE);
  return mode == GST_PAD_MODE_PUSH;
}

static gboolean
query_take (GstPad *pad, GstObject *parent, GstQuery *query)
{
  Stage *stage = gst_pad_get_element_private (pad);
  GstCaps *caps;

  if (!stage_is_source (stage) || GST_QUERY_TYPE (query) != GST_QUERY_CAPS)
    return gst_pad_query_default (pad, parent, query);
  caps = gst_caps_new_empty_simple (TL_CAPS_IMAGE);
  gst_query_set_caps_result (query, caps);
  gst_caps_unref (caps);
  return TRUE;
}

/* ---- The pad that feeds ---- */

static GstBuffer *
make_buffer (Stage *stage)
{
  GstBuffer *buffer = gst_buffer_copy_deep (stage->picture);
  TlSampleMeta *sample = tl_buffer_add_sample_meta (buffer);
  guint64 number = (guint64) g_atomic_int_add (&stage->n_fed, 1);

  sample->index = sample->position = number;
  sample->n = G_MAXUINT64;
  GST_BUFFER_OFFSET (buffer) = number;
  GST_BUFFER_OFFSET_END (buffer) = number + 1;
  return buffer;
}

static void
push_header (Stage *stage)
{
  GstCaps *caps = gst_caps_from_string (stage->caps);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (stage->feed, gst_event_new_stream_start ("test"));
  gst_pad_push_event (stage->feed, gst_event_new_caps (caps));
  gst_pad_push_event (stage->feed, gst_event_new_segment (&segment));
  gst_caps_unref (caps);
}

/* FALSE: it is over. */
static gboolean
park (Stage *stage, GstFlowReturn flow)
{
  gboolean go_on;

  g_mutex_lock (&stage->lock);
  stage->flow = flow;
  stage->is_parked = TRUE;
  g_cond_broadcast (&stage->changed);
  while (stage->is_held && stage->is_feeding)
    g_cond_wait (&stage->changed, &stage->lock);
  go_on = stage->is_feeding
      && (flow == GST_FLOW_FLUSHING || flow == GST_FLOW_NOT_LINKED);
  if (go_on)
    stage->is_parked = FALSE;
  g_mutex_unlock (&stage->lock);
  return go_on;
}

/* Seeks and the like stop here. */
static gboolean
refuse_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  gst_event_unref (event);
  return FALSE;
}

/* A buffer or, when it is time, the end, which nobody takes twice. */
static GstFlowReturn
push_next (Stage *stage)
{
  if (!g_atomic_int_get (&stage->is_ending))
    return gst_pad_push (stage->feed, make_buffer (stage));
  gst_pad_push_event (stage->feed, gst_event_new_eos ());
  fail_if (gst_pad_push_event (stage->feed, gst_event_new_eos ()));
  return GST_FLOW_EOS;
}

static gpointer
feed (gpointer data)
{
  Stage *stage = data;
  GstFlowReturn flow;

  do {
    push_header (stage);
    do
      flow = push_next (stage);
    while (flow == GST_FLOW_OK);
  } while (park (stage, flow));
  return NULL;
}

/* ---- The stage ---- */

gboolean
stage_is_source (const Stage *stage)
{
  return stage->feed == NULL;
}

static GstPad *
make_pad (Stage *stage, const gchar *peer, GstPadDirection direction)
{
  GstPad *other = gst_element_get_static_pad (stage->element, peer);
  GstPad *pad = gst_pad_new (NULL, direction);
  GstPadLinkReturn link;

  gst_pad_set_element_private (pad, stage);
  link = direction == GST_PAD_SRC ? gst_pad_link (pad, other)
                                  : gst_pad_link (other, pad);
  fail_unless_equals_int (link, GST_PAD_LINK_OK);
  gst_object_unref (other);
  return pad;
}

static void
add_taking_pad (Stage *stage)
{
  stage->take = make_pad (stage, "src", GST_PAD_SINK);
  gst_pad_set_chain_function (stage->take, take_buffer);
  gst_pad_set_event_function (stage->take, take_event);
  gst_pad_set_query_function (stage->take, query_take);
  gst_pad_set_activatemode_function (stage->take, activate_take);
}

static void
choose_input (Stage *stage, const gchar *factory)
{
  if (strcmp (factory, "datasetsrc") == 0) {
    g_object_set (stage->element, "location", stage_folder, "epochs", 0,
        "valid-fraction", 0.0, NULL);
    return;
  }
  stage->feed = make_pad (stage, "sink", GST_PAD_SRC);
  gst_pad_set_event_function (stage->feed, refuse_event);
  stage->caps = strcmp (factory, "imagedecode") == 0 ? TL_CAPS_IMAGE : RGB;
  stage->picture =
      strcmp (factory, "imagedecode") == 0 ? make_png () : make_pixels ();
  if (strcmp (factory, "batcher") == 0)
    g_object_set (stage->element, "batch-size", 1, NULL);
  else
    g_object_set (stage->element, "n-threads", STAGE_THREADS, NULL);
  if (strcmp (factory, "imagedecode") == 0)
    g_object_set (stage->element, "width", SIDE, "height", SIDE, NULL);
}

void
stage_init (Stage *stage, const gchar *factory)
{
  memset (stage, 0, sizeof *stage);
  g_mutex_init (&stage->lock);
  g_cond_init (&stage->changed);
  stage->element = gst_element_factory_make (factory, NULL);
  fail_unless (stage->element != NULL, "no %s", factory);
  gst_object_ref_sink (stage->element);
  stage->bus = gst_bus_new ();
  gst_element_set_bus (stage->element, stage->bus);
  choose_input (stage, factory);
  add_taking_pad (stage);
}

void
stage_clear (Stage *stage)
{
  stage_stop (stage, GST_STATE_NULL, TRUE);
  gst_element_set_bus (stage->element, NULL);
  gst_object_unref (stage->bus);
  gst_object_unref (stage->element);
  gst_clear_object (&stage->feed);
  gst_object_unref (stage->take);
  gst_clear_buffer (&stage->picture);
  g_mutex_clear (&stage->lock);
  g_cond_clear (&stage->changed);
}

void
stage_start (Stage *stage)
{
  stage->flow = stage->answer = GST_FLOW_OK;
  stage->next = stage->n_taken = stage->n_eos = 0;
  stage->is_parked = stage->is_held = stage->is_stalled = FALSE;
  stage->is_feeding = TRUE;
  g_atomic_int_set (&stage->n_fed, 0);
  g_atomic_int_set (&stage->is_ending, FALSE);
  gst_pad_set_active (stage->take, TRUE);
  fail_unless (gst_element_set_state (stage->element, GST_STATE_PLAYING)
      != GST_STATE_CHANGE_FAILURE);
  if (stage_is_source (stage))
    return;
  gst_pad_set_active (stage->feed, TRUE);
  stage->feeder = g_thread_new ("feeder", feed, stage);
}

static void
stop_element (Stage *stage, GstState state)
{
  fail_unless_equals_int (gst_element_set_state (stage->element, state),
      GST_STATE_CHANGE_SUCCESS);
}

void
stage_stop (Stage *stage, GstState state, gboolean downstream_first)
{
  g_mutex_lock (&stage->lock);
  stage->is_feeding = FALSE;
  g_cond_broadcast (&stage->changed);
  g_mutex_unlock (&stage->lock);
  if (!downstream_first) {
    stage_stall (stage, FALSE);
    stop_element (stage, state);
  }
  gst_pad_set_active (stage->take, FALSE);
  stop_element (stage, state);
  if (stage->feeder)
    g_thread_join (g_steal_pointer (&stage->feeder));
  if (stage->feed)
    gst_pad_set_active (stage->feed, FALSE);
}

/* Returns when @condition holds, which is looked at under the lock. */
#define WAIT_UNTIL(stage, condition)                                           \
  G_STMT_START                                                                 \
  {                                                                            \
    gint64 end = g_get_monotonic_time () + TIMEOUT;                            \
                                                                               \
    g_mutex_lock (&(stage)->lock);                                             \
    while (!(condition))                                                       \
      fail_unless (g_cond_wait_until (&(stage)->changed, &(stage)->lock, end), \
          "waited for " #condition);                                           \
    g_mutex_unlock (&(stage)->lock);                                           \
  }                                                                            \
  G_STMT_END

void
stage_hold (Stage *stage, gboolean held)
{
  g_mutex_lock (&stage->lock);
  stage->is_held = held;
  g_cond_broadcast (&stage->changed);
  g_mutex_unlock (&stage->lock);
}

void
stage_flush (Stage *stage)
{
  if (stage_is_source (stage)) {
    gst_element_send_event (stage->element, gst_event_new_flush_start ());
    gst_element_send_event (stage->element, gst_event_new_flush_stop (TRUE));
    return;
  }
  stage_hold (stage, TRUE);
  gst_pad_push_event (stage->feed, gst_event_new_flush_start ());
  WAIT_UNTIL (stage, stage->is_parked);
  gst_pad_push_event (stage->feed, gst_event_new_flush_stop (TRUE));
  stage_hold (stage, FALSE);
}

gboolean
stage_send_eos (Stage *stage)
{
  if (stage_is_source (stage))
    return gst_element_send_event (stage->element, gst_event_new_eos ());
  if (!stage->feeder)
    return gst_pad_push_event (stage->feed, gst_event_new_eos ());
  g_atomic_int_set (&stage->is_ending, TRUE);
  return TRUE;
}

void
stage_stall (Stage *stage, gboolean stalled)
{
  g_mutex_lock (&stage->lock);
  stage->is_stalled = stalled;
  g_cond_broadcast (&stage->changed);
  g_mutex_unlock (&stage->lock);
}

void
stage_answer (Stage *stage, GstFlowReturn flow)
{
  g_mutex_lock (&stage->lock);
  stage->answer = flow;
  g_mutex_unlock (&stage->lock);
}

void
stage_wait_for_buffers (Stage *stage, guint n)
{
  WAIT_UNTIL (stage, stage->n_taken >= n);
}

void
stage_wait_for_stall (Stage *stage)
{
  WAIT_UNTIL (stage, stage->is_waited_for);
}

void
stage_wait_for_eos (Stage *stage, guint n)
{
  WAIT_UNTIL (stage, stage->n_eos >= n);
}

GstFlowReturn
stage_wait_for_flow (Stage *stage)
{
  WAIT_UNTIL (stage, stage->is_parked);
  return stage->flow;
}

void
stage_wait_for_pause (Stage *stage)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (stage->element, "src");

  for (guint i = 0; gst_pad_get_task_state (pad) != GST_TASK_PAUSED; i++) {
    fail_unless (i < 30000, "the task does not pause");
    g_usleep (1000);
  }
}

void
stage_expect_errors (Stage *stage, guint n)
{
  g_autofree gchar *last = NULL;
  GstMessage *message;
  guint found = 0;

  while ((message = gst_bus_pop (stage->bus))) {
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
      g_autoptr (GError) error = NULL;

      found++;
      g_clear_pointer (&last, g_free);
      gst_message_parse_error (message, &error, &last);
    }
    gst_message_unref (message);
  }
  fail_unless (found == n, "%u errors instead of %u, the last: %s", found, n,
      last ? last : "");
}
