/* SPDX-License-Identifier: BSD-3-Clause */

/**
 * SECTION:element-resultlog
 * @title: resultlog
 * @short_description: Writes what the model says into a log
 *
 * Takes and gives anything: buffers pass untouched. The TlResultMeta that
 * resnetinfer has added goes into a file as JSON lines, CSV or WebVTT subtitles,
 * with the stream time of the frame.
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
#include "tlresultmeta.h"
#include "tlresultwriter.h"

GST_DEBUG_CATEGORY_STATIC (resultlog_debug);
#define GST_CAT_DEFAULT resultlog_debug

enum
{
  PROP_0,
  PROP_LOCATION,
  PROP_FORMAT,
  PROP_APPEND,
  PROP_FLUSH,
  PROP_EVERY,
  PROP_TOP_K,
  PROP_N_WRITTEN,
  PROP_N_DROPPED,
};

typedef enum
{
  FORMAT_AUTO = 0,
  FORMAT_JSONL = 1,
  FORMAT_CSV = 2,
  FORMAT_VTT = 3,
} Format;

typedef enum
{
  EVERY_RESULT = 0,
  EVERY_FRAME = 1,
} Every;

#define DEFAULT_LOCATION NULL
#define DEFAULT_FORMAT FORMAT_AUTO
#define DEFAULT_APPEND FALSE
#define DEFAULT_FLUSH TL_RESULT_FLUSH_LINE
#define DEFAULT_EVERY EVERY_RESULT
#define DEFAULT_TOP_K 3

/* What a stop and an end of stream wait for the disk. */
#define DRAIN_TIMEOUT (2 * G_USEC_PER_SEC)

typedef struct
{
  gchar *location;
  Format format;
  gboolean append;
  TlResultFlush flush;
  Every every;
  guint top_k;
} Settings;

struct _TlResultLog
{
  GstBaseTransform parent;

  GstPadEventFunction base_event;

  /* Under the object lock. */
  Settings settings;
  guint64 n_written, n_dropped; /* of the last run, once its writer is gone */
  TlResultWriter *writer;       /* set in start, cleared in stop */

  /* Streaming thread only; set in start. */
  Every every;
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

G_DEFINE_TYPE (TlResultLog, tl_result_log, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE (resultlog, "resultlog", GST_RANK_NONE,
    TL_TYPE_RESULT_LOG)

/* ---- Properties ---- */

static GType
register_enum (gsize *type, const gchar *name, const GEnumValue *values)
{
  if (g_once_init_enter (type))
    g_once_init_leave (type, g_enum_register_static (name, values));
  return (GType) *type;
}

static GType
get_format_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
      {FORMAT_AUTO, "By the ending of location", "auto"},
      {FORMAT_JSONL, "An object of JSON per line", "jsonl"},
      {FORMAT_CSV, "Comma-separated values with a header", "csv"},
      {FORMAT_VTT, "WebVTT subtitles", "vtt"},
      {0, NULL, NULL},
  };

  return register_enum (&type, "TlResultLogFormat", values);
}

static GType
get_flush_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
      {TL_RESULT_FLUSH_NONE, "Once a second", "none"},
      {TL_RESULT_FLUSH_LINE, "Each entry to the system", "line"},
      {TL_RESULT_FLUSH_SYNC, "Each entry onto the disk", "sync"},
      {0, NULL, NULL},
  };

  return register_enum (&type, "TlResultLogFlush", values);
}

static GType
get_every_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
      {EVERY_RESULT, "Each result once", "result"},
      {EVERY_FRAME, "The result of each frame", "frame"},
      {0, NULL, NULL},
  };

  return register_enum (&type, "TlResultLogEvery", values);
}

static void
tl_result_log_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  TlResultLog *self = TL_RESULT_LOG (object);
  Settings *settings = &self->settings;

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_LOCATION:
      g_free (settings->location);
      settings->location = g_value_dup_string (value);
      break;
    case PROP_FORMAT:
      settings->format = (Format) g_value_get_enum (value);
      break;
    case PROP_APPEND:
      settings->append = g_value_get_boolean (value);
      break;
    case PROP_FLUSH:
      settings->flush = (TlResultFlush) g_value_get_enum (value);
      break;
    case PROP_EVERY:
      settings->every = (Every) g_value_get_enum (value);
      break;
    case PROP_TOP_K:
      settings->top_k = g_value_get_uint (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
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
  const Settings *settings = &self->settings;

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_LOCATION:
      g_value_set_string (value, settings->location);
      break;
    case PROP_FORMAT:
      g_value_set_enum (value, (gint) settings->format);
      break;
    case PROP_APPEND:
      g_value_set_boolean (value, settings->append);
      break;
    case PROP_FLUSH:
      g_value_set_enum (value, (gint) settings->flush);
      break;
    case PROP_EVERY:
      g_value_set_enum (value, (gint) settings->every);
      break;
    case PROP_TOP_K:
      g_value_set_uint (value, settings->top_k);
      break;
    case PROP_N_WRITTEN:
      g_value_set_uint64 (value, get_count (self, FALSE));
      break;
    case PROP_N_DROPPED:
      g_value_set_uint64 (value, get_count (self, TRUE));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
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

static gboolean
choose_format (const Settings *settings, TlResultFormat *ret)
{
  static const struct
  {
    const gchar *ending;
    TlResultFormat format;
  } known[] = {
      {".jsonl", TL_RESULT_JSONL},
      {".csv", TL_RESULT_CSV},
      {".vtt", TL_RESULT_VTT},
  };
  g_autofree gchar *name = g_ascii_strdown (settings->location, -1);

  if (settings->format != FORMAT_AUTO) {
    *ret = (TlResultFormat) (settings->format - FORMAT_JSONL);
    return TRUE;
  }
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_str_has_suffix (name, known[i].ending)) {
      *ret = known[i].format;
      return TRUE;
    }
  return FALSE;
}

static void
warn_fault (gpointer object, const gchar *message)
{
  GST_ELEMENT_WARNING (object, RESOURCE, WRITE, ("%s", message), (NULL));
}

static gboolean
start_writer (TlResultLog *self, const Settings *settings)
{
  TlError error = TL_ERROR_INIT;
  TlResultWriterConfig config = {
      .path = settings->location,
      .append = settings->append,
      .flush = settings->flush,
      .top_k = settings->top_k,
      .fault = warn_fault,
      .object = G_OBJECT (self),
  };
  TlResultWriter *writer;

  if (!settings->location || !*settings->location) {
    GST_ELEMENT_ERROR (self, LIBRARY, SETTINGS,
        ("location is not set: say which file the results go into."), (NULL));
    return FALSE;
  }
  if (!choose_format (settings, &config.format)) {
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
tl_result_log_start (GstBaseTransform *transform)
{
  TlResultLog *self = TL_RESULT_LOG (transform);
  g_autofree gchar *location = NULL;
  Settings settings;

  GST_OBJECT_LOCK (self);
  settings = self->settings;
  settings.location = location = g_strdup (settings.location);
  self->n_written = self->n_dropped = 0;
  GST_OBJECT_UNLOCK (self);
  self->every = settings.every;
  self->n_frames = 0;
  self->has_logged = FALSE;
  return start_writer (self, &settings);
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
  return is_new || self->every == EVERY_FRAME || self->format == TL_RESULT_VTT;
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

  if (meta && is_due (self, meta)) {
    fill_entry (self, &entry, buffer, meta);
    tl_result_writer_push (self->writer, &entry);
  }
  self->n_frames++;
  return GST_FLOW_OK;
}

/* ---- Events ---- */

static void
finish_log (TlResultLog *self)
{
  if (tl_result_writer_drain (self->writer, DRAIN_TIMEOUT))
    return;
  GST_ELEMENT_WARNING (self, RESOURCE, WRITE,
      ("The last results are not in the log: its disk takes nothing."),
      ("not written within %d s", (gint) (DRAIN_TIMEOUT / G_USEC_PER_SEC)));
}

static gboolean
tl_result_log_sink_event (GstBaseTransform *transform, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    finish_log (TL_RESULT_LOG (transform));
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
  g_free (TL_RESULT_LOG (object)->settings.location);
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
install_properties (GObjectClass *object_class)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  g_object_class_install_property (object_class, PROP_LOCATION,
      g_param_spec_string ("location", "Location",
          "File that the results go into; also a pipe or a device",
          DEFAULT_LOCATION, flags));
  g_object_class_install_property (object_class, PROP_FORMAT,
      g_param_spec_enum ("format", "Format", "What is written",
          get_format_type (), DEFAULT_FORMAT, flags));
  g_object_class_install_property (object_class, PROP_APPEND,
      g_param_spec_boolean ("append", "Append",
          "Go on below what is in the file, instead of emptying it",
          DEFAULT_APPEND, flags));
  g_object_class_install_property (object_class, PROP_FLUSH,
      g_param_spec_enum ("flush", "Flush", "When entries reach the file",
          get_flush_type (), DEFAULT_FLUSH, flags));
  g_object_class_install_property (object_class, PROP_EVERY,
      g_param_spec_enum ("every", "Every",
          "What has an entry in JSON lines and CSV", get_every_type (),
          DEFAULT_EVERY, flags));
  g_object_class_install_property (object_class, PROP_TOP_K,
      tl_param_spec_set_range (
          g_param_spec_uint ("top-k", "Top k",
              "Classes per entry, best first (1 to 16), as far as the result "
              "has them; CSV has columns for so many",
              0, G_MAXUINT, DEFAULT_TOP_K, flags),
          1, TL_RESULT_ENTRY_MAX));
  install_counts (object_class);
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
  install_properties (object_class);
  gst_type_mark_as_plugin_api (get_format_type (), 0);
  gst_type_mark_as_plugin_api (get_flush_type (), 0);
  gst_type_mark_as_plugin_api (get_every_type (), 0);

  gst_element_class_set_static_metadata (element_class, "Result log",
      "Filter/Metadata", "Writes what the model says into a log",
      "tlpipe developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  element_class->change_state = GST_DEBUG_FUNCPTR (tl_result_log_change_state);

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

  self->settings = (Settings){
      .format = DEFAULT_FORMAT,
      .append = DEFAULT_APPEND,
      .flush = DEFAULT_FLUSH,
      .every = DEFAULT_EVERY,
      .top_k = DEFAULT_TOP_K,
  };
  gst_base_transform_set_passthrough (GST_BASE_TRANSFORM (self), TRUE);
  gst_base_transform_set_qos_enabled (GST_BASE_TRANSFORM (self), FALSE);
  self->base_event = GST_PAD_EVENTFUNC (sink);
  gst_pad_set_event_full_function (sink, tl_result_log_pad_event);
}
