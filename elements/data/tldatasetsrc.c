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

#include <tlerror.h>
#include <tlevents.h>
#include <tlmessages.h>
#include <tlqueries.h>
#include <tlrange.h>
#include <tlsamplemeta.h>

#include "tldataset.h"
#include "tldatasetsettings.h"
#include "tlplaylist.h"
#include "tlresume.h"
#include "tlsamplefile.h"
#include "tlsummary.h"

#include <string.h>

GST_DEBUG_CATEGORY_STATIC (datasetsrc_debug);
#define GST_CAT_DEFAULT datasetsrc_debug

enum
{
  PROP_CLASSES = TL_DATASET_SETTING_END,
  PROP_N_SAMPLES,
};

/* Samples per second of stream time. */
#define RATE 30

/* Warnings per phase; each further file is a tl-sample-error only. */
#define MAX_WARNINGS 10

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
  GArray *cached;    /* of TlCached: what the trainer holds */

  /* From READY to PAUSED and back; the streaming thread's own in between. */
  TlDatasetSettings run; /* as the settings were */
  TlDataset *dataset;
  TlPlaylist playlist;
  gboolean constant_caps; /* application/x-tl-image for every file */
  gboolean announced;     /* tl-dataset is sent, the playlist is set */
  gboolean in_phase;
  TlPhase phase;
  TlPhaseEnd end; /* of the phase, so far */
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
  g_array_unref (self->cached);
  G_OBJECT_CLASS (tl_dataset_src_parent_class)->finalize (object);
}

/* ---- opening ---- */

static void
post_progress (TlDatasetSrc *self, GstProgressType type, const gchar *text)
{
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_progress (GST_OBJECT (self), type, "dataset", text));
}

/* The one message of a failed call; @failure is *transferred*. */
static void
post_failure (TlDatasetSrc *self, GError *failure)
{
  TlError error = TL_ERROR_INIT;
  const gchar *end;

  g_strlcpy (error.message, failure->message, sizeof error.message);
  /* A long list of names may have been cut within a character. */
  if (!g_utf8_validate (error.message, -1, &end))
    error.message[end - error.message] = '\0';
  tl_element_post_error (GST_ELEMENT (self), failure->code, &error);
  g_error_free (failure);
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
    post_failure (self, failure);
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
  for (guint i = 0; i < dataset->warnings->len; i++)
    GST_ELEMENT_WARNING (self, LIBRARY, SETTINGS,
        ("%s", (const gchar *) dataset->warnings->pdata[i]), (NULL));
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
  self->dataset = dataset;
  self->announced = self->in_phase = FALSE;
  tl_playlist_init (&self->playlist, dataset);

  GST_OBJECT_LOCK (self);
  g_free (self->classes);
  self->classes = g_strjoinv ("\n", dataset->classes);
  self->n_samples = count_epoch (dataset, settings->max_samples);
  self->n_total = self->n_samples * settings->epochs;
  self->n_played = 0;
  g_array_set_size (self->cached, 0);
  GST_OBJECT_UNLOCK (self);
  g_object_notify (G_OBJECT (self), "classes");
  g_object_notify (G_OBJECT (self), "n-samples");
  return TRUE;
}

static void
close_dataset (TlDatasetSrc *self)
{
  if (self->dataset)
    tl_playlist_clear (&self->playlist);
  g_clear_pointer (&self->dataset, tl_dataset_free);
}

/* Not in GstBaseSrc's start: after that fails, the base class posts a second
 * error, "Failed to start". */
static GstStateChangeReturn
tl_dataset_src_change_state (GstElement *element, GstStateChange transition)
{
  TlDatasetSrc *self = TL_DATASET_SRC (element);
  GstStateChangeReturn ret;

  if (transition == GST_STATE_CHANGE_NULL_TO_READY
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

/* ---- caps ---- */

/* Constant caps only for a peer that names them: one that takes anything would
 * not know what to do with them. Per file, caps are set with the buffer. */
static gboolean
tl_dataset_src_negotiate (GstBaseSrc *base)
{
  TlDatasetSrc *self = TL_DATASET_SRC (base);
  GstCaps *caps = gst_caps_new_empty_simple (TL_CAPS_IMAGE);
  GstCaps *peer = gst_pad_peer_query_caps (base->srcpad, NULL);
  gboolean ok = TRUE;

  self->constant_caps =
      !gst_caps_is_any (peer) && gst_caps_can_intersect (caps, peer);
  if (self->constant_caps)
    ok = gst_base_src_set_caps (base, caps);
  gst_caps_unref (peer);
  gst_caps_unref (caps);
  return ok;
}

static gboolean
check_peer (TlDatasetSrc *self)
{
  GstPad *pad = GST_BASE_SRC_PAD (self);
  GstCaps *caps = gst_pad_get_allowed_caps (pad), *peer;
  gboolean ok = !caps || !gst_caps_is_empty (caps);
  g_autofree gchar *text = NULL;

  g_clear_pointer (&caps, gst_caps_unref);
  if (ok)
    return TRUE;
  peer = gst_pad_peer_query_caps (pad, NULL);
  text = gst_caps_to_string (peer);
  gst_caps_unref (peer);
  GST_ELEMENT_ERROR (self, CORE, NEGOTIATION,
      ("datasetsrc gives picture files, but what follows takes %s: put "
       "imagedecode or decodebin after it.",
          text),
      ("no caps in common"));
  return FALSE;
}

/* Sets the caps of one file; FALSE with the reason if the peer refuses. */
static gboolean
set_file_caps (TlDatasetSrc *self, const guint8 *bytes, gsize size,
    GError **error)
{
  const gchar *type = tl_sample_file_media_type (bytes, size);
  GstPad *pad = GST_BASE_SRC_PAD (self);
  GstCaps *caps = type ? gst_caps_new_empty_simple (type) : NULL;
  GstCaps *current = gst_pad_get_current_caps (pad);
  gboolean ok = TRUE;

  if (!caps) {
    g_set_error (error, TL_DATASET_ERROR, TL_ERROR_FORMAT,
        "the file is of no known picture type");
    ok = FALSE;
  } else if (!current || !gst_caps_is_equal (current, caps)) {
    ok = gst_pad_peer_query_accept_caps (pad, caps)
        && gst_base_src_set_caps (GST_BASE_SRC (self), caps);
    if (!ok)
      g_set_error (error, TL_DATASET_ERROR, TL_ERROR_UNSUPPORTED,
          "the next element does not take %s", type);
  }
  gst_clear_caps (&current);
  gst_clear_caps (&caps);
  return ok;
}

/* ---- the first buffer: where to start, what it is ---- */

static gboolean
set_up_playlist (TlDatasetSrc *self)
{
  GstQuery *query = tl_query_new_cursor ();
  TlCursor cursor = {0};
  GError *failure = NULL;

  if (gst_pad_peer_query (GST_BASE_SRC_PAD (self), query))
    tl_query_parse_cursor (query, &cursor);
  gst_query_unref (query);
  if (tl_resume_set_up (&self->playlist, self->dataset, &self->run, &cursor,
          &failure))
    return TRUE;
  post_failure (self, failure);
  return FALSE;
}

static gboolean
push_dataset (TlDatasetSrc *self)
{
  const TlDataset *dataset = self->dataset;
  g_autoptr (TlDatasetInfo) info = tl_dataset_info_new ();

  info->classes = g_strdupv (dataset->classes);
  info->n_classes = dataset->n_classes;
  info->digest = g_strdup (dataset->digest);
  info->seed = self->playlist.seed;
  info->epochs = self->playlist.epochs;
  for (guint s = 0; s < TL_N_SPLITS; s++) {
    if (!dataset->played[s])
      continue;
    info->counts[s] = tl_dataset_count_classes (dataset, s);
    info->n_samples[s] = dataset->n[s];
    info->n_groups[s] = tl_dataset_count_groups (dataset, s);
  }
  return gst_pad_push_event (GST_BASE_SRC_PAD (self),
      tl_event_new_dataset (info));
}

static gboolean
announce (TlDatasetSrc *self)
{
  if (!check_peer (self) || !set_up_playlist (self))
    return FALSE;
  push_dataset (self);
  self->announced = TRUE;
  return TRUE;
}

/* ---- phases ---- */

static gboolean
is_cached (TlDatasetSrc *self, const TlPhase *phase)
{
  gboolean found = FALSE;

  GST_OBJECT_LOCK (self);
  for (guint i = 0; i < self->cached->len && !found; i++) {
    const TlCached *cached = &g_array_index (self->cached, TlCached, i);

    found = cached->split == phase->split && cached->view == phase->view;
  }
  GST_OBJECT_UNLOCK (self);
  return found;
}

/* FALSE if the run is over. */
static gboolean
begin_phase (TlDatasetSrc *self)
{
  TlPhase *phase = &self->phase;

  if (!tl_playlist_begin_phase (&self->playlist, phase))
    return FALSE;
  phase->cached = is_cached (self, phase);
  self->end = (TlPhaseEnd){phase->epoch, phase->split, 0, 0};
  self->in_phase = TRUE;
  gst_pad_push_event (GST_BASE_SRC_PAD (self), tl_event_new_phase (phase));
  return TRUE;
}

/* FALSE, with an error posted, if not one sample of a whole phase was of any
 * use: what follows would train on nothing. */
static gboolean
end_phase (TlDatasetSrc *self)
{
  const TlPhaseEnd *end = &self->end;

  if (end->skipped > MAX_WARNINGS)
    GST_ELEMENT_WARNING (self, RESOURCE, READ,
        ("Left out %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
         " files of %s in epoch %u.",
            end->skipped, end->sent, tl_split_nick (end->split), end->epoch),
        (NULL));
  gst_pad_push_event (GST_BASE_SRC_PAD (self), tl_event_new_phase_end (end));
  self->in_phase = FALSE;
  tl_playlist_end_phase (&self->playlist);
  if (end->sent < self->phase.n || end->skipped < end->sent)
    return TRUE;
  GST_ELEMENT_ERROR (self, RESOURCE, READ,
      ("Not one of the %" G_GUINT64_FORMAT
       " files of %s could be used: the warnings name the reasons.",
          end->sent, tl_split_nick (end->split)),
      (NULL));
  return FALSE;
}

/* ---- samples ---- */

static void
fill_meta (TlDatasetSrc *self, TlSampleMeta *meta, guint index,
    const gchar *path)
{
  const TlSample *sample = tl_dataset_get (self->dataset, index);
  g_autofree gchar *shown = g_filename_display_name (path);

  meta->label = sample->label;
  meta->group = sample->group;
  /* Readable, for messages must be UTF-8. */
  meta->path = g_ref_string_new (shown);
  meta->index = index;
  meta->seed = self->playlist.seed;
  meta->epoch = self->phase.epoch;
  meta->view = self->phase.view;
  meta->position = self->playlist.position - 1;
  meta->n = self->phase.n;
  meta->split = self->phase.split;
}

/* The file's bytes in @buffer, or the reason. */
static gboolean
fill_buffer (TlDatasetSrc *self, GstBuffer *buffer, const gchar *path,
    GError **error)
{
  gsize size;
  g_autofree guint8 *bytes = tl_sample_file_read (path, &size, error);

  if (!bytes)
    return FALSE;
  if (!self->constant_caps && !set_file_caps (self, bytes, size, error))
    return FALSE;
  gst_buffer_append_memory (buffer,
      gst_memory_new_wrapped (0, bytes, size, 0, size, bytes, g_free));
  bytes = NULL;
  return TRUE;
}

/* @failure is *transferred*. */
static void
report_sample (TlDatasetSrc *self, const TlSampleMeta *meta, GError *failure)
{
  self->end.skipped++;
  gst_element_post_message (GST_ELEMENT (self),
      tl_message_new_sample_error (GST_OBJECT (self), meta, failure->message,
          self->end.skipped));
  if (self->end.skipped <= MAX_WARNINGS)
    GST_ELEMENT_WARNING (self, RESOURCE, READ,
        ("Left out \"%s\": %s.", meta->path, failure->message), (NULL));
  g_error_free (failure);
}

/* NULL if the sample at @index was left out and reported. */
static GstBuffer *
make_buffer (TlDatasetSrc *self, guint index)
{
  const TlSample *sample = tl_dataset_get (self->dataset, index);
  g_autofree gchar *path =
      g_build_filename (self->dataset->location, sample->path, NULL);
  GstBuffer *buffer = gst_buffer_new ();
  TlSampleMeta *meta = tl_buffer_add_sample_meta (buffer);
  guint64 number = tl_playlist_played (&self->playlist) - 1;
  GError *failure = NULL;

  fill_meta (self, meta, index, path);
  GST_BUFFER_OFFSET (buffer) = number;
  GST_BUFFER_OFFSET_END (buffer) = number + 1;
  GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (number, GST_SECOND, RATE);
  GST_BUFFER_DURATION (buffer) = GST_SECOND / RATE;
  if (fill_buffer (self, buffer, path, &failure))
    return buffer;
  report_sample (self, meta, failure);
  gst_buffer_unref (buffer);
  return NULL;
}

/* One step: a phase begins, a sample is read, a phase ends. Sets @ret if there
 * is a buffer to push. */
static GstFlowReturn
step (TlDatasetSrc *self, GstBuffer **ret)
{
  guint index;

  if (!self->in_phase)
    return begin_phase (self) ? GST_FLOW_OK : GST_FLOW_EOS;
  if (self->phase.cached || !tl_playlist_next (&self->playlist, &index))
    return end_phase (self) ? GST_FLOW_OK : GST_FLOW_ERROR;
  *ret = make_buffer (self, index);
  self->end.sent++;
  return GST_FLOW_OK;
}

/* Tells what queries need to know; FALSE if create is to return. */
static gboolean
go_on (TlDatasetSrc *self)
{
  gboolean unlocked;

  GST_OBJECT_LOCK (self);
  self->n_played = tl_playlist_played (&self->playlist);
  unlocked = self->unlocked;
  GST_OBJECT_UNLOCK (self);
  return !unlocked;
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

  if (!self->announced && !announce (self))
    return give_up (self);
  *ret = NULL;
  while (flow == GST_FLOW_OK && !*ret)
    flow = go_on (self) ? step (self, ret) : GST_FLOW_FLUSHING;
  return flow == GST_FLOW_ERROR ? give_up (self) : flow;
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
  GST_OBJECT_LOCK (self);
  g_array_append_val (self->cached, cached);
  GST_OBJECT_UNLOCK (self);
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
        gst_util_uint64_scale (n_played, GST_SECOND, RATE));
  else if (n_total > 0)
    gst_query_set_duration (query, GST_FORMAT_TIME,
        gst_util_uint64_scale (n_total, GST_SECOND, RATE));
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
  self->cached = g_array_new (FALSE, FALSE, sizeof (TlCached));
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
