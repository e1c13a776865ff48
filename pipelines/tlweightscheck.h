/* SPDX-License-Identifier: BSD-3-Clause */

/* tlpipe weights verify: what a file of weights is, and whether it is whole. */

#ifndef TL_WEIGHTS_CHECK_H
#define TL_WEIGHTS_CHECK_H

#include <glib.h>

#include "tloutput.h"

G_BEGIN_DECLS

/* Reads the file that @name means, a path or a name of weights, as the
 * elements would, and writes what it is, or an error. FALSE: it cannot be
 * used. */
gboolean tl_weights_check_file (TlOutput *output, const gchar *name);

G_END_DECLS

#endif
