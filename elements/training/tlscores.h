/* SPDX-License-Identifier: BSD-3-Clause */

/* How good a model was in one phase: sums over its samples, and what follows
 * from them. The same samples in the same order give the same bits, however
 * they were cut into batches. Knows neither GStreamer nor GLib nor torch. */

#ifndef TL_SCORES_H
#define TL_SCORES_H

#include <stddef.h>
#include <stdint.h>

/* Above this many classes there is no confusion matrix (8 MiB here). */
#define TL_SCORES_MAX_CONFUSION 1024u

/* Above this many samples there is no AUC (64 MiB here). */
#define TL_SCORES_MAX_RANKED (UINT64_C (1) << 24)

/* Equal-width bins of the expected calibration error. */
#define TL_SCORES_N_BINS 15

typedef struct TlScores TlScores;

/* Empty scores for @n_classes >= 1; NULL if memory is out. Not thread-safe:
 * one phase has one owner. */
TlScores *tl_scores_new (uint32_t n_classes);
void tl_scores_free (TlScores *self);

/* Forgets all samples. */
void tl_scores_reset (TlScores *self);

/* Adds a training step of @n samples: @loss is their mean cross-entropy
 * (nats), @n_correct of them had the largest logit at their label. Only n,
 * loss and accuracy follow from these. */
void tl_scores_add_step (TlScores *self, uint32_t n, double loss,
    uint32_t n_correct);

/* Adds @n evaluated samples: @logits is n x n_classes, @labels are in
 * [0, n_classes). The predicted class is the first of the largest logits.
 * Returns 0, or -1 if memory for the AUC ran out: nothing after that sample
 * was added. */
int tl_scores_add_logits (TlScores *self, const float *logits,
    const int32_t *labels, uint32_t n);

/* NAN where a value does not apply. */
typedef struct
{
  uint64_t n;
  double loss;              /* mean cross-entropy, nats */
  double accuracy;          /* [0, 1] */
  double accuracy_low;      /* Wilson's 95 % interval of the accuracy */
  double accuracy_high;     /* (Wilson 1927), for independent samples */
  double balanced_accuracy; /* mean recall over the classes seen */
  double auc;               /* two classes, both seen: area under ROC */
  double calibration_error; /* expected; 15 bins (Guo et al. 2017) */
} TlScoresSummary;

/* auc is the probability that a sample of class 1 gets a higher logit
 * difference than one of class 0, ties counting half (Mann-Whitney U, exact).
 * Sorts what is kept for it, hence not const. */
void tl_scores_summarize (TlScores *self, TlScoresSummary *ret);

/* NAN where a class, or everything but it, was not seen. */
typedef struct
{
  uint64_t n;         /* samples with this label */
  double sensitivity; /* recall: share of these predicted as this class */
  double specificity; /* share of the others predicted as another class */
} TlClassScore;

/* Of @label in [0, n_classes), from samples added by logits. */
void tl_scores_class (const TlScores *self, uint32_t label, TlClassScore *ret);

/* n_classes x n_classes counts, row = truth, column = prediction; *borrowed*.
 * NULL above TL_SCORES_MAX_CONFUSION classes, and before the first sample that
 * was added by logits. */
const uint64_t *tl_scores_confusion (const TlScores *self);

/* Room for tl_scores_to_text(). */
#define TL_SCORES_TEXT 128

/* The sums of a training phase, exactly: "n=64 loss=0x1b3fp-40 correct=51".
 * Not for scores with samples added by logits: an evaluation that was
 * interrupted begins again. */
void tl_scores_to_text (const TlScores *self, char text[TL_SCORES_TEXT]);

/* Replaces the sums by those of @text. Returns 0, or -1 with @self untouched
 * unless tl_scores_to_text() could have written it. */
int tl_scores_from_text (TlScores *self, const char *text);

#endif
