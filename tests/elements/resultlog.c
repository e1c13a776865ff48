/* SPDX-License-Identifier: BSD-3-Clause */

/* resultlog on buffers with results made here: what is in the file. */

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tlresultlog.h"
#include "tlresultmeta.h"

/* Of a file below its limit; libcheck's own files stay smaller. */
#define FULL (1 << 20)

#define FRAME (40 * GST_MSECOND)

static gchar *folder;

static void
set_up (void)
{
  folder = g_dir_make_tmp ("resultlog-XXXXXX", NULL);
  fail_unless (folder != NULL);
}

static void
empty (const gchar *path)
{
  GDir *dir = g_dir_open (path, 0, NULL);
  const gchar *name;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree gchar *file = g_build_filename (path, name, NULL);

    g_remove (file);
  }
  if (dir)
    g_dir_close (dir);
}

static void
tear_down (void)
{
  empty (folder);
  g_rmdir (folder);
  g_clear_pointer (&folder, g_free);
}

static gchar *
get_path (const gchar *name)
{
  return g_build_filename (folder, name, NULL);
}

static GstHarness *
new_harness (const gchar *name, const gchar *settings)
{
  g_autofree gchar *path = get_path (name);
  g_autofree gchar *line =
      g_strdup_printf ("resultlog location=%s %s", path, settings);
  GstHarness *h = gst_harness_new_parse (line);

  gst_harness_set_src_caps_str (h, "application/x-anything");
  return h;
}

/* Frame @i; @name NULL: without a result. */
static GstBuffer *
new_frame (guint i, guint64 serial, const gchar *name)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 16, NULL);
  TlResultMeta *meta;

  GST_BUFFER_PTS (buffer) = i * FRAME;
  GST_BUFFER_DURATION (buffer) = FRAME;
  meta = tl_buffer_add_result_meta (buffer);
  if (!name)
    return buffer;
  meta->state = TL_RESULT_VALID;
  meta->serial = serial;
  meta->age = 0;
  meta->inference_time = 5;
  meta->n = 2;
  meta->top[0] = (TlResultClass){7, g_quark_from_string (name), 0.75};
  meta->top[1] = (TlResultClass){1, g_quark_from_string ("other"), 0.25};
  return buffer;
}

static void
push (GstHarness *h, guint i, guint64 serial, const gchar *name)
{
  GstBuffer *out = gst_harness_push_and_pull (h, new_frame (i, serial, name));

  fail_unless (out != NULL);
  gst_buffer_unref (out);
}

static gchar *
read_file (const gchar *name)
{
  g_autofree gchar *path = get_path (name);
  gchar *text = NULL;

  g_file_get_contents (path, &text, NULL, NULL);
  return text;
}

static void
expect_file (const gchar *name, const gchar *expected)
{
  g_autofree gchar *text = read_file (name);

  fail_unless (g_strcmp0 (text, expected) == 0, "%s:\n%s\nexpected:\n%s", name,
      text, expected);
}

static guint64
get_number (GstHarness *h, const gchar *property)
{
  g_autoptr (GstElement) element = gst_harness_find_element (h, "resultlog");
  guint64 value;

  g_object_get (element, property, &value, NULL);
  return value;
}

static void
finish (GstHarness *h)
{
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
}

/* ---- What is written ---- */

#define JSON(time, ns, frame, serial, name)                                    \
  "{\"time\":\"" time "\",\"ns\":" ns ",\"frame\":" frame                      \
  ",\"serial\":" serial ",\"state\":\"valid\",\"reason\":null,"                \
  "\"model\":null,\"age_ns\":0,\"inference_ns\":5,\"skipped\":0,"              \
  "\"top\":[{\"index\":7,\"class\":\"" name "\",\"probability\":0.75}]}\n"
#define CSV_HEADER                                                             \
  "time,ns,frame,serial,state,reason,model,age_ns,inference_ns,skipped,"       \
  "class_1,probability_1\n"

static const struct
{
  const gchar *name, *file, *settings, *expected;
} written[] = {
    {"jsonl", "a.jsonl", "top-k=1",
        JSON ("0:00:00.000", "0", "0", "1", "bees")
            JSON ("0:00:00.080", "80000000", "2", "2", "bees")
                JSON ("0:00:00.120", "120000000", "3", "3", "ants")},
    {"csv", "a.CSV", "top-k=1 flush=none",
        CSV_HEADER "0:00:00.000,0,0,1,valid,,,0,5,0,bees,0.75\n"
                   "0:00:00.080,80000000,2,2,valid,,,0,5,0,bees,0.75\n"
                   "0:00:00.120,120000000,3,3,valid,,,0,5,0,ants,0.75\n"},
    {"csv-frames", "a.csv", "top-k=1 every=frame flush=sync",
        CSV_HEADER "0:00:00.000,0,0,1,valid,,,0,5,0,bees,0.75\n"
                   "0:00:00.040,40000000,1,1,valid,,,0,5,0,bees,0.75\n"
                   "0:00:00.080,80000000,2,2,valid,,,0,5,0,bees,0.75\n"
                   "0:00:00.120,120000000,3,3,valid,,,0,5,0,ants,0.75\n"},
    {"vtt", "a.vtt", "",
        "WEBVTT\n\n00:00:00.000 --> 00:00:00.120\nbees\n\n"
        "00:00:00.120 --> 00:00:00.160\nants\n\n"},
    {"format-wins", "a.txt", "format=vtt flush=none",
        "WEBVTT\n\n00:00:00.000 --> 00:00:00.120\nbees\n\n"
        "00:00:00.120 --> 00:00:00.160\nants\n\n"},
};

GST_START_TEST (results_are_written_as_the_format_says)
{
  GstHarness *h = new_harness (written[__i__].file, written[__i__].settings);

  push (h, 0, 1, "bees");
  push (h, 1, 1, "bees");
  push (h, 2, 2, "bees");
  push (h, 3, 3, "ants");
  finish (h);
  expect_file (written[__i__].file, written[__i__].expected);
  fail_unless_equals_uint64 (get_number (h, "n-dropped"), 0);
  fail_unless (get_number (h, "n-written") >= 2);
  gst_harness_teardown (h);
}
GST_END_TEST

GST_START_TEST (cues_end_where_the_result_is_absent)
{
  GstHarness *h = new_harness ("a.vtt", "");

  push (h, 0, 1, "a <b> & c\n");
  push (h, 1, 0, NULL);
  push (h, 2, 2, "bees");
  finish (h);
  expect_file ("a.vtt",
      "WEBVTT\n\n00:00:00.000 --> 00:00:00.040\na &lt;b&gt; &amp; c \n\n"
      "00:00:00.080 --> 00:00:00.120\nbees\n\n");
  gst_harness_teardown (h);
}
GST_END_TEST

GST_START_TEST (buffers_without_meta_are_no_entries)
{
  GstHarness *h = new_harness ("a.jsonl", "");
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 3, NULL);
  GstBuffer *out = gst_harness_push_and_pull (h, buffer);

  fail_unless (out == buffer);
  gst_buffer_unref (out);
  finish (h);
  expect_file ("a.jsonl", "");
  gst_harness_teardown (h);
}
GST_END_TEST

/* ---- Append ---- */

static void
run_once (const gchar *file, const gchar *settings)
{
  GstHarness *h = new_harness (file, settings);

  push (h, 0, 1, "bees");
  finish (h);
  gst_harness_teardown (h);
}

GST_START_TEST (append_goes_on_below_one_header)
{
  run_once ("a.csv", "append=true top-k=1");
  run_once ("a.csv", "append=true top-k=1");
  expect_file ("a.csv",
      CSV_HEADER "0:00:00.000,0,0,1,valid,,,0,5,0,bees,0.75\n"
                 "0:00:00.000,0,0,1,valid,,,0,5,0,bees,0.75\n");
  run_once ("a.csv", "top-k=1");
  expect_file ("a.csv",
      CSV_HEADER "0:00:00.000,0,0,1,valid,,,0,5,0,bees,0.75\n");
}
GST_END_TEST

GST_START_TEST (append_cuts_a_line_that_a_crash_left)
{
  g_autofree gchar *path = get_path ("a.csv");

  fail_unless (
      g_file_set_contents (path, CSV_HEADER "0:00:00.000,0,0,1,val", -1, NULL));
  run_once ("a.csv", "append=true top-k=1");
  expect_file ("a.csv",
      CSV_HEADER "0:00:00.000,0,0,1,valid,,,0,5,0,bees,0.75\n");
}
GST_END_TEST

/* ---- Refusals ---- */

static const struct
{
  const gchar *name, *settings, *content, *text;
} refused[] = {
    {"no-location", "", NULL, "location is not set"},
    {"no-format", "location=%s/a.txt", NULL, "does not tell the format"},
    {"no-folder", "location=%s/none/a.csv", NULL, "No such file"},
    {"a-folder", "location=%s format=csv", NULL, "directory"},
    {"other-file", "location=%s/a.csv append=true", "my thesis",
        "begins otherwise"},
    {"no-log", "location=%s/a.csv append=true format=jsonl", "my thesis",
        "begins otherwise"},
};

GST_START_TEST (locations_that_cannot_be_are_refused_at_the_start)
{
  g_auto (GStrv) parts = g_strsplit (refused[__i__].settings, "%s", 2);
  g_autofree gchar *settings = g_strjoinv (folder, parts);
  g_autofree gchar *line = g_strdup_printf ("resultlog %s", settings);
  g_autofree gchar *path = get_path ("a.csv");
  GstElement *element = gst_parse_launch (line, NULL);
  GstBus *bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  if (refused[__i__].content)
    g_file_set_contents (path, refused[__i__].content, -1, NULL);
  gst_element_set_bus (element, bus);
  fail_unless (gst_element_set_state (element, GST_STATE_PAUSED)
      == GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL, "%s", refused[__i__].name);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (strstr (error->message, refused[__i__].text) != NULL, "%s: %s",
      refused[__i__].name, error->message);
  if (refused[__i__].content)
    expect_file ("a.csv", refused[__i__].content);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}
GST_END_TEST

GST_START_TEST (one_log_has_one_writer)
{
  GstHarness *h = new_harness ("a.csv", "");
  g_autofree gchar *path = get_path ("a.csv");
  GstElement *second = gst_element_factory_make ("resultlog", NULL);

  g_object_set (second, "location", path, NULL);
  fail_unless (gst_element_set_state (second, GST_STATE_PAUSED)
      == GST_STATE_CHANGE_FAILURE);
  gst_element_set_state (second, GST_STATE_NULL);
  gst_object_unref (second);
  gst_harness_teardown (h);
}
GST_END_TEST

/* ---- Faults ---- */

static void
expect_warning (GstBus *bus, const gchar *text)
{
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND, GST_MESSAGE_WARNING);
  g_autoptr (GError) error = NULL;

  fail_unless (message != NULL);
  gst_message_parse_warning (message, &error, NULL);
  fail_unless (strstr (error->message, text) != NULL, "%s", error->message);
}

/* The device is always full: every frame passes, one warning, one at the end. */
GST_START_TEST (full_disk_warns_once_and_holds_no_frame)
{
  GstHarness *h = gst_harness_new_parse (
      "resultlog location=/dev/full format=jsonl every=frame");
  g_autoptr (GstElement) element = gst_harness_find_element (h, "resultlog");
  GstBus *bus = gst_bus_new ();
  gint64 begin;

  gst_element_set_bus (element, bus);
  gst_harness_set_src_caps_str (h, "application/x-anything");
  for (guint i = 0; i < 5000; i++)
    push (h, i, i + 1, "bees");
  expect_warning (bus, "No space left");
  begin = g_get_monotonic_time ();
  finish (h);
  fail_unless (g_get_monotonic_time () - begin > G_USEC_PER_SEC);
  expect_warning (bus, "last results are not in the log");
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING) == NULL);
  fail_unless (get_number (h, "n-dropped") >= 5000 - 4096);
  fail_unless_equals_uint64 (get_number (h, "n-written"), 0);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}
GST_END_TEST

/* Room for a few lines and a part of one: the file ends with a whole line, and
 * when there is room again nothing is missing. */
GST_START_TEST (short_write_is_taken_back_and_made_up_for)
{
  g_autofree gchar *path = get_path ("a.jsonl");
  g_autofree gchar *before = g_strnfill (FULL, ' ');
  g_autoptr (GstElement) element = NULL;
  GstHarness *h;
  GstBus *bus = gst_bus_new ();
  g_autofree gchar *partial = NULL;
  g_autofree gchar *text = NULL;
  g_auto (GStrv) lines = NULL;
  struct rlimit limit, old;

  before[0] = '{';
  before[FULL - 1] = '\n';
  fail_unless (g_file_set_contents (path, before, FULL, NULL));
  h = new_harness ("a.jsonl", "every=frame append=true");
  element = gst_harness_find_element (h, "resultlog");
  gst_element_set_bus (element, bus);
  getrlimit (RLIMIT_FSIZE, &old);
  limit = old;
  limit.rlim_cur = FULL + 1000;
  fail_unless (setrlimit (RLIMIT_FSIZE, &limit) == 0);
  for (guint i = 0; i < 50; i++)
    push (h, i, i + 1, "bees");
  expect_warning (bus, "File too large");
  partial = read_file ("a.jsonl");
  fail_unless (g_str_has_suffix (partial, "\n"));
  setrlimit (RLIMIT_FSIZE, &old);
  finish (h);
  text = read_file ("a.jsonl");
  lines = g_strsplit (text, "\n", -1);
  fail_unless_equals_int (g_strv_length (lines), 52);
  for (guint i = 1; i <= 50; i++)
    fail_unless (g_str_has_prefix (lines[i], "{\"time\"")
        && g_str_has_suffix (lines[i], "]}"));
  fail_unless_equals_uint64 (get_number (h, "n-dropped"), 0);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}
GST_END_TEST

/* A file that was moved away stays whole, and a new one begins with a header. */
GST_START_TEST (moved_file_is_followed_by_a_new_one)
{
  GstHarness *h = new_harness ("a.csv", "every=frame top-k=1");
  g_autofree gchar *from = get_path ("a.csv");
  g_autofree gchar *to = get_path ("b.csv");
  g_autofree gchar *text = NULL;

  push (h, 0, 1, "bees");
  finish (h);
  fail_unless (g_rename (from, to) == 0);
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_harness_set_src_caps_str (h, "application/x-anything");
  g_usleep (11 * G_USEC_PER_SEC / 10);
  push (h, 1, 2, "ants");
  finish (h);
  expect_file ("b.csv",
      CSV_HEADER "0:00:00.000,0,0,1,valid,,,0,5,0,bees,0.75\n");
  expect_file ("a.csv",
      CSV_HEADER "0:00:00.040,40000000,1,2,valid,,,0,5,0,ants,0.75\n");
  gst_harness_teardown (h);
}
GST_END_TEST

/* A pipe takes a cue when it ends, and may lose its reader. */
GST_START_TEST (pipe_takes_whole_cues)
{
  g_autofree gchar *path = get_path ("pipe");
  gchar text[256] = "";
  GstHarness *h;
  gint fd;

  fail_unless (mkfifo (path, 0600) == 0);
  fd = open (path, O_RDONLY | O_NONBLOCK);
  h = new_harness ("pipe", "format=vtt");
  push (h, 0, 1, "bees");
  push (h, 1, 2, "bees");
  push (h, 2, 3, "ants");
  finish (h);
  fail_unless (read (fd, text, sizeof text - 1) > 0);
  fail_unless_equals_string (text,
      "WEBVTT\n\n00:00:00.000 --> 00:00:00.080\nbees\n\n"
      "00:00:00.080 --> 00:00:00.120\nants\n\n");
  close (fd);
  gst_harness_teardown (h);
}
GST_END_TEST

static Suite *
resultlog_suite (void)
{
  Suite *s = suite_create ("resultlog");
  TCase *tc = tcase_create ("general");

  GST_ELEMENT_REGISTER (resultlog, NULL);
  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 100);
  tcase_add_checked_fixture (tc, set_up, tear_down);
  tcase_add_loop_test (tc, results_are_written_as_the_format_says, 0,
      G_N_ELEMENTS (written));
  tcase_add_test (tc, cues_end_where_the_result_is_absent);
  tcase_add_test (tc, buffers_without_meta_are_no_entries);
  tcase_add_test (tc, append_goes_on_below_one_header);
  tcase_add_test (tc, append_cuts_a_line_that_a_crash_left);
  tcase_add_loop_test (tc, locations_that_cannot_be_are_refused_at_the_start, 0,
      G_N_ELEMENTS (refused));
  tcase_add_test (tc, one_log_has_one_writer);
  tcase_add_test (tc, full_disk_warns_once_and_holds_no_frame);
  tcase_add_test (tc, short_write_is_taken_back_and_made_up_for);
  tcase_add_test (tc, moved_file_is_followed_by_a_new_one);
  tcase_add_test (tc, pipe_takes_whole_cues);
  return s;
}

GST_CHECK_MAIN (resultlog)
