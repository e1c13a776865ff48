/* SPDX-License-Identifier: BSD-3-Clause */

/* From the probabilities of one result after another to what is shown: smoothed
 * in time, with a label that does not flicker, and without one where the model
 * is not sure. Pure C: knows no GStreamer. */

#ifndef TL_DECISION_H
#define TL_DECISION_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct
{
  uint32_t top_k;       /* classes listed, 1 or more */
  double threshold;     /* [0, 1]: classes below it are not listed, but the
                           first always is */
  double abstain_below; /* [0, 1]: of the first class; 0: never */
  double smoothing;     /* seconds: time constant of an exponential average; 0:
                           none */
  double hysteresis;    /* [0, 1]: by how much another class must lead before it
                           becomes the first */
} TlDecisionRules;

typedef struct
{
  uint32_t n_classes;
  double *average; /* n_classes probabilities */
  uint32_t first;  /* the class that is held */
  double seconds;  /* of the last result; NAN: there was none */
} TlDecision;

/* Returns 0 if memory is out. */
int tl_decision_init (TlDecision *self, uint32_t n_classes);
void tl_decision_clear (TlDecision *self);

/* Forgets what came before: another stream. */
void tl_decision_reset (TlDecision *self);

/* Takes @probabilities (n_classes values) of a frame @seconds after any fixed
 * time; NAN where the time is not known, when nothing is smoothed. Time that
 * goes backwards begins anew. Fills @order with the classes to list, the held
 * one first and the others by falling probability (self->average; equal ones by
 * number), room for n_classes, and returns how many. */
uint32_t tl_decision_add (TlDecision *self, const TlDecisionRules *rules,
    const float *probabilities, double seconds, uint32_t *order);

/* Whether the first class is too unlikely to be named. */
bool tl_decision_abstains (const TlDecision *self,
    const TlDecisionRules *rules);

#ifdef __cplusplus
}
#endif

#endif
