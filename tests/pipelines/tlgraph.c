/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlgraph.h"

#include <string.h>

/* Whether @name is @base with or without a number. */
static gboolean
is_numbered (const gchar *name, const gchar *base)
{
  gsize length = strlen (base);

  return g_ascii_strncasecmp (name, base, length) == 0
      && strspn (name + length, "0123456789") == strlen (name + length);
}

/* "queue" of queue, queue2 and queue0; the name otherwise. GStreamer names an
 * element after its type. */
static gchar *
describe_name (GstElement *element)
{
  const gchar *name = GST_OBJECT_NAME (element);
  const gchar *type = G_OBJECT_TYPE_NAME (element);
  const gchar *factory = GST_OBJECT_NAME (gst_element_get_factory (element));

  if (g_str_has_prefix (type, "Gst"))
    type += 3;
  if (is_numbered (name, factory) || is_numbered (name, type))
    return g_strdup (factory);
  return g_strdup (name);
}

static void
append_properties (GString *text, GstElement *element)
{
  g_autofree GParamSpec **pspecs = NULL;
  guint n;

  pspecs = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
  for (guint i = 0; i < n; i++) {
    g_auto (GValue) value = G_VALUE_INIT;
    g_autofree gchar *shown = NULL;

    if (!(pspecs[i]->flags & G_PARAM_READABLE)
        || !(pspecs[i]->flags & G_PARAM_WRITABLE)
        || g_str_equal (pspecs[i]->name, "name")
        || g_type_is_a (pspecs[i]->value_type, G_TYPE_OBJECT))
      continue;
    g_value_init (&value, pspecs[i]->value_type);
    g_object_get_property (G_OBJECT (element), pspecs[i]->name, &value);
    if (!G_VALUE_HOLDS_BOXED (&value) || g_value_get_boxed (&value))
      shown = gst_value_serialize (&value);
    g_string_append_printf (text, " %s=%s", pspecs[i]->name, shown);
  }
}

/* The pad of an element, not of a bin, that @pad leads to; *transferred*, NULL
 * if there is none. */
static GstPad *
find_peer (GstPad *pad)
{
  GstPad *peer = gst_pad_get_peer (pad);

  while (peer && GST_IS_PROXY_PAD (peer)) {
    g_autoptr (GstPad) proxy = peer;

    if (GST_IS_GHOST_PAD (proxy)) {
      peer = gst_ghost_pad_get_target (GST_GHOST_PAD (proxy));
    } else {
      g_autoptr (GstProxyPad) ghost =
          gst_proxy_pad_get_internal (GST_PROXY_PAD (proxy));

      peer = gst_pad_get_peer (GST_PAD (ghost));
    }
  }
  return peer;
}

static void
add_links (GPtrArray *lines, GstElement *element)
{
  for (GList *l = element->srcpads; l; l = l->next) {
    g_autoptr (GstPad) peer = find_peer (l->data);
    g_autoptr (GstElement) other =
        peer ? gst_pad_get_parent_element (peer) : NULL;
    g_autofree gchar *from = NULL, *to = NULL;

    if (!other)
      continue;
    from = describe_name (element);
    to = describe_name (other);
    g_ptr_array_add (lines,
        g_strdup_printf ("link %s.%s -> %s.%s", from, GST_OBJECT_NAME (l->data),
            to, GST_OBJECT_NAME (peer)));
  }
}

static void
add_element (const GValue *item, gpointer lines)
{
  GstElement *element = g_value_get_object (item);
  g_autoptr (GString) text = NULL;
  g_autofree gchar *name = NULL;

  /* Elements that are bins themselves, such as decodebin, are elements. */
  if (G_OBJECT_TYPE (element) == GST_TYPE_BIN)
    return;
  text = g_string_new ("element ");
  name = describe_name (element);
  g_string_append (text, name);
  append_properties (text, element);
  g_ptr_array_add (lines, g_strdup (text->str));
  add_links (lines, element);
}

static gint
compare_lines (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const gchar *const *) a, *(const gchar *const *) b);
}

gchar *
tl_graph_describe (GstBin *bin)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  GstIterator *iterator = gst_bin_iterate_recurse (bin);

  gst_iterator_foreach (iterator, add_element, lines);
  gst_iterator_free (iterator);
  g_ptr_array_sort (lines, compare_lines);
  g_ptr_array_add (lines, NULL);
  return g_strjoinv ("\n", (gchar **) lines->pdata);
}
