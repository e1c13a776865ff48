/* SPDX-License-Identifier: BSD-3-Clause */

/* Which part of a frame becomes the model's input: crop, fields, and frames
 * whose memory is not as it should be. */

#include <gst/check/gstcheck.h>

#include <tlimage.h>
#include <tlrandom.h>

#include "tllivescene.h"

#define CHANNELS 3

static void
set_size (TlPreprocess *preprocess, gint width, gint height, gint resize)
{
  tl_preprocess_init (preprocess);
  preprocess->width = width;
  preprocess->height = height;
  preprocess->resize = resize;
}

/* ---- The way of the pictures while training ---- */

typedef struct
{
  const gchar *what;
  guint width, height; /* of the frame */
  gint to_width, to_height, resize;
  const gchar *crop, *interpolation, *region;
} CropCase;

static const CropCase crops[] = {
    {"smaller", 320, 240, 32, 24, 36, "center", "bilinear", ""},
    {"bicubic", 320, 240, 32, 24, 36, "center", "bicubic", ""},
    {"larger", 20, 15, 64, 48, 70, "center", "bilinear", ""},
    {"a border", 64, 48, 40, 40, 30, "center", "bilinear", ""},
    {"stretched", 97, 31, 24, 24, 24, "none", "bilinear", ""},
    {"padded", 97, 31, 24, 24, 24, "pad", "bicubic", ""},
    {"padded at the sides", 31, 97, 24, 24, 24, "pad", "bilinear", ""},
    {"a region", 97, 61, 24, 24, 28, "center", "bilinear", "13,7,51,43"},
    {"a part", 97, 61, 24, 24, 28, "pad", "bicubic", "10%,5%,80%,50%"},
    {"as it is", 24, 24, 24, 24, 24, "center", "bilinear", ""},
    {"a pixel", 1, 1, 24, 24, 24, "center", "bilinear", ""},
};

static GstBuffer *
make_noise (const GstVideoInfo *info, guint64 seed)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, info->size, NULL);
  GstMapInfo map;

  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  for (gsize i = 0; i < map.size; i++)
    map.data[i] = (guint8) tl_random_below (seed, 0, i, 0, 256);
  gst_buffer_unmap (buffer, &map);
  return buffer;
}

/* What imagedecode does with a picture that has been decoded. */
static guint8 *
render_as_trained (const GstVideoInfo *info, GstBuffer *buffer,
    const TlPreprocess *preprocess)
{
  gsize row = (gsize) preprocess->width * CHANNELS;
  guint8 *rgb = g_malloc (row * (gsize) preprocess->height);
  TlImageDecoder *decoder = tl_image_decoder_new ();
  TlError error = TL_ERROR_INIT;
  TlRegion region;
  TlCropKind kind;
  TlCropPlan plan;
  TlPixels pixels;
  TlBox box;
  GstMapInfo map;

  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  pixels = (TlPixels){map.data, (gsize) info->stride[0], (guint) info->width,
      (guint) info->height, 0, 0};
  fail_unless (tl_region_parse (preprocess->region, &region, &error) == TL_OK);
  fail_unless (
      tl_region_resolve (&region, pixels.width, pixels.height, &box, &error)
      == TL_OK);
  fail_unless (tl_crop_kind_from_nick (preprocess->crop, &kind));
  fail_unless (
      tl_crop_plan_fixed (kind, &box, (guint) preprocess->resize,
          (guint) preprocess->width, (guint) preprocess->height, &plan, &error)
      == TL_OK);
  fail_unless (tl_image_render_pixels (decoder, &pixels, &plan,
                   g_str_equal (preprocess->interpolation, "bicubic")
                       ? TL_FILTER_BICUBIC
                       : TL_FILTER_BILINEAR,
                   (guint) preprocess->width, (guint) preprocess->height, rgb,
                   row, &error)
      == TL_OK);
  gst_buffer_unmap (buffer, &map);
  tl_image_decoder_free (decoder);
  return rgb;
}

/* The rows of @buffer from the bottom up, with a GstVideoMeta that says so. */
static GstBuffer *
turn_over (const GstVideoInfo *info, GstBuffer *buffer)
{
  GstBuffer *turned = gst_buffer_new_allocate (NULL, info->size, NULL);
  gsize row = (gsize) info->stride[0];
  gsize n = (gsize) info->height;
  gsize offset[GST_VIDEO_MAX_PLANES] = {(n - 1) * row};
  gint stride[GST_VIDEO_MAX_PLANES] = {-info->stride[0]};
  GstMapInfo map;

  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  for (gsize y = 0; y < n; y++)
    gst_buffer_fill (turned, (n - 1 - y) * row, map.data + y * row, row);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_add_video_meta_full (turned, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_INFO_FORMAT (info), (guint) info->width, (guint) info->height,
      1, offset, stride);
  return turned;
}

GST_START_TEST (rgb_is_what_training_sees)
{
  const CropCase *row = &crops[__i__];
  g_autoptr (GstBuffer) buffer = NULL, turned = NULL;
  g_autofree guint8 *expected = NULL, *found = NULL, *from_below = NULL;
  TlPreprocess preprocess;
  GstVideoInfo info;

  set_size (&preprocess, row->to_width, row->to_height, row->resize);
  g_strlcpy (preprocess.crop, row->crop, sizeof preprocess.crop);
  g_strlcpy (preprocess.interpolation, row->interpolation,
      sizeof preprocess.interpolation);
  g_strlcpy (preprocess.region, row->region, sizeof preprocess.region);
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, row->width,
      row->height);
  buffer = make_noise (&info, 1);
  turned = turn_over (&info, buffer);
  expected = render_as_trained (&info, buffer, &preprocess);
  found = tl_scene_render (&info, buffer, &preprocess, TL_FIELD_AUTO);
  from_below = tl_scene_render (&info, turned, &preprocess, TL_FIELD_AUTO);
  fail_unless (tl_scene_compare (expected, found, &preprocess) == 0, "%s",
      row->what);
  fail_unless (tl_scene_compare (expected, from_below, &preprocess) == 0,
      "%s, bottom up", row->what);
}
GST_END_TEST;

GST_START_TEST (a_prepared_frame_stays_as_it_is)
{
  g_autoptr (TlLivePicture) picture = NULL;
  g_autoptr (GstBuffer) buffer = NULL;
  TlError error = TL_ERROR_INIT;
  TlPreprocess preprocess;
  GstVideoInfo info;
  guint8 rgb[12 * 10 * CHANNELS];

  set_size (&preprocess, 12, 10, 30);
  g_strlcpy (preprocess.region, "500,500,9,9", sizeof preprocess.region);
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, 12, 10);
  buffer = make_noise (&info, 2);
  fail_unless (tl_live_picture_new (&info, &preprocess, TRUE, TL_FIELD_AUTO,
                   &picture, &error)
      == TL_OK);
  fail_unless (tl_live_picture_render (picture, buffer, rgb, &error) == TL_OK);
  fail_unless (gst_buffer_memcmp (buffer, 0, rgb, sizeof rgb) == 0);
  g_clear_pointer (&picture, tl_live_picture_free);
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, 13, 10);
  fail_unless (tl_live_picture_new (&info, &preprocess, TRUE, TL_FIELD_AUTO,
                   &picture, &error)
      == TL_ERROR_ARGUMENT);
  fail_unless (strstr (error.message, "13 x 10"), "%s", error.message);
}
GST_END_TEST;

typedef struct
{
  const gchar *what;
  const gchar *region, *crop, *interpolation;
  TlStatus status;
  const gchar *said;
} RefusalCase;

static const RefusalCase refusals[] = {
    {"a region outside", "60,0,30,30", "center", "bilinear", TL_ERROR_ARGUMENT,
        "60,0"},
    {"no region", "all", "center", "bilinear", TL_ERROR_ARGUMENT, "all"},
    {"another crop", "", "corner", "bilinear", TL_ERROR_UNSUPPORTED, "corner"},
    {"another filter", "", "pad", "lanczos", TL_ERROR_UNSUPPORTED, "lanczos"},
};

GST_START_TEST (what_cannot_be_done_is_said)
{
  const RefusalCase *row = &refusals[__i__];
  TlLivePicture *picture = NULL;
  TlError error = TL_ERROR_INIT;
  TlPreprocess preprocess;
  GstVideoInfo info;

  set_size (&preprocess, 8, 8, 8);
  g_strlcpy (preprocess.crop, row->crop, sizeof preprocess.crop);
  g_strlcpy (preprocess.interpolation, row->interpolation,
      sizeof preprocess.interpolation);
  g_strlcpy (preprocess.region, row->region, sizeof preprocess.region);
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_I420, 64, 48);
  fail_unless_equals_int (tl_live_picture_new (&info, &preprocess, FALSE,
                              TL_FIELD_AUTO, &picture, &error),
      row->status);
  fail_unless (picture == NULL);
  fail_unless (strstr (error.message, row->said), "%s: %s", row->what,
      error.message);
}
GST_END_TEST;

/* ---- Fields ---- */

static void
scene_of_red (gdouble x, gdouble y, gdouble rgb[3])
{
  tl_scene_gradients (x, y, rgb);
  rgb[0] = 0.9;
  rgb[2] = 0.2;
}

static void
scene_of_blue (gdouble x, gdouble y, gdouble rgb[3])
{
  tl_scene_gradients (x, y, rgb);
  rgb[0] = 0.2;
  rgb[2] = 0.9;
}

/* The even rows of every plane are those of @top, the odd ones of @bottom. */
static GstBuffer *
weave (const GstVideoInfo *info, TlScene top, TlScene bottom)
{
  GstVideoInfo field = *info;
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, info->size, NULL);
  GstVideoFrame to;

  gst_video_info_set_interlaced_format (&field, GST_VIDEO_INFO_FORMAT (info),
      GST_VIDEO_INTERLACE_MODE_PROGRESSIVE, (guint) info->width,
      ((guint) info->height + 1) / 2);
  field.colorimetry = info->colorimetry;
  field.chroma_site = info->chroma_site;
  gst_buffer_memset (buffer, 0, 0, info->size);
  fail_unless (gst_video_frame_map (&to, info, buffer, GST_MAP_READWRITE));
  for (guint which = 0; which < 2; which++) {
    g_autoptr (GstBuffer) half =
        tl_scene_paint (&field, which == 0 ? top : bottom);
    GstVideoFrame from;

    fail_unless (gst_video_frame_map (&from, &field, half, GST_MAP_READ));
    for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES (info); p++) {
      gint n =
          GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT (info->finfo, p, info->height);

      for (gint y = 0; 2 * y + (gint) which < n; y++)
        memcpy ((guint8 *) to.data[p]
                + (2 * y + (gint) which) * to.info.stride[p],
            (guint8 *) from.data[p] + y * from.info.stride[p],
            (gsize) ABS (to.info.stride[p]));
    }
    gst_video_frame_unmap (&from);
  }
  gst_video_frame_unmap (&to);
  return buffer;
}

typedef enum
{
  RED,
  BLUE,
  MIXED
} Colour;

typedef struct
{
  const gchar *what;
  GstVideoInterlaceMode mode;
  GstVideoFieldOrder order;
  GstVideoBufferFlags flags;
  TlField field;
  Colour seen; /* the top field is red */
} FieldCase;

#define PROGRESSIVE GST_VIDEO_INTERLACE_MODE_PROGRESSIVE
#define INTERLEAVED GST_VIDEO_INTERLACE_MODE_INTERLEAVED
#define EITHER GST_VIDEO_INTERLACE_MODE_MIXED
#define UNKNOWN GST_VIDEO_FIELD_ORDER_UNKNOWN
#define TFF GST_VIDEO_BUFFER_FLAG_TFF
#define INTERLACED GST_VIDEO_BUFFER_FLAG_INTERLACED
static const FieldCase fields[] = {
    {"progressive", PROGRESSIVE, UNKNOWN, 0, TL_FIELD_AUTO, MIXED},
    {"progressive, top", PROGRESSIVE, UNKNOWN, 0, TL_FIELD_TOP, RED},
    {"progressive, bottom", PROGRESSIVE, UNKNOWN, 0, TL_FIELD_BOTTOM, BLUE},
    {"interleaved", INTERLEAVED, UNKNOWN, 0, TL_FIELD_AUTO, BLUE},
    {"top first", INTERLEAVED, UNKNOWN, TFF, TL_FIELD_AUTO, RED},
    {"top first by caps", INTERLEAVED, GST_VIDEO_FIELD_ORDER_TOP_FIELD_FIRST, 0,
        TL_FIELD_AUTO, RED},
    {"bottom first by caps", INTERLEAVED,
        GST_VIDEO_FIELD_ORDER_BOTTOM_FIELD_FIRST, 0, TL_FIELD_AUTO, BLUE},
    {"top asked for", INTERLEAVED, UNKNOWN, 0, TL_FIELD_TOP, RED},
    {"bottom asked for", INTERLEAVED, UNKNOWN, TFF, TL_FIELD_BOTTOM, BLUE},
    {"both asked for", INTERLEAVED, UNKNOWN, TFF, TL_FIELD_BOTH, MIXED},
    {"mixed, progressive", EITHER, UNKNOWN, TFF, TL_FIELD_AUTO, MIXED},
    {"mixed, interlaced", EITHER, UNKNOWN, TFF | INTERLACED, TL_FIELD_AUTO,
        RED},
    {"mixed, bottom first", EITHER, UNKNOWN, INTERLACED, TL_FIELD_AUTO, BLUE},
};

static const gchar *const field_formats[] = {"RGB", "I420", "NV12", "UYVY",
    "YUY2", "v210", "Y42B", "BGRx", "YUV9", "P010_10LE"};

static void
check_field (const FieldCase *row, const gchar *format, guint width,
    guint height)
{
  g_autoptr (GstBuffer) buffer = NULL;
  g_autofree guint8 *found = NULL, *red = NULL, *blue = NULL;
  TlPreprocess preprocess;
  GstVideoInfo info;
  guint from_red, from_blue;

  set_size (&preprocess, 16, 16, 16);
  gst_video_info_set_interlaced_format (&info,
      gst_video_format_from_string (format), row->mode, width, height);
  GST_VIDEO_INFO_FIELD_ORDER (&info) = row->order;
  buffer = weave (&info, scene_of_red, scene_of_blue);
  GST_BUFFER_FLAG_SET (buffer, row->flags);
  found = tl_scene_render (&info, buffer, &preprocess, row->field);
  red = tl_scene_expect (scene_of_red, width, height, &preprocess);
  blue = tl_scene_expect (scene_of_blue, width, height, &preprocess);
  from_red = tl_scene_compare (found, red, &preprocess);
  from_blue = tl_scene_compare (found, blue, &preprocess);
  /* The rows of a field lie half a row off, and 66 rows of 4:2:0 have 32 of the
   * bottom field, 67 of 4:1:0 have 32: green shows it. */
  fail_unless ((from_red <= 12) == (row->seen == RED), "%s %s %ux%u: red %u",
      row->what, format, width, height, from_red);
  fail_unless ((from_blue <= 12) == (row->seen == BLUE), "%s %s %ux%u: blue %u",
      row->what, format, width, height, from_blue);
}

GST_START_TEST (one_field_of_interlaced_video_is_seen)
{
  for (guint i = 0; i < G_N_ELEMENTS (field_formats); i++) {
    check_field (&fields[__i__], field_formats[i], 64, 64);
    check_field (&fields[__i__], field_formats[i], 51, 66);
    check_field (&fields[__i__], field_formats[i], 51, 67);
  }
}
GST_END_TEST;

/* Frames without a bottom field, and fields without chroma of their own. */
GST_START_TEST (low_frames_have_a_field_too)
{
  for (guint i = 0; i < G_N_ELEMENTS (field_formats); i++) {
    for (guint height = 1; height < 12; height++) {
      for (TlField field = TL_FIELD_AUTO; field <= TL_FIELD_BOTH; field++) {
        g_autoptr (GstBuffer) buffer = NULL;
        g_autofree guint8 *found = NULL;
        TlPreprocess preprocess;
        GstVideoInfo info;

        set_size (&preprocess, 4, 4, 4);
        gst_video_info_set_interlaced_format (&info,
            gst_video_format_from_string (field_formats[i]), INTERLEAVED, 9,
            height);
        buffer = make_noise (&info, height);
        found = tl_scene_render (&info, buffer, &preprocess, field);
      }
    }
  }
}
GST_END_TEST;

/* Each buffer has one field: the height is that of the frame. */
GST_START_TEST (alternating_fields_are_seen_one_by_one)
{
  for (guint i = 0; i < G_N_ELEMENTS (field_formats); i++) {
    g_autoptr (GstBuffer) buffer = NULL;
    g_autofree guint8 *found = NULL, *expected = NULL;
    TlPreprocess preprocess;
    GstVideoInfo info;
    guint worst;

    set_size (&preprocess, 16, 16, 16);
    gst_video_info_set_interlaced_format (&info,
        gst_video_format_from_string (field_formats[i]),
        GST_VIDEO_INTERLACE_MODE_ALTERNATE, 64, 64);
    buffer = tl_scene_paint (&info, tl_scene_gradients);
    GST_BUFFER_FLAG_SET (buffer, GST_VIDEO_BUFFER_FLAG_TOP_FIELD);
    gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_TOP_FIELD,
        GST_VIDEO_INFO_FORMAT (&info), 64, 64, GST_VIDEO_INFO_N_PLANES (&info),
        info.offset, info.stride);
    found = tl_scene_render (&info, buffer, &preprocess, TL_FIELD_AUTO);
    expected = tl_scene_expect (tl_scene_gradients, 64, 64, &preprocess);
    worst = tl_scene_compare (found, expected, &preprocess);
    fail_unless (worst <= 8, "%s: %u", field_formats[i], worst);
  }
}
GST_END_TEST;

GST_START_TEST (a_field_of_tiles_is_refused)
{
  g_autoptr (TlLivePicture) picture = NULL;
  g_autoptr (GstBuffer) buffer = NULL;
  TlError error = TL_ERROR_INIT;
  TlPreprocess preprocess;
  GstVideoInfo info;
  guint8 rgb[8 * 8 * CHANNELS];

  set_size (&preprocess, 8, 8, 8);
  gst_video_info_set_interlaced_format (&info, GST_VIDEO_FORMAT_NV12_64Z32,
      INTERLEAVED, 128, 64);
  buffer = make_noise (&info, 3);
  fail_unless (tl_live_picture_new (&info, &preprocess, FALSE, TL_FIELD_AUTO,
                   &picture, &error)
      == TL_OK);
  fail_unless (tl_live_picture_render (picture, buffer, rgb, &error)
      == TL_ERROR_UNSUPPORTED);
  fail_unless (strstr (error.message, "field=both"), "%s", error.message);
}
GST_END_TEST;

/* ---- Memory ---- */

/* @info's planes, each in a memory of its own. */
GST_START_TEST (planes_may_lie_apart)
{
  g_autoptr (GstBuffer) whole = NULL, parts = gst_buffer_new ();
  g_autofree guint8 *expected = NULL, *found = NULL;
  TlPreprocess preprocess;
  GstVideoInfo info;

  set_size (&preprocess, 16, 16, 16);
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_I420, 33, 21);
  whole = make_noise (&info, 4);
  for (guint p = 0; p < 3; p++) {
    gsize end = p < 2 ? info.offset[p + 1] : info.size;
    g_autoptr (GstBuffer) part = gst_buffer_copy_region (whole,
        GST_BUFFER_COPY_MEMORY | GST_BUFFER_COPY_DEEP, info.offset[p],
        end - info.offset[p]);

    gst_buffer_append_memory (parts, gst_buffer_get_memory (part, 0));
  }
  gst_buffer_add_video_meta_full (parts, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_FORMAT_I420, 33, 21, 3, info.offset, info.stride);
  fail_unless_equals_int (gst_buffer_n_memory (parts), 3);
  expected = tl_scene_render (&info, whole, &preprocess, TL_FIELD_AUTO);
  found = tl_scene_render (&info, parts, &preprocess, TL_FIELD_AUTO);
  fail_unless (tl_scene_compare (expected, found, &preprocess) == 0);
}
GST_END_TEST;

/* Values that offsets and strides may have by mistake. */
static gint64
draw_value (guint64 seed, guint32 draw, gint64 right)
{
  switch (tl_random_below (seed, 1, draw, 0, 6)) {
    case 0:
      return right + (gint64) tl_random_below (seed, 1, draw, 1, 9) - 4;
    case 1:
      return -right;
    case 2:
      return 2 * right;
    case 3:
      return (gint64) tl_random_below (seed, 1, draw, 1, G_MAXINT)
          - G_MAXINT / 2;
    default:
      return right;
  }
}

/* Sizes are those of the format, so that what is outside is found by ASan. */
static gboolean
try_layout (const gchar *format, guint64 seed)
{
  g_autoptr (TlLivePicture) picture = NULL;
  g_autoptr (GstBuffer) buffer = NULL;
  TlError error = TL_ERROR_INIT;
  TlPreprocess preprocess;
  GstVideoInfo info;
  gsize offset[GST_VIDEO_MAX_PLANES];
  gint stride[GST_VIDEO_MAX_PLANES];
  guint8 rgb[8 * 8 * CHANNELS];
  TlStatus status;

  set_size (&preprocess, 8, 8, 8);
  gst_video_info_set_interlaced_format (&info,
      gst_video_format_from_string (format),
      seed % 3 ? PROGRESSIVE : INTERLEAVED, 13 + (guint) (seed % 5),
      7 + (guint) (seed % 4));
  for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES (&info); p++) {
    offset[p] = (gsize) draw_value (seed, 2 * p, (gint64) info.offset[p]);
    stride[p] = (gint) draw_value (seed, 2 * p + 1, info.stride[p]);
  }
  buffer = make_noise (&info, seed);
  if (seed % 7 == 0)
    gst_buffer_set_size (buffer, (gssize) info.size / 2);
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_INFO_FORMAT (&info), (guint) info.width, (guint) info.height,
      GST_VIDEO_INFO_N_PLANES (&info), offset, stride);
  fail_unless (tl_live_picture_new (&info, &preprocess, FALSE, TL_FIELD_TOP,
                   &picture, &error)
      == TL_OK);
  status = tl_live_picture_render (picture, buffer, rgb, &error);
  fail_unless (status == TL_OK || error.message[0] != '\0');
  return status == TL_OK;
}

GST_START_TEST (nothing_outside_the_memory_is_read)
{
  g_auto (GStrv) formats = tl_scene_formats ();
  guint n_read = 0, n_refused = 0;

  /* GStreamer says every time that it cannot map. */
  gst_debug_set_default_threshold (GST_LEVEL_NONE);
  for (gchar **name = formats; *name; name++) {
    for (guint64 seed = 0; seed < 60; seed++) {
      if (try_layout (*name, seed))
        n_read++;
      else
        n_refused++;
    }
  }
  fail_unless (n_read > 100 && n_refused > 100, "%u read, %u refused", n_read,
      n_refused);
}
GST_END_TEST;

static gpointer
refuse_map (GstMemory *memory, gsize size, GstMapFlags flags)
{
  return NULL;
}

static void
free_memory (GstAllocator *allocator, GstMemory *memory)
{
  g_free (memory);
}

typedef GstAllocator TlSealed;
typedef GstAllocatorClass TlSealedClass;

static GType tl_sealed_get_type (void);
G_DEFINE_TYPE (TlSealed, tl_sealed, GST_TYPE_ALLOCATOR)

static void
tl_sealed_class_init (TlSealedClass *klass)
{
  klass->free = free_memory;
}

static void
tl_sealed_init (TlSealed *self)
{
  self->mem_type = "sealed";
  self->mem_map = refuse_map;
}

/* As memory of a device may be. */
GST_START_TEST (memory_that_cannot_be_read_is_said)
{
  g_autoptr (GstAllocator) allocator =
      gst_object_ref_sink (g_object_new (tl_sealed_get_type (), NULL));
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  g_autoptr (TlLivePicture) picture = NULL;
  GstMemory *memory = g_new0 (GstMemory, 1);
  TlError error = TL_ERROR_INIT;
  TlPreprocess preprocess;
  GstVideoInfo info;
  guint8 rgb[8 * 8 * CHANNELS];

  gst_debug_set_default_threshold (GST_LEVEL_NONE);
  set_size (&preprocess, 8, 8, 8);
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_NV12, 32, 32);
  gst_memory_init (memory, 0, allocator, NULL, info.size, 0, 0, info.size);
  gst_buffer_append_memory (buffer, memory);
  fail_unless (tl_live_picture_new (&info, &preprocess, FALSE, TL_FIELD_AUTO,
                   &picture, &error)
      == TL_OK);
  fail_unless (
      tl_live_picture_render (picture, buffer, rgb, &error) == TL_ERROR_READ);
  fail_unless (strstr (error.message, "NV12"), "%s", error.message);
}
GST_END_TEST;

static Suite *
livepicture_suite (void)
{
  Suite *suite = suite_create ("livepicture");
  TCase *tcase = tcase_create ("livepicture");

  tcase_set_timeout (tcase, 120);
  tcase_add_loop_test (tcase, rgb_is_what_training_sees, 0,
      G_N_ELEMENTS (crops));
  tcase_add_test (tcase, a_prepared_frame_stays_as_it_is);
  tcase_add_loop_test (tcase, what_cannot_be_done_is_said, 0,
      G_N_ELEMENTS (refusals));
  tcase_add_loop_test (tcase, one_field_of_interlaced_video_is_seen, 0,
      G_N_ELEMENTS (fields));
  tcase_add_test (tcase, low_frames_have_a_field_too);
  tcase_add_test (tcase, alternating_fields_are_seen_one_by_one);
  tcase_add_test (tcase, a_field_of_tiles_is_refused);
  tcase_add_test (tcase, planes_may_lie_apart);
  tcase_add_test (tcase, nothing_outside_the_memory_is_read);
  tcase_add_test (tcase, memory_that_cannot_be_read_is_said);
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (livepicture);
