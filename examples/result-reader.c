/* SPDX-License-Identifier: BSD-3-Clause */

/* result-reader LINE: runs a gst-launch line that has a resnetinfer with
 * name=model, and prints the result of every frame that leaves it.
 *
 *   cc result-reader.c -o result-reader $(pkg-config --cflags --libs tlpipe-1.0)
 *   ./result-reader "videotestsrc num-buffers=30 \
 *       ! resnetinfer name=model checkpoint=run/best.safetensors ! fakesink" */

#include <tlresultmeta.h>

static GstPadProbeReturn
print_result (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  TlResultMeta *result =
      tl_buffer_get_result_meta (GST_PAD_PROBE_INFO_BUFFER (info));

  g_print ("%" GST_TIME_FORMAT " %s", GST_TIME_ARGS (result->pts),
      tl_result_state_nick (result->state));
  for (guint i = 0; i < result->n; i++)
    g_print (" %s=%.3f", g_quark_to_string (result->top[i].name),
        result->top[i].probability);
  g_print (" %s\n", result->reason ? g_quark_to_string (result->reason) : "");
  return GST_PAD_PROBE_OK;
}

int
main (int argc, char **argv)
{
  GError *error = NULL;
  GstElement *pipeline, *model = NULL;
  GstMessage *end;

  gst_init (&argc, &argv);
  pipeline = gst_parse_launch (argc == 2 ? argv[1] : "", &error);
  if (!error)
    model = gst_bin_get_by_name (GST_BIN (pipeline), "model");
  if (!model) {
    g_printerr ("%s\n", error ? error->message : "nothing has name=model");
    return 2;
  }
  gst_pad_add_probe (model->srcpads->data, GST_PAD_PROBE_TYPE_BUFFER,
      print_result, NULL, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  end = gst_bus_timed_pop_filtered (gst_element_get_bus (pipeline),
      GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (GST_MESSAGE_TYPE (end) == GST_MESSAGE_ERROR)
    gst_message_parse_error (end, &error, NULL);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  if (error)
    g_printerr ("%s\n", error->message);
  return error ? 1 : 0;
}
