/* SPDX-License-Identifier: BSD-3-Clause */

/* An element that is fed by a thread while the test stops it, flushes it, and
 * answers for what follows it. Delays are random; the seed is printed, and
 * taken from TLPIPE_SEED where that is set. */

#ifndef TL_STRESS_H
#define TL_STRESS_H

#include <gst/check/gstcheck.h>

/* What the drain answers, and what the thread then ends with. */
typedef struct
{
  GstFlowReturn given;
  GstFlowReturn flow;
} StressAnswer;

#define STRESS_N_ANSWERS 5

/* Every answer is passed on as it is. */
extern const StressAnswer stress_answers[STRESS_N_ANSWERS];

typedef struct
{
  GstElement *(*make) (void); /* floating, with its properties */

  /* Pushes a stream from its beginning, until the flow is not OK; returns that.
   * On the feeding thread. */
  GstFlowReturn (*stream) (GstPad *feed);

  const StressAnswer *answers; /* STRESS_N_ANSWERS; NULL: nothing follows it */
} StressSubject;

typedef struct
{
  const StressSubject *subject;
  GstElement *element;
  GstPad *feed;
  GstPad *drain; /* NULL behind a sink */
  GstBus *bus;
  GThread *thread;
  gint n_fed;     /* buffers that were begun to be pushed; atomic, as below */
  gint n_drained; /* buffers that came out */
  gint answer;    /* GstFlowReturn of the drain */
  gint is_stalled;
} Stress;

/* In NULL. */
void stress_init (Stress *self, const StressSubject *subject);
void stress_clear (Stress *self);

/* With pads as new; the element goes to PLAYING, the thread begins. */
void stress_play (Stress *self);

/* Waits for the thread's end, which must come with @flow. */
void stress_join (Stress *self, GstFlowReturn flow);

/* Waits until @n buffers have come out since stress_play. */
void stress_wait_for_output (Stress *self, gint n);

/* No error is on the bus; or exactly one, that holds @text. */
void stress_expect_no_error (Stress *self);
void stress_expect_error (Stress *self, const gchar *text);

/* Adds the tests that every element passes. 20 stops and 20 flushes at random
 * times. Flushes, queries and properties from another thread while the element
 * is started and stopped. Where something follows: it answers with each of
 * subject->answers, the thread ends as that says at once, and the element works
 * again; it stalls, and nothing more is taken. @subject: *borrowed*, one in a
 * program. */
void stress_add_tests (TCase *tcase, const StressSubject *subject);

#endif
