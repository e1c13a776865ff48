/* SPDX-License-Identifier: BSD-3-Clause */

#include "tllivepicture.h"

#include <string.h>

#include <tlcrop.h>
#include <tlfail.h>
#include <tlresize.h>

#include "tlvideoplanes.h"
#include "tlvideorgb.h"

#define CHANNELS 3

struct TlLivePicture
{
  GstVideoInfo info;
  TlField field;
  guint width, height; /* of the model's input */
  TlFilter filter;
  TlCropPlan plan; /* for all rows of a frame */

  TlVideoRgb *reader;
  TlResizer *resizer;
  guint8 *rgb; /* the part of a frame that is needed */
  gsize rgb_size;
};

/* ---- Plan ---- */

static TlStatus
parse_filter (TlLivePicture *self, const TlPreprocess *preprocess,
    TlError *error)
{
  if (g_str_equal (preprocess->interpolation, "bilinear"))
    self->filter = TL_FILTER_BILINEAR;
  else if (g_str_equal (preprocess->interpolation, "bicubic"))
    self->filter = TL_FILTER_BICUBIC;
  else
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "interpolation=%s is not known to this version.",
        preprocess->interpolation);
  return TL_OK;
}

static TlStatus
plan_prepared (TlLivePicture *self, TlError *error)
{
  guint width = (guint) GST_VIDEO_INFO_WIDTH (&self->info);
  guint height = (guint) GST_VIDEO_INFO_HEIGHT (&self->info);
  TlBox all = {0, 0, width, height};

  if (width != self->width || height != self->height)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "The model takes %u x %u pixels, but the prepared picture has %u x "
        "%u.",
        self->width, self->height, width, height);
  tl_crop_plan_stretch (&all, width, height, &self->plan);
  return TL_OK;
}

static TlStatus
plan_crop (TlLivePicture *self, const TlPreprocess *preprocess, TlError *error)
{
  TlRegion region;
  TlCropKind kind;
  TlBox box;
  TlStatus status = tl_region_parse (preprocess->region, &region, error);

  if (status == TL_OK)
    status =
        tl_region_resolve (&region, (guint) GST_VIDEO_INFO_WIDTH (&self->info),
            (guint) GST_VIDEO_INFO_HEIGHT (&self->info), &box, error);
  if (status != TL_OK)
    return status;
  if (!tl_crop_kind_from_nick (preprocess->crop, &kind))
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "crop=%s is not known to this version.", preprocess->crop);
  return tl_crop_plan_fixed (kind, &box, (guint) preprocess->resize,
      self->width, self->height, &self->plan, error);
}

/* ---- Life ---- */

static TlStatus
set_up (TlLivePicture *self, const TlPreprocess *preprocess, gboolean prepared,
    TlError *error)
{
  TlStatus status = parse_filter (self, preprocess, error);

  if (status == TL_OK)
    status = prepared ? plan_prepared (self, error)
                      : plan_crop (self, preprocess, error);
  if (status != TL_OK)
    return status;
  if (!self->info.finfo->unpack_func)
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "GStreamer cannot unpack video of the format %s.",
        GST_VIDEO_INFO_NAME (&self->info));
  self->reader = tl_video_rgb_new (&self->info);
  self->resizer = tl_resizer_new ();
  if (!self->reader || !self->resizer)
    return tl_fail (error, TL_ERROR_MEMORY,
        "There is not enough memory for rows of %d pixels.",
        GST_VIDEO_INFO_WIDTH (&self->info));
  return TL_OK;
}

TlStatus
tl_live_picture_new (const GstVideoInfo *info, const TlPreprocess *preprocess,
    gboolean prepared, TlField field, TlLivePicture **ret, TlError *error)
{
  g_autoptr (TlLivePicture) self = g_new0 (TlLivePicture, 1);
  TlStatus status;

  self->info = *info;
  self->field = field;
  self->width = (guint) preprocess->width;
  self->height = (guint) preprocess->height;
  status = set_up (self, preprocess, prepared, error);
  if (status == TL_OK)
    *ret = g_steal_pointer (&self);
  return status;
}

void
tl_live_picture_free (TlLivePicture *self)
{
  if (!self)
    return;
  tl_video_rgb_free (self->reader);
  tl_resizer_free (self->resizer);
  g_free (self->rgb);
  g_free (self);
}

/* ---- Fields ---- */

typedef enum
{
  ALL_ROWS = -1,
  TOP = 0,
  BOTTOM = 1
} Rows;

static gboolean
is_interlaced (const TlLivePicture *self, GstBuffer *buffer)
{
  switch (GST_VIDEO_INFO_INTERLACE_MODE (&self->info)) {
    case GST_VIDEO_INTERLACE_MODE_INTERLEAVED:
      return TRUE;
    case GST_VIDEO_INTERLACE_MODE_MIXED:
      return GST_BUFFER_FLAG_IS_SET (buffer, GST_VIDEO_BUFFER_FLAG_INTERLACED);
    default:
      return FALSE;
  }
}

static gboolean
is_one_field (const GstVideoInfo *info)
{
  return GST_VIDEO_INFO_INTERLACE_MODE (info)
      == GST_VIDEO_INTERLACE_MODE_ALTERNATE;
}

static Rows
first_in_time (const GstVideoInfo *info, GstBuffer *buffer)
{
  if (GST_BUFFER_FLAG_IS_SET (buffer, GST_VIDEO_BUFFER_FLAG_TFF))
    return TOP;
  if (is_one_field (info))
    return BOTTOM;
  return GST_VIDEO_INFO_FIELD_ORDER (info)
          == GST_VIDEO_FIELD_ORDER_TOP_FIELD_FIRST
      ? TOP
      : BOTTOM;
}

/* Of alternating fields a buffer has one, whichever is asked for. */
static Rows
choose_rows (const TlLivePicture *self, GstBuffer *buffer)
{
  if (is_one_field (&self->info))
    return first_in_time (&self->info, buffer);
  switch (self->field) {
    case TL_FIELD_TOP:
      return TOP;
    case TL_FIELD_BOTTOM:
      return BOTTOM;
    case TL_FIELD_BOTH:
      return ALL_ROWS;
    default:
      return is_interlaced (self, buffer) ? first_in_time (&self->info, buffer)
                                          : ALL_ROWS;
  }
}

/* Luma rows of a field whose chroma rows are there as well: 38 rows of 4:2:0 have
 * 19 of chroma, 9 of them in the bottom field. */
static guint
count_field_rows (const GstVideoInfo *info, Rows rows)
{
  guint bits = GST_VIDEO_FORMAT_INFO_H_SUB (info->finfo, 1);
  guint height = (guint) GST_VIDEO_INFO_HEIGHT (info);
  guint n_chroma = (height + (1u << bits) - 1) >> bits;
  guint n = (height + 1 - (guint) rows) / 2;

  return MIN (n, ((n_chroma + 1 - (guint) rows) / 2) << bits);
}

static guint
count_rows (const GstVideoInfo *info, Rows which)
{
  if (is_one_field (info))
    return (guint) GST_VIDEO_INFO_FIELD_HEIGHT (info);
  return which == ALL_ROWS ? (guint) GST_VIDEO_INFO_HEIGHT (info)
                           : count_field_rows (info, which);
}

/* Chroma of a field lies a quarter of a row towards the other field (ISO/IEC
 * 13818-2, figure 6-2). */
static gfloat
locate_chroma (const GstVideoInfo *info, Rows which)
{
  gfloat span = (gfloat) (1u << GST_VIDEO_FORMAT_INFO_H_SUB (info->finfo, 1));
  gfloat shift = which == TOP ? -0.25f : which == BOTTOM ? 0.25f : 0;

  if (GST_VIDEO_INFO_CHROMA_SITE (info) & GST_VIDEO_CHROMA_SITE_V_COSITED)
    return 0;
  return (span - 1) / 2 + shift;
}

/* The rows of @frame that the model sees. */
static void
get_rows (const GstVideoFrame *frame, const GstVideoInfo *info, Rows which,
    TlVideoRows *rows)
{
  gboolean is_apart = which != ALL_ROWS && !is_one_field (info);

  rows->height = count_rows (info, which);
  rows->chroma_offset = locate_chroma (info, which);
  for (guint p = 0; p < GST_VIDEO_FRAME_N_PLANES (frame); p++) {
    gint stride = GST_VIDEO_FRAME_PLANE_STRIDE (frame, p);

    rows->data[p] = GST_VIDEO_FRAME_PLANE_DATA (frame, p);
    rows->stride[p] = is_apart ? 2 * stride : stride;
    if (is_apart && which == BOTTOM)
      rows->data[p] = (guint8 *) rows->data[p] + stride;
  }
}

/* The part of a field that shows @box of the frame: row k of it is row
 * 2 k + @which of the frame. At least one row. */
static TlBox
field_box (const TlBox *box, Rows which, guint height)
{
  TlBox part = *box;
  guint first, end;

  if (which == ALL_ROWS)
    return part;
  first = (box->y + 1 - (guint) which) / 2;
  end = (box->y + box->height + 1 - (guint) which) / 2;
  part.y = MIN (first, height - 1);
  part.height = MAX (MIN (end, height), part.y + 1) - part.y;
  return part;
}

/* ---- Pixels ---- */

static gboolean
reserve (TlLivePicture *self, gsize size)
{
  if (size > self->rgb_size) {
    g_free (self->rgb);
    self->rgb = g_try_malloc (size);
    self->rgb_size = self->rgb ? size : 0;
  }
  return self->rgb != NULL;
}

/* What of @source (inside @rows) the window needs. */
static TlStatus
read_pixels (TlLivePicture *self, const TlVideoRows *rows, const TlBox *source,
    TlPixels *pixels, TlError *error)
{
  const TlCropPlan *plan = &self->plan;
  TlBox box;

  tl_resize_span (source->width, plan->resized_width, self->filter,
      plan->window.x, plan->window.width, &box.x, &box.width);
  tl_resize_span (source->height, plan->resized_height, self->filter,
      plan->window.y, plan->window.height, &box.y, &box.height);
  *pixels = (TlPixels){
      .stride = (gsize) box.width * CHANNELS,
      .width = source->width,
      .height = source->height,
      .first_row = box.y,
      .first_column = box.x,
  };
  if (!reserve (self, pixels->stride * box.height))
    return tl_fail (error, TL_ERROR_MEMORY,
        "There is not enough memory for %ux%u pixels of a frame.", box.width,
        box.height);
  box.x += source->x;
  box.y += source->y;
  tl_video_rgb_read (self->reader, rows, &box, self->rgb);
  pixels->data = self->rgb;
  return TL_OK;
}

/* Packed RGB is resized where it lies. */
static gboolean
point_to_pixels (const TlLivePicture *self, const TlVideoRows *rows,
    const TlBox *source, TlPixels *pixels)
{
  gsize stride = (gsize) rows->stride[0];

  if (GST_VIDEO_INFO_FORMAT (&self->info) != GST_VIDEO_FORMAT_RGB
      || GST_VIDEO_INFO_COLORIMETRY (&self->info).range
          == GST_VIDEO_COLOR_RANGE_16_235
      || rows->stride[0] <= 0)
    return FALSE;
  *pixels = (TlPixels){
      .data = (const guint8 *) rows->data[0] + source->y * stride
          + (gsize) source->x * CHANNELS,
      .stride = stride,
      .width = source->width,
      .height = source->height,
  };
  return TRUE;
}

static TlStatus
resize (TlLivePicture *self, const TlPixels *pixels, guint8 *rgb,
    TlError *error)
{
  const TlCropPlan *plan = &self->plan;
  gsize stride = (gsize) self->width * CHANNELS;

  if (plan->window.width < self->width || plan->window.height < self->height)
    memset (rgb, 0, stride * self->height);
  return tl_resizer_run (self->resizer, pixels, self->filter,
      plan->resized_width, plan->resized_height, &plan->window,
      rgb + plan->top * stride + (gsize) plan->left * CHANNELS, stride, error);
}

static TlStatus
render_frame (TlLivePicture *self, GstBuffer *buffer,
    const GstVideoFrame *frame, guint8 *rgb, TlError *error)
{
  Rows which = choose_rows (self, buffer);
  TlVideoRows rows;
  TlPixels pixels;
  TlBox source;
  TlStatus status;

  if (which != ALL_ROWS && !is_one_field (&self->info)
      && GST_VIDEO_FORMAT_INFO_IS_TILED (self->info.finfo))
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "One field of a frame of %s, which has tiles, cannot be taken: put "
        "videoconvert before resnetinfer, or set field=both.",
        GST_VIDEO_INFO_NAME (&self->info));
  if (which != ALL_ROWS && count_rows (&self->info, which) == 0)
    which = TOP;
  get_rows (frame, &self->info, which, &rows);
  source = field_box (&self->plan.source, which, rows.height);
  if (!point_to_pixels (self, &rows, &source, &pixels)) {
    status = read_pixels (self, &rows, &source, &pixels, error);
    if (status != TL_OK)
      return status;
  }
  return resize (self, &pixels, rgb, error);
}

TlStatus
tl_live_picture_render (TlLivePicture *self, GstBuffer *buffer, guint8 *rgb,
    TlError *error)
{
  GstVideoFrame frame;
  TlStatus status =
      tl_video_planes_map (&frame, buffer, &self->info, GST_MAP_READ, error);

  if (status != TL_OK)
    return status;
  status = render_frame (self, buffer, &frame, rgb, error);
  gst_video_frame_unmap (&frame);
  return status;
}
