/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlorderedelement.h"

#include "tlworkpool.h"

#include <tlrange.h>

GST_DEBUG_CATEGORY_STATIC (tl_ordered_element_debug);
#define GST_CAT_DEFAULT tl_ordered_element_debug

#define DEFAULT_N_THREADS 0
#define MAX_THREADS 256
#define JOBS_PER_THREAD 4

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

  /* Sticky events that a flush caught on their way: what they say still holds,
   * so they are pushed when it ends. Object lock. */
  GQueue kept;

  /* From READY to PAUSED until back in READY. The pointer changes under the
   * sink pad's stream lock and pool_lock; who has neither is the src task, which
   * does not run then. */
  TlWorkPool *pool;
  GMutex pool_lock;

  /* Whoever lets data flow again has this, from waiting for the src task until
   * it is started: so nobody opens the pool to a task that is waited for. Before
   * the locks above, after the sink pad's stream lock. */
  GMutex open_lock;

  gint flow;         /* atomic: written by the src task, read by chain */
  GMutex error_lock; /* from begin_error to fail; the innermost */
} TlOrderedElementPrivate;

/* What is in the queue: a buffer's job, or an event. */
typedef struct
{
  TlOrderedElement *element; /* borrowed */
  TlOrderedJob job;
  gboolean skipped; /* not worked on: to be dropped */
  GstEvent *event;
} Item;

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

/* A flush that began meanwhile has the last word. */
static void
set_flow (TlOrderedElement *self, GstFlowReturn flow)
{
  TlOrderedElementPrivate *priv = get_private (self);

  GST_DEBUG_OBJECT (self, "flow is now %s", gst_flow_get_name (flow));
  g_atomic_int_compare_and_exchange (&priv->flow, GST_FLOW_OK, flow);
}

gboolean
tl_ordered_element_begin_error (TlOrderedElement *self)
{
  TlOrderedElementPrivate *priv = get_private (self);

  g_mutex_lock (&priv->error_lock);
  switch (g_atomic_int_get (&priv->flow)) {
    case GST_FLOW_OK:
    case GST_FLOW_NOT_LINKED: /* which may pass */
      return TRUE;
    default:
      g_mutex_unlock (&priv->error_lock);
      return FALSE;
  }
}

/* After the message: upstream posts one of its own when it learns of this. */
void
tl_ordered_element_fail (TlOrderedElement *self)
{
  set_flow (self, GST_FLOW_ERROR);
  g_atomic_int_compare_and_exchange (&get_private (self)->flow,
      GST_FLOW_NOT_LINKED, GST_FLOW_ERROR);
  g_mutex_unlock (&get_private (self)->error_lock);
}

gboolean
tl_ordered_element_has_failed (TlOrderedElement *self)
{
  return g_atomic_int_get (&get_private (self)->flow) == GST_FLOW_ERROR;
}

static Item *
new_item (TlOrderedElement *self)
{
  Item *item = g_new0 (Item, 1);

  item->element = self;
  item->job.error.struct_size = sizeof (TlError);
  return item;
}

static void
free_item (Item *item)
{
  gst_clear_buffer (&item->job.input);
  gst_clear_buffer (&item->job.output);
  gst_clear_event (&item->event);
  g_free (item);
}

static gboolean
outlives_flush (GstEvent *event)
{
  return GST_EVENT_IS_STICKY (event) && GST_EVENT_TYPE (event) != GST_EVENT_EOS
      && GST_EVENT_TYPE (event) != GST_EVENT_SEGMENT;
}

/* Takes the event. */
static void
keep_event (TlOrderedElement *self, GstEvent *event)
{
  GST_OBJECT_LOCK (self);
  g_queue_push_tail (&get_private (self)->kept, event);
  GST_OBJECT_UNLOCK (self);
}

static GstEvent *
pop_kept_event (TlOrderedElement *self)
{
  GstEvent *event;

  GST_OBJECT_LOCK (self);
  event = g_queue_pop_head (&get_private (self)->kept);
  GST_OBJECT_UNLOCK (self);
  return event;
}

static void
forget_kept_events (TlOrderedElement *self)
{
  GstEvent *event;

  while ((event = pop_kept_event (self)))
    gst_event_unref (event);
}

/* The pool lets go of what it holds when a flush ends. */
static void
drop_item (gpointer data)
{
  Item *item = data;

  if (item->event && outlives_flush (item->event))
    keep_event (item->element, g_steal_pointer (&item->event));
  free_item (item);
}

static void *
make_context (void *user_data)
{
  TlOrderedElementClass *klass = TL_ORDERED_ELEMENT_GET_CLASS (user_data);

  return klass->context_new (user_data);
}

/* After the end of the flow there is no use in what is still queued. */
static void
run_item (void *context, void *data, void *user_data)
{
  Item *item = data;
  TlOrderedElementClass *klass = TL_ORDERED_ELEMENT_GET_CLASS (user_data);

  item->skipped =
      g_atomic_int_get (&get_private (user_data)->flow) != GST_FLOW_OK;
  if (!item->skipped)
    klass->work (user_data, context, &item->job);
}

/* Returns the one that was there. */
static TlWorkPool *
set_pool (TlOrderedElement *self, TlWorkPool *pool)
{
  TlOrderedElementPrivate *priv = get_private (self);
  TlWorkPool *old;

  GST_PAD_STREAM_LOCK (priv->sinkpad);
  g_mutex_lock (&priv->pool_lock);
  old = priv->pool;
  priv->pool = pool;
  g_mutex_unlock (&priv->pool_lock);
  GST_PAD_STREAM_UNLOCK (priv->sinkpad);
  return old;
}

static gboolean
make_pool (TlOrderedElement *self)
{
  TlOrderedElementPrivate *priv = get_private (self);
  TlOrderedElementClass *klass = TL_ORDERED_ELEMENT_GET_CLASS (self);
  TlWorkPoolFuncs funcs = {NULL, klass->context_free, run_item, drop_item};
  TlWorkPool *pool;
  guint n_threads;

  GST_OBJECT_LOCK (self);
  n_threads = priv->n_threads;
  GST_OBJECT_UNLOCK (self);
  if (n_threads == 0)
    n_threads = g_get_num_processors ();
  if (klass->context_new)
    funcs.context_new = make_context;
  pool =
      tl_work_pool_new (n_threads, n_threads * JOBS_PER_THREAD, &funcs, self);
  if (pool == NULL)
    GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT,
        ("%u worker threads could not be started; set n-threads lower.",
            n_threads),
        ("tl_work_pool_new (%u) failed", n_threads));
  set_pool (self, pool);
  return pool != NULL;
}

/* Both streaming threads leave the pool; what is inside is kept until the
 * flush ends or the pool is freed. */
static void
stop_waiting (TlOrderedElement *self)
{
  TlOrderedElementPrivate *priv = get_private (self);

  g_atomic_int_set (&priv->flow, GST_FLOW_FLUSHING);
  g_mutex_lock (&priv->pool_lock);
  if (priv->pool)
    tl_work_pool_flush_start (priv->pool);
  g_mutex_unlock (&priv->pool_lock);
}

/* Takes the event. */
static void
handle_event (TlOrderedElement *self, GstEvent *event)
{
  TlOrderedElementPrivate *priv = get_private (self);
  TlOrderedElementClass *klass = TL_ORDERED_ELEMENT_GET_CLASS (self);

  GST_LOG_OBJECT (self, "%" GST_PTR_FORMAT, event);
  if (!klass->event (self, gst_event_ref (event)) && outlives_flush (event)
      && g_atomic_int_get (&priv->flow) == GST_FLOW_FLUSHING)
    keep_event (self, event);
  else
    gst_event_unref (event);
}

static void
handle_item (TlOrderedElement *self, Item *item)
{
  TlOrderedElementPrivate *priv = get_private (self);
  TlOrderedElementClass *klass = TL_ORDERED_ELEMENT_GET_CLASS (self);
  GstFlowReturn flow;

  if (item->event) {
    handle_event (self, g_steal_pointer (&item->event));
    return;
  }
  if (item->skipped || g_atomic_int_get (&priv->flow) != GST_FLOW_OK)
    return;
  flow = klass->finish (self, &item->job);
  if (flow != GST_FLOW_OK)
    set_flow (self, flow);
}

static void
push_next (gpointer data)
{
  TlOrderedElement *self = data;
  TlOrderedElementPrivate *priv = get_private (self);
  GstEvent *kept = NULL;
  Item *item;

  if (g_atomic_int_get (&priv->flow) != GST_FLOW_FLUSHING)
    kept = pop_kept_event (self);
  if (kept) {
    handle_event (self, kept);
    return;
  }
  item = tl_work_pool_take (priv->pool);
  if (item == NULL) {
    GST_DEBUG_OBJECT (self, "flushing: the task pauses");
    gst_pad_pause_task (priv->srcpad);
    return;
  }
  handle_item (self, item);
  free_item (item);
}

/* What is linked again, here or further down, may take buffers again. */
static GstFlowReturn
get_flow (TlOrderedElement *self)
{
  TlOrderedElementPrivate *priv = get_private (self);

  if (g_atomic_int_get (&priv->flow) == GST_FLOW_NOT_LINKED
      && gst_pad_check_reconfigure (priv->srcpad))
    g_atomic_int_compare_and_exchange (&priv->flow, GST_FLOW_NOT_LINKED,
        GST_FLOW_OK);
  return g_atomic_int_get (&priv->flow);
}

static GstFlowReturn
sink_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  TlOrderedElement *self = TL_ORDERED_ELEMENT (parent);
  TlOrderedElementPrivate *priv = get_private (self);
  TlOrderedElementClass *klass = TL_ORDERED_ELEMENT_GET_CLASS (self);
  GstFlowReturn flow = get_flow (self);
  Item *item;
  gboolean work;

  if (flow != GST_FLOW_OK) {
    gst_buffer_unref (buffer);
    return flow;
  }
  item = new_item (self);
  item->job.input = buffer;
  item->job.info = priv->info;
  work = klass->accept == NULL || klass->accept (self, &item->job);
  if (!tl_work_pool_submit (priv->pool, item, work)) {
    free_item (item);
    return GST_FLOW_FLUSHING;
  }
  return g_atomic_int_get (&priv->flow);
}

/* FLUSHING is set first: an event that fails from now on is kept. The src task
 * is not waited for, so that this never blocks. */
static void
begin_flush (TlOrderedElement *self, GstEvent *event)
{
  stop_waiting (self);
  gst_pad_push_event (get_private (self)->srcpad, event);
}

/* With open_lock: closes for good what is inside. */
static void
drop_all (TlOrderedElement *self)
{
  TlOrderedElementPrivate *priv = get_private (self);
  gsize n;

  stop_waiting (self);
  gst_pad_pause_task (priv->srcpad);
  n = tl_work_pool_flush_stop (priv->pool);
  GST_DEBUG_OBJECT (self, "dropped %" G_GSIZE_FORMAT " items", n);
  /* Only what is linked from now on is a reason to try again: get_flow(). */
  gst_pad_check_reconfigure (priv->srcpad);
  g_atomic_int_set (&priv->flow, GST_FLOW_OK);
}

/* Comes in any state. While the src pad is closed, the element stays closed. */
static void
end_flush (TlOrderedElement *self, GstEvent *event)
{
  TlOrderedElementPrivate *priv = get_private (self);
  TlOrderedElementClass *klass = TL_ORDERED_ELEMENT_GET_CLASS (self);
  gboolean is_open;

  g_mutex_lock (&priv->open_lock);
  is_open = priv->pool && gst_pad_is_active (priv->srcpad);
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
  Item *item = new_item (self);

  item->event = event;
  if (tl_work_pool_submit (get_private (self)->pool, item, false))
    return TRUE;
  free_item (item);
  return FALSE;
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

  if (priv->pool == NULL)
    return FALSE;
  g_mutex_lock (&priv->open_lock);
  drop_all (self);
  if (pad == priv->srcpad)
    forget_kept_events (self);
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
  stop_waiting (self);
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
    stop_waiting (self);
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
  stop_waiting (self);
  gst_pad_stop_task (priv->srcpad);
  pool = set_pool (self, NULL);
  GST_PAD_STREAM_UNLOCK (priv->sinkpad);
  tl_work_pool_free (pool);
  forget_kept_events (self);
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

  g_mutex_clear (&priv->pool_lock);
  g_mutex_clear (&priv->open_lock);
  g_mutex_clear (&priv->error_lock);
  G_OBJECT_CLASS (tl_ordered_element_parent_class)->finalize (object);
}

static void
tl_ordered_element_init (TlOrderedElement *self)
{
  g_mutex_init (&get_private (self)->pool_lock);
  g_mutex_init (&get_private (self)->open_lock);
  g_mutex_init (&get_private (self)->error_lock);
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
