/* SPDX-License-Identifier: BSD-3-Clause */

/* One pipeline from start to end, what moves in it, and who asks it to stop. */

#include <gst/check/gstcheck.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tlrun.h>
#include <tlsignals.h>
#include <tlwatch.h>

#define KEY_PRESS_US 400000

static GstElement *
make (const gchar *line)
{
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (line, &error);

  g_assert_no_error (error);
  return pipeline;
}

/* ---- Runs ---- */

typedef struct
{
  guint n_errors;
  GString *said;
} Heard;

static void
hear (GstMessage *message, gpointer user)
{
  Heard *heard = user;
  g_autoptr (GError) error = NULL;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR)
    return;
  gst_message_parse_error (message, &error, NULL);
  heard->n_errors++;
  g_string_append (heard->said, error->message);
}

static const struct
{
  const gchar *name;
  const gchar *line;
  guint stall_timeout;
  TlExit end;
  const gchar *said; /* a part of the only error; NULL: there is none */
} runs[] = {
    {"an end", "fakesrc num-buffers=3 ! fakesink", 60, TL_EXIT_OK, NULL},
    {"no watch", "fakesrc num-buffers=3 ! fakesink", 0, TL_EXIT_OK, NULL},
    {"an error at the start", "filesrc location=/no/such ! fakesink", 60,
        TL_EXIT_FAILED, "Resource not found"},
    {"an error, and what follows from it",
        "fakesrc ! identity error-after=2 ! queue ! fakesink", 60,
        TL_EXIT_FAILED, "Failed after iterations"},
    {"a state that is refused",
        "fakesrc ! fakesink state-error=ready-to-paused", 60, TL_EXIT_FAILED,
        "state change failed"},
    {"silence", "appsrc name=silent ! queue ! fakesink", 1, TL_EXIT_FAILED,
        "silent.src gave 0 buffers"},
};

GST_START_TEST (runs_end_as_they_should)
{
  GstElement *pipeline = make (runs[__i__].line);
  Heard heard = {.said = g_string_new (NULL)};
  TlOutput output;
  TlRunOptions options = {.output = &output,
      .stall_timeout = runs[__i__].stall_timeout,
      .message = hear,
      .user = &heard};

  tl_output_init (&output, FALSE, TRUE);
  GST_INFO ("%s", runs[__i__].name);
  g_assert_cmpint (tl_run_pipeline (pipeline, &options), ==, runs[__i__].end);
  g_assert_cmpuint (heard.n_errors, ==, runs[__i__].said ? 1 : 0);
  if (runs[__i__].said && !strstr (heard.said->str, runs[__i__].said))
    g_error ("%s", heard.said->str);
  g_assert_cmpint (GST_STATE (pipeline), ==, GST_STATE_NULL);
  g_string_free (heard.said, TRUE);
  gst_object_unref (pipeline);
}
GST_END_TEST

/* ---- Movement ---- */

GST_START_TEST (a_watch_sees_what_moves)
{
  GstElement *pipeline =
      make ("fakesrc num-buffers=3 name=a ! queue name=q ! fakesink");
  TlWatch *watch = tl_watch_new (GST_BIN (pipeline));
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autofree gchar *text = NULL;

  g_assert_false (tl_watch_moved (watch));
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  gst_message_unref (
      gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND, GST_MESSAGE_EOS));
  g_assert_true (tl_watch_moved (watch));
  g_assert_false (tl_watch_moved (watch));
  text = tl_watch_describe (watch);
  g_assert_cmpstr (text, ==,
      "  a.src gave 3 buffers\n  q.src gave 3 buffers, holds 0 of 200");
  gst_element_set_state (pipeline, GST_STATE_NULL);
  tl_watch_free (watch);
  gst_object_unref (pipeline);
}
GST_END_TEST

/* Elements and pads that come later are watched too, and those that went, or
 * that outlive the watch, do not touch it any more. */
GST_START_TEST (a_watch_follows_what_comes_and_goes)
{
  GstElement *pipeline = make ("fakesrc ! fakesink");
  TlWatch *watch = tl_watch_new (GST_BIN (pipeline));
  GstElement *tee = gst_element_factory_make ("tee", "late");
  g_autoptr (GstPad) first = NULL;
  g_autoptr (GstPad) second = NULL;
  g_autofree gchar *text = NULL;

  gst_object_ref_sink (tee);
  gst_bin_add (GST_BIN (pipeline), tee);
  first = gst_element_request_pad_simple (tee, "src_%u");
  text = tl_watch_describe (watch);
  g_assert_nonnull (strstr (text, "late.src_0 gave 0 buffers"));
  gst_bin_remove (GST_BIN (pipeline), tee);
  tl_watch_free (watch);
  second = gst_element_request_pad_simple (tee, "src_%u");
  gst_element_release_request_pad (tee, first);
  gst_element_release_request_pad (tee, second);
  gst_object_unref (tee);
  gst_object_unref (pipeline);
}
GST_END_TEST

/* ---- Signals ---- */

static const struct
{
  const gchar *name;
  int signals[3];    /* 0 ends them */
  gboolean is_apart; /* by more than a key press */
  int status;        /* 0: the process goes on */
} requests[] = {
    {"none", {0}, FALSE, 0},
    {"one", {SIGINT}, FALSE, 0},
    {"a key press that comes twice", {SIGINT, SIGINT}, FALSE, 0},
    {"a second", {SIGINT, SIGTERM}, TRUE, TL_EXIT_INTERRUPTED},
    {"a terminal that closes", {SIGHUP, SIGHUP, SIGHUP}, TRUE, 0},
    {"a second after a terminal closed", {SIGHUP, SIGINT}, TRUE,
        TL_EXIT_INTERRUPTED},
};

/* In a process of its own, for a signal may end it. */
static void
raise_all (guint row)
{
  gboolean asked = requests[row].signals[0] != 0;

  tl_signals_install ();
  for (guint i = 0; i < G_N_ELEMENTS (requests[row].signals); i++) {
    if (requests[row].signals[i] == 0)
      break;
    if (i > 0 && requests[row].is_apart)
      g_usleep (KEY_PRESS_US);
    raise (requests[row].signals[i]);
  }
  _exit (tl_signals_requested () == asked ? 0 : 99);
}

GST_START_TEST (signals_ask_once_and_end_twice)
{
  pid_t child = fork ();
  int status;

  if (child == 0)
    raise_all (__i__);
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  GST_INFO ("%s", requests[__i__].name);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, requests[__i__].status);
}
GST_END_TEST

GST_START_TEST (a_deadline_ends_what_is_stuck)
{
  pid_t child = fork ();
  int status;

  if (child == 0) {
    tl_signals_install ();
    tl_signals_set_deadline (1, "stuck\n");
    for (;;)
      pause ();
  }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, TL_EXIT_FAILED);
}
GST_END_TEST

static Suite *
run_suite (void)
{
  Suite *suite = suite_create ("run");
  TCase *tcase = tcase_create ("run");

  suite_add_tcase (suite, tcase);
  /* Before anything runs: signals are asked for by its file. */
  tl_signals_install ();
  tcase_add_loop_test (tcase, runs_end_as_they_should, 0, G_N_ELEMENTS (runs));
  tcase_add_test (tcase, a_watch_sees_what_moves);
  tcase_add_test (tcase, a_watch_follows_what_comes_and_goes);
  tcase_add_loop_test (tcase, signals_ask_once_and_end_twice, 0,
      G_N_ELEMENTS (requests));
  tcase_add_test (tcase, a_deadline_ends_what_is_stuck);
  return suite;
}

GST_CHECK_MAIN (run);
