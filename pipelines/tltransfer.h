/* SPDX-License-Identifier: BSD-3-Clause */

/* One file over HTTP, with libcurl. What is there already is not fetched
 * again. */

#ifndef TL_TRANSFER_H
#define TL_TRANSFER_H

#include <tlknownweights.h>

#include "tlpartial.h"

G_BEGIN_DECLS

/* @total: bytes of the whole file, 0 where the server does not say. */
typedef void (
    *TlTransferProgress) (guint64 done, guint64 total, gpointer user_data);

typedef struct
{
  const gchar *url; /* http or https */
  const TlKnownWeights *known;
  guint stall_timeout;         /* seconds without data before it is given up */
  TlTransferProgress progress; /* called several times a second */
  gpointer user_data;
} TlTransferOptions;

typedef enum
{
  TL_TRANSFER_DONE,       /* the server has no more */
  TL_TRANSFER_FAILED,     /* the error says why */
  TL_TRANSFER_INTERRUPTED /* by tl_signals */
} TlTransferEnd;

/* Appends what @partial lacks. Its content is not verified, beyond that a
 * server which has a file of another size, or a web page, does not spoil what
 * was there. */
TlTransferEnd tl_transfer_run (TlPartial *partial,
    const TlTransferOptions *options, TlError *error);

G_END_DECLS

#endif
