/* SPDX-License-Identifier: BSD-3-Clause */

/* Whole lines under random sequences of everything an application, a disk, a
 * backend and a data set can do to them. After each sequence a plain run of the
 * same pipeline must finish and give the bytes of an undisturbed one.
 *
 * TLPIPE_STORM_SEQUENCES (200, as many as fit into 80 s) and TLPIPE_STORM_SEED;
 * the seed is printed. A sequence that fails or hangs is printed too. */

#include "tlline.h"
#include "tlresnetinfer.h"
#include "tltree.h"

#include <stdio.h>
#include <string.h>

#include <gst/check/gstcheck.h>

#define N_SEQUENCES 200
#define BUDGET (80 * G_TIME_SPAN_SECOND)
#define MAX_ACTIONS 10
#define HANG_SECONDS 60

typedef struct
{
  Line line;
  const gchar *run; /* NULL: the line of resnetinfer */
  GRand *rand;

  gboolean is_taken_out; /* augment */
  gboolean is_disk_bad;

  /* Atomic. */
  gint n_steps; /* of this process, about; the backend's count after an error */
  gint n_expected; /* pictures of a plain run of resnetinfer */
  gint n_out;      /* what came out of the model since the last stop */
  GstPad *fail_at; /* its next buffer is answered with GST_FLOW_ERROR */

  guint n_faults; /* that were reported */

  /* Since the last stop; atomic where messages count. */
  gboolean is_at_fault;
  gint n_own_errors;  /* of the element at fault */
  gint n_flow_errors; /* of the source and the queue, which learned of it */
  gint n_flushes;     /* each lets both begin again, and learn of it again */
} Storm;

/* ---- The watchdog ---- */

static GMutex watch_lock;
static GCond watch_changed;
static GString *watch_log; /* of the sequence, under watch_lock */
static gboolean watch_is_over;

static void
write_down (const gchar *text)
{
  g_mutex_lock (&watch_lock);
  g_string_append_printf (watch_log, " %s", text);
  g_mutex_unlock (&watch_lock);
}

static gpointer
watch (gpointer data)
{
  g_mutex_lock (&watch_lock);
  while (!watch_is_over) {
    gint64 end = g_get_monotonic_time () + HANG_SECONDS * G_TIME_SPAN_SECOND;

    if (!g_cond_wait_until (&watch_changed, &watch_lock, end))
      g_error ("hangs after:%s", watch_log->str);
  }
  g_mutex_unlock (&watch_lock);
  return NULL;
}

static void
begin_sequence (guint32 seed)
{
  g_mutex_lock (&watch_lock);
  g_string_printf (watch_log, "[TLPIPE_STORM_SEED=%u]", seed);
  g_cond_signal (&watch_changed);
  g_mutex_unlock (&watch_lock);
}

#define EXPECT(condition) fail_unless (condition, "after:%s", watch_log->str)

/* ---- Faults that are seen ---- */

static GstBusSyncReply
count_message (GstBus *bus, GstMessage *message, gpointer data)
{
  Storm *storm = data;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL;
  const gchar *fault;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR)
    return GST_BUS_PASS;
  gst_message_parse_error (message, &error, &debug);
  write_down (error->message);
  fault = strstr (error->message, "fails at call ");
  if (fault)
    g_atomic_int_set (&storm->n_steps,
        atoi (fault + strlen ("fails at call ")));
  if (strstr (debug, "stopped, reason") || strstr (debug, "paused, reason"))
    g_atomic_int_inc (&storm->n_flow_errors);
  else
    g_atomic_int_inc (&storm->n_own_errors);
  return GST_BUS_PASS;
}

/* To READY or NULL, where a run is over: without a fault it has no error, with
 * one it has one at most, apart from GStreamer's own "streaming stopped" of the
 * source, and of the queue, which cannot pass the EOS on that follows it. */
static void
stop (Storm *storm, GstState state)
{
  gint most = storm->is_at_fault || storm->is_disk_bad;

  /* From NULL, READY may be out of reach. */
  line_set_state (&storm->line, storm->is_disk_bad ? GST_STATE_NULL : state);
  EXPECT (g_atomic_int_get (&storm->n_own_errors) <= most);
  EXPECT (g_atomic_int_get (&storm->n_flow_errors)
      <= 2 * most * (1 + storm->n_flushes));
  storm->n_faults += storm->n_own_errors + storm->n_flow_errors > 0;
  storm->is_at_fault = FALSE;
  storm->n_own_errors = storm->n_flow_errors = storm->n_out = 0;
  storm->n_flushes = 0;
  g_atomic_pointer_set (&storm->fail_at, NULL);
  g_unsetenv ("TLPIPE_REFERENCE_FAIL");
}

/* ---- What can happen ---- */

static gulong
draw (Storm *storm, gint below)
{
  return (gulong) g_rand_int_range (storm->rand, 0, below);
}

/* What does not start has a fault that was told, and is stopped again. A bin
 * fails also where an error comes from a stream while it changes its state. */
static void
start (Storm *storm, GstState state)
{
  if (gst_element_set_state (storm->line.pipeline, state)
      != GST_STATE_CHANGE_FAILURE)
    return;
  EXPECT (g_atomic_int_get (&storm->n_own_errors)
          + g_atomic_int_get (&storm->n_flow_errors)
      > 0);
  stop (storm, GST_STATE_READY);
}

static void
play (Storm *storm)
{
  start (storm, GST_STATE_PLAYING);
}

static void
pause_line (Storm *storm)
{
  start (storm, GST_STATE_PAUSED);
}

static void
stop_to_ready (Storm *storm)
{
  stop (storm, GST_STATE_READY);
}

static void
stop_to_null (Storm *storm)
{
  stop (storm, GST_STATE_NULL);
}

static void
wait_a_little (Storm *storm)
{
  g_usleep (draw (storm, 15000));
}

static void
flush (Storm *storm)
{
  storm->n_flushes++;
  gst_element_send_event (storm->line.source, gst_event_new_flush_start ());
  gst_element_send_event (storm->line.source, gst_event_new_flush_stop (TRUE));
}

static void
send_eos (Storm *storm)
{
  gst_element_send_event (storm->line.pipeline, gst_event_new_eos ());
}

static void
seek (Storm *storm)
{
  gst_element_seek_simple (storm->line.pipeline, GST_FORMAT_TIME,
      GST_SEEK_FLAG_FLUSH, 0);
}

static void
add_bad_file (Storm *storm)
{
  tree_add (line_data, "odd/bad.png");
}

static void
move_file (const gchar *from, const gchar *to)
{
  g_autofree gchar *a = g_build_filename (line_folder, from, NULL);
  g_autofree gchar *b = g_build_filename (line_folder, to, NULL);

  g_rename (a, b);
}

static void
lose_a_file (Storm *storm)
{
  move_file ("data/even/00.png", "00.png");
}

static void
fail_downstream (Storm *storm)
{
  GstElement *const elements[] = {storm->line.source, storm->line.decoder,
      storm->line.batcher, storm->line.trainer};
  GstElement *element = elements[draw (storm, storm->run ? 4 : 2)];
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, "src");

  storm->is_at_fault = TRUE;
  g_atomic_pointer_set (&storm->fail_at, pad);
}

/* Works on the runs that begin later. */
static void
fail_backend (Storm *storm)
{
  gint n = g_atomic_int_get (&storm->n_steps) + 1 + (gint) draw (storm, 10);
  g_autofree gchar *text = g_strdup_printf ("step:%d,infer:%d", n, n);

  stop (storm, GST_STATE_READY);
  storm->is_at_fault = storm->run != NULL;
  g_setenv ("TLPIPE_REFERENCE_FAIL", text, TRUE);
}

static void
slow_down (Storm *storm)
{
  stop (storm, GST_STATE_READY);
  g_setenv ("TLPIPE_REFERENCE_FAIL", "step-ms:2,infer-ms:1", TRUE);
}

/* The folder of the run is moved away, and a file stands in its place. */
static void
fail_disk (Storm *storm)
{
  if (!storm->run || storm->is_disk_bad)
    return;
  storm->is_disk_bad = TRUE;
  move_file (storm->run, "moved");
  tree_add_bytes (line_folder, storm->run, "x", 1);
}

static void
set_properties (Storm *storm)
{
  g_object_set (storm->line.source, "seed", (guint64) draw (storm, 100),
      "max-samples", 8, NULL);
  g_object_set (storm->line.decoder, "n-threads", 1 + (guint) draw (storm, 4),
      NULL);
  if (storm->run) {
    g_object_set (storm->line.batcher, "batch-size",
        1 + (guint) draw (storm, 9), NULL);
    g_object_set (storm->line.trainer, "lr", 0.5, "checkpoint-every", "2",
        NULL);
  }
}

static void
save_now (Storm *storm)
{
  if (storm->run)
    g_signal_emit_by_name (storm->line.trainer, "save-now");
}

static void
take_out (Storm *storm)
{
  Line *line = &storm->line;

  if (!storm->run || storm->is_taken_out)
    return;
  stop (storm, GST_STATE_READY);
  gst_bin_remove (GST_BIN (line->pipeline), gst_object_ref (line->augment));
  gst_element_set_state (line->augment, GST_STATE_NULL);
  fail_unless (gst_element_link (line->decoder, line->batcher));
  storm->is_taken_out = TRUE;
}

static void
put_back (Storm *storm)
{
  Line *line = &storm->line;

  if (!storm->is_taken_out)
    return;
  stop (storm, GST_STATE_READY);
  gst_element_unlink (line->decoder, line->batcher);
  gst_bin_add (GST_BIN (line->pipeline), line->augment);
  gst_object_unref (line->augment);
  fail_unless (gst_element_link_many (line->decoder, line->augment,
      line->batcher, NULL));
  storm->is_taken_out = FALSE;
}

static const struct
{
  const gchar *name;
  void (*act) (Storm *storm);
  guint weight;
} actions[] = {
    {"play", play, 6},
    {"pause", pause_line, 3},
    {"ready", stop_to_ready, 2},
    {"null", stop_to_null, 2},
    {"wait", wait_a_little, 6},
    {"flush", flush, 3},
    {"eos", send_eos, 1},
    {"seek", seek, 1},
    {"bad-file", add_bad_file, 1},
    {"lost-file", lose_a_file, 1},
    {"downstream-error", fail_downstream, 1},
    {"backend-error", fail_backend, 1},
    {"slow-backend", slow_down, 1},
    {"disk-error", fail_disk, 1},
    {"properties", set_properties, 1},
    {"save-now", save_now, 2},
    {"take-out", take_out, 1},
    {"put-back", put_back, 1},
};

static void
act (Storm *storm)
{
  guint sum = 0, drawn, i = 0;

  for (guint k = 0; k < G_N_ELEMENTS (actions); k++)
    sum += actions[k].weight;
  drawn = (guint) draw (storm, (gint) sum);
  while (drawn >= actions[i].weight)
    drawn -= actions[i++].weight;
  write_down (actions[i].name);
  actions[i].act (storm);
}

/* ---- Back to what it was ---- */

static void
remove_file (const gchar *path)
{
  g_autofree gchar *full = g_build_filename (line_folder, path, NULL);

  g_unlink (full);
}

static void
mend_files (Storm *storm)
{
  remove_file ("data/odd/bad.png");
  move_file ("00.png", "data/even/00.png");
  if (storm->is_disk_bad) {
    remove_file (storm->run);
    move_file ("moved", storm->run);
  }
  storm->is_disk_bad = FALSE;
}

static void
mend_properties (Storm *storm)
{
  g_object_set (storm->line.source, "seed", (guint64) 1, "max-samples", 0,
      NULL);
  if (storm->run) {
    g_object_set (storm->line.batcher, "batch-size", 4, NULL);
    g_object_set (storm->line.trainer, "lr", 1e-3, "checkpoint-every", "1",
        NULL);
  }
}

static void
expect_plain_run (Storm *storm)
{
  stop (storm, draw (storm, 2) ? GST_STATE_READY : GST_STATE_NULL);
  put_back (storm);
  mend_files (storm);
  mend_properties (storm);
  gst_bus_set_flushing (storm->line.bus, TRUE);
  gst_bus_set_flushing (storm->line.bus, FALSE);
  write_down ("plain run");
  line_set_state (&storm->line, GST_STATE_PLAYING);
  line_expect_eos (&storm->line);
  EXPECT (storm->run || g_atomic_int_get (&storm->n_out) == storm->n_expected);
  stop (storm, GST_STATE_READY);
  if (storm->run)
    line_expect_same ("whole", storm->run);
}

/* ---- The storms ---- */

static GstPadProbeReturn
fail_if_asked (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Storm *storm = data;

  if (!g_atomic_pointer_compare_and_exchange (&storm->fail_at, pad, NULL))
    return GST_PAD_PROBE_OK;
  gst_clear_buffer ((GstBuffer **) &info->data);
  GST_PAD_PROBE_INFO_FLOW_RETURN (info) = GST_FLOW_ERROR;
  return GST_PAD_PROBE_HANDLED;
}

static GstPadProbeReturn
count_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer count)
{
  g_atomic_int_inc ((gint *) count);
  return GST_PAD_PROBE_OK;
}

static void
add_probe (Storm *storm, GstElement *element, const gchar *name,
    GstPadProbeCallback callback, gpointer data)
{
  g_autoptr (GstPad) pad =
      element ? gst_element_get_static_pad (element, name) : NULL;

  if (pad)
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, callback, data, NULL);
}

static void
add_probes (Storm *storm)
{
  Line *line = &storm->line;

  add_probe (storm, line->source, "src", fail_if_asked, storm);
  add_probe (storm, line->decoder, "src", fail_if_asked, storm);
  add_probe (storm, line->batcher, "src", fail_if_asked, storm);
  add_probe (storm, line->trainer, "src", fail_if_asked, storm);
  add_probe (storm, line->trainer, "sink", count_buffer, &storm->n_steps);
  add_probe (storm, line->sink, "sink", count_buffer, &storm->n_out);
  gst_bus_set_sync_handler (line->bus, count_message, storm, NULL);
}

/* datasetsrc ! imagedecode ! resnetinfer ! fakesink, with what "whole" gave. */
static void
init_infer_line (Line *line)
{
  g_autofree gchar *text = g_strdup_printf (
      "datasetsrc name=source location=%s epochs=2 seed=1 group=none ! "
      "imagedecode name=decoder n-threads=2 ! resnetinfer device=cpu "
      "n-threads=1 checkpoint=%s/whole/last.safetensors ! "
      "fakesink name=sink sync=false",
      line_data, line_folder);
  GstBin *bin;

  *line = (Line){.pipeline = gst_parse_launch (text, NULL)};
  fail_unless (line->pipeline != NULL, "%s", text);
  bin = GST_BIN (line->pipeline);
  line->source = gst_bin_get_by_name (bin, "source");
  line->decoder = gst_bin_get_by_name (bin, "decoder");
  line->sink = gst_bin_get_by_name (bin, "sink");
  /* The pipeline owns them, as it does in a Line. */
  gst_object_unref (line->source);
  gst_object_unref (line->decoder);
  gst_object_unref (line->sink);
  line->bus = gst_element_get_bus (line->pipeline);
}

static void
init_storm (Storm *storm, const gchar *run)
{
  *storm = (Storm){.run = run};
  if (run)
    line_init (&storm->line, run);
  else
    init_infer_line (&storm->line);
  add_probes (storm);
}

static void
run_sequence (Storm *storm, guint32 seed)
{
  guint n;

  begin_sequence (seed);
  storm->rand = g_rand_new_with_seed (seed);
  n = 2 + (guint) draw (storm, MAX_ACTIONS - 1);
  for (guint i = 0; i < n; i++)
    act (storm);
  expect_plain_run (storm);
  g_rand_free (storm->rand);
}

static guint
read_number (const gchar *variable, guint preset)
{
  const gchar *text = g_getenv (variable);

  return text ? (guint) g_ascii_strtoull (text, NULL, 10) : preset;
}

static void
run_storm (Storm *storm, guint n, gint64 budget)
{
  guint32 seed = read_number ("TLPIPE_STORM_SEED", g_random_int () >> 1);
  gint64 end = g_get_monotonic_time () + budget;
  GThread *watchdog;
  guint i;

  watch_log = g_string_new (NULL);
  watch_is_over = FALSE;
  watchdog = g_thread_new ("watchdog", watch, NULL);
  printf ("seed %u\n", seed);
  for (i = 0; i < n && g_get_monotonic_time () < end; i++)
    run_sequence (storm, seed + i);
  printf ("%u sequences, %u runs with an error\n", i, storm->n_faults);
  g_mutex_lock (&watch_lock);
  watch_is_over = TRUE;
  g_cond_broadcast (&watch_changed);
  g_mutex_unlock (&watch_lock);
  g_thread_join (watchdog);
  g_string_free (watch_log, TRUE);
}

static void
train_undisturbed (void)
{
  Line line;

  line_init (&line, "whole");
  line_set_state (&line, GST_STATE_PLAYING);
  line_expect_eos (&line);
  line_clear (&line);
}

GST_START_TEST (line_that_trains_survives_everything)
{
  Storm storm;

  train_undisturbed ();
  init_storm (&storm, "storm");
  run_storm (&storm, read_number ("TLPIPE_STORM_SEQUENCES", N_SEQUENCES),
      BUDGET);
  line_clear (&storm.line);
}
GST_END_TEST

GST_START_TEST (line_that_classifies_survives_everything)
{
  Storm storm;

  train_undisturbed ();
  init_storm (&storm, NULL);
  line_set_state (&storm.line, GST_STATE_PLAYING);
  line_expect_eos (&storm.line);
  storm.n_expected = g_atomic_int_get (&storm.n_out);
  fail_unless (storm.n_expected > 0);
  run_storm (&storm, read_number ("TLPIPE_STORM_SEQUENCES", N_SEQUENCES) / 4,
      BUDGET / 4);
  line_clear (&storm.line);
}
GST_END_TEST

static Suite *
storm_suite (void)
{
  Suite *suite = suite_create ("storm");
  TCase *tcase = tcase_create ("storm");

  line_register ();
  GST_ELEMENT_REGISTER (resnetinfer, NULL);
  tcase_set_timeout (tcase, 600);
  tcase_add_checked_fixture (tcase, line_set_up, line_tear_down);
  tcase_add_test (tcase, line_that_trains_survives_everything);
  tcase_add_test (tcase, line_that_classifies_survives_everything);
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (storm);
