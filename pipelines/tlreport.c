/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlreport.h"

#include <string.h>

#include "tljsonline.h"
#include "tlprogress.h"
#include "tltrouble.h"

#define ELEMENT_PREFIX "tl-"

/* An estimate from less is a guess. */
#define MIN_SECONDS 3.0

/* The share of time from which on waiting for data is worth mending. */
#define MUCH_WAITING 0.2

struct _TlReport
{
  TlOutput *output;
  gchar *file;
  gchar *resume; /* command */

  /* Of the stage that runs. */
  gchar *stage;
  gint64 began; /* us */
  TlProgress progress;
  gboolean is_step; /* the next progress text says what the bar shows */
  gchar *trainer;   /* name of the element */
  guint64 n_samples;
  gdouble seconds; /* in phases */
  gdouble waited;  /* of these, the trainer for data */
  gchar *last;     /* path of the checkpoint */
  gchar *best;
  gchar *monitor;
  gdouble value;
  guint best_epoch;

  /* Where the estimate begins: position of the source and time. */
  gint64 first_position; /* ns; -1 before the first */
  gint64 first_time;     /* us */
};

TlReport *
tl_report_new (TlOutput *output, const gchar *file, const gchar *resume)
{
  TlReport *self = g_new0 (TlReport, 1);

  self->output = output;
  self->file = g_strdup (file);
  self->resume = g_strdup (resume);
  return self;
}

static void
forget_stage (TlReport *self)
{
  g_clear_pointer (&self->stage, g_free);
  g_clear_pointer (&self->trainer, g_free);
  g_clear_pointer (&self->last, g_free);
  g_clear_pointer (&self->best, g_free);
  g_clear_pointer (&self->monitor, g_free);
}

void
tl_report_free (TlReport *self)
{
  forget_stage (self);
  g_free (self->file);
  g_free (self->resume);
  g_free (self);
}

static gdouble
seconds_since (gint64 begin)
{
  return (gdouble) (g_get_monotonic_time () - begin) / G_USEC_PER_SEC;
}

void
tl_report_begin (TlReport *self, const gchar *stage)
{
  GString *line = tl_json_line_new ("stage");

  forget_stage (self);
  self->stage = g_strdup (stage);
  self->began = g_get_monotonic_time ();
  tl_progress_init (&self->progress);
  self->is_step = FALSE;
  self->n_samples = 0;
  self->seconds = self->waited = 0;
  self->first_position = -1;
  if (stage)
    tl_output_line (self->output, "stage %s", stage);
  tl_json_line_add_text (line, "file", self->file);
  tl_json_line_add_text (line, "stage", stage);
  tl_output_json (self->output, line);
}

/* ---- tlpipe's messages ---- */

static gdouble
get_number (const GstStructure *s, const gchar *field, gdouble absent)
{
  gdouble value;

  return gst_structure_get_double (s, field, &value) ? value : absent;
}

static guint
get_count (const GstStructure *s, const gchar *field)
{
  guint value;

  return gst_structure_get_uint (s, field, &value) ? value : 0;
}

static void
take_metrics (TlReport *self, const GstStructure *s)
{
  gboolean is_train =
      g_strcmp0 (gst_structure_get_string (s, "split"), "train") == 0;
  gboolean is_phase =
      g_strcmp0 (gst_structure_get_string (s, "scope"), "phase") == 0;
  TlProgress *progress = &self->progress;
  guint epoch = get_count (s, "epoch") + 1;
  guint64 n;

  progress->epochs = get_count (s, "epochs");
  /* A validation that has ended is the end of its epoch. */
  if (is_phase && !is_train
      && (progress->epochs == 0 || epoch < progress->epochs))
    epoch++;
  progress->epoch = epoch;
  /* A validation is faster, and says nothing of the training. */
  if (is_train || progress->loss < 0)
    progress->images_per_second = get_number (s, "images-per-second", -1);
  if (is_train) {
    progress->loss = get_number (s, "loss", -1);
    progress->accuracy = get_number (s, "accuracy", -1);
  }
  if (is_phase && gst_structure_get_uint64 (s, "n", &n))
    self->n_samples += n;
  self->is_step = !is_phase;
}

static void
take_flow (TlReport *self, const GstStructure *s)
{
  gdouble seconds = get_number (s, "seconds", 0);

  self->seconds += seconds;
  self->waited += seconds * get_number (s, "wait-share", 0);
}

static void
take_checkpoint (TlReport *self, const GstStructure *s)
{
  const gchar *kind = gst_structure_get_string (s, "kind");
  const gchar *path = gst_structure_get_string (s, "path");

  if (g_strcmp0 (kind, "last") == 0) {
    g_free (self->last);
    self->last = g_strdup (path);
  } else if (g_strcmp0 (kind, "best") == 0) {
    g_free (self->best);
    g_free (self->monitor);
    self->best = g_strdup (path);
    self->monitor = g_strdup (gst_structure_get_string (s, "monitor"));
    self->value = get_number (s, "value", 0);
    self->best_epoch = get_count (s, "epoch");
  }
}

static void
take_element (TlReport *self, GstMessage *message)
{
  const GstStructure *s = gst_message_get_structure (message);
  const gchar *name = s ? gst_structure_get_name (s) : "";
  GString *line;

  if (!g_str_has_prefix (name, ELEMENT_PREFIX))
    return;
  line = tl_json_line_new (name + strlen (ELEMENT_PREFIX));
  tl_json_line_add_text (line, "element", GST_MESSAGE_SRC_NAME (message));
  tl_json_line_add_structure (line, s);
  tl_output_json (self->output, line);
  if (g_str_equal (name, "tl-metrics")) {
    take_metrics (self, s);
  } else if (g_str_equal (name, "tl-flow")) {
    take_flow (self, s);
  } else if (g_str_equal (name, "tl-checkpoint")) {
    take_checkpoint (self, s);
  } else if (g_str_equal (name, "tl-model")) {
    g_free (self->trainer);
    self->trainer = g_strdup (GST_MESSAGE_SRC_NAME (message));
  }
}

/* A log gets every text. A terminal shows those within an epoch as the bar. */
static void
take_progress (TlReport *self, GstMessage *message)
{
  g_autofree gchar *code = NULL, *text = NULL;
  gboolean in_bar = self->is_step && self->output->has_bar;
  GString *line;

  gst_message_parse_progress (message, NULL, &code, &text);
  line = tl_json_line_new ("progress");
  tl_json_line_add_text (line, "element", GST_MESSAGE_SRC_NAME (message));
  tl_json_line_add_text (line, "code", code);
  tl_json_line_add_text (line, "text", text);
  tl_output_json (self->output, line);
  if (!in_bar)
    tl_output_line (self->output, "%s", text);
  self->is_step = FALSE;
}

void
tl_report_message (GstMessage *message, gpointer user)
{
  TlReport *self = user;

  if (tl_trouble_write (self->output, message))
    return;
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT)
    take_element (self, message);
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_PROGRESS)
    take_progress (self, message);
}

/* ---- The bar ---- */

/* From where the source is: a queue or two ahead of the trainer. */
static void
estimate (TlReport *self, GstElement *pipeline)
{
  TlProgress *progress = &self->progress;
  gint64 position, duration;
  gdouble seconds, done;

  progress->fraction = progress->seconds_left = -1;
  if (!gst_element_query_position (pipeline, GST_FORMAT_TIME, &position)
      || !gst_element_query_duration (pipeline, GST_FORMAT_TIME, &duration)
      || duration <= 0 || position < 0)
    return;
  progress->fraction = (gdouble) position / (gdouble) duration;
  if (self->first_position < 0 || position < self->first_position) {
    self->first_position = position;
    self->first_time = g_get_monotonic_time ();
  }
  seconds = seconds_since (self->first_time);
  done = (gdouble) (position - self->first_position);
  if (seconds >= MIN_SECONDS && done > 0)
    progress->seconds_left = seconds * (gdouble) (duration - position) / done;
}

void
tl_report_tick (GstElement *pipeline, gpointer user)
{
  TlReport *self = user;
  g_autofree gchar *text = NULL;

  if (!self->output->has_bar)
    return;
  estimate (self, pipeline);
  self->progress.seconds = seconds_since (self->began);
  /* In the last column many terminals begin a new line. */
  text = tl_progress_format (&self->progress, tl_output_columns () - 1);
  tl_output_bar (self->output, text);
}

/* ---- The end ---- */

static const gchar *
name_end (TlExit end)
{
  switch (end) {
    case TL_EXIT_OK:
      return "finished";
    case TL_EXIT_INTERRUPTED:
      return "interrupted";
    default:
      return "failed";
  }
}

static gdouble
wait_share (const TlReport *self)
{
  return self->seconds > 0 ? self->waited / self->seconds : 0;
}

static void
write_end_object (const TlReport *self, TlExit end, gdouble seconds)
{
  GString *line = tl_json_line_new ("end");

  tl_json_line_add_text (line, "stage", self->stage);
  tl_json_line_add_text (line, "state", name_end (end));
  tl_json_line_add_number (line, "seconds", seconds);
  tl_json_line_add_text (line, "last", self->last);
  tl_json_line_add_text (line, "best", self->best);
  if (self->best) {
    tl_json_line_add_text (line, "monitor", self->monitor);
    tl_json_line_add_number (line, "value", self->value);
    tl_json_line_add_count (line, "best-epoch", self->best_epoch);
  }
  if (self->seconds > 0) {
    tl_json_line_add_number (line, "wait-share", wait_share (self));
    tl_json_line_add_text (line, "slowest",
        wait_share (self) > 0.5 ? "data" : "model");
  }
  tl_output_json (self->output, line);
}

static void
write_checkpoints (const TlReport *self)
{
  gchar value[G_ASCII_DTOSTR_BUF_SIZE];

  if (self->best)
    tl_output_line (self->output, "best checkpoint: %s (%s %s, epoch %u)",
        self->best, self->monitor,
        g_ascii_formatd (value, sizeof value, "%.4f", self->value),
        self->best_epoch);
  if (self->last)
    tl_output_line (self->output, "last checkpoint: %s", self->last);
}

static void
write_flow (const TlReport *self)
{
  gdouble share = wait_share (self);

  if (self->seconds <= 0)
    return;
  tl_output_line (self->output,
      "slowest stage: %s; the trainer waited for data %.0f %% of its time",
      share > 0.5 ? "data" : "model", 100 * share);
  if (share > MUCH_WAITING)
    tl_output_line (self->output,
        "hint: more CPUs or smaller files would help: check n-threads of "
        "imagedecode and augment, n-threads of the trainer, which share the "
        "CPUs, and whether the disk or the network is slow");
}

/* Short runs are timed to compare them. */
static gchar *
format_duration (gdouble seconds)
{
  gchar text[G_ASCII_DTOSTR_BUF_SIZE];

  if (seconds >= 60)
    return tl_progress_format_time (seconds);
  return g_strdup_printf ("%s s",
      g_ascii_formatd (text, sizeof text, "%.1f", seconds));
}

void
tl_report_end (TlReport *self, TlExit end)
{
  gdouble seconds = seconds_since (self->began);
  g_autofree gchar *time = format_duration (seconds);

  tl_output_bar (self->output, NULL);
  write_end_object (self, end, seconds);
  write_checkpoints (self);
  write_flow (self);
  if (self->stage)
    tl_output_line (self->output, "stage %s %s after %s", self->stage,
        name_end (end), time);
  else
    tl_output_line (self->output, "%s after %s", name_end (end), time);
  if (end == TL_EXIT_INTERRUPTED && self->last && self->trainer)
    tl_output_line (self->output, "go on with: %s", self->resume);
}
