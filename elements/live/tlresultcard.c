/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlresultcard.h"

#include <math.h>
#include <string.h>

#include <pango/pangocairo.h>

/* ---- Layout, in hundredths of the picture's height ---- */

#define MARGIN 4.0 /* keeps clear of what screens with overscan cut off */
#define WIDTH 48.0
#define PAD 2.2
#define RADIUS 1.1
#define STRIPE 0.8 /* down the left side, in the colour of the state */
#define OUTLINE 0.2

#define HEADER 3.2
#define HEADLINE 6.4
#define ROW 3.8
#define FOOTER 4.2 /* one line of the notice and the space above it */

#define HEADER_TEXT 2.1
#define HEADLINE_TEXT 4.4
#define ROW_TEXT 2.5
#define NOTICE_TEXT 2.1
#define NOTICE_LINES 2

#define BAR 1.1
#define NAME_SHARE 0.44 /* of a row's width */
#define PERCENT_WIDTH 7.2
#define GAP 1.2

/* Pixels of a hundredth: what 9-pixel type needs, and what a surface takes. */
#define MIN_UNIT 3.6
#define MAX_UNIT 100.0

/* More does not fit into a line; class names come from files. */
#define MAX_CHARS 200

struct TlCardPainter
{
  PangoFontMap *fonts;
  PangoContext *context;
};

typedef struct
{
  gdouble red, green, blue, alpha;
} Colour;

/* Blue and orange are told apart with every kind of colour blindness (Okabe and
 * Ito, "Color Universal Design", 2008); no state is told by colour alone. */
static const Colour plate = {0.04, 0.05, 0.07, 0.80};
static const Colour outline = {1, 1, 1, 0.16};
static const Colour white = {1, 1, 1, 1};
static const Colour muted = {0.78, 0.81, 0.84, 1};
static const Colour track = {1, 1, 1, 0.20};
static const Colour blue = {0.34, 0.71, 0.91, 1};
static const Colour orange = {0.98, 0.69, 0.10, 1};
static const Colour grey = {0.62, 0.65, 0.68, 1};
static const Colour ink = {0.08, 0.06, 0.00, 1};

/* ---- Fonts ---- */

static gboolean
has_fonts (PangoFontMap *fonts)
{
  PangoFontFamily **families = NULL;
  gint n = 0;

  pango_font_map_list_families (fonts, &families, &n);
  g_free (families);
  return n > 0;
}

TlCardPainter *
tl_card_painter_new (void)
{
  g_autoptr (PangoFontMap) fonts = pango_cairo_font_map_new ();
  TlCardPainter *self;
  cairo_font_options_t *options;

  if (!fonts || !has_fonts (fonts))
    return NULL;
  self = g_new0 (TlCardPainter, 1);
  self->context = pango_font_map_create_context (fonts);
  self->fonts = g_steal_pointer (&fonts);
  options = cairo_font_options_create ();
  /* The same shapes at every size, and no colours at the edges. */
  cairo_font_options_set_hint_style (options, CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics (options, CAIRO_HINT_METRICS_OFF);
  cairo_font_options_set_antialias (options, CAIRO_ANTIALIAS_GRAY);
  pango_cairo_context_set_font_options (self->context, options);
  /* Text is laid out in square pixels, and Cairo scales it. */
  pango_context_set_round_glyph_positions (self->context, FALSE);
  cairo_font_options_destroy (options);
  return self;
}

void
tl_card_painter_free (TlCardPainter *self)
{
  if (!self)
    return;
  g_object_unref (self->context);
  g_object_unref (self->fonts);
  g_free (self);
}

/* ---- Text ---- */

/* What would end the line or turn the direction of what follows. */
static gboolean
disturbs (gunichar c)
{
  return g_unichar_iscntrl (c) || (c >= 0x2028 && c <= 0x202e)
      || (c >= 0x2066 && c <= 0x2069);
}

static gchar *
clean (const gchar *text)
{
  g_autofree gchar *valid = NULL;
  GString *line = g_string_new (NULL);
  const gchar *at;
  guint n = 0;

  valid = g_utf8_make_valid (text, (gssize) strnlen (text, 4 * MAX_CHARS));
  for (at = valid; *at && n < MAX_CHARS; at = g_utf8_next_char (at), n++) {
    gunichar c = g_utf8_get_char (at);

    g_string_append_unichar (line, disturbs (c) ? ' ' : c);
  }
  if (*at)
    g_string_append (line, "\342\200\246");
  return g_string_free (line, FALSE);
}

typedef struct
{
  gdouble size; /* of the type, pixels */
  gboolean bold;
  gdouble width; /* longer text is shortened; negative: not limited */
  guint n_lines;
  PangoAlignment align;
} Style;

static PangoLayout *
new_layout (TlCardPainter *self, const gchar *text, const Style *style)
{
  PangoLayout *layout = pango_layout_new (self->context);
  PangoFontDescription *font = pango_font_description_new ();
  g_autofree gchar *line = clean (text);

  pango_font_description_set_family_static (font, "Sans");
  pango_font_description_set_weight (font,
      style->bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
  pango_font_description_set_absolute_size (font, style->size * PANGO_SCALE);
  pango_layout_set_font_description (layout, font);
  pango_font_description_free (font);
  pango_layout_set_text (layout, line, -1);
  pango_layout_set_alignment (layout, style->align);
  if (style->width >= 0) {
    pango_layout_set_width (layout, (gint) (style->width * PANGO_SCALE));
    pango_layout_set_wrap (layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_height (layout, -(gint) style->n_lines);
  }
  return layout;
}

/* Text of @style in a line that is @height high, with its top left at (@x, @y).
 * Returns its width. */
static gdouble
draw_text (TlCardPainter *self, cairo_t *cairo, const gchar *text,
    const Style *style, const Colour *colour, gdouble x, gdouble y,
    gdouble height)
{
  g_autoptr (PangoLayout) layout = new_layout (self, text, style);
  gint width, lines;

  pango_layout_get_size (layout, &width, &lines);
  cairo_set_source_rgba (cairo, colour->red, colour->green, colour->blue,
      colour->alpha);
  cairo_move_to (cairo, x, y + (height - (gdouble) lines / PANGO_SCALE) / 2);
  pango_cairo_show_layout (cairo, layout);
  return (gdouble) width / PANGO_SCALE;
}

static gdouble
measure (TlCardPainter *self, const gchar *text, const Style *style,
    gboolean is_height)
{
  g_autoptr (PangoLayout) layout = new_layout (self, text, style);
  gint width, height;

  pango_layout_get_size (layout, &width, &height);
  return (gdouble) (is_height ? height : width) / PANGO_SCALE;
}

/* ---- Place ---- */

static gdouble
notice_height (TlCardPainter *self, const TlCard *card, gdouble unit)
{
  const Style style = {NOTICE_TEXT * unit, FALSE, (WIDTH - 2 * PAD) * unit,
      NOTICE_LINES, PANGO_ALIGN_LEFT};
  const Style line = {NOTICE_TEXT * unit, FALSE, -1, 1, PANGO_ALIGN_LEFT};

  if (!card->notice || !*card->notice)
    return 0;
  return FOOTER * unit + measure (self, card->notice, &style, TRUE)
      - measure (self, "x", &line, TRUE);
}

/* In pixels that are as wide as high. */
static gdouble
card_height (TlCardPainter *self, const TlCard *card, gdouble unit)
{
  return (2 * PAD + HEADER + HEADLINE + ROW * card->n_rows) * unit
      + notice_height (self, card, unit);
}

static gdouble
clamp_aspect (gdouble aspect)
{
  return isfinite (aspect) ? CLAMP (aspect, 0.1, 10) : 1;
}

/* Pixels of a hundredth: large enough to be read, small enough to fit. */
static gdouble
choose_unit (TlCardPainter *self, const TlCard *card, const TlCardView *view)
{
  gdouble width = view->width * clamp_aspect (view->pixel_aspect);
  gdouble unit = MAX (view->height / 100.0, MIN_UNIT) * view->scale;
  gdouble height;

  unit = CLAMP (unit, 0.01, MAX_UNIT);
  height = card_height (self, card, unit);
  return unit
      * MIN (1, MIN (width / (WIDTH * unit), (gdouble) view->height / height));
}

/* On whole samples of every subsampled plane: the blender takes colours of
 * 4 x 4 pixels together in the coarsest format. */
static guint
place_side (guint space, guint side, guint margin, gboolean is_far)
{
  guint free_space = space - side;
  guint at = MIN (margin, free_space / 2);

  return (is_far ? free_space - at : at) & ~3u;
}

TlCardBox
tl_card_painter_place (TlCardPainter *self, const TlCard *card,
    const TlCardView *view)
{
  gdouble unit = choose_unit (self, card, view);
  gdouble aspect = clamp_aspect (view->pixel_aspect);
  gdouble width = WIDTH * unit / aspect,
          height = card_height (self, card, unit);
  TlCardPosition at = view->position;
  TlCardBox box;

  box.width = CLAMP ((guint) ceil (width), 1, view->width);
  box.height = CLAMP ((guint) ceil (height), 1, view->height);
  box.x = place_side (view->width, box.width,
      (guint) (MARGIN * view->height / 100 / aspect),
      at == TL_CARD_TOP_RIGHT || at == TL_CARD_BOTTOM_RIGHT);
  box.y = place_side (view->height, box.height,
      (guint) (MARGIN * view->height / 100),
      at == TL_CARD_BOTTOM_LEFT || at == TL_CARD_BOTTOM_RIGHT);
  return box;
}

/* ---- Parts ---- */

/* What all parts need. Lengths are in pixels that are as wide as high. */
typedef struct
{
  TlCardPainter *painter;
  cairo_t *cairo;
  const TlCard *card;
  gdouble unit;
  gdouble left, right; /* of what is on the plate */
} Drawing;

static const Colour *
state_colour (const TlCard *card)
{
  if (card->state == TL_CARD_ABSENT || card->is_stale)
    return &grey;
  return card->state == TL_CARD_VALID ? &blue : &orange;
}

static void
fill_round (cairo_t *cairo, gdouble x, gdouble y, gdouble width, gdouble height,
    gdouble radius, const Colour *colour)
{
  radius = MIN (radius, MIN (width, height) / 2);
  cairo_new_sub_path (cairo);
  cairo_arc (cairo, x + width - radius, y + radius, radius, -(G_PI / 2), 0);
  cairo_arc (cairo, x + width - radius, y + height - radius, radius, 0,
      (G_PI / 2));
  cairo_arc (cairo, x + radius, y + height - radius, radius, (G_PI / 2), G_PI);
  cairo_arc (cairo, x + radius, y + radius, radius, G_PI, 1.5 * G_PI);
  cairo_close_path (cairo);
  cairo_set_source_rgba (cairo, colour->red, colour->green, colour->blue,
      colour->alpha);
  cairo_fill (cairo);
}

static void
draw_plate (Drawing *d, gdouble width, gdouble height)
{
  gdouble u = d->unit, edge = OUTLINE * u;
  const Colour *colour = state_colour (d->card);

  fill_round (d->cairo, 0, 0, width, height, RADIUS * u, &outline);
  cairo_set_operator (d->cairo, CAIRO_OPERATOR_SOURCE);
  fill_round (d->cairo, edge, edge, width - 2 * edge, height - 2 * edge,
      (RADIUS - OUTLINE) * u, &plate);
  cairo_set_operator (d->cairo, CAIRO_OPERATOR_OVER);
  fill_round (d->cairo, edge + 0.7 * u, PAD * u, STRIPE * u,
      height - 2 * PAD * u, STRIPE * u / 2, colour);
}

/* A pill that ends at @right; returns where it begins. */
static gdouble
draw_badge (Drawing *d, const gchar *text, const Colour *back,
    const Colour *front, gdouble right, gdouble y)
{
  gdouble u = d->unit, pad = 0.9 * u;
  const Style style = {HEADER_TEXT * u, back == &orange, -1, 1,
      PANGO_ALIGN_LEFT};
  gdouble width = measure (d->painter, text, &style, FALSE) + 2 * pad;

  fill_round (d->cairo, right - width, y, width, HEADER * u, HEADER * u / 2,
      back);
  draw_text (d->painter, d->cairo, text, &style, front, right - width + pad, y,
      HEADER * u);
  return right - width;
}

static void
draw_header (Drawing *d, gdouble y)
{
  gdouble u = d->unit, right = d->right;
  Style style = {HEADER_TEXT * u, FALSE, 0, 1, PANGO_ALIGN_LEFT};
  gchar text[64];

  if (d->card->is_stale) {
    g_snprintf (text, sizeof text,
        d->card->stale > 999 ? "stale >%u s" : "stale %u s",
        MIN (d->card->stale, 999));
    right = draw_badge (d, text, &orange, &ink, right, y) - GAP * u;
  }
  if (d->card->n_skipped > 0) {
    g_snprintf (text, sizeof text,
        d->card->n_skipped > 999 ? "skipped >%u" : "skipped %u",
        MIN (d->card->n_skipped, 999));
    right = draw_badge (d, text, &track, &white, right, y) - GAP * u;
  }
  style.width = MAX (right - d->left, 0);
  draw_text (d->painter, d->cairo, "Model result", &style, &muted, d->left, y,
      HEADER * u);
}

static const gchar *
percent_text (guint percent, gchar text[16])
{
  if (percent == 0)
    return "<1 %";
  if (percent >= 100)
    return ">99 %";
  g_snprintf (text, 16, "%u %%", percent);
  return text;
}

static void
draw_headline (Drawing *d, gdouble y)
{
  const TlCard *card = d->card;
  gdouble u = d->unit, height = HEADLINE * u, percent_width = 0;
  Style style = {HEADLINE_TEXT * u, TRUE, -1, 1, PANGO_ALIGN_LEFT};
  const Colour *colour =
      card->is_stale || card->state == TL_CARD_ABSENT ? &muted : &white;
  gboolean is_valid = card->state == TL_CARD_VALID && card->n > 0;
  gchar text[16];

  if (is_valid) {
    const gchar *percent = percent_text (card->top[0].percent, text);

    percent_width = measure (d->painter, percent, &style, FALSE);
    draw_text (d->painter, d->cairo, percent, &style, state_colour (card),
        d->right - percent_width, y, height);
    percent_width += GAP * u;
  }
  style.width = d->right - d->left - percent_width;
  draw_text (d->painter, d->cairo,
      is_valid                               ? card->top[0].name
          : card->state == TL_CARD_UNCERTAIN ? "Uncertain"
                                             : "No result",
      &style,
      card->state == TL_CARD_UNCERTAIN && !card->is_stale ? &orange : colour,
      d->left, y, height);
}

static void
draw_bar (Drawing *d, gdouble x, gdouble y, gdouble width, gdouble height,
    guint percent, const Colour *colour)
{
  gdouble top = y + (height - BAR * d->unit) / 2, bar = BAR * d->unit;

  fill_round (d->cairo, x, top, width, bar, bar / 2, &track);
  if (percent > 0)
    fill_round (d->cairo, x, top, MAX (width * MIN (percent, 100) / 100, bar),
        bar, bar / 2, colour);
}

/* A class with its name, bar and percentage. */
static void
draw_row (Drawing *d, guint i, gdouble y)
{
  const TlCardClass *class = &d->card->top[i];
  gdouble u = d->unit, height = ROW * u;
  gdouble name = NAME_SHARE * (d->right - d->left);
  gdouble bar = d->left + name + GAP * u,
          percent = d->right - PERCENT_WIDTH * u;
  const Colour *colour = i == 0 ? state_colour (d->card) : &muted;
  const Style left = {ROW_TEXT * u, FALSE, name, 1, PANGO_ALIGN_LEFT};
  const Style right = {ROW_TEXT * u, FALSE, PERCENT_WIDTH * u, 1,
      PANGO_ALIGN_RIGHT};
  gchar text[16];

  draw_text (d->painter, d->cairo, class->name, &left, &muted, d->left, y,
      height);
  draw_bar (d, bar, y, percent - bar, height, class->percent, colour);
  draw_text (d->painter, d->cairo, percent_text (class->percent, text), &right,
      &muted, percent, y, height);
}

/* The best class of a valid result has its name in the headline. */
static void
draw_rows (Drawing *d, gdouble y)
{
  const TlCard *card = d->card;
  gdouble height = ROW * d->unit;

  for (guint i = 0; i < MIN (card->n, card->n_rows); i++, y += height) {
    if (i == 0 && card->state == TL_CARD_VALID)
      draw_bar (d, d->left, y, d->right - d->left, height, card->top[0].percent,
          state_colour (card));
    else
      draw_row (d, i, y);
  }
}

static void
draw_reason (Drawing *d, gdouble y)
{
  gdouble u = d->unit, height = ROW * u * d->card->n_rows;
  Style style = {ROW_TEXT * u, FALSE, d->right - d->left, 1, PANGO_ALIGN_LEFT};

  style.n_lines = MAX ((guint) (height / (ROW_TEXT * u * 1.25)), 1);
  draw_text (d->painter, d->cairo, d->card->reason, &style, &muted, d->left, y,
      height);
}

/* It ends at @bottom. */
static void
draw_notice (Drawing *d, gdouble bottom)
{
  gdouble u = d->unit, height = notice_height (d->painter, d->card, u);
  const Style style = {NOTICE_TEXT * u, FALSE, d->right - d->left, NOTICE_LINES,
      PANGO_ALIGN_LEFT};
  gdouble line = 0.8 * u, gap = 1.4 * u;

  if (height <= 0)
    return;
  fill_round (d->cairo, d->left, bottom - height + line, d->right - d->left,
      OUTLINE * u, 0, &track);
  draw_text (d->painter, d->cairo, d->card->notice, &style, &muted, d->left,
      bottom - height + gap, height - gap);
}

static void
draw_parts (Drawing *d, gdouble width, gdouble height)
{
  const TlCard *card = d->card;
  gdouble u = d->unit, y = PAD * u;

  d->left = (PAD + STRIPE) * u;
  d->right = width - PAD * u;
  draw_plate (d, width, height);
  draw_header (d, y);
  y += HEADER * u;
  draw_headline (d, y);
  y += HEADLINE * u;
  if (card->state == TL_CARD_ABSENT && card->reason)
    draw_reason (d, y);
  else if (card->state != TL_CARD_ABSENT)
    draw_rows (d, y);
  draw_notice (d, height - PAD * u);
}

gboolean
tl_card_painter_draw (TlCardPainter *self, const TlCard *card,
    const TlCardView *view, const TlCardBox *box, guint8 *pixels, gsize stride)
{
  Drawing d = {.painter = self, .card = card};
  cairo_surface_t *surface;
  gboolean is_drawn;
  gdouble aspect = clamp_aspect (view->pixel_aspect);

  for (guint y = 0; y < box->height; y++)
    memset (pixels + y * stride, 0, (gsize) box->width * 4);
  surface = cairo_image_surface_create_for_data (pixels, CAIRO_FORMAT_ARGB32,
      (int) box->width, (int) box->height, (int) stride);
  d.cairo = cairo_create (surface);
  d.unit = choose_unit (self, card, view);
  cairo_scale (d.cairo, 1 / aspect, 1);
  draw_parts (&d, box->width * aspect, box->height);
  is_drawn = cairo_status (d.cairo) == CAIRO_STATUS_SUCCESS;
  cairo_destroy (d.cairo);
  cairo_surface_finish (surface);
  is_drawn = is_drawn && cairo_surface_status (surface) == CAIRO_STATUS_SUCCESS;
  cairo_surface_destroy (surface);
  return is_drawn;
}
