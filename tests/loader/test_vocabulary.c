/* SPDX-License-Identifier: BSD-3-Clause */

/* libtlpipe: what is put into a meta, event, query or message comes out, and
 * nothing else is taken for one. */

#include <gst/check/gstcheck.h>
#include <math.h>

#include "tlbatchmeta.h"
#include "tlclasses.h"
#include "tlerror.h"
#include "tlevents.h"
#include "tlmessages.h"
#include "tlqueries.h"
#include "tlrandom.h"
#include "tlrange.h"
#include "tlresultmeta.h"
#include "tlsamplemeta.h"

/* ---- randomness ---- */

/* Known answers of Random123's kat_vectors for philox4x32 with 10 rounds;
 * counter words are index low, index high, view, draw. */
static const struct
{
  guint64 seed;
  guint64 index;
  guint32 view;
  guint32 draw;
  guint32 words[4];
} vectors[] = {
    {0, 0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {G_MAXUINT64, G_MAXUINT64, G_MAXUINT32, G_MAXUINT32,
        {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {G_GUINT64_CONSTANT (0x299f31d0a4093822),
        G_GUINT64_CONSTANT (0x85a308d3243f6a88), 0x13198a2e, 0x03707344,
        {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

GST_START_TEST (random_is_philox)
{
  guint32 words[4];

  tl_random_block (vectors[__i__].seed, vectors[__i__].view,
      vectors[__i__].index, vectors[__i__].draw, words);
  for (guint i = 0; i < 4; i++)
    fail_unless_equals_uint64 (words[i], vectors[__i__].words[i]);
}
GST_END_TEST

GST_START_TEST (random_is_uniform_and_normal)
{
  const guint n = 100000;
  gdouble sum = 0, normal_sum = 0, normal_squares = 0;
  guint counts[10] = {0};

  for (guint i = 0; i < n; i++) {
    gdouble u = tl_random_uniform (7, 1, i, 0);
    gdouble z = tl_random_normal (7, 1, i, 1);

    fail_unless (u >= 0 && u < 1);
    fail_unless (isfinite (z));
    sum += u;
    normal_sum += z;
    normal_squares += z * z;
    counts[tl_random_below (7, 1, i, 2, 10)]++;
  }
  fail_unless (fabs (sum / n - 0.5) < 0.005);
  fail_unless (fabs (normal_sum / n) < 0.02);
  fail_unless (fabs (normal_squares / n - 1) < 0.02);
  for (guint i = 0; i < 10; i++)
    fail_unless (counts[i] > 9500 && counts[i] < 10500, "digit %u: %u", i,
        counts[i]);
}
GST_END_TEST

/* ---- metas ---- */

GST_START_TEST (sample_meta_survives_copies)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 12, NULL);
  g_autoptr (GstBuffer) copy = NULL, part = NULL;
  TlSampleMeta *meta = tl_buffer_add_sample_meta (buffer);

  fail_unless_equals_int (meta->label, TL_LABEL_NONE);
  fail_unless (meta->path == NULL);
  meta->label = 3;
  meta->index = 77;
  meta->path = g_ref_string_new ("bees/1.jpg");
  meta->split = TL_SPLIT_VALID;

  copy = gst_buffer_copy (buffer);
  part = gst_buffer_copy_region (buffer, GST_BUFFER_COPY_ALL, 0, 4);
  gst_clear_buffer (&buffer);
  for (guint i = 0; i < 2; i++) {
    meta = tl_buffer_get_sample_meta (i ? part : copy);
    fail_unless (meta != NULL);
    fail_unless_equals_int (meta->label, 3);
    fail_unless_equals_uint64 (meta->index, 77);
    fail_unless_equals_string (meta->path, "bees/1.jpg");
    fail_unless_equals_int (meta->split, TL_SPLIT_VALID);
  }
}
GST_END_TEST

GST_START_TEST (batch_meta_survives_copies)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 12, NULL);
  g_autoptr (GstBuffer) copy = NULL;
  TlBatchMeta *meta = tl_buffer_add_batch_meta (buffer, 4);
  GRefString *path = g_ref_string_new ("a.jpg");
  TlBatchSample sample = {.index = 5, .label = 1, .path = path};

  tl_batch_meta_append (meta, &sample);
  g_ref_string_release (path);
  meta->step = 9;
  copy = gst_buffer_copy (buffer);
  gst_clear_buffer (&buffer);
  meta = tl_buffer_get_batch_meta (copy);
  fail_unless_equals_int (meta->n_valid, 1);
  fail_unless_equals_int (meta->size, 4);
  fail_unless_equals_uint64 (meta->step, 9);
  fail_unless_equals_string (meta->samples[0].path, "a.jpg");
}
GST_END_TEST

GST_START_TEST (result_meta_survives_copies)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 12, NULL);
  g_autoptr (GstBuffer) copy = NULL;
  TlResultMeta *meta = tl_buffer_add_result_meta (buffer);

  fail_unless_equals_int (meta->state, TL_RESULT_ABSENT);
  meta->state = TL_RESULT_VALID;
  meta->n = 1;
  meta->top[0].name = g_quark_from_static_string ("polyp");
  meta->top[0].probability = 0.75;
  copy = gst_buffer_copy (buffer);
  gst_clear_buffer (&buffer);
  meta = tl_buffer_get_result_meta (copy);
  fail_unless_equals_int (meta->state, TL_RESULT_VALID);
  fail_unless_equals_float (meta->top[0].probability, 0.75);
}
GST_END_TEST

/* ---- caps and preprocessing ---- */

GST_START_TEST (batch_caps_round_trip)
{
  TlBatchInfo info = {224, 128, 32}, found = {0};
  g_autoptr (GstCaps) caps = tl_batch_info_to_caps (&info);
  g_autoptr (GstCaps) pattern = gst_caps_from_string (TL_CAPS_BATCH_TEMPLATE);
  g_autoptr (GstCaps) huge = gst_caps_from_string (
      TL_CAPS_BATCH ", format=RGB, width=100000, height=1, batch-size=1");

  fail_unless (tl_batch_info_from_caps (&found, caps));
  fail_unless_equals_int (found.width, 224);
  fail_unless_equals_int (found.height, 128);
  fail_unless_equals_int (found.batch_size, 32);
  fail_unless_equals_uint64 (tl_batch_info_size (&found),
      224 * 128 * 3 * G_GUINT64_CONSTANT (32));
  fail_unless (gst_caps_is_subset (caps, pattern));
  fail_if (tl_batch_info_from_caps (&found, pattern));
  fail_if (tl_batch_info_from_caps (&found, huge));
}
GST_END_TEST

GST_START_TEST (preprocess_round_trip)
{
  TlPreprocess original, found = {0};
  g_autofree gchar *text = NULL, *again = NULL;

  tl_preprocess_init (&original);
  g_strlcpy (original.region, "10%,0,80%,100%", sizeof original.region);
  original.mean[1] = 1.0 / 3;
  text = tl_preprocess_to_string (&original);
  fail_unless (tl_preprocess_from_string (&found, text));
  again = tl_preprocess_to_string (&found);
  fail_unless_equals_string (text, again);
  fail_unless_equals_string (found.region, "10%,0,80%,100%");
}
GST_END_TEST

static const gchar *const bad_preprocess[] = {
    "",
    "width=224",
    "width=0 height=224 resize=256 crop=center interpolation=bilinear region= "
    "auto-orient=false mean=0,0,0 std=1,1,1",
    "width=224 height=224 resize=256 crop=center interpolation=bilinear region= "
    "auto-orient=false mean=0,0 std=1,1,1",
    "width=224 height=224 resize=256 crop=center interpolation=bilinear region= "
    "auto-orient=false mean=0,0,0 std=0,1,1",
    "width=224 height=224 resize=256 crop=center interpolation=bilinear region= "
    "auto-orient=maybe mean=0,0,0 std=1,1,1",
    "width=224 height=224 resize=256 crop=center interpolation=bilinear region= "
    "auto-orient=false mean=nan,0,0 std=1,1,1",
    "width=224 width=224 resize=256 crop=center interpolation=bilinear region= "
    "auto-orient=false mean=0,0,0 std=1,1,1",
};

GST_START_TEST (preprocess_refuses)
{
  TlPreprocess found;

  fail_if (tl_preprocess_from_string (&found, bad_preprocess[__i__]), "%s",
      bad_preprocess[__i__]);
}
GST_END_TEST

/* ---- class names ---- */

GST_START_TEST (classes_round_trip)
{
  const gchar *const classes[] = {"a \"quoted\" \\ name", "tab\there",
      "Darmspiegelung \xc3\xa4", "", NULL};
  g_autofree gchar *json = tl_classes_to_json (classes);
  g_auto (GStrv) found = tl_classes_from_json (json);

  fail_unless (found != NULL, "%s", json);
  fail_unless (g_strv_equal ((const gchar *const *) found, classes), "%s",
      json);
}
GST_END_TEST

GST_START_TEST (classes_from_other_writers)
{
  g_auto (GStrv) found =
      tl_classes_from_json (" [ \"\\u00e4\\ud83d\\ude00\\n\" , \"b\" ] ");

  fail_unless (found != NULL);
  fail_unless_equals_string (found[0], "\xc3\xa4\xf0\x9f\x98\x80\n");
  fail_unless_equals_string (found[1], "b");
}
GST_END_TEST

static const gchar *const bad_classes[] = {"", "[]", "{}", "[\"a\"", "[\"a\",]",
    "[\"a\"] x", "[1]", "[\"a]", "[\"\\x\"]", "[\"\\u12\"]", "[\"\\u0000\"]",
    "[\"\\ud800\"]", "[\"\\udc00\"]", "[\"\xff\"]", "[\"a\" \"b\"]",
    "[[\"a\"]]", "[\"\\"};

GST_START_TEST (classes_refuse)
{
  fail_unless (tl_classes_from_json (bad_classes[__i__]) == NULL, "%s",
      bad_classes[__i__]);
}
GST_END_TEST

/* ---- events ---- */

GST_START_TEST (dataset_event_round_trip)
{
  gchar *classes[] = {(gchar *) "ants", (gchar *) "bees", NULL};
  guint64 train[] = {123, 121};
  TlDatasetInfo info = {
      .classes = classes,
      .n_classes = 2,
      .counts = {[TL_SPLIT_TRAIN] = train},
      .n_samples = {[TL_SPLIT_TRAIN] = 244},
      .n_groups = {[TL_SPLIT_TRAIN] = 200},
      .digest = (gchar *) "abc",
      .seed = G_MAXUINT64,
      .epochs = 25,
  };
  g_autoptr (GstEvent) event = tl_event_new_dataset (&info);
  g_autoptr (TlDatasetInfo) found = tl_event_parse_dataset (event);
  TlPhase phase;

  fail_unless (GST_EVENT_IS_STICKY (event) && GST_EVENT_IS_SERIALIZED (event));
  fail_unless (found != NULL);
  fail_unless_equals_string (found->classes[1], "bees");
  fail_unless (found->classes[2] == NULL);
  fail_unless_equals_uint64 (found->counts[TL_SPLIT_TRAIN][0], 123);
  fail_unless_equals_uint64 (found->n_samples[TL_SPLIT_TRAIN], 244);
  fail_unless_equals_uint64 (found->n_groups[TL_SPLIT_TRAIN], 200);
  fail_unless (found->counts[TL_SPLIT_VALID] == NULL);
  fail_unless_equals_uint64 (found->seed, G_MAXUINT64);
  fail_unless_equals_int (found->epochs, 25);
  fail_unless_equals_string (found->digest, "abc");
  fail_if (tl_event_parse_phase (event, &phase));
}
GST_END_TEST

GST_START_TEST (transform_event_grows)
{
  g_auto (TlTransform) transform = {.steps = g_strdup ("imagedecode a=1")};
  g_auto (TlTransform) found = {0};
  g_autoptr (GstEvent) one = NULL, two = NULL;

  tl_preprocess_init (&transform.preprocess);
  one = tl_event_new_transform (&transform);
  two = tl_event_append_transform (one, "augment flip=horizontal");
  fail_unless (GST_EVENT_IS_STICKY (two));
  fail_unless (tl_event_parse_transform (two, &found));
  fail_unless_equals_string (found.steps,
      "imagedecode a=1; augment flip=horizontal");
  fail_unless_equals_int (found.preprocess.resize, 256);
}
GST_END_TEST

GST_START_TEST (phase_events_round_trip)
{
  TlPhase phase = {.epoch = 4,
              .split = TL_SPLIT_VALID,
              .n = 153,
              .first = 7,
              .view = 1,
              .cached = TRUE,
              .final = TRUE},
          found = {0};
  TlPhaseEnd end = {.epoch = 4,
                 .split = TL_SPLIT_TEST,
                 .sent = 10,
                 .skipped = 2},
             found_end = {0};
  TlCached cached = {TL_SPLIT_TRAIN, 3}, found_cached = {0};
  g_autoptr (GstEvent) begins = tl_event_new_phase (&phase);
  g_autoptr (GstEvent) ends = tl_event_new_phase_end (&end);
  g_autoptr (GstEvent) upstream = tl_event_new_cached (&cached);

  fail_unless (tl_event_parse_phase (begins, &found));
  fail_unless (found.epoch == 4 && found.split == TL_SPLIT_VALID
      && found.n == 153 && found.first == 7 && found.view == 1 && found.cached
      && found.final);
  fail_unless (GST_EVENT_IS_STICKY (begins));
  fail_unless (tl_event_parse_phase_end (ends, &found_end));
  fail_unless (found_end.epoch == 4 && found_end.split == TL_SPLIT_TEST
      && found_end.sent == 10 && found_end.skipped == 2);
  fail_if (GST_EVENT_IS_STICKY (ends));
  fail_unless (GST_EVENT_IS_SERIALIZED (ends));
  fail_unless (tl_event_parse_cached (upstream, &found_cached));
  fail_unless (found_cached.view == 3);
  fail_unless (GST_EVENT_IS_UPSTREAM (upstream));
  fail_if (tl_event_parse_phase (ends, &found));
  fail_if (tl_event_parse_phase_end (begins, &found_end));
}
GST_END_TEST

GST_START_TEST (malformed_events_are_refused)
{
  static const gchar *const structures[] = {
      "tl-dataset, seed=(guint64)1, epochs=(uint)1, digest=(string)a",
      "tl-dataset, seed=(guint64)1, epochs=(uint)1, digest=(string)a, "
      "classes=(string)x",
      "tl-dataset, seed=(guint64)1, epochs=(uint)1, digest=(string)a, "
      "classes=(int)< 1, 2 >",
      "tl-dataset, seed=(guint64)1, epochs=(uint)1, digest=(string)a, "
      "classes=(string)< x, y >, train-counts=(int)< 1, 2 >",
      "tl-dataset, seed=(guint64)1, epochs=(uint)1, digest=(string)a, "
      "classes=(string)< x, y >, train-counts=(guint64)< 1 >",
      "tl-dataset",
      "tl-phase, epoch=(uint)1",
      "tl-phase, split=(string)nonsense, epoch=(uint)1",
      "tl-transform, steps=(string)x, preprocess=(string)y",
      "other",
  };
  TlPhase phase;
  TlTransform transform;

  for (guint i = 0; i < G_N_ELEMENTS (structures); i++) {
    g_autoptr (GstEvent) event =
        gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM_STICKY,
            gst_structure_from_string (structures[i], NULL));

    fail_unless (tl_event_parse_dataset (event) == NULL, "%s", structures[i]);
    fail_if (tl_event_parse_phase (event, &phase), "%s", structures[i]);
    fail_if (tl_event_parse_transform (event, &transform), "%s", structures[i]);
  }
}
GST_END_TEST

/* ---- queries ---- */

GST_START_TEST (queries_carry_answers)
{
  TlCursor cursor = {.resume = TRUE,
      .seed = 3,
      .epoch = 2,
      .split = TL_SPLIT_TRAIN,
      .position = 64,
      .views = 1,
      .digest = "d"};
  TlCursor found_cursor;
  TlPreprocess preprocess, found_preprocess;
  g_autoptr (GstQuery) asks = tl_query_new_cursor ();
  g_autoptr (GstQuery) prepares = tl_query_new_preprocess (TRUE);
  g_autoptr (GstQuery) final = tl_query_new_final_checkpoint ();
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  g_autoptr (GstBuffer) found_buffer = NULL;

  fail_if (tl_query_parse_cursor (asks, &found_cursor));
  fail_if (tl_query_is_cursor (prepares));
  tl_query_answer_cursor (asks, &cursor);
  fail_unless (tl_query_parse_cursor (asks, &found_cursor));
  fail_unless (found_cursor.resume && found_cursor.position == 64
      && found_cursor.epoch == 2 && found_cursor.views == 1);
  fail_unless_equals_string (found_cursor.digest, "d");

  fail_if (tl_query_parse_preprocess (prepares, &found_preprocess));
  fail_unless (tl_query_preprocess_trains (prepares));
  fail_if (tl_query_preprocess_trains (asks));
  tl_preprocess_init (&preprocess);
  preprocess.width = 96;
  tl_query_answer_preprocess (prepares, &preprocess);
  fail_unless (tl_query_parse_preprocess (prepares, &found_preprocess));
  fail_unless_equals_int (found_preprocess.width, 96);

  fail_unless (tl_query_parse_final_checkpoint (final) == NULL);
  tl_query_answer_final_checkpoint (final, buffer);
  found_buffer = tl_query_parse_final_checkpoint (final);
  fail_unless (found_buffer == buffer);
}
GST_END_TEST

/* ---- messages ---- */

GST_START_TEST (absent_fields_are_left_out)
{
  guint64 confusion[] = {5, 1, 2, 8};
  TlMetrics metrics = {.scope = TL_SCOPE_PHASE,
      .split = TL_SPLIT_VALID,
      .n = 16,
      .loss = 0.5,
      .accuracy = 0.8125,
      .balanced_accuracy = TL_ABSENT,
      .auc = TL_ABSENT,
      .lr = TL_ABSENT,
      .images_per_second = 40,
      .wait_ms = TL_ABSENT,
      .confusion = confusion,
      .n_classes = 2};
  g_autoptr (GstMessage) message = tl_message_new_metrics (NULL, &metrics);
  const GstStructure *s = gst_message_get_structure (message);
  const GValue *row;
  gdouble loss;

  fail_unless (gst_structure_has_name (s, "tl-metrics"));
  fail_unless (gst_structure_get_double (s, "loss", &loss) && loss == 0.5);
  fail_if (gst_structure_has_field (s, "auc"));
  fail_if (gst_structure_has_field (s, "lr"));
  row = gst_value_array_get_value (gst_structure_get_value (s, "confusion"), 1);
  fail_unless_equals_uint64 (g_value_get_uint64 (
                                 gst_value_array_get_value (row, 1)),
      8);
}
GST_END_TEST

/* ---- ranges and errors ---- */

GST_START_TEST (ranges_read_well)
{
  static const struct
  {
    TlRange range;
    const gchar *text;
  } cases[] = {
      {{0, 1, FALSE, FALSE}, "0 to 1"},
      {{0, 1, TRUE, FALSE}, "more than 0 to 1"},
      {{0, 1, FALSE, TRUE}, "0 to less than 1"},
      {{0, INFINITY, TRUE, FALSE}, "more than 0"},
      {{1, INFINITY, FALSE, FALSE}, "at least 1"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *text = tl_range_to_string (&cases[i].range);

    fail_unless_equals_string (text, cases[i].text);
  }
}
GST_END_TEST

GST_START_TEST (range_is_checked_on_an_element)
{
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_make ("identity", NULL));
  GParamSpec *pspec =
      g_object_class_find_property (G_OBJECT_GET_CLASS (element), "sleep-time");
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_bus (element, bus);
  tl_param_spec_set_range (pspec, 0, 10);
  fail_unless (tl_element_check_ranges (element));
  g_object_set (element, "sleep-time", 11, NULL);
  fail_if (tl_element_check_ranges (element));
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (
      g_error_matches (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS));
  fail_unless_equals_string (error->message,
      "sleep-time=11 is out of range: expected 0 to 10.");
  gst_element_set_bus (element, NULL);
}
GST_END_TEST

GST_START_TEST (statuses_have_domains)
{
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_make ("identity", NULL));
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;
  TlError cause = TL_ERROR_INIT;

  gst_element_set_bus (element, bus);
  g_strlcpy (cause.message, "No file 'x'.", sizeof cause.message);
  tl_element_post_error (element, TL_ERROR_NOT_FOUND, &cause);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_NOT_FOUND));
  fail_unless_equals_string (error->message, "No file 'x'.");
  gst_element_set_bus (element, NULL);
}
GST_END_TEST

static Suite *
vocabulary_suite (void)
{
  Suite *s = suite_create ("vocabulary");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, random_is_philox, 0, G_N_ELEMENTS (vectors));
  tcase_add_test (tc, random_is_uniform_and_normal);
  tcase_add_test (tc, sample_meta_survives_copies);
  tcase_add_test (tc, batch_meta_survives_copies);
  tcase_add_test (tc, result_meta_survives_copies);
  tcase_add_test (tc, batch_caps_round_trip);
  tcase_add_test (tc, preprocess_round_trip);
  tcase_add_loop_test (tc, preprocess_refuses, 0,
      G_N_ELEMENTS (bad_preprocess));
  tcase_add_test (tc, classes_round_trip);
  tcase_add_test (tc, classes_from_other_writers);
  tcase_add_loop_test (tc, classes_refuse, 0, G_N_ELEMENTS (bad_classes));
  tcase_add_test (tc, dataset_event_round_trip);
  tcase_add_test (tc, transform_event_grows);
  tcase_add_test (tc, phase_events_round_trip);
  tcase_add_test (tc, malformed_events_are_refused);
  tcase_add_test (tc, queries_carry_answers);
  tcase_add_test (tc, absent_fields_are_left_out);
  tcase_add_test (tc, ranges_read_well);
  tcase_add_test (tc, range_is_checked_on_an_element);
  tcase_add_test (tc, statuses_have_domains);
  return s;
}

GST_CHECK_MAIN (vocabulary)
