/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlmessages.h"

static void
set_double (GstStructure *s, const gchar *field, gdouble value)
{
  if (!isnan (value))
    gst_structure_set (s, field, G_TYPE_DOUBLE, value, NULL);
}

/* A structure refuses text that is no UTF-8; file names may be. */
static void
set_text (GstStructure *s, const gchar *field, const gchar *value)
{
  g_autofree gchar *valid = value ? g_utf8_make_valid (value, -1) : NULL;

  if (valid)
    gst_structure_set (s, field, G_TYPE_STRING, valid, NULL);
}

gchar *
tl_message_make_line (const gchar *text)
{
  g_autofree gchar *valid = g_utf8_make_valid (text, -1);
  GString *line = g_string_new (NULL);

  for (const gchar *at = valid; *at; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);

    if (c == '\n')
      g_string_append (line, "\\n");
    else if (g_unichar_isprint (c))
      g_string_append_unichar (line, c);
    else
      g_string_append_printf (line, "\\u%04x", c);
  }
  return g_string_free (line, FALSE);
}

static void
append_structure (GValue *array, GstStructure *s)
{
  GValue item = G_VALUE_INIT;

  g_value_init (&item, GST_TYPE_STRUCTURE);
  g_value_take_boxed (&item, s);
  gst_value_array_append_and_take_value (array, &item);
}

GstMessage *
tl_message_new_model (GstObject *source, const TlModelReport *report)
{
  GstStructure *s = gst_structure_new ("tl-model", "n-classes", G_TYPE_UINT,
      report->n_classes, "n-threads", G_TYPE_UINT, report->n_threads,
      "new-head", G_TYPE_BOOLEAN, report->new_head, "n-parameters",
      G_TYPE_UINT64, report->n_parameters, "n-trainable", G_TYPE_UINT64,
      report->n_trainable, NULL);
  GValue modules = G_VALUE_INIT;

  set_text (s, "arch", report->arch);
  set_text (s, "device", report->device);
  set_text (s, "precision", report->precision);
  set_text (s, "backend", report->backend);
  set_text (s, "weights", report->weights);
  gst_value_array_init (&modules, report->n_modules);
  for (guint i = 0; i < report->n_modules; i++) {
    const TlModelModule *module = &report->modules[i];

    append_structure (&modules,
        gst_structure_new ("module", "name", G_TYPE_STRING, module->name,
            "parameters", G_TYPE_UINT64, module->parameters, "frozen",
            G_TYPE_BOOLEAN, module->frozen, NULL));
  }
  gst_structure_take_value (s, "modules", &modules);
  return gst_message_new_element (source, s);
}

static void
set_confusion (GstStructure *s, const guint64 *confusion, guint n)
{
  GValue rows = G_VALUE_INIT;

  gst_value_array_init (&rows, n);
  for (guint r = 0; r < n; r++) {
    GValue row = G_VALUE_INIT;

    gst_value_array_init (&row, n);
    for (guint c = 0; c < n; c++) {
      GValue cell = G_VALUE_INIT;

      g_value_init (&cell, G_TYPE_UINT64);
      g_value_set_uint64 (&cell, confusion[(gsize) r * n + c]);
      gst_value_array_append_and_take_value (&row, &cell);
    }
    gst_value_array_append_and_take_value (&rows, &row);
  }
  gst_structure_take_value (s, "confusion", &rows);
}

GstMessage *
tl_message_new_metrics (GstObject *source, const TlMetrics *metrics)
{
  GstStructure *s = gst_structure_new ("tl-metrics", "scope", G_TYPE_STRING,
      metrics->scope == TL_SCOPE_STEP ? "step" : "phase", "split",
      G_TYPE_STRING, tl_split_nick (metrics->split), "epoch", G_TYPE_UINT,
      metrics->epoch, "epochs", G_TYPE_UINT, metrics->epochs, "step",
      G_TYPE_UINT64, metrics->step, "n", G_TYPE_UINT64, metrics->n, "skipped",
      G_TYPE_UINT64, metrics->skipped, "complete", G_TYPE_BOOLEAN,
      metrics->complete, NULL);

  set_double (s, "loss", metrics->loss);
  set_double (s, "accuracy", metrics->accuracy);
  set_double (s, "balanced-accuracy", metrics->balanced_accuracy);
  set_double (s, "auc", metrics->auc);
  set_double (s, "lr", metrics->lr);
  set_double (s, "images-per-second", metrics->images_per_second);
  set_double (s, "wait-ms", metrics->wait_ms);
  if (metrics->confusion)
    set_confusion (s, metrics->confusion, metrics->n_classes);
  return gst_message_new_element (source, s);
}

GstMessage *
tl_message_new_sample_error (GstObject *source, const TlSampleMeta *sample,
    const gchar *reason, gint64 offset, guint64 count)
{
  GstStructure *s = gst_structure_new ("tl-sample-error", "count",
      G_TYPE_UINT64, count, NULL);

  set_text (s, "reason", reason);
  if (offset >= 0)
    gst_structure_set (s, "offset", G_TYPE_UINT64, (guint64) offset, NULL);
  if (sample) {
    set_text (s, "path", sample->path);
    gst_structure_set (s, "index", G_TYPE_UINT64, sample->index, "position",
        G_TYPE_UINT64, sample->position, "epoch", G_TYPE_UINT, sample->epoch,
        "split", G_TYPE_STRING, tl_split_nick (sample->split), NULL);
  }
  return gst_message_new_element (source, s);
}

GstMessage *
tl_message_new_checkpoint (GstObject *source, const gchar *path,
    const gchar *kind, guint32 epoch, guint64 step, guint64 size,
    const gchar *monitor, gdouble value)
{
  GstStructure *s = gst_structure_new ("tl-checkpoint", "path", G_TYPE_STRING,
      path, "kind", G_TYPE_STRING, kind, "epoch", G_TYPE_UINT, epoch, "step",
      G_TYPE_UINT64, step, "size", G_TYPE_UINT64, size, NULL);

  if (!isnan (value)) {
    set_text (s, "monitor", monitor);
    set_double (s, "value", value);
  }
  return gst_message_new_element (source, s);
}

static void
set_classes (GstStructure *s, const TlResultMeta *result)
{
  GValue names = G_VALUE_INIT, probabilities = G_VALUE_INIT;

  gst_value_array_init (&names, result->n);
  gst_value_array_init (&probabilities, result->n);
  for (guint i = 0; i < result->n; i++) {
    GValue name = G_VALUE_INIT, probability = G_VALUE_INIT;

    g_value_init (&name, G_TYPE_STRING);
    g_value_set_static_string (&name, g_quark_to_string (result->top[i].name));
    gst_value_array_append_and_take_value (&names, &name);
    g_value_init (&probability, G_TYPE_DOUBLE);
    g_value_set_double (&probability, result->top[i].probability);
    gst_value_array_append_and_take_value (&probabilities, &probability);
  }
  gst_structure_take_value (s, "classes", &names);
  gst_structure_take_value (s, "probabilities", &probabilities);
}

static void
set_time (GstStructure *s, const gchar *field, GstClockTime time)
{
  if (GST_CLOCK_TIME_IS_VALID (time))
    gst_structure_set (s, field, G_TYPE_UINT64, time, NULL);
}

GstMessage *
tl_message_new_result (GstObject *source, const TlResultMeta *result,
    const TlSampleMeta *sample)
{
  GstStructure *s = gst_structure_new ("tl-result", "state", G_TYPE_STRING,
      tl_result_state_nick (result->state), NULL);

  set_text (s, "reason", g_quark_to_string (result->reason));
  set_text (s, "model", g_quark_to_string (result->model));
  set_time (s, "pts", result->pts);
  set_time (s, "inference-time", result->inference_time);
  if (sample) {
    set_text (s, "path", sample->path);
    if (sample->label != TL_LABEL_NONE)
      gst_structure_set (s, "label", G_TYPE_INT, sample->label, NULL);
  }
  set_classes (s, result);
  return gst_message_new_element (source, s);
}

GstMessage *
tl_message_new_flow (GstObject *source, guint32 epoch, TlSplit split,
    gdouble seconds, gdouble wait_share)
{
  return gst_message_new_element (source,
      gst_structure_new ("tl-flow", "epoch", G_TYPE_UINT, epoch, "split",
          G_TYPE_STRING, tl_split_nick (split), "seconds", G_TYPE_DOUBLE,
          seconds, "wait-share", G_TYPE_DOUBLE, wait_share, "slowest",
          G_TYPE_STRING, wait_share > 0.5 ? "data" : "model", NULL));
}
