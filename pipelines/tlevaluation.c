/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlevaluation.h"

#include <math.h>
#include <string.h>

#include "tljsonline.h"

/* Wider matrices are for --json. */
#define MAX_MATRIX 16

struct _TlEvaluation
{
  GstStructure *metrics;
  gchar **names;   /* n of them */
  guint64 *counts; /* n x n, row = truth */
  guint n;
};

static void
read_counts (TlEvaluation *self, const GValue *rows)
{
  self->n = rows ? gst_value_array_get_size (rows) : 0;
  self->counts = g_new0 (guint64, (gsize) self->n * self->n);
  for (guint r = 0; r < self->n; r++) {
    const GValue *row = gst_value_array_get_value (rows, r);

    for (guint c = 0; c < MIN (self->n, gst_value_array_get_size (row)); c++)
      self->counts[(gsize) r * self->n + c] =
          g_value_get_uint64 (gst_value_array_get_value (row, c));
  }
}

static void
read_names (TlEvaluation *self, const gchar *classes)
{
  g_auto (GStrv) lines = g_strsplit (classes ? classes : "", "\n", -1);
  guint n_lines = g_strv_length (lines);

  self->names = g_new0 (gchar *, (gsize) self->n + 1);
  for (guint i = 0; i < self->n; i++)
    self->names[i] = i < n_lines && *lines[i] ? g_strdup (lines[i])
                                              : g_strdup_printf ("%u", i);
}

TlEvaluation *
tl_evaluation_new (const GstStructure *metrics, const gchar *classes)
{
  TlEvaluation *self = g_new0 (TlEvaluation, 1);

  self->metrics = gst_structure_copy (metrics);
  read_counts (self, gst_structure_get_value (metrics, "confusion"));
  read_names (self, classes);
  return self;
}

void
tl_evaluation_free (TlEvaluation *self)
{
  gst_structure_free (self->metrics);
  g_strfreev (self->names);
  g_free (self->counts);
  g_free (self);
}

guint64
tl_evaluation_count (const TlEvaluation *self, guint truth, guint found)
{
  return self->counts[(gsize) truth * self->n + found];
}

static guint64
count_truth (const TlEvaluation *self, guint klass)
{
  guint64 sum = 0;

  for (guint c = 0; c < self->n; c++)
    sum += tl_evaluation_count (self, klass, c);
  return sum;
}

static guint64
count_found (const TlEvaluation *self, guint klass)
{
  guint64 sum = 0;

  for (guint r = 0; r < self->n; r++)
    sum += tl_evaluation_count (self, r, klass);
  return sum;
}

static guint64
count_all (const TlEvaluation *self)
{
  guint64 sum = 0;

  for (guint r = 0; r < self->n; r++)
    sum += count_truth (self, r);
  return sum;
}

static gdouble
share (guint64 part, guint64 whole)
{
  return whole > 0 ? (gdouble) part / (gdouble) whole : NAN;
}

gdouble
tl_evaluation_sensitivity (const TlEvaluation *self, guint klass)
{
  return share (tl_evaluation_count (self, klass, klass),
      count_truth (self, klass));
}

gdouble
tl_evaluation_specificity (const TlEvaluation *self, guint klass)
{
  guint64 others = count_all (self) - count_truth (self, klass);
  guint64 wrong =
      count_found (self, klass) - tl_evaluation_count (self, klass, klass);

  return share (others - wrong, others);
}

/* ---- JSON ---- */

static void
append_class (const TlEvaluation *self, guint klass, GValue *classes)
{
  GstStructure *s =
      gst_structure_new ("class", "name", G_TYPE_STRING, self->names[klass],
          "n", G_TYPE_UINT64, count_truth (self, klass), "right", G_TYPE_UINT64,
          tl_evaluation_count (self, klass, klass), "sensitivity",
          G_TYPE_DOUBLE, tl_evaluation_sensitivity (self, klass), "specificity",
          G_TYPE_DOUBLE, tl_evaluation_specificity (self, klass), NULL);
  GValue item = G_VALUE_INIT;

  g_value_init (&item, GST_TYPE_STRUCTURE);
  g_value_take_boxed (&item, s);
  gst_value_array_append_and_take_value (classes, &item);
}

static void
write_object (const TlEvaluation *self, TlOutput *output,
    const gchar *checkpoint, const gchar *data)
{
  /* Of the metrics, those that belong to a training run. */
  static const gchar *const others[] = {"scope", "epoch", "epochs", "step",
      "lr", "images-per-second", "wait-ms"};
  GString *line = tl_json_line_new ("evaluation");
  g_autoptr (GstStructure) s = gst_structure_copy (self->metrics);
  GValue classes = G_VALUE_INIT;

  gst_value_array_init (&classes, self->n);
  for (guint k = 0; k < self->n; k++)
    append_class (self, k, &classes);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    gst_structure_remove_field (s, others[i]);
  gst_structure_take_value (s, "classes", &classes);
  tl_json_line_add_text (line, "checkpoint", checkpoint);
  tl_json_line_add_text (line, "data", data);
  tl_json_line_add_structure (line, s);
  tl_output_json (output, line);
}

/* ---- Lines ---- */

typedef struct
{
  gchar text[G_ASCII_DTOSTR_BUF_SIZE];
} Number;

static Number
format_share (gdouble value)
{
  Number number = {"-"};

  if (isfinite (value))
    g_ascii_formatd (number.text, sizeof number.text, "%.4f", value);
  return number;
}

static void
append_metric (const TlEvaluation *self, GString *text, const gchar *field,
    const gchar *word)
{
  gdouble value;

  if (gst_structure_get_double (self->metrics, field, &value))
    g_string_append_printf (text, "%s%s %s", text->len ? ", " : "", word,
        format_share (value).text);
}

static void
write_summary (const TlEvaluation *self, TlOutput *output,
    const gchar *checkpoint, const gchar *data)
{
  g_autoptr (GString) text = g_string_new (NULL);
  guint64 skipped = 0;

  gst_structure_get_uint64 (self->metrics, "skipped", &skipped);
  tl_output_line (output,
      "%s on %s, split %s: %" G_GUINT64_FORMAT " pictures, %" G_GUINT64_FORMAT
      " skipped",
      checkpoint, data, gst_structure_get_string (self->metrics, "split"),
      count_all (self), skipped);
  append_metric (self, text, "accuracy", "accuracy");
  append_metric (self, text, "balanced-accuracy", "balanced accuracy");
  append_metric (self, text, "auc", "AUC");
  append_metric (self, text, "loss", "loss");
  tl_output_line (output, "%s", text->str);
}

static gint
measure_names (const TlEvaluation *self)
{
  glong widest = (glong) strlen ("class");

  for (guint k = 0; k < self->n; k++)
    widest = MAX (widest, g_utf8_strlen (self->names[k], -1));
  return (gint) widest;
}

/* printf counts bytes; columns are characters. */
static gchar *
pad (const gchar *name, gint width)
{
  glong blanks = (glong) width - g_utf8_strlen (name, -1);

  return g_strdup_printf ("%s%*s", name, (int) MAX (blanks, 0), "");
}

static void
write_classes (const TlEvaluation *self, TlOutput *output, gint width)
{
  tl_output_line (output, "\n%-*s  %8s  %8s  %11s  %11s", width, "class",
      "pictures", "right", "sensitivity", "specificity");
  for (guint k = 0; k < self->n; k++) {
    g_autofree gchar *name = pad (self->names[k], width);

    tl_output_line (output,
        "%s  %8" G_GUINT64_FORMAT "  %8" G_GUINT64_FORMAT "  %11s  %11s", name,
        count_truth (self, k), tl_evaluation_count (self, k, k),
        format_share (tl_evaluation_sensitivity (self, k)).text,
        format_share (tl_evaluation_specificity (self, k)).text);
  }
}

static void
write_matrix (const TlEvaluation *self, TlOutput *output, gint width)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (self->n > MAX_MATRIX)
    return;
  g_string_append_printf (text, "\n%*s  taken for", width, "");
  for (guint r = 0; r < self->n; r++) {
    g_autofree gchar *name = pad (self->names[r], width);

    g_string_append_printf (text, "\n%s  ", name);
    for (guint c = 0; c < self->n; c++)
      g_string_append_printf (text, "%8" G_GUINT64_FORMAT,
          tl_evaluation_count (self, r, c));
  }
  tl_output_line (output, "%s", text->str);
}

void
tl_evaluation_write (const TlEvaluation *self, TlOutput *output,
    const gchar *checkpoint, const gchar *data)
{
  gint width = measure_names (self);

  write_object (self, output, checkpoint, data);
  write_summary (self, output, checkpoint, data);
  write_classes (self, output, width);
  write_matrix (self, output, width);
}
