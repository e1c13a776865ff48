/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlscores.h"
#include "tlnumber.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two-sided 95 % quantile of the normal distribution. */
#define Z95 1.959963984540054

/* Logit differences of the samples of one class. */
typedef struct
{
  float *scores;
  size_t n;
  size_t allocated;
} Ranked;

typedef struct
{
  uint64_t n;
  uint64_t correct;
  double confidence; /* sum over the bin */
} Bin;

/* Per class; they give the scores when there is no confusion matrix too. */
typedef struct
{
  uint64_t truth;
  uint64_t predicted;
  uint64_t correct;
} ClassCount;

struct TlScores
{
  uint32_t n_classes;

  /* Every sample. */
  uint64_t n;
  uint64_t correct;
  double loss;

  /* Samples added by logits. */
  uint64_t n_evaluated;
  ClassCount *classes; /* n_classes */
  uint64_t *confusion; /* or NULL */
  Bin bins[TL_SCORES_N_BINS];
  Ranked ranked[2]; /* by label; only for two classes */
  int unrankable;   /* a score is not finite, or there are too many */
};

TlScores *
tl_scores_new (uint32_t n_classes)
{
  TlScores *self;

  assert (n_classes >= 1);
  self = calloc (1, sizeof *self);
  if (!self)
    return NULL;
  self->n_classes = n_classes;
  self->classes = calloc (n_classes, sizeof *self->classes);
  if (n_classes <= TL_SCORES_MAX_CONFUSION)
    self->confusion =
        calloc ((size_t) n_classes * n_classes, sizeof *self->confusion);
  if (!self->classes
      || (n_classes <= TL_SCORES_MAX_CONFUSION && !self->confusion)) {
    tl_scores_free (self);
    return NULL;
  }
  return self;
}

void
tl_scores_free (TlScores *self)
{
  if (!self)
    return;
  free (self->classes);
  free (self->confusion);
  free (self->ranked[0].scores);
  free (self->ranked[1].scores);
  free (self);
}

void
tl_scores_reset (TlScores *self)
{
  size_t n = self->n_classes;

  self->n = self->correct = self->n_evaluated = 0;
  self->loss = 0;
  memset (self->classes, 0, n * sizeof *self->classes);
  if (self->confusion)
    memset (self->confusion, 0, n * n * sizeof *self->confusion);
  memset (self->bins, 0, sizeof self->bins);
  self->ranked[0].n = self->ranked[1].n = 0;
  self->unrankable = 0;
}

/* ---- adding ---- */

void
tl_scores_add_step (TlScores *self, uint32_t n, double loss, uint32_t n_correct)
{
  assert (n_correct <= n);
  self->n += n;
  self->correct += n_correct;
  self->loss += loss * n;
}

/* NaN is never the largest, unless it comes first. */
static uint32_t
find_largest (const float *logits, uint32_t n)
{
  uint32_t best = 0;

  for (uint32_t i = 1; i < n; i++) {
    if (logits[i] > logits[best])
      best = i;
  }
  return best;
}

/* log (sum (exp (logits))) - @largest, without overflow. */
static double
log_sum_exp_above (const float *logits, uint32_t n, float largest)
{
  double sum = 0;

  for (uint32_t i = 0; i < n; i++)
    sum += exp ((double) logits[i] - largest);
  return log (sum);
}

static int
ranked_append (Ranked *ranked, float score)
{
  if (ranked->n == ranked->allocated) {
    size_t wanted = ranked->allocated ? 2 * ranked->allocated : 256;
    float *scores = realloc (ranked->scores, wanted * sizeof *scores);

    if (!scores)
      return -1;
    ranked->scores = scores;
    ranked->allocated = wanted;
  }
  ranked->scores[ranked->n++] = score;
  return 0;
}

static int
rank_sample (TlScores *self, const float *logits, int32_t label)
{
  float score;

  if (self->n_classes != 2 || self->unrankable)
    return 0;
  score = logits[1] - logits[0];
  if (!isfinite (score)
      || self->ranked[0].n + self->ranked[1].n == TL_SCORES_MAX_RANKED) {
    self->unrankable = 1;
    return 0;
  }
  return ranked_append (&self->ranked[label], score);
}

static void
add_to_bin (TlScores *self, double confidence, int correct)
{
  size_t i = 0;

  /* Bins are open on the left, closed on the right, as in the paper. */
  if (confidence > 0)
    i = (size_t) (ceil (confidence * TL_SCORES_N_BINS) - 1);
  if (i >= TL_SCORES_N_BINS)
    i = TL_SCORES_N_BINS - 1;
  self->bins[i].n++;
  self->bins[i].correct += correct != 0;
  self->bins[i].confidence += confidence;
}

static int
add_sample (TlScores *self, const float *logits, int32_t label)
{
  uint32_t n = self->n_classes;
  uint32_t predicted = find_largest (logits, n);
  float largest = logits[predicted];
  double above = log_sum_exp_above (logits, n, largest);
  int correct = predicted == (uint32_t) label;

  assert (label >= 0 && (uint32_t) label < n);
  if (rank_sample (self, logits, label) < 0)
    return -1;
  self->n++;
  self->n_evaluated++;
  self->correct += correct != 0;
  self->loss += above + ((double) largest - logits[label]);
  self->classes[label].truth++;
  self->classes[label].correct += correct != 0;
  self->classes[predicted].predicted++;
  if (self->confusion)
    self->confusion[(size_t) label * n + predicted]++;
  add_to_bin (self, exp (-above), correct);
  return 0;
}

int
tl_scores_add_logits (TlScores *self, const float *logits,
    const int32_t *labels, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++) {
    if (add_sample (self, logits + (size_t) i * self->n_classes, labels[i]) < 0)
      return -1;
  }
  return 0;
}

/* ---- what follows ---- */

static double
share (uint64_t part, uint64_t whole)
{
  return whole ? (double) part / (double) whole : NAN;
}

static void
wilson_interval (uint64_t correct, uint64_t n, double *low, double *high)
{
  double p = share (correct, n);
  double z2n = Z95 * Z95 / (double) n;
  double middle = (p + z2n / 2) / (1 + z2n);
  double half = Z95 * sqrt (p * (1 - p) / (double) n + z2n / (4 * (double) n))
      / (1 + z2n);

  *low = *high = NAN;
  if (n == 0)
    return;
  *low = correct == 0 ? 0 : middle - half;
  *high = correct == n ? 1 : middle + half;
}

static double
balanced_accuracy (const TlScores *self)
{
  double sum = 0;
  uint32_t n_seen = 0;

  for (uint32_t i = 0; i < self->n_classes; i++) {
    if (self->classes[i].truth == 0)
      continue;
    sum += share (self->classes[i].correct, self->classes[i].truth);
    n_seen++;
  }
  return n_seen ? sum / n_seen : NAN;
}

static int
compare_floats (const void *a, const void *b)
{
  float x = *(const float *) a, y = *(const float *) b;

  return (x > y) - (x < y);
}

/* Walks both sorted lists once, counting for every sample of class 1 those of
 * class 0 below it twice and those level with it once. At most 2^47: exact. */
static double
area_under_roc (TlScores *self)
{
  const Ranked *negative = &self->ranked[0], *positive = &self->ranked[1];
  size_t below = 0, not_above = 0;
  uint64_t twice = 0;

  if (self->unrankable || negative->n == 0 || positive->n == 0)
    return NAN;
  qsort (negative->scores, negative->n, sizeof (float), compare_floats);
  qsort (positive->scores, positive->n, sizeof (float), compare_floats);
  for (size_t i = 0; i < positive->n; i++) {
    while (below < negative->n && negative->scores[below] < positive->scores[i])
      below++;
    while (not_above < negative->n
        && negative->scores[not_above] <= positive->scores[i])
      not_above++;
    twice += below + not_above;
  }
  return (double) twice / (2.0 * (double) negative->n * (double) positive->n);
}

static double
calibration_error (const TlScores *self)
{
  double sum = 0;

  if (self->n_evaluated == 0)
    return NAN;
  for (size_t i = 0; i < TL_SCORES_N_BINS; i++)
    sum += fabs ((double) self->bins[i].correct - self->bins[i].confidence);
  return sum / (double) self->n_evaluated;
}

void
tl_scores_summarize (TlScores *self, TlScoresSummary *ret)
{
  ret->n = self->n;
  ret->loss = self->n ? self->loss / (double) self->n : NAN;
  ret->accuracy = share (self->correct, self->n);
  wilson_interval (self->correct, self->n, &ret->accuracy_low,
      &ret->accuracy_high);
  ret->balanced_accuracy = balanced_accuracy (self);
  ret->auc = area_under_roc (self);
  ret->calibration_error = calibration_error (self);
}

void
tl_scores_class (const TlScores *self, uint32_t label, TlClassScore *ret)
{
  const ClassCount *count = &self->classes[label];
  uint64_t others = self->n_evaluated - count->truth;
  uint64_t wrongly = count->predicted - count->correct;

  ret->n = count->truth;
  ret->sensitivity = share (count->correct, count->truth);
  ret->specificity = share (others - wrongly, others);
}

const uint64_t *
tl_scores_confusion (const TlScores *self)
{
  return self->n_evaluated ? self->confusion : NULL;
}

/* ---- as text ---- */

void
tl_scores_to_text (const TlScores *self, char text[TL_SCORES_TEXT])
{
  assert (self->n_evaluated == 0);
  snprintf (text, TL_SCORES_TEXT, "n=%" PRIu64 " loss=%s correct=%" PRIu64,
      self->n, tl_number_hex (self->loss).text, self->correct);
}

static const char *
parse_count (const char *text, const char *key, uint64_t *ret)
{
  size_t n = strlen (key);
  char *end;

  if (strncmp (text, key, n) != 0 || text[n] < '0' || text[n] > '9')
    return NULL;
  *ret = strtoull (text + n, &end, 10);
  return end;
}

int
tl_scores_from_text (TlScores *self, const char *text)
{
  static const char loss_key[] = " loss=";
  uint64_t n, correct;
  double loss;
  const char *p = parse_count (text, "n=", &n);

  if (!p || strncmp (p, loss_key, strlen (loss_key)) != 0)
    return -1;
  p = tl_number_parse_hex (p + strlen (loss_key), &loss);
  if (!p)
    return -1;
  p = parse_count (p, " correct=", &correct);
  if (!p || *p != '\0' || correct > n)
    return -1;
  tl_scores_reset (self);
  self->n = n;
  self->loss = loss;
  self->correct = correct;
  return 0;
}
