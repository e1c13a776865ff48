/* SPDX-License-Identifier: BSD-3-Clause */

/* What a checkpoint says of itself (elements/common/tlcheckpoint.h), as fields
 * of C and as the metadata of a safetensors file. */

#ifndef TL_STATE_H
#define TL_STATE_H

#include <glib.h>

#include <tlcaps.h>
#include <tltensorset.h>

G_BEGIN_DECLS

typedef enum
{
  TL_STATE_RUNNING = 0,
  TL_STATE_INTERRUPTED = 1,
  TL_STATE_FINISHED = 2,
} TlStateKind;

/* Texts are as in the file and owned; NULL where the file has none. */
typedef struct
{
  /* What it is, and how it was trained. */
  gchar *version;
  gchar *arch;
  gchar *classes;
  gchar *preprocess;
  gchar *transform;
  gchar *weights_sha256;
  gchar *frozen_sha256;
  gchar *freeze;
  gchar *train_bn;
  gchar *exact;
  gchar *precision;
  gchar *optimizer;
  gchar *schedule;
  gchar *batch_size;
  gchar *digest;
  gchar *counts;
  gchar *shuffle;
  guint64 seed;
  guint32 epochs;

  /* Where it stands. */
  TlStateKind kind;
  guint32 epoch;
  TlSplit split;
  guint64 position;
  guint32 views;
  guint64 step;
  gchar *phase_sums;
  gchar *metrics[TL_N_SPLITS];
} TlState;

void tl_state_clear (TlState *self);

/* The metadata in a fixed order, absent texts left out: an array of
 * TlMetadata whose strings it owns. *transferred*. */
GArray *tl_state_to_metadata (const TlState *self);

/* Fills the empty @ret from a file's metadata. TL_ERROR_FORMAT, with a
 * sentence about @path, where a value is missing or not in its range. */
TlStatus tl_state_from_metadata (TlState *ret, const TlMetadata *metadata,
    size_t n_metadata, const gchar *path, TlError *error);

/* TL_ERROR_ARGUMENT naming both values of every setting of @now that is another
 * than that of the checkpoint @self it is to go on from. */
TlStatus tl_state_check_same_run (const TlState *self, const TlState *now,
    TlError *error);

G_END_DECLS

#endif
