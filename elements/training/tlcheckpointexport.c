/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlcheckpointexport.h"

#include <tlexport.h>

static gboolean
is_format (const gchar *name, TlExportFormat *ret)
{
  /* A checkpoint is safetensors already. */
  return tl_export_format_from_name (name, ret)
      && *ret != TL_EXPORT_SAFETENSORS;
}

gboolean
tl_checkpoint_export_check (const gchar *formats)
{
  g_auto (GStrv) names = g_strsplit (formats, ",", -1);
  TlExportFormat format;

  for (guint i = 0; names[i]; i++) {
    if (!is_format (names[i], &format))
      return FALSE;
  }
  return TRUE;
}

static void
warn (GstElement *element, const gchar *format, const TlError *error)
{
  GST_ELEMENT_WARNING (element, RESOURCE, WRITE,
      ("The best checkpoint is not exported as %s: %s. The checkpoint itself is "
       "whole; tlpipe export can try again.",
          format, error->message),
      ("%s", error->detail));
}

void
tl_checkpoint_export_best (GstElement *element, const gchar *folder,
    const gchar *formats)
{
  const TlExportOptions options = {.input = TL_ONNX_NORMALIZED};
  g_auto (GStrv) names = g_strsplit (formats, ",", -1);
  g_autofree gchar *source =
      g_build_filename (folder, "best.safetensors", NULL);
  g_autoptr (TlExport) export = NULL;
  TlError error = TL_ERROR_INIT;

  if (tl_export_open (source, &options, &export, &error) != TL_OK) {
    warn (element, formats, &error);
    return;
  }
  for (guint i = 0; names[i]; i++) {
    g_autofree gchar *name = g_strconcat ("best.", names[i], NULL);
    g_autofree gchar *target = g_build_filename (folder, name, NULL);
    TlExportFormat format;

    if (is_format (names[i], &format)
        && tl_export_write (export, format, target, NULL, NULL, &error)
            != TL_OK)
      warn (element, names[i], &error);
  }
}
