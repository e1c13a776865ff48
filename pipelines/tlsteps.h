/* SPDX-License-Identifier: BSD-3-Clause */

/* What stands below "pipeline:" and "links:", as structs. Part of tlspec. */

#ifndef TL_STEPS_H
#define TL_STEPS_H

#include "tlspec.h"
#include "tlvars.h"

G_BEGIN_DECLS

typedef struct
{
  TlVars *vars;               /* borrowed */
  TlDiagnostics *diagnostics; /* borrowed */
  guint n_steps;              /* of all stages so far */
  guint n_values;             /* of all properties so far */
} TlStepsReader;

/* Appends the chains of @pipeline to @chains (TlSpecChain). */
void tl_steps_read_pipeline (TlStepsReader *self, const TlNode *pipeline,
    GPtrArray *chains);

/* Appends what @links says to @links_out (TlSpecLink). Whether the elements are
 * there is not looked at. */
void tl_steps_read_links (TlStepsReader *self, const TlNode *links,
    GPtrArray *links_out);

/* The text of a scalar with its variables; {NULL} after an error. */
TlSpecText tl_steps_read_text (TlStepsReader *self, const TlNode *node);

TlSpecText *tl_spec_text_new (const gchar *text, TlPlace place);
TlSpecProperty *tl_spec_property_new (const gchar *name, TlPlace place,
    TlPlace value_place);
void tl_spec_text_free (gpointer data);
void tl_spec_property_free (gpointer data);
void tl_spec_chain_free (gpointer data);
void tl_spec_link_free (gpointer data);

G_END_DECLS

#endif
