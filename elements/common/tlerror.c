/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlerror.h"

#include "tlmessages.h"

static const struct
{
  gint code;
  gboolean of_library; /* GST_LIBRARY_ERROR, else GST_RESOURCE_ERROR */
} codes[] = {
    [TL_OK] = {GST_LIBRARY_ERROR_FAILED, TRUE},
    [TL_ERROR_ARGUMENT] = {GST_LIBRARY_ERROR_SETTINGS, TRUE},
    [TL_ERROR_NOT_FOUND] = {GST_RESOURCE_ERROR_NOT_FOUND, FALSE},
    [TL_ERROR_READ] = {GST_RESOURCE_ERROR_READ, FALSE},
    [TL_ERROR_WRITE] = {GST_RESOURCE_ERROR_WRITE, FALSE},
    [TL_ERROR_FORMAT] = {GST_RESOURCE_ERROR_READ, FALSE},
    [TL_ERROR_LIMIT] = {GST_RESOURCE_ERROR_READ, FALSE},
    [TL_ERROR_MEMORY] = {GST_RESOURCE_ERROR_NO_SPACE_LEFT, FALSE},
    [TL_ERROR_DEVICE] = {GST_RESOURCE_ERROR_NOT_FOUND, FALSE},
    [TL_ERROR_UNSUPPORTED] = {GST_LIBRARY_ERROR_SETTINGS, TRUE},
    [TL_ERROR_BACKEND] = {GST_LIBRARY_ERROR_FAILED, TRUE},
};

void
tl_element_post_error (GstElement *element, TlStatus status,
    const TlError *error)
{
  guint i = (guint) status < G_N_ELEMENTS (codes) ? status : TL_ERROR_BACKEND;
  gchar *debug = g_strdup_printf ("status %d%s%s", status,
      error->detail[0] ? ": " : "", error->detail);

  gst_element_message_full (element, GST_MESSAGE_ERROR,
      codes[i].of_library ? GST_LIBRARY_ERROR : GST_RESOURCE_ERROR,
      codes[i].code, tl_message_make_line (error->message), debug, __FILE__,
      GST_FUNCTION, __LINE__);
}
