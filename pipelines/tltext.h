/* SPDX-License-Identifier: BSD-3-Clause */

/* Whether bytes are a text that YAML allows, before libyaml sees them: its own
 * reader gives no line for what it refuses. */

#ifndef TL_TEXT_H
#define TL_TEXT_H

#include "tldiagnostics.h"

G_BEGIN_DECLS

/* FALSE, with an error in @diagnostics, if the @size bytes of @text, which are
 * source @source, are more than @max_size, UTF-16 or UTF-32, no UTF-8, or hold
 * characters that no text file has. */
gboolean tl_text_check (const gchar *text, gsize size, gsize max_size,
    guint source, TlDiagnostics *diagnostics);

G_END_DECLS

#endif
