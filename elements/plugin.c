/* SPDX-License-Identifier: BSD-3-Clause */

/* The plugin tlpipe: registers its elements. */

#include "tlaugment.h"
#include "tlbatcher.h"
#include "tlcheckpointsink.h"
#include "tldatasetsrc.h"
#include "tlimagedecode.h"
#include "tlresnetfinetune.h"
#include "tlresnetinfer.h"

#include <gst/gst.h>

static gboolean (*const registrations[]) (GstPlugin *plugin) = {
    gst_element_register_augment,
    gst_element_register_batcher,
    gst_element_register_checkpointsink,
    gst_element_register_datasetsrc,
    gst_element_register_imagedecode,
    gst_element_register_resnetfinetune,
    gst_element_register_resnetinfer,
};

static gboolean
plugin_init (GstPlugin *plugin)
{
  for (gsize i = 0; i < G_N_ELEMENTS (registrations); i++) {
    if (!registrations[i](plugin))
      return FALSE;
  }
  return TRUE;
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, tlpipe,
    "Fine-tunes a pretrained ResNet as a pipeline, and classifies live video",
    plugin_init, PACKAGE_VERSION, "BSD", "tlpipe", "tlpipe")
