/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlverb.h"

#include <gst/gst.h>

#include "tljsonline.h"
#include "tlnear.h"
#include "tlplugin.h"
#include "tlpropertytable.h"

#define PLUGIN "tlpipe"

static gboolean json;

static const gchar *
get_sentence (GstElementFactory *factory)
{
  return gst_element_factory_get_metadata (factory,
      GST_ELEMENT_METADATA_DESCRIPTION);
}

/* ---- Without an argument ---- */

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (GST_OBJECT_NAME (a), GST_OBJECT_NAME (b));
}

static TlExit
list_elements (TlOutput *output)
{
  g_autolist (GstPluginFeature) features =
      gst_registry_get_feature_list_by_plugin (gst_registry_get (), PLUGIN);

  if (!features) {
    tl_output_error (output,
        "the plugin is not found; \"tlpipe doctor\" says "
        "what to do");
    return TL_EXIT_FAILED;
  }
  features = g_list_sort (features, compare_names);
  for (GList *l = features; l; l = l->next) {
    GString *line = tl_json_line_new ("element");

    tl_json_line_add_text (line, "name", GST_OBJECT_NAME (l->data));
    tl_json_line_add_text (line, "description", get_sentence (l->data));
    tl_output_json (output, line);
    tl_output_line (output, "%-16s %s", GST_OBJECT_NAME (l->data),
        get_sentence (l->data));
  }
  return TL_EXIT_OK;
}

/* ---- One element ---- */

static void
write_property (TlOutput *output, const gchar *element, GParamSpec *pspec)
{
  GString *line = tl_json_line_new ("property");
  TlPropertyRow row;

  tl_property_row_init (&row, pspec);
  tl_json_line_add_text (line, "element", element);
  tl_json_line_add_text (line, "name", row.name);
  tl_json_line_add_text (line, "value-type", row.type);
  tl_json_line_add_text (line, "range", row.range);
  tl_json_line_add_text (line, "default", row.standard);
  tl_json_line_add_text (line, "changes", row.changes);
  tl_json_line_add_text (line, "description", row.blurb);
  tl_output_json (output, line);
  tl_property_row_clear (&row);
}

static void
write_properties (TlOutput *output, const gchar *element, GObjectClass *klass)
{
  g_autofree GParamSpec **pspecs = NULL;
  guint n;

  pspecs = g_object_class_list_properties (klass, &n);
  for (guint i = 0; i < n; i++) {
    if (pspecs[i]->owner_type != GST_TYPE_OBJECT)
      write_property (output, element, pspecs[i]);
  }
}

static void
write_pads (TlOutput *output, GstElementFactory *factory)
{
  const GList *templates =
      gst_element_factory_get_static_pad_templates (factory);

  for (const GList *l = templates; l; l = l->next) {
    GstStaticPadTemplate *pad = l->data;
    g_autoptr (GstCaps) caps = gst_static_pad_template_get_caps (pad);
    g_autofree gchar *text = gst_caps_to_string (caps);

    tl_output_line (output, "%s %s: %s",
        pad->direction == GST_PAD_SINK ? "takes at" : "gives at",
        pad->name_template, text);
  }
}

static TlExit
describe_element (TlOutput *output, GstElementFactory *factory)
{
  const gchar *name = GST_OBJECT_NAME (factory);
  g_autoptr (GstElement) element = gst_element_factory_create (factory, NULL);
  g_autofree gchar *table = NULL;

  if (!element) {
    tl_output_error (output, "%s cannot be made: its plugin does not load",
        name);
    return TL_EXIT_FAILED;
  }
  gst_object_ref_sink (element);
  write_properties (output, name, G_OBJECT_GET_CLASS (element));
  tl_output_line (output, "%s: %s\n", name, get_sentence (factory));
  write_pads (output, factory);
  table = tl_property_table_format (G_OBJECT_GET_CLASS (element));
  tl_output_line (output, "\n%s", g_strchomp (table));
  return TL_EXIT_OK;
}

static TlExit
say_unknown (TlOutput *output, const gchar *name)
{
  g_autolist (GstPluginFeature) features =
      gst_registry_get_feature_list (gst_registry_get (),
          GST_TYPE_ELEMENT_FACTORY);
  g_autofree gchar *suggestion = NULL;
  TlNear near;

  tl_near_init (&near, name);
  for (GList *l = features; l; l = l->next)
    tl_near_offer (&near, GST_OBJECT_NAME (l->data));
  suggestion = tl_near_suggest (&near);
  tl_output_error (output, "no element named \"%s\"%s", name, suggestion);
  return TL_EXIT_FAILED;
}

static TlExit
run (gchar **args)
{
  g_autoptr (GstElementFactory) factory = NULL;
  TlOutput output;

  tl_output_init (&output, json, FALSE);
  if (!args[0])
    return list_elements (&output);
  factory = gst_element_factory_find (args[0]);
  return factory ? describe_element (&output, factory)
                 : say_unknown (&output, args[0]);
}

static const GOptionEntry options[] = {TL_VERB_JSON (&json), {NULL}};

const TlVerb tl_verb_inspect = {
    .name = "inspect",
    .arguments = "[ELEMENT]",
    .summary = "Lists the elements, or the properties of one",
    .description =
        "For each property: its type, the range or the values that it takes, its default,\n"
        "and the highest state in which it may be set. Any element of GStreamer can be\n"
        "looked at; without an argument tlpipe's own are listed.\n"
        "\n"
        "Exit status: 0 found, 1 not found, 2 wrong command line.",
    .examples = "  tlpipe inspect resnetfinetune",
    .options = options,
    .min_args = 0,
    .max_args = 1,
    .run = run,
};
