/* SPDX-License-Identifier: BSD-3-Clause */

/* imagedecode before a model that says what it was trained with. */

#include "tlimagedecode.h"

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <png.h>
#include <string.h>

#include <tlcaps.h>
#include <tlevents.h>
#include <tlqueries.h>
#include <tlsamplemeta.h>

/* The model, which answers on the harness's sink pad. */
typedef struct
{
  TlPreprocess preprocess;
  gboolean is_trainer; /* no answer where samples to train on follow */
  guint n_asked;
} Model;

static void
model_init (Model *model)
{
  *model = (Model){0};
  tl_preprocess_init (&model->preprocess);
  model->preprocess.width = 64;
  model->preprocess.height = 48;
  model->preprocess.resize = 72;
  g_strlcpy (model->preprocess.interpolation, "bicubic", TL_PREPROCESS_TEXT);
  g_strlcpy (model->preprocess.region, "10%,0,80%,100%", TL_PREPROCESS_TEXT);
  model->preprocess.auto_orient = TRUE;
}

static GstPadProbeReturn
answer (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);
  Model *model = data;

  if (!tl_query_is_preprocess (query))
    return GST_PAD_PROBE_OK;
  model->n_asked++;
  if (model->is_trainer && tl_query_preprocess_trains (query))
    return GST_PAD_PROBE_DROP;
  tl_query_answer_preprocess (query, &model->preprocess);
  return GST_PAD_PROBE_HANDLED;
}

static GstHarness *
make_harness (const gchar *properties, Model *model)
{
  g_autofree gchar *line =
      g_strdup_printf ("imagedecode n-threads=2 %s", properties);
  GstHarness *h = gst_harness_new_parse (line);
  g_autoptr (GstBus) bus = gst_bus_new ();

  gst_element_set_bus (h->element, bus);
  gst_pad_add_probe (h->sinkpad,
      GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM | GST_PAD_PROBE_TYPE_PUSH, answer,
      model, NULL);
  return h;
}

static void
free_harness (GstHarness *h)
{
  gst_element_set_bus (h->element, NULL);
  gst_harness_teardown (h);
}

static GstEvent *
make_dataset (TlSplit split)
{
  static gchar *classes[] = {(gchar *) "a", (gchar *) "b", NULL};
  guint64 counts[] = {3, 4};
  TlDatasetInfo info = {.classes = classes,
      .n_classes = 2,
      .digest = (gchar *) "d",
      .epochs = 1};

  info.n_samples[split] = 7;
  info.counts[split] = counts;
  return tl_event_new_dataset (&info);
}

/* In datasetsrc's order: the caps come before what the data set is. */
static void
push_start (GstHarness *h, TlSplit split)
{
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple (TL_CAPS_IMAGE);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_stream_start ("s"));
  gst_harness_push_event (h, gst_event_new_caps (caps));
  gst_harness_push_event (h, make_dataset (split));
  gst_harness_push_event (h, gst_event_new_segment (&segment));
}

static GstFlowReturn
push_picture (GstHarness *h, TlSplit split)
{
  guint8 pixels[40 * 30 * 3];
  png_image image = {.version = PNG_IMAGE_VERSION,
      .width = 40,
      .height = 30,
      .format = PNG_FORMAT_RGB};
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX (image);
  guint8 *data = g_malloc (size);
  GstBuffer *buffer;

  for (gsize i = 0; i < sizeof pixels; i++)
    pixels[i] = (guint8) (i * i >> 5);
  fail_unless (
      png_image_write_to_memory (&image, data, &size, 0, pixels, 0, NULL));
  buffer = gst_buffer_new_wrapped (data, size);
  tl_buffer_add_sample_meta (buffer)->split = split;
  return gst_harness_push (h, buffer);
}

static void
pull_transform (GstHarness *h, TlTransform *ret)
{
  gboolean found = FALSE;

  while (!found) {
    GstEvent *event = gst_harness_pull_event (h);

    fail_unless (event != NULL);
    found = tl_event_parse_transform (event, ret);
    gst_event_unref (event);
  }
}

/* The size of the pictures and the way they are made. */
static void
expect_pictures (GstHarness *h, TlSplit split, gint width, gint height,
    TlTransform *transform)
{
  g_autoptr (GstBuffer) out = NULL;
  g_autoptr (GstCaps) caps = NULL;
  gint found_width, found_height;

  push_start (h, split);
  fail_unless_equals_int (push_picture (h, split), GST_FLOW_OK);
  out = gst_harness_pull (h);
  fail_unless (out != NULL);
  caps = gst_pad_get_current_caps (h->sinkpad);
  gst_structure_get (gst_caps_get_structure (caps, 0), "width", G_TYPE_INT,
      &found_width, "height", G_TYPE_INT, &found_height, NULL);
  fail_unless_equals_int (found_width, width);
  fail_unless_equals_int (found_height, height);
  fail_unless_equals_int (gst_buffer_get_size (out), width * height * 3);
  pull_transform (h, transform);
}

static const gchar *const agreeing[] = {
    "",
    "width=64 height=48 resize=72 interpolation=bicubic crop=center",
    "resize=0 crop=auto",
    "width=10 width=64",
    "region=\" 10%, 0, 80%,100%\"",
};

/* Of the train split too: this model classifies, it does not train. */
GST_START_TEST (pictures_are_made_as_the_model_says)
{
  Model model;
  GstHarness *h;
  g_auto (TlTransform) transform = {0};
  g_autofree gchar *wanted = NULL, *found = NULL;

  model_init (&model);
  h = make_harness (agreeing[__i__], &model);
  expect_pictures (h, TL_SPLIT_TRAIN, 64, 48, &transform);
  wanted = tl_preprocess_to_string (&model.preprocess);
  found = tl_preprocess_to_string (&transform.preprocess);
  fail_unless_equals_string (found, wanted);
  fail_unless (strstr (transform.steps, " crop=center ") != NULL);
  fail_unless_equals_int (model.n_asked, 1);
  free_harness (h);
}
GST_END_TEST;

GST_START_TEST (only_a_centre_crop_is_resized_first)
{
  static const gchar *const crops[] = {"none", "pad"};
  Model model;
  GstHarness *h;
  g_auto (TlTransform) transform = {0};

  model_init (&model);
  g_strlcpy (model.preprocess.crop, crops[__i__], TL_PREPROCESS_TEXT);
  h = make_harness ("resize=99", &model);
  expect_pictures (h, TL_SPLIT_VALID, 64, 48, &transform);
  fail_unless_equals_string (transform.preprocess.crop, crops[__i__]);
  free_harness (h);
}
GST_END_TEST;

GST_START_TEST (training_goes_by_the_properties)
{
  const TlSplit splits[] = {TL_SPLIT_TRAIN, TL_SPLIT_VALID};

  for (guint i = 0; i < G_N_ELEMENTS (splits); i++) {
    Model model;
    GstHarness *h;
    g_auto (TlTransform) transform = {0};

    model_init (&model);
    model.is_trainer = TRUE;
    h = make_harness (i == 0 ? "width=80 height=40" : "", &model);
    expect_pictures (h, splits[i], i == 0 ? 80 : 64, i == 0 ? 40 : 48,
        &transform);
    fail_unless (
        strstr (transform.steps, i == 0 ? " crop=auto " : " crop=center ")
        != NULL);
    free_harness (h);
  }
}
GST_END_TEST;

/* What the error must say. */
typedef struct
{
  const gchar *properties, *mine, *models;
} Contradiction;

static const Contradiction contradictions[] = {
    {"width=224", "width=224 was set", "width=64:"},
    {"height=64", "height=64 was set", "height=48:"},
    {"resize=256", "resize=256 was set", "resize=72:"},
    {"crop=none", "crop=none was set", "crop=center:"},
    {"crop=random", "crop=random was set", "crop=center:"},
    {"interpolation=bilinear", "=bilinear was set", "interpolation=bicubic:"},
    {"region=0,0,50%,50%", "region=\"0,0,50%,50%\" was set",
        "region=\"10%,0,80%,100%\":"},
    {"region=\"\"", "region=\"\" was set", "region=\"10%,0,80%,100%\":"},
    {"auto-orient=false", "auto-orient=false was set", "auto-orient=true:"},
};

/* One error that has both texts in it. */
static void
expect_error (GstHarness *h, const gchar *mine, const gchar *models)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (h->element);
  g_autoptr (GstMessage) message =
      gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;

  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (strstr (error->message, mine) != NULL
          && strstr (error->message, models) != NULL,
      "%s", error->message);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);
}

/* Of a model that is asked when the stream begins, as a trainer is; then of one
 * that answers at the start. */
static void
expect_refusal (GstHarness *h, const gchar *mine, const gchar *models)
{
  push_start (h, TL_SPLIT_VALID);
  fail_unless_equals_int (push_picture (h, TL_SPLIT_VALID), GST_FLOW_ERROR);
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_if (gst_pad_has_current_caps (h->sinkpad));
  fail_unless_equals_int (gst_harness_buffers_received (h), 0);
  expect_error (h, mine, models);

  gst_element_set_state (h->element, GST_STATE_READY);
  fail_unless_equals_int (gst_element_set_state (h->element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  expect_error (h, mine, models);
}

GST_START_TEST (contradiction_is_one_error_with_both_values)
{
  const Contradiction *c = &contradictions[__i__];
  Model model;
  GstHarness *h;

  model_init (&model);
  h = make_harness (c->properties, &model);
  expect_refusal (h, c->mine, c->models);
  free_harness (h);
}
GST_END_TEST;

GST_START_TEST (model_that_wants_the_unknown_is_one_error)
{
  Model models[3];

  for (guint i = 0; i < G_N_ELEMENTS (models); i++)
    model_init (&models[i]);
  g_strlcpy (models[0].preprocess.crop, "five", TL_PREPROCESS_TEXT);
  g_strlcpy (models[1].preprocess.interpolation, "lanczos", TL_PREPROCESS_TEXT);
  g_strlcpy (models[2].preprocess.region, "everything", TL_PREPROCESS_TEXT);
  for (guint i = 0; i < G_N_ELEMENTS (models); i++) {
    static const gchar *const said[] = {"crop=five", "interpolation=lanczos",
        "\"everything\""};
    GstHarness *h = make_harness ("", &models[i]);

    expect_refusal (h, said[i], said[i]);
    free_harness (h);
  }
}
GST_END_TEST;

/* The next run may be before another model. */
GST_START_TEST (every_run_asks_again)
{
  Model model;
  GstHarness *h;

  model_init (&model);
  h = make_harness ("", &model);
  for (guint run = 1; run <= 2; run++) {
    g_auto (TlTransform) transform = {0};

    expect_pictures (h, TL_SPLIT_VALID, 64 * (gint) run, 48, &transform);
    fail_unless_equals_int (model.n_asked, run);
    gst_element_set_state (h->element, GST_STATE_READY);
    model.preprocess.width *= 2;
    gst_element_set_state (h->element, GST_STATE_PLAYING);
  }
  free_harness (h);
}
GST_END_TEST;

static Suite *
imagedecode_model_suite (void)
{
  Suite *suite = suite_create ("imagedecode-model");
  TCase *tcase = tcase_create ("model");

  GST_ELEMENT_REGISTER (imagedecode, NULL);
  tcase_add_loop_test (tcase, pictures_are_made_as_the_model_says, 0,
      G_N_ELEMENTS (agreeing));
  tcase_add_loop_test (tcase, only_a_centre_crop_is_resized_first, 0, 2);
  tcase_add_test (tcase, training_goes_by_the_properties);
  tcase_add_loop_test (tcase, contradiction_is_one_error_with_both_values, 0,
      G_N_ELEMENTS (contradictions));
  tcase_add_test (tcase, model_that_wants_the_unknown_is_one_error);
  tcase_add_test (tcase, every_run_asks_again);
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (imagedecode_model);
