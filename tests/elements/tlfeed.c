/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlfeed.h"

#include <gst/check/gstcheck.h>

#include <tlrandom.h>

gboolean
feed_push_event (GstPad *pad, GstEvent *event)
{
  return gst_pad_push_event (pad, event);
}

static GstEvent *
new_dataset (const Feed *feed)
{
  g_autoptr (TlDatasetInfo) info = tl_dataset_info_new ();
  const guint n[TL_N_SPLITS] = {feed->n_train, feed->n_valid, 0};

  info->classes = g_strdupv ((gchar **) feed->classes);
  info->n_classes = g_strv_length (info->classes);
  info->digest = g_strnfill (64, 'd');
  info->seed = feed->seed;
  info->epochs = feed->epochs;
  for (guint s = 0; s < TL_N_SPLITS; s++) {
    if (n[s] == 0)
      continue;
    info->n_samples[s] = info->n_groups[s] = n[s];
    info->counts[s] = g_new (guint64, info->n_classes);
    for (guint c = 0; c < info->n_classes; c++)
      info->counts[s][c] = n[s] / info->n_classes;
  }
  return tl_event_new_dataset (info);
}

static GstEvent *
new_transform (void)
{
  g_auto (TlTransform) transform = {.steps = g_strdup ("feed side=32")};

  tl_preprocess_init (&transform.preprocess);
  transform.preprocess.width = transform.preprocess.height = FEED_SIDE;
  return tl_event_new_transform (&transform);
}

void
feed_begin (const Feed *feed, GstPad *pad)
{
  TlBatchInfo info = {FEED_SIDE, FEED_SIDE, (gint) feed->batch_size};
  g_autoptr (GstCaps) caps = tl_batch_info_to_caps (&info);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  feed_push_event (pad, gst_event_new_stream_start ("feed"));
  feed_push_event (pad, gst_event_new_caps (caps));
  feed_push_event (pad, gst_event_new_segment (&segment));
  feed_push_event (pad, new_dataset (feed));
  feed_push_event (pad, new_transform ());
}

/* The order of training samples differs from epoch to epoch. */
static guint64
index_of (const Feed *feed, const TlPhase *phase, guint64 position)
{
  return phase->split == TL_SPLIT_TRAIN
      ? (position + 3 * phase->epoch) % feed->n_train
      : feed->n_train + position;
}

static void
draw_sample (const Feed *feed, guint64 index, guint32 view, guint8 *pixels)
{
  guint label = index % 2;

  for (guint y = 0; y < FEED_SIDE; y++) {
    for (guint x = 0; x < FEED_SIDE; x++) {
      guint light = (x < FEED_SIDE / 2) == (label == 1) ? 150 : 60;

      for (guint c = 0; c < 3; c++)
        *pixels++ = (guint8) (light
            + tl_random_below (feed->seed, view, index,
                (y * FEED_SIDE + x) * 3 + c, 80));
    }
  }
}

static gboolean
is_skipped (const Feed *feed, guint64 position)
{
  return feed->skip_every && position % feed->skip_every == 1;
}

/* The samples from @position on, which is moved behind them; NULL if none is
 * left. */
static GstBuffer *
new_batch (const Feed *feed, const TlPhase *phase, guint64 *position)
{
  TlBatchInfo info = {FEED_SIDE, FEED_SIDE, (gint) feed->batch_size};
  GstBuffer *buffer =
      gst_buffer_new_allocate (NULL, tl_batch_info_size (&info), NULL);
  TlBatchMeta *meta = tl_buffer_add_batch_meta (buffer, feed->batch_size);
  GstMapInfo map;

  meta->split = phase->split;
  meta->epoch = phase->epoch;
  meta->view = phase->view;
  meta->n = phase->n;
  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  for (; meta->n_valid < feed->batch_size && *position < phase->n;
       ++*position) {
    TlBatchSample sample = {.index = index_of (feed, phase, *position),
        .position = *position};

    if (is_skipped (feed, *position))
      continue;
    sample.label = (gint32) (sample.index % 2) + feed->label_offset;
    draw_sample (feed, sample.index, phase->view,
        map.data + meta->n_valid * tl_batch_info_sample_size (&info));
    tl_batch_meta_append (meta, &sample);
  }
  gst_buffer_unmap (buffer, &map);
  if (meta->n_valid == 0)
    gst_clear_buffer (&buffer);
  return buffer;
}

static void
push_phase (const Feed *feed, GstPad *pad, const TlPhase *phase)
{
  if (!feed->no_phase_events)
    feed_push_event (pad, tl_event_new_phase (phase));
}

static GstFlowReturn
run_phase (const Feed *feed, GstPad *pad, const TlPhase *phase,
    guint *n_batches)
{
  TlPhaseEnd end = {.epoch = phase->epoch, .split = phase->split};
  guint64 position = phase->first;

  push_phase (feed, pad, phase);
  while (position < phase->n) {
    GstFlowReturn flow;
    GstBuffer *batch;

    if (feed->max_batches && *n_batches == feed->max_batches)
      return GST_FLOW_CUSTOM_SUCCESS;
    batch = new_batch (feed, phase, &position);
    flow = batch ? gst_pad_push (pad, batch) : GST_FLOW_OK;
    if (flow != GST_FLOW_OK)
      return flow;
    ++*n_batches;
  }
  end.sent = phase->n - phase->first;
  for (guint64 p = phase->first; p < phase->n; p++)
    end.skipped += is_skipped (feed, p);
  if (!feed->no_phase_events && !feed->no_phase_ends)
    feed_push_event (pad, tl_event_new_phase_end (&end));
  return GST_FLOW_OK;
}

/* FALSE: the phase is not played, or was before the start. */
static gboolean
make_phase (const Feed *feed, guint epoch, TlSplit split, TlPhase *phase)
{
  const TlCursor *start = &feed->start;
  gboolean is_first = start->resume && epoch == start->epoch;

  *phase = (TlPhase){.epoch = epoch,
      .split = split,
      .n = split == TL_SPLIT_TRAIN ? feed->n_train : feed->n_valid,
      .view = split == TL_SPLIT_TRAIN ? epoch : 0,
      .final = epoch + 1 == feed->epochs
          && (split == TL_SPLIT_VALID || feed->n_valid == 0)};
  if (is_first && split == start->split)
    phase->first = start->position;
  return phase->n > 0 && !(is_first && split < start->split);
}

GstFlowReturn
feed_run (const Feed *feed, GstPad *pad, guint *n_batches)
{
  guint n = 0;
  GstFlowReturn flow = GST_FLOW_OK;

  for (guint e = feed->start.resume ? feed->start.epoch : 0; e < feed->epochs;
       e++) {
    for (guint s = TL_SPLIT_TRAIN; s <= TL_SPLIT_VALID; s++) {
      TlPhase phase;

      if (flow == GST_FLOW_OK && make_phase (feed, e, s, &phase))
        flow = run_phase (feed, pad, &phase, &n);
    }
  }
  if (n_batches)
    *n_batches = n;
  return flow;
}

GstFlowReturn
feed_all (const Feed *feed, GstPad *pad)
{
  GstFlowReturn flow;

  feed_begin (feed, pad);
  flow = feed_run (feed, pad, NULL);
  if (flow >= GST_FLOW_OK || flow == GST_FLOW_EOS)
    feed_push_event (pad, gst_event_new_eos ());
  return flow;
}
