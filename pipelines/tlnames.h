/* SPDX-License-Identifier: BSD-3-Clause */

/* The names of elements and stages: given, looked up, put in order. Part of
 * tlspec. */

#ifndef TL_NAMES_H
#define TL_NAMES_H

#include "tlnear.h"
#include "tlspec.h"

G_BEGIN_DECLS

/* Gives every step of @stage that has none a name: its factory's, or that with
 * a number from 2 on. Errors for a name that is given twice, and for a link
 * whose element is not there. */
void tl_names_assign (TlSpecStage *stage, TlDiagnostics *diagnostics);

/* Borrowed; NULL if there is none. */
TlSpecStep *tl_names_find (const TlSpecStage *stage, const gchar *name);

/* Offers the name of every step. */
void tl_names_offer (const TlSpecStage *stage, TlNear *near);

/* Puts stages (TlSpecStage) behind those they need and leaves their order as it
 * is otherwise. Errors for unknown names and for circles. */
void tl_names_order_stages (GPtrArray *stages, TlDiagnostics *diagnostics);

G_END_DECLS

#endif
