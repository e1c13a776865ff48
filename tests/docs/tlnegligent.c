/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlnegligent.h"

#include <gst/gst.h>

typedef struct
{
  GstElement parent;
} TlNegligent;

typedef struct
{
  GstElementClass parent_class;
} TlNegligentClass;

static GType tl_negligent_get_type (void);

G_DEFINE_TYPE (TlNegligent, tl_negligent, GST_TYPE_ELEMENT)

static void
tl_negligent_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
}

static GType
mood_type (void)
{
  static const GEnumValue values[] = {{0, "bad", "bad"}, {0, NULL, NULL}};
  static GType type;

  if (!type)
    type = g_enum_register_static ("TlNegligentMood", values);
  return type;
}

static void
tl_negligent_class_init (TlNegligentClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  /* Without any, GStreamer itself would refuse the element. */
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass), "-", "-",
      "-", "-");
  object_class->get_property = tl_negligent_property;
  object_class->set_property = (void (*) (GObject *, guint, const GValue *,
      GParamSpec *)) tl_negligent_property;
  g_object_class_install_property (object_class, 1,
      g_param_spec_uint ("care-taken", "care-taken", "none", 0, G_MAXUINT, 0,
          G_PARAM_READWRITE));
  g_object_class_install_property (object_class, 2,
      g_param_spec_enum ("mood-kept", "Mood", "The mood that is kept",
          mood_type (), 0, G_PARAM_READWRITE | GST_PARAM_MUTABLE_READY));
}

static void
tl_negligent_init (TlNegligent *self)
{
}

void
tl_negligent_register (void)
{
  gst_element_register (NULL, "negligent", GST_RANK_NONE,
      tl_negligent_get_type ());
}
