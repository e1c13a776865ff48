/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlcheckpointqueue.h"

#define MAX_WAITING 2

typedef struct
{
  GstBuffer *checkpoint;
  TlCheckpointInfo info;
} Job;

struct TlCheckpointQueue
{
  TlCheckpointWrite write;
  gpointer user;
  GThread *thread;

  GMutex lock; /* all below */
  GCond changed;
  GQueue waiting; /* Job */
  gboolean is_writing;
  gboolean hurried;
  gboolean stopping;
  gboolean failed;
};

static void
free_job (gpointer data)
{
  Job *job = data;

  gst_buffer_unref (job->checkpoint);
  tl_checkpoint_info_clear (&job->info);
  g_free (job);
}

/* Gives NULL when the queue is stopped and empty. */
static Job *
wait_for_job (TlCheckpointQueue *self)
{
  Job *job;

  while (!(job = g_queue_pop_head (&self->waiting)) && !self->stopping)
    g_cond_wait (&self->changed, &self->lock);
  self->is_writing = job != NULL;
  g_cond_broadcast (&self->changed);
  return job;
}

static gpointer
run (gpointer user)
{
  TlCheckpointQueue *self = user;
  Job *job;

  g_mutex_lock (&self->lock);
  while ((job = wait_for_job (self))) {
    gboolean failed;

    g_mutex_unlock (&self->lock);
    failed = !self->write (job->checkpoint, &job->info, self->user);
    free_job (job);
    g_mutex_lock (&self->lock);
    self->is_writing = FALSE;
    if (failed) {
      self->failed = TRUE;
      g_queue_clear_full (&self->waiting, free_job);
    }
    g_cond_broadcast (&self->changed);
  }
  g_mutex_unlock (&self->lock);
  return NULL;
}

TlCheckpointQueue *
tl_checkpoint_queue_new (TlCheckpointWrite write, gpointer user)
{
  TlCheckpointQueue *self = g_new0 (TlCheckpointQueue, 1);

  self->write = write;
  self->user = user;
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  g_queue_init (&self->waiting);
  self->thread = g_thread_new ("checkpointsink", run, self);
  return self;
}

void
tl_checkpoint_queue_free (TlCheckpointQueue *self)
{
  if (!self)
    return;
  g_mutex_lock (&self->lock);
  self->stopping = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  g_thread_join (self->thread);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}

/* What waits last, if a newer checkpoint replaces all its files. */
static void
drop_outdated (TlCheckpointQueue *self)
{
  Job *newest = g_queue_peek_tail (&self->waiting);

  if (newest && !newest->info.ends_epoch)
    free_job (g_queue_pop_tail (&self->waiting));
}

gboolean
tl_checkpoint_queue_push (TlCheckpointQueue *self, GstBuffer *checkpoint,
    TlCheckpointInfo *info)
{
  Job *job = g_new (Job, 1);
  gboolean failed;

  *job = (Job){checkpoint, *info};
  *info = (TlCheckpointInfo){0};
  g_mutex_lock (&self->lock);
  drop_outdated (self);
  while (self->waiting.length >= MAX_WAITING && !self->hurried && !self->failed)
    g_cond_wait (&self->changed, &self->lock);
  failed = self->failed;
  if (failed)
    free_job (job);
  else
    g_queue_push_tail (&self->waiting, job);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return !failed;
}

void
tl_checkpoint_queue_set_hurried (TlCheckpointQueue *self, gboolean hurried)
{
  g_mutex_lock (&self->lock);
  self->hurried = hurried;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

gboolean
tl_checkpoint_queue_drain (TlCheckpointQueue *self)
{
  gboolean failed;

  g_mutex_lock (&self->lock);
  while (self->waiting.length > 0 || self->is_writing)
    g_cond_wait (&self->changed, &self->lock);
  failed = self->failed;
  g_mutex_unlock (&self->lock);
  return !failed;
}
