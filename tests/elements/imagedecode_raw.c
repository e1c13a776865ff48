/* SPDX-License-Identifier: BSD-3-Clause */

/* Raw video through imagedecode. */

#include "tldecoderig.h"

#include <gst/video/video.h>
#include <png.h>
#include <string.h>

#define WIDTH 50
#define HEIGHT 37

typedef struct
{
  GstVideoFormat format;
  gint stride;          /* of the frame; negative: bottom up */
  gsize offset;         /* bytes before its first row in memory */
  gboolean with_meta;   /* a GstVideoMeta says so */
  guint n_memories;     /* that the frame is cut into */
  const gchar *setting; /* of the element */
} Layout;

static guint
channels_of (GstVideoFormat format)
{
  return format == GST_VIDEO_FORMAT_GRAY8 ? 1 : 3;
}

static guint8
value_at (guint x, guint y, guint channel, guint number)
{
  return (guint8) ((x * 5) ^ (y * 3 + channel * 40 + number * 11));
}

/* The frame as packed rows. */
static guint8 *
make_pixels (GstVideoFormat format, guint number)
{
  guint channels = channels_of (format);
  guint8 *pixels = g_malloc (WIDTH * HEIGHT * channels), *at = pixels;

  for (guint y = 0; y < HEIGHT; y++)
    for (guint x = 0; x < WIDTH; x++)
      for (guint c = 0; c < channels; c++)
        *at++ = value_at (x, y, c, number);
  return pixels;
}

static GstBuffer *
make_png (GstVideoFormat format, guint number)
{
  g_autofree guint8 *pixels = make_pixels (format, number);
  png_image image = {.version = PNG_IMAGE_VERSION,
      .width = WIDTH,
      .height = HEIGHT,
      .format =
          format == GST_VIDEO_FORMAT_GRAY8 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB};
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX (image);
  guint8 *data = g_malloc (size);

  fail_unless (
      png_image_write_to_memory (&image, data, &size, 0, pixels, 0, NULL));
  return gst_buffer_new_wrapped (data, size);
}

/* Cuts what is in @buffer into @n memories. Takes it. */
static GstBuffer *
cut (GstBuffer *buffer, guint n)
{
  gsize size = gst_buffer_get_size (buffer), done = 0;
  GstBuffer *parts = gst_buffer_new ();

  for (guint i = 1; i <= n; i++) {
    gsize end = size * i / n;

    gst_buffer_copy_into (parts, buffer,
        GST_BUFFER_COPY_MEMORY | GST_BUFFER_COPY_DEEP, done, end - done);
    done = end;
  }
  gst_buffer_unref (buffer);
  return parts;
}

static void
add_meta (GstBuffer *buffer, GstVideoFormat format, guint width, guint height,
    gsize offset, gint stride)
{
  gsize offsets[GST_VIDEO_MAX_PLANES] = {offset};
  gint strides[GST_VIDEO_MAX_PLANES] = {stride};

  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, format,
      width, height, 1, offsets, strides);
}

/* Frame @number in memory that is not writable, laid out so. */
static GstBuffer *
make_frame (const Layout *layout, guint number)
{
  guint row = WIDTH * channels_of (layout->format);
  gsize step = (gsize) ABS (layout->stride);
  gsize size = layout->offset + step * (HEIGHT - 1) + row;
  g_autofree guint8 *pixels = make_pixels (layout->format, number);
  guint8 *data = g_malloc (size);
  gsize first = layout->stride < 0 ? layout->offset + step * (HEIGHT - 1)
                                   : layout->offset;
  GstBuffer *buffer;

  memset (data, 0xee, size);
  for (gint y = 0; y < HEIGHT; y++)
    memcpy (data + (gssize) first + (gssize) y * layout->stride,
        pixels + (gsize) y * row, row);
  buffer = gst_buffer_new_wrapped_full (GST_MEMORY_FLAG_READONLY, data, size, 0,
      size, data, g_free);
  if (layout->n_memories > 1)
    buffer = cut (buffer, layout->n_memories);
  if (layout->with_meta)
    add_meta (buffer, layout->format, WIDTH, HEIGHT, first, layout->stride);
  return buffer;
}

static void
set_frame_caps (GstHarness *h, GstVideoFormat format)
{
  g_autofree gchar *caps =
      g_strdup_printf ("video/x-raw,format=%s,width=%d,height=%d,"
                       "framerate=25/1",
          gst_video_format_to_string (format), WIDTH, HEIGHT);

  gst_harness_set_src_caps_str (h, caps);
}

static void
expect_same (GstBuffer *a, GstBuffer *b)
{
  GstMapInfo x, y;

  fail_unless (a != NULL && b != NULL);
  gst_buffer_map (a, &x, GST_MAP_READ);
  gst_buffer_map (b, &y, GST_MAP_READ);
  fail_unless_equals_int (x.size, DECODE_SIDE * DECODE_SIDE * 3);
  fail_unless_equals_int (x.size, y.size);
  fail_unless (memcmp (x.data, y.data, x.size) == 0);
  gst_buffer_unmap (a, &x);
  gst_buffer_unmap (b, &y);
  gst_buffer_unref (a);
  gst_buffer_unref (b);
}

#define RGB GST_VIDEO_FORMAT_RGB
#define GRAY8 GST_VIDEO_FORMAT_GRAY8

static const Layout layouts[] = {
    {RGB, 152, 0, FALSE, 1, "crop=center"},
    {RGB, 152, 0, FALSE, 1, "crop=none"},
    {RGB, 152, 0, FALSE, 1, "crop=pad"},
    {RGB, 152, 0, FALSE, 1, "crop=auto"},
    {RGB, 152, 0, FALSE, 1, "interpolation=bicubic"},
    {RGB, 152, 0, FALSE, 1, "region=10,5,70%,20"},
    {RGB, 150, 0, TRUE, 1, "crop=none"},
    {RGB, 256, 64, TRUE, 1, "crop=none"},
    {RGB, 256, 64, TRUE, 3, "region=10,5,70%,20"},
    {RGB, -160, 7, TRUE, 1, "region=10,5,70%,20"},
    {RGB, 152, 0, FALSE, 4, "crop=center"},
    {GRAY8, 52, 0, FALSE, 1, "crop=center"},
    {GRAY8, 52, 0, FALSE, 1, "crop=pad"},
    {GRAY8, 50, 3, TRUE, 1, "region=10,5,70%,20"},
    {GRAY8, -64, 0, TRUE, 2, "crop=none"},
};

/* A frame and a lossless file of the same pixels are the same picture. */
GST_START_TEST (frame_gives_what_its_file_gives)
{
  const Layout *layout = &layouts[__i__];
  GstHarness *h = decode_rig_harness_with (layout->setting);
  GstBuffer *of_file, *of_frame;

  gst_harness_push (h, make_png (layout->format, 3));
  of_file = gst_harness_pull (h);
  set_frame_caps (h, layout->format);
  gst_harness_push (h, make_frame (layout, 3));
  of_frame = gst_harness_pull (h);
  fail_unless (gst_buffer_get_video_meta (of_frame) == NULL);
  expect_same (of_file, of_frame);
  decode_rig_free (h);
}
GST_END_TEST;

/* As from a source that maps its file piece by piece. */
GST_START_TEST (file_in_many_memories_is_one_file)
{
  GstHarness *h = decode_rig_harness_with ("crop=none");
  GstBuffer *parts = cut (make_png (RGB, 3), 5), *whole;

  for (guint i = 0; i < gst_buffer_n_memory (parts); i++)
    GST_MINI_OBJECT_FLAG_SET (gst_buffer_peek_memory (parts, i),
        GST_MEMORY_FLAG_READONLY);
  gst_harness_push (h, make_png (RGB, 3));
  whole = gst_harness_pull (h);
  gst_harness_push (h, parts);
  expect_same (whole, gst_harness_pull (h));
  decode_rig_free (h);
}
GST_END_TEST;

/* A training sample, by way of a foreign decoder, is cropped as its file is. */
GST_START_TEST (samples_keep_their_crop_and_their_meta)
{
  const Layout layout = {RGB, 152, 0, FALSE, 1, "crop=auto"};
  GstHarness *h = decode_rig_harness_with (layout.setting);
  GstBuffer *file = make_png (RGB, 5), *frame = make_frame (&layout, 5);
  GstBuffer *of_file, *of_frame;
  TlSampleMeta *sample;

  frame = gst_buffer_make_writable (frame);
  gst_harness_push (h, decode_rig_add_sample (file, 8, TL_SPLIT_TRAIN));
  of_file = gst_harness_pull (h);
  set_frame_caps (h, RGB);
  GST_BUFFER_PTS (frame) = 77;
  gst_harness_push (h, decode_rig_add_sample (frame, 8, TL_SPLIT_TRAIN));
  of_frame = gst_harness_pull (h);
  sample = tl_buffer_get_sample_meta (of_frame);
  fail_unless_equals_uint64 (sample->index, 8);
  fail_unless_equals_int (sample->source_width, WIDTH);
  fail_unless_equals_int (sample->source_height, HEIGHT);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (of_frame), 77);
  expect_same (of_file, of_frame);
  decode_rig_free (h);
}
GST_END_TEST;

#define N_CHANGES 40

static void
push_changing (GstHarness *h, guint number)
{
  const Layout layout = {number % 3 == 1 ? RGB : GRAY8,
      number % 3 == 1 ? 152 : 52, 0, FALSE, 1, NULL};
  GstBuffer *buffer;

  if (number % 3 == 0) {
    gst_harness_set_src_caps_str (h, "image/png");
    buffer = make_png (RGB, number);
  } else {
    set_frame_caps (h, layout.format);
    buffer = make_frame (&layout, number);
  }
  GST_BUFFER_OFFSET (buffer) = number;
  fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
}

GST_START_TEST (caps_may_change_with_every_buffer)
{
  GstHarness *h = decode_rig_harness_with ("crop=center");
  guint n_caps = 0;
  GstEvent *event;

  for (guint i = 0; i < N_CHANGES; i++)
    push_changing (h, i);
  for (guint i = 0; i < N_CHANGES; i++) {
    GstBuffer *buffer = gst_harness_pull (h);

    fail_unless (buffer != NULL);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), i);
    gst_buffer_unref (buffer);
  }
  while ((event = gst_harness_try_pull_event (h))) {
    n_caps += GST_EVENT_TYPE (event) == GST_EVENT_CAPS;
    gst_event_unref (event);
  }
  fail_unless_equals_int (n_caps, 1);
  g_auto (DecodeMessages) n = decode_rig_count (h);
  fail_unless_equals_int (n.errors + n.warnings, 0);
  decode_rig_free (h);
}
GST_END_TEST;

/* Metas that lie about what is in memory. */
typedef struct
{
  const gchar *what;
  GstVideoFormat format;
  guint width, height;
  gint stride;
  gsize offset;
} Lie;

static const Lie lies[] = {
    {"another format", GST_VIDEO_FORMAT_BGR, WIDTH, HEIGHT, 152, 0},
    {"too narrow", RGB, WIDTH - 1, HEIGHT, 152, 0},
    {"too low", RGB, WIDTH, HEIGHT - 1, 152, 0},
    {"rows too long", RGB, WIDTH, HEIGHT, 153, 0},
    {"rows overlap", RGB, WIDTH, HEIGHT, 149, 0},
    {"no rows", RGB, WIDTH, HEIGHT, 0, 0},
    {"begins too late", RGB, WIDTH, HEIGHT, 152, 1},
    {"begins behind the end", RGB, WIDTH, HEIGHT, 152, G_MAXSIZE - 2},
    {"bottom up from the top", RGB, WIDTH, HEIGHT, -152, 0},
    {"far up", RGB, WIDTH, HEIGHT, G_MININT, 0},
};

GST_START_TEST (frame_that_is_not_in_memory_is_skipped)
{
  const Lie *lie = &lies[__i__];
  const Layout layout = {RGB, 152, 0, FALSE, 1, NULL};
  GstHarness *h = decode_rig_harness_with ("crop=none");
  GstBuffer *frame = gst_buffer_make_writable (make_frame (&layout, 0));

  add_meta (frame, lie->format, lie->width, lie->height, lie->offset,
      lie->stride);
  set_frame_caps (h, RGB);
  gst_harness_push (h, make_frame (&layout, 0));
  gst_harness_push (h, frame);
  decode_rig_finish (h);
  g_auto (DecodeMessages) n = decode_rig_count (h);
  fail_unless_equals_int (n.sample_errors, 1);
  fail_unless_equals_int (n.errors, 0);
  fail_unless_equals_int (gst_harness_buffers_received (h), 1);
  decode_rig_free (h);
}
GST_END_TEST;

GST_START_TEST (frame_cut_short_empty_or_too_large_is_skipped)
{
  const Layout layout = {RGB, 152, 0, FALSE, 1, NULL};
  GstElement *element = decode_rig_element (1);
  GstBuffer *cut_short = make_frame (&layout, 0);
  GstHarness *h;

  g_object_set (element, "max-pixels", (guint64) WIDTH * HEIGHT, NULL);
  h = decode_rig_harness (element);
  set_frame_caps (h, RGB);
  gst_buffer_resize (cut_short, 0, 152 * HEIGHT - 3);
  gst_harness_push (h, make_frame (&layout, 0));
  gst_harness_push (h, cut_short);
  gst_harness_push (h, gst_buffer_new ());
  gst_harness_set_src_caps_str (h, "video/x-raw,format=RGB,width=51,height=37");
  gst_harness_push (h, gst_buffer_new_allocate (NULL, 37 * 156, NULL));
  gst_harness_set_src_caps_str (h, "application/x-tl-image");
  gst_harness_push (h, gst_buffer_new ());
  decode_rig_finish (h);
  g_auto (DecodeMessages) n = decode_rig_count (h);
  fail_unless_equals_int (n.sample_errors, 4);
  fail_unless_equals_int (gst_harness_buffers_received (h), 1);
  decode_rig_free (h);
}
GST_END_TEST;

static Suite *
imagedecode_raw_suite (void)
{
  Suite *suite = suite_create ("imagedecode-raw");
  TCase *frames = tcase_create ("frames");

  GST_ELEMENT_REGISTER (imagedecode, NULL);
  tcase_add_loop_test (frames, frame_gives_what_its_file_gives, 0,
      G_N_ELEMENTS (layouts));
  tcase_add_test (frames, file_in_many_memories_is_one_file);
  tcase_add_test (frames, samples_keep_their_crop_and_their_meta);
  tcase_add_test (frames, caps_may_change_with_every_buffer);
  tcase_add_loop_test (frames, frame_that_is_not_in_memory_is_skipped, 0,
      G_N_ELEMENTS (lies));
  tcase_add_test (frames, frame_cut_short_empty_or_too_large_is_skipped);
  suite_add_tcase (suite, frames);
  return suite;
}

GST_CHECK_MAIN (imagedecode_raw);
