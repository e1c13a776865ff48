/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlgate.h"

void
tl_gate_init (TlGate *self)
{
  *self = (TlGate){0};
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
}

void
tl_gate_clear (TlGate *self)
{
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
}

void
tl_gate_reset (TlGate *self)
{
  g_mutex_lock (&self->lock);
  self->is_open = self->is_flushing = self->is_stopped = FALSE;
  g_mutex_unlock (&self->lock);
}

static void
set_flag (TlGate *self, gboolean *flag, gboolean value)
{
  g_mutex_lock (&self->lock);
  *flag = value;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

void
tl_gate_set_open (TlGate *self, gboolean is_open)
{
  set_flag (self, &self->is_open, is_open);
}

void
tl_gate_set_flushing (TlGate *self, gboolean is_flushing)
{
  set_flag (self, &self->is_flushing, is_flushing);
}

void
tl_gate_stop (TlGate *self)
{
  set_flag (self, &self->is_stopped, TRUE);
}

gboolean
tl_gate_pass (TlGate *self, gboolean *has_waited)
{
  gboolean go_on;

  g_mutex_lock (&self->lock);
  while (!self->is_open && !self->is_flushing && !self->is_stopped) {
    g_cond_wait (&self->changed, &self->lock);
    *has_waited = TRUE;
  }
  go_on = !self->is_flushing && !self->is_stopped;
  g_mutex_unlock (&self->lock);
  return go_on;
}
