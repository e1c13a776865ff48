/* SPDX-License-Identifier: BSD-3-Clause */

/* tlpipe's custom queries; built, answered and parsed here alone.
 *
 *   tl-cursor            downstream: datasetsrc asks where to start
 *   tl-preprocess        downstream: imagedecode asks what the model expects
 *   tl-final-checkpoint  upstream: checkpointsink asks for unsaved state
 *
 * Each *_parse returns FALSE for a query that is another one or that nobody
 * answered. */

#ifndef TL_QUERIES_H
#define TL_QUERIES_H

#include "tlcaps.h"
#include "tlpreprocess.h"

G_BEGIN_DECLS

/* Where a run goes on. */
typedef struct
{
  gboolean resume; /* FALSE: from the start; only views counts */
  guint64 seed;
  guint32 epoch; /* from 0 */
  TlSplit split;
  guint64 position; /* in the phase: the first sample wanted */
  guint32 views;    /* epoch e plays view e mod views; 0: view = epoch */
  gchar digest[65]; /* of the data set the run was on; "" without resume */

  /* What that was, as in the checkpoint: JSON, and "train=124,121 ..."; NULL if
   * it is not known. Parsed, they are *borrowed* from the query. */
  const gchar *classes;
  const gchar *counts;
} TlCursor;

TL_API GstQuery *tl_query_new_cursor (void);
TL_API gboolean tl_query_is_cursor (GstQuery *query);
TL_API void tl_query_answer_cursor (GstQuery *query, const TlCursor *cursor);
TL_API gboolean tl_query_parse_cursor (GstQuery *query, TlCursor *ret);

/* @trains: samples of the train split follow. A trainer learns from pictures as
 * they come and does not answer then; a model that only classifies does. */
TL_API GstQuery *tl_query_new_preprocess (gboolean trains);
TL_API gboolean tl_query_is_preprocess (GstQuery *query);
TL_API gboolean tl_query_preprocess_trains (GstQuery *query);
TL_API void tl_query_answer_preprocess (GstQuery *query,
    const TlPreprocess *preprocess);
TL_API gboolean tl_query_parse_preprocess (GstQuery *query, TlPreprocess *ret);

TL_API GstQuery *tl_query_new_final_checkpoint (void);
TL_API gboolean tl_query_is_final_checkpoint (GstQuery *query);

/* How many checkpoints have come to who asks: a queue on the way may hold more,
 * and loses them at a stop. Unset, it is G_MAXUINT64: all of them. */
TL_API void tl_query_set_final_checkpoint_received (GstQuery *query, guint64 n);
TL_API guint64 tl_query_final_checkpoint_received (GstQuery *query);

/* @checkpoint is *borrowed*: the query takes its own reference. */
TL_API void tl_query_answer_final_checkpoint (GstQuery *query,
    GstBuffer *checkpoint);

/* A new reference, or NULL if there is nothing to save. */
TL_API GstBuffer *tl_query_parse_final_checkpoint (GstQuery *query);

G_END_DECLS

#endif
