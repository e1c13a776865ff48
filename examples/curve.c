/* SPDX-License-Identifier: BSD-3-Clause */

#include "curve.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

/* json-glib's parser recurses, so a line is looked over first. */
#define MAX_LINE (1 << 20)
#define MAX_DEPTH 8

static gboolean
is_shallow (const gchar *line)
{
  gint depth = 0;

  for (; *line; line++) {
    depth += (*line == '{') + (*line == '[');
    depth -= (*line == '}') + (*line == ']');
    if (depth > MAX_DEPTH)
      return FALSE;
  }
  return TRUE;
}

/* The number @field of the object @split of @line. */
static gdouble
number_of (JsonObject *line, const gchar *split, const gchar *field)
{
  JsonNode *node = json_object_get_member (line, split);
  JsonObject *object;

  if (!node || !JSON_NODE_HOLDS_OBJECT (node))
    return NAN;
  object = json_node_get_object (node);
  node = json_object_get_member (object, field);
  return node && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_double (node)
                                              : NAN;
}

static gboolean
read_line (const gchar *line, CurvePoint *ret, GError **error)
{
  g_autoptr (JsonNode) root = NULL;
  JsonObject *object;

  if (strlen (line) > MAX_LINE || !is_shallow (line)) {
    g_set_error_literal (error, JSON_PARSER_ERROR, JSON_PARSER_ERROR_PARSE,
        "a line is too long or too deeply nested");
    return FALSE;
  }
  root = json_from_string (line, error);
  if (!root)
    return FALSE;
  if (!JSON_NODE_HOLDS_OBJECT (root)) {
    g_set_error_literal (error, JSON_PARSER_ERROR, JSON_PARSER_ERROR_PARSE,
        "a line is not an object");
    return FALSE;
  }
  object = json_node_get_object (root);
  ret->train_loss = number_of (object, "train", "loss");
  ret->train_accuracy = number_of (object, "train", "accuracy");
  ret->valid_loss = number_of (object, "valid", "loss");
  ret->valid_accuracy = number_of (object, "valid", "accuracy");
  return TRUE;
}

GArray *
curve_read (const gchar *path, GError **error)
{
  g_autoptr (GArray) points = g_array_new (FALSE, FALSE, sizeof (CurvePoint));
  g_autofree gchar *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, error))
    return NULL;
  lines = g_strsplit (text, "\n", -1);
  for (gchar **line = lines; *line; line++) {
    CurvePoint point;

    if (!**line)
      continue;
    if (!read_line (*line, &point, error)) {
      g_prefix_error (error, "%s: ", path);
      return NULL;
    }
    g_array_append_val (points, point);
  }
  return g_steal_pointer (&points);
}
