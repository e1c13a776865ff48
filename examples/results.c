/* SPDX-License-Identifier: BSD-3-Clause */

#include "results.h"

#include <gst/video/video.h>

#include "tlevents.h"
#include "tlresultmeta.h"
#include "tlsamplemeta.h"

static void
clear_frame (gpointer data)
{
  g_clear_pointer (&((Frame *) data)->thumbnail, cairo_surface_destroy);
}

Results *
results_new (void)
{
  Results *results = g_new0 (Results, 1);

  results->classes = g_ptr_array_new_with_free_func (g_free);
  results->frames = g_array_new (FALSE, TRUE, sizeof (Frame));
  g_array_set_clear_func (results->frames, clear_frame);
  return results;
}

void
results_free (Results *results)
{
  g_ptr_array_unref (results->classes);
  g_array_unref (results->frames);
  g_free (results);
}

guint
results_count (const Results *results, gint truth, gint found)
{
  guint n = 0;

  for (guint i = 0; i < results->frames->len; i++) {
    const Frame *frame = &g_array_index (results->frames, Frame, i);

    n += frame->truth == truth && frame->found == found;
  }
  return n;
}

/* A class is known by its name: the numbers of a data set and of a model need
 * not be the same. */
static gint
class_number (Results *results, const gchar *name)
{
  guint at;

  if (!name)
    return NO_CLASS;
  for (at = 0; at < results->classes->len; at++)
    if (g_str_equal (g_ptr_array_index (results->classes, at), name))
      return at;
  g_ptr_array_add (results->classes, g_strdup (name));
  return at;
}

/* The picture in cairo's pixels, scaled down to fit a square. */
static cairo_surface_t *
make_thumbnail (GstVideoFrame *video)
{
  gint width = GST_VIDEO_FRAME_WIDTH (video);
  gint height = GST_VIDEO_FRAME_HEIGHT (video);
  gdouble scale = (gdouble) THUMBNAIL_SIDE / MAX (width, height);
  cairo_surface_t *full =
      cairo_image_surface_create (CAIRO_FORMAT_RGB24, width, height);
  cairo_surface_t *small = cairo_image_surface_create (CAIRO_FORMAT_RGB24,
      THUMBNAIL_SIDE, THUMBNAIL_SIDE);
  cairo_t *cr = cairo_create (small);

  for (gint y = 0; y < height; y++) {
    const guint8 *from = (const guint8 *) GST_VIDEO_FRAME_PLANE_DATA (video, 0)
        + (gsize) y * GST_VIDEO_FRAME_PLANE_STRIDE (video, 0);
    guint32 *to = (guint32 *) (cairo_image_surface_get_data (full)
        + (gsize) y * cairo_image_surface_get_stride (full));

    for (gint x = 0; x < width; x++, from += 3)
      to[x] = (guint32) from[0] << 16 | from[1] << 8 | from[2];
  }
  cairo_surface_mark_dirty (full);
  cairo_translate (cr, (THUMBNAIL_SIDE - width * scale) / 2,
      (THUMBNAIL_SIDE - height * scale) / 2);
  cairo_scale (cr, scale, scale);
  cairo_set_source_surface (cr, full, 0, 0);
  cairo_paint (cr);
  cairo_destroy (cr);
  cairo_surface_destroy (full);
  return small;
}

/* Keeps a few of each class and outcome. */
static gboolean
is_worth_a_thumbnail (const Results *results, const Frame *frame)
{
  gboolean right = frame->truth == frame->found;
  guint share = MAX (1, MAX_THUMBNAILS / MAX (1, results->classes->len));

  if (frame->truth == NO_CLASS
      || results->n_thumbnails[right] >= MAX_THUMBNAILS)
    return FALSE;
  return !right || results_count (results, frame->truth, frame->found) < share;
}

static void
keep_thumbnail (Results *results, Frame *frame, GstPad *pad, GstBuffer *buffer)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  GstVideoFrame video;
  GstVideoInfo info;

  if (!caps || !gst_video_info_from_caps (&info, caps)
      || !gst_video_frame_map (&video, &info, buffer, GST_MAP_READ))
    return;
  frame->thumbnail = make_thumbnail (&video);
  gst_video_frame_unmap (&video);
  results->n_thumbnails[frame->truth == frame->found]++;
}

/* What the data set is: the tl-dataset event, which every element keeps because
 * it is sticky. NULL without one; *transferred*. */
static TlDatasetInfo *
dataset_at (GstPad *pad)
{
  TlDatasetInfo *info = NULL;

  for (guint i = 0; !info; i++) {
    g_autoptr (GstEvent) event =
        gst_pad_get_sticky_event (pad, GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, i);

    if (!event)
      return NULL;
    info = tl_event_parse_dataset (event);
  }
  return info;
}

/* The class of a folder sample. */
static gint
true_class (Results *results, GstPad *pad, gint label)
{
  g_autoptr (TlDatasetInfo) info = dataset_at (pad);

  if (!info || label < 0 || (guint) label >= info->n_classes)
    return NO_CLASS;
  /* All of them, so that the table has their order. */
  for (guint i = 0; i < info->n_classes; i++)
    class_number (results, info->classes[i]);
  return class_number (results, info->classes[label]);
}

/* Runs in the streaming thread, once per frame that passed resnetinfer. */
static GstPadProbeReturn
take_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Results *results = data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  TlResultMeta *result = tl_buffer_get_result_meta (buffer);
  TlSampleMeta *sample = tl_buffer_get_sample_meta (buffer);
  Frame frame = {NO_CLASS, NO_CLASS, 0, GST_BUFFER_PTS (buffer), NULL};

  if (sample)
    frame.truth = true_class (results, pad, sample->label);
  if (result && result->state == TL_RESULT_VALID && result->n > 0) {
    frame.found =
        class_number (results, g_quark_to_string (result->top[0].name));
    frame.probability = result->top[0].probability;
  }
  if (is_worth_a_thumbnail (results, &frame))
    keep_thumbnail (results, &frame, pad, buffer);
  g_array_append_val (results->frames, frame);
  return GST_PAD_PROBE_OK;
}

/* Plays @pipeline to its end. */
static gboolean
play (GstElement *pipeline, GError **error)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, error, NULL);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
}

/* Paths are set as properties: they may hold anything, a launch line not. */
static void
set_text (GstElement *pipeline, const gchar *element, const gchar *property,
    const gchar *value)
{
  g_autoptr (GstElement) child =
      gst_bin_get_by_name (GST_BIN (pipeline), element);

  g_object_set (child, property, value, NULL);
}

static gboolean
run (Results *results, GstElement *pipeline, const gchar *checkpoint,
    GError **error)
{
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");

  set_text (pipeline, "model", "checkpoint", checkpoint);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, take_buffer, results,
      NULL);
  return play (pipeline, error);
}

gboolean
results_run_folder (Results *results, const gchar *checkpoint,
    const gchar *folder, gdouble valid_fraction, GError **error)
{
  g_autofree gchar *line = g_strdup_printf (
      "datasetsrc name=data splits=valid valid-fraction=%g ! imagedecode "
      "! resnetinfer name=model ! fakesink name=sink sync=false",
      valid_fraction);
  g_autoptr (GstElement) pipeline =
      gst_parse_launch_full (line, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);

  if (!pipeline)
    return FALSE;
  set_text (pipeline, "data", "location", folder);
  return run (results, pipeline, checkpoint, error);
}

gboolean
results_run_video (Results *results, const gchar *checkpoint,
    const gchar *video, GError **error)
{
  g_autoptr (GstElement) pipeline = gst_parse_launch_full (
      "filesrc name=file ! decodebin ! videoconvert ! video/x-raw,format=RGB "
      "! resnetinfer name=model ! fakesink name=sink sync=false",
      NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);

  if (!pipeline)
    return FALSE;
  set_text (pipeline, "file", "location", video);
  if (run (results, pipeline, checkpoint, error))
    return TRUE;
  /* Stock elements do not always name the file. */
  g_prefix_error (error, "%s: ", video);
  return FALSE;
}
