/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlsettings.h"

#include "tlnear.h"
#include "tlpackages.h"
#include "tlvalue.h"

/* ---- Finding the element ---- */

static void
report_no_element (const TlSpecStep *step, TlDiagnostics *diagnostics)
{
  const gchar *package = tl_packages_find (step->text.text);
  g_autolist (GstPluginFeature) features = NULL;
  g_autofree gchar *suggestion = NULL, *note = NULL;
  TlNear near;

  if (tl_packages_is_own (step->text.text)) {
    tl_diagnostics_error (diagnostics, step->text.place,
        "\"tlpipe doctor\" says where it is looked for",
        "GStreamer does not find tlpipe's own element \"%s\"", step->text.text);
    return;
  }
  if (package) {
    note = g_strdup_printf ("install it with: apt-get install %s", package);
    tl_diagnostics_error (diagnostics, step->text.place, note,
        "the element \"%s\" is not installed", step->text.text);
    return;
  }
  features = gst_registry_get_feature_list (gst_registry_get (),
      GST_TYPE_ELEMENT_FACTORY);
  tl_near_init (&near, step->text.text);
  for (GList *l = features; l; l = l->next)
    tl_near_offer (&near, GST_OBJECT_NAME (l->data));
  suggestion = tl_near_suggest (&near);
  tl_diagnostics_error (diagnostics, step->text.place, NULL,
      "no element named \"%s\"%s", step->text.text, suggestion);
}

static GstElementFactory *
find_factory (const TlSpecStep *step, TlDiagnostics *diagnostics)
{
  const gchar *name =
      step->kind == TL_STEP_CAPS ? "capsfilter" : step->text.text;
  g_autoptr (GstElementFactory) found = gst_element_factory_find (name);
  GstPluginFeature *loaded;

  if (!found) {
    report_no_element (step, diagnostics);
    return NULL;
  }
  loaded = gst_plugin_feature_load (GST_PLUGIN_FEATURE (found));
  if (!loaded)
    tl_diagnostics_error (diagnostics, step->text.place, NULL,
        "the plugin of %s cannot be loaded; gst-inspect-1.0 %s says why", name,
        name);
  return loaded ? GST_ELEMENT_FACTORY (loaded) : NULL;
}

/* ---- Reading properties ---- */

static void
report_no_property (GObjectClass *klass, const gchar *factory_name,
    const TlSpecProperty *property, TlDiagnostics *diagnostics)
{
  g_autofree GParamSpec **pspecs = NULL;
  g_autofree gchar *suggestion = NULL;
  TlNear near;
  guint n;

  pspecs = g_object_class_list_properties (klass, &n);
  tl_near_init (&near, property->name);
  for (guint i = 0; i < n; i++)
    tl_near_offer (&near, pspecs[i]->name);
  suggestion = tl_near_suggest (&near);
  tl_diagnostics_error (diagnostics, property->place, NULL,
      "%s has no property \"%s\"%s", factory_name, property->name, suggestion);
}

/* NULL if it may not be set from a file. */
static GParamSpec *
find_property (GObjectClass *klass, const gchar *factory_name,
    const TlSpecProperty *property, TlDiagnostics *diagnostics)
{
  GParamSpec *pspec = g_object_class_find_property (klass, property->name);

  if (!pspec) {
    report_no_property (klass, factory_name, property, diagnostics);
    return NULL;
  }
  if (!(pspec->flags & G_PARAM_WRITABLE)) {
    tl_diagnostics_error (diagnostics, property->place, NULL,
        "%s.%s is read-only", factory_name, pspec->name);
    return NULL;
  }
  if (g_type_is_a (pspec->value_type, G_TYPE_OBJECT)
      || g_type_is_a (pspec->value_type, G_TYPE_POINTER)) {
    tl_diagnostics_error (diagnostics, property->place, NULL,
        "%s.%s is a %s, which no text can give", factory_name, pspec->name,
        g_type_name (pspec->value_type));
    return NULL;
  }
  if (pspec->flags & G_PARAM_DEPRECATED)
    tl_diagnostics_warning (diagnostics, property->place, NULL,
        "%s.%s is deprecated", factory_name, pspec->name);
  return pspec;
}

static void
take_value (TlSettings *self, const TlSpecProperty *property,
    TlDiagnostics *diagnostics)
{
  const gchar *name = GST_OBJECT_NAME (self->factory);
  GParamSpec *pspec = find_property (self->klass, name, property, diagnostics);
  GValue value = G_VALUE_INIT;

  if (!pspec || !tl_value_parse (&value, pspec, name, property, diagnostics))
    return;
  g_ptr_array_add (self->pspecs, pspec);
  g_array_append_val (self->values, value);
}

static void
take_caps (TlSettings *self, const TlSpecStep *step, TlDiagnostics *diagnostics)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (step->text.text);
  GValue value = G_VALUE_INIT;

  if (!caps || gst_caps_is_empty (caps)) {
    tl_diagnostics_error (diagnostics, step->text.place, NULL,
        "\"%s\" are no caps: expected such as video/x-raw,width=640",
        step->text.text);
    return;
  }
  g_value_init (&value, GST_TYPE_CAPS);
  gst_value_set_caps (&value, caps);
  g_ptr_array_add (self->pspecs,
      g_object_class_find_property (self->klass, "caps"));
  g_array_append_val (self->values, value);
}

TlSettings *
tl_settings_read (const TlSpecStep *step, TlDiagnostics *diagnostics)
{
  GstElementFactory *factory = find_factory (step, diagnostics);
  TlSettings *self;

  if (!factory)
    return NULL;
  self = g_new0 (TlSettings, 1);
  self->factory = factory;
  self->klass =
      g_type_class_ref (gst_element_factory_get_element_type (factory));
  self->pspecs = g_ptr_array_new ();
  self->values = g_array_new (FALSE, TRUE, sizeof (GValue));
  g_array_set_clear_func (self->values, (GDestroyNotify) g_value_unset);
  if (step->kind == TL_STEP_CAPS)
    take_caps (self, step, diagnostics);
  for (guint i = 0; i < step->properties->len; i++)
    take_value (self, step->properties->pdata[i], diagnostics);
  return self;
}

void
tl_settings_free (TlSettings *self)
{
  if (!self)
    return;
  g_ptr_array_unref (self->pspecs);
  g_array_unref (self->values);
  g_type_class_unref (self->klass);
  gst_object_unref (self->factory);
  g_free (self);
}

/* ---- Making the element ---- */

GstElement *
tl_settings_make (const TlSettings *self, const TlSpecStep *step,
    TlDiagnostics *diagnostics)
{
  guint n = self->pspecs->len;
  g_autofree const gchar **names = g_new (const gchar *, n + 1);
  g_autofree GValue *values = g_new0 (GValue, n + 1);
  GstElement *element;

  for (guint i = 0; i < n; i++) {
    names[i] = ((GParamSpec *) self->pspecs->pdata[i])->name;
    values[i] = g_array_index (self->values, GValue, i); /* borrowed */
  }
  names[n] = "name";
  g_value_init (&values[n], G_TYPE_STRING);
  g_value_set_static_string (&values[n], step->name);
  element = gst_element_factory_create_with_properties (self->factory, n + 1,
      names, values);
  g_value_unset (&values[n]);
  if (!element)
    tl_diagnostics_error (diagnostics, step->text.place, NULL,
        "%s cannot be made", GST_OBJECT_NAME (self->factory));
  return element;
}
