/* SPDX-License-Identifier: BSD-3-Clause */

/**
 * SECTION:element-datasetsrc
 *
 * Plays a folder of labelled pictures, epoch after epoch.
 *
 * Gives one whole file per buffer, not decoded, with a TlSampleMeta; OFFSET is
 * the number of the sample in the run and PTS is OFFSET / 30 s. The caps are
 * `application/x-tl-image` for a peer that names them (imagedecode); a peer
 * that takes anything or `image/...` gets `image/jpeg` and so on, file by file.
 *
 * In every epoch the split train is played in the order that (seed, epoch)
 * gives, then valid and test in file order. `tl-dataset` (sticky) comes first;
 * `tl-phase` (sticky) before each split of each epoch and `tl-phase-end` after
 * it. Before its first buffer the source asks `tl-cursor` downstream: a trainer
 * that resumes answers where to go on. It listens to `tl-cached`: a phase that
 * the trainer holds is announced and ended without buffers. A file that cannot
 * be read or that the peer does not take is left out, counted and reported as
 * `tl-sample-error` and a warning.
 *
 * Folders are listed going to PAUSED, with PROGRESS messages "dataset" that say
 * what was found. One streaming thread. The same folder, properties and seed
 * give the same buffers, wherever the run starts.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 datasetsrc location=hymenoptera_data ! decodebin ! fakesink
 * gst-launch-1.0 datasetsrc location=hymenoptera_data epochs=5 ! imagedecode ! augment ! batcher ! queue max-size-buffers=2 max-size-bytes=0 max-size-time=0 ! resnetfinetune weights=resnet18-f37072fd.pth ! checkpointsink location=run
 * ]|
 *
 * ## The same as YAML
 * |[
 * tlpipe: 1
 * pipeline:
 *   - datasetsrc: {location: hymenoptera_data}
 *   - decodebin
 *   - fakesink
 * ]|
 *
 * Since: 0.1
 */

#include "tldatasetsrc.h"

#include <tlevents.h>
#include <tlmessages.h>
#include <tlrange.h>

#include "tldataset.h"
#include "tldatasetsettings.h"
#include "tlplayer.h"
#include "tlsamplefile.h"
#include "tlsummary.h"

GST_DEBUG_CATEGORY_STATIC (datasetsrc_debug);
#define GST_CAT_DEFAULT datasetsrc_debug

enum
{
  PROP_CLASSES = TL_DATASET_SETTING_END,
  PROP_N_SAMPLES,
};

struct _TlDatasetSrc
{
  GstPushSrc parent;

  /* Under the object lock; changed by properties in NULL and READY. */
  TlDatasetSettings settings;

  /* Under the object lock: what queries and read-only properties tell. */
  gchar *classes;    /* one per line, or NULL */
  guint64 n_samples; /* of an epoch */
  guint64 n_total;   /* of the run, 0: endless or unknown */
  guint64 n_played;  /* of the run, before the next sample */
  gboolean unlocked; /* create is to return at once */
  gboolean is_open;  /* the data set is */
  gboolean is_ended; /* by an EOS of the application */

  /* From READY to PAUSED and back. */
  TlDatasetSettings run; /* as the settings were */
  TlPlayer player;
};

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (TL_CAPS_IMAGE "; " TL_SAMPLE_FILE_CAPS));

G_DEFINE_TYPE (TlDatasetSrc, tl_dataset_src, GST_TYPE_PUSH_SRC)
GST_ELEMENT_REGISTER_DEFINE (datasetsrc, "datasetsrc", GST_RANK_NONE,
    TL_TYPE_DATASET_SRC)

/* ---- properties ---- */

static void
tl_dataset_src_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  TlDatasetSrc *self = TL_DATASET_SRC (object);

  GST_OBJECT_LOCK (self);
  if (!tl_dataset_settings_set (&self->settings, id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (self);
}

static void
tl_dataset_src_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  TlDatasetSrc *self = TL_DATASET_SRC (object);

  GST_OBJECT_LOCK (self);
  if (id == PROP_CLASSES)
    g_value_set_string (value, self->classes);
  else if (id == PROP_N_SAMPLES)
    g_value_set_uint64 (value, self->n_samples);
  else if (!tl_dataset_settings_get (&self->settings, id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (self);
}

static void
tl_dataset_src_finalize (GObject *object)
{
  TlDatasetSrc *self = TL_DATASET_SRC (object);

  tl_dataset_settings_clear (&self->settings);
  tl_dataset_settings_clear (&self->run);
  g_free (self->classes);
  tl_player_clear (&self->player);
  G_OBJECT_CLASS (tl_dataset_src_parent_class)->finalize (object);
}

/* ---- opening ---- */

static void
post_progress (TlDatasetSrc *self, GstProgressType type, const gchar *text)
{
  g_autofree gchar *line = tl_message_make_line (text);

  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_progress (GST_OBJECT (self), type, "dataset", line));
}

static TlDataset *
load (TlDatasetSrc *self, const TlDatasetSettings *settings)
{
  TlDatasetOptions options = {settings->location, settings->splits,
      settings->group, settings->valid_fraction};
  GError *failure = NULL;
  g_autofree gchar *text = NULL;
  TlDataset *dataset;

  if (!settings->location || !*settings->location) {
    GST_ELEMENT_ERROR (self, LIBRARY, SETTINGS,
        ("No data set is given: set location to a folder of class folders."),
        ("location is empty"));
    return NULL;
  }
  text = g_filename_display_name (settings->location);
  post_progress (self, GST_PROGRESS_TYPE_START, text);
  dataset = tl_dataset_load (&options, &failure);
  if (!dataset) {
    post_progress (self, GST_PROGRESS_TYPE_ERROR, "not readable");
    tl_player_post_failure (GST_BASE_SRC (self), failure);
  }
  return dataset;
}

static void
report (TlDatasetSrc *self, const TlDataset *dataset, guint max_samples)
{
  g_autofree gchar *totals = tl_summary_totals (dataset);
  g_autofree gchar *text = NULL;

  for (guint i = 0; i < dataset->notes->len; i++)
    post_progress (self, GST_PROGRESS_TYPE_CONTINUE, dataset->notes->pdata[i]);
  for (guint i = 0; i < dataset->warnings->len; i++) {
    g_autofree gchar *line = tl_message_make_line (dataset->warnings->pdata[i]);

    GST_ELEMENT_WARNING (self, LIBRARY, SETTINGS, ("%s", line), (NULL));
  }
  if (max_samples > 0)
    text = g_strdup_printf ("%s; max-samples=%u of each are played", totals,
        max_samples);
  post_progress (self, GST_PROGRESS_TYPE_COMPLETE, text ? text : totals);
}

/* Samples of one epoch with at most @max (0: all) of each split. */
static guint64
count_epoch (const TlDataset *dataset, guint max)
{
  guint64 n = 0;

  for (guint s = 0; s < TL_N_SPLITS; s++)
    n += max > 0 ? MIN (dataset->n[s], max) : dataset->n[s];
  return n;
}

static gboolean
open_dataset (TlDatasetSrc *self)
{
  const TlDatasetSettings *settings = &self->run;
  TlDataset *dataset;

  GST_OBJECT_LOCK (self);
  tl_dataset_settings_copy (&self->run, &self->settings);
  GST_OBJECT_UNLOCK (self);
  dataset = load (self, settings);
  if (!dataset)
    return FALSE;
  report (self, dataset, settings->max_samples);
  tl_player_open (&self->player, dataset);

  GST_OBJECT_LOCK (self);
  g_free (self->classes);
  self->classes = g_strjoinv ("\n", dataset->classes);
  self->n_samples = count_epoch (dataset, settings->max_samples);
  self->n_total = self->n_samples * settings->epochs;
  self->n_played = 0;
  self->is_open = TRUE;
  self->is_ended = FALSE;
  GST_OBJECT_UNLOCK (self);
  g_object_notify (G_OBJECT (self), "classes");
  g_object_notify (G_OBJECT (self), "n-samples");
  return TRUE;
}

static void
close_dataset (TlDatasetSrc *self)
{
  GST_OBJECT_LOCK (self);
  self->is_open = FALSE;
  GST_OBJECT_UNLOCK (self);
  tl_player_close (&self->player);
}

/* Not in GstBaseSrc's start: after that fails, the base class posts a second
 * error, "Failed to start". */
static GstStateChangeReturn
tl_dataset_src_change_state (GstElement *element, GstStateChange transition)
{
  TlDatasetSrc *self = TL_DATASET_SRC (element);
  GstStateChangeReturn ret;

  /* Again before the data set is read: properties may change in READY. */
  if ((transition == GST_STATE_CHANGE_NULL_TO_READY
          || transition == GST_STATE_CHANGE_READY_TO_PAUSED)
      && !tl_element_check_ranges (element))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !open_dataset (self))
    return GST_STATE_CHANGE_FAILURE;
  ret = GST_ELEMENT_CLASS (tl_dataset_src_parent_class)
            ->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY
      || (transition == GST_STATE_CHANGE_READY_TO_PAUSED
          && ret == GST_STATE_CHANGE_FAILURE))
    close_dataset (self);
  return ret;
}

/* EOS from the application ends the stream at the next sample. GstBaseSrc would
 * first wait for the streaming thread, and that one waits in PAUSED, behind
 * full queues, for PLAYING. FALSE without a stream. */
static gboolean
end_stream (TlDatasetSrc *self)
{
  gboolean is_taken;

  GST_OBJECT_LOCK (self);
  is_taken = self->is_ended = self->is_open;
  GST_OBJECT_UNLOCK (self);
  return is_taken;
}

/* What comes before the stream GstBaseSrc would keep for it: it would end with
 * the first sample, or not start at all after a seek. */
static gboolean
tl_dataset_src_send_event (GstElement *element, GstEvent *event)
{
  gboolean is_taken = FALSE;

  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    is_taken = end_stream (TL_DATASET_SRC (element));
  else if (GST_EVENT_TYPE (event) != GST_EVENT_SEEK)
    return GST_ELEMENT_CLASS (tl_dataset_src_parent_class)
        ->send_event (element, event);
  gst_event_unref (event);
  return is_taken;
}

/* ---- samples ---- */

/* Tells what queries need to know; other than GST_FLOW_OK if create is to
 * return. */
static GstFlowReturn
go_on (TlDatasetSrc *self)
{
  GstFlowReturn flow = GST_FLOW_OK;

  GST_OBJECT_LOCK (self);
  self->n_played = tl_playlist_played (&self->player.playlist);
  if (self->unlocked)
    flow = GST_FLOW_FLUSHING;
  else if (self->is_ended)
    flow = GST_FLOW_EOS;
  GST_OBJECT_UNLOCK (self);
  return flow;
}

/* After an error of its own: for ERROR the base class would post a second,
 * meaningless one, for FLUSHING it ends the task without a word. It would also
 * send EOS, and gst-launch-1.0 needs that: it may start to wait for the end
 * after the error has passed it by. */
static GstFlowReturn
give_up (TlDatasetSrc *self)
{
  gst_pad_push_event (GST_BASE_SRC_PAD (self), gst_event_new_eos ());
  return GST_FLOW_FLUSHING;
}

static GstFlowReturn
tl_dataset_src_create (GstPushSrc *src, GstBuffer **ret)
{
  TlDatasetSrc *self = TL_DATASET_SRC (src);
  GstFlowReturn flow = GST_FLOW_OK;

  if (!tl_player_announce (&self->player))
    return give_up (self);
  *ret = NULL;
  while (flow == GST_FLOW_OK && !*ret) {
    flow = go_on (self);
    if (flow == GST_FLOW_OK)
      flow = tl_player_step (&self->player, ret);
  }
  return flow == GST_FLOW_ERROR ? give_up (self) : flow;
}

static gboolean
tl_dataset_src_negotiate (GstBaseSrc *base)
{
  return tl_player_negotiate (&TL_DATASET_SRC (base)->player);
}

static void
set_unlocked (GstBaseSrc *base, gboolean unlocked)
{
  TlDatasetSrc *self = TL_DATASET_SRC (base);

  GST_OBJECT_LOCK (self);
  self->unlocked = unlocked;
  GST_OBJECT_UNLOCK (self);
}

static gboolean
tl_dataset_src_unlock (GstBaseSrc *base)
{
  set_unlocked (base, TRUE);
  return TRUE;
}

static gboolean
tl_dataset_src_unlock_stop (GstBaseSrc *base)
{
  set_unlocked (base, FALSE);
  return TRUE;
}

/* ---- events and queries ---- */

static gboolean
tl_dataset_src_event (GstBaseSrc *base, GstEvent *event)
{
  TlDatasetSrc *self = TL_DATASET_SRC (base);
  TlCached cached;

  if (!tl_event_parse_cached (event, &cached))
    return GST_BASE_SRC_CLASS (tl_dataset_src_parent_class)
        ->event (base, event);
  tl_player_add_cached (&self->player, &cached);
  return TRUE;
}

static gboolean
is_time (GstQuery *query)
{
  GstFormat format = GST_FORMAT_UNDEFINED;

  if (GST_QUERY_TYPE (query) == GST_QUERY_POSITION)
    gst_query_parse_position (query, &format, NULL);
  else if (GST_QUERY_TYPE (query) == GST_QUERY_DURATION)
    gst_query_parse_duration (query, &format, NULL);
  return format == GST_FORMAT_TIME;
}

/* Samples of the run as time. */
static gboolean
tl_dataset_src_query (GstBaseSrc *base, GstQuery *query)
{
  TlDatasetSrc *self = TL_DATASET_SRC (base);
  guint64 n_played, n_total;

  if (!is_time (query))
    return GST_BASE_SRC_CLASS (tl_dataset_src_parent_class)
        ->query (base, query);
  GST_OBJECT_LOCK (self);
  n_played = self->n_played;
  n_total = self->n_total;
  GST_OBJECT_UNLOCK (self);

  if (GST_QUERY_TYPE (query) == GST_QUERY_POSITION)
    gst_query_set_position (query, GST_FORMAT_TIME,
        gst_util_uint64_scale (n_played, GST_SECOND, TL_PLAYER_RATE));
  else if (n_total > 0)
    gst_query_set_duration (query, GST_FORMAT_TIME,
        gst_util_uint64_scale (n_total, GST_SECOND, TL_PLAYER_RATE));
  else
    return FALSE;
  return TRUE;
}

static gboolean
tl_dataset_src_is_seekable (GstBaseSrc *base)
{
  return FALSE;
}

/* ---- class ---- */

static void
tl_dataset_src_init (TlDatasetSrc *self)
{
  tl_dataset_settings_init (&self->settings);
  tl_player_init (&self->player, GST_BASE_SRC (self), &self->run);
  gst_base_src_set_format (GST_BASE_SRC (self), GST_FORMAT_TIME);
}

static void
install_read_only_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, PROP_CLASSES,
      g_param_spec_string ("classes", "Classes",
          "The names of the classes, one per line in the order of the labels "
          "(NULL before PAUSED)",
          NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (klass, PROP_N_SAMPLES,
      g_param_spec_uint64 ("n-samples", "Number of samples",
          "Samples of one epoch, all played splits together (0 before PAUSED)",
          0, G_MAXUINT64, 0, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
install_vfuncs (TlDatasetSrcClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstBaseSrcClass *base_class = GST_BASE_SRC_CLASS (klass);

  object_class->set_property = tl_dataset_src_set_property;
  object_class->get_property = tl_dataset_src_get_property;
  object_class->finalize = tl_dataset_src_finalize;
  GST_ELEMENT_CLASS (klass)->change_state = tl_dataset_src_change_state;
  GST_ELEMENT_CLASS (klass)->send_event = tl_dataset_src_send_event;
  base_class->negotiate = tl_dataset_src_negotiate;
  base_class->unlock = tl_dataset_src_unlock;
  base_class->unlock_stop = tl_dataset_src_unlock_stop;
  base_class->event = tl_dataset_src_event;
  base_class->query = tl_dataset_src_query;
  base_class->is_seekable = tl_dataset_src_is_seekable;
  GST_PUSH_SRC_CLASS (klass)->create = tl_dataset_src_create;
}

static void
tl_dataset_src_class_init (TlDatasetSrcClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (datasetsrc_debug, "datasetsrc", 0,
      "source of labelled pictures");
  install_vfuncs (klass);
  tl_dataset_settings_install (G_OBJECT_CLASS (klass));
  install_read_only_properties (G_OBJECT_CLASS (klass));
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "Data set source",
      "Source/File", "Plays a folder of labelled pictures, epoch after epoch",
      "tlpipe developers");
}
