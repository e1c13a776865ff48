/* SPDX-License-Identifier: BSD-3-Clause */

/* The plugin tlpipe: registers its elements. Built without training it has
 * those that a device needs to classify: augment, too, works only on samples to
 * train on. */

#include "tldatasetsrc.h"
#include "tlimagedecode.h"
#include "tlresnetinfer.h"
#include "tlresultlog.h"
#ifdef TL_WITH_OVERLAY
#include "tlresultoverlay.h"
#endif
#ifdef TL_WITH_TRAINING
#include "tlaugment.h"
#include "tlbatcher.h"
#include "tlcheckpointsink.h"
#include "tlresnetfinetune.h"
#define DESCRIPTION                                                            \
  "Fine-tunes a pretrained ResNet as a pipeline, and classifies live video"
#else
#define DESCRIPTION "Classifies live video with a ResNet"
#endif

#include <gst/gst.h>

typedef struct
{
  const gchar *name;
  GType (*get_type) (void);
  gboolean (*add) (GstPlugin *plugin);
} Element;

static const Element elements[] = {
    {"datasetsrc", tl_dataset_src_get_type, gst_element_register_datasetsrc},
    {"imagedecode", tl_image_decode_get_type, gst_element_register_imagedecode},
    {"resnetinfer", tl_resnet_infer_get_type, gst_element_register_resnetinfer},
    {"resultlog", tl_result_log_get_type, gst_element_register_resultlog},
#ifdef TL_WITH_OVERLAY
    {"resultoverlay", tl_result_overlay_get_type,
        gst_element_register_resultoverlay},
#endif
#ifdef TL_WITH_TRAINING
    {"augment", tl_augment_get_type, gst_element_register_augment},
    {"batcher", tl_batcher_get_type, gst_element_register_batcher},
    {"checkpointsink", tl_checkpoint_sink_get_type,
        gst_element_register_checkpointsink},
    {"resnetfinetune", tl_resnet_finetune_get_type,
        gst_element_register_resnetfinetune},
#endif
};

/* gst-inspect-1.0 shows where the element's page is installed. A factory keeps
 * what its class says at registration; the class stays. */
static void
link_page (const Element *element)
{
  GstElementClass *klass = g_type_class_ref (element->get_type ());
  g_autofree gchar *uri =
      g_strdup_printf ("file://" TL_DOC_DIR "/elements/%s.md", element->name);

  gst_element_class_add_metadata (klass, GST_ELEMENT_METADATA_DOC_URI, uri);
}

static gboolean
plugin_init (GstPlugin *plugin)
{
  for (gsize i = 0; i < G_N_ELEMENTS (elements); i++) {
    link_page (&elements[i]);
    if (!elements[i].add (plugin))
      return FALSE;
  }
  return TRUE;
}

/* The version is tlpipe's own: gst-inspect-1.0 --exists compares with
 * GStreamer's unless --atleast-version is given. */
GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, tlpipe, DESCRIPTION,
    plugin_init, PACKAGE_VERSION, "BSD", "tlpipe", "tlpipe")
