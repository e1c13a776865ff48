/* SPDX-License-Identifier: BSD-3-Clause */

/* An element that is fed by a thread while the test stops it, flushes it, and
 * answers for what follows it. Delays are random; the seed is printed, and
 * taken from TLPIPE_SEED where that is set. */

#ifndef TL_STRESS_H
#define TL_STRESS_H

#include <gst/gst.h>

typedef struct
{
  GstElement *(*make) (void); /* floating, with its properties */

  /* Pushes a stream from its beginning, until the flow is not OK; returns that.
   * On the feeding thread. */
  GstFlowReturn (*stream) (GstPad *feed);
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

/* The tests that every element passes: 20 stops and 20 flushes; the drain
 * answers with @answer, the thread ends with @flow at once, and the element
 * works again; the drain stalls, and nothing more is taken. */
void stress_stops (const StressSubject *subject);
void stress_flushes (const StressSubject *subject);
void stress_answer (const StressSubject *subject, GstFlowReturn answer,
    GstFlowReturn flow);
void stress_stall (const StressSubject *subject);

/* Flushes, queries and properties come from another thread while the element
 * is started and stopped. */
void stress_visits (const StressSubject *subject);

#endif
