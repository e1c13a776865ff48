/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlcheckpointqueue.h"

#include <signal.h>

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
  GQueue waiting;     /* Job */
  guint64 n_pushed;   /* who pushes now has a number below, and its turn when */
  guint64 n_appended; /* that many are in the queue or were written */
  gboolean is_writing;
  gboolean hurried;
  gboolean closed;
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

/* Of this thread: then a file that meets the limit of the process (ulimit -f) is
 * an error like a full disk, and not the end of the process. */
static void
block_file_size_signal (void)
{
  sigset_t signals;

  sigemptyset (&signals);
  sigaddset (&signals, SIGXFSZ);
  pthread_sigmask (SIG_BLOCK, &signals, NULL);
}

static gpointer
run (gpointer user)
{
  TlCheckpointQueue *self = user;
  Job *job;

  block_file_size_signal ();
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

/* Takes over the job. */
static GstFlowReturn
append (TlCheckpointQueue *self, Job *job)
{
  guint64 number = self->n_pushed++;
  GstFlowReturn flow;

  drop_outdated (self);
  while (number != self->n_appended
      || (self->waiting.length >= MAX_WAITING && !self->hurried
          && !self->failed))
    g_cond_wait (&self->changed, &self->lock);
  self->n_appended++;
  flow = self->failed ? GST_FLOW_ERROR : GST_FLOW_OK;
  if (flow == GST_FLOW_OK)
    g_queue_push_tail (&self->waiting, job);
  else
    free_job (job);
  g_cond_broadcast (&self->changed);
  return flow;
}

static GstFlowReturn
push (TlCheckpointQueue *self, GstBuffer *checkpoint, TlCheckpointInfo *info,
    gboolean is_last)
{
  Job *job = g_new (Job, 1);
  GstFlowReturn flow = GST_FLOW_FLUSHING;

  *job = (Job){checkpoint, *info};
  *info = (TlCheckpointInfo){0};
  g_mutex_lock (&self->lock);
  if (!self->closed || is_last)
    flow = append (self, job);
  else
    free_job (job);
  g_mutex_unlock (&self->lock);
  return flow;
}

GstFlowReturn
tl_checkpoint_queue_push (TlCheckpointQueue *self, GstBuffer *checkpoint,
    TlCheckpointInfo *info)
{
  return push (self, checkpoint, info, FALSE);
}

guint64
tl_checkpoint_queue_close (TlCheckpointQueue *self)
{
  guint64 n;

  g_mutex_lock (&self->lock);
  self->closed = TRUE;
  n = self->n_pushed;
  g_mutex_unlock (&self->lock);
  return n;
}

GstFlowReturn
tl_checkpoint_queue_push_last (TlCheckpointQueue *self, GstBuffer *checkpoint,
    TlCheckpointInfo *info)
{
  return push (self, checkpoint, info, TRUE);
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
