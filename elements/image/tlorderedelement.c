/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlorderedelement.h"

#include "tlorderedqueue.h"

#include <tlrange.h>

GST_DEBUG_CATEGORY (tl_ordered_element_debug);
#define GST_CAT_DEFAULT tl_ordered_element_debug

#define DEFAULT_N_THREADS 0
#define MAX_THREADS 256

enum
{
  PROP_0,
  PROP_N_THREADS,
};

typedef struct
{
  GstPad *sinkpad;
  GstPad *srcpad;

  guint n_threads; /* object lock */

  GstVideoInfo info; /* of the newest caps; streaming thread only */

  TlOrderedQueue queue; /* its locks come after open_lock */

  /* Whoever lets data flow again has this, from waiting for the src task until
   * it is started: so nobody opens the pool to a task that is waited for. Before
   * the locks above, after the sink pad's stream lock. */
  GMutex open_lock;
} TlOrderedElementPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (TlOrderedElement, tl_ordered_element,
    GST_TYPE_ELEMENT)

static TlOrderedElementPrivate *
get_private (TlOrderedElement *self)
{
  return tl_ordered_element_get_instance_private (self);
}

GstPad *
tl_ordered_element_get_sink_pad (TlOrderedElement *self)
{
  return get_private (self)->sinkpad;
}

GstPad *
tl_ordered_element_get_src_pad (TlOrderedElement *self)
{
  return get_private (self)->srcpad;
}

gboolean
tl_ordered_element_begin_error (TlOrderedElement *self)
{
  return tl_ordered_queue_begin_error (&get_private (self)->queue);
}

void
tl_ordered_element_fail (TlOrderedElement *self)
{
  tl_ordered_queue_fail (&get_private (self)->queue);
}

gboolean
tl_ordered_element_has_failed (TlOrderedElement *self)
{
  return tl_ordered_queue_has_failed (&get_private (self)->queue);
}

/* Returns the one that was there. */
static TlWorkPool *
set_pool (TlOrderedElement *self, TlWorkPool *pool)
{
  TlOrderedElementPrivate *priv = get_private (self);
  TlWorkPool *old;

  GST_PAD_STREAM_LOCK (priv->sinkpad);
  old = tl_ordered_queue_swap_pool (&priv->queue, pool);
  GST_PAD_STREAM_UNLOCK (priv->sinkpad);
  return old;
}

static gboolean
make_pool (TlOrderedElement *self)
{
  TlOrderedElementPrivate *priv = get_private (self);
  TlWorkPool *pool;
  guint n_threads;

  GST_OBJECT_LOCK (self);
  n_threads = priv->n_threads;
  GST_OBJECT_UNLOCK (self);
  if (n_threads == 0)
    n_threads = g_get_num_processors ();
  pool = tl_ordered_queue_make_pool (&priv->queue, n_threads);
  if (pool == NULL)
    GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT,
        ("%u worker threads could not be started; set n-threads lower.",
            n_threads),
        ("tl_work_pool_new (%u) failed", n_threads));
  set_pool (self, pool);
  return pool != NULL;
}

static void
push_next (gpointer data)
{
  TlOrderedElementPrivate *priv = get_private (data);

  if (tl_ordered_queue_handle_next (&priv->queue))
    return;
  GST_DEBUG_OBJECT (data, "flushing: the task pauses");
  gst_pad_pause_task (priv->srcpad);
}

static GstFlowReturn
sink_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  TlOrderedElementPrivate *priv = get_private (TL_ORDERED_ELEMENT (parent));

  return tl_ordered_queue_add_buffer (&priv->queue, buffer, &priv->info);
}

/* FLUSHING is set first: an event that fails from now on is kept. The src task
 * is not waited for, so that this never blocks. */
static void
begin_flush (TlOrderedElement *self, GstEvent *event)
{
  tl_ordered_queue_stop_waiting (&get_private (self)->queue);
  gst_pad_push_event (get_private (self)->srcpad, event);
}

/* With open_lock: closes for good what is inside. */
static void
drop_all (TlOrderedElement *self)
{
  TlOrderedElementPrivate *priv = get_private (self);

  tl_ordered_queue_stop_waiting (&priv->queue);
  gst_pad_pause_task (priv->srcpad);
  tl_ordered_queue_reopen (&priv->queue);
}

/* Comes in any state. While the src pad is closed, the element stays closed. */
static void
end_flush (TlOrderedElement *self, GstEvent *event)
{
  TlOrderedElementPrivate *priv = get_private (self);
  TlOrderedElementClass *klass = TL_ORDERED_ELEMENT_GET_CLASS (self);
  gboolean is_open;

  g_mutex_lock (&priv->open_lock);
  is_open = priv->queue.pool && gst_pad_is_active (priv->srcpad);
  if (is_open)
    drop_all (self);
  if (is_open && klass->reset)
    klass->reset (self);
  gst_pad_push_event (priv->srcpad, event);
  if (is_open)
    gst_pad_start_task (priv->srcpad, push_next, self, NULL);
  g_mutex_unlock (&priv->open_lock);
}

/* Buffers that follow belong to these caps. */
static void
note_caps (TlOrderedElement *self, GstEvent *event)
{
  TlOrderedElementPrivate *priv = get_private (self);
  GstCaps *caps;

  gst_event_parse_caps (event, &caps);
  if (!gst_structure_has_name (gst_caps_get_structure (caps, 0), "video/x-raw")
      || !gst_video_info_from_caps (&priv->info, caps))
    gst_video_info_init (&get_private (self)->info);
}

gboolean
tl_ordered_element_queue_event (TlOrderedElement *self, GstEvent *event)
{
  return tl_ordered_queue_add_event (&get_private (self)->queue, event);
}

/* Tells a flow, since the pool flushes a little earlier than the pad when the
 * element stops: for a sticky event that was only refused, the core would give
 * upstream GST_FLOW_ERROR, and a source calls that a failure. */
static GstFlowReturn
sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  TlOrderedElement *self = TL_ORDERED_ELEMENT (parent);
  TlOrderedElementClass *klass = TL_ORDERED_ELEMENT_GET_CLASS (self);

  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_START) {
    begin_flush (self, event);
    return GST_FLOW_OK;
  }
  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP) {
    end_flush (self, event);
    return GST_FLOW_OK;
  }
  if (!GST_EVENT_IS_SERIALIZED (event))
    return gst_pad_event_default (pad, parent, event) ? GST_FLOW_OK
                                                      : GST_FLOW_ERROR;
  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS)
    note_caps (self, event);
  return klass->receive (self, event) ? GST_FLOW_OK : GST_FLOW_FLUSHING;
}

static gboolean
sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  TlOrderedElement *self = TL_ORDERED_ELEMENT (parent);

  return TL_ORDERED_ELEMENT_GET_CLASS (self)->query (self, query);
}

/* Also when @pad was closed alone. A closed src pad has forgotten every sticky
 * event: one that waited would come without those before it. */
static gboolean
open_element (TlOrderedElement *self, GstPad *pad)
{
  TlOrderedElementPrivate *priv = get_private (self);
  gboolean ok;

  if (priv->queue.pool == NULL)
    return FALSE;
  g_mutex_lock (&priv->open_lock);
  drop_all (self);
  if (pad == priv->srcpad)
    tl_ordered_queue_forget_events (&get_private (self)->queue);
  ok = gst_pad_start_task (priv->srcpad, push_next, self, NULL);
  g_mutex_unlock (&priv->open_lock);
  return ok;
}

/* The src pad is not active any more: after this, nobody opens. */
static void
close_element (TlOrderedElement *self)
{
  TlOrderedElementPrivate *priv = get_private (self);

  g_mutex_lock (&priv->open_lock);
  tl_ordered_queue_stop_waiting (&get_private (self)->queue);
  g_mutex_unlock (&priv->open_lock);
}

static gboolean
sink_activate_mode (GstPad *pad, GstObject *parent, GstPadMode mode,
    gboolean active)
{
  TlOrderedElement *self = TL_ORDERED_ELEMENT (parent);

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  if (!active)
    tl_ordered_queue_stop_waiting (&get_private (self)->queue);
  else if (gst_pad_is_active (get_private (self)->srcpad))
    return open_element (self, pad);
  return TRUE;
}

static gboolean
src_activate_mode (GstPad *pad, GstObject *parent, GstPadMode mode,
    gboolean active)
{
  TlOrderedElement *self = TL_ORDERED_ELEMENT (parent);

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  if (!active) {
    close_element (self);
    return gst_pad_stop_task (pad);
  }
  return open_element (self, pad);
}

static GstFlowReturn
tl_ordered_element_finish (TlOrderedElement *self, TlOrderedJob *job)
{
  GstBuffer **buffer = job->output ? &job->output : &job->input;

  return gst_pad_push (get_private (self)->srcpad, g_steal_pointer (buffer));
}

static gboolean
tl_ordered_element_event (TlOrderedElement *self, GstEvent *event)
{
  return gst_pad_push_event (get_private (self)->srcpad, event);
}

/* Serialized queries would have to wait for the queue. Nobody downstream can
 * lend memory for what arrives here, so there is nothing to wait for. */
static gboolean
tl_ordered_element_query (TlOrderedElement *self, GstQuery *query)
{
  if (GST_QUERY_IS_SERIALIZED (query))
    return FALSE;
  return gst_pad_query_default (get_private (self)->sinkpad, GST_OBJECT (self),
      query);
}

/* Both pads are closed. A flush may still be in the sink pad's event function,
 * and it may have started the task again. */
static void
free_pool (TlOrderedElement *self)
{
  TlOrderedElementPrivate *priv = get_private (self);
  TlWorkPool *pool;

  GST_PAD_STREAM_LOCK (priv->sinkpad);
  tl_ordered_queue_stop_waiting (&get_private (self)->queue);
  gst_pad_stop_task (priv->srcpad);
  pool = set_pool (self, NULL);
  GST_PAD_STREAM_UNLOCK (priv->sinkpad);
  tl_work_pool_free (pool);
  tl_ordered_queue_forget_events (&get_private (self)->queue);
}

static GstStateChangeReturn
tl_ordered_element_change_state (GstElement *element, GstStateChange transition)
{
  TlOrderedElement *self = TL_ORDERED_ELEMENT (element);
  TlOrderedElementClass *klass = TL_ORDERED_ELEMENT_GET_CLASS (self);
  GstStateChangeReturn ret;

  /* Again before start: properties may change in READY. */
  if ((transition == GST_STATE_CHANGE_NULL_TO_READY
          || transition == GST_STATE_CHANGE_READY_TO_PAUSED)
      && !tl_element_check_ranges (element))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_NULL_TO_READY && klass->check
      && !klass->check (self))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
    gst_video_info_init (&get_private (self)->info);
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED
      && ((klass->start && !klass->start (self)) || !make_pool (self)))
    return GST_STATE_CHANGE_FAILURE;
  ret = GST_ELEMENT_CLASS (tl_ordered_element_parent_class)
            ->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY
      || (transition == GST_STATE_CHANGE_READY_TO_PAUSED
          && ret == GST_STATE_CHANGE_FAILURE))
    free_pool (self);
  return ret;
}

static void
tl_ordered_element_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  TlOrderedElementPrivate *priv = get_private (TL_ORDERED_ELEMENT (object));

  switch (id) {
    case PROP_N_THREADS:
      GST_OBJECT_LOCK (object);
      priv->n_threads = g_value_get_uint (value);
      GST_OBJECT_UNLOCK (object);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
tl_ordered_element_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  TlOrderedElementPrivate *priv = get_private (TL_ORDERED_ELEMENT (object));

  switch (id) {
    case PROP_N_THREADS:
      GST_OBJECT_LOCK (object);
      g_value_set_uint (value, priv->n_threads);
      GST_OBJECT_UNLOCK (object);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static GstPad *
add_pad (TlOrderedElement *self, const gchar *name)
{
  GstElement *element = GST_ELEMENT (self);
  GstPadTemplate *template =
      gst_element_class_get_pad_template (GST_ELEMENT_GET_CLASS (self), name);
  GstPad *pad = gst_pad_new_from_template (template, name);

  gst_element_add_pad (element, pad);
  return pad;
}

/* Not in init: the pad templates belong to the final class. */
static void
tl_ordered_element_constructed (GObject *object)
{
  TlOrderedElement *self = TL_ORDERED_ELEMENT (object);
  TlOrderedElementPrivate *priv = get_private (self);

  G_OBJECT_CLASS (tl_ordered_element_parent_class)->constructed (object);
  priv->sinkpad = add_pad (self, "sink");
  priv->srcpad = add_pad (self, "src");
  gst_pad_set_chain_function (priv->sinkpad, sink_chain);
  gst_pad_set_event_full_function (priv->sinkpad, sink_event);
  gst_pad_set_query_function (priv->sinkpad, sink_query);
  gst_pad_set_activatemode_function (priv->sinkpad, sink_activate_mode);
  gst_pad_set_activatemode_function (priv->srcpad, src_activate_mode);
}

static void
tl_ordered_element_finalize (GObject *object)
{
  TlOrderedElementPrivate *priv = get_private (TL_ORDERED_ELEMENT (object));

  tl_ordered_queue_clear (&priv->queue);
  g_mutex_clear (&priv->open_lock);
  G_OBJECT_CLASS (tl_ordered_element_parent_class)->finalize (object);
}

static void
tl_ordered_element_init (TlOrderedElement *self)
{
  tl_ordered_queue_init (&get_private (self)->queue, self);
  g_mutex_init (&get_private (self)->open_lock);
  get_private (self)->n_threads = DEFAULT_N_THREADS;
  gst_video_info_init (&get_private (self)->info);
}

static void
tl_ordered_element_class_init (TlOrderedElementClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (tl_ordered_element_debug, "tlorderedelement", 0,
      "ordered worker pool element");
  object_class->set_property = tl_ordered_element_set_property;
  object_class->get_property = tl_ordered_element_get_property;
  object_class->constructed = tl_ordered_element_constructed;
  object_class->finalize = tl_ordered_element_finalize;
  GST_ELEMENT_CLASS (klass)->change_state = tl_ordered_element_change_state;
  klass->receive = tl_ordered_element_queue_event;
  klass->finish = tl_ordered_element_finish;
  klass->event = tl_ordered_element_event;
  klass->query = tl_ordered_element_query;

  g_object_class_install_property (object_class, PROP_N_THREADS,
      tl_param_spec_set_range (
          g_param_spec_uint ("n-threads", "Threads",
              "Worker threads, up to 256; 0: as many as there are CPUs in the affinity "
              "mask. Does not change any result",
              0, G_MAXUINT, DEFAULT_N_THREADS,
              G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
                  | GST_PARAM_MUTABLE_READY),
          0, MAX_THREADS));
  gst_type_mark_as_plugin_api (TL_TYPE_ORDERED_ELEMENT, 0);
}
