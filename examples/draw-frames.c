/* SPDX-License-Identifier: BSD-3-Clause */

/* Draws a small labelled data set and a test video, so that everything can be
 * tried without a file from elsewhere:
 *
 *   FOLDER/frames/CLASS/videoNN_frameNN.jpg
 *   FOLDER/video.avi
 *
 * Frames of one video look alike, as real ones do; the names tell them, so that
 * datasetsrc keeps each video in one split. The patients of the test video are
 * in no folder. */

#include <errno.h>
#include <glib/gstdio.h>
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

#include "phantom.h"

#define FRAME_SIZE (PHANTOM_WIDTH * PHANTOM_HEIGHT)
#define FRAMES_PER_SECOND 10
#define SECONDS_PER_CLASS 3

/* Video time between two frames of the folder. */
#define FRAME_STEP 7

static gint64 option_seed = 1;
static gint option_videos = 12;
static gint option_frames = 5;

static const GOptionEntry option_entries[] = {
    {"seed", 0, 0, G_OPTION_ARG_INT64, &option_seed,
        "same seed, same pictures (1)", "N"},
    {"videos", 0, 0, G_OPTION_ARG_INT, &option_videos,
        "videos per class, 2 to 99 (12)", "N"},
    {"frames", 0, 0, G_OPTION_ARG_INT, &option_frames,
        "frames per video, 1 to 99 (5)", "N"},
    {NULL},
};

static GstBuffer *
draw_buffer (Phantom *phantom, guint32 frame)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, FRAME_SIZE, NULL);
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  phantom_draw (phantom, frame, map.data, PHANTOM_WIDTH);
  gst_buffer_unmap (buffer, &map);
  return buffer;
}

/* "appsrc ! jpegenc ! @rest"; *transferred*. */
static GstElement *
new_encoder (const gchar *rest, GError **error)
{
  g_autofree gchar *line = g_strdup_printf (
      "appsrc name=in format=time caps=video/x-raw,format=GRAY8,width=%d,"
      "height=%d,framerate=%d/1 ! jpegenc quality=90 ! %s",
      PHANTOM_WIDTH, PHANTOM_HEIGHT, FRAMES_PER_SECOND, rest);

  return gst_parse_launch_full (line, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);
}

static void
stop_encoder (GstElement *pipeline)
{
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

/* Sets @error to the pipeline's, or to @otherwise if it has none. */
static void
take_error (GstElement *pipeline, const gchar *otherwise, GError **error)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message =
      gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);

  if (message)
    gst_message_parse_error (message, error, NULL);
  else
    g_set_error_literal (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED,
        otherwise);
}

static gboolean
write_frame (GstElement *encoder, Phantom *phantom, guint32 frame,
    const gchar *path, GError **error)
{
  g_autoptr (GstElement) in = gst_bin_get_by_name (GST_BIN (encoder), "in");
  g_autoptr (GstElement) out = gst_bin_get_by_name (GST_BIN (encoder), "out");
  g_autoptr (GstSample) sample = NULL;
  GstMapInfo map;
  gboolean ok;

  gst_app_src_push_buffer (GST_APP_SRC (in), draw_buffer (phantom, frame));
  sample = gst_app_sink_pull_sample (GST_APP_SINK (out));
  if (!sample) {
    take_error (encoder, "no picture came out of jpegenc", error);
    return FALSE;
  }
  gst_buffer_map (gst_sample_get_buffer (sample), &map, GST_MAP_READ);
  ok = g_file_set_contents (path, (const gchar *) map.data, map.size, error);
  gst_buffer_unmap (gst_sample_get_buffer (sample), &map);
  return ok;
}

static gboolean
make_folder (const gchar *path, GError **error)
{
  if (g_mkdir_with_parents (path, 0777) == 0)
    return TRUE;
  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
      "the folder %s cannot be made: %s", path, g_strerror (errno));
  return FALSE;
}

static gboolean
write_class (GstElement *encoder, const gchar *folder, PhantomFinding finding,
    GError **error)
{
  g_autofree gchar *class_folder =
      g_build_filename (folder, "frames", phantom_finding_name (finding), NULL);
  gboolean ok = make_folder (class_folder, error);

  for (gint video = 0; ok && video < option_videos; video++) {
    Phantom *phantom = phantom_new (finding, option_seed, video);

    for (gint frame = 0; ok && frame < option_frames; frame++) {
      g_autofree gchar *path = g_strdup_printf ("%s/video%02d_frame%02d.jpg",
          class_folder, video + 1, frame + 1);

      ok = write_frame (encoder, phantom, frame * FRAME_STEP, path, error);
    }
    phantom_free (phantom);
  }
  return ok;
}

static gboolean
write_frames (const gchar *folder, GError **error)
{
  GstElement *encoder = new_encoder ("appsink name=out sync=false", error);
  gboolean ok = encoder != NULL;

  if (encoder)
    gst_element_set_state (encoder, GST_STATE_PLAYING);
  for (gint finding = 0; ok && finding < PHANTOM_N_FINDINGS; finding++)
    ok = write_class (encoder, folder, finding, error);
  if (encoder)
    stop_encoder (encoder);
  return ok;
}

/* The classes in turn, each by a patient whom no folder has. */
static void
push_video (GstAppSrc *in)
{
  const gint n = FRAMES_PER_SECOND * SECONDS_PER_CLASS;

  for (gint finding = 0; finding < PHANTOM_N_FINDINGS; finding++) {
    Phantom *phantom = phantom_new (finding, option_seed, 1000);

    for (gint frame = 0; frame < n; frame++) {
      GstBuffer *buffer = draw_buffer (phantom, frame * 30 / FRAMES_PER_SECOND);

      GST_BUFFER_PTS (buffer) =
          (finding * n + frame) * GST_SECOND / FRAMES_PER_SECOND;
      GST_BUFFER_DURATION (buffer) = GST_SECOND / FRAMES_PER_SECOND;
      gst_app_src_push_buffer (in, buffer);
    }
    phantom_free (phantom);
  }
  gst_app_src_end_of_stream (in);
}

static gboolean
write_video (const gchar *folder, GError **error)
{
  GstElement *encoder = new_encoder ("avimux ! filesink name=out", error);
  g_autofree gchar *path = g_build_filename (folder, "video.avi", NULL);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GstElement) in = NULL;
  g_autoptr (GstElement) out = NULL;
  g_autoptr (GstBus) bus = NULL;

  if (!encoder)
    return FALSE;
  in = gst_bin_get_by_name (GST_BIN (encoder), "in");
  out = gst_bin_get_by_name (GST_BIN (encoder), "out");
  g_object_set (out, "location", path, NULL);
  gst_element_set_state (encoder, GST_STATE_PLAYING);
  push_video (GST_APP_SRC (in));
  bus = gst_element_get_bus (encoder);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, error, NULL);
  stop_encoder (encoder);
  return GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
}

static gboolean
parse_arguments (int *argc, char ***argv, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (
      "FOLDER - draw labelled ultrasound-like frames and a test video");

  g_option_context_add_main_entries (context, option_entries, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (*argc == 2 && option_videos >= 2 && option_videos <= 99
      && option_frames >= 1 && option_frames <= 99)
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
      "one folder is wanted, 2 to 99 videos and 1 to 99 frames; see --help");
  return FALSE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (!parse_arguments (&argc, &argv, &error)) {
    g_printerr ("draw-frames: %s\n", error->message);
    return 2;
  }
  if (!write_frames (argv[1], &error) || !write_video (argv[1], &error)) {
    g_printerr ("draw-frames: %s\n", error->message);
    return 1;
  }
  g_print ("Drew %d frames of %d videos into %s/frames and a video of %d s "
           "into %s/video.avi.\n",
      PHANTOM_N_FINDINGS * option_videos * option_frames,
      PHANTOM_N_FINDINGS * option_videos, argv[1],
      PHANTOM_N_FINDINGS * SECONDS_PER_CLASS, argv[1]);
  return 0;
}
