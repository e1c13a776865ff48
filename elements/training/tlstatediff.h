/* SPDX-License-Identifier: BSD-3-Clause */

/* What is different between two texts that say how a run is set up, in the
 * words of who set it up. */

#ifndef TL_STATE_DIFF_H
#define TL_STATE_DIFF_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct TlStateDiff TlStateDiff;

/* *transferred*. */
TlStateDiff *tl_state_diff_new (void);
void tl_state_diff_free (TlStateDiff *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TlStateDiff, tl_state_diff_free)

/* A setting with one value. NULL is "". */
void tl_state_diff_add_value (TlStateDiff *self, const gchar *name,
    const gchar *was, const gchar *is);

/* Texts of steps joined with ';', each of them a word and then "name=value"s:
 * the values that differ. Where the words are others, they are the value of
 * @name. A name that was told of already is left out. */
void tl_state_diff_add_steps (TlStateDiff *self, const gchar *name,
    const gchar *was, const gchar *is);

/* 'lr was "0.1" and is now "0.2"; ...', *borrowed*; NULL if nothing differs. */
const gchar *tl_state_diff_text (const TlStateDiff *self);

G_END_DECLS

#endif
