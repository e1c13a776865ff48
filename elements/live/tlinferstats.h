/* SPDX-License-Identifier: BSD-3-Clause */

/* How long a model takes and how often it answers, over its last results. Pure
 * C: knows no GStreamer. */

#ifndef TL_INFER_STATS_H
#define TL_INFER_STATS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TL_INFER_STATS_WINDOW 256

typedef struct
{
  uint64_t took[TL_INFER_STATS_WINDOW];  /* ns; a ring */
  uint64_t ended[TL_INFER_STATS_WINDOW]; /* ns of a steady clock */
  uint64_t n;                            /* results so far */
} TlInferStats;

/* {0} is empty. @took: ns that a result took, @ended: when, ns of a clock that
 * never goes back. */
void tl_infer_stats_add (TlInferStats *self, uint64_t took, uint64_t ended);

/* ns of the last result; 0: there is none. */
uint64_t tl_infer_stats_last (const TlInferStats *self);

/* The smallest time that @share ((0, 1]) of the last results did not exceed
 * (nearest rank), ns; 0: there is none. */
uint64_t tl_infer_stats_percentile (const TlInferStats *self, double share);

/* The longest of the last @n results, ns. */
uint64_t tl_infer_stats_longest (const TlInferStats *self, uint64_t n);

/* Results per second, from the first in the window to the last; 0 for fewer
 * than 2. */
double tl_infer_stats_rate (const TlInferStats *self);

#ifdef __cplusplus
}
#endif

#endif
