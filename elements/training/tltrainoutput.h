/* SPDX-License-Identifier: BSD-3-Clause */

/* The source pad of resnetfinetune: a stream of checkpoints. Streaming thread
 * only, but for tl_train_output_end_again and tl_train_output_take_again. */

#ifndef TL_TRAIN_OUTPUT_H
#define TL_TRAIN_OUTPUT_H

#include <gst/gst.h>

#include "tlsession.h"

G_BEGIN_DECLS

typedef struct
{
  GstElement *element; /* all three borrowed */
  GstPad *srcpad;
  GMutex *lock; /* of the session; taken, not while pushing */

  gboolean has_sent_header;
  GstFlowReturn flow; /* OK, or why downstream takes no checkpoint any more */
  gint has_ended;     /* atomic */

  /* Under the lock. */
  guint64 n_pushed;
  TlStateKind kind; /* of the latest */
  TlStateKind due;  /* what one of the session as it stands would be: a stop may
                       come before the one at the end of an epoch is pushed */
} TlTrainOutput;

/* Pushes a checkpoint of @session as it stands; without a link there is nothing
 * to do. @flow is OK, FLUSHING, EOS or, if an element that follows has posted
 * an error, ERROR. Fails with a sentence for the user. */
TlStatus tl_train_output_push (TlTrainOutput *self, TlSession *session,
    TlStateKind kind, GstFlowReturn *flow, TlError *error);

/* EOS downstream and onto the bus. */
void tl_train_output_end (TlTrainOutput *self);

/* PLAYING again: a bin forgets in PAUSED who has come to the end. */
void tl_train_output_end_again (TlTrainOutput *self);

/* With the lock held, from any thread, where @n_received of the checkpoints
 * have come to who writes them: what the session has not saved, or has saved
 * into a queue that lost it. *@ret is *transferred*, or NULL. */
TlStatus tl_train_output_take_again (TlTrainOutput *self, TlSession *session,
    guint64 n_received, GstBuffer **ret, TlError *error);

G_END_DECLS

#endif
