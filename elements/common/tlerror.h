/* SPDX-License-Identifier: BSD-3-Clause */

/* From a TlStatus of the shim or of a reader to the one GST_ELEMENT_ERROR that
 * the user sees. */

#ifndef TL_ERROR_H
#define TL_ERROR_H

#include <gst/gst.h>

#include <tlstatus.h>

#include "tlapi.h"

G_BEGIN_DECLS

/* Posts error->message, made a line, with the domain and code that belong to
 * @status, and its detail as debug text. */
TL_API void tl_element_post_error (GstElement *element, TlStatus status,
    const TlError *error);

G_END_DECLS

#endif
