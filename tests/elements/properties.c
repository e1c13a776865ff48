/* SPDX-License-Identifier: BSD-3-Clause */

/* Every property of batcher, resnetfinetune, checkpointsink and resnetinfer
 * does what its flags say when it is set while data flows: one that is mutable
 * in PLAYING takes effect, every other one waits for the next start. A property
 * without a row fails. */

#include "tlfeed.h"
#include "tlmodelrig.h"
#include "tlpictures.h"
#include "tlrig.h"
#include "tlsinkrig.h"

#include <gst/check/gstcheck.h>

#include <stdlib.h>

#include <tlbatchmeta.h>

#include "tlbatcher.h"
#include "tlcheckpointsink.h"
#include "tlresnetfinetune.h"
#include "tlresnetinfer.h"
#include "tlresultmeta.h"

/* ---- Runs, each described by a line per buffer that comes out ---- */

typedef struct
{
  const gchar *factory;
  const gchar *settings; /* as in a launch line; %s: the folder of the test */
  void (*stream) (GstPad *feed);
  gchar *(*describe) (GstBuffer *buffer); /* NULL: by the files it wrote */
} Subject;

static void
stream_pictures (GstPad *feed)
{
  pictures_begin (feed, PICTURE_CAPS);
  pictures_push (feed, 3, 7, 3);
  gst_pad_push_event (feed, gst_event_new_eos ());
}

static gchar *
describe_batch (GstBuffer *buffer)
{
  const TlBatchMeta *meta = tl_buffer_get_batch_meta (buffer);

  return g_strdup_printf ("%s %u of %u", tl_split_nick (meta->split),
      meta->n_valid, meta->size);
}

static void
stream_batches (GstPad *feed)
{
  Feed small = FEED_INIT;

  small.n_train = 8;
  small.n_valid = 4;
  feed_all (&small, feed);
}

static gchar *
describe_checkpoint (GstBuffer *buffer)
{
  g_autofree gpointer data = NULL;
  gsize size;

  gst_buffer_extract_dup (buffer, 0, gst_buffer_get_size (buffer), &data,
      &size);
  return g_compute_checksum_for_data (G_CHECKSUM_SHA256, data, size);
}

static void
stream_checkpoints (GstPad *feed)
{
  static const gchar *const metrics[] =
      {"loss=0.9 accuracy=0.5 balanced-accuracy=0.6 auc=0.9",
          "loss=0.5 accuracy=0.9 balanced-accuracy=0.9 auc=0.8",
          "loss=0.1 accuracy=0.6 balanced-accuracy=0.7 auc=0.7"};
  g_autoptr (GstCaps) caps =
      gst_caps_from_string ("application/x-tl-checkpoint,format=safetensors");
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_pad_push_event (feed, gst_event_new_stream_start ("checkpoints"));
  gst_pad_push_event (feed, gst_event_new_caps (caps));
  gst_pad_push_event (feed, gst_event_new_segment (&segment));
  for (guint i = 0; i < G_N_ELEMENTS (metrics); i++) {
    Checkpoint c = {.epoch = i + 1, .valid = metrics[i]};

    gst_pad_push (feed, sink_new_checkpoint (&c));
  }
  gst_pad_push_event (feed, gst_event_new_eos ());
}

/* Dim, so that the model is not all too sure. */
static GstBuffer *
new_dim_frame (guint bright)
{
  GstBuffer *frame = model_new_frame (32, 32, bright);
  GstMapInfo map;

  gst_buffer_map (frame, &map, GST_MAP_READWRITE);
  for (gsize i = 0; i < map.size; i++)
    map.data[i] /= 16;
  gst_buffer_unmap (frame, &map);
  return frame;
}

static void
stream_frames (GstPad *feed)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (
      "video/x-raw,format=RGB,width=32,height=32,framerate=25/1");
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (feed, gst_event_new_stream_start ("frames"));
  gst_pad_push_event (feed, gst_event_new_caps (caps));
  gst_pad_push_event (feed, gst_event_new_segment (&segment));
  for (guint i = 0; i < 4; i++) {
    GstBuffer *frame = new_dim_frame (1 + i % 2);

    GST_BUFFER_PTS (frame) = i * 40 * GST_MSECOND;
    gst_pad_push (feed, frame);
  }
}

static gchar *
describe_result (GstBuffer *buffer)
{
  const TlResultMeta *meta = tl_buffer_get_result_meta (buffer);
  GString *text = g_string_new (tl_result_state_nick (meta->state));

  for (guint i = 0; i < meta->n; i++)
    g_string_append_printf (text, " %s=%.6f",
        g_quark_to_string (meta->top[i].name), meta->top[i].probability);
  return g_string_free (text, FALSE);
}

static const Subject batcher = {"batcher", "", stream_pictures, describe_batch};
static const Subject trainer = {"resnetfinetune",
    "weights=%s/thumbnail.safetensors device=cpu lr=0.1 report-interval=0 "
    "n-threads=1",
    stream_batches, describe_checkpoint};
static const Subject sink = {"checkpointsink", "location=%s/run save-top-k=2",
    stream_checkpoints, NULL};
static const Subject infer = {"resnetinfer",
    "checkpoint=%s/good device=cpu n-threads=1", stream_frames,
    describe_result};

static const Subject *const subjects[] = {&batcher, &trainer, &sink, &infer};

/* ---- The table ---- */

typedef struct
{
  const Subject *subject;
  const gchar *property;
  const gchar *before, *after; /* NULL: read-only. %s as above */
  const gchar *with;           /* more settings, or NULL */
  gboolean same;               /* what comes out does not tell them apart */
} Row;

static const Row rows[] = {
    {&batcher, "batch-size", "4", "3"},
    {&batcher, "drop-last", "false", "true"},

    {&trainer, "arch", "auto", "resnet50"},
    {&trainer, "weights", "%s/thumbnail.safetensors", "%s/none"},
    {&trainer, "resume", "", "%s/none"},
    {&trainer, "device", "cpu", "tpu"},
    {&trainer, "precision", "fp32", "bf16"},
    {&trainer, "exact", "false", "true"},
    {&trainer, "mean", "", "0,0,0"},
    {&trainer, "std", "", "1,1,1"},
    {&trainer, "freeze", "all-but-fc", "none"},
    {&trainer, "train-bn", "false", "true"},
    {&trainer, "optimizer", "sgd", "adamw"},
    {&trainer, "lr", "0.1", "0.2"},
    {&trainer, "momentum", "0.9", "0"},
    {&trainer, "weight-decay", "0", "0.1"},
    {&trainer, "nesterov", "false", "true"},
    {&trainer, "beta1", "0.9", "0.8", NULL, TRUE},
    {&trainer, "beta2", "0.999", "0.9", NULL, TRUE},
    {&trainer, "eps", "1e-8", "1e-3", NULL, TRUE},
    {&trainer, "label-smoothing", "0", "0.1"},
    {&trainer, "clip-grad-norm", "0", "1"},
    {&trainer, "lr-scheduler", "constant", "cosine"},
    {&trainer, "lr-step-size", "7", "1", "lr-scheduler=step"},
    {&trainer, "lr-gamma", "0.1", "0.5", "lr-scheduler=step lr-step-size=1"},
    {&trainer, "warmup-epochs", "0", "2"},
    {&trainer, "checkpoint-every", "epoch", "1"},
    {&trainer, "on-stop", "checkpoint", "nothing", NULL, TRUE},
    {&trainer, "report-interval", "0", "1", NULL, TRUE},
    {&trainer, "n-threads", "1", "2", NULL, TRUE},
    {&trainer, "loss"},
    {&trainer, "accuracy"},
    {&trainer, "val-accuracy"},
    {&trainer, "epoch"},
    {&trainer, "step"},

    {&sink, "location", "%s/run", "%s/other"},
    {&sink, "save-last", "true", "false"},
    {&sink, "save-top-k", "2", "1"},
    {&sink, "monitor", "balanced-accuracy", "auc"},
    {&sink, "mode", "auto", "min"},
    {&sink, "export", "", "pth", .same = TRUE},
    {&sink, "best-metric"},
    {&sink, "last-location"},

    {&infer, "checkpoint", "%s/good", "%s/second"},
    {&infer, "device", "cpu", "tpu"},
    {&infer, "top-k", "1", "3"},
    {&infer, "n-threads", "1", "2", NULL, TRUE},
    {&infer, "mode", "auto", "sync", NULL, TRUE},
    {&infer, "timeout-ms", "0", "60000", NULL, TRUE},
    {&infer, "interval", "1", "2"},
    {&infer, "threshold", "0", "0.5"},
    {&infer, "abstain-below", "0", "1"},
    {&infer, "smoothing", "0", "10"},
    {&infer, "hysteresis", "0", "1"},
    {&infer, "message-interval-ms", "100", "0", NULL, TRUE},
    {&infer, "field", "auto", "bottom", NULL, TRUE},
    {&infer, "inference-time"},
    {&infer, "inference-fps"},
    {&infer, "inference-p50"},
    {&infer, "inference-p95"},
    {&infer, "inference-p99"},
};

/* ---- A run ---- */

static gchar *
replace_folder (const gchar *text)
{
  g_auto (GStrv) parts = g_strsplit (text, "%s", -1);

  return g_strjoinv (sink_folder, parts);
}

static void
set_text (GstElement *element, const gchar *property, const gchar *text)
{
  g_autofree gchar *value = replace_folder (text);

  gst_util_set_object_arg (G_OBJECT (element), property, value);
}

static GstElement *
make (const Row *row, const gchar *value)
{
  g_autofree gchar *line =
      g_strdup_printf ("%s name=x %s %s", row->subject->factory,
          row->subject->settings, row->with ? row->with : "");
  g_autofree gchar *full = replace_folder (line);
  GstElement *element = gst_object_ref_sink (gst_parse_launch (full, NULL));

  set_text (element, row->property, value);
  return element;
}

typedef struct
{
  GstElement *element;
  const Row *row;
  gboolean change; /* set row->after in the middle */
  guint n_fed;
  GString *text;
} Run;

static GstPadProbeReturn
change_at_second (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  Run *run = user;

  if (++run->n_fed == 2 && run->change)
    set_text (run->element, run->row->property, run->row->after);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
describe (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  Run *run = user;
  g_autofree gchar *line =
      run->row->subject->describe (GST_PAD_PROBE_INFO_BUFFER (info));

  g_string_append_printf (run->text, "%s\n", line);
  return GST_PAD_PROBE_OK;
}

static GstFlowReturn
swallow (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static GstPad *
add_feed (Run *run)
{
  g_autoptr (GstPad) sinkpad =
      gst_element_get_static_pad (run->element, "sink");
  GstPad *pad = gst_pad_new ("feed", GST_PAD_SRC);

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, change_at_second, run,
      NULL);
  fail_unless_equals_int (gst_pad_link (pad, sinkpad), GST_PAD_LINK_OK);
  gst_pad_set_active (pad, TRUE);
  return pad;
}

static GstPad *
add_drain (Run *run)
{
  g_autoptr (GstPad) srcpad = gst_element_get_static_pad (run->element, "src");
  GstPad *pad;

  if (!srcpad)
    return NULL;
  pad = gst_pad_new ("drain", GST_PAD_SINK);
  gst_pad_set_chain_function (pad, swallow);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, describe, run, NULL);
  fail_unless_equals_int (gst_pad_link (srcpad, pad), GST_PAD_LINK_OK);
  gst_pad_set_active (pad, TRUE);
  return pad;
}

/* Names and contents of what is in the folders of checkpointsink, which it
 * removes. */
static void
describe_files (GString *text)
{
  static const gchar script[] =
      "cd '%s' && find run other -type f 2>/dev/null | sort "
      "| xargs -r sha256sum; rm -rf run other";
  g_autofree gchar *command = replace_folder (script);
  const gchar *argv[] = {"sh", "-c", command, NULL};
  g_autofree gchar *found = NULL;

  fail_unless (g_spawn_sync (NULL, (gchar **) argv, NULL, G_SPAWN_SEARCH_PATH,
      NULL, NULL, &found, NULL, NULL, NULL));
  g_string_append (text, found);
}

static void
append_error (GString *text, GstBus *bus)
{
  g_autoptr (GstMessage) message =
      gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;

  if (!message)
    return;
  gst_message_parse_error (message, &error, NULL);
  g_string_append_printf (text, "error: %s\n", error->message);
}

/* From READY or NULL and back to READY. */
static gchar *
run_once (GstElement *element, const Row *row, gboolean change)
{
  Run run = {element, row, change, 0, g_string_new (NULL)};
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstPad) feed = add_feed (&run), drain = add_drain (&run);

  gst_element_set_bus (element, bus);
  if (gst_element_set_state (element, GST_STATE_PLAYING)
      != GST_STATE_CHANGE_FAILURE)
    row->subject->stream (feed);
  gst_element_set_state (element, GST_STATE_READY);
  append_error (run.text, bus);
  gst_element_set_bus (element, NULL);
  gst_bus_set_flushing (bus, TRUE);
  if (!row->subject->describe)
    describe_files (run.text);
  return g_string_free (run.text, FALSE);
}

static void
release (GstElement *element)
{
  gst_element_set_state (element, GST_STATE_NULL);
  gst_object_unref (element);
}

static gchar *
run_new (const Row *row, const gchar *value)
{
  GstElement *element = make (row, value);
  gchar *text = run_once (element, row, FALSE);

  release (element);
  return text;
}

/* ---- Tests ---- */

static GParamSpec *
find_pspec (const gchar *factory, const gchar *property)
{
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_make (factory, NULL));

  return g_object_class_find_property (G_OBJECT_GET_CLASS (element), property);
}

/* Its first lines are as before the change, its last ones as after it. */
static void
expect_effect (const gchar *text, const gchar *before, const gchar *after)
{
  gsize n = strcspn (text, "\n");
  const gchar *last = g_strrstr_len (text, (gssize) strlen (text) - 1, "\n");

  fail_unless (strncmp (text, before, n + 1) == 0);
  fail_unless (last != NULL && g_str_has_suffix (after, last));
}

GST_START_TEST (every_property_does_what_its_flags_say)
{
  const Row *row = &rows[__i__];
  GParamSpec *pspec = find_pspec (row->subject->factory, row->property);
  g_autofree gchar *before = NULL, *after = NULL, *changed = NULL,
                   *again = NULL;
  GstElement *element;

  fail_unless (pspec != NULL, "%s", row->property);
  if (!row->before) {
    fail_if (pspec->flags & G_PARAM_WRITABLE, "%s", row->property);
    return;
  }
  before = run_new (row, row->before);
  after = run_new (row, row->after);
  fail_unless (row->same == g_str_equal (before, after), "%s: %s and %s",
      row->property, before, after);

  element = make (row, row->before);
  changed = run_once (element, row, TRUE);
  if (pspec->flags & GST_PARAM_MUTABLE_PLAYING)
    expect_effect (changed, before, after);
  else
    fail_unless (g_str_equal (changed, before), "%s: %s instead of %s",
        row->property, changed, before);
  again = run_once (element, row, FALSE);
  fail_unless (g_str_equal (again, after),
      "%s at the next start: %s instead of %s", row->property, again, after);
  release (element);
}
GST_END_TEST

static gboolean
has_row (const Subject *subject, const gchar *property)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    if (rows[i].subject == subject && g_str_equal (rows[i].property, property))
      return TRUE;
  }
  return FALSE;
}

GST_START_TEST (every_property_has_a_row_and_says_when_it_may_change)
{
  const Subject *subject = subjects[__i__];
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_make (subject->factory, NULL));
  g_autofree GParamSpec **pspecs = NULL;
  guint n;

  pspecs = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
  for (guint i = 0; i < n; i++) {
    gboolean is_writable = (pspecs[i]->flags & G_PARAM_WRITABLE) != 0;
    gboolean says_when =
        (pspecs[i]->flags
            & (GST_PARAM_MUTABLE_READY | GST_PARAM_MUTABLE_PAUSED
                | GST_PARAM_MUTABLE_PLAYING))
        != 0;

    if (pspecs[i]->owner_type != G_OBJECT_TYPE (element))
      continue;
    fail_unless (has_row (subject, pspecs[i]->name), "%s of %s",
        pspecs[i]->name, subject->factory);
    fail_unless (is_writable == says_when, "%s of %s", pspecs[i]->name,
        subject->factory);
  }
}
GST_END_TEST

/* One folder for all: that of the sink's rig. */
static void
set_up (void)
{
  g_autofree gchar *good = NULL, *second = NULL, *weights = NULL;

  sink_set_up ();
  weights = g_build_filename (sink_folder, "thumbnail.safetensors", NULL);
  rig_write_weights (weights);
  model_folder = g_strdup (sink_folder);
  good = model_write_checkpoint ("good", "[\"red\",\"green\",\"blue\"]", NULL);
  second = model_write_checkpoint ("second", "[\"a\",\"b\",\"c\"]", NULL);
}

static void
tear_down (void)
{
  g_clear_pointer (&model_folder, g_free);
  sink_tear_down ();
}

static Suite *
properties_suite (void)
{
  Suite *suite = suite_create ("properties");
  TCase *tcase = tcase_create ("properties");

  GST_ELEMENT_REGISTER (batcher, NULL);
  GST_ELEMENT_REGISTER (resnetfinetune, NULL);
  GST_ELEMENT_REGISTER (checkpointsink, NULL);
  GST_ELEMENT_REGISTER (resnetinfer, NULL);
  suite_add_tcase (suite, tcase);
  tcase_add_checked_fixture (tcase, set_up, tear_down);
  tcase_add_loop_test (tcase, every_property_does_what_its_flags_say, 0,
      G_N_ELEMENTS (rows));
  tcase_add_loop_test (tcase,
      every_property_has_a_row_and_says_when_it_may_change, 0,
      G_N_ELEMENTS (subjects));
  return suite;
}

GST_CHECK_MAIN (properties);
