/* SPDX-License-Identifier: BSD-3-Clause */

/* One element between a pad of the test that feeds it without end and one that
 * takes what it gives, counts, and fails the test if anything is out of order
 * or missing. A source feeds itself. */

#ifndef TL_STAGE_H
#define TL_STAGE_H

#include <gst/gst.h>

/* Threads of an element with a pool, and what fits into it. */
#define STAGE_THREADS 2
#define STAGE_CAPACITY (STAGE_THREADS * 4)

/* What stage_init takes: datasetsrc, imagedecode, augment, batcher and
 * "slowwork", a TlOrderedElement of the test's own. */
void stage_register (void);

/* The folder of twelve pictures that datasetsrc plays without end, in two
 * classes: even/x0000.jpg to odd/x0005.jpg. */
extern gchar *stage_folder;

/* The fixture of every test. */
void stage_set_up (void);
void stage_tear_down (void);

typedef struct
{
  GstElement *element;
  GstPad *feed; /* NULL for a source */
  GstPad *take;
  GstBus *bus;
  const gchar *caps; /* of what is fed */
  GstBuffer *picture;
  GThread *feeder; /* NULL while stopped */
  gint n_fed;      /* atomic: since stage_start, begun included */
  gint is_ending;  /* atomic: the feeder is to send EOS */

  GMutex lock; /* protects everything below */
  GCond changed;
  gboolean is_feeding; /* until stage_stop */
  gboolean is_parked;  /* the feeder has got FLUSHING */
  gboolean is_held;    /* it is to stay parked */
  GstFlowReturn flow;  /* that the feeder got last */
  GstFlowReturn answer;
  gboolean is_stalled;    /* the taking pad waits */
  gboolean is_waited_for; /* for that; what feeds it waits too */
  gboolean
      may_skip; /* buffers may be left out; before the start or under lock */
  guint64 next; /* number of the next buffer; GST_BUFFER_OFFSET_NONE: any */
  guint n_taken;
  guint n_eos;
} Stage;

void stage_init (Stage *stage, const gchar *factory);
void stage_clear (Stage *stage);
gboolean stage_is_source (const Stage *stage);

/* To PLAYING, and feeds. Buffers are counted from 0 again. */
void stage_start (Stage *stage);

/* To @state, READY or NULL; with @downstream_first as a pipeline does it. */
void stage_stop (Stage *stage, GstState state, gboolean downstream_first);

/* FLUSH_START and FLUSH_STOP from upstream. */
void stage_flush (Stage *stage);

/* The end of what is fed, twice; FALSE if the element refused it at once. */
gboolean stage_send_eos (Stage *stage);

/* The taking pad waits or goes on. */
void stage_stall (Stage *stage, gboolean stalled);

/* The feeder, once it has got FLUSHING, waits or tries again. */
void stage_hold (Stage *stage, gboolean held);

/* What the taking pad answers from the next buffer on. */
void stage_answer (Stage *stage, GstFlowReturn flow);

/* Return when @n buffers or end events were taken since stage_start, or when
 * the feeder has got another flow than OK, which is returned; of FLUSHING it
 * tells only while it is held. */
void stage_wait_for_buffers (Stage *stage, guint n);
void stage_wait_for_stall (Stage *stage);
void stage_wait_for_eos (Stage *stage, guint n);
GstFlowReturn stage_wait_for_flow (Stage *stage);

/* Returns when a source has ended its task. */
void stage_wait_for_pause (Stage *stage);

/* Empties the bus: there are @n errors on it. */
void stage_expect_errors (Stage *stage, guint n);

/* Of all "slowwork" elements: how long work takes, and how often it was
 * begun. */
extern gint stage_work_ms; /* atomic */
extern gint stage_n_works; /* atomic */

#endif
