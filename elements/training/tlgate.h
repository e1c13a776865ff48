/* SPDX-License-Identifier: BSD-3-Clause */

/* Where the streaming thread of an element waits while it is PAUSED. Closed
 * until it is opened; a flush and a stop let go of who waits. Any thread. */

#ifndef TL_GATE_H
#define TL_GATE_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  GMutex lock; /* never held together with another */
  GCond changed;
  gboolean is_open;
  gboolean is_flushing;
  gboolean is_stopped;
} TlGate;

void tl_gate_init (TlGate *self);
void tl_gate_clear (TlGate *self);

/* Closed, neither flushing nor stopped. */
void tl_gate_reset (TlGate *self);

void tl_gate_set_open (TlGate *self, gboolean is_open);
void tl_gate_set_flushing (TlGate *self, gboolean is_flushing);

/* Until the next reset. */
void tl_gate_stop (TlGate *self);

/* Returns when the gate is open; FALSE: it flushes or was stopped.
 * @has_waited is set to TRUE if it was closed, else left as it is. */
gboolean tl_gate_pass (TlGate *self, gboolean *has_waited);

G_END_DECLS

#endif
