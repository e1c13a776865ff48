/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlvideorgb.h"

#include <math.h>
#include <string.h>

#include <tlcolour.h>

#define CHANNELS 3
#define CHROMA 2
#define SAMPLES 4 /* of an unpacked pixel */
#define SD_ROWS 576

typedef enum
{
  COPY,
  COPY_GREY,
  CONVERT
} Way;

/* One row of chroma as the format has it, with a sample more on either side. */
typedef struct
{
  gint64 row; /* -1: none */
  gfloat *samples[CHROMA];
} ChromaRow;

struct TlVideoRgb
{
  const GstVideoFormatInfo *format;
  GstVideoPackFlags flags;
  guint width;
  Way way;
  gboolean is_wide;
  TlColourMatrix matrix;
  guint column_bits, row_bits; /* chroma's subsampling, as powers of two */
  gfloat column_offset;        /* of chroma's samples, columns */

  gpointer row; /* unpacked */
  ChromaRow chroma[2];
  gfloat *blended;              /* of two rows of chroma */
  gfloat *components[CHANNELS]; /* a row of the box and up to 3 columns more */
};

/* ---- Colour ---- */

static void
get_luma_weights (const GstVideoInfo *info, gdouble *red, gdouble *blue)
{
  GstVideoColorMatrix matrix = GST_VIDEO_INFO_COLORIMETRY (info).matrix;

  if (gst_video_color_matrix_get_Kr_Kb (matrix, red, blue))
    return;
  gst_video_color_matrix_get_Kr_Kb (GST_VIDEO_INFO_HEIGHT (info) > SD_ROWS
          ? GST_VIDEO_COLOR_MATRIX_BT709
          : GST_VIDEO_COLOR_MATRIX_BT601,
      red, blue);
}

/* Rows: red, green, blue; columns: Y, U (B - Y) and V (R - Y) of -1/2 to 1/2.
 * ITU-R BT.601-7, 2.5; BT.709-6, 3. */
static void
fill_yuv (const GstVideoInfo *info, gdouble weights[CHANNELS][CHANNELS])
{
  gdouble red, blue, green;

  get_luma_weights (info, &red, &blue);
  green = 1 - red - blue;
  weights[0][0] = weights[1][0] = weights[2][0] = 1;
  weights[0][2] = 2 * (1 - red);
  weights[1][1] = -2 * (1 - blue) * blue / green;
  weights[1][2] = -2 * (1 - red) * red / green;
  weights[2][1] = 2 * (1 - blue);
}

static gboolean
is_rgb (const GstVideoInfo *info)
{
  return GST_VIDEO_FORMAT_INFO_IS_RGB (info->finfo);
}

static gboolean
is_full_range (const GstVideoInfo *info)
{
  GstVideoColorRange range = GST_VIDEO_INFO_COLORIMETRY (info).range;

  if (range == GST_VIDEO_COLOR_RANGE_UNKNOWN)
    return is_rgb (info) || GST_VIDEO_FORMAT_INFO_IS_GRAY (info->finfo);
  return range == GST_VIDEO_COLOR_RANGE_0_255;
}

/* From unpacked samples to levels of RGB. */
static void
fill_matrix (TlVideoRgb *self, const GstVideoInfo *info)
{
  gdouble weights[CHANNELS][CHANNELS] = {{0}};
  gint offset[SAMPLES], scale[SAMPLES];

  gst_video_color_range_offsets (is_full_range (info)
          ? GST_VIDEO_COLOR_RANGE_0_255
          : GST_VIDEO_COLOR_RANGE_16_235,
      gst_video_format_get_info (self->format->unpack_format), offset, scale);
  for (guint c = 0; is_rgb (info) && c < CHANNELS; c++)
    weights[c][c] = 1;
  if (!is_rgb (info))
    fill_yuv (info, weights);
  for (guint c = 0; c < CHANNELS; c++) {
    gdouble sum = 0;

    for (guint i = 0; i < CHANNELS; i++) {
      gdouble weight = weights[c][i] * 255 / scale[i];

      self->matrix.weights[c][i] = (gfloat) weight;
      sum -= weight * offset[i];
    }
    self->matrix.offsets[c] = (gfloat) sum;
  }
}

static Way
choose_way (const GstVideoInfo *info)
{
  if (!is_full_range (info))
    return CONVERT;
  if (GST_VIDEO_FORMAT_INFO_IS_GRAY (info->finfo))
    return COPY_GREY;
  return is_rgb (info) ? COPY : CONVERT;
}

/* ---- Life ---- */

static void
set_subsampling (TlVideoRgb *self, const GstVideoInfo *info)
{
  GstVideoChromaSite site = GST_VIDEO_INFO_CHROMA_SITE (info);
  gboolean is_centred = site != GST_VIDEO_CHROMA_SITE_UNKNOWN
      && !(site & GST_VIDEO_CHROMA_SITE_H_COSITED);

  self->column_bits = GST_VIDEO_FORMAT_INFO_W_SUB (self->format, 1);
  self->row_bits = GST_VIDEO_FORMAT_INFO_H_SUB (self->format, 1);
  if (GST_VIDEO_FORMAT_INFO_N_COMPONENTS (self->format) < CHANNELS)
    self->column_bits = self->row_bits = 0;
  if (is_centred)
    self->column_offset = (gfloat) ((1u << self->column_bits) - 1) / 2;
}

static gfloat *
new_samples (gsize n)
{
  return g_try_new0 (gfloat, n);
}

static gboolean
reserve (TlVideoRgb *self)
{
  gsize n = (gsize) self->width + 16;
  gboolean has_all;

  self->row = g_try_malloc0_n (n, SAMPLES * (self->is_wide ? 2 : 1));
  self->blended = new_samples (n);
  has_all = self->row && self->blended;
  for (guint i = 0; i < CHANNELS; i++)
    has_all &= (self->components[i] = new_samples (n)) != NULL;
  for (guint k = 0; k < 2; k++) {
    for (guint i = 0; i < CHROMA; i++)
      has_all &= (self->chroma[k].samples[i] = new_samples (n)) != NULL;
  }
  return has_all;
}

TlVideoRgb *
tl_video_rgb_new (const GstVideoInfo *info)
{
  g_autoptr (TlVideoRgb) self = g_new0 (TlVideoRgb, 1);

  self->format = info->finfo;
  if (!self->format->unpack_func)
    return NULL;
  self->width = (guint) GST_VIDEO_INFO_WIDTH (info);
  self->is_wide = self->format->unpack_format == GST_VIDEO_FORMAT_AYUV64
      || self->format->unpack_format == GST_VIDEO_FORMAT_ARGB64;
  self->way = choose_way (info);
  /* 10 bits of limited range are scaled by shifting them, of full range by
   * repeating them. */
  if (!is_full_range (info))
    self->flags = GST_VIDEO_PACK_FLAG_TRUNCATE_RANGE;
  fill_matrix (self, info);
  set_subsampling (self, info);
  return reserve (self) ? g_steal_pointer (&self) : NULL;
}

void
tl_video_rgb_free (TlVideoRgb *self)
{
  if (!self)
    return;
  g_free (self->row);
  g_free (self->blended);
  for (guint i = 0; i < CHANNELS; i++)
    g_free (self->components[i]);
  for (guint k = 0; k < 2; k++) {
    for (guint i = 0; i < CHROMA; i++)
      g_free (self->chroma[k].samples[i]);
  }
  g_free (self);
}

/* ---- Rows ---- */

/* A row up to column @end. Of VYUY the last of an odd number of columns comes
 * out wrong; whole pairs of it are always there. */
static TlUnpackedRow
unpack (TlVideoRgb *self, const TlVideoRows *rows, guint y, guint end)
{
  if (GST_VIDEO_FORMAT_INFO_FORMAT (self->format) == GST_VIDEO_FORMAT_VYUY)
    end = GST_ROUND_UP_2 (end);
  self->format->unpack_func (self->format, self->flags, self->row, rows->data,
      rows->stride, 0, (gint) y, (gint) end);
  return (TlUnpackedRow){.data = self->row, .is_wide = self->is_wide};
}

/* Chroma of row @row of its own: for the columns of @box, and the samples before
 * and behind them, of which the picture's edges have none. */
static void
read_chroma (TlVideoRgb *self, const TlVideoRows *rows, const TlBox *box,
    gint64 row, ChromaRow *chroma)
{
  guint step = 1u << self->column_bits;
  guint n_all = (self->width + step - 1) >> self->column_bits;
  guint first = box->x >> self->column_bits;
  guint end = (box->x + box->width + step - 1) >> self->column_bits;
  guint from = first > 0 ? first - 1 : 0, to = MIN (end + 1, n_all);
  TlUnpackedRow unpacked = unpack (self, rows, (guint) (row << self->row_bits),
      MIN (to << self->column_bits, self->width));

  for (guint i = 0; i < CHROMA; i++) {
    gfloat *samples = chroma->samples[i];

    tl_colour_take (&unpacked, i + 1, (gsize) from * step, step, to - from,
        samples + (first == 0));
    if (first == 0)
      samples[0] = samples[1];
    if (to == end)
      samples[end - first + 1] = samples[end - first];
  }
  chroma->row = row;
}

/* Rows come from the top down, so that two are kept. */
static const ChromaRow *
get_chroma (TlVideoRgb *self, const TlVideoRows *rows, const TlBox *box,
    gint64 row)
{
  ChromaRow *chroma;

  row = CLAMP (row, 0, ((gint64) rows->height - 1) >> self->row_bits);
  chroma = &self->chroma[row & 1];
  if (chroma->row != row)
    read_chroma (self, rows, box, row, chroma);
  return chroma;
}

/* Chroma of luma row @y. */
static void
interpolate_chroma (TlVideoRgb *self, const TlVideoRows *rows, const TlBox *box,
    guint y)
{
  guint step = 1u << self->column_bits;
  gfloat offset = self->row_bits ? rows->chroma_offset : 0;
  gfloat place = ((gfloat) y - offset) / (gfloat) (1u << self->row_bits);
  gint64 above = (gint64) floorf (place);
  guint first = box->x >> self->column_bits;
  guint end = (box->x + box->width + step - 1) >> self->column_bits;
  guint n = end - first + 2;
  const ChromaRow *a = get_chroma (self, rows, box, above);
  const ChromaRow *b =
      place > (gfloat) above ? get_chroma (self, rows, box, above + 1) : a;

  for (guint i = 0; i < CHROMA; i++) {
    gfloat *component = self->components[i + 1];

    tl_colour_blend (a->samples[i], b->samples[i], place - (gfloat) above, n,
        self->blended);
    if (step > 1)
      tl_colour_widen (self->blended, n, step, self->column_offset, component);
    else
      memcpy (component, self->blended + 1, (n - 2) * sizeof (gfloat));
  }
}

static void
convert_row (TlVideoRgb *self, const TlVideoRows *rows, const TlBox *box,
    guint y, guint8 *rgb)
{
  gboolean is_sampled = self->column_bits || self->row_bits;
  gsize n_before = box->x & ((1u << self->column_bits) - 1);
  const gfloat *from[CHANNELS];
  TlUnpackedRow row;

  if (is_sampled)
    interpolate_chroma (self, rows, box, y);
  row = unpack (self, rows, y, box->x + box->width);
  for (guint i = 0; i < CHANNELS; i++) {
    gboolean is_made = is_sampled && i > 0;

    if (!is_made)
      tl_colour_take (&row, i, box->x, 1, box->width, self->components[i]);
    from[i] = self->components[i] + (is_made ? n_before : 0);
  }
  tl_colour_convert (&self->matrix, from, box->width, rgb);
}

void
tl_video_rgb_read (TlVideoRgb *self, const TlVideoRows *rows, const TlBox *box,
    guint8 *rgb)
{
  gsize stride = (gsize) box->width * CHANNELS;

  self->chroma[0].row = self->chroma[1].row = -1;
  for (guint y = box->y; y < box->y + box->height; y++, rgb += stride) {
    TlUnpackedRow row;

    if (self->way == CONVERT) {
      convert_row (self, rows, box, y, rgb);
      continue;
    }
    row = unpack (self, rows, y, box->x + box->width);
    if (self->way == COPY)
      tl_colour_copy (&row, box->x, box->width, rgb);
    else
      tl_colour_copy_grey (&row, box->x, box->width, rgb);
  }
}
