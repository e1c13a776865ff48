/* SPDX-License-Identifier: BSD-3-Clause */

/**
 * SECTION:element-batcher
 *
 * Packs decoded pictures into batches for the trainer.
 *
 * Takes `video/x-raw,format=RGB` pictures of one size with a TlSampleMeta, one
 * sample per buffer, rows padded or not. Gives `application/x-tl-batch`: uint8
 * NHWC in one pooled memory with a TlBatchMeta; OFFSET is the number of the
 * batch in the stream, there is no PTS and no DURATION.
 *
 * A batch never holds samples of two phases (epoch and split). It is closed
 * when it is full, by the last sample of its phase, and early by `tl-phase-end`,
 * `tl-phase` or a sample of another phase. What is left at EOS belongs to a
 * phase that was interrupted: it is dropped, so that a resumed run packs the
 * same samples again. A flush drops it too, with a warning.
 *
 * The memory comes from the pool that downstream offers in its ALLOCATION
 * answer, else from one of its own. There is one copy per picture, and no
 * thread: everything happens in the streaming thread of the sink pad. The same
 * samples in the same order give the same bytes; unused slots are zero.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 datasetsrc location=hymenoptera_data ! imagedecode ! batcher batch-size=16 ! fakesink
 * gst-launch-1.0 datasetsrc location=hymenoptera_data epochs=5 ! imagedecode ! augment ! batcher ! queue max-size-buffers=2 max-size-bytes=0 max-size-time=0 ! resnetfinetune weights=resnet18-f37072fd.pth ! checkpointsink location=run
 * ]|
 *
 * ## The same as YAML
 * |[
 * tlpipe: 1
 * pipeline:
 *   - datasetsrc: {location: hymenoptera_data}
 *   - imagedecode
 *   - batcher: {batch-size: 16}
 *   - fakesink
 * ]|
 *
 * Since: 0.1
 */

#include "tlbatcher.h"
#include "tlbatchfill.h"
#include "tlbatchpool.h"
#include "tlpoolslot.h"

#include <tlevents.h>
#include <tlrange.h>

GST_DEBUG_CATEGORY_STATIC (batcher_debug);
#define GST_CAT_DEFAULT batcher_debug

enum
{
  PROP_0,
  PROP_BATCH_SIZE,
  PROP_DROP_LAST,
};

#define DEFAULT_BATCH_SIZE 32
#define DEFAULT_DROP_LAST FALSE

struct _TlBatcher
{
  GstElement parent;

  GstPad *sinkpad;
  GstPad *srcpad;

  /* Properties, under the object lock. */
  guint batch_size;
  gboolean drop_last;

  /* As they were at the first caps of the run: memory is measured by them.
   * Streaming thread only. */
  guint run_batch_size;
  gboolean run_drop_last;

  TlPoolSlot pool;

  /* Streaming thread only. */
  gboolean refused;   /* caps that upstream sends again with each push */
  GstVideoInfo video; /* of a sample; no format before the first CAPS */
  TlBatchInfo info;
  TlBatchFill batch;
  GstFlowReturn flow; /* OK, or why downstream takes no batches any more */
  guint64 n_pushed;
  guint64 step;      /* of the next batch, in the phase below */
  gint64 step_epoch; /* -1 before the first phase */
  TlSplit step_split;
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS ("video/x-raw, format=(string)RGB, width=(int)[1,8192], "
                     "height=(int)[1,8192]"));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (TL_CAPS_BATCH_TEMPLATE));

G_DEFINE_TYPE (TlBatcher, tl_batcher, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE (batcher, "batcher", GST_RANK_NONE, TL_TYPE_BATCHER)

/* ---- the pool ---- */

static gboolean
negotiate_pool (TlBatcher *self, GstCaps *caps)
{
  GstBufferPool *pool =
      tl_batch_pool_negotiate (self->srcpad, caps, &self->info);

  GST_DEBUG_OBJECT (self, "batches from %" GST_PTR_FORMAT, pool);
  if (gst_buffer_pool_set_active (pool, TRUE)) {
    tl_pool_slot_replace (&self->pool, pool);
    return TRUE;
  }
  self->refused = TRUE;
  GST_ELEMENT_ERROR (self, RESOURCE, FAILED,
      ("The pool of batches could not be started: lower batch-size=%u.",
          self->run_batch_size),
      ("gst_buffer_pool_set_active (%s) failed", GST_OBJECT_NAME (pool)));
  gst_object_unref (pool);
  return FALSE;
}

/* ---- the batch ---- */

/* A batch may be pushed by an event, which cannot say what came of it. */
static GstFlowReturn
push_batch (TlBatcher *self, GstBuffer *batch)
{
  GstFlowReturn flow;

  GST_BUFFER_OFFSET (batch) = self->n_pushed++;
  flow = gst_pad_push (self->srcpad, batch);
  if (flow != GST_FLOW_FLUSHING)
    self->flow = flow;
  return flow;
}

/* Ends the batch, full or not: its phase has ended. */
static GstFlowReturn
close_batch (TlBatcher *self)
{
  if (tl_batch_fill_count (&self->batch) == 0)
    return GST_FLOW_OK;
  if (self->run_drop_last && !tl_batch_fill_is_full (&self->batch)
      && self->step_split == TL_SPLIT_TRAIN) {
    GST_INFO_OBJECT (self, "drop-last: leaving out %u samples",
        tl_batch_fill_count (&self->batch));
    tl_batch_fill_clear (&self->batch);
    return GST_FLOW_OK;
  }
  return push_batch (self, tl_batch_fill_finish (&self->batch, self->step++));
}

/* Drops a batch whose phase was cut off; returns how many samples it had. */
static guint
drop_batch (TlBatcher *self)
{
  guint n = tl_batch_fill_count (&self->batch);

  tl_batch_fill_clear (&self->batch);
  return n;
}

static GstFlowReturn
refuse_memory (TlBatcher *self, GstFlowReturn ret)
{
  gsize size = tl_batch_info_size (&self->info);
  g_autofree gchar *text = g_format_size (size);

  GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT,
      ("No memory for a batch of %u pictures of %dx%d (%s): lower batch-size.",
          self->run_batch_size, self->info.width, self->info.height, text),
      ("acquiring and mapping %" G_GSIZE_FORMAT " bytes: %s", size,
          gst_flow_get_name (ret)));
  return GST_FLOW_ERROR;
}

static GstFlowReturn
open_batch (TlBatcher *self, const TlSampleMeta *sample)
{
  GstBuffer *buffer = NULL;
  GstFlowReturn ret = tl_pool_slot_acquire (&self->pool, &buffer);

  if (ret == GST_FLOW_FLUSHING)
    return ret;
  if (ret != GST_FLOW_OK)
    return refuse_memory (self, ret);
  if (gst_buffer_get_size (buffer) != tl_batch_info_size (&self->info)) {
    gst_buffer_unref (buffer);
    return refuse_memory (self, ret);
  }
  if (!tl_batch_fill_begin (&self->batch, buffer, self->run_batch_size, sample))
    return refuse_memory (self, ret);
  if (self->step_epoch != sample->epoch || self->step_split != sample->split) {
    self->step = 0;
    self->step_epoch = sample->epoch;
    self->step_split = sample->split;
  }
  return ret;
}

/* ---- samples ---- */

static GstFlowReturn
refuse_size (TlBatcher *self, GstBuffer *buffer, const TlSampleMeta *sample)
{
  GST_ELEMENT_ERROR (self, STREAM, FORMAT,
      ("A picture has %" G_GSIZE_FORMAT " bytes where its caps say %dx%d RGB, "
       "%" G_GSIZE_FORMAT " bytes: an element before batcher is broken.",
          gst_buffer_get_size (buffer), self->info.width, self->info.height,
          self->video.size),
      ("sample %" G_GUINT64_FORMAT ", %s", sample->index,
          sample->path ? sample->path : "no path"));
  drop_batch (self);
  return GST_FLOW_ERROR;
}

/* What is linked again, here or further down, may take batches again. */
static GstFlowReturn
get_flow (TlBatcher *self)
{
  if (self->flow == GST_FLOW_NOT_LINKED
      && gst_pad_check_reconfigure (self->srcpad))
    self->flow = GST_FLOW_OK;
  return self->flow;
}

static GstFlowReturn
add_sample (TlBatcher *self, GstBuffer *buffer, const TlSampleMeta *sample)
{
  GstFlowReturn ret = get_flow (self);

  if (ret != GST_FLOW_OK)
    return ret;
  if (!tl_batch_fill_has_phase (&self->batch, sample->epoch, sample->split))
    ret = close_batch (self);
  if (ret == GST_FLOW_OK && !self->batch.buffer)
    ret = open_batch (self, sample);
  if (ret != GST_FLOW_OK)
    return ret;
  if (!tl_batch_fill_add (&self->batch, &self->video, buffer, sample))
    return refuse_size (self, buffer, sample);
  if (tl_batch_fill_is_full (&self->batch) || sample->position + 1 == sample->n)
    ret = close_batch (self);
  return ret;
}

static GstFlowReturn
tl_batcher_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  TlBatcher *self = TL_BATCHER (parent);
  const TlSampleMeta *sample = tl_buffer_get_sample_meta (buffer);
  GstFlowReturn ret = GST_FLOW_ERROR;

  if (GST_VIDEO_INFO_FORMAT (&self->video) == GST_VIDEO_FORMAT_UNKNOWN) {
    GST_ELEMENT_ERROR (self, CORE, NEGOTIATION,
        ("Pictures come without caps: put imagedecode before batcher."),
        ("buffer before the CAPS event"));
    ret = GST_FLOW_NOT_NEGOTIATED;
  } else if (!sample) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("A picture does not say which sample it is: batcher takes what comes "
         "from datasetsrc, and an element in between (compositor, for one) has "
         "dropped that."),
        ("buffer without TlSampleMeta"));
  } else {
    ret = add_sample (self, buffer, sample);
  }
  gst_buffer_unref (buffer);
  return ret;
}

/* ---- events ---- */

static GstFlowReturn
refuse_change (TlBatcher *self, const GstVideoInfo *video)
{
  self->refused = TRUE;
  GST_ELEMENT_ERROR (self, CORE, NEGOTIATION,
      ("Pictures change from %dx%d to %dx%d in the middle of a batch: all must "
       "have one size, as imagedecode gives them.",
          self->info.width, self->info.height, GST_VIDEO_INFO_WIDTH (video),
          GST_VIDEO_INFO_HEIGHT (video)),
      ("%u samples are in the batch", tl_batch_fill_count (&self->batch)));
  return GST_FLOW_ERROR;
}

static GstFlowReturn
refuse_bytes (TlBatcher *self, const TlBatchInfo *info)
{
  g_autofree gchar *size = g_format_size (tl_batch_info_size (info));

  self->refused = TRUE;
  GST_ELEMENT_ERROR (self, LIBRARY, SETTINGS,
      ("A batch of batch-size=%u pictures of %dx%d has %s, which is over 4 GiB: "
       "lower batch-size.",
          self->run_batch_size, info->width, info->height, size),
      (NULL));
  return GST_FLOW_ERROR;
}

static void
forget_caps (TlBatcher *self)
{
  gst_video_info_init (&self->video);
  self->info = (TlBatchInfo){0};
}

/* At the first caps of a run; they may have changed since READY. */
static gboolean
take_settings (TlBatcher *self)
{
  self->refused = !tl_element_check_ranges (GST_ELEMENT (self));
  GST_OBJECT_LOCK (self);
  self->run_batch_size = self->batch_size;
  self->run_drop_last = self->drop_last;
  GST_OBJECT_UNLOCK (self);
  return !self->refused;
}

/* Sends the batches' caps at once, so that they precede SEGMENT. They fail where
 * the source pad is flushing, and only there. */
static GstFlowReturn
send_caps (TlBatcher *self)
{
  g_autoptr (GstCaps) caps = tl_batch_info_to_caps (&self->info);

  if (!gst_pad_set_caps (self->srcpad, caps))
    return GST_FLOW_FLUSHING;
  return negotiate_pool (self, caps) ? GST_FLOW_OK : GST_FLOW_ERROR;
}

static GstFlowReturn
refuse_caps (TlBatcher *self, GstCaps *caps)
{
  if (!self->refused)
    GST_ELEMENT_ERROR (self, CORE, NEGOTIATION,
        ("batcher does not know this kind of pictures: put imagedecode before "
         "it."),
        ("caps %" GST_PTR_FORMAT, caps));
  self->refused = TRUE;
  return GST_FLOW_ERROR;
}

static GstFlowReturn
set_caps (TlBatcher *self, GstCaps *caps)
{
  GstVideoInfo video;
  TlBatchInfo info;
  GstFlowReturn ret;

  if (!gst_video_info_from_caps (&video, caps))
    return refuse_caps (self, caps);
  if (self->refused || (self->info.batch_size == 0 && !take_settings (self)))
    return GST_FLOW_ERROR;
  info = (TlBatchInfo){.width = GST_VIDEO_INFO_WIDTH (&video),
      .height = GST_VIDEO_INFO_HEIGHT (&video),
      .batch_size = (gint) self->run_batch_size};
  if (info.width == self->info.width && info.height == self->info.height) {
    self->video = video;
    return GST_FLOW_OK;
  }
  if (self->batch.buffer)
    return refuse_change (self, &video);
  if (tl_batch_info_size (&info) > TL_BATCH_MAX_BYTES)
    return refuse_bytes (self, &info);
  self->video = video;
  self->info = info;
  ret = send_caps (self);
  if (ret != GST_FLOW_OK)
    forget_caps (self);
  return ret;
}

/* A phase other than that of the batch begins, or that of the batch ends. */
static void
follow_phase (TlBatcher *self, GstEvent *event)
{
  TlPhase phase;
  TlPhaseEnd end;

  if ((tl_event_parse_phase (event, &phase)
          && !tl_batch_fill_has_phase (&self->batch, phase.epoch, phase.split))
      || (tl_event_parse_phase_end (event, &end)
          && tl_batch_fill_has_phase (&self->batch, end.epoch, end.split)))
    close_batch (self);
}

static void
end_stream (TlBatcher *self)
{
  guint n = drop_batch (self);

  if (n > 0)
    GST_INFO_OBJECT (self, "interrupted: leaving %u samples to a resume", n);
}

static void
end_flush (TlBatcher *self)
{
  guint n = drop_batch (self);

  self->flow = GST_FLOW_OK;

  if (n > 0)
    GST_ELEMENT_WARNING (self, STREAM, FAILED,
        ("A flush dropped %u samples that were not yet in a batch.", n),
        ("epoch %" G_GINT64_FORMAT ", %s", self->step_epoch,
            tl_split_nick (self->step_split)));
  tl_pool_slot_set_flushing (&self->pool, FALSE);
}

/* What a flush interrupts is FLUSHING: FALSE would be an error to who pushes a
 * picture behind a sticky event. */
static GstFlowReturn
forward (TlBatcher *self, GstEvent *event)
{
  if (gst_pad_event_default (self->sinkpad, GST_OBJECT (self), event))
    return GST_FLOW_OK;
  return GST_PAD_IS_FLUSHING (self->srcpad) ? GST_FLOW_FLUSHING
                                            : GST_FLOW_ERROR;
}

/* What is left out changes what is learned, and is told as what is done to the
 * pictures is. */
static GstEvent *
add_step (TlBatcher *self, GstEvent *event)
{
  g_auto (TlTransform) transform = {0};
  GstEvent *added;

  if (!self->run_drop_last || !tl_event_parse_transform (event, &transform))
    return event;
  added = tl_event_append_transform (event, "batcher drop-last=true");
  gst_event_unref (event);
  return added;
}

static GstFlowReturn
tl_batcher_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  TlBatcher *self = TL_BATCHER (parent);
  GstFlowReturn ret;
  GstCaps *caps;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      gst_event_parse_caps (event, &caps);
      ret = set_caps (self, caps);
      gst_event_unref (event);
      return ret;
    case GST_EVENT_CUSTOM_DOWNSTREAM:
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
      follow_phase (self, event);
      event = add_step (self, event);
      break;
    case GST_EVENT_EOS:
      end_stream (self);
      break;
    case GST_EVENT_FLUSH_START:
      tl_pool_slot_set_flushing (&self->pool, TRUE);
      break;
    case GST_EVENT_FLUSH_STOP:
      end_flush (self);
      break;
    default:
      break;
  }
  return forward (self, event);
}

/* ---- queries ---- */

static gboolean
tl_batcher_sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    return gst_pad_query_default (pad, parent, query);
  /* Downstream's answer would be for batches. */
  gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  return TRUE;
}

/* ---- life ---- */

/* FLUSH_STOP may have waited for the stream lock, and comes when the pads are
 * inactive already. */
static void
reset (TlBatcher *self)
{
  GST_PAD_STREAM_LOCK (self->sinkpad);
  drop_batch (self);
  tl_pool_slot_replace (&self->pool, NULL);
  forget_caps (self);
  self->refused = FALSE;
  self->n_pushed = 0;
  self->flow = GST_FLOW_OK;
  self->step = 0;
  self->step_epoch = -1;
  tl_pool_slot_set_flushing (&self->pool, FALSE);
  GST_PAD_STREAM_UNLOCK (self->sinkpad);
}

static GstStateChangeReturn
tl_batcher_change_state (GstElement *element, GstStateChange transition)
{
  TlBatcher *self = TL_BATCHER (element);
  GstStateChangeReturn ret;

  if ((transition == GST_STATE_CHANGE_NULL_TO_READY
          || transition == GST_STATE_CHANGE_READY_TO_PAUSED)
      && !tl_element_check_ranges (element))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    tl_pool_slot_set_flushing (&self->pool, TRUE);
  ret = GST_ELEMENT_CLASS (tl_batcher_parent_class)
            ->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    reset (self);
  return ret;
}

static void
tl_batcher_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  TlBatcher *self = TL_BATCHER (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_BATCH_SIZE:
      self->batch_size = g_value_get_uint (value);
      break;
    case PROP_DROP_LAST:
      self->drop_last = g_value_get_boolean (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
tl_batcher_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  TlBatcher *self = TL_BATCHER (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_BATCH_SIZE:
      g_value_set_uint (value, self->batch_size);
      break;
    case PROP_DROP_LAST:
      g_value_set_boolean (value, self->drop_last);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
tl_batcher_finalize (GObject *object)
{
  TlBatcher *self = TL_BATCHER (object);

  drop_batch (self);
  tl_pool_slot_clear (&self->pool);
  G_OBJECT_CLASS (tl_batcher_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass *object_class)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  g_object_class_install_property (object_class, PROP_BATCH_SIZE,
      tl_param_spec_set_range (
          g_param_spec_uint ("batch-size", "Batch size",
              "Samples in a batch, 1 to 65536; the last one of a phase may have "
              "fewer",
              0, G_MAXUINT, DEFAULT_BATCH_SIZE, flags),
          1, TL_MAX_BATCH_SIZE));
  g_object_class_install_property (object_class, PROP_DROP_LAST,
      g_param_spec_boolean ("drop-last", "Drop last",
          "Leave out the last samples of a training phase where they do not "
          "fill a batch; evaluation keeps all samples",
          DEFAULT_DROP_LAST, flags));
}

static void
tl_batcher_class_init (TlBatcherClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (batcher_debug, "batcher", 0, "packs batches");
  object_class->set_property = tl_batcher_set_property;
  object_class->get_property = tl_batcher_get_property;
  object_class->finalize = tl_batcher_finalize;
  install_properties (object_class);

  element_class->change_state = tl_batcher_change_state;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "Batcher",
      "Filter/Video/Training", "Packs decoded pictures into batches",
      "tlpipe developers");
}

static void
tl_batcher_init (TlBatcher *self)
{
  tl_pool_slot_init (&self->pool);
  self->batch_size = DEFAULT_BATCH_SIZE;
  self->drop_last = DEFAULT_DROP_LAST;
  self->step_epoch = -1;
  gst_video_info_init (&self->video);

  self->sinkpad = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_chain_function (self->sinkpad, tl_batcher_chain);
  gst_pad_set_event_full_function (self->sinkpad, tl_batcher_sink_event);
  gst_pad_set_query_function (self->sinkpad, tl_batcher_sink_query);
  gst_element_add_pad (GST_ELEMENT (self), self->sinkpad);

  self->srcpad = gst_pad_new_from_static_template (&src_template, "src");
  gst_pad_use_fixed_caps (self->srcpad);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
}
