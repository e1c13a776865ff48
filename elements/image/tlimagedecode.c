/* SPDX-License-Identifier: BSD-3-Clause */

/**
 * SECTION:element-imagedecode
 * @title: imagedecode
 * @short_description: pictures to RGB of one size
 *
 * Decodes picture files, told apart by their first bytes, or takes raw video;
 * crops and resizes: a random resized crop in the train split, the centre
 * elsewhere.
 *
 * Takes application/x-tl-image or image/..., one file per buffer (or a file in
 * pieces, from filesrc), and video/x-raw in RGB or GRAY8, not interlaced; caps
 * may change with every buffer. Gives video/x-raw,format=RGB of constant size;
 * TlSampleMeta stays and learns the source's size. Adds its settings to
 * tl-transform and what it left out to tl-phase-end. Pixels are those of Pillow
 * and torchvision to the bit, except where dct-scaling=auto decodes large
 * training pictures at reduced size.
 *
 * Asks the model that follows what it was trained with (tl-preprocess) and does
 * that; a property that was set and contradicts the answer is an error. A model
 * that is being trained takes what the properties say.
 *
 * A picture that cannot be decoded is left out: a tl-sample-error message for
 * each, a warning for the first ten, one summary per phase that lost some; or it is an error
 * (on-error=fail). A phase of which nothing is left is an error.
 *
 * Works on n-threads pictures at once and pushes them in order. The random crop
 * is a function of (seed, view, index) of the sample: threads, queues and
 * restarts change nothing.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 datasetsrc location=data ! imagedecode ! fakesink
 * gst-launch-1.0 filesrc location=bee.jpg ! imagedecode crop=center ! videoconvert ! autovideosink
 * gst-launch-1.0 v4l2src ! videoconvert ! imagedecode crop=pad ! resnetinfer checkpoint=run/best.safetensors ! fakesink
 * ]|
 *
 * ## YAML
 * |[
 * - imagedecode: {width: 224, height: 224, region: "10%,0,80%,100%"}
 * ]|
 *
 * Since: 0.1
 */

#include "tlimagedecode.h"

#include "tldecodecaps.h"
#include "tldecodesettings.h"
#include "tldecodeworker.h"
#include "tlfilejoin.h"
#include "tlskips.h"

#include <tlerror.h>
#include <tlevents.h>
#include <tlmessages.h>
#include <tlqueries.h>
#include <tlsamplemeta.h>

GST_DEBUG_CATEGORY_STATIC (imagedecode_debug);
#define GST_CAT_DEFAULT imagedecode_debug

enum
{
  PROP_N_DECODED = TL_DECODE_SETTINGS_END,
  PROP_N_SKIPPED,
};

struct _TlImageDecode
{
  TlOrderedElement parent;

  TlDecodeSettings settings; /* object lock */

  /* Made in READY to PAUSED; what the model answers changes them once, before
   * anything that needs them is in the queue. */
  TlDecodeSettings run;
  GstVideoInfo info; /* of the output */

  /* Streaming thread. */
  gboolean is_settled; /* no model has to be asked any more */
  GstEvent *held;      /* caps that wait for that; or NULL */
  gboolean has_caps;   /* have come */
  GstCaps *refused;    /* the newest, if they are not taken; or NULL */
  TlFileJoin join;

  /* Src task. */
  gboolean is_announced; /* the output's caps, which never change */
  TlSkips skips;         /* the totals under object lock too */
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (TL_DECODE_CAPS));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS ("video/x-raw, format=(string)RGB, width=(int)[1,max], "
                         "height=(int)[1,max]"));

G_DEFINE_TYPE (TlImageDecode, tl_image_decode, TL_TYPE_ORDERED_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE (imagedecode, "imagedecode", GST_RANK_NONE,
    TL_TYPE_IMAGE_DECODE)

static TlStatus
copy_settings (TlImageDecode *self, TlError *error)
{
  GST_OBJECT_LOCK (self);
  self->run = self->settings;
  GST_OBJECT_UNLOCK (self);
  return tl_decode_settings_check (&self->run, error);
}

static gboolean
tl_image_decode_check (TlOrderedElement *element)
{
  TlError error = TL_ERROR_INIT;
  TlStatus status = copy_settings (TL_IMAGE_DECODE (element), &error);

  if (status != TL_OK)
    tl_element_post_error (GST_ELEMENT (element), status, &error);
  return status == TL_OK;
}

/* What the model expects; FALSE if nobody says. @trains: tlqueries.h. */
static gboolean
ask_model (TlImageDecode *self, gboolean trains, TlPreprocess *ret)
{
  GstPad *srcpad = tl_ordered_element_get_src_pad (TL_ORDERED_ELEMENT (self));
  g_autoptr (GstQuery) query = tl_query_new_preprocess (trains);

  return gst_pad_peer_query (srcpad, query)
      && tl_query_parse_preprocess (query, ret);
}

/* Once there is an answer, nobody is asked again. An error if it cannot be
 * followed. */
static TlStatus
follow_model (TlImageDecode *self, gboolean trains, TlError *error)
{
  TlStatus status = TL_OK;
  TlPreprocess model;

  if (ask_model (self, trains, &model)) {
    GST_INFO_OBJECT (self, "the model expects %dx%d", model.width,
        model.height);
    self->is_settled = TRUE;
    status = tl_decode_settings_adopt (&self->run, &model, error);
  }
  gst_video_info_set_format (&self->info, GST_VIDEO_FORMAT_RGB, self->run.width,
      self->run.height);
  return status;
}

/* Properties may have changed in READY, so the check is made again. A model
 * that answers whether or not the stream trains is followed at once; for the
 * others see settle(). */
static gboolean
tl_image_decode_start (TlOrderedElement *element)
{
  TlImageDecode *self = TL_IMAGE_DECODE (element);
  TlError error = TL_ERROR_INIT;
  TlStatus status;

  if (!tl_image_decode_check (element))
    return FALSE;
  self->is_settled = FALSE;
  self->has_caps = FALSE;
  gst_clear_caps (&self->refused);
  self->is_announced = FALSE;
  gst_clear_event (&self->held);
  tl_file_join_clear (&self->join);
  GST_OBJECT_LOCK (self);
  self->skips = (TlSkips){0};
  GST_OBJECT_UNLOCK (self);
  status = follow_model (self, TRUE, &error);
  if (status != TL_OK)
    tl_element_post_error (GST_ELEMENT (self), status, &error);
  return status == TL_OK;
}

static void
tl_image_decode_reset (TlOrderedElement *element)
{
  TlImageDecode *self = TL_IMAGE_DECODE (element);

  tl_file_join_clear (&self->join);
  tl_skips_cut (&self->skips);
}

static gpointer
make_worker (TlOrderedElement *element)
{
  return tl_decode_worker_new ();
}

static void
free_worker (gpointer worker)
{
  tl_decode_worker_free (worker);
}

static void
refuse (TlImageDecode *self, TlStatus status, const TlError *error)
{
  if (!tl_ordered_element_begin_error (TL_ORDERED_ELEMENT (self)))
    return;
  tl_element_post_error (GST_ELEMENT (self), status, error);
  tl_ordered_element_fail (TL_ORDERED_ELEMENT (self));
}

/* FALSE while flushing: then they wait on, for upstream has given them. */
static gboolean
release_caps (TlImageDecode *self)
{
  if (self->held
      && !tl_ordered_element_queue_event (TL_ORDERED_ELEMENT (self),
          gst_event_ref (self->held)))
    return FALSE;
  gst_clear_event (&self->held);
  return TRUE;
}

/* Only the stream says whether it trains. The caps wait for this: they depend
 * on the answer. FALSE after an error; then they are never sent. */
static gboolean
settle (TlImageDecode *self, gboolean trains)
{
  TlError error = TL_ERROR_INIT;
  TlStatus status = follow_model (self, trains, &error);

  self->is_settled = TRUE;
  if (status != TL_OK) {
    gst_clear_event (&self->held);
    refuse (self, status, &error);
  }
  return status == TL_OK;
}

/* FALSE, with the stream ended, for caps that are not taken. */
static gboolean
check_caps (TlImageDecode *self, GstCaps *caps)
{
  TlError error = TL_ERROR_INIT;

  if (tl_decode_caps_check (caps, &error) == TL_OK)
    return TRUE;
  if (tl_ordered_element_begin_error (TL_ORDERED_ELEMENT (self))) {
    GST_ELEMENT_ERROR (self, CORE, NEGOTIATION, ("%s", error.message),
        ("%" GST_PTR_FORMAT, (gpointer) caps));
    tl_ordered_element_fail (TL_ORDERED_ELEMENT (self));
  }
  return FALSE;
}

/* Takes @event. Caps that are refused go no further; what follows them fails. */
static gboolean
receive_caps (TlImageDecode *self, GstEvent *event)
{
  GstCaps *caps;

  gst_event_parse_caps (event, &caps);
  self->has_caps = TRUE;
  gst_clear_caps (&self->refused);
  if (!check_caps (self, caps)) {
    self->refused = gst_caps_ref (caps);
    gst_event_unref (event);
    return TRUE;
  }
  gst_event_take (&self->held, event);
  return !self->is_settled || release_caps (self);
}

/* A source of bytes may say nothing of them: their first ones do. */
static void
begin_segment (TlImageDecode *self, GstEvent *event)
{
  GstPad *sinkpad = tl_ordered_element_get_sink_pad (TL_ORDERED_ELEMENT (self));
  TlError error = TL_ERROR_INIT;
  const GstSegment *segment;
  TlStatus status;

  if (!self->has_caps) {
    g_autoptr (GstCaps) caps = gst_caps_new_empty_simple (TL_CAPS_IMAGE);

    receive_caps (self, gst_event_new_caps (caps));
  }
  gst_event_parse_segment (event, &segment);
  status = tl_file_join_begin (&self->join, sinkpad, segment, &error);
  if (status != TL_OK)
    refuse (self, status, &error);
}

static void
end_stream (TlImageDecode *self)
{
  TlError error = TL_ERROR_INIT;
  TlStatus status = tl_file_join_end (&self->join, &error);

  if (status != TL_OK)
    refuse (self, status, &error);
}

static gboolean
tl_image_decode_receive (TlOrderedElement *element, GstEvent *event)
{
  TlImageDecode *self = TL_IMAGE_DECODE (element);

  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS)
    return receive_caps (self, event);
  if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT)
    begin_segment (self, event);
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    end_stream (self);
  /* Comes before all caps, those that wait included. */
  if (GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START)
    return tl_ordered_element_queue_event (element, event);
  if (!self->is_settled) {
    g_autoptr (TlDatasetInfo) dataset = tl_event_parse_dataset (event);

    settle (self, dataset && dataset->counts[TL_SPLIT_TRAIN]);
  }
  if (self->is_settled && !release_caps (self)) {
    gst_event_unref (event);
    return FALSE;
  }
  return tl_ordered_element_queue_event (element, event);
}

/* A piece of a file needs no work until the last one is there. The stream had
 * ended with caps that were refused; a flush began it anew, with the same. */
static gboolean
tl_image_decode_accept (TlOrderedElement *element, TlOrderedJob *job)
{
  TlImageDecode *self = TL_IMAGE_DECODE (element);

  if (self->refused) {
    check_caps (self, self->refused);
    gst_clear_buffer (&job->input);
    return FALSE;
  }
  job->input = tl_file_join_add (&self->join, job->input);
  if (!job->input)
    return FALSE;
  if (!self->is_settled
      && !settle (self,
          tl_decode_is_training (tl_buffer_get_sample_meta (job->input))))
    return FALSE;
  return release_caps (self);
}

static void
tl_image_decode_work (TlOrderedElement *element, gpointer worker,
    TlOrderedJob *job)
{
  TlImageDecode *self = TL_IMAGE_DECODE (element);

  tl_decode_worker_run (worker, &self->run, &self->info, job);
}

/* An error about pictures. It is the last word: no summary comes after it. */
static void
stop_decoding (TlImageDecode *self, const gchar *message, const gchar *debug)
{
  tl_skips_cut (&self->skips);
  if (!tl_ordered_element_begin_error (TL_ORDERED_ELEMENT (self)))
    return;
  GST_ELEMENT_ERROR (self, STREAM, DECODE, ("%s", message), ("%s", debug));
  tl_ordered_element_fail (TL_ORDERED_ELEMENT (self));
}

static void
fail_for_one (TlImageDecode *self, const TlOrderedJob *job)
{
  g_autofree gchar *line =
      tl_skips_describe (tl_buffer_get_sample_meta (job->input), &job->error);

  stop_decoding (self, line, "on-error=fail");
}

static void
fail_for_many (TlImageDecode *self, const TlOrderedJob *job)
{
  g_autofree gchar *reason = tl_message_make_line (job->error.message);
  g_autofree gchar *text =
      g_strdup_printf ("More than max-errors=%" G_GUINT64_FORMAT
                       " pictures could not be "
                       "decoded; the last reason: %s",
          self->run.max_errors, reason);

  stop_decoding (self, text, "on-error=skip");
}

/* Reports a picture that could not be decoded. */
static GstFlowReturn
give_up (TlImageDecode *self, const TlOrderedJob *job)
{
  if (job->status == TL_ERROR_MEMORY) {
    refuse (self, job->status, &job->error);
    tl_skips_cut (&self->skips);
    return GST_FLOW_ERROR;
  }
  if (self->run.on_error == TL_ON_ERROR_FAIL) {
    fail_for_one (self, job);
    return GST_FLOW_ERROR;
  }
  tl_skips_add (&self->skips, GST_ELEMENT (self),
      tl_buffer_get_sample_meta (job->input), &job->error);
  if (self->run.max_errors == 0
      || self->skips.n_skipped <= self->run.max_errors)
    return GST_FLOW_OK;
  fail_for_many (self, job);
  return GST_FLOW_ERROR;
}

static GstFlowReturn
tl_image_decode_finish (TlOrderedElement *element, TlOrderedJob *job)
{
  TlImageDecode *self = TL_IMAGE_DECODE (element);
  TlError error = TL_ERROR_INIT;

  if (!job->input)
    return GST_FLOW_OK;
  if (tl_skips_follow (&self->skips, GST_ELEMENT (self),
          tl_buffer_get_sample_meta (job->input), &error)
      != TL_OK) {
    stop_decoding (self, error.message, "no sample of the phase was left");
    return GST_FLOW_ERROR;
  }
  if (job->status != TL_OK)
    return give_up (self, job);
  tl_skips_add_used (&self->skips, GST_ELEMENT (self));
  return TL_ORDERED_ELEMENT_CLASS (tl_image_decode_parent_class)
      ->finish (element, job);
}

static gboolean
push_event (TlImageDecode *self, GstEvent *event)
{
  return TL_ORDERED_ELEMENT_CLASS (tl_image_decode_parent_class)
      ->event (TL_ORDERED_ELEMENT (self), event);
}

/* The caps of the files become the caps of the pictures, followed by what was
 * done to them: once, however often those of the files change. */
static gboolean
push_caps (TlImageDecode *self)
{
  g_autoptr (GstCaps) caps = gst_video_info_to_caps (&self->info);
  g_auto (TlTransform) transform = {0};

  if (self->is_announced)
    return TRUE;
  tl_decode_settings_to_preprocess (&self->run, &transform.preprocess);
  transform.steps = tl_decode_settings_describe (&self->run);
  self->is_announced = push_event (self, gst_event_new_caps (caps))
      && push_event (self, tl_event_new_transform (&transform));
  return self->is_announced;
}

/* Only where the pictures have been through another imagedecode. */
static GstEvent *
add_step (TlImageDecode *self, GstEvent *event)
{
  g_auto (TlTransform) before = {0};
  g_autofree gchar *step = NULL;
  GstEvent *added;

  if (!tl_event_parse_transform (event, &before))
    return event;
  step = tl_decode_settings_describe (&self->run);
  added = tl_event_append_transform (event, step);
  gst_event_unref (event);
  return added;
}

/* The event as it goes on: tl-phase-end gains what was left out here. */
static GstEvent *
follow_phase (TlImageDecode *self, GstEvent *event)
{
  GstElement *element = GST_ELEMENT (self);
  TlError error = TL_ERROR_INIT;
  TlStatus status = TL_OK;
  TlPhaseEnd end;
  TlPhase phase;

  if (tl_ordered_element_has_failed (TL_ORDERED_ELEMENT (self)))
    tl_skips_cut (&self->skips);
  if (tl_event_parse_phase_end (event, &end)) {
    status = tl_skips_end (&self->skips, element, &end, &error);
    gst_event_unref (event);
    event = tl_event_new_phase_end (&end);
  } else if (tl_event_parse_phase (event, &phase)) {
    status = tl_skips_begin (&self->skips, element, &phase, &error);
  } else if (GST_EVENT_TYPE (event) == GST_EVENT_EOS) {
    status = tl_skips_eos (&self->skips, element, &error);
  }
  if (status != TL_OK)
    stop_decoding (self, error.message, "no sample of the phase was left");
  return event;
}

static gboolean
tl_image_decode_event (TlOrderedElement *element, GstEvent *event)
{
  TlImageDecode *self = TL_IMAGE_DECODE (element);

  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
    gst_event_unref (event);
    return push_caps (self);
  }
  if (GST_EVENT_TYPE (event) == GST_EVENT_CUSTOM_DOWNSTREAM_STICKY)
    event = add_step (self, event);
  return push_event (self, follow_phase (self, event));
}

static gboolean
tl_image_decode_query (TlOrderedElement *element, GstQuery *query)
{
  GstPad *pad = tl_ordered_element_get_sink_pad (element);

  return tl_decode_caps_query (pad, query)
      || TL_ORDERED_ELEMENT_CLASS (tl_image_decode_parent_class)
             ->query (element, query);
}

static void
tl_image_decode_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  gboolean known;

  GST_OBJECT_LOCK (object);
  known =
      tl_decode_settings_set (&TL_IMAGE_DECODE (object)->settings, id, value);
  GST_OBJECT_UNLOCK (object);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
tl_image_decode_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  TlImageDecode *self = TL_IMAGE_DECODE (object);
  gboolean known = TRUE;

  GST_OBJECT_LOCK (self);
  if (id == PROP_N_DECODED)
    g_value_set_uint64 (value, self->skips.n_used);
  else if (id == PROP_N_SKIPPED)
    g_value_set_uint64 (value, self->skips.n_skipped);
  else
    known = tl_decode_settings_get (&self->settings, id, value);
  GST_OBJECT_UNLOCK (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
tl_image_decode_finalize (GObject *object)
{
  TlImageDecode *self = TL_IMAGE_DECODE (object);

  gst_clear_event (&self->held);
  gst_clear_caps (&self->refused);
  tl_file_join_clear (&self->join);
  G_OBJECT_CLASS (tl_image_decode_parent_class)->finalize (object);
}

static void
tl_image_decode_init (TlImageDecode *self)
{
  tl_decode_settings_init (&self->settings);
  gst_video_info_init (&self->info);
}

static void
install_counters (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  g_object_class_install_property (klass, PROP_N_DECODED,
      g_param_spec_uint64 ("n-decoded", "Decoded",
          "Pictures decoded since READY", 0, G_MAXUINT64, 0, flags));
  g_object_class_install_property (klass, PROP_N_SKIPPED,
      g_param_spec_uint64 ("n-skipped", "Skipped",
          "Pictures left out since READY", 0, G_MAXUINT64, 0, flags));
}

static void
tl_image_decode_class_init (TlImageDecodeClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  TlOrderedElementClass *ordered_class = TL_ORDERED_ELEMENT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (imagedecode_debug, "imagedecode", 0,
      "pictures to RGB of one size");
  object_class->set_property = tl_image_decode_set_property;
  object_class->get_property = tl_image_decode_get_property;
  object_class->finalize = tl_image_decode_finalize;
  tl_decode_settings_install (object_class);
  install_counters (object_class);
  gst_element_class_set_static_metadata (element_class,
      "Data set picture decoder", "Codec/Decoder/Image",
      "Decodes picture files and crops and resizes them, or raw video, to RGB of "
      "one size",
      "tlpipe developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  ordered_class->check = tl_image_decode_check;
  ordered_class->start = tl_image_decode_start;
  ordered_class->reset = tl_image_decode_reset;
  ordered_class->context_new = make_worker;
  ordered_class->context_free = free_worker;
  ordered_class->receive = tl_image_decode_receive;
  ordered_class->accept = tl_image_decode_accept;
  ordered_class->work = tl_image_decode_work;
  ordered_class->finish = tl_image_decode_finish;
  ordered_class->event = tl_image_decode_event;
  ordered_class->query = tl_image_decode_query;
}
