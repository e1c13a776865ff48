/* SPDX-License-Identifier: BSD-3-Clause */

/* Frames whose GstVideoMeta is right, or says what is not so. */

#include <gst/check/gstcheck.h>

#include <tlframe.h>

enum
{
  WIDTH = 10,
  HEIGHT = 4,
  ROW = WIDTH * 3,
  SIZE = 32 * HEIGHT,
};

typedef struct
{
  const gchar *what;
  GstVideoFormat format;
  guint width, height;
  gint stride;
  gsize offset;
  gsize size;     /* of the buffer */
  gboolean found; /* to hold the frame */
} LayoutCase;

#define RGB GST_VIDEO_FORMAT_RGB
static const LayoutCase layouts[] = {
    {"as in the caps", RGB, WIDTH, HEIGHT, 32, 0, SIZE, TRUE},
    {"close together", RGB, WIDTH, HEIGHT, ROW, 0, SIZE, TRUE},
    {"without the last padding", RGB, WIDTH, HEIGHT, 32, 0, SIZE - 2, TRUE},
    {"from the third byte on", RGB, WIDTH, HEIGHT, 32, 2, SIZE, TRUE},
    {"bottom up", RGB, WIDTH, HEIGHT, -32, 32 * (HEIGHT - 1), SIZE, TRUE},
    {"a byte too short", RGB, WIDTH, HEIGHT, 32, 0, SIZE - 3, FALSE},
    {"a byte too late", RGB, WIDTH, HEIGHT, 32, 3, SIZE, FALSE},
    {"far behind the end", RGB, WIDTH, HEIGHT, 32, G_MAXSIZE - 2, SIZE, FALSE},
    {"just representable", RGB, WIDTH, HEIGHT, 32, G_MAXINT64, SIZE, FALSE},
    {"too far apart", RGB, WIDTH, HEIGHT, 64, 0, SIZE, FALSE},
    {"very far apart", RGB, WIDTH, HEIGHT, G_MAXINT, 0, SIZE, FALSE},
    {"overlapping", RGB, WIDTH, HEIGHT, ROW - 1, 0, SIZE, FALSE},
    {"all the same", RGB, WIDTH, HEIGHT, 0, 0, SIZE, FALSE},
    {"up from the top", RGB, WIDTH, HEIGHT, -32, 0, SIZE, FALSE},
    {"far up", RGB, WIDTH, HEIGHT, G_MININT, 0, SIZE, FALSE},
    {"empty", RGB, WIDTH, HEIGHT, 32, 0, 0, FALSE},
    {"another format", GST_VIDEO_FORMAT_BGR, WIDTH, HEIGHT, 32, 0, SIZE, FALSE},
    {"too narrow", RGB, WIDTH - 1, HEIGHT, 32, 0, SIZE, FALSE},
    {"too wide", RGB, WIDTH + 1, HEIGHT, 33, 0, SIZE + 32, FALSE},
    {"too low", RGB, WIDTH, HEIGHT - 1, 32, 0, SIZE, FALSE},
};

/* Byte y of every row is y. */
static GstBuffer *
make_buffer (const LayoutCase *layout)
{
  gsize offsets[GST_VIDEO_MAX_PLANES] = {layout->offset};
  gint strides[GST_VIDEO_MAX_PLANES] = {layout->stride};
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, layout->size, NULL);

  for (guint y = 0; layout->found && y < HEIGHT; y++)
    gst_buffer_memset (buffer,
        (gsize) ((gssize) layout->offset + (gint) y * layout->stride),
        (guint8) y, ROW);
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
      layout->format, layout->width, layout->height, 1, offsets, strides);
  return buffer;
}

GST_START_TEST (only_rows_inside_the_buffer_are_mapped)
{
  const LayoutCase *layout = &layouts[__i__];
  g_autoptr (GstBuffer) buffer = make_buffer (layout);
  TlError error = TL_ERROR_INIT;
  GstVideoInfo info;
  TlFrame frame;
  TlStatus status;

  gst_video_info_set_format (&info, RGB, WIDTH, HEIGHT);
  status = tl_frame_map (&frame, buffer, &info, GST_MAP_READ, &error);
  fail_unless_equals_int (status, layout->found ? TL_OK : TL_ERROR_FORMAT);
  if (status != TL_OK) {
    fail_unless (error.message[0] != '\0', "%s", layout->what);
    return;
  }
  for (gint y = 0; y < HEIGHT; y++) {
    const guint8 *row = frame.first + y * frame.stride;

    fail_unless (row[0] == y && row[ROW - 1] == y, "%s", layout->what);
  }
  tl_frame_unmap (&frame);
}
GST_END_TEST;

GST_START_TEST (caps_say_it_where_there_is_no_meta)
{
  TlError error = TL_ERROR_INIT;
  GstVideoInfo info;
  TlFrame frame;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_GRAY8, WIDTH, HEIGHT);
  for (gsize size = 0; size < 60; size++) {
    g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, size, NULL);
    gboolean fits = size >= 12 * (HEIGHT - 1) + WIDTH;

    fail_unless_equals_int (tl_frame_map (&frame, buffer, &info, GST_MAP_WRITE,
                                &error),
        fits ? TL_OK : TL_ERROR_FORMAT);
    if (!fits)
      continue;
    fail_unless_equals_int (frame.stride, 12);
    tl_frame_unmap (&frame);
  }
}
GST_END_TEST;

static Suite *
frame_suite (void)
{
  Suite *suite = suite_create ("frame");
  TCase *tcase = tcase_create ("frame");

  tcase_add_loop_test (tcase, only_rows_inside_the_buffer_are_mapped, 0,
      G_N_ELEMENTS (layouts));
  tcase_add_test (tcase, caps_say_it_where_there_is_no_meta);
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (frame);
