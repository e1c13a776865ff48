/* SPDX-License-Identifier: BSD-3-Clause */

/* tlpipe weights fetch: from a name to a verified file in the cache. */

#ifndef TL_WEIGHTS_FETCH_H
#define TL_WEIGHTS_FETCH_H

#include <glib.h>

#include "tlexit.h"
#include "tloutput.h"

G_BEGIN_DECLS

typedef struct
{
  const gchar *base;   /* URL of a folder; NULL: TLPIPE_WEIGHTS_URL, else
                          torchvision's */
  guint stall_timeout; /* seconds */
} TlFetchOptions;

/* Fetches the files that @names mean, one after the other; what is there and
 * whole is left alone. tl_signals must be installed. */
TlExit tl_weights_fetch (TlOutput *output, const gchar *const *names,
    const TlFetchOptions *options);

G_END_DECLS

#endif
