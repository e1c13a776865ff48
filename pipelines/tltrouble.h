/* SPDX-License-Identifier: BSD-3-Clause */

/* Errors, warnings and infos of the bus. */

#ifndef TL_TROUBLE_H
#define TL_TROUBLE_H

#include <gst/gst.h>

#include "tloutput.h"

G_BEGIN_DECLS

/* An error, warning or info message: its sentence on stderr (an info: on
 * stdout), and an object of type "error", "warning" or "info" with element, text
 * and debug. TRUE if @message was one. */
gboolean tl_trouble_write (TlOutput *output, GstMessage *message);

G_END_DECLS

#endif
