/* SPDX-License-Identifier: BSD-3-Clause */

/* How long a frame takes to become the model's input (256, crop 224, bilinear),
 * beside one pass of GstVideoConverter for the same part and size:
 *
 *     build/tests/bench/livepicture
 *
 * Milliseconds per frame on one thread, the fastest of 20. */

#include <gst/video/video.h>

#include <tllivepicture.h>

#define ROUNDS 20
#define SIDE 224
#define SHORT 256

static const gchar *const formats[] = {"RGB", "GRAY8", "BGRx", "I420", "NV12",
    "YUY2", "UYVY", "Y444", "P010_10LE", "v210"};
static const guint sizes[][2] = {{720, 576}, {1280, 720}, {1920, 1080},
    {3840, 2160}};

static gdouble
measure_ours (const GstVideoInfo *info, GstBuffer *buffer)
{
  g_autoptr (TlLivePicture) picture = NULL;
  TlPreprocess preprocess;
  TlError error = TL_ERROR_INIT;
  guint8 rgb[SIDE * SIDE * 3];
  gdouble best = G_MAXDOUBLE;

  tl_preprocess_init (&preprocess);
  if (tl_live_picture_new (info, &preprocess, FALSE, TL_FIELD_AUTO, &picture,
          &error)
      != TL_OK)
    g_error ("%s", error.message);
  for (guint i = 0; i < ROUNDS; i++) {
    gint64 begin = g_get_monotonic_time ();

    if (tl_live_picture_render (picture, buffer, rgb, &error) != TL_OK)
      g_error ("%s", error.message);
    best = MIN (best, (gdouble) (g_get_monotonic_time () - begin) / 1000);
  }
  return best;
}

/* The square that the crop keeps. */
static gdouble
measure_converter (const GstVideoInfo *info, GstBuffer *buffer)
{
  gint side = info->height * SIDE / SHORT;
  g_autoptr (GstBuffer) out = NULL;
  GstVideoConverter *converter;
  GstVideoFrame from, to;
  GstVideoInfo rgb;
  gdouble best = G_MAXDOUBLE;

  gst_video_info_set_format (&rgb, GST_VIDEO_FORMAT_RGB, SIDE, SIDE);
  out = gst_buffer_new_allocate (NULL, rgb.size, NULL);
  converter = gst_video_converter_new (info, &rgb,
      gst_structure_new ("options", GST_VIDEO_CONVERTER_OPT_SRC_X, G_TYPE_INT,
          (info->width - side) / 2, GST_VIDEO_CONVERTER_OPT_SRC_Y, G_TYPE_INT,
          (info->height - side) / 2, GST_VIDEO_CONVERTER_OPT_SRC_WIDTH,
          G_TYPE_INT, side, GST_VIDEO_CONVERTER_OPT_SRC_HEIGHT, G_TYPE_INT,
          side, GST_VIDEO_CONVERTER_OPT_RESAMPLER_METHOD,
          GST_TYPE_VIDEO_RESAMPLER_METHOD, GST_VIDEO_RESAMPLER_METHOD_LINEAR,
          GST_VIDEO_RESAMPLER_OPT_MAX_TAPS, G_TYPE_INT, 128, NULL));
  gst_video_frame_map (&from, info, buffer, GST_MAP_READ);
  gst_video_frame_map (&to, &rgb, out, GST_MAP_WRITE);
  for (guint i = 0; i < ROUNDS; i++) {
    gint64 begin = g_get_monotonic_time ();

    gst_video_converter_frame (converter, &from, &to);
    best = MIN (best, (gdouble) (g_get_monotonic_time () - begin) / 1000);
  }
  gst_video_frame_unmap (&from);
  gst_video_frame_unmap (&to);
  gst_video_converter_free (converter);
  return best;
}

static void
measure (const gchar *format, guint width, guint height)
{
  g_autoptr (GstBuffer) buffer = NULL;
  GstVideoInfo info;

  gst_video_info_set_format (&info, gst_video_format_from_string (format),
      width, height);
  buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_buffer_memset (buffer, 0, 100, info.size);
  g_print ("%-10s %4ux%-4u  resnetinfer %6.2f  converter %6.2f\n", format,
      width, height, measure_ours (&info, buffer),
      measure_converter (&info, buffer));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    for (guint k = 0; k < G_N_ELEMENTS (sizes); k++)
      measure (formats[i], sizes[k][0], sizes[k][1]);
  }
  return 0;
}
