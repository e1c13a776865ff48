/* SPDX-License-Identifier: BSD-3-Clause */

/* The queue before the disk. */

#include "tlcheckpointqueue.h"

#include <gst/check/gstcheck.h>

typedef struct
{
  GMutex lock; /* held: the disk is slow */
  GString *written;
  gboolean fail;
} Disk;

static gboolean
write_slowly (GstBuffer *checkpoint, const TlCheckpointInfo *info,
    gpointer user)
{
  Disk *disk = user;

  g_mutex_lock (&disk->lock);
  g_string_append_printf (disk->written, "%u%s ", info->epoch,
      info->ends_epoch ? "!" : "");
  g_mutex_unlock (&disk->lock);
  return !disk->fail;
}

static gboolean
queue_up (TlCheckpointQueue *queue, guint epoch, gboolean ends_epoch)
{
  TlCheckpointInfo info = {.epoch = epoch, .ends_epoch = ends_epoch};

  return tl_checkpoint_queue_push (queue, gst_buffer_new (), &info)
      == GST_FLOW_OK;
}

GST_START_TEST (saves_within_an_epoch_give_way)
{
  Disk disk = {.written = g_string_new (NULL)};
  TlCheckpointQueue *queue = tl_checkpoint_queue_new (write_slowly, &disk);

  g_mutex_lock (&disk.lock);
  queue_up (queue, 1, TRUE);
  /* The thread has taken it once the queue has room for two more. */
  tl_checkpoint_queue_set_hurried (queue, TRUE);
  g_usleep (20000);
  queue_up (queue, 2, FALSE);
  queue_up (queue, 3, FALSE);
  queue_up (queue, 4, TRUE);
  queue_up (queue, 5, FALSE);
  queue_up (queue, 6, FALSE);
  queue_up (queue, 7, TRUE);
  g_mutex_unlock (&disk.lock);
  fail_unless (tl_checkpoint_queue_drain (queue));
  fail_unless_equals_string (disk.written->str, "1! 4! 7! ");
  tl_checkpoint_queue_free (queue);
  g_string_free (disk.written, TRUE);
}
GST_END_TEST

static gpointer
queue_up_many (gpointer user)
{
  for (guint i = 1; i <= 10; i++)
    queue_up (user, i, TRUE);
  return NULL;
}

GST_START_TEST (slow_disk_blocks_instead_of_growing)
{
  Disk disk = {.written = g_string_new (NULL)};
  TlCheckpointQueue *queue = tl_checkpoint_queue_new (write_slowly, &disk);
  GThread *thread;

  g_mutex_lock (&disk.lock);
  thread = g_thread_new ("push", queue_up_many, queue);
  g_usleep (50000);
  fail_unless_equals_string (disk.written->str, "");
  g_mutex_unlock (&disk.lock);
  g_thread_join (thread);
  tl_checkpoint_queue_free (queue);
  fail_unless_equals_string (disk.written->str,
      "1! 2! 3! 4! 5! 6! 7! 8! 9! 10! ");
  g_string_free (disk.written, TRUE);
}
GST_END_TEST

typedef struct
{
  TlCheckpointQueue *queue;
  guint epoch;
  GThread *thread;
  gint has_begun; /* atomic */
} Push;

static gpointer
push_one (gpointer user)
{
  Push *push = user;

  g_atomic_int_set (&push->has_begun, 1);
  queue_up (push->queue, push->epoch, TRUE);
  return NULL;
}

/* The disk stands still: one is being written, two wait, four wait for room. */
GST_START_TEST (who_waits_for_room_keeps_the_order)
{
  Disk disk = {.written = g_string_new (NULL)};
  TlCheckpointQueue *queue = tl_checkpoint_queue_new (write_slowly, &disk);
  TlCheckpointInfo info = {.epoch = 8, .ends_epoch = TRUE};
  Push pushes[7];

  g_mutex_lock (&disk.lock);
  for (guint i = 0; i < G_N_ELEMENTS (pushes); i++) {
    pushes[i] = (Push){queue, i + 1};
    pushes[i].thread = g_thread_new ("push", push_one, &pushes[i]);
    while (!g_atomic_int_get (&pushes[i].has_begun))
      g_usleep (1000);
    g_usleep (50000);
  }
  fail_unless_equals_uint64 (tl_checkpoint_queue_close (queue), 7);
  fail_if (queue_up (queue, 9, TRUE));
  tl_checkpoint_queue_set_hurried (queue, TRUE);
  fail_unless_equals_int (tl_checkpoint_queue_push_last (queue,
                              gst_buffer_new (), &info),
      GST_FLOW_OK);
  g_mutex_unlock (&disk.lock);
  for (guint i = 0; i < G_N_ELEMENTS (pushes); i++)
    g_thread_join (pushes[i].thread);
  tl_checkpoint_queue_free (queue);
  fail_unless_equals_string (disk.written->str, "1! 2! 3! 4! 5! 6! 7! 8! ");
  g_string_free (disk.written, TRUE);
}
GST_END_TEST

GST_START_TEST (failure_ends_the_queue)
{
  Disk disk = {.written = g_string_new (NULL), .fail = TRUE};
  TlCheckpointQueue *queue = tl_checkpoint_queue_new (write_slowly, &disk);

  queue_up_many (queue);
  fail_if (tl_checkpoint_queue_drain (queue));
  fail_if (queue_up (queue, 11, TRUE));
  fail_unless_equals_string (disk.written->str, "1! ");
  tl_checkpoint_queue_free (queue);
  g_string_free (disk.written, TRUE);
}
GST_END_TEST

static Suite *
checkpointqueue_suite (void)
{
  Suite *suite = suite_create ("checkpointqueue");
  TCase *tcase = tcase_create ("checkpointqueue");

  tcase_add_test (tcase, saves_within_an_epoch_give_way);
  tcase_add_test (tcase, slow_disk_blocks_instead_of_growing);
  tcase_add_test (tcase, who_waits_for_room_keeps_the_order);
  tcase_add_test (tcase, failure_ends_the_queue);
  suite_add_tcase (suite, tcase);
  return suite;
}

GST_CHECK_MAIN (checkpointqueue);
