/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlorderedqueue.h"

GST_DEBUG_CATEGORY_EXTERN (tl_ordered_element_debug);
#define GST_CAT_DEFAULT tl_ordered_element_debug

#define JOBS_PER_THREAD 4

/* What is in the queue: a buffer's job, or an event. */
typedef struct
{
  TlOrderedQueue *queue; /* borrowed */
  TlOrderedJob job;
  gboolean skipped; /* not worked on: to be dropped */
  GstEvent *event;
} Item;

/* A flush that began meanwhile has the last word. */
static void
set_flow (TlOrderedQueue *self, GstFlowReturn flow)
{
  GST_DEBUG_OBJECT (self->element, "flow is now %s", gst_flow_get_name (flow));
  g_atomic_int_compare_and_exchange (&self->flow, GST_FLOW_OK, flow);
}

gboolean
tl_ordered_queue_begin_error (TlOrderedQueue *self)
{
  g_mutex_lock (&self->error_lock);
  switch (g_atomic_int_get (&self->flow)) {
    case GST_FLOW_OK:
    case GST_FLOW_NOT_LINKED: /* which may pass */
      return TRUE;
    default:
      g_mutex_unlock (&self->error_lock);
      return FALSE;
  }
}

/* After the message: upstream posts one of its own when it learns of this. */
void
tl_ordered_queue_fail (TlOrderedQueue *self)
{
  set_flow (self, GST_FLOW_ERROR);
  g_atomic_int_compare_and_exchange (&self->flow, GST_FLOW_NOT_LINKED,
      GST_FLOW_ERROR);
  g_mutex_unlock (&self->error_lock);
}

gboolean
tl_ordered_queue_has_failed (TlOrderedQueue *self)
{
  return g_atomic_int_get (&self->flow) == GST_FLOW_ERROR;
}

static Item *
new_item (TlOrderedQueue *self)
{
  Item *item = g_new0 (Item, 1);

  item->queue = self;
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
keep_event (TlOrderedQueue *self, GstEvent *event)
{
  GST_OBJECT_LOCK (self->element);
  g_queue_push_tail (&self->kept, event);
  GST_OBJECT_UNLOCK (self->element);
}

static GstEvent *
pop_kept_event (TlOrderedQueue *self)
{
  GstEvent *event;

  GST_OBJECT_LOCK (self->element);
  event = g_queue_pop_head (&self->kept);
  GST_OBJECT_UNLOCK (self->element);
  return event;
}

void
tl_ordered_queue_forget_events (TlOrderedQueue *self)
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
    keep_event (item->queue, g_steal_pointer (&item->event));
  free_item (item);
}

static void *
make_context (void *user_data)
{
  TlOrderedQueue *self = user_data;
  TlOrderedElementClass *klass = TL_ORDERED_ELEMENT_GET_CLASS (self->element);

  return klass->context_new (self->element);
}

/* After the end of the flow there is no use in what is still queued. */
static void
run_item (void *context, void *data, void *user_data)
{
  TlOrderedQueue *self = user_data;
  TlOrderedElementClass *klass = TL_ORDERED_ELEMENT_GET_CLASS (self->element);
  Item *item = data;

  item->skipped = g_atomic_int_get (&self->flow) != GST_FLOW_OK;
  if (!item->skipped)
    klass->work (self->element, context, &item->job);
}

TlWorkPool *
tl_ordered_queue_make_pool (TlOrderedQueue *self, guint n_threads)
{
  TlOrderedElementClass *klass = TL_ORDERED_ELEMENT_GET_CLASS (self->element);
  TlWorkPoolFuncs funcs = {NULL, klass->context_free, run_item, drop_item};

  if (klass->context_new)
    funcs.context_new = make_context;
  return tl_work_pool_new (n_threads, n_threads * JOBS_PER_THREAD, &funcs,
      self);
}

TlWorkPool *
tl_ordered_queue_swap_pool (TlOrderedQueue *self, TlWorkPool *pool)
{
  TlWorkPool *old;

  g_mutex_lock (&self->pool_lock);
  old = self->pool;
  self->pool = pool;
  g_mutex_unlock (&self->pool_lock);
  return old;
}

/* Both streaming threads leave the pool; what is inside is kept until the
 * flush ends or the pool is freed. */
void
tl_ordered_queue_stop_waiting (TlOrderedQueue *self)
{
  g_atomic_int_set (&self->flow, GST_FLOW_FLUSHING);
  g_mutex_lock (&self->pool_lock);
  if (self->pool)
    tl_work_pool_flush_start (self->pool);
  g_mutex_unlock (&self->pool_lock);
}

void
tl_ordered_queue_reopen (TlOrderedQueue *self)
{
  gsize n = tl_work_pool_flush_stop (self->pool);

  GST_DEBUG_OBJECT (self->element, "dropped %" G_GSIZE_FORMAT " items", n);
  /* Only what is linked from now on is a reason to try again: get_flow(). */
  gst_pad_check_reconfigure (tl_ordered_element_get_src_pad (self->element));
  g_atomic_int_set (&self->flow, GST_FLOW_OK);
}

/* Takes the event. */
static void
handle_event (TlOrderedQueue *self, GstEvent *event)
{
  TlOrderedElementClass *klass = TL_ORDERED_ELEMENT_GET_CLASS (self->element);

  GST_LOG_OBJECT (self->element, "%" GST_PTR_FORMAT, event);
  if (!klass->event (self->element, gst_event_ref (event))
      && outlives_flush (event)
      && g_atomic_int_get (&self->flow) == GST_FLOW_FLUSHING)
    keep_event (self, event);
  else
    gst_event_unref (event);
}

static void
handle_item (TlOrderedQueue *self, Item *item)
{
  TlOrderedElementClass *klass = TL_ORDERED_ELEMENT_GET_CLASS (self->element);
  GstFlowReturn flow;

  if (item->event) {
    handle_event (self, g_steal_pointer (&item->event));
    return;
  }
  if (item->skipped || g_atomic_int_get (&self->flow) != GST_FLOW_OK)
    return;
  flow = klass->finish (self->element, &item->job);
  if (flow != GST_FLOW_OK)
    set_flow (self, flow);
}

gboolean
tl_ordered_queue_handle_next (TlOrderedQueue *self)
{
  GstEvent *kept = NULL;
  Item *item;

  if (g_atomic_int_get (&self->flow) != GST_FLOW_FLUSHING)
    kept = pop_kept_event (self);
  if (kept) {
    handle_event (self, kept);
    return TRUE;
  }
  item = tl_work_pool_take (self->pool);
  if (item == NULL)
    return FALSE;
  handle_item (self, item);
  free_item (item);
  return TRUE;
}

/* What is linked again, here or further down, may take buffers again. */
static GstFlowReturn
get_flow (TlOrderedQueue *self)
{
  if (g_atomic_int_get (&self->flow) == GST_FLOW_NOT_LINKED
      && gst_pad_check_reconfigure (
          tl_ordered_element_get_src_pad (self->element)))
    g_atomic_int_compare_and_exchange (&self->flow, GST_FLOW_NOT_LINKED,
        GST_FLOW_OK);
  return g_atomic_int_get (&self->flow);
}

GstFlowReturn
tl_ordered_queue_add_buffer (TlOrderedQueue *self, GstBuffer *buffer,
    const GstVideoInfo *info)
{
  TlOrderedElementClass *klass = TL_ORDERED_ELEMENT_GET_CLASS (self->element);
  GstFlowReturn flow = get_flow (self);
  Item *item;
  gboolean work;

  if (flow != GST_FLOW_OK) {
    gst_buffer_unref (buffer);
    return flow;
  }
  item = new_item (self);
  item->job.input = buffer;
  item->job.info = *info;
  work = klass->accept == NULL || klass->accept (self->element, &item->job);
  if (!tl_work_pool_submit (self->pool, item, work)) {
    free_item (item);
    return GST_FLOW_FLUSHING;
  }
  return g_atomic_int_get (&self->flow);
}

gboolean
tl_ordered_queue_add_event (TlOrderedQueue *self, GstEvent *event)
{
  Item *item = new_item (self);

  item->event = event;
  if (tl_work_pool_submit (self->pool, item, false))
    return TRUE;
  free_item (item);
  return FALSE;
}

void
tl_ordered_queue_init (TlOrderedQueue *self, TlOrderedElement *element)
{
  self->element = element;
  g_mutex_init (&self->pool_lock);
  g_mutex_init (&self->error_lock);
}

void
tl_ordered_queue_clear (TlOrderedQueue *self)
{
  g_mutex_clear (&self->pool_lock);
  g_mutex_clear (&self->error_lock);
}
