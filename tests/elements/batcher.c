/* SPDX-License-Identifier: BSD-3-Clause */

/* How batcher packs pictures. */

#include "tlbatcher.h"
#include "tlbatcherrig.h"
#include "tlbatchpool.h"
#include "tlpictures.h"

#include <tlbatchmeta.h>
#include <tlevents.h>
#include <tlsamplemeta.h>

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

static void
push_phase_end (GstHarness *h, guint32 epoch, TlSplit split)
{
  TlPhaseEnd end = {.epoch = epoch, .split = split};

  fail_unless (gst_harness_push_event (h, tl_event_new_phase_end (&end)));
}

/* The next batch must hold @n_valid samples of that phase. */
static void
expect_batch (GstHarness *h, guint32 epoch, TlSplit split, guint32 n_valid,
    guint64 step)
{
  g_autoptr (GstBuffer) batch = gst_harness_try_pull (h);
  TlBatchMeta *meta;

  fail_unless (batch != NULL, "no batch");
  meta = tl_buffer_get_batch_meta (batch);
  fail_unless (meta != NULL);
  fail_unless_equals_int (meta->epoch, epoch);
  fail_unless_equals_int (meta->split, split);
  fail_unless_equals_int (meta->n_valid, n_valid);
  fail_unless_equals_uint64 (meta->step, step);
}

static void
expect_nothing (GstHarness *h)
{
  fail_unless_equals_int (gst_harness_buffers_in_queue (h), 0);
}

GST_START_TEST (rows_are_packed_and_meta_is_full)
{
  GstHarness *h = batcher_new (2);
  g_autoptr (GstBuffer) batch = NULL;
  g_autoptr (GstCaps) caps = NULL;
  TlBatchInfo info;
  TlBatchMeta *meta;
  GstMapInfo map;

  gst_harness_set_src_caps_str (h, PICTURE_CAPS);
  batcher_push_range (h, 3, TL_SPLIT_TRAIN, 4, 6, 9);
  batch = gst_harness_pull (h);
  caps = gst_pad_get_current_caps (h->sinkpad);
  fail_unless (tl_batch_info_from_caps (&info, caps));
  fail_unless (info.width == PICTURE_WIDTH && info.height == PICTURE_HEIGHT
      && info.batch_size == 2);
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (batch), 0);
  fail_if (
      GST_BUFFER_PTS_IS_VALID (batch) || GST_BUFFER_DURATION_IS_VALID (batch));

  meta = tl_buffer_get_batch_meta (batch);
  fail_unless (meta->epoch == 3 && meta->view == 3 && meta->n == 9);
  fail_unless (meta->n_valid == 2 && meta->size == 2);
  for (guint i = 0; i < 2; i++) {
    fail_unless_equals_uint64 (meta->samples[i].index, 104 + i);
    fail_unless_equals_uint64 (meta->samples[i].position, 4 + i);
    fail_unless_equals_int (meta->samples[i].label, i % 2);
    fail_unless_equals_int (meta->samples[i].group, 7);
    fail_unless_equals_string (meta->samples[i].path, i ? "5.jpg" : "4.jpg");
  }

  fail_unless_equals_int (gst_buffer_n_memory (batch), 1);
  gst_buffer_map (batch, &map, GST_MAP_READ);
  fail_unless_equals_uint64 (map.size, 2 * PICTURE_HEIGHT * PICTURE_ROW);
  fail_unless_equals_uint64 ((guintptr) map.data % TL_BATCH_ALIGNMENT, 0);
  for (gint i = 0; i < 2 * PICTURE_HEIGHT * PICTURE_ROW; i++)
    fail_unless_equals_int (map.data[i],
        10 * (4 + i / (PICTURE_HEIGHT * PICTURE_ROW))
            + i / PICTURE_ROW % PICTURE_HEIGHT);
  gst_buffer_unmap (batch, &map);
  gst_harness_teardown (h);
}
GST_END_TEST

GST_START_TEST (video_meta_says_where_rows_are)
{
  GstHarness *h = batcher_new (1);
  Sample sample = {0, TL_SPLIT_TRAIN, 1, 5};
  gsize offset[GST_VIDEO_MAX_PLANES] = {1};
  gint stride[GST_VIDEO_MAX_PLANES] = {PICTURE_STRIDE};
  GstBuffer *picture = picture_new (&sample);
  g_autoptr (GstBuffer) batch = NULL;
  guint8 bytes[PICTURE_ROW + 1];

  gst_harness_set_src_caps_str (h, PICTURE_CAPS);
  gst_buffer_add_video_meta_full (picture, 0, GST_VIDEO_FORMAT_RGB,
      PICTURE_WIDTH, PICTURE_HEIGHT, 1, offset, stride);
  fail_unless_equals_int (gst_harness_push (h, picture), GST_FLOW_OK);
  batch = gst_harness_pull (h);
  gst_buffer_extract (batch, 0, bytes, sizeof bytes);
  fail_unless_equals_int (bytes[PICTURE_ROW - 2], 10);
  fail_unless_equals_int (bytes[PICTURE_ROW - 1], 0xee);
  fail_unless_equals_int (bytes[PICTURE_ROW], 11);
  gst_harness_teardown (h);
}
GST_END_TEST

GST_START_TEST (phases_are_never_mixed)
{
  GstHarness *h = batcher_new (4);

  gst_harness_set_src_caps_str (h, PICTURE_CAPS);
  /* The last position ends a phase, whatever follows. */
  batcher_push_range (h, 0, TL_SPLIT_TRAIN, 0, 6, 6);
  expect_batch (h, 0, TL_SPLIT_TRAIN, 4, 0);
  expect_batch (h, 0, TL_SPLIT_TRAIN, 2, 1);
  /* Its last sample was skipped: the event ends it. */
  batcher_push_range (h, 0, TL_SPLIT_VALID, 0, 2, 3);
  expect_nothing (h);
  push_phase_end (h, 0, TL_SPLIT_VALID);
  expect_batch (h, 0, TL_SPLIT_VALID, 2, 0);
  /* The event is lost too: a sample of the next phase ends it. */
  batcher_push_range (h, 1, TL_SPLIT_TRAIN, 0, 1, 3);
  expect_nothing (h);
  batcher_push_range (h, 1, TL_SPLIT_VALID, 0, 1, 3);
  expect_batch (h, 1, TL_SPLIT_TRAIN, 1, 0);
  expect_nothing (h);
  gst_harness_teardown (h);
}
GST_END_TEST

GST_START_TEST (next_phase_event_closes_and_follows)
{
  GstHarness *h = batcher_new (4);
  TlPhase same = {.epoch = 0, .split = TL_SPLIT_TRAIN, .n = 5};
  TlPhase next = {.epoch = 0, .split = TL_SPLIT_VALID, .n = 2};

  gst_harness_set_src_caps_str (h, PICTURE_CAPS);
  batcher_push_range (h, 0, TL_SPLIT_TRAIN, 0, 3, 5);
  gst_harness_push_event (h, tl_event_new_phase (&same));
  push_phase_end (h, 7, TL_SPLIT_VALID);
  expect_nothing (h);
  gst_harness_push_event (h, tl_event_new_phase (&next));
  expect_batch (h, 0, TL_SPLIT_TRAIN, 3, 0);
  gst_harness_teardown (h);
}
GST_END_TEST

static GstPadProbeReturn
note_order (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  GString *order = user;

  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER) {
    g_string_append (order, "batch ");
  } else {
    GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
    const GstStructure *s = gst_event_get_structure (event);

    g_string_append_printf (order, "%s ",
        GST_EVENT_TYPE (event) == GST_EVENT_CAPS
                || GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT
                || GST_EVENT_TYPE (event) == GST_EVENT_EOS
            ? GST_EVENT_TYPE_NAME (event)
            : gst_structure_get_name (s));
  }
  return GST_PAD_PROBE_OK;
}

GST_START_TEST (events_keep_their_place)
{
  GstHarness *h = gst_harness_new_with_padnames ("batcher", "sink", NULL);
  g_autoptr (GstPad) src = gst_element_get_static_pad (h->element, "src");
  g_autoptr (GString) order = g_string_new (NULL);
  TlPhase phase = {.epoch = 0, .split = TL_SPLIT_TRAIN, .n = 3};
  gchar *classes[] = {(gchar *) "ant", (gchar *) "bee", NULL};
  TlDatasetInfo dataset = {.classes = classes,
      .n_classes = 2,
      .digest = (gchar *) "0",
      .epochs = 1};
  TlTransform transform = {.steps = (gchar *) "imagedecode"};

  tl_preprocess_init (&transform.preprocess);
  g_object_set (h->element, "batch-size", 2, NULL);
  gst_pad_add_probe (src,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      note_order, order, NULL);
  gst_harness_add_element_src_pad (h, src);
  gst_harness_set_src_caps_str (h, PICTURE_CAPS);
  gst_harness_push_event (h, tl_event_new_dataset (&dataset));
  gst_harness_push_event (h, tl_event_new_transform (&transform));
  gst_harness_push_event (h, tl_event_new_phase (&phase));
  batcher_push_range (h, 0, TL_SPLIT_TRAIN, 0, 3, 4);
  push_phase_end (h, 0, TL_SPLIT_TRAIN);
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless_equals_string (order->str,
      "GstEventStreamStart caps segment tl-dataset tl-transform tl-phase batch batch "
      "tl-phase-end eos ");
  gst_harness_teardown (h);
}
GST_END_TEST

GST_START_TEST (interruption_leaves_samples_to_a_resume)
{
  GstHarness *h = batcher_new (4);

  gst_harness_set_src_caps_str (h, PICTURE_CAPS);
  batcher_push_range (h, 0, TL_SPLIT_TRAIN, 0, 6, 9);
  expect_batch (h, 0, TL_SPLIT_TRAIN, 4, 0);
  gst_harness_push_event (h, gst_event_new_eos ());
  expect_nothing (h);
  gst_harness_teardown (h);
}
GST_END_TEST

GST_START_TEST (drop_last_spares_evaluation)
{
  GstHarness *h = batcher_new (4);

  g_object_set (h->element, "drop-last", TRUE, NULL);
  gst_harness_set_src_caps_str (h, PICTURE_CAPS);
  batcher_push_range (h, 0, TL_SPLIT_TRAIN, 0, 6, 6);
  expect_batch (h, 0, TL_SPLIT_TRAIN, 4, 0);
  expect_nothing (h);
  batcher_push_range (h, 0, TL_SPLIT_VALID, 0, 6, 6);
  expect_batch (h, 0, TL_SPLIT_VALID, 4, 0);
  expect_batch (h, 0, TL_SPLIT_VALID, 2, 1);
  batcher_push_range (h, 1, TL_SPLIT_TRAIN, 0, 4, 4);
  expect_batch (h, 1, TL_SPLIT_TRAIN, 4, 0);
  gst_harness_teardown (h);
}
GST_END_TEST

GST_START_TEST (unused_slots_are_zero)
{
  GstHarness *h = batcher_new (3);
  g_autoptr (GstBuffer) batch = NULL;
  guint8 bytes[3 * PICTURE_HEIGHT * PICTURE_ROW];

  gst_harness_set_src_caps_str (h, PICTURE_CAPS);
  batcher_push_range (h, 0, TL_SPLIT_TRAIN, 0, 3, 9);
  gst_buffer_unref (gst_harness_pull (h));
  batcher_push_range (h, 0, TL_SPLIT_TRAIN, 3, 4, 9);
  push_phase_end (h, 0, TL_SPLIT_TRAIN);
  batch = gst_harness_pull (h);
  fail_unless_equals_uint64 (gst_buffer_extract (batch, 0, bytes, sizeof bytes),
      sizeof bytes);
  for (gsize i = PICTURE_HEIGHT * PICTURE_ROW; i < sizeof bytes; i++)
    fail_unless_equals_int (bytes[i], 0);
  gst_harness_teardown (h);
}
GST_END_TEST

GST_START_TEST (flush_drops_and_says_so)
{
  GstHarness *h = batcher_new (4);
  GstBus *bus = batcher_watch (h);
  g_autoptr (GstMessage) message = NULL;
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_set_src_caps_str (h, PICTURE_CAPS);
  for (guint i = 0; i < 20; i++) {
    batcher_push_range (h, 0, TL_SPLIT_TRAIN, 0, i % 4, 9);
    gst_harness_push_event (h, gst_event_new_flush_start ());
    gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
    gst_harness_push_event (h, gst_event_new_segment (&segment));
    message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
    fail_unless ((message != NULL) == (i % 4 > 0));
    g_clear_pointer (&message, gst_message_unref);
  }
  batcher_push_range (h, 0, TL_SPLIT_TRAIN, 0, 4, 9);
  expect_batch (h, 0, TL_SPLIT_TRAIN, 4, 0);
  expect_nothing (h);
  batcher_unwatch (h, bus);
  gst_harness_teardown (h);
}
GST_END_TEST

/* A slow consumer holds up to 2 batches in the queue and one in hand. */
GST_START_TEST (memory_is_bounded)
{
  GstHarness *h = batcher_new (2);
  GHashTable *seen = g_hash_table_new (NULL, NULL);

  gst_harness_set_src_caps_str (h, PICTURE_CAPS);
  for (guint i = 0; i < 100; i++) {
    GstBuffer *batch;
    GstMapInfo map;

    batcher_push_range (h, 0, TL_SPLIT_TRAIN, 2 * i, 2 * i + 2, 1000);
    if (i < 2)
      continue;
    batch = gst_harness_pull (h);
    gst_buffer_map (batch, &map, GST_MAP_READ);
    g_hash_table_add (seen, map.data);
    gst_buffer_unmap (batch, &map);
    gst_buffer_unref (batch);
  }
  fail_unless (g_hash_table_size (seen) <= 3);
  g_hash_table_unref (seen);
  gst_harness_teardown (h);
}
GST_END_TEST

static gpointer
push_endlessly (gpointer user)
{
  GstHarness *h = user;
  guint64 i = 0;

  while (batcher_push (h, 0, TL_SPLIT_TRAIN, i, G_MAXUINT64) == GST_FLOW_OK)
    i++;
  return NULL;
}

/* Offers a pool of at most two buffers. */
static GstPadProbeReturn
offer_small_pool (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);
  TlBatchInfo batch;
  GstCaps *caps;
  GstBufferPool *pool;

  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    return GST_PAD_PROBE_OK;
  gst_query_parse_allocation (query, &caps, NULL);
  fail_unless (tl_batch_info_from_caps (&batch, caps));
  pool = tl_batch_pool_new (&batch);
  gst_query_add_allocation_pool (query, pool,
      (guint) tl_batch_info_size (&batch), 0, 2);
  g_atomic_pointer_set ((gpointer *) user, pool);
  gst_object_unref (pool);
  return GST_PAD_PROBE_HANDLED;
}

GST_START_TEST (offered_pool_is_used)
{
  GstHarness *h = batcher_new (2);
  g_autoptr (GstPad) src = gst_element_get_static_pad (h->element, "src");
  g_autoptr (GstBuffer) batch = NULL;
  gpointer pool = NULL;

  gst_pad_add_probe (src, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, offer_small_pool,
      &pool, NULL);
  gst_harness_set_src_caps_str (h, PICTURE_CAPS);
  batcher_push_range (h, 0, TL_SPLIT_TRAIN, 0, 2, 9);
  batch = gst_harness_pull (h);
  fail_unless (pool != NULL && (gpointer) batch->pool == pool);
  gst_harness_teardown (h);
}
GST_END_TEST

/* The harness never gives the two buffers back. */
GST_START_TEST (stop_frees_a_full_pool)
{
  for (guint i = 0; i < 20; i++) {
    GstHarness *h = batcher_new (2);
    g_autoptr (GstPad) src = gst_element_get_static_pad (h->element, "src");
    gpointer pool = NULL;
    GThread *thread;

    gst_pad_add_probe (src, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM,
        offer_small_pool, &pool, NULL);
    gst_harness_set_src_caps_str (h, PICTURE_CAPS);
    fail_unless (pool != NULL);
    thread = g_thread_new ("push", push_endlessly, h);
    while (gst_harness_buffers_in_queue (h) < 2)
      g_usleep (100);
    g_usleep (100 * i);
    gst_element_set_state (h->element, GST_STATE_READY);
    g_thread_join (thread);
    fail_unless_equals_int (gst_harness_buffers_in_queue (h), 2);
    gst_harness_teardown (h);
  }
}
GST_END_TEST

static Suite *
batcher_suite (void)
{
  Suite *suite = suite_create ("batcher");
  TCase *tcase = tcase_create ("batcher");

  GST_ELEMENT_REGISTER (batcher, NULL);
  tcase_add_test (tcase, rows_are_packed_and_meta_is_full);
  tcase_add_test (tcase, video_meta_says_where_rows_are);
  tcase_add_test (tcase, phases_are_never_mixed);
  tcase_add_test (tcase, next_phase_event_closes_and_follows);
  tcase_add_test (tcase, events_keep_their_place);
  tcase_add_test (tcase, interruption_leaves_samples_to_a_resume);
  tcase_add_test (tcase, drop_last_spares_evaluation);
  tcase_add_test (tcase, unused_slots_are_zero);
  tcase_add_test (tcase, flush_drops_and_says_so);
  tcase_add_test (tcase, offered_pool_is_used);
  tcase_add_test (tcase, memory_is_bounded);
  tcase_add_test (tcase, stop_frees_a_full_pool);
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (batcher);
