/* SPDX-License-Identifier: BSD-3-Clause */

/* What imagedecode says and does about pictures that it cannot decode. */

#include "tldecoderig.h"

#include <string.h>

/* Sample @position of the @n of a phase. */
static GstFlowReturn
push_sample (GstHarness *h, guint32 epoch, TlSplit split, guint position,
    guint n, gboolean good)
{
  GstBuffer *buffer = good ? decode_rig_sample (position, split)
                           : decode_rig_bad_sample (position, split);
  TlSampleMeta *sample = tl_buffer_get_sample_meta (buffer);

  sample->epoch = epoch;
  sample->position = position;
  sample->n = n;
  return gst_harness_push (h, buffer);
}

/* Six samples of training, of which the first and the fourth are bad. */
static void
push_six (GstHarness *h)
{
  for (guint i = 0; i < 6; i++)
    push_sample (h, 0, TL_SPLIT_TRAIN, i, 6, i % 3 != 0);
}

static void
wait_for_phase_end (GstHarness *h, TlPhaseEnd *end)
{
  GstEvent *event = decode_rig_pull_event (h, GST_EVENT_CUSTOM_DOWNSTREAM);

  fail_unless (tl_event_parse_phase_end (event, end));
  gst_event_unref (event);
}

GST_START_TEST (skipped_files_are_counted_and_reported)
{
  GstHarness *h = decode_rig_harness (decode_rig_element (2));
  TlPhaseEnd end;
  guint64 decoded, skipped;

  decode_rig_begin_phase (h, 0, TL_SPLIT_VALID, 40);
  for (guint i = 0; i < 40; i++)
    push_sample (h, 0, TL_SPLIT_VALID, i, 40, i % 3 != 1);
  decode_rig_end_phase (h, 0, TL_SPLIT_VALID, 40);
  wait_for_phase_end (h, &end);
  fail_unless_equals_uint64 (end.sent, 40);
  fail_unless_equals_uint64 (end.skipped, 13);
  g_auto (DecodeMessages) n = decode_rig_count (h);
  fail_unless_equals_int (n.sample_errors, 13);
  fail_unless_equals_int (n.warnings, 11);
  fail_unless_equals_int (n.errors, 0);
  fail_unless_equals_string (n.summary,
      "Skipped 13 of 40 pictures of valid in epoch 0, 3 of them without a "
      "warning of their own.");
  g_object_get (h->element, "n-decoded", &decoded, "n-skipped", &skipped, NULL);
  fail_unless_equals_uint64 (decoded, 27);
  fail_unless_equals_uint64 (skipped, 13);
  fail_unless_equals_int (gst_harness_buffers_received (h), 27);
  decode_rig_free (h);
}
GST_END_TEST;

typedef enum
{
  BY_END,
  BY_NEXT_PHASE,
  BY_NEXT_SAMPLE,
  BY_ALL_IN_TURN,
  N_SIGNS
} Sign;

/* Each phase is summed up once, with its own count, whatever ends it. */
GST_START_TEST (phase_is_summed_up_once)
{
  Sign sign = (Sign) __i__;
  GstHarness *h = decode_rig_harness (decode_rig_element (2));

  decode_rig_begin_phase (h, 0, TL_SPLIT_TRAIN, 6);
  push_six (h);
  if (sign == BY_END || sign == BY_ALL_IN_TURN)
    decode_rig_end_phase (h, 0, TL_SPLIT_TRAIN, 6);
  if (sign == BY_NEXT_PHASE || sign == BY_ALL_IN_TURN)
    decode_rig_begin_phase (h, 0, TL_SPLIT_VALID, 4);
  for (guint i = 0; i < 4; i++)
    push_sample (h, 0, TL_SPLIT_VALID, i, 4, i > 0);
  while (gst_harness_buffers_received (h) < 7)
    g_usleep (1000);
  {
    g_auto (DecodeMessages) n = decode_rig_count (h);

    fail_unless_equals_int (n.summaries, 1);
    fail_unless_equals_string (n.summary,
        "Skipped 2 of 6 pictures of train in epoch 0.");
  }
  decode_rig_finish (h);
  g_auto (DecodeMessages) n = decode_rig_count (h);
  fail_unless_equals_int (n.errors, 0);
  fail_unless_equals_int (n.summaries, 1);
  fail_unless_equals_string (n.summary,
      "Skipped 1 of 4 pictures of valid in epoch 0.");
  decode_rig_free (h);
}
GST_END_TEST;

/* As a decoder in between does that holds events until its next frame. */
GST_START_TEST (late_phase_end_carries_the_right_count)
{
  GstHarness *h = decode_rig_harness (decode_rig_element (2));
  TlPhaseEnd end;

  push_six (h);
  push_sample (h, 0, TL_SPLIT_VALID, 0, 4, FALSE);
  push_sample (h, 0, TL_SPLIT_VALID, 1, 4, TRUE);
  decode_rig_end_phase (h, 0, TL_SPLIT_TRAIN, 6);
  wait_for_phase_end (h, &end);
  fail_unless_equals_uint64 (end.skipped, 2);
  decode_rig_begin_phase (h, 0, TL_SPLIT_VALID, 4);
  push_sample (h, 0, TL_SPLIT_VALID, 2, 4, FALSE);
  decode_rig_end_phase (h, 0, TL_SPLIT_VALID, 4);
  wait_for_phase_end (h, &end);
  fail_unless_equals_uint64 (end.skipped, 2);
  /* A sample that is even later has no phase of its own to fail. */
  push_sample (h, 0, TL_SPLIT_VALID, 3, 4, FALSE);
  decode_rig_finish (h);
  g_auto (DecodeMessages) n = decode_rig_count (h);
  fail_unless_equals_int (n.sample_errors, 5);
  fail_unless_equals_int (n.summaries, 3);
  fail_unless_equals_int (n.errors, 0);
  decode_rig_free (h);
}
GST_END_TEST;

GST_START_TEST (phase_end_without_samples_counts_nothing)
{
  GstHarness *h = decode_rig_harness (decode_rig_element (1));
  TlPhaseEnd end;

  push_six (h);
  decode_rig_end_phase (h, 0, TL_SPLIT_TRAIN, 6);
  wait_for_phase_end (h, &end);
  fail_unless_equals_uint64 (end.skipped, 2);
  decode_rig_begin_phase (h, 0, TL_SPLIT_VALID, 4); /* cached: no buffers */
  decode_rig_end_phase (h, 0, TL_SPLIT_VALID, 4);
  wait_for_phase_end (h, &end);
  fail_unless_equals_uint64 (end.skipped, 0);
  decode_rig_free (h);
}
GST_END_TEST;

/* Signs by which a phase of nothing but bad files ends. */
GST_START_TEST (phase_without_a_good_file_is_an_error)
{
  GstHarness *h = decode_rig_harness (decode_rig_element (2));

  decode_rig_begin_phase (h, 0, TL_SPLIT_VALID, 3);
  for (guint i = 0; i < 3; i++)
    push_sample (h, 0, TL_SPLIT_VALID, i, 3, FALSE);
  if (__i__ == BY_END)
    decode_rig_end_phase (h, 0, TL_SPLIT_VALID, 3);
  else if (__i__ == BY_NEXT_PHASE)
    decode_rig_begin_phase (h, 1, TL_SPLIT_VALID, 3);
  else if (__i__ == BY_NEXT_SAMPLE)
    push_sample (h, 1, TL_SPLIT_VALID, 0, 3, TRUE);
  decode_rig_finish (h);
  g_auto (DecodeMessages) n = decode_rig_count (h);
  fail_unless_equals_int (n.errors, 1);
  fail_unless (g_str_has_prefix (n.error, "None of the 3 pictures"));
  fail_unless_equals_int (n.summaries, 0);
  decode_rig_free (h);
}
GST_END_TEST;

/* Nothing is known of the samples that were to come, or had been before. */
GST_START_TEST (part_of_a_phase_does_not_fail)
{
  GstHarness *h = decode_rig_harness (decode_rig_element (2));
  TlPhase resumed = {.split = TL_SPLIT_VALID, .n = 30, .first = 29};
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  fail_unless (gst_harness_push_event (h, tl_event_new_phase (&resumed)));
  push_sample (h, 0, TL_SPLIT_VALID, 29, 30, FALSE);
  decode_rig_end_phase (h, 0, TL_SPLIT_VALID, 30);
  push_sample (h, 1, TL_SPLIT_VALID, 0, 30, TRUE);
  gst_buffer_unref (gst_harness_pull (h));
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  push_sample (h, 1, TL_SPLIT_VALID, 29, 30, FALSE);
  decode_rig_end_phase (h, 1, TL_SPLIT_VALID, 30);
  push_sample (h, 2, TL_SPLIT_VALID, 0, 30, FALSE);
  decode_rig_finish (h);
  g_auto (DecodeMessages) n = decode_rig_count (h);
  fail_unless_equals_int (n.errors, 0);
  fail_unless_equals_int (n.summaries, 3);
  decode_rig_free (h);
}
GST_END_TEST;

typedef struct
{
  const gchar *property, *value;
  guint n_good_first, n_bad;
  guint sample_errors;
  const gchar *text;
} FailCase;

static const FailCase fail_cases[] = {
    {"on-error", "fail", 2, 1, 0, "file-2.png: "},
    {"on-error", "fail", 0, 3, 0, "file-0.png: "},
    {"max-errors", "2", 2, 3, 3, "max-errors=2 "},
    {"max-errors", "2", 0, 3, 3, "max-errors=2 "},
    {"max-errors", "1", 0, 5, 2, "max-errors=1 "},
};

/* One error and nothing after it, be there good pictures or not. */
GST_START_TEST (bad_files_stop_the_run_when_asked)
{
  const FailCase *c = &fail_cases[__i__];
  GstElement *element = decode_rig_element (1);
  GstHarness *h;

  gst_util_set_object_arg (G_OBJECT (element), c->property, c->value);
  h = decode_rig_harness (element);
  for (guint i = 0; i < c->n_good_first + c->n_bad; i++)
    push_sample (h, 0, TL_SPLIT_VALID, i, c->n_good_first + c->n_bad,
        i < c->n_good_first);
  decode_rig_finish (h);
  g_auto (DecodeMessages) n = decode_rig_count (h);
  fail_unless_equals_int (n.errors, 1);
  fail_unless (strstr (n.error, c->text) != NULL, "%s", n.error);
  fail_unless_equals_int (n.sample_errors, c->sample_errors);
  fail_unless_equals_int (n.summaries, 0);
  fail_unless_equals_int (gst_harness_buffers_received (h), c->n_good_first);
  decode_rig_free (h);
}
GST_END_TEST;

GST_START_TEST (as_many_errors_as_allowed_do_not_stop)
{
  GstElement *element = decode_rig_element (1);
  GstHarness *h;

  g_object_set (element, "max-errors", G_GUINT64_CONSTANT (2), NULL);
  h = decode_rig_harness (element);
  push_six (h);
  decode_rig_finish (h);
  g_auto (DecodeMessages) n = decode_rig_count (h);
  fail_unless_equals_int (n.errors, 0);
  fail_unless_equals_int (n.sample_errors, 2);
  decode_rig_free (h);
}
GST_END_TEST;

/* The counters and the ten warnings begin anew with each run. */
GST_START_TEST (next_run_counts_from_zero)
{
  GstElement *element = decode_rig_element (1);
  GstHarness *h;

  g_object_set (element, "max-errors", G_GUINT64_CONSTANT (13), NULL);
  h = decode_rig_harness (element);
  for (guint run = 0; run < 3; run++) {
    guint64 skipped;

    for (guint i = 0; i < 14; i++)
      push_sample (h, 0, TL_SPLIT_TRAIN, i, 14, i == 13);
    decode_rig_finish (h);
    g_auto (DecodeMessages) n = decode_rig_count (h);
    fail_unless_equals_int (n.errors, 0);
    fail_unless_equals_int (n.warnings, 11);
    g_object_get (h->element, "n-skipped", &skipped, NULL);
    fail_unless_equals_uint64 (skipped, 13);
    gst_element_set_state (h->element, GST_STATE_READY);
    gst_harness_play (h);
    gst_harness_push_event (h, gst_event_new_stream_start ("again"));
    gst_harness_set_src_caps_str (h, "application/x-tl-image");
  }
  decode_rig_free (h);
}
GST_END_TEST;

GST_START_TEST (message_says_which_sample_why_and_where)
{
  GstHarness *h = decode_rig_harness (decode_rig_element (1));
  GstBuffer *cut = decode_rig_sample (7, TL_SPLIT_TEST);
  TlSampleMeta *sample = tl_buffer_get_sample_meta (cut);
  gsize size = gst_buffer_get_size (cut) / 2;
  guint64 index, position, count, offset;
  guint epoch;

  sample->index = 70;
  sample->position = 5;
  sample->epoch = 3;
  gst_buffer_resize (cut, 0, (gssize) size);
  gst_harness_push (h, cut);
  decode_rig_finish (h);
  g_auto (DecodeMessages) n = decode_rig_count (h);
  fail_unless_equals_int (n.sample_errors, 1);
  fail_unless (gst_structure_get (n.sample_error, "index", G_TYPE_UINT64,
      &index, "position", G_TYPE_UINT64, &position, "epoch", G_TYPE_UINT,
      &epoch, "count", G_TYPE_UINT64, &count, "offset", G_TYPE_UINT64, &offset,
      NULL));
  fail_unless_equals_uint64 (index, 70);
  fail_unless_equals_uint64 (position, 5);
  fail_unless_equals_int (epoch, 3);
  fail_unless_equals_uint64 (count, 1);
  fail_unless (offset > 33 && offset <= size, "%" G_GUINT64_FORMAT, offset);
  fail_unless_equals_string (gst_structure_get_string (n.sample_error, "path"),
      "file-7.png");
  fail_unless_equals_string (gst_structure_get_string (n.sample_error, "split"),
      "test");
  fail_unless (gst_structure_get_string (n.sample_error, "reason") != NULL);
  decode_rig_free (h);
}
GST_END_TEST;

typedef struct
{
  const gchar *path, *shown, *field;
} NameCase;

static const NameCase names[] = {
    {"two\nlines.png", "two\\nlines.png", "two\nlines.png"},
    {"\xff\xfe.png", "\xef\xbf\xbd\xef\xbf\xbd.png",
        "\xef\xbf\xbd\xef\xbf\xbd.png"},
    {"\x1b[31mred.png", "\\u001b[31mred.png", "\x1b[31mred.png"},
    /* Turns the reading order round. */
    {"a\xe2\x80\xaegnp.exe", "a\\u202egnp.exe", "a\xe2\x80\xaegnp.exe"},
    {"\xc3\xbcmlaut \xe5\x9b\xbe.png", "\xc3\xbcmlaut \xe5\x9b\xbe.png",
        "\xc3\xbcmlaut \xe5\x9b\xbe.png"},
    {"%s%n.png", "%s%n.png", "%s%n.png"},
};

static GstBuffer *
make_named (const gchar *path)
{
  GstBuffer *buffer = decode_rig_bad_sample (0, TL_SPLIT_VALID);
  TlSampleMeta *sample = tl_buffer_get_sample_meta (buffer);

  g_ref_string_release (sample->path);
  sample->path = g_ref_string_new (path);
  return buffer;
}

GST_START_TEST (any_file_name_can_be_shown)
{
  const NameCase *c = &names[__i__ / 2];
  GstElement *element = decode_rig_element (1);
  GstHarness *h;
  const gchar *said;

  if (__i__ % 2)
    gst_util_set_object_arg (G_OBJECT (element), "on-error", "fail");
  h = decode_rig_harness (element);
  gst_harness_push (h, decode_rig_sample (1, TL_SPLIT_VALID));
  gst_harness_push (h, make_named (c->path));
  gst_harness_push (h, make_named (c->path));
  decode_rig_finish (h);
  g_auto (DecodeMessages) n = decode_rig_count (h);
  said = __i__ % 2 ? n.error : n.warning;
  fail_unless (strstr (said, c->shown) != NULL, "%s", said);
  fail_unless (strchr (said, '\n') == NULL);
  if (__i__ % 2 == 0)
    fail_unless_equals_string (gst_structure_get_string (n.sample_error,
                                   "path"),
        c->field);
  decode_rig_free (h);
}
GST_END_TEST;

GST_START_TEST (sample_without_a_path_or_a_meta_is_reported)
{
  GstHarness *h = decode_rig_harness (decode_rig_element (1));
  GstBuffer *no_path = gst_buffer_new_memdup ("no picture", 10);

  tl_buffer_add_sample_meta (no_path);
  gst_harness_push (h, decode_rig_sample (0, TL_SPLIT_TRAIN));
  gst_harness_push (h, no_path);
  gst_harness_push (h, gst_buffer_new_memdup ("no picture", 10));
  decode_rig_finish (h);
  g_auto (DecodeMessages) n = decode_rig_count (h);
  fail_unless_equals_int (n.errors, 0);
  fail_unless_equals_int (n.sample_errors, 2);
  fail_if (gst_structure_has_field (n.sample_error, "path"));
  fail_if (gst_structure_has_field (n.sample_error, "index"));
  decode_rig_free (h);
}
GST_END_TEST;

static Suite *
imagedecode_skips_suite (void)
{
  Suite *suite = suite_create ("imagedecode-skips");
  TCase *tcase = tcase_create ("skips");

  GST_ELEMENT_REGISTER (imagedecode, NULL);
  tcase_add_test (tcase, skipped_files_are_counted_and_reported);
  tcase_add_loop_test (tcase, phase_is_summed_up_once, 0, N_SIGNS);
  tcase_add_test (tcase, late_phase_end_carries_the_right_count);
  tcase_add_test (tcase, phase_end_without_samples_counts_nothing);
  tcase_add_loop_test (tcase, phase_without_a_good_file_is_an_error, 0,
      N_SIGNS);
  tcase_add_test (tcase, part_of_a_phase_does_not_fail);
  tcase_add_loop_test (tcase, bad_files_stop_the_run_when_asked, 0,
      G_N_ELEMENTS (fail_cases));
  tcase_add_test (tcase, as_many_errors_as_allowed_do_not_stop);
  tcase_add_test (tcase, next_run_counts_from_zero);
  tcase_add_test (tcase, message_says_which_sample_why_and_where);
  tcase_add_loop_test (tcase, any_file_name_can_be_shown, 0,
      2 * G_N_ELEMENTS (names));
  tcase_add_test (tcase, sample_without_a_path_or_a_meta_is_reported);
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (imagedecode_skips);
