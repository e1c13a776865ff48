/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlpackages.h"

/* Those that pipelines of cameras, recordings and displays use. */
static const struct
{
  const gchar *package;
  const gchar *elements[24];
} packages[] = {
    {"gstreamer1.0-plugins-base",
        {"appsink", "appsrc", "audioconvert", "audioresample", "audiotestsrc",
            "compositor", "decodebin", "oggmux", "opusenc", "playbin",
            "theoraenc", "uridecodebin", "videoconvert", "videorate",
            "videoscale", "videotestsrc", "volume"}},
    {"gstreamer1.0-plugins-good",
        {"autoaudiosink", "autovideosink", "avidemux", "avimux", "cairooverlay",
            "deinterlace", "jpegdec", "jpegenc", "matroskademux", "matroskamux",
            "mp4mux", "multifilesink", "multifilesrc", "pngdec", "pngenc",
            "pulsesink", "qtdemux", "rtspsrc", "souphttpsrc", "v4l2src",
            "videobox", "videocrop", "videoflip"}},
    {"gstreamer1.0-plugins-good",
        {"gdkpixbufoverlay", "gdkpixbufsink", "imagefreeze", "rtpjpegpay",
            "splitmuxsink", "udpsink", "udpsrc", "v4l2h264dec", "v4l2sink",
            "videobalance", "videomixer", "vp8dec", "vp8enc", "vp9dec",
            "vp9enc", "wavenc", "wavparse", "ximagesrc", "y4menc"}},
    {"gstreamer1.0-plugins-bad",
        {"decklinkvideosrc", "fpsdisplaysink", "h264parse", "h265parse",
            "hlssink", "jpegparse", "kmssink", "mpegtsmux", "nvh264dec",
            "nvh264enc", "openh264dec", "openh264enc", "rtmpsink", "srtsink",
            "srtsrc", "tsdemux", "vah264dec", "waylandsink", "webrtcbin",
            "x265enc"}},
    {"gstreamer1.0-plugins-ugly", {"asfdemux", "mpeg2dec", "x264enc"}},
    {"gstreamer1.0-libav",
        {"avdec_h264", "avdec_h265", "avdec_mjpeg", "avdec_mpeg4",
            "avenc_mjpeg", "avenc_mpeg4", "avenc_prores"}},
    {"gstreamer1.0-x",
        {"textoverlay", "timeoverlay", "clockoverlay", "ximagesink",
            "xvimagesink"}},
    {"gstreamer1.0-gl",
        {"glcolorconvert", "gldownload", "glimagesink", "glupload"}},
    {"gstreamer1.0-gtk3", {"gtkglsink", "gtksink"}},
    {"gstreamer1.0-alsa", {"alsasink", "alsasrc"}},
};

const gchar *
tl_packages_find (const gchar *element)
{
  for (guint i = 0; i < G_N_ELEMENTS (packages); i++) {
    for (guint j = 0; packages[i].elements[j]; j++) {
      if (g_str_equal (packages[i].elements[j], element))
        return packages[i].package;
    }
  }
  return NULL;
}

gboolean
tl_packages_is_own (const gchar *element)
{
  static const gchar *const own[] = {"augment", "batcher", "checkpointsink",
      "datasetsrc", "imagedecode", "resnetfinetune", "resnetinfer", NULL};

  return g_strv_contains (own, element);
}
