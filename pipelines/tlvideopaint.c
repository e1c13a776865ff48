/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlvideopaint.h"

#include <math.h>
#include <string.h>

#define CHANNELS 3
#define SAMPLES 4 /* of an unpacked pixel */

typedef struct
{
  const GstVideoInfo *info;
  const guint8 *rgb;
  gdouble weights[CHANNELS][CHANNELS]; /* of R, G, B in Y, U, V */
  gint offset[SAMPLES], scale[SAMPLES];
} Painter;

static void
fill_weights (Painter *self)
{
  gdouble red, blue, green;

  gst_video_color_matrix_get_Kr_Kb (GST_VIDEO_INFO_COLORIMETRY (self->info)
                                        .matrix,
      &red, &blue);
  green = 1 - red - blue;
  self->weights[0][0] = red;
  self->weights[0][1] = green;
  self->weights[0][2] = blue;
  for (guint i = 0; i < CHANNELS; i++) {
    self->weights[1][i] = ((i == 2) - self->weights[0][i]) / 2 / (1 - blue);
    self->weights[2][i] = ((i == 0) - self->weights[0][i]) / 2 / (1 - red);
  }
}

/* Y, U or V of a pixel; outside the picture that of its edge. */
static gdouble
get_sample (const Painter *self, gint x, gint y, guint component)
{
  const guint8 *pixel;
  gdouble sum = 0;

  x = CLAMP (x, 0, GST_VIDEO_INFO_WIDTH (self->info) - 1);
  y = CLAMP (y, 0, GST_VIDEO_INFO_HEIGHT (self->info) - 1);
  pixel = self->rgb
      + ((gsize) y * (gsize) GST_VIDEO_INFO_WIDTH (self->info) + (gsize) x)
          * CHANNELS;
  for (guint i = 0; i < CHANNELS; i++)
    sum += self->weights[component][i] * pixel[i] / 255;
  return sum;
}

static gdouble
get_chroma (const Painter *self, gint x, gint y, guint component)
{
  gint n_rows = 1 << GST_VIDEO_FORMAT_INFO_H_SUB (self->info->finfo, 1);
  gdouble sum = 0;

  if (GST_VIDEO_FORMAT_INFO_W_SUB (self->info->finfo, 1) == 0)
    return get_sample (self, x, y, component);
  for (gint row = y; row < y + n_rows; row++)
    sum += get_sample (self, x - 1, row, component)
        + 2 * get_sample (self, x, row, component)
        + get_sample (self, x + 1, row, component);
  return sum / 4 / n_rows;
}

static guint8
quantise (const Painter *self, gdouble value, guint component)
{
  value =
      floor (value * self->scale[component] + self->offset[component] + 0.5);
  return (guint8) CLAMP (value, 0, 255);
}

/* Of chroma the functions that pack take that of even pixels and rows. */
static void
fill_row (const Painter *self, gint y, guint8 *row)
{
  gint column = (1 << GST_VIDEO_FORMAT_INFO_W_SUB (self->info->finfo, 1)) - 1;
  gint line = (1 << GST_VIDEO_FORMAT_INFO_H_SUB (self->info->finfo, 1)) - 1;

  for (gint x = 0; x < GST_VIDEO_INFO_WIDTH (self->info); x++, row += SAMPLES) {
    row[0] = 255;
    row[1] = quantise (self, get_sample (self, x, y, 0), 0);
    if ((x & column) || (y & line))
      continue;
    for (guint i = 1; i < CHANNELS; i++)
      row[1 + i] = quantise (self, get_chroma (self, x, y, i), i);
  }
}

static void
pack_yuv (Painter *self, GstVideoFrame *frame, guint8 *row)
{
  const GstVideoFormatInfo *format = self->info->finfo;

  fill_weights (self);
  gst_video_color_range_offsets (GST_VIDEO_INFO_COLORIMETRY (self->info).range,
      gst_video_format_get_info (format->unpack_format), self->offset,
      self->scale);
  for (gint y = 0; y < GST_VIDEO_INFO_HEIGHT (self->info); y++) {
    fill_row (self, y, row);
    format->pack_func (format, GST_VIDEO_PACK_FLAG_NONE, row, 0, frame->data,
        frame->info.stride, GST_VIDEO_INFO_CHROMA_SITE (self->info), y,
        GST_VIDEO_INFO_WIDTH (self->info));
  }
}

static void
copy_rgb (const Painter *self, GstVideoFrame *frame)
{
  gsize row = (gsize) GST_VIDEO_INFO_WIDTH (self->info) * CHANNELS;

  for (gint y = 0; y < GST_VIDEO_INFO_HEIGHT (self->info); y++)
    memcpy ((guint8 *) frame->data[0] + y * frame->info.stride[0],
        self->rgb + (gsize) y * row, row);
}

GstBuffer *
tl_video_paint (const GstVideoInfo *info, const guint8 *rgb)
{
  gsize n = (gsize) GST_VIDEO_INFO_WIDTH (info) + 16;
  g_autofree guint8 *row = g_try_malloc0_n (n, SAMPLES);
  g_autoptr (GstBuffer) buffer =
      gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (info), NULL);
  Painter self = {.info = info, .rgb = rgb};
  GstVideoFrame frame;

  if (!row || !buffer
      || !gst_video_frame_map (&frame, info, buffer, GST_MAP_WRITE))
    return NULL;
  if (GST_VIDEO_FORMAT_INFO_IS_YUV (info->finfo))
    pack_yuv (&self, &frame, row);
  else
    copy_rgb (&self, &frame);
  gst_video_frame_unmap (&frame);
  return g_steal_pointer (&buffer);
}
