/* SPDX-License-Identifier: BSD-3-Clause */

#include "tldecodecaps.h"

#include <gst/video/video.h>

#include <tlfail.h>

static GstCaps *
any_raw_video (void)
{
  GstCaps *caps = gst_caps_new_empty_simple ("video/x-raw");

  gst_caps_set_features_simple (caps, gst_caps_features_new_any ());
  return caps;
}

/* A converter asks with all that it can make, and must be told what is taken
 * as it is. A peer with one other format, or one that has yet to be linked,
 * gets through as well. */
static GstCaps *
answer_caps (GstCaps *template, GstCaps *filter)
{
  g_autoptr (GstCaps) raw = any_raw_video ();
  GstCaps *caps;

  if (!filter)
    return gst_caps_merge (gst_caps_copy (template), g_steal_pointer (&raw));
  caps = gst_caps_intersect_full (filter, template, GST_CAPS_INTERSECT_FIRST);
  if (gst_caps_is_empty (caps)) {
    gst_caps_unref (caps);
    caps = gst_caps_intersect_full (filter, raw, GST_CAPS_INTERSECT_FIRST);
  }
  return caps;
}

static gboolean
accept_caps (GstCaps *template, const GstCaps *caps)
{
  g_autoptr (GstCaps) raw = any_raw_video ();

  return gst_caps_is_subset (caps, template) || gst_caps_is_subset (caps, raw);
}

/* Frames may have any stride, which saves their source a copy. */
static gboolean
answer_allocation (GstQuery *query)
{
  GstCaps *caps;

  gst_query_parse_allocation (query, &caps, NULL);
  if (!caps
      || !gst_structure_has_name (gst_caps_get_structure (caps, 0),
          "video/x-raw"))
    return FALSE;
  gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  return TRUE;
}

gboolean
tl_decode_caps_query (GstPad *pad, GstQuery *query)
{
  g_autoptr (GstCaps) template = gst_pad_get_pad_template_caps (pad);
  g_autoptr (GstCaps) answer = NULL;
  GstCaps *caps;

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_CAPS:
      gst_query_parse_caps (query, &caps);
      answer = answer_caps (template, caps);
      gst_query_set_caps_result (query, answer);
      return TRUE;
    case GST_QUERY_ACCEPT_CAPS:
      gst_query_parse_accept_caps (query, &caps);
      gst_query_set_accept_caps_result (query, accept_caps (template, caps));
      return TRUE;
    case GST_QUERY_ALLOCATION:
      return answer_allocation (query);
    default:
      return FALSE;
  }
}

TlStatus
tl_decode_caps_check (const GstCaps *caps, TlError *error)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  const gchar *format = gst_structure_get_string (s, "format");
  const GstCapsFeatures *features = gst_caps_get_features (caps, 0);
  g_autofree gchar *memory = gst_caps_features_to_string (features);
  GstVideoInfo info;

  if (!gst_structure_has_name (s, "video/x-raw"))
    return TL_OK;
  if (!gst_caps_features_is_equal (features,
          GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY))
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "imagedecode takes raw video in the memory of the CPU, not in %s: put "
        "an element before it that downloads it, such as gldownload or "
        "cudadownload.",
        memory);
  if (g_strcmp0 (format, "RGB") != 0 && g_strcmp0 (format, "GRAY8") != 0)
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "imagedecode takes raw video as RGB or GRAY8, not as %s: put "
        "videoconvert before it.",
        format ? format : "something without a format");
  if (!gst_video_info_from_caps (&info, caps))
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "The caps of the video before imagedecode say no width and height.");
  if (GST_VIDEO_INFO_IS_INTERLACED (&info))
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "imagedecode takes whole frames, not interlaced ones (%s): put "
        "deinterlace before it.",
        gst_video_interlace_mode_to_string (info.interlace_mode));
  return TL_OK;
}
