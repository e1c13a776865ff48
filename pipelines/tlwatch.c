/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlwatch.h"

/* Of one pad. Shared by the watch and the pad's probe. */
typedef struct
{
  gchar *element;
  gchar *pad;
  guint n_buffers; /* atomic; wraps */
  guint n_events;  /* atomic; wraps */
} Count;

struct _TlWatch
{
  GstBin *pipeline;

  GMutex lock; /* the list: pads come on streaming threads */
  GPtrArray *counts;

  guint last_sum; /* main thread */
};

static void
clear_count (gpointer data)
{
  Count *count = data;

  g_free (count->element);
  g_free (count->pad);
}

static void
release_count (gpointer count)
{
  g_atomic_rc_box_release_full (count, clear_count);
}

static GstPadProbeReturn
add_one (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  Count *count = user;

  if (info->type & (GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST))
    g_atomic_int_inc (&count->n_buffers);
  else
    g_atomic_int_inc (&count->n_events);
  return GST_PAD_PROBE_OK;
}

static void
watch_pad (TlWatch *self, GstElement *element, GstPad *pad)
{
  Count *count;

  if (!GST_PAD_IS_SRC (pad))
    return;
  count = g_atomic_rc_box_new0 (Count);
  count->element = gst_object_get_name (GST_OBJECT (element));
  count->pad = gst_object_get_name (GST_OBJECT (pad));
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_DATA_DOWNSTREAM & ~GST_PAD_PROBE_TYPE_EVENT_FLUSH,
      add_one, g_atomic_rc_box_acquire (count), release_count);
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->counts, count);
  g_mutex_unlock (&self->lock);
}

/* The element may outlive the watch by a reference that somebody holds: the
 * signals go with it (tl_watch_free). */
static void
pad_added (GstElement *element, GstPad *pad, gpointer self)
{
  watch_pad (self, element, pad);
}

static void
watch_element (TlWatch *self, GstElement *element)
{
  g_autoptr (GstIterator) pads = NULL;
  g_auto (GValue) item = G_VALUE_INIT;

  /* What passes a bin passes its elements. */
  if (GST_IS_BIN (element))
    return;
  g_signal_connect (element, "pad-added", G_CALLBACK (pad_added), self);
  pads = gst_element_iterate_src_pads (element);
  while (gst_iterator_next (pads, &item) == GST_ITERATOR_OK) {
    watch_pad (self, element, g_value_get_object (&item));
    g_value_reset (&item);
  }
}

static void
element_added (GstBin *pipeline, GstBin *parent, GstElement *element,
    gpointer self)
{
  watch_element (self, element);
}

static void
element_removed (GstBin *pipeline, GstBin *parent, GstElement *element,
    gpointer self)
{
  g_signal_handlers_disconnect_by_func (element, pad_added, self);
}

/* From the sources to the sinks. */
static GPtrArray *
list_elements (GstBin *pipeline)
{
  GPtrArray *elements = g_ptr_array_new_with_free_func (gst_object_unref);
  g_autoptr (GstIterator) all = gst_bin_iterate_recurse (pipeline);
  g_auto (GValue) item = G_VALUE_INIT;

  while (gst_iterator_next (all, &item) == GST_ITERATOR_OK) {
    g_ptr_array_insert (elements, 0, g_value_dup_object (&item));
    g_value_reset (&item);
  }
  return elements;
}

TlWatch *
tl_watch_new (GstBin *pipeline)
{
  TlWatch *self = g_new0 (TlWatch, 1);
  g_autoptr (GPtrArray) elements = list_elements (pipeline);

  self->pipeline = gst_object_ref (pipeline);
  g_mutex_init (&self->lock);
  self->counts = g_ptr_array_new_with_free_func (release_count);
  for (guint i = 0; i < elements->len; i++)
    watch_element (self, elements->pdata[i]);
  g_signal_connect (pipeline, "deep-element-added", G_CALLBACK (element_added),
      self);
  g_signal_connect (pipeline, "deep-element-removed",
      G_CALLBACK (element_removed), self);
  return self;
}

void
tl_watch_free (TlWatch *self)
{
  g_autoptr (GPtrArray) elements = list_elements (self->pipeline);

  g_signal_handlers_disconnect_by_data (self->pipeline, self);
  for (guint i = 0; i < elements->len; i++)
    g_signal_handlers_disconnect_by_data (elements->pdata[i], self);
  gst_object_unref (self->pipeline);
  g_ptr_array_unref (self->counts);
  g_mutex_clear (&self->lock);
  g_free (self);
}

gboolean
tl_watch_moved (TlWatch *self)
{
  guint sum = 0;
  gboolean moved;

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->counts->len; i++) {
    Count *count = self->counts->pdata[i];

    sum += (guint) g_atomic_int_get (&count->n_buffers)
        + (guint) g_atomic_int_get (&count->n_events);
  }
  g_mutex_unlock (&self->lock);
  moved = sum != self->last_sum;
  self->last_sum = sum;
  return moved;
}

/* What a queue, or an element like it, holds. */
static void
append_level (GString *text, GstBin *pipeline, const Count *count)
{
  g_autoptr (GstElement) element =
      gst_bin_get_by_name (pipeline, count->element);
  GObjectClass *klass = element ? G_OBJECT_GET_CLASS (element) : NULL;
  guint level, limit;

  if (!klass || !g_object_class_find_property (klass, "current-level-buffers")
      || !g_object_class_find_property (klass, "max-size-buffers"))
    return;
  g_object_get (element, "current-level-buffers", &level, "max-size-buffers",
      &limit, NULL);
  g_string_append_printf (text, ", holds %u", level);
  if (limit > 0)
    g_string_append_printf (text, " of %u", limit);
}

gchar *
tl_watch_describe (TlWatch *self)
{
  GString *text = g_string_new (NULL);

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->counts->len; i++) {
    Count *count = self->counts->pdata[i];

    g_string_append_printf (text, "%s  %s.%s gave %u buffers", i ? "\n" : "",
        count->element, count->pad,
        (guint) g_atomic_int_get (&count->n_buffers));
    append_level (text, self->pipeline, count);
  }
  g_mutex_unlock (&self->lock);
  return g_string_free (text, FALSE);
}
