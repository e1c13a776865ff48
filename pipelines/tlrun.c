/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlrun.h"

#include <glib-unix.h>

#include "tlsignals.h"
#include "tlwatch.h"

#define TICK_MS 200

/* A stalled pipeline may not stop either: one of its threads may never come
 * back. What still runs gets as long again as nothing has moved, and at most
 * this long. */
#define MAX_STOP_SECONDS 30

typedef struct
{
  const TlRunOptions *options;
  GstElement *pipeline;
  GstBus *bus;
  GMainLoop *loop;
  TlWatch *watch;
  TlExit end;
  gboolean is_over;
  gboolean has_failed; /* the first error has been reported */
  gboolean is_stopping;
  gboolean is_live;
  gboolean is_buffering;
  gboolean has_news; /* on the bus, since the last look */
  guint still;       /* seconds without any movement */
} Run;

static void
end_run (Run *run, TlExit end)
{
  if (!run->is_over)
    run->end = end;
  run->is_over = TRUE;
  g_main_loop_quit (run->loop);
}

/* What stops after an error says so in its turn: elements whose stream broke
 * off. That a checkpoint cannot be written on the way down is another matter. */
static gboolean
is_consequence (const Run *run, GstMessage *message)
{
  g_autoptr (GError) error = NULL;

  if (!run->has_failed)
    return FALSE;
  gst_message_parse_error (message, &error, NULL);
  return !run->is_stopping || error->domain == GST_STREAM_ERROR;
}

static void
take_error (Run *run, GstMessage *message)
{
  if (is_consequence (run, message))
    return;
  run->options->message (message, run->options->user);
  run->has_failed = TRUE;
  end_run (run, TL_EXIT_FAILED);
}

/* For what no element has said. */
static void
fail (Run *run, GQuark domain, gint code, const gchar *text)
{
  g_autoptr (GError) error = g_error_new_literal (domain, code, text);
  g_autoptr (GstMessage) message =
      gst_message_new_error (GST_OBJECT (run->pipeline), error, NULL);

  take_error (run, message);
}

/* ---- The bus ---- */

/* As gst-launch-1.0: a stream from the net waits until enough of it is there. */
static void
take_buffering (Run *run, GstMessage *message)
{
  gint percent;

  gst_message_parse_buffering (message, &percent);
  if (run->is_live || run->is_over || run->is_buffering == (percent < 100))
    return;
  run->is_buffering = percent < 100;
  gst_element_set_state (run->pipeline,
      run->is_buffering ? GST_STATE_PAUSED : GST_STATE_PLAYING);
}

static void
restart_clock (Run *run)
{
  if (run->is_over)
    return;
  gst_element_set_state (run->pipeline, GST_STATE_PAUSED);
  gst_element_set_state (run->pipeline, GST_STATE_PLAYING);
}

static void
take_request (Run *run, GstMessage *message)
{
  GstState state;

  gst_message_parse_request_state (message, &state);
  if (!run->is_over)
    gst_element_set_state (run->pipeline, state);
}

static void
take_message (Run *run, GstMessage *message)
{
  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_EOS:
      end_run (run, TL_EXIT_OK);
      break;
    case GST_MESSAGE_ERROR:
      take_error (run, message);
      break;
    case GST_MESSAGE_BUFFERING:
      take_buffering (run, message);
      break;
    case GST_MESSAGE_CLOCK_LOST:
      restart_clock (run);
      break;
    case GST_MESSAGE_LATENCY:
      gst_bin_recalculate_latency (GST_BIN (run->pipeline));
      break;
    case GST_MESSAGE_REQUEST_STATE:
      take_request (run, message);
      break;
    default:
      run->options->message (message, run->options->user);
  }
  run->has_news = TRUE;
  if (run->options->output->broken)
    end_run (run, TL_EXIT_FAILED);
}

static gboolean
bus_called (GstBus *bus, GstMessage *message, gpointer user)
{
  take_message (user, message);
  return G_SOURCE_CONTINUE;
}

static void
drain_bus (Run *run)
{
  GstMessage *message;

  while ((message = gst_bus_pop (run->bus))) {
    take_message (run, message);
    gst_message_unref (message);
  }
}

/* ---- Time and signals ---- */

static gboolean
signal_came (gint fd, GIOCondition condition, gpointer user)
{
  end_run (user, TL_EXIT_INTERRUPTED);
  return G_SOURCE_REMOVE;
}

static gboolean
tick (gpointer user)
{
  Run *run = user;

  run->options->tick (run->pipeline, run->options->user);
  if (run->options->output->broken)
    end_run (run, TL_EXIT_FAILED);
  return G_SOURCE_CONTINUE;
}

static gboolean
look_for_stall (gpointer user)
{
  Run *run = user;
  g_autofree gchar *where = NULL, *text = NULL;
  gboolean moved = tl_watch_moved (run->watch) || run->has_news;

  run->has_news = FALSE;
  run->still = moved ? 0 : run->still + 1;
  if (run->still < run->options->stall_timeout)
    return G_SOURCE_CONTINUE;
  where = tl_watch_describe (run->watch);
  text = g_strdup_printf ("Nothing has moved for %u s; the run is given up "
                          "(--stall-timeout). It stands here:\n%s",
      run->still, where);
  fail (run, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED, text);
  tl_signals_set_deadline (MIN (run->still, MAX_STOP_SECONDS),
      "tlpipe: an element does not stop; ended without it\n");
  return G_SOURCE_REMOVE;
}

/* ---- The run ---- */

static void
start (Run *run)
{
  switch (gst_element_set_state (run->pipeline, GST_STATE_PLAYING)) {
    case GST_STATE_CHANGE_FAILURE:
      drain_bus (run);
      if (!run->has_failed)
        fail (run, GST_CORE_ERROR, GST_CORE_ERROR_STATE_CHANGE,
            "The pipeline cannot be started.");
      break;
    case GST_STATE_CHANGE_NO_PREROLL:
      run->is_live = TRUE;
      break;
    default:
      break;
  }
}

/* What elements say while they stop, such as where the last checkpoint is,
 * would be lost on the way to NULL. What is on the bus before that still belongs
 * to what ended the run. */
static void
stop_to_ready (Run *run)
{
  drain_bus (run);
  run->is_stopping = TRUE;
  gst_element_set_state (run->pipeline, GST_STATE_READY);
  drain_bus (run);
  if (run->has_failed)
    run->end = TL_EXIT_FAILED;
}

static void
stop (Run *run)
{
  /* One that was never READY would be started again. */
  if (GST_STATE (run->pipeline) > GST_STATE_NULL)
    stop_to_ready (run);
  gst_element_set_state (run->pipeline, GST_STATE_NULL);
  tl_signals_set_deadline (0, NULL);
}

static void
run_loop (Run *run)
{
  guint signals = g_unix_fd_add (tl_signals_fd (), G_IO_IN, signal_came, run);
  guint ticks = run->options->tick ? g_timeout_add (TICK_MS, tick, run) : 0;
  guint looks = run->options->stall_timeout > 0
      ? g_timeout_add_seconds (1, look_for_stall, run)
      : 0;

  gst_bus_add_watch (run->bus, bus_called, run);
  g_main_loop_run (run->loop);
  gst_bus_remove_watch (run->bus);
  /* Those that fired last have removed themselves. */
  if (g_main_context_find_source_by_id (NULL, signals))
    g_source_remove (signals);
  if (ticks)
    g_source_remove (ticks);
  if (looks && g_main_context_find_source_by_id (NULL, looks))
    g_source_remove (looks);
}

TlExit
tl_run_pipeline (GstElement *pipeline, const TlRunOptions *options)
{
  Run run = {.options = options, .pipeline = pipeline};

  if (tl_signals_requested ())
    return TL_EXIT_INTERRUPTED;
  run.bus = gst_element_get_bus (pipeline);
  run.loop = g_main_loop_new (NULL, FALSE);
  run.watch = tl_watch_new (GST_BIN (pipeline));
  start (&run);
  if (!run.is_over)
    run_loop (&run);
  stop (&run);
  tl_watch_free (run.watch);
  g_main_loop_unref (run.loop);
  gst_object_unref (run.bus);
  return run.end;
}
