/* SPDX-License-Identifier: BSD-3-Clause */

/**
 * SECTION:element-checkpointsink
 *
 * Writes the checkpoints of a run to a folder.
 *
 * Takes `application/x-tl-checkpoint,format=safetensors`: a whole file per
 * buffer, in one or more memories, the first of which holds the header. Gives
 * `last.safetensors`, `best.safetensors`, `epoch-NNN.safetensors` and
 * `metrics.jsonl`, and a `tl-checkpoint` message for each file it has written.
 *
 * Every file is written beside its place, brought to the disk and renamed: at
 * any time either the old file is there or the new one. A checkpoint that ends
 * an epoch and has validation metrics takes part in the choice of the best;
 * every checkpoint replaces the last one. All that is known of a checkpoint is
 * read from its own header.
 *
 * Going from PAUSED to READY it asks upstream for unsaved state
 * (`tl-final-checkpoint`) and writes that too.
 *
 * A thread of its own writes, and keeps at most two checkpoints waiting: a slow
 * disk delays the trainer, but takes no memory. Writing is done when EOS or the
 * state change to READY is. The same checkpoints give the same files.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 datasetsrc location=hymenoptera_data epochs=5 ! imagedecode ! augment ! batcher ! queue max-size-buffers=2 max-size-bytes=0 max-size-time=0 ! resnetfinetune weights=resnet18-f37072fd.pth ! checkpointsink location=run
 * gst-launch-1.0 datasetsrc location=pocus_frames epochs=25 ! imagedecode ! augment ! batcher ! queue max-size-buffers=2 max-size-bytes=0 max-size-time=0 ! resnetfinetune weights=resnet18-f37072fd.pth ! checkpointsink location=run save-top-k=3 monitor=auc
 * ]|
 *
 * ## The same as YAML
 * |[
 * tlpipe: 1
 * pipeline:
 *   - datasetsrc: {location: hymenoptera_data, epochs: 5}
 *   - imagedecode
 *   - augment
 *   - batcher
 *   - queue: {max-size-buffers: 2, max-size-bytes: 0, max-size-time: 0}
 *   - resnetfinetune: {weights: resnet18-f37072fd.pth}
 *   - checkpointsink: {location: run}
 * ]|
 *
 * Since: 0.1
 */

#include "tlcheckpointsink.h"
#include "tlcheckpointqueue.h"
#include "tlcheckpointsettings.h"
#include "tlcheckpointwriter.h"

#include <tlcaps.h>
#include <tlerror.h>
#include <tlqueries.h>

#include <math.h>

GST_DEBUG_CATEGORY (tl_checkpoint_sink_debug);
#define GST_CAT_DEFAULT tl_checkpoint_sink_debug

enum
{
  PROP_BEST_METRIC = TL_CHECKPOINT_SETTING_END,
  PROP_LAST_LOCATION,
  N_PROPS,
};

struct _TlCheckpointSink
{
  GstBaseSink parent;

  /* Properties, under the object lock; a run keeps to those it began with,
   * which are in its folder. */
  TlCheckpointSettings settings;

  /* From NULL->READY to READY->NULL; changes in READY->PAUSED. */
  TlFolder *claim;

  /* From READY->PAUSED to PAUSED->READY. The pointer changes under queue_lock
   * too: a flush, which waits for no other thread, may come meanwhile. */
  TlCheckpointQueue *queue;
  GMutex queue_lock;

  TlCheckpointWriter *writer; /* the same; used by the queue's thread alone */

  /* Under eos_lock, which may be taken again by whoever hears of the end. */
  GRecMutex eos_lock;
  gboolean is_playing;
  GstEvent *eos; /* came while it was not; or NULL */

  /* Under the object lock. */
  gdouble best_metric; /* NAN before the first one */
  gchar *last_location;
};

static GParamSpec *props[N_PROPS];

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (TL_CAPS_CHECKPOINT_TEMPLATE));

G_DEFINE_TYPE (TlCheckpointSink, tl_checkpoint_sink, GST_TYPE_BASE_SINK)
GST_ELEMENT_REGISTER_DEFINE (checkpointsink, "checkpointsink", GST_RANK_NONE,
    TL_TYPE_CHECKPOINT_SINK)

/* ---- opening ---- */

/* Once for each folder that is claimed. */
static void
warn_unlocked (TlCheckpointSink *self, const gchar *location)
{
  gint number = tl_folder_get_lock_error (self->claim);

  if (number != 0)
    GST_ELEMENT_WARNING (self, RESOURCE, WRITE,
        ("The run folder %s cannot be locked: %s. Nothing keeps a second run "
         "from writing to it: make sure that there is none.",
            location, g_strerror (number)),
        ("flock: errno %d", number));
}

/* What is wrong with the folder is said before data flows. It stays locked
 * until NULL; location may have changed since it was claimed. */
static gboolean
claim_folder (TlCheckpointSink *self, const gchar *location)
{
  TlError error = TL_ERROR_INIT;
  TlStatus status;

  if (self->claim && tl_folder_is_at (self->claim, location))
    return TRUE;
  g_clear_pointer (&self->claim, tl_folder_release);
  status = tl_folder_claim (location, &self->claim, &error);
  if (status == TL_OK)
    warn_unlocked (self, location);
  else
    tl_element_post_error (GST_ELEMENT (self), status, &error);
  return status == TL_OK;
}

/* @ret must be cleared in every case. */
static gboolean
open_folder (TlCheckpointSink *self, TlRunFolderSettings *ret)
{
  GST_OBJECT_LOCK (self);
  tl_checkpoint_settings_get_folder (&self->settings, ret);
  GST_OBJECT_UNLOCK (self);
  return tl_checkpoint_settings_check (GST_ELEMENT (self), ret)
      && claim_folder (self, ret->location);
}

/* Returns the one that was there. */
static TlCheckpointQueue *
set_queue (TlCheckpointSink *self, TlCheckpointQueue *queue)
{
  TlCheckpointQueue *old;

  g_mutex_lock (&self->queue_lock);
  old = self->queue;
  self->queue = queue;
  g_mutex_unlock (&self->queue_lock);
  return old;
}

static void
close_folder (TlCheckpointSink *self)
{
  tl_checkpoint_queue_free (set_queue (self, NULL));
  g_clear_pointer (&self->writer, tl_checkpoint_writer_free);
}

/* ---- data ---- */

static gboolean
read_info (TlCheckpointSink *self, GstBuffer *checkpoint, TlCheckpointInfo *ret)
{
  TlError error = TL_ERROR_INIT;
  TlStatus status = TL_ERROR_FORMAT;
  GstMemory *first;
  GstMapInfo map;

  if (gst_buffer_n_memory (checkpoint) > 0) {
    first = gst_buffer_peek_memory (checkpoint, 0);
    if (gst_memory_map (first, &map, GST_MAP_READ)) {
      status = tl_checkpoint_info_read (ret, map.data, map.size,
          gst_buffer_get_size (checkpoint), &error);
      gst_memory_unmap (first, &map);
    }
  }
  if (status == TL_OK)
    return TRUE;
  GST_ELEMENT_ERROR (self, STREAM, FORMAT,
      ("A checkpoint cannot be used: %s.",
          error.message[0] ? error.message : "it is empty"),
      ("buffer of %" G_GSIZE_FORMAT " bytes",
          gst_buffer_get_size (checkpoint)));
  return FALSE;
}

/* In place of the base class's, which would make a checkpoint that comes in
 * PAUSED wait for PLAYING: it would be lost when the pipeline is stopped, and
 * the trainer, waiting in its push, could not answer for the final one. */
static GstFlowReturn
tl_checkpoint_sink_chain (GstPad *pad, GstObject *parent, GstBuffer *checkpoint)
{
  TlCheckpointSink *self = TL_CHECKPOINT_SINK (parent);
  g_auto (TlCheckpointInfo) info = {0};

  if (read_info (self, checkpoint, &info))
    return tl_checkpoint_queue_push (self->queue, checkpoint, &info);
  gst_buffer_unref (checkpoint);
  return GST_FLOW_ERROR;
}

/* The base class's would drop what is in the list. */
static GstFlowReturn
tl_checkpoint_sink_chain_list (GstPad *pad, GstObject *parent,
    GstBufferList *list)
{
  guint n = gst_buffer_list_length (list);
  GstFlowReturn flow = GST_FLOW_OK;

  for (guint i = 0; i < n && flow == GST_FLOW_OK; i++)
    flow = tl_checkpoint_sink_chain (pad, parent,
        gst_buffer_ref (gst_buffer_list_get (list, i)));
  gst_buffer_list_unref (list);
  return flow;
}

static void
set_hurried (TlCheckpointSink *self, gboolean is_hurried)
{
  g_mutex_lock (&self->queue_lock);
  if (self->queue)
    tl_checkpoint_queue_set_hurried (self->queue, is_hurried);
  g_mutex_unlock (&self->queue_lock);
}

static gboolean
tl_checkpoint_sink_unlock (GstBaseSink *sink)
{
  set_hurried (TL_CHECKPOINT_SINK (sink), TRUE);
  return TRUE;
}

static gboolean
tl_checkpoint_sink_unlock_stop (GstBaseSink *sink)
{
  set_hurried (TL_CHECKPOINT_SINK (sink), FALSE);
  return TRUE;
}

static void
pass_eos (TlCheckpointSink *self)
{
  if (self->is_playing && self->eos)
    GST_BASE_SINK_CLASS (tl_checkpoint_sink_parent_class)
        ->event (GST_BASE_SINK (self), g_steal_pointer (&self->eos));
}

static void
set_playing (TlCheckpointSink *self, gboolean is_playing)
{
  g_rec_mutex_lock (&self->eos_lock);
  self->is_playing = is_playing;
  pass_eos (self);
  g_rec_mutex_unlock (&self->eos_lock);
}

/* The end is told in PLAYING, as every sink does. But GstBaseSink would hold the
 * trainer until then, and a flush upstream waits for the trainer. */
static void
take_eos (TlCheckpointSink *self, GstEvent *event)
{
  tl_checkpoint_queue_drain (self->queue);
  g_rec_mutex_lock (&self->eos_lock);
  gst_event_take (&self->eos, event);
  pass_eos (self);
  g_rec_mutex_unlock (&self->eos_lock);
}

static void
forget_eos (TlCheckpointSink *self)
{
  g_rec_mutex_lock (&self->eos_lock);
  gst_clear_event (&self->eos);
  g_rec_mutex_unlock (&self->eos_lock);
}

static gboolean
tl_checkpoint_sink_event (GstBaseSink *sink, GstEvent *event)
{
  TlCheckpointSink *self = TL_CHECKPOINT_SINK (sink);

  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS) {
    take_eos (self, event);
    return TRUE;
  }
  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP)
    forget_eos (self);
  return GST_BASE_SINK_CLASS (tl_checkpoint_sink_parent_class)
      ->event (sink, event);
}

/* ---- life ---- */

/* Both on the queue's thread. */
static void
take_written (GstElement *element, const gchar *path)
{
  TlCheckpointSink *self = TL_CHECKPOINT_SINK (element);

  GST_OBJECT_LOCK (self);
  g_free (self->last_location);
  self->last_location = g_strdup (path);
  GST_OBJECT_UNLOCK (self);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_LAST_LOCATION]);
}

static void
take_best (GstElement *element, gdouble best)
{
  TlCheckpointSink *self = TL_CHECKPOINT_SINK (element);
  gboolean changed;

  GST_OBJECT_LOCK (self);
  changed = !isnan (best) && !(best == self->best_metric);
  self->best_metric = best;
  GST_OBJECT_UNLOCK (self);
  if (changed)
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_BEST_METRIC]);
}

static gboolean
begin_run (TlCheckpointSink *self)
{
  g_auto (TlRunFolderSettings) settings = {0};

  if (!open_folder (self, &settings))
    return FALSE;
  self->writer = tl_checkpoint_writer_new (GST_ELEMENT (self), self->claim,
      &settings, take_written, take_best);
  GST_OBJECT_LOCK (self);
  self->best_metric = NAN;
  g_clear_pointer (&self->last_location, g_free);
  GST_OBJECT_UNLOCK (self);
  set_queue (self,
      tl_checkpoint_queue_new (tl_checkpoint_writer_write, self->writer));
  return TRUE;
}

/* From NULL to READY. */
static gboolean
try_folder (TlCheckpointSink *self)
{
  g_auto (TlRunFolderSettings) settings = {0};

  if (!open_folder (self, &settings))
    return FALSE;
  if (!settings.save_last && settings.save_top_k == 0)
    GST_ELEMENT_WARNING (self, LIBRARY, SETTINGS,
        ("save-last=false and save-top-k=0 keep no checkpoint: what is learned "
         "is lost at the end. Only metrics.jsonl is written."),
        (NULL));
  return TRUE;
}

/* While the pads are still active: afterwards upstream cannot answer. */
static void
ask_for_final (TlCheckpointSink *self)
{
  g_autoptr (GstQuery) query = tl_query_new_final_checkpoint ();
  g_autoptr (GstBuffer) checkpoint = NULL;
  g_auto (TlCheckpointInfo) info = {0};

  tl_query_set_final_checkpoint_received (query,
      tl_checkpoint_queue_close (self->queue));
  if (gst_pad_peer_query (GST_BASE_SINK_PAD (self), query))
    checkpoint = tl_query_parse_final_checkpoint (query);
  if (checkpoint && read_info (self, checkpoint, &info))
    tl_checkpoint_queue_push_last (self->queue, g_steal_pointer (&checkpoint),
        &info);
}

static GstStateChangeReturn
tl_checkpoint_sink_change_state (GstElement *element, GstStateChange transition)
{
  TlCheckpointSink *self = TL_CHECKPOINT_SINK (element);
  GstStateChangeReturn ret;

  if ((transition == GST_STATE_CHANGE_NULL_TO_READY && !try_folder (self))
      || (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !begin_run (self)))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    ask_for_final (self);
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    set_playing (self, FALSE);
  ret = GST_ELEMENT_CLASS (tl_checkpoint_sink_parent_class)
            ->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY
      || (transition == GST_STATE_CHANGE_READY_TO_PAUSED
          && ret == GST_STATE_CHANGE_FAILURE)) {
    forget_eos (self);
    close_folder (self);
  }
  if (transition == GST_STATE_CHANGE_READY_TO_NULL)
    g_clear_pointer (&self->claim, tl_folder_release);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING
      && ret != GST_STATE_CHANGE_FAILURE)
    set_playing (self, TRUE);
  return ret;
}

static void
tl_checkpoint_sink_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  TlCheckpointSink *self = TL_CHECKPOINT_SINK (object);

  GST_OBJECT_LOCK (self);
  if (!tl_checkpoint_settings_set (&self->settings, id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (self);
}

static void
tl_checkpoint_sink_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  TlCheckpointSink *self = TL_CHECKPOINT_SINK (object);

  GST_OBJECT_LOCK (self);
  if (id == PROP_BEST_METRIC)
    g_value_set_double (value, self->best_metric);
  else if (id == PROP_LAST_LOCATION)
    g_value_set_string (value, self->last_location);
  else if (!tl_checkpoint_settings_get (&self->settings, id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (self);
}

static void
tl_checkpoint_sink_finalize (GObject *object)
{
  TlCheckpointSink *self = TL_CHECKPOINT_SINK (object);

  tl_checkpoint_settings_clear (&self->settings);
  tl_folder_release (self->claim);
  g_free (self->last_location);
  g_rec_mutex_clear (&self->eos_lock);
  g_mutex_clear (&self->queue_lock);
  G_OBJECT_CLASS (tl_checkpoint_sink_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass *object_class)
{
  const GParamFlags flags = G_PARAM_STATIC_STRINGS | G_PARAM_READABLE;

  tl_checkpoint_settings_install (object_class);
  props[PROP_BEST_METRIC] = g_param_spec_double ("best-metric", "Best metric",
      "Monitored metric of the best epoch so far; not a number before the first",
      -G_MAXDOUBLE, G_MAXDOUBLE, 0, flags);
  props[PROP_LAST_LOCATION] = g_param_spec_string ("last-location",
      "Last location", "Checkpoint file that was written last", NULL, flags);
  for (guint id = PROP_BEST_METRIC; id < N_PROPS; id++)
    g_object_class_install_property (object_class, id, props[id]);
}

static void
tl_checkpoint_sink_class_init (TlCheckpointSinkClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSinkClass *sink_class = GST_BASE_SINK_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (tl_checkpoint_sink_debug, "checkpointsink", 0,
      "writes checkpoints");
  object_class->set_property = tl_checkpoint_sink_set_property;
  object_class->get_property = tl_checkpoint_sink_get_property;
  object_class->finalize = tl_checkpoint_sink_finalize;
  install_properties (object_class);

  element_class->change_state = tl_checkpoint_sink_change_state;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_set_static_metadata (element_class, "Checkpoint sink",
      "Sink/File/Training", "Writes the checkpoints of a run to a folder",
      "tlpipe developers");

  sink_class->unlock = tl_checkpoint_sink_unlock;
  sink_class->unlock_stop = tl_checkpoint_sink_unlock_stop;
  sink_class->event = tl_checkpoint_sink_event;
}

static void
tl_checkpoint_sink_init (TlCheckpointSink *self)
{
  g_rec_mutex_init (&self->eos_lock);
  g_mutex_init (&self->queue_lock);
  tl_checkpoint_settings_init (&self->settings);
  self->best_metric = NAN;
  gst_pad_set_chain_function (GST_BASE_SINK_PAD (self),
      tl_checkpoint_sink_chain);
  gst_pad_set_chain_list_function (GST_BASE_SINK_PAD (self),
      tl_checkpoint_sink_chain_list);
  gst_base_sink_set_sync (GST_BASE_SINK (self), FALSE);
  gst_base_sink_set_async_enabled (GST_BASE_SINK (self), FALSE);
  gst_base_sink_set_last_sample_enabled (GST_BASE_SINK (self), FALSE);
}
