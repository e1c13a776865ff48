/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlplayer.h"

#include <tlerror.h>
#include <tlmessages.h>
#include <tlqueries.h>
#include <tlsamplemeta.h>

#include "tlresume.h"
#include "tlsamplefile.h"

/* Warnings per phase; each further file is a tl-sample-error only. */
#define MAX_WARNINGS 10

/* ---- life ---- */

void
tl_player_init (TlPlayer *self, GstBaseSrc *base,
    const TlDatasetSettings *settings)
{
  self->base = base;
  self->settings = settings;
  self->cached = g_array_new (FALSE, FALSE, sizeof (TlCached));
}

void
tl_player_clear (TlPlayer *self)
{
  tl_player_close (self);
  g_array_unref (self->cached);
}

void
tl_player_open (TlPlayer *self, TlDataset *dataset)
{
  self->dataset = dataset;
  self->announced = self->in_phase = FALSE;
  tl_playlist_init (&self->playlist, dataset);
  GST_OBJECT_LOCK (self->base);
  g_array_set_size (self->cached, 0);
  GST_OBJECT_UNLOCK (self->base);
}

void
tl_player_close (TlPlayer *self)
{
  if (self->dataset)
    tl_playlist_clear (&self->playlist);
  g_clear_pointer (&self->dataset, tl_dataset_free);
}

void
tl_player_post_failure (GstBaseSrc *base, GError *failure)
{
  TlError error = TL_ERROR_INIT;
  const gchar *end;

  g_strlcpy (error.message, failure->message, sizeof error.message);
  /* A long list of names may have been cut within a character. */
  if (!g_utf8_validate (error.message, -1, &end))
    error.message[end - error.message] = '\0';
  tl_element_post_error (GST_ELEMENT (base), failure->code, &error);
  g_error_free (failure);
}

/* ---- caps ---- */

/* Constant caps only for a peer that names them: one that takes anything would
 * not know what to do with them. Per file, caps are set with the buffer. */
gboolean
tl_player_negotiate (TlPlayer *self)
{
  GstBaseSrc *base = self->base;
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
check_peer (TlPlayer *self)
{
  GstPad *pad = self->base->srcpad;
  GstCaps *caps = gst_pad_get_allowed_caps (pad), *peer;
  gboolean ok = !caps || !gst_caps_is_empty (caps);
  g_autofree gchar *text = NULL;

  g_clear_pointer (&caps, gst_caps_unref);
  if (ok)
    return TRUE;
  peer = gst_pad_peer_query_caps (pad, NULL);
  text = gst_caps_to_string (peer);
  gst_caps_unref (peer);
  GST_ELEMENT_ERROR (self->base, CORE, NEGOTIATION,
      ("datasetsrc gives picture files, but what follows takes %s: put "
       "imagedecode or decodebin after it.",
          text),
      ("no caps in common"));
  return FALSE;
}

/* Sets the caps of one file; FALSE with the reason if the peer refuses. */
static gboolean
set_file_caps (TlPlayer *self, const guint8 *bytes, gsize size, GError **error)
{
  const gchar *type = tl_sample_file_media_type (bytes, size);
  GstPad *pad = self->base->srcpad;
  GstCaps *caps = type ? gst_caps_new_empty_simple (type) : NULL;
  GstCaps *current = gst_pad_get_current_caps (pad);
  gboolean ok = TRUE;

  if (!caps) {
    g_set_error (error, TL_DATASET_ERROR, TL_ERROR_FORMAT,
        "the file is of no known picture type");
    ok = FALSE;
  } else if (!current || !gst_caps_is_equal (current, caps)) {
    ok = gst_pad_peer_query_accept_caps (pad, caps)
        && gst_base_src_set_caps (self->base, caps);
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
set_up_playlist (TlPlayer *self)
{
  GstQuery *query = tl_query_new_cursor ();
  TlCursor cursor = {0};
  GError *failure = NULL;
  gboolean is_good;

  if (gst_pad_peer_query (self->base->srcpad, query))
    tl_query_parse_cursor (query, &cursor);
  is_good = tl_resume_set_up (&self->playlist, self->dataset, self->settings,
      &cursor, &failure);
  gst_query_unref (query);
  if (!is_good)
    tl_player_post_failure (self->base, failure);
  return is_good;
}

static gboolean
push_dataset (TlPlayer *self)
{
  const TlDataset *dataset = self->dataset;
  g_autoptr (TlDatasetInfo) info = tl_dataset_info_new ();

  info->classes = g_strdupv (dataset->classes);
  info->n_classes = dataset->n_classes;
  info->digest = g_strdup (dataset->digest);
  info->seed = self->playlist.seed;
  info->epochs = self->playlist.epochs;
  info->shuffle = self->playlist.shuffle;
  for (guint s = 0; s < TL_N_SPLITS; s++) {
    if (!dataset->played[s])
      continue;
    info->counts[s] = tl_dataset_count_classes (dataset, s);
    info->n_samples[s] = dataset->n[s];
    info->n_groups[s] = tl_dataset_count_groups (dataset, s);
  }
  return gst_pad_push_event (self->base->srcpad, tl_event_new_dataset (info));
}

gboolean
tl_player_announce (TlPlayer *self)
{
  if (self->announced)
    return TRUE;
  if (!check_peer (self) || !set_up_playlist (self))
    return FALSE;
  push_dataset (self);
  self->announced = TRUE;
  return TRUE;
}

/* ---- phases ---- */

static gboolean
is_cached (TlPlayer *self, const TlPhase *phase)
{
  gboolean found = FALSE;

  GST_OBJECT_LOCK (self->base);
  for (guint i = 0; i < self->cached->len && !found; i++) {
    const TlCached *cached = &g_array_index (self->cached, TlCached, i);

    found = cached->split == phase->split && cached->view == phase->view;
  }
  GST_OBJECT_UNLOCK (self->base);
  return found;
}

/* FALSE if the run is over. */
static gboolean
begin_phase (TlPlayer *self)
{
  TlPhase *phase = &self->phase;

  if (!tl_playlist_begin_phase (&self->playlist, phase))
    return FALSE;
  phase->cached = is_cached (self, phase);
  self->end = (TlPhaseEnd){phase->epoch, phase->split, 0, 0};
  self->in_phase = TRUE;
  gst_pad_push_event (self->base->srcpad, tl_event_new_phase (phase));
  return TRUE;
}

/* It is not sticky: what a flush catches is sent again behind it. */
static gboolean
push_phase_end (TlPlayer *self)
{
  GstPad *pad = self->base->srcpad;

  return gst_pad_push_event (pad, tl_event_new_phase_end (&self->end))
      || !GST_PAD_IS_FLUSHING (pad);
}

/* GST_FLOW_ERROR, with an error posted, if not one sample of a whole phase was
 * of any use: what follows would train on nothing. */
static GstFlowReturn
end_phase (TlPlayer *self)
{
  const TlPhaseEnd *end = &self->end;

  if (!push_phase_end (self))
    return GST_FLOW_FLUSHING;
  if (end->skipped > MAX_WARNINGS)
    GST_ELEMENT_WARNING (self->base, RESOURCE, READ,
        ("Left out %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
         " files of %s in epoch %u.",
            end->skipped, end->sent, tl_split_nick (end->split), end->epoch),
        (NULL));
  self->in_phase = FALSE;
  tl_playlist_end_phase (&self->playlist);
  if (end->sent < self->phase.n || end->skipped < end->sent)
    return GST_FLOW_OK;
  GST_ELEMENT_ERROR (self->base, RESOURCE, READ,
      ("Not one of the %" G_GUINT64_FORMAT
       " files of %s could be used: the warnings name the reasons.",
          end->sent, tl_split_nick (end->split)),
      (NULL));
  return GST_FLOW_ERROR;
}

/* ---- samples ---- */

static void
fill_meta (TlPlayer *self, TlSampleMeta *meta, guint index, const gchar *path)
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
fill_buffer (TlPlayer *self, GstBuffer *buffer, const gchar *path,
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
report_sample (TlPlayer *self, const TlSampleMeta *meta, GError *failure)
{
  g_autofree gchar *name = tl_message_make_line (meta->path);

  self->end.skipped++;
  gst_element_post_message (GST_ELEMENT (self->base),
      tl_message_new_sample_error (GST_OBJECT (self->base), meta,
          failure->message, -1, self->end.skipped));
  if (self->end.skipped <= MAX_WARNINGS)
    GST_ELEMENT_WARNING (self->base, RESOURCE, READ,
        ("Left out \"%s\": %s.", name, failure->message), (NULL));
  g_error_free (failure);
}

/* NULL if the sample at @index was left out and reported. */
static GstBuffer *
make_buffer (TlPlayer *self, guint index)
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
  GST_BUFFER_PTS (buffer) =
      gst_util_uint64_scale (number, GST_SECOND, TL_PLAYER_RATE);
  GST_BUFFER_DURATION (buffer) = GST_SECOND / TL_PLAYER_RATE;
  if (fill_buffer (self, buffer, path, &failure))
    return buffer;
  report_sample (self, meta, failure);
  gst_buffer_unref (buffer);
  return NULL;
}

GstFlowReturn
tl_player_step (TlPlayer *self, GstBuffer **ret)
{
  guint index;

  if (!self->in_phase)
    return begin_phase (self) ? GST_FLOW_OK : GST_FLOW_EOS;
  if (self->phase.cached || !tl_playlist_next (&self->playlist, &index))
    return end_phase (self);
  *ret = make_buffer (self, index);
  self->end.sent++;
  return GST_FLOW_OK;
}

void
tl_player_add_cached (TlPlayer *self, const TlCached *cached)
{
  GST_OBJECT_LOCK (self->base);
  g_array_append_val (self->cached, *cached);
  GST_OBJECT_UNLOCK (self->base);
}
