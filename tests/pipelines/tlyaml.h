/* SPDX-License-Identifier: BSD-3-Clause */

/* What the tests of pipeline files share. */

#ifndef TL_YAML_H
#define TL_YAML_H

#include <gst/gst.h>

#include "tlbuild.h"

G_BEGIN_DECLS

/* Makes the elements of the plugin known to this process; they are linked into
 * the program, so that sanitizers and valgrind see them. */
void tl_yaml_register (void);

/* What is wrong with @text (-1: up to its NUL) as the file "f.yaml", all of it;
 * "" if nothing is. *Transferred*. */
gchar *tl_yaml_mistakes (const gchar *text, gssize size,
    const gchar *const *sets);

/* A text that is right; fails the test otherwise. *Transferred*. */
TlSpec *tl_yaml_load (const gchar *text, const gchar *const *sets);

G_END_DECLS

#endif
