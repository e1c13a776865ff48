/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlbatchpool.h"

#include <stdlib.h>

struct _TlBatchPool
{
  GstBufferPool parent;

  gsize size; /* bytes of a buffer; set while inactive */
};

G_DEFINE_TYPE (TlBatchPool, tl_batch_pool, GST_TYPE_BUFFER_POOL)

static gboolean
tl_batch_pool_set_config (GstBufferPool *pool, GstStructure *config)
{
  TlBatchPool *self = TL_BATCH_POOL (pool);
  guint size;

  if (!gst_buffer_pool_config_get_params (config, NULL, &size, NULL, NULL)
      || size == 0)
    return FALSE;
  self->size = size;
  return GST_BUFFER_POOL_CLASS (tl_batch_pool_parent_class)
      ->set_config (pool, config);
}

/* GStreamer's own allocator aborts the process when memory is out. */
static GstFlowReturn
tl_batch_pool_alloc_buffer (GstBufferPool *pool, GstBuffer **buffer,
    GstBufferPoolAcquireParams *params)
{
  gsize size = TL_BATCH_POOL (pool)->size;
  gpointer data;

  if (posix_memalign (&data, TL_BATCH_ALIGNMENT, size) != 0)
    return GST_FLOW_ERROR;
  *buffer = gst_buffer_new_wrapped_full (0, data, size, 0, size, data, free);
  return GST_FLOW_OK;
}

static void
tl_batch_pool_class_init (TlBatchPoolClass *klass)
{
  GstBufferPoolClass *pool_class = GST_BUFFER_POOL_CLASS (klass);

  pool_class->set_config = tl_batch_pool_set_config;
  pool_class->alloc_buffer = tl_batch_pool_alloc_buffer;
}

static void
tl_batch_pool_init (TlBatchPool *self)
{
}

GstBufferPool *
tl_batch_pool_new (const TlBatchInfo *info)
{
  gsize size = tl_batch_info_size (info);
  g_autoptr (GstCaps) caps = tl_batch_info_to_caps (info);
  GstBufferPool *pool;
  GstStructure *config;

  g_return_val_if_fail (size <= TL_BATCH_MAX_BYTES, NULL);
  pool = g_object_new (TL_TYPE_BATCH_POOL, NULL);
  gst_object_ref_sink (pool);
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, (guint) size, 0, 0);
  gst_buffer_pool_set_config (pool, config);
  return pool;
}

/* Whether @pool can give whole batches within the limits of the offer. */
static gboolean
configure_offered (GstBufferPool *pool, GstCaps *caps, guint size, guint min,
    guint max)
{
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, caps, size, min, max);
  if (gst_buffer_pool_set_config (pool, config))
    return TRUE;
  /* The pool has put in what it can do. */
  config = gst_buffer_pool_get_config (pool);
  if (gst_buffer_pool_config_validate_params (config, caps, size, min, max))
    return gst_buffer_pool_set_config (pool, config);
  gst_structure_free (config);
  return FALSE;
}

GstBufferPool *
tl_batch_pool_negotiate (GstPad *srcpad, GstCaps *caps, const TlBatchInfo *info)
{
  g_autoptr (GstQuery) query = gst_query_new_allocation (caps, TRUE);
  g_autoptr (GstBufferPool) pool = NULL;
  guint min, max;

  if (gst_pad_peer_query (srcpad, query)
      && gst_query_get_n_allocation_pools (query) > 0)
    gst_query_parse_nth_allocation_pool (query, 0, &pool, NULL, &min, &max);
  if (pool
      && configure_offered (pool, caps, (guint) tl_batch_info_size (info), min,
          max))
    return g_steal_pointer (&pool);
  return tl_batch_pool_new (info);
}
