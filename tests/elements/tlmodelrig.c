/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlmodelrig.h"

#include <gst/check/gstcheck.h>
#include <gst/video/video.h>
#include <unistd.h>

#include "tlcheckpoint.h"
#include "tlpreprocess.h"
#include "tlsafetensors.h"

#define N_INPUTS 192

gchar *model_folder;

gchar *
model_write_checkpoint (const gchar *name, const gchar *classes,
    const gchar *leave_out)
{
  static gfloat stem[N_INPUTS], weight[MODEL_N_CLASSES][N_INPUTS],
      bias[MODEL_N_CLASSES];
  TlTensor tensors[] = {
      {.name = "stem.weight",
          .dtype = TL_DTYPE_F32,
          .n_dims = 1,
          .shape = {N_INPUTS},
          .data = stem},
      {.name = "fc.weight",
          .dtype = TL_DTYPE_F32,
          .n_dims = 2,
          .shape = {MODEL_N_CLASSES, N_INPUTS},
          .data = weight},
      {.name = "fc.bias",
          .dtype = TL_DTYPE_F32,
          .n_dims = 1,
          .shape = {MODEL_N_CLASSES},
          .data = bias},
      {.name = "optimizer.fc.bias.momentum_buffer",
          .dtype = TL_DTYPE_F32,
          .n_dims = 1,
          .shape = {MODEL_N_CLASSES},
          .data = bias},
  };
  TlPreprocess preprocess;
  g_autofree gchar *line = NULL;
  TlMetadata metadata[2];
  gsize n_metadata = 0;
  gchar *path = g_build_filename (model_folder, name, NULL);
  TlError error = TL_ERROR_INIT;

  for (guint i = 0; i < N_INPUTS; i++) {
    stem[i] = 1;
    for (guint c = 0; c < MODEL_N_CLASSES; c++)
      weight[c][i] = i % 3 == c ? 0.1f : 0;
  }
  for (guint i = 0; i < G_N_ELEMENTS (tensors); i++)
    tl_tensor_set_contiguous (&tensors[i]);
  tl_preprocess_init (&preprocess);
  line = tl_preprocess_to_string (&preprocess);
  if (g_strcmp0 (leave_out, TL_KEY_CLASSES) != 0)
    metadata[n_metadata++] = (TlMetadata){TL_KEY_CLASSES, classes};
  if (g_strcmp0 (leave_out, TL_KEY_PREPROCESS) != 0)
    metadata[n_metadata++] = (TlMetadata){TL_KEY_PREPROCESS, line};
  ck_assert_msg (tl_safetensors_write (path, tensors, G_N_ELEMENTS (tensors),
                     metadata, n_metadata, &error)
          == TL_OK,
      "%s", error.message);
  return path;
}

GstBuffer *
model_new_frame (guint width, guint height, guint bright)
{
  GstVideoInfo info;
  GstBuffer *buffer;
  GstMapInfo map;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, width, height);
  buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  memset (map.data, 10, map.size);
  for (guint y = 0; y < height; y++) {
    for (guint x = 0; x < width; x++)
      map.data[y * info.stride[0] + 3 * x + bright] = 250;
  }
  gst_buffer_unmap (buffer, &map);
  GST_BUFFER_PTS (buffer) = 40 * GST_MSECOND;
  return buffer;
}

void
model_set_up (void)
{
  model_folder = g_dir_make_tmp ("tlpipe-resnetinfer-XXXXXX", NULL);
  ck_assert (model_folder != NULL);
}

void
model_tear_down (void)
{
  g_autoptr (GDir) dir = g_dir_open (model_folder, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_build_filename (model_folder, name, NULL);

    unlink (path);
  }
  rmdir (model_folder);
  g_clear_pointer (&model_folder, g_free);
}
