/* SPDX-License-Identifier: BSD-3-Clause */

/**
 * SECTION:element-resultlog
 * @title: resultlog
 * @short_description: Writes what the model says into a log
 *
 * Takes and gives anything: buffers pass untouched. The TlResultMeta that
 * resnetinfer has added goes into a file as JSON lines, CSV or WebVTT subtitles,
 * with the stream time of the frame. The pad `text`, if it is asked for, gives
 * the same as subtitles to a muxer beside the video.
 *
 * A thread of its own writes. A disk that is slow, full or gone never holds a
 * frame: one warning, then it is tried again, and the log says how many entries
 * are missing.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! video/x-raw,format=RGB \
 *     ! resnetinfer checkpoint=run/best.safetensors \
 *     ! resultlog location=results.jsonl append=true ! videoconvert ! autovideosink
 * gst-launch-1.0 videotestsrc num-buffers=100 \
 *     ! resultlog location=/dev/null format=csv ! fakesink
 * gst-launch-1.0 videotestsrc num-buffers=100 ! resnetinfer checkpoint=run/best.safetensors \
 *     ! resultlog name=log ! queue ! jpegenc ! matroskamux name=mux ! filesink location=video.mkv \
 *     log.text ! queue max-size-time=0 max-size-buffers=0 ! mux.
 * ]|
 *
 * As YAML:
 * |[
 * - resultlog: {location: results.csv, append: true, top-k: 2}
 * ]|
 *
 * The same frames give the same bytes, as long as none is dropped.
 *
 * Since: 0.1
 */

#include "tlresultlog.h"

#include <string.h>

#include "tlrange.h"
#include "tlresultlogsettings.h"
#include "tlresultmeta.h"
#include "tlresultsubtitles.h"
#include "tlresultwriter.h"

GST_DEBUG_CATEGORY_STATIC (resultlog_debug);
#define GST_CAT_DEFAULT resultlog_debug

/* The read-only properties first, then those of the settings. */
enum
{
  PROP_0,
  PROP_N_WRITTEN,
  PROP_N_DROPPED,
  PROP_SETTINGS,
};

/* What a stop and an end of stream wait for the disk. */
#define DRAIN_TIMEOUT (2 * G_USEC_PER_SEC)

struct _TlResultLog
{
  GstBaseTransform parent;

  GstPadEventFunction base_event;

  /* Under the object lock. */
  TlResultLogSettings settings;
  guint64 n_written, n_dropped; /* of the last run, once its writer is gone */
  TlResultWriter *writer;       /* set in start, cleared in stop; or none */
  TlResultSubtitles subtitles;  /* says what protects what */

  /* Streaming thread only; set in start. */
  TlResultEvery every;
  TlResultFormat format;
  guint64 n_frames;
  guint64 serial; /* of the result logged last */
  TlResultState state;
  gboolean has_logged;
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate text_template = GST_STATIC_PAD_TEMPLATE ("text",
    GST_PAD_SRC, GST_PAD_REQUEST, GST_STATIC_CAPS (TL_RESULT_SUBTITLES_CAPS));

G_DEFINE_TYPE (TlResultLog, tl_result_log, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE (resultlog, "resultlog", GST_RANK_NONE,
    TL_TYPE_RESULT_LOG)

/* ---- Properties ---- */

static void
tl_result_log_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  TlResultLog *self = TL_RESULT_LOG (object);

  GST_OBJECT_LOCK (self);
  tl_result_log_settings_set (&self->settings, id - PROP_SETTINGS, value);
  GST_OBJECT_UNLOCK (self);
}

/* Under the object lock. */
static guint64
get_count (TlResultLog *self, gboolean dropped)
{
  guint64 n_written = self->n_written, n_dropped = self->n_dropped;

  if (self->writer)
    tl_result_writer_count (self->writer, &n_written, &n_dropped);
  return dropped ? n_dropped : n_written;
}

static void
tl_result_log_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  TlResultLog *self = TL_RESULT_LOG (object);

  GST_OBJECT_LOCK (self);
  if (id >= PROP_SETTINGS)
    tl_result_log_settings_get (&self->settings, id - PROP_SETTINGS, value);
  else
    g_value_set_uint64 (value, get_count (self, id == PROP_N_DROPPED));
  GST_OBJECT_UNLOCK (self);
}

/* ---- Start ---- */

static GstStateChangeReturn
tl_result_log_change_state (GstElement *element, GstStateChange transition)
{
  if ((transition == GST_STATE_CHANGE_NULL_TO_READY
          || transition == GST_STATE_CHANGE_READY_TO_PAUSED)
      && !tl_element_check_ranges (element))
    return GST_STATE_CHANGE_FAILURE;
  return GST_ELEMENT_CLASS (tl_result_log_parent_class)
      ->change_state (element, transition);
}

static void
warn_fault (gpointer object, const gchar *message)
{
  GST_ELEMENT_WARNING (object, RESOURCE, WRITE, ("%s", message), (NULL));
}

/* With a pad for the text a file may be left out. */
static gboolean
start_writer (TlResultLog *self, const TlResultLogSettings *settings)
{
  TlError error = TL_ERROR_INIT;
  TlResultWriterConfig config = {
      .path = settings->location,
      .append = settings->append,
      .flush = (TlResultFlush) settings->flush,
      .top_k = settings->top_k,
      .fault = warn_fault,
      .object = G_OBJECT (self),
  };
  TlResultWriter *writer;

  if (!tl_result_log_settings_get_format (settings, &config.format)) {
    GST_ELEMENT_ERROR (self, LIBRARY, SETTINGS,
        ("location=%s does not tell the format: end it with .jsonl, .csv or "
         ".vtt, or set format.",
            settings->location),
        (NULL));
    return FALSE;
  }
  writer = tl_result_writer_new (&config, &error);
  if (!writer) {
    GST_ELEMENT_ERROR (self, RESOURCE, OPEN_WRITE, ("%s", error.message),
        (NULL));
    return FALSE;
  }
  self->format = config.format;
  GST_OBJECT_LOCK (self);
  self->writer = writer;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static gboolean
start (TlResultLog *self, const TlResultLogSettings *settings)
{
  self->every = (TlResultEvery) settings->every;
  self->format = TL_RESULT_JSONL;
  self->n_frames = 0;
  self->has_logged = FALSE;
  if (*settings->location)
    return start_writer (self, settings);
  if (tl_result_subtitles_has_pad (&self->subtitles))
    return TRUE;
  GST_ELEMENT_ERROR (self, LIBRARY, SETTINGS,
      ("location is not set: say which file the results go into."), (NULL));
  return FALSE;
}

static gboolean
tl_result_log_start (GstBaseTransform *transform)
{
  TlResultLog *self = TL_RESULT_LOG (transform);
  TlResultLogSettings settings;
  gboolean is_started;

  GST_OBJECT_LOCK (self);
  tl_result_log_settings_copy (&settings, &self->settings);
  self->n_written = self->n_dropped = 0;
  GST_OBJECT_UNLOCK (self);
  is_started = start (self, &settings);
  tl_result_log_settings_clear (&settings);
  return is_started;
}

/* ---- Data ---- */

/* Nothing is new where no result has come since: the same serial, the same
 * state. */
static gboolean
is_due (TlResultLog *self, const TlResultMeta *meta)
{
  gboolean is_new = !self->has_logged || meta->serial != self->serial
      || meta->state != self->state;

  self->has_logged = TRUE;
  self->serial = meta->serial;
  self->state = meta->state;
  /* A cue lasts as long as its frames. */
  return is_new || self->every == TL_RESULT_EVERY_FRAME
      || self->format == TL_RESULT_VTT;
}

static void
set_times (TlResultLog *self, TlResultEntry *entry, GstBuffer *buffer)
{
  const GstSegment *segment = &GST_BASE_TRANSFORM (self)->segment;
  GstClockTime pts = GST_BUFFER_PTS (buffer);

  entry->time = entry->until = TL_RESULT_NO_TIME;
  if (!GST_CLOCK_TIME_IS_VALID (pts) || segment->format != GST_FORMAT_TIME)
    return;
  entry->time = gst_segment_to_stream_time (segment, GST_FORMAT_TIME, pts);
  if (entry->time != TL_RESULT_NO_TIME && GST_BUFFER_DURATION_IS_VALID (buffer))
    entry->until = entry->time + GST_BUFFER_DURATION (buffer);
}

static void
fill_entry (TlResultLog *self, TlResultEntry *entry, GstBuffer *buffer,
    const TlResultMeta *meta)
{
  set_times (self, entry, buffer);
  entry->frame = self->n_frames;
  entry->serial = meta->serial;
  entry->age = meta->age;
  entry->inference = meta->inference_time;
  entry->n_lost = 0;
  entry->n_skipped = meta->n_skipped;
  entry->state = (TlResultEntryState) MIN (meta->state, TL_RESULT_ABSENT);
  entry->reason = g_quark_to_string (meta->reason);
  entry->model = g_quark_to_string (meta->model);
  entry->n = MIN (meta->n, TL_RESULT_ENTRY_MAX);
  for (guint i = 0; i < entry->n; i++)
    entry->top[i] = (TlResultEntryClass){meta->top[i].index,
        g_quark_to_string (meta->top[i].name), meta->top[i].probability};
}

static GstFlowReturn
tl_result_log_transform_ip (GstBaseTransform *transform, GstBuffer *buffer)
{
  TlResultLog *self = TL_RESULT_LOG (transform);
  const TlResultMeta *meta = tl_buffer_get_result_meta (buffer);
  TlResultEntry entry;

  if (meta)
    fill_entry (self, &entry, buffer, meta);
  if (self->writer && meta && is_due (self, meta))
    tl_result_writer_push (self->writer, &entry);
  tl_result_subtitles_push (&self->subtitles, &transform->segment, buffer,
      meta ? &entry : NULL);
  self->n_frames++;
  return GST_FLOW_OK;
}

/* ---- Events ---- */

static void
finish_log (TlResultLog *self)
{
  if (!self->writer || tl_result_writer_drain (self->writer, DRAIN_TIMEOUT))
    return;
  GST_ELEMENT_WARNING (self, RESOURCE, WRITE,
      ("The last results are not in the log: its disk takes nothing."),
      ("not written within %d s", (gint) (DRAIN_TIMEOUT / G_USEC_PER_SEC)));
}

static gboolean
tl_result_log_sink_event (GstBaseTransform *transform, GstEvent *event)
{
  TlResultLog *self = TL_RESULT_LOG (transform);

  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    finish_log (self);
  tl_result_subtitles_event (&self->subtitles, &transform->segment, event);
  return GST_BASE_TRANSFORM_CLASS (tl_result_log_parent_class)
      ->sink_event (transform, event);
}

/* GstBaseTransform takes an event that met a flushing pad for a failed one. */
static GstFlowReturn
tl_result_log_pad_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  gboolean is_caps = GST_EVENT_TYPE (event) == GST_EVENT_CAPS;

  if (TL_RESULT_LOG (parent)->base_event (pad, parent, event))
    return GST_FLOW_OK;
  if (GST_PAD_IS_FLUSHING (GST_BASE_TRANSFORM_SRC_PAD (parent)))
    return GST_FLOW_FLUSHING;
  return is_caps ? GST_FLOW_NOT_NEGOTIATED : GST_FLOW_ERROR;
}

/* ---- The pad of the text ---- */

static GstPad *
tl_result_log_request_new_pad (GstElement *element, GstPadTemplate *template,
    const gchar *name, const GstCaps *caps)
{
  return tl_result_subtitles_add_pad (&TL_RESULT_LOG (element)->subtitles,
      template, name);
}

static void
tl_result_log_release_pad (GstElement *element, GstPad *pad)
{
  tl_result_subtitles_remove_pad (&TL_RESULT_LOG (element)->subtitles, pad);
}

/* ---- Stop ---- */

static gboolean
tl_result_log_stop (GstBaseTransform *transform)
{
  TlResultLog *self = TL_RESULT_LOG (transform);
  TlResultWriter *writer = self->writer;

  if (!writer)
    return TRUE;
  tl_result_writer_drain (writer, DRAIN_TIMEOUT);
  GST_OBJECT_LOCK (self);
  self->writer = NULL;
  tl_result_writer_count (writer, &self->n_written, &self->n_dropped);
  GST_OBJECT_UNLOCK (self);
  tl_result_writer_stop (writer, 0);
  return TRUE;
}

static void
tl_result_log_finalize (GObject *object)
{
  tl_result_log_settings_clear (&TL_RESULT_LOG (object)->settings);
  G_OBJECT_CLASS (tl_result_log_parent_class)->finalize (object);
}

/* ---- Type ---- */

static void
install_counts (GObjectClass *object_class)
{
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  g_object_class_install_property (object_class, PROP_N_WRITTEN,
      g_param_spec_uint64 ("n-written", "N written",
          "Lines or cues in the log since the start", 0, G_MAXUINT64, 0,
          flags));
  g_object_class_install_property (object_class, PROP_N_DROPPED,
      g_param_spec_uint64 ("n-dropped", "N dropped",
          "Entries that the disk was too slow for since the start", 0,
          G_MAXUINT64, 0, flags));
}

static void
tl_result_log_class_init (TlResultLogClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *transform_class = GST_BASE_TRANSFORM_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (resultlog_debug, "resultlog", 0,
      "writes results into a log");
  object_class->set_property = tl_result_log_set_property;
  object_class->get_property = tl_result_log_get_property;
  object_class->finalize = tl_result_log_finalize;
  install_counts (object_class);
  tl_result_log_settings_install (object_class, PROP_SETTINGS);

  gst_element_class_set_static_metadata (element_class, "Result log",
      "Filter/Metadata", "Writes what the model says into a log",
      "tlpipe developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_add_static_pad_template (element_class, &text_template);
  element_class->change_state = GST_DEBUG_FUNCPTR (tl_result_log_change_state);
  element_class->request_new_pad =
      GST_DEBUG_FUNCPTR (tl_result_log_request_new_pad);
  element_class->release_pad = GST_DEBUG_FUNCPTR (tl_result_log_release_pad);

  transform_class->passthrough_on_same_caps = TRUE;
  transform_class->start = GST_DEBUG_FUNCPTR (tl_result_log_start);
  transform_class->sink_event = GST_DEBUG_FUNCPTR (tl_result_log_sink_event);
  transform_class->transform_ip =
      GST_DEBUG_FUNCPTR (tl_result_log_transform_ip);
  transform_class->stop = GST_DEBUG_FUNCPTR (tl_result_log_stop);
}

static void
tl_result_log_init (TlResultLog *self)
{
  GstPad *sink = GST_BASE_TRANSFORM_SINK_PAD (self);

  tl_result_subtitles_init (&self->subtitles, GST_ELEMENT (self));
  gst_base_transform_set_passthrough (GST_BASE_TRANSFORM (self), TRUE);
  gst_base_transform_set_qos_enabled (GST_BASE_TRANSFORM (self), FALSE);
  self->base_event = GST_PAD_EVENTFUNC (sink);
  gst_pad_set_event_full_function (sink, tl_result_log_pad_event);
}
