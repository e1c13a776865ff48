/* SPDX-License-Identifier: BSD-3-Clause */

/* A scene reaches the model with the same colours whatever format of video it
 * comes in. */

#include <gst/check/gstcheck.h>

#include "tllivescene.h"

typedef struct
{
  const gchar *format;
  guint levels;
} Coarse;

/* Formats that cannot have every colour; the others are within 2 levels with 8
 * bits of YUV and 1 with more, and RGB is exact. */
static const Coarse coarse[] = {
    {"RGB16", 9},
    {"BGR16", 9},
    {"RGB15", 9},
    {"BGR15", 9},
};

typedef struct
{
  const gchar *what;
  guint width, height;
  const gchar *region;
  gboolean is_flat; /* chroma can lie outside the picture */
} SizeCase;

static const SizeCase sizes[] = {
    {"even", 96, 64, "", FALSE},
    {"odd", 101, 37, "", FALSE},
    {"a region at odd places", 101, 53, "33,7,41,31", FALSE},
    {"the last column and row", 37, 29, "36,28,1,1", FALSE},
    {"a pixel", 1, 1, "", TRUE},
    {"a column", 1, 9, "", TRUE},
    {"a row", 9, 1, "", TRUE},
};

static void
set_preprocess (TlPreprocess *preprocess, const gchar *region)
{
  tl_preprocess_init (preprocess);
  preprocess->width = preprocess->height = 24;
  preprocess->resize = 28;
  g_strlcpy (preprocess->region, region, sizeof preprocess->region);
}

static guint
allowed_levels (const GstVideoFormatInfo *format)
{
  for (guint i = 0; i < G_N_ELEMENTS (coarse); i++) {
    if (g_str_equal (coarse[i].format, GST_VIDEO_FORMAT_INFO_NAME (format)))
      return coarse[i].levels;
  }
  if (GST_VIDEO_FORMAT_INFO_IS_RGB (format))
    return GST_VIDEO_FORMAT_INFO_DEPTH (format, 0) > 8 ? 1 : 0;
  return GST_VIDEO_FORMAT_INFO_DEPTH (format, 0) > 8 ? 1 : 2;
}

static void
scene_of_one_colour (gdouble x, gdouble y, gdouble rgb[3])
{
  rgb[0] = 0.7;
  rgb[1] = 0.3;
  rgb[2] = 0.5;
}

static void
scene_of_green (gdouble x, gdouble y, gdouble rgb[3])
{
  tl_scene_gradients (x, y, rgb);
  rgb[0] = rgb[2] = rgb[1];
}

static void
check_format (const gchar *name, const SizeCase *size)
{
  TlPreprocess preprocess;
  GstVideoInfo info;
  g_autoptr (GstBuffer) buffer = NULL;
  g_autofree guint8 *found = NULL, *expected = NULL;
  guint worst;
  TlScene scene = tl_scene_gradients;

  set_preprocess (&preprocess, size->region);
  fail_unless (gst_video_info_set_format (&info,
      gst_video_format_from_string (name), size->width, size->height));
  if (GST_VIDEO_INFO_IS_GRAY (&info))
    scene = scene_of_green;
  else if (size->is_flat)
    scene = scene_of_one_colour;
  buffer = tl_scene_paint (&info, scene);
  found = tl_scene_render (&info, buffer, &preprocess, TL_FIELD_AUTO);
  expected = tl_scene_expect (scene, size->width, size->height, &preprocess);
  worst = tl_scene_compare (found, expected, &preprocess);
  fail_unless (worst <= allowed_levels (info.finfo),
      "%s, %s: %u levels off, %u expected", name, size->what, worst,
      allowed_levels (info.finfo));
}

GST_START_TEST (every_format_gives_the_colours_of_rgb)
{
  g_auto (GStrv) formats = tl_scene_formats ();

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    for (gchar **name = formats; *name; name++) {
      if (!g_str_equal (*name, "RGB8P"))
        check_format (*name, &sizes[i]);
    }
  }
}
GST_END_TEST;

/* Pixel x, y has colour (x + 16 y) of a palette that has no order. */
GST_START_TEST (a_palette_is_followed)
{
  enum
  {
    SIDE = 16
  };
  g_autoptr (GstBuffer) buffer = NULL;
  g_autofree guint8 *found = NULL;
  TlPreprocess preprocess;
  GstVideoInfo info;
  GstVideoFrame frame;

  tl_preprocess_init (&preprocess);
  preprocess.width = preprocess.height = preprocess.resize = SIDE;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB8P, SIDE, SIDE);
  buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  fail_unless (gst_video_frame_map (&frame, &info, buffer, GST_MAP_WRITE));
  for (guint i = 0; i < SIDE * SIDE; i++) {
    guint8 *row = frame.data[0];

    row[i / SIDE * (guint) frame.info.stride[0] + i % SIDE] = (guint8) i;
    ((guint32 *) frame.data[1])[i] =
        0xff000000 | (i * 3 % 256) << 16 | (i * 5 % 256) << 8 | (i * 7 % 256);
  }
  gst_video_frame_unmap (&frame);
  found = tl_scene_render (&info, buffer, &preprocess, TL_FIELD_AUTO);
  for (guint i = 0; i < SIDE * SIDE; i++) {
    fail_unless_equals_int (found[3 * i], i * 3 % 256);
    fail_unless_equals_int (found[3 * i + 1], i * 5 % 256);
    fail_unless_equals_int (found[3 * i + 2], i * 7 % 256);
  }
}
GST_END_TEST;

typedef struct
{
  const gchar *what;
  const gchar *colorimetry;
} ColourCase;

static const ColourCase colours[] = {
    {"BT.601", "2:4:16:4"},
    {"BT.601, full range", "1:4:0:0"},
    {"BT.709", "2:3:5:1"},
    {"BT.709, full range", "1:3:5:1"},
    {"BT.2020", "2:6:13:7"},
    {"SMPTE 240M", "2:5:6:5"},
    {"FCC", "2:2:5:1"},
};

static const gchar *const yuv_formats[] = {"I420", "NV12", "UYVY", "YUY2",
    "Y42B", "Y444", "Y41B", "YUV9", "P010_10LE", "I420_10LE", "v210"};

static void
check_colours (const gchar *name, const ColourCase *colour,
    GstVideoChromaSite site)
{
  TlPreprocess preprocess;
  GstVideoInfo info;
  g_autoptr (GstBuffer) buffer = NULL;
  g_autofree guint8 *found = NULL, *expected = NULL;
  guint worst;

  set_preprocess (&preprocess, "");
  gst_video_info_set_format (&info, gst_video_format_from_string (name), 80,
      60);
  fail_unless (gst_video_colorimetry_from_string (&info.colorimetry,
      colour->colorimetry));
  info.chroma_site = site;
  buffer = tl_scene_paint (&info, tl_scene_gradients);
  found = tl_scene_render (&info, buffer, &preprocess, TL_FIELD_AUTO);
  expected = tl_scene_expect (tl_scene_gradients, 80, 60, &preprocess);
  worst = tl_scene_compare (found, expected, &preprocess);
  fail_unless (worst <= allowed_levels (info.finfo), "%s, %s, site %d: %u",
      name, colour->what, site, worst);
}

GST_START_TEST (matrix_range_and_siting_are_those_of_the_caps)
{
  static const GstVideoChromaSite sites[] = {GST_VIDEO_CHROMA_SITE_UNKNOWN,
      GST_VIDEO_CHROMA_SITE_JPEG, GST_VIDEO_CHROMA_SITE_MPEG2,
      GST_VIDEO_CHROMA_SITE_COSITED};

  for (guint i = 0; i < G_N_ELEMENTS (yuv_formats); i++) {
    for (guint k = 0; k < G_N_ELEMENTS (sites); k++) {
      for (guint c = 0; c < G_N_ELEMENTS (colours); c++)
        check_colours (yuv_formats[i], &colours[c], sites[k]);
    }
  }
}
GST_END_TEST;

typedef struct
{
  const gchar *what;
  const gchar *caps; /* those that leave the colours open */
  const gchar *same; /* what they stand for */
} DefaultCase;

#define SIZE(w, h) "width=" #w ",height=" #h
static const DefaultCase defaults[] = {
    {"SD", "format=I420," SIZE (720, 576), "2:4:16:4"},
    {"HD", "format=I420," SIZE (720, 578), "2:3:5:1"},
    {"unknown", "format=NV12,colorimetry=0:0:0:0," SIZE (64, 48), "2:4:5:1"},
    {"unknown HD", "format=NV12,colorimetry=0:0:0:0," SIZE (64, 600),
        "2:3:5:1"},
    {"grey of limited range", "format=GRAY8,colorimetry=2:4:5:1," SIZE (64, 48),
        "2:4:5:1"},
    {"RGB of limited range", "format=BGRx,colorimetry=2:1:5:1," SIZE (64, 48),
        "2:1:5:1"},
    {"packed RGB of limited range",
        "format=RGB,colorimetry=2:1:5:1," SIZE (64, 48), "2:1:5:1"},
};

GST_START_TEST (what_caps_leave_open_is_as_in_gst_video_info)
{
  const DefaultCase *row = &defaults[__i__];
  g_autofree gchar *text = g_strconcat ("video/x-raw,", row->caps, NULL);
  g_autoptr (GstCaps) caps = gst_caps_from_string (text);
  g_autoptr (GstBuffer) buffer = NULL;
  g_autofree guint8 *found = NULL, *expected = NULL;
  TlScene scene;
  TlPreprocess preprocess;
  GstVideoInfo info, painted;
  guint worst;

  set_preprocess (&preprocess, "");
  fail_unless (gst_video_info_from_caps (&info, caps));
  painted = info;
  gst_video_colorimetry_from_string (&painted.colorimetry, row->same);
  scene = GST_VIDEO_INFO_IS_GRAY (&info) ? scene_of_green : tl_scene_gradients;
  buffer = tl_scene_paint (&painted, scene);
  found = tl_scene_render (&info, buffer, &preprocess, TL_FIELD_AUTO);
  expected = tl_scene_expect (scene, (guint) info.width, (guint) info.height,
      &preprocess);
  worst = tl_scene_compare (found, expected, &preprocess);
  fail_unless (worst <= 2, "%s: %u", row->what, worst);
}
GST_END_TEST;

static Suite *
livepicture_formats_suite (void)
{
  Suite *suite = suite_create ("livepicture_formats");
  TCase *tcase = tcase_create ("formats");

  tcase_set_timeout (tcase, 120);
  tcase_add_test (tcase, every_format_gives_the_colours_of_rgb);
  tcase_add_test (tcase, a_palette_is_followed);
  tcase_add_test (tcase, matrix_range_and_siting_are_those_of_the_caps);
  tcase_add_loop_test (tcase, what_caps_leave_open_is_as_in_gst_video_info, 0,
      G_N_ELEMENTS (defaults));
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (livepicture_formats);
