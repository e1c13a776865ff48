/* SPDX-License-Identifier: BSD-3-Clause */

#include "tllivescene.h"

#include <gst/check/gstcheck.h>
#include <math.h>

#define SAMPLES 4

gchar **
tl_scene_formats (void)
{
  g_auto (GValue) list = G_VALUE_INIT;
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  g_value_init (&list, GST_TYPE_LIST);
  fail_unless (gst_value_deserialize (&list, GST_VIDEO_FORMATS_ALL));
  for (guint i = 0; i < gst_value_list_get_size (&list); i++)
    g_ptr_array_add (names,
        g_value_dup_string (gst_value_list_get_value (&list, i)));
  g_ptr_array_add (names, NULL);
  return (gchar **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}

void
tl_scene_gradients (gdouble x, gdouble y, gdouble rgb[3])
{
  rgb[0] = 0.1 + 0.8 * x;
  rgb[1] = 0.1 + 0.8 * y;
  rgb[2] = 0.9 - 0.4 * (x + y);
}

/* Components of 0 to 1 (chroma -1/2 to 1/2) as the format has them. */
static void
to_components (const GstVideoInfo *info, const gdouble rgb[3],
    gdouble component[3])
{
  gdouble red, blue, luma;

  if (GST_VIDEO_FORMAT_INFO_IS_RGB (info->finfo)) {
    memcpy (component, rgb, 3 * sizeof *rgb);
    return;
  }
  if (GST_VIDEO_FORMAT_INFO_IS_GRAY (info->finfo)) {
    component[0] = rgb[1];
    component[1] = component[2] = 0;
    return;
  }
  /* No check per pixel: each is a message to the test's parent. */
  if (!gst_video_color_matrix_get_Kr_Kb (info->colorimetry.matrix, &red, &blue))
    g_error ("The scene needs a colour matrix.");
  luma = red * rgb[0] + (1 - red - blue) * rgb[1] + blue * rgb[2];
  component[0] = luma;
  component[1] = (rgb[2] - luma) / 2 / (1 - blue);
  component[2] = (rgb[0] - luma) / 2 / (1 - red);
}

typedef struct
{
  const GstVideoInfo *info;
  TlScene scene;
  guint rows;                /* of the frame */
  guint first_row, row_step; /* a field: 0, 2 */
  gint offset[SAMPLES], scale[SAMPLES];
  gboolean is_wide;
} Painter;

/* Component @i at column @x and row @y of the frame, in its unpacked scale. */
static gdouble
paint_sample (const Painter *self, gdouble x, gdouble y, guint i)
{
  gdouble rgb[3], component[3];

  self->scene ((x + 0.5) / GST_VIDEO_INFO_WIDTH (self->info),
      (y + 0.5) / self->rows, rgb);
  to_components (self->info, rgb, component);
  return floor (component[i] * self->scale[i] + self->offset[i] + 0.5);
}

/* Pixel @x of row @y of what is packed: chroma where it lies. */
static void
paint_pixel (const Painter *self, gint x, gint y, gdouble sample[3])
{
  const GstVideoFormatInfo *format = self->info->finfo;
  GstVideoChromaSite site = GST_VIDEO_INFO_CHROMA_SITE (self->info);
  gint w = GST_VIDEO_FORMAT_INFO_W_SUB (format, 1);
  gint h = GST_VIDEO_FORMAT_INFO_H_SUB (format, 1);
  gdouble chroma_x = (x >> w) << w, chroma_y = (y >> h) << h;

  if (site != GST_VIDEO_CHROMA_SITE_UNKNOWN
      && !(site & GST_VIDEO_CHROMA_SITE_H_COSITED))
    chroma_x += ((1 << w) - 1) / 2.0;
  if (!(site & GST_VIDEO_CHROMA_SITE_V_COSITED))
    chroma_y += ((1 << h) - 1) / 2.0;
  sample[0] = paint_sample (self, x, self->first_row + self->row_step * y, 0);
  for (guint i = 1; i < 3; i++)
    sample[i] = paint_sample (self, chroma_x,
        self->first_row + self->row_step * chroma_y, i);
}

static void
paint_row (const Painter *self, gint y, gint width, gpointer row)
{
  for (gint x = 0; x < width; x++) {
    gdouble sample[3];

    paint_pixel (self, x, y, sample);
    for (guint i = 0; i < SAMPLES; i++) {
      gdouble value = i == 0 ? 65535 : sample[i - 1];

      if (self->is_wide)
        ((guint16 *) row)[SAMPLES * x + i] = (guint16) value;
      else
        ((guint8 *) row)[SAMPLES * x + i] = (guint8) value;
    }
  }
}

/* Several pack functions forget the last of an odd number of columns; rows are
 * padded. */
static gint
packed_width (const GstVideoInfo *info)
{
  gint width = GST_VIDEO_INFO_WIDTH (info);

  return GST_VIDEO_FORMAT_INFO_W_SUB (info->finfo, 1) == 1
          && !GST_VIDEO_FORMAT_INFO_IS_COMPLEX (info->finfo)
      ? GST_ROUND_UP_2 (width)
      : width;
}

GstBuffer *
tl_scene_paint (const GstVideoInfo *info, TlScene scene)
{
  const GstVideoFormatInfo *format = info->finfo;
  gboolean is_field = GST_VIDEO_INFO_INTERLACE_MODE (info)
      == GST_VIDEO_INTERLACE_MODE_ALTERNATE;
  gint width = packed_width (info);
  gsize stride = (gsize) SAMPLES * (gsize) (width + 16);
  g_autofree guint16 *rows = g_new0 (guint16, 2 * stride);
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, info->size, NULL);
  GstVideoColorRange range = info->colorimetry.range;
  Painter self = {
      .info = info,
      .scene = scene,
      .rows = (guint) GST_VIDEO_INFO_HEIGHT (info),
      .row_step = is_field ? 2 : 1,
      .is_wide = GST_VIDEO_FORMAT_INFO_BITS (
                     gst_video_format_get_info (format->unpack_format))
          == 16,
  };
  GstVideoFrame frame;

  if (range == GST_VIDEO_COLOR_RANGE_UNKNOWN)
    range = GST_VIDEO_COLOR_RANGE_0_255;
  gst_video_color_range_offsets (range,
      gst_video_format_get_info (format->unpack_format), self.offset,
      self.scale);
  gst_buffer_memset (buffer, 0, 0, info->size);
  fail_unless (gst_video_frame_map (&frame, info, buffer, GST_MAP_READWRITE));
  for (gint y = 0; y < (gint) GST_VIDEO_INFO_FIELD_HEIGHT (info);
       y += format->pack_lines) {
    for (gint i = 0; i < format->pack_lines; i++)
      paint_row (&self, y + i, width,
          self.is_wide ? (gpointer) (rows + (gsize) i * stride)
                       : (guint8 *) rows + (gsize) i * stride);
    format->pack_func (format, GST_VIDEO_PACK_FLAG_NONE, rows,
        (gint) (self.is_wide ? 2 * stride : stride), frame.data,
        frame.info.stride, info->chroma_site, y, width);
  }
  gst_video_frame_unmap (&frame);
  return buffer;
}

guint8 *
tl_scene_render (const GstVideoInfo *info, GstBuffer *buffer,
    const TlPreprocess *preprocess, TlField field)
{
  g_autoptr (TlLivePicture) picture = NULL;
  guint8 *rgb =
      g_malloc ((gsize) preprocess->width * (gsize) preprocess->height * 3);
  TlError error = TL_ERROR_INIT;

  fail_unless (tl_live_picture_new (info, preprocess, FALSE, field, &picture,
                   &error)
          == TL_OK,
      "%s", error.message);
  fail_unless (tl_live_picture_render (picture, buffer, rgb, &error) == TL_OK,
      "%s", error.message);
  return rgb;
}

guint8 *
tl_scene_expect (TlScene scene, guint width, guint height,
    const TlPreprocess *preprocess)
{
  g_autoptr (GstBuffer) buffer = NULL;
  GstVideoInfo info;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, width, height);
  buffer = tl_scene_paint (&info, scene);
  return tl_scene_render (&info, buffer, preprocess, TL_FIELD_BOTH);
}

guint
tl_scene_compare (const guint8 *a, const guint8 *b,
    const TlPreprocess *preprocess)
{
  gsize n = (gsize) preprocess->width * (gsize) preprocess->height * 3;
  guint worst = 0;

  for (gsize i = 0; i < n; i++)
    worst = MAX (worst, (guint) ABS (a[i] - b[i]));
  return worst;
}
