/* SPDX-License-Identifier: BSD-3-Clause */

#include "tltrouble.h"

#include <string.h>

#include "tljsonline.h"

static void
parse_trouble (GstMessage *message, GError **error, gchar **debug)
{
  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ERROR:
      gst_message_parse_error (message, error, debug);
      break;
    case GST_MESSAGE_WARNING:
      gst_message_parse_warning (message, error, debug);
      break;
    default:
      gst_message_parse_info (message, error, debug);
  }
}

/* What stands behind the line with the place in the source, where the element
 * has said no more than that something is wrong; else NULL. */
static const gchar *
find_detail (const GError *error, const gchar *debug)
{
  g_autofree gchar *general =
      gst_error_get_message (error->domain, error->code);
  const gchar *end = debug ? strchr (debug, '\n') : NULL;

  return end && end[1] && g_str_equal (general, error->message) ? end + 1
                                                                : NULL;
}

static gchar *
describe_trouble (GstMessage *message, const GError *error, const gchar *debug)
{
  const gchar *detail = find_detail (error, debug);
  gboolean is_whole = GST_IS_PIPELINE (GST_MESSAGE_SRC (message));

  return g_strdup_printf ("%s%s%s%s%s",
      is_whole ? "" : GST_MESSAGE_SRC_NAME (message), is_whole ? "" : ": ",
      error->message, detail ? "\n  " : "", detail ? detail : "");
}

static void
write_text (TlOutput *output, GstMessageType type, const gchar *text)
{
  switch (type) {
    case GST_MESSAGE_ERROR:
      tl_output_error (output, "%s", text);
      break;
    case GST_MESSAGE_WARNING:
      tl_output_warning (output, "%s", text);
      break;
    default:
      tl_output_line (output, "%s", text);
  }
}

gboolean
tl_trouble_write (TlOutput *output, GstMessage *message)
{
  const GstMessageType types =
      GST_MESSAGE_ERROR | GST_MESSAGE_WARNING | GST_MESSAGE_INFO;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL, *text = NULL;
  GString *line;

  if (!(GST_MESSAGE_TYPE (message) & types))
    return FALSE;
  parse_trouble (message, &error, &debug);
  line = tl_json_line_new (GST_MESSAGE_TYPE_NAME (message));
  tl_json_line_add_text (line, "element", GST_MESSAGE_SRC_NAME (message));
  tl_json_line_add_text (line, "text", error->message);
  tl_json_line_add_text (line, "debug", debug);
  tl_output_json (output, line);
  text = describe_trouble (message, error, debug);
  write_text (output, GST_MESSAGE_TYPE (message), text);
  return TRUE;
}
