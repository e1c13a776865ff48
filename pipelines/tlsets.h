/* SPDX-License-Identifier: BSD-3-Clause */

/* The arguments of --set. Part of tlspec. */

#ifndef TL_SETS_H
#define TL_SETS_H

#include "tlspec.h"
#include "tlvars.h"

G_BEGIN_DECLS

typedef struct _TlSets TlSets;

/* @arguments: "NAME=VALUE" or "ELEMENT.PROPERTY=VALUE", NULL-terminated, or
 * NULL for none. Each becomes a source "--set" of @diagnostics (borrowed, has
 * to live longer), with an error if it is neither. *Transferred*. */
TlSets *tl_sets_parse (const gchar *const *arguments,
    TlDiagnostics *diagnostics);
void tl_sets_free (TlSets *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TlSets, tl_sets_free)

/* Gives variables their values; an error for a name that is none. */
void tl_sets_apply_to_vars (const TlSets *self, TlVars *vars);

/* Gives properties their values, in every stage (TlSpecStage) that has an
 * element of that name; an error if none has. */
void tl_sets_apply_to_elements (const TlSets *self, GPtrArray *stages);

G_END_DECLS

#endif
