/* SPDX-License-Identifier: BSD-3-Clause */

#include "tldecision.h"

#include <math.h>
#include <stdlib.h>

int
tl_decision_init (TlDecision *self, uint32_t n_classes)
{
  *self = (TlDecision){.n_classes = n_classes};
  self->average = calloc (n_classes, sizeof *self->average);
  tl_decision_reset (self);
  return self->average != NULL;
}

void
tl_decision_clear (TlDecision *self)
{
  free (self->average);
  *self = (TlDecision){0};
}

void
tl_decision_reset (TlDecision *self)
{
  self->seconds = NAN;
}

/* How much of the old average remains after @elapsed seconds. */
static double
weight_of_past (const TlDecisionRules *rules, double elapsed)
{
  if (!(elapsed >= 0) || !(rules->smoothing > 0))
    return 0;
  return exp (-elapsed / rules->smoothing);
}

static uint32_t
find_best (const TlDecision *self)
{
  uint32_t best = 0;

  for (uint32_t i = 1; i < self->n_classes; i++) {
    if (self->average[i] > self->average[best])
      best = i;
  }
  return best;
}

/* Moves the listed classes behind the first into their order: as few are
 * listed, selection is cheaper than sorting all. */
static uint32_t
list (const TlDecision *self, const TlDecisionRules *rules, uint32_t *order)
{
  uint32_t n = 1;

  order[0] = self->first;
  for (uint32_t i = 0; i < self->n_classes; i++) {
    uint32_t at = n;

    if (i == self->first || self->average[i] < rules->threshold)
      continue;
    while (at > 1 && self->average[i] > self->average[order[at - 1]])
      at--;
    if (at >= rules->top_k)
      continue;
    if (n < rules->top_k)
      n++;
    for (uint32_t k = n - 1; k > at; k--)
      order[k] = order[k - 1];
    order[at] = i;
  }
  return n;
}

uint32_t
tl_decision_add (TlDecision *self, const TlDecisionRules *rules,
    const float *probabilities, double seconds, uint32_t *order)
{
  double elapsed = seconds - self->seconds;
  double past = weight_of_past (rules, elapsed);
  bool is_held = elapsed >= 0;
  uint32_t best;

  for (uint32_t i = 0; i < self->n_classes; i++)
    self->average[i] = past > 0
        ? past * self->average[i] + (1 - past) * probabilities[i]
        : probabilities[i];
  best = find_best (self);
  if (!is_held
      || self->average[best] > self->average[self->first] + rules->hysteresis)
    self->first = best;
  self->seconds = seconds;
  return list (self, rules, order);
}

bool
tl_decision_abstains (const TlDecision *self, const TlDecisionRules *rules)
{
  return self->average[self->first] < rules->abstain_below;
}
