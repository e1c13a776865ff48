/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlpoolslot.h"

void
tl_pool_slot_init (TlPoolSlot *self)
{
  *self = (TlPoolSlot){0};
  g_mutex_init (&self->lock);
}

void
tl_pool_slot_clear (TlPoolSlot *self)
{
  tl_pool_slot_replace (self, NULL);
  g_mutex_clear (&self->lock);
}

void
tl_pool_slot_replace (TlPoolSlot *self, GstBufferPool *pool)
{
  GstBufferPool *old;

  g_mutex_lock (&self->lock);
  old = self->pool;
  self->pool = pool;
  if (pool && self->is_flushing)
    gst_buffer_pool_set_flushing (pool, TRUE);
  g_mutex_unlock (&self->lock);
  if (!old)
    return;
  gst_buffer_pool_set_active (old, FALSE);
  gst_object_unref (old);
}

void
tl_pool_slot_set_flushing (TlPoolSlot *self, gboolean is_flushing)
{
  g_mutex_lock (&self->lock);
  self->is_flushing = is_flushing;
  if (self->pool)
    gst_buffer_pool_set_flushing (self->pool, is_flushing);
  g_mutex_unlock (&self->lock);
}

GstFlowReturn
tl_pool_slot_acquire (TlPoolSlot *self, GstBuffer **ret)
{
  /* Nobody replaces it but this thread, or with this thread gone. */
  return gst_buffer_pool_acquire_buffer (self->pool, ret, NULL);
}
