/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlcaps.h"

static const gchar *const nicks[TL_N_SPLITS] = {"train", "valid", "test"};

const gchar *
tl_split_nick (TlSplit split)
{
  return (guint) split < TL_N_SPLITS ? nicks[split] : NULL;
}

gboolean
tl_split_from_nick (const gchar *nick, TlSplit *ret)
{
  if (g_strcmp0 (nick, "val") == 0)
    nick = "valid";
  for (guint i = 0; i < TL_N_SPLITS; i++) {
    if (g_strcmp0 (nick, nicks[i]) == 0) {
      *ret = (TlSplit) i;
      return TRUE;
    }
  }
  return FALSE;
}

GstCaps *
tl_batch_info_to_caps (const TlBatchInfo *info)
{
  return gst_caps_new_simple (TL_CAPS_BATCH, "format", G_TYPE_STRING, "RGB",
      "width", G_TYPE_INT, info->width, "height", G_TYPE_INT, info->height,
      "batch-size", G_TYPE_INT, info->batch_size, NULL);
}

gboolean
tl_batch_info_from_caps (TlBatchInfo *info, const GstCaps *caps)
{
  const GstStructure *s;
  TlBatchInfo found;

  if (!gst_caps_is_fixed (caps))
    return FALSE;
  s = gst_caps_get_structure (caps, 0);
  if (!gst_structure_has_name (s, TL_CAPS_BATCH)
      || g_strcmp0 (gst_structure_get_string (s, "format"), "RGB") != 0
      || !gst_structure_get_int (s, "width", &found.width)
      || !gst_structure_get_int (s, "height", &found.height)
      || !gst_structure_get_int (s, "batch-size", &found.batch_size))
    return FALSE;
  if (found.width < 1 || found.width > TL_MAX_SAMPLE_SIDE || found.height < 1
      || found.height > TL_MAX_SAMPLE_SIDE || found.batch_size < 1
      || found.batch_size > TL_MAX_BATCH_SIZE)
    return FALSE;
  *info = found;
  return TRUE;
}

gsize
tl_batch_info_sample_size (const TlBatchInfo *info)
{
  return (gsize) info->width * info->height * 3;
}

gsize
tl_batch_info_size (const TlBatchInfo *info)
{
  return tl_batch_info_sample_size (info) * info->batch_size;
}
