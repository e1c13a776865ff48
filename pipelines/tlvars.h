/* SPDX-License-Identifier: BSD-3-Clause */

/* The variables of a pipeline file, and texts with ${NAME} in them.
 *
 * A name is looked up in --set, in vars, then in the environment; ${DIR} is the
 * folder of the file in which it is written. ${NAME:-default} takes the default
 * if NAME is unknown or empty, as a shell does; $${ is the text "${". Variables
 * may refer to each other in any order. Texts that come from --set and from the
 * environment are taken as they are. Knows no GStreamer. */

#ifndef TL_VARS_H
#define TL_VARS_H

#include "tlnode.h"

G_BEGIN_DECLS

#define TL_VARS_MAX_LENGTH 65536            /* bytes of one text */
#define TL_VARS_MAX_TOTAL (4 * 1024 * 1024) /* bytes of all texts of a file */
#define TL_VARS_MAX_DEPTH 50 /* variables that lead to variables */

typedef struct _TlVars TlVars;

/* @diagnostics is borrowed and has to live longer. */
TlVars *tl_vars_new (TlDiagnostics *diagnostics);
void tl_vars_free (TlVars *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TlVars, tl_vars_free)

/* Letters, digits, - and _, not beginning with a digit or -. */
gboolean tl_vars_is_name (const gchar *text);

/* Takes a mapping of names to texts, borrowed: its document has to live longer.
 * What it names wins over what was added before. */
void tl_vars_add (TlVars *self, const TlNode *mapping);

/* Gives @name the value @text, which wins over all others. FALSE, with an error
 * at @place, if no file has such a variable. */
gboolean tl_vars_set (TlVars *self, const gchar *name, const gchar *text,
    TlPlace place);

/* Finds the mistakes in variables that nothing uses. */
void tl_vars_check (TlVars *self);

/* The text of a scalar with its variables put in, *transferred*; NULL after an
 * error, which is in the diagnostics. */
gchar *tl_vars_expand (TlVars *self, const TlNode *scalar);

G_END_DECLS

#endif
