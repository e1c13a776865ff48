/* SPDX-License-Identifier: BSD-3-Clause */

/* tlpipe's custom events; built and parsed here alone.
 *
 *   tl-dataset    sticky, downstream: what the data set is
 *   tl-transform  sticky, downstream: what was done to the pictures
 *   tl-phase      sticky, downstream: one pass over one split begins
 *   tl-phase-end  downstream: it has ended
 *   tl-cached     upstream: the trainer holds everything of a view
 *
 * Foreign decoders may hold or drop a custom event, so the same facts ride in
 * TlSampleMeta. A sticky one may arrive before SEGMENT. */

#ifndef TL_EVENTS_H
#define TL_EVENTS_H

#include "tlcaps.h"
#include "tlpreprocess.h"

G_BEGIN_DECLS

/* Most classes of a data set. */
#define TL_MAX_CLASSES 65536

typedef struct
{
  gchar **classes; /* NULL-terminated, in the order of the labels */
  guint n_classes;
  /* Per split: samples per class (n_classes values, or NULL where the split
   * is not played) and groups. */
  guint64 *counts[TL_N_SPLITS];
  guint64 n_samples[TL_N_SPLITS];
  guint64 n_groups[TL_N_SPLITS];
  gchar *digest; /* 64 hex digits over paths, labels and splits */
  guint64 seed;
  guint32 epochs;   /* 0: endless */
  gboolean shuffle; /* the order of the train split is drawn for each epoch */
} TlDatasetInfo;

/* An empty one; *transferred*. */
TL_API TlDatasetInfo *tl_dataset_info_new (void);
TL_API void tl_dataset_info_free (TlDatasetInfo *info);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TlDatasetInfo, tl_dataset_info_free)

TL_API GstEvent *tl_event_new_dataset (const TlDatasetInfo *info);

/* NULL if @event is another one or malformed. *transferred*. */
TL_API TlDatasetInfo *tl_event_parse_dataset (GstEvent *event);

/* The picture's way so far. @preprocess is what happens when nothing is
 * random; @steps has one canonical line per element ("imagedecode width=224
 * ..."), joined with ';'. */
typedef struct
{
  TlPreprocess preprocess;
  gchar *steps;
} TlTransform;

TL_API void tl_transform_clear (TlTransform *transform);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TlTransform, tl_transform_clear)

TL_API GstEvent *tl_event_new_transform (const TlTransform *transform);

/* Fills @ret (clear it afterwards); FALSE if @event is another one. */
TL_API gboolean tl_event_parse_transform (GstEvent *event, TlTransform *ret);

/* A new event with @step added to those of @event; *transferred*. */
TL_API GstEvent *tl_event_append_transform (GstEvent *event, const gchar *step);

typedef struct
{
  guint32 epoch; /* from 0 */
  TlSplit split;
  guint64 n;       /* samples in the phase */
  guint64 first;   /* position of the first one; > 0 only after a resume */
  guint32 view;    /* which augmented version of the samples */
  gboolean cached; /* no buffers follow: the trainer has this view */
  gboolean final;  /* the last phase of the run */
} TlPhase;

TL_API GstEvent *tl_event_new_phase (const TlPhase *phase);
TL_API gboolean tl_event_parse_phase (GstEvent *event, TlPhase *ret);

typedef struct
{
  guint32 epoch;
  TlSplit split;
  guint64 sent;    /* samples that the source took in this phase */
  guint64 skipped; /* of these, given up by it or on the way, each reported */
} TlPhaseEnd;

TL_API GstEvent *tl_event_new_phase_end (const TlPhaseEnd *end);
TL_API gboolean tl_event_parse_phase_end (GstEvent *event, TlPhaseEnd *ret);

typedef struct
{
  TlSplit split;
  guint32 view;
} TlCached;

TL_API GstEvent *tl_event_new_cached (const TlCached *cached);
TL_API gboolean tl_event_parse_cached (GstEvent *event, TlCached *ret);

G_END_DECLS

#endif
