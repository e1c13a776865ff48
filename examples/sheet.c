/* SPDX-License-Identifier: BSD-3-Clause */

#include "sheet.h"

#include <math.h>

#define MARGIN 24
#define COLUMNS 8
#define CELL (THUMBNAIL_SIDE + 8)
#define CELL_HEIGHT (THUMBNAIL_SIDE + 40)
#define WIDTH (2 * MARGIN + COLUMNS * CELL)
#define CHART_HEIGHT 220
#define VIDEO_HEIGHT 90

typedef struct
{
  gdouble r, g, b;
} Color;

static const Color ink = {0.13, 0.15, 0.18};
static const Color pale = {0.80, 0.82, 0.85};
static const Color good = {0.10, 0.50, 0.35};
static const Color bad = {0.80, 0.20, 0.15};

/* Told apart also by the colour-blind (Okabe and Ito). */
static const Color palette[] = {
    {0.00, 0.45, 0.70},
    {0.90, 0.62, 0.00},
    {0.00, 0.62, 0.45},
    {0.80, 0.47, 0.65},
    {0.34, 0.71, 0.91},
    {0.84, 0.37, 0.00},
};

static void
set_color (cairo_t *cr, Color color)
{
  cairo_set_source_rgb (cr, color.r, color.g, color.b);
}

static void
draw_text (cairo_t *cr, gdouble x, gdouble y, gdouble size, const gchar *text)
{
  cairo_set_font_size (cr, size);
  cairo_move_to (cr, x, y);
  cairo_show_text (cr, text);
}

static const gchar *
class_name (const Results *results, gint number)
{
  return number == NO_CLASS ? "no result"
                            : g_ptr_array_index (results->classes, number);
}

/* One value of every epoch as a line from left to right; @top is the value at
 * the upper edge. */
static void
draw_series (cairo_t *cr, const GArray *curve, gsize offset, gdouble width,
    gdouble top)
{
  cairo_new_path (cr);
  for (guint i = 0; i < curve->len; i++) {
    const guint8 *point = (guint8 *) &g_array_index (curve, CurvePoint, i);
    gdouble value = *(const gdouble *) (point + offset);
    gdouble x = curve->len > 1 ? width * i / (curve->len - 1) : width / 2;
    gdouble y = CHART_HEIGHT * (1 - CLAMP (value / top, 0, 1));

    if (isnan (value))
      continue;
    cairo_line_to (cr, x, y);
    if (curve->len == 1)
      cairo_arc (cr, x, y, 2, 0, 2 * G_PI);
  }
  cairo_stroke (cr);
}

static gdouble
largest_loss (const GArray *curve)
{
  gdouble top = 0.1;

  for (guint i = 0; i < curve->len; i++) {
    const CurvePoint *point = &g_array_index (curve, CurvePoint, i);

    top = fmax (top, fmax (point->train_loss, point->valid_loss));
  }
  return top;
}

static void
draw_frame (cairo_t *cr, gdouble width)
{
  set_color (cr, pale);
  cairo_set_line_width (cr, 1);
  for (gint i = 0; i <= 4; i++) {
    cairo_move_to (cr, 0, CHART_HEIGHT * i / 4.0);
    cairo_rel_line_to (cr, width, 0);
  }
  cairo_stroke (cr);
}

static void
draw_curve (cairo_t *cr, const GArray *curve, gdouble width)
{
  gdouble top = largest_loss (curve);
  g_autofree gchar *scale =
      g_strdup_printf ("loss, 0 to %.2f; accuracy, 0 to 100 %%", top);
  const struct
  {
    gsize offset;
    gdouble top;
    const gchar *name;
  } series[] = {
      {G_STRUCT_OFFSET (CurvePoint, train_loss), top, "train loss"},
      {G_STRUCT_OFFSET (CurvePoint, valid_loss), top, "validation loss"},
      {G_STRUCT_OFFSET (CurvePoint, valid_accuracy), 1, "validation accuracy"},
  };

  draw_frame (cr, width);
  cairo_set_line_width (cr, 2);
  for (guint i = 0; i < G_N_ELEMENTS (series); i++) {
    set_color (cr, palette[i]);
    draw_series (cr, curve, series[i].offset, width, series[i].top);
    draw_text (cr, 130 * i, CHART_HEIGHT + 18, 12, series[i].name);
  }
  set_color (cr, ink);
  draw_text (cr, 0, -8, 12, scale);
}

static guint
row_sum (const Results *results, gint truth)
{
  guint n = results_count (results, truth, NO_CLASS);

  for (guint found = 0; found < results->classes->len; found++)
    n += results_count (results, truth, found);
  return n;
}

static void
draw_matrix_cell (cairo_t *cr, const Results *results, gint truth, gint found,
    gdouble side)
{
  guint n = results_count (results, truth, found);
  gdouble share = (gdouble) n / MAX (1, row_sum (results, truth));
  Color color = truth == found ? good : bad;
  g_autofree gchar *text = g_strdup_printf ("%u", n);

  cairo_set_source_rgba (cr, color.r, color.g, color.b, 0.08 + 0.6 * share);
  cairo_rectangle (cr, found * side, truth * side, side - 2, side - 2);
  cairo_fill (cr);
  set_color (cr, ink);
  draw_text (cr, (found + 0.5) * side - 8, (truth + 0.5) * side + 5, 14, text);
}

/* Rows are the truth, columns what was found. */
static void
draw_matrix (cairo_t *cr, const Results *results)
{
  guint n = results->classes->len;
  gdouble side = fmin (64, CHART_HEIGHT / (gdouble) MAX (1, n));

  set_color (cr, ink);
  draw_text (cr, 0, -8, 12, "rows: truth, columns: found");
  for (guint truth = 0; truth < n; truth++) {
    for (guint found = 0; found < n; found++)
      draw_matrix_cell (cr, results, truth, found, side);
    set_color (cr, ink);
    draw_text (cr, n * side + 8, (truth + 0.5) * side + 5, 12,
        class_name (results, truth));
  }
}

static void
draw_picture (cairo_t *cr, const Results *results, const Frame *frame)
{
  gboolean right = frame->truth == frame->found;
  g_autofree gchar *found = g_strdup_printf ("%s %.0f %%",
      class_name (results, frame->found), 100 * frame->probability);

  cairo_set_source_surface (cr, frame->thumbnail, 0, 0);
  cairo_paint (cr);
  set_color (cr, right ? good : bad);
  cairo_set_line_width (cr, right ? 1 : 4);
  cairo_rectangle (cr, 0, 0, THUMBNAIL_SIDE, THUMBNAIL_SIDE);
  cairo_stroke (cr);
  draw_text (cr, 0, THUMBNAIL_SIDE + 14, 12, found);
  set_color (cr, ink);
  if (!right) {
    g_autofree gchar *truth =
        g_strdup_printf ("is: %s", class_name (results, frame->truth));

    draw_text (cr, 0, THUMBNAIL_SIDE + 28, 12, truth);
  }
}

/* The wrong ones first. */
static void
draw_pictures (cairo_t *cr, const Results *results)
{
  guint at = 0;

  for (gint right = 0; right <= 1; right++) {
    for (guint i = 0; i < results->frames->len; i++) {
      const Frame *frame = &g_array_index (results->frames, Frame, i);

      if (!frame->thumbnail || (frame->truth == frame->found) != right)
        continue;
      cairo_save (cr);
      cairo_translate (cr, at % COLUMNS * CELL, at / COLUMNS * CELL_HEIGHT);
      draw_picture (cr, results, frame);
      cairo_restore (cr);
      at++;
    }
  }
}

/* The class of every frame as a coloured bar. */
static void
draw_video (cairo_t *cr, const Results *results)
{
  guint n = results->frames->len;
  gdouble width = (gdouble) COLUMNS * CELL / MAX (1, n);

  set_color (cr, ink);
  draw_text (cr, 0, -8, 12, "the video, from its start to its end");
  for (guint i = 0; i < n; i++) {
    const Frame *frame = &g_array_index (results->frames, Frame, i);

    set_color (cr,
        frame->found == NO_CLASS
            ? pale
            : palette[frame->found % G_N_ELEMENTS (palette)]);
    cairo_rectangle (cr, i * width, 0, ceil (width), 24);
    cairo_fill (cr);
  }
  for (guint i = 0; i < results->classes->len; i++) {
    set_color (cr, palette[i % G_N_ELEMENTS (palette)]);
    draw_text (cr, 160 * i, 44, 12, class_name (results, i));
  }
}

static gint
pictures_height (const Results *folder)
{
  guint n = folder ? folder->n_thumbnails[0] + folder->n_thumbnails[1] : 0;

  return (n + COLUMNS - 1) / COLUMNS * CELL_HEIGHT;
}

static void
draw_sheet (cairo_t *cr, const GArray *curve, const Results *folder,
    const Results *video)
{
  cairo_set_source_rgb (cr, 1, 1, 1);
  cairo_paint (cr);
  cairo_select_font_face (cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
      CAIRO_FONT_WEIGHT_NORMAL);
  cairo_translate (cr, MARGIN, 2 * MARGIN);
  if (curve)
    draw_curve (cr, curve, WIDTH / 2.0 - MARGIN);
  cairo_save (cr);
  cairo_translate (cr, WIDTH / 2.0 + MARGIN, 0);
  if (folder)
    draw_matrix (cr, folder);
  cairo_restore (cr);
  cairo_translate (cr, 0, CHART_HEIGHT + 2 * MARGIN);
  if (folder)
    draw_pictures (cr, folder);
  cairo_translate (cr, 0, pictures_height (folder) + MARGIN);
  if (video)
    draw_video (cr, video);
}

gboolean
sheet_write (const gchar *path, const GArray *curve, const Results *folder,
    const Results *video, GError **error)
{
  gint height = 2 * MARGIN + CHART_HEIGHT + 2 * MARGIN
      + pictures_height (folder) + (video ? VIDEO_HEIGHT : 0);
  cairo_surface_t *surface =
      cairo_image_surface_create (CAIRO_FORMAT_RGB24, WIDTH, height);
  cairo_t *cr = cairo_create (surface);
  cairo_status_t status;

  draw_sheet (cr, curve, folder, video);
  status = cairo_status (cr);
  if (status == CAIRO_STATUS_SUCCESS)
    status = cairo_surface_write_to_png (surface, path);
  cairo_destroy (cr);
  cairo_surface_destroy (surface);
  if (status != CAIRO_STATUS_SUCCESS)
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
        "%s cannot be written: %s", path, cairo_status_to_string (status));
  return status == CAIRO_STATUS_SUCCESS;
}
