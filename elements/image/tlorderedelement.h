/* SPDX-License-Identifier: BSD-3-Clause */

/* Base class of elements that work on many buffers at once and push them in
 * order. One sink pad, one src pad; the pad templates are the subclass's.
 *
 * A buffer that arrives is queued and given to one of n-threads workers. A task
 * on the src pad pushes what is finished, oldest first. Serialized events ride
 * in the same queue, so that nothing overtakes anything. At most four buffers
 * or events per worker are inside. After a flow return other than OK buffers
 * are dropped and events still pass: an EOS always comes through. Only a pad
 * that was not linked, and now is, gets buffers again without a flush. */

#ifndef TL_ORDERED_ELEMENT_H
#define TL_ORDERED_ELEMENT_H

#include <gst/gst.h>
#include <gst/video/video.h>

#include <tlstatus.h>

G_BEGIN_DECLS

/* One buffer on its way. */
typedef struct
{
  GstBuffer *input;  /* owned; may be taken */
  GstBuffer *output; /* owned; NULL until there is one */
  GstVideoInfo info; /* of the input; format UNKNOWN unless raw video */
  TlStatus status;   /* of the work */
  TlError error;     /* filled if status is not TL_OK */
} TlOrderedJob;

#define TL_TYPE_ORDERED_ELEMENT tl_ordered_element_get_type ()
G_DECLARE_DERIVABLE_TYPE (TlOrderedElement, tl_ordered_element, TL,
    ORDERED_ELEMENT, GstElement)

/* check:       NULL to READY. Posts an error and returns FALSE to refuse.
 * start:       READY to PAUSED, before any other thread runs.
 * reset:       a flush ended; no other thread is in the element.
 * context_new, context_free: a worker's own memory.
 * receive:     streaming thread, a serialized event. Takes @event and queues it,
 *              by default at once. FALSE while flushing.
 * accept:      streaming thread. FALSE if the buffer needs no work: then it is
 *              only kept in order. Without it every buffer is worked on.
 * work:        worker thread. Sets job->output or job->status.
 * finish:      src task. Pushes job->output (job->input by default if there is
 *              none) and returns the flow.
 * event:       src task. Takes @event and pushes it, or something else.
 * query:       on the sink pad, any thread. Refuses serialized ones by default. */
struct _TlOrderedElementClass
{
  GstElementClass parent_class;

  gboolean (*check) (TlOrderedElement *self);
  gboolean (*start) (TlOrderedElement *self);
  void (*reset) (TlOrderedElement *self);
  gpointer (*context_new) (TlOrderedElement *self);
  void (*context_free) (gpointer context);
  gboolean (*receive) (TlOrderedElement *self, GstEvent *event);
  gboolean (*accept) (TlOrderedElement *self, TlOrderedJob *job);
  void (*work) (TlOrderedElement *self, gpointer context, TlOrderedJob *job);
  GstFlowReturn (*finish) (TlOrderedElement *self, TlOrderedJob *job);
  gboolean (*event) (TlOrderedElement *self, GstEvent *event);
  gboolean (*query) (TlOrderedElement *self, GstQuery *query);
};

/* Borrowed. */
GstPad *tl_ordered_element_get_sink_pad (TlOrderedElement *self);
GstPad *tl_ordered_element_get_src_pad (TlOrderedElement *self);

/* From receive() or accept(): @event goes behind what is inside. Takes it; FALSE
 * while flushing. */
gboolean tl_ordered_element_queue_event (TlOrderedElement *self,
    GstEvent *event);

/* From receive(), accept(), finish() or event(): a stream that fails in two
 * threads has one error. Who gets TRUE posts it, then calls
 * tl_ordered_element_fail(). FALSE, once the other has posted his, if the stream
 * has ended already: by an error, a flush or downstream. */
gboolean tl_ordered_element_begin_error (TlOrderedElement *self);

/* Buffers are dropped from now on, and upstream gets GST_FLOW_ERROR. */
void tl_ordered_element_fail (TlOrderedElement *self);

/* TRUE after an error, here or downstream. Any thread. */
gboolean tl_ordered_element_has_failed (TlOrderedElement *self);

G_END_DECLS

#endif
