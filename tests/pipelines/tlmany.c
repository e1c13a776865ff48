/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlmany.h"

#include <tlrange.h>

#define MAX_PROPERTIES 32

struct _TlMany
{
  GstElement parent;
  GValue values[MAX_PROPERTIES];
};

G_DEFINE_TYPE (TlMany, tl_many, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE (manysrc, "manysrc", GST_RANK_NONE, TL_TYPE_MANY)

static void
tl_many_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  TlMany *self = TL_MANY (object);

  if (!G_IS_VALUE (&self->values[id]))
    g_value_init (&self->values[id], pspec->value_type);
  g_value_copy (value, &self->values[id]);
}

static void
tl_many_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  TlMany *self = TL_MANY (object);

  if (G_IS_VALUE (&self->values[id]))
    g_value_copy (&self->values[id], value);
}

static void
tl_many_finalize (GObject *object)
{
  TlMany *self = TL_MANY (object);

  for (guint i = 0; i < MAX_PROPERTIES; i++) {
    if (G_IS_VALUE (&self->values[i]))
      g_value_unset (&self->values[i]);
  }
  G_OBJECT_CLASS (tl_many_parent_class)->finalize (object);
}

#define FLAGS (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS)

static void
install (GObjectClass *klass, GParamSpec *pspec)
{
  guint n;
  g_autofree GParamSpec **before = g_object_class_list_properties (klass, &n);

  g_object_class_install_property (klass, n + 1, pspec);
}

static void
install_numbers (GObjectClass *klass)
{
  install (klass, g_param_spec_int ("int", NULL, NULL, -5, 5, 0, FLAGS));
  install (klass,
      g_param_spec_int ("int-all", NULL, NULL, G_MININT, G_MAXINT, 0, FLAGS));
  install (klass, g_param_spec_int ("int-high", NULL, NULL, 3, 9, 3, FLAGS));
  install (klass, g_param_spec_int ("int-low", NULL, NULL, -9, -3, -3, FLAGS));
  install (klass,
      g_param_spec_uint ("uint", NULL, NULL, 0, G_MAXUINT, 0, FLAGS));
  install (klass,
      g_param_spec_int64 ("int64", NULL, NULL, G_MININT64, G_MAXINT64, 0,
          FLAGS));
  install (klass,
      g_param_spec_uint64 ("uint64", NULL, NULL, 0, G_MAXUINT64, 0, FLAGS));
  install (klass,
      g_param_spec_long ("long", NULL, NULL, -7, G_MAXLONG, 0, FLAGS));
  install (klass,
      g_param_spec_ulong ("ulong", NULL, NULL, 0, G_MAXULONG, 0, FLAGS));
  install (klass, g_param_spec_char ("char", NULL, NULL, -128, 127, 0, FLAGS));
  install (klass, g_param_spec_uchar ("uchar", NULL, NULL, 0, 255, 0, FLAGS));
  install (klass,
      g_param_spec_float ("float", NULL, NULL, -G_MAXFLOAT, G_MAXFLOAT, 0,
          FLAGS));
  install (klass, g_param_spec_double ("double", NULL, NULL, -1, 1, 0, FLAGS));
  install (klass,
      tl_param_spec_set_range (g_param_spec_uint ("ranged", NULL, NULL, 0,
                                   G_MAXUINT, 0, FLAGS),
          1, 64));
}

static void
install_texts (GObjectClass *klass)
{
  install (klass, g_param_spec_string ("string", NULL, NULL, NULL, FLAGS));
  install (klass, g_param_spec_boolean ("boolean", NULL, NULL, FALSE, FLAGS));
  install (klass,
      g_param_spec_enum ("enum", NULL, NULL, GST_TYPE_STATE, GST_STATE_NULL,
          FLAGS));
  install (klass,
      g_param_spec_flags ("flags", NULL, NULL, GST_TYPE_SEEK_FLAGS, 0, FLAGS));
  install (klass, g_param_spec_boxed ("strv", NULL, NULL, G_TYPE_STRV, FLAGS));
  install (klass,
      g_param_spec_string ("once", NULL, NULL, NULL,
          FLAGS | G_PARAM_CONSTRUCT_ONLY));
  install (klass,
      g_param_spec_boolean ("old", NULL, NULL, FALSE,
          FLAGS | G_PARAM_DEPRECATED));
}

static void
install_structures (GObjectClass *klass)
{
  install (klass,
      gst_param_spec_fraction ("fraction", NULL, NULL, 0, 1, 100, 1, 0, 1,
          FLAGS));
  install (klass,
      g_param_spec_boxed ("caps", NULL, NULL, GST_TYPE_CAPS, FLAGS));
  install (klass,
      g_param_spec_boxed ("structure", NULL, NULL, GST_TYPE_STRUCTURE, FLAGS));
  install (klass,
      gst_param_spec_array ("array", NULL, NULL,
          g_param_spec_int ("item", NULL, NULL, 0, 9, 0, FLAGS), FLAGS));
  install (klass,
      g_param_spec_object ("object", NULL, NULL, GST_TYPE_ELEMENT, FLAGS));
  install (klass, g_param_spec_pointer ("pointer", NULL, NULL, FLAGS));
}

static void
tl_many_class_init (TlManyClass *klass)
{
  static GstStaticPadTemplate template = GST_STATIC_PAD_TEMPLATE ("src",
      GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = tl_many_set_property;
  object_class->get_property = tl_many_get_property;
  object_class->finalize = tl_many_finalize;
  install_numbers (object_class);
  install_texts (object_class);
  install_structures (object_class);
  gst_element_class_add_static_pad_template (GST_ELEMENT_CLASS (klass),
      &template);
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass),
      "Many properties", "Source", "Has a property of every type", "tlpipe");
}

static void
tl_many_init (TlMany *self)
{
  GstPadTemplate *template =
      gst_element_class_get_pad_template (GST_ELEMENT_GET_CLASS (self), "src");

  gst_element_add_pad (GST_ELEMENT (self),
      gst_pad_new_from_template (template, "src"));
}
