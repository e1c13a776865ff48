/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlinferstats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t
n_in_window (const TlInferStats *self)
{
  return self->n < TL_INFER_STATS_WINDOW ? self->n : TL_INFER_STATS_WINDOW;
}

void
tl_infer_stats_add (TlInferStats *self, uint64_t took, uint64_t ended)
{
  self->took[self->n % TL_INFER_STATS_WINDOW] = took;
  self->ended[self->n % TL_INFER_STATS_WINDOW] = ended;
  self->n++;
}

uint64_t
tl_infer_stats_last (const TlInferStats *self)
{
  return self->n > 0 ? self->took[(self->n - 1) % TL_INFER_STATS_WINDOW] : 0;
}

static int
compare (const void *a, const void *b)
{
  uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;

  return x < y ? -1 : x > y;
}

uint64_t
tl_infer_stats_percentile (const TlInferStats *self, double share)
{
  uint64_t sorted[TL_INFER_STATS_WINDOW];
  uint64_t n = n_in_window (self);
  double rank = ceil (share * (double) n);

  if (n == 0)
    return 0;
  memcpy (sorted, self->took, n * sizeof *sorted);
  qsort (sorted, n, sizeof *sorted, compare);
  return sorted[rank > 1 ? (uint64_t) rank - 1 : 0];
}

uint64_t
tl_infer_stats_longest (const TlInferStats *self, uint64_t n)
{
  uint64_t longest = 0;

  n = n < n_in_window (self) ? n : n_in_window (self);
  for (uint64_t i = 1; i <= n; i++) {
    uint64_t took = self->took[(self->n - i) % TL_INFER_STATS_WINDOW];

    longest = took > longest ? took : longest;
  }
  return longest;
}

double
tl_infer_stats_rate (const TlInferStats *self)
{
  uint64_t n = n_in_window (self);
  uint64_t last, first;

  if (n < 2)
    return 0;
  last = self->ended[(self->n - 1) % TL_INFER_STATS_WINDOW];
  first = self->ended[(self->n - n) % TL_INFER_STATS_WINDOW];
  return last > first ? 1e9 * (double) (n - 1) / (double) (last - first) : 0;
}
