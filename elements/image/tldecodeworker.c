/* SPDX-License-Identifier: BSD-3-Clause */

#include "tldecodeworker.h"

#include "tlrawframe.h"

#include <string.h>

#include <tlfail.h>

struct TlDecodeWorker
{
  TlImageDecoder *decoder;
  TlRawScratch scratch;
};

TlDecodeWorker *
tl_decode_worker_new (void)
{
  TlImageDecoder *decoder = tl_image_decoder_new ();
  TlDecodeWorker *self;

  if (!decoder)
    return NULL;
  self = g_new0 (TlDecodeWorker, 1);
  self->decoder = decoder;
  return self;
}

void
tl_decode_worker_free (TlDecodeWorker *self)
{
  tl_image_decoder_free (self->decoder);
  tl_raw_scratch_clear (&self->scratch);
  g_free (self);
}

gboolean
tl_decode_is_training (const TlSampleMeta *sample)
{
  return sample && sample->split == TL_SPLIT_TRAIN;
}

/* ---- the output ---- */

/* What a meta without tags says holds for the picture whatever its pixels are;
 * a parent would only keep the input's memory alive. */
static gboolean
copy_meta (GstBuffer *input, GstMeta **meta, gpointer output)
{
  const GstMetaInfo *info = (*meta)->info;
  GstMetaTransformCopy copy = {.region = FALSE,
      .offset = 0,
      .size = (gsize) -1};
  const gchar *const *tags = gst_meta_api_type_get_tags (info->api);

  if (!(tags && tags[0]) && info->transform_func
      && info->api != GST_PARENT_BUFFER_META_API_TYPE
      && !GST_META_FLAG_IS_SET (*meta, GST_META_FLAG_POOLED))
    info->transform_func (output, *meta, input, _gst_meta_transform_copy,
        &copy);
  return TRUE;
}

static GstBuffer *
new_output (GstBuffer *input, const GstVideoInfo *out)
{
  GstBuffer *output =
      gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (out), NULL);

  if (!output)
    return NULL;
  gst_buffer_copy_into (output, input,
      GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS, 0, -1);
  gst_buffer_foreach_meta (input, copy_meta, output);
  return output;
}

/* Rows are padded to four bytes; the padding repeats from run to run too. */
static void
clear_padding (const GstVideoInfo *info, guint8 *data)
{
  gsize stride = (gsize) GST_VIDEO_INFO_PLANE_STRIDE (info, 0);
  gsize used = (gsize) GST_VIDEO_INFO_WIDTH (info) * 3;

  if (stride > used) {
    for (gint y = 0; y < GST_VIDEO_INFO_HEIGHT (info); y++)
      memset (data + (gsize) y * stride + used, 0, stride - used);
  }
}

/* ---- the picture ---- */

/* Notes the size in @sample, which may be NULL. Without one there is nothing to
 * key a draw with but zeros. */
static TlStatus
plan_crop (const TlDecodeSettings *run, guint32 width, guint32 height,
    TlSampleMeta *sample, TlCropPlan *plan, TlError *error)
{
  TlBox box;
  TlStatus status =
      tl_region_resolve (&run->region, width, height, &box, error);

  if (status != TL_OK)
    return status;
  if (sample) {
    sample->source_width = width;
    sample->source_height = height;
  }
  if (run->crop != TL_IMAGE_CROP_RANDOM
      && !(run->crop == TL_IMAGE_CROP_AUTO && tl_decode_is_training (sample)))
    return tl_crop_plan_fixed (tl_decode_settings_crop_kind (run), &box,
        run->resize, run->width, run->height, plan, error);
  tl_crop_plan_random (&box, &run->range, run->width, run->height,
      sample ? sample->seed : 0, sample ? sample->view : 0,
      sample ? sample->index : 0, plan);
  return TL_OK;
}

static TlStatus
decode_file (TlDecodeWorker *self, const TlDecodeSettings *run,
    const GstMapInfo *file, TlSampleMeta *sample, guint8 *pixels, gsize stride,
    TlError *error)
{
  gboolean may_shrink =
      run->dct_scaling == TL_DCT_SCALING_AUTO && tl_decode_is_training (sample);
  TlImageInfo info;
  TlCropPlan plan;
  TlStatus status =
      tl_image_probe (file->data, file->size, &run->options, &info, error);

  if (status == TL_OK)
    status = plan_crop (run, info.width, info.height, sample, &plan, error);
  if (status == TL_OK)
    status = tl_image_render (self->decoder, file->data, file->size,
        &run->options, &plan, run->interpolation, may_shrink, run->width,
        run->height, pixels, stride, error);
  return status;
}

static TlStatus
read_file (TlDecodeWorker *self, const TlDecodeSettings *run, GstBuffer *buffer,
    TlSampleMeta *sample, guint8 *pixels, gsize stride, TlError *error)
{
  GstMapInfo file;
  TlStatus status;

  if (!gst_buffer_map (buffer, &file, GST_MAP_READ))
    return tl_fail (error, TL_ERROR_READ, "The file cannot be read.");
  status = decode_file (self, run, &file, sample, pixels, stride, error);
  gst_buffer_unmap (buffer, &file);
  return status;
}

/* A frame is in memory already; the limit holds for all pictures, so that it
 * does not matter where one comes from. */
static TlStatus
read_frame (TlDecodeWorker *self, const TlDecodeSettings *run,
    const TlOrderedJob *job, TlSampleMeta *sample, guint8 *pixels, gsize stride,
    TlError *error)
{
  TlFrame frame;
  TlCropPlan plan;
  TlStatus status =
      tl_frame_map (&frame, job->input, &job->info, GST_MAP_READ, error);

  if (status != TL_OK)
    return status;
  if ((guint64) frame.width * frame.height > run->options.max_pixels)
    status = tl_fail (error, TL_ERROR_LIMIT,
        "The frame has %ux%u pixels, more than the %" G_GUINT64_FORMAT
        " allowed by max-pixels.",
        frame.width, frame.height, run->options.max_pixels);
  if (status == TL_OK)
    status = plan_crop (run, frame.width, frame.height, sample, &plan, error);
  if (status == TL_OK)
    status = tl_raw_frame_render (&frame,
        GST_VIDEO_INFO_FORMAT (&job->info) == GST_VIDEO_FORMAT_GRAY8,
        self->decoder, &self->scratch, &plan, run->interpolation, run->width,
        run->height, pixels, stride, error);
  tl_frame_unmap (&frame);
  return status;
}

void
tl_decode_worker_run (TlDecodeWorker *self, const TlDecodeSettings *run,
    const GstVideoInfo *out, TlOrderedJob *job)
{
  gsize stride = (gsize) GST_VIDEO_INFO_PLANE_STRIDE (out, 0);
  TlSampleMeta *sample;
  GstMapInfo map;

  job->output = new_output (job->input, out);
  if (!job->output || !gst_buffer_map (job->output, &map, GST_MAP_WRITE)) {
    job->status = tl_fail (&job->error, TL_ERROR_MEMORY,
        "There is not enough memory for a picture of %ux%u pixels.", run->width,
        run->height);
    return;
  }
  clear_padding (out, map.data);
  sample = tl_buffer_get_sample_meta (job->output);
  if (GST_VIDEO_INFO_FORMAT (&job->info) == GST_VIDEO_FORMAT_UNKNOWN)
    job->status = read_file (self, run, job->input, sample, map.data, stride,
        &job->error);
  else
    job->status =
        read_frame (self, run, job, sample, map.data, stride, &job->error);
  gst_buffer_unmap (job->output, &map);
}
