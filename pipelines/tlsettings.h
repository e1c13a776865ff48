/* SPDX-License-Identifier: BSD-3-Clause */

/* The element of a step and the values of its properties. Part of tlbuild and
 * tllaunch. */

#ifndef TL_SETTINGS_H
#define TL_SETTINGS_H

#include <gst/gst.h>

#include "tlspec.h"

G_BEGIN_DECLS

/* The factory of @step, loaded, and what can be understood of its properties.
 * A capsfilter for TL_STEP_CAPS. */
typedef struct
{
  GstElementFactory *factory;
  GPtrArray *pspecs; /* GParamSpec, borrowed from the class */
  GArray *values;    /* GValue, one per pspec */
  GObjectClass *klass;
} TlSettings;

/* NULL, with an error in @diagnostics, if there is no such element. Properties
 * that are not there or cannot be set to their value are errors too and left
 * out. *Transferred*. */
TlSettings *tl_settings_read (const TlSpecStep *step,
    TlDiagnostics *diagnostics);
void tl_settings_free (TlSettings *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TlSettings, tl_settings_free)

/* The element in NULL, with its properties and the name of @step. *Transferred*,
 * floating; NULL if it cannot be made, which is an error in @diagnostics. */
GstElement *tl_settings_make (const TlSettings *self, const TlSpecStep *step,
    TlDiagnostics *diagnostics);

G_END_DECLS

#endif
