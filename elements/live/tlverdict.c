/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlverdict.h"

#include <math.h>

gboolean
tl_verdict_init (TlVerdict *self, const gchar *const *classes)
{
  guint n = g_strv_length ((gchar **) classes);

  *self = (TlVerdict){.classes = classes};
  self->order = g_try_new (guint32, n);
  if (!self->order || !tl_decision_init (&self->decision, n)) {
    tl_verdict_clear (self);
    return FALSE;
  }
  tl_verdict_reset (self);
  return TRUE;
}

void
tl_verdict_clear (TlVerdict *self)
{
  g_free (self->order);
  tl_decision_clear (&self->decision);
  *self = (TlVerdict){0};
}

/* Without a result; the numbers go on. */
static void
set_absent (TlVerdict *self, const gchar *reason)
{
  guint64 serial = self->now.serial;
  GQuark model = self->now.model;

  self->now = (TlResultMeta){
      .pts = GST_CLOCK_TIME_NONE,
      .inference_time = GST_CLOCK_TIME_NONE,
      .age = GST_CLOCK_TIME_NONE,
      .serial = serial,
      .model = model,
      .state = TL_RESULT_ABSENT,
      .reason = g_quark_from_string (reason),
  };
}

void
tl_verdict_reset (TlVerdict *self)
{
  tl_decision_reset (&self->decision);
  set_absent (self, "no result yet");
}

/* ---- A new result ---- */

static gdouble
to_seconds (GstClockTime time)
{
  return GST_CLOCK_TIME_IS_VALID (time) ? (gdouble) time / (gdouble) GST_SECOND
                                        : NAN;
}

static void
set_classes (TlVerdict *self, guint n, const TlDecisionRules *rules)
{
  self->now.n = MIN (n, TL_RESULT_MAX);
  for (guint i = 0; i < self->now.n; i++) {
    TlResultClass *class = &self->now.top[i];

    class->index = self->order[i];
    class->name = g_quark_from_string (self->classes[class->index]);
    class->probability = self->decision.average[class->index];
  }
  self->now.reason = 0;
  self->now.state = TL_RESULT_VALID;
  if (tl_decision_abstains (&self->decision, rules)) {
    self->now.state = TL_RESULT_ABSTAINED;
    self->now.reason =
        g_quark_from_static_string ("the best class is below abstain-below");
  }
}

void
tl_verdict_set_result (TlVerdict *self, const TlInferResult *result,
    const gfloat *probabilities, const TlDecisionRules *rules)
{
  if (result->status == TL_OK)
    set_classes (self,
        tl_decision_add (&self->decision, rules, probabilities,
            to_seconds (result->pts), self->order),
        rules);
  else
    set_absent (self, result->error.message);
  self->now.serial++;
  self->now.pts = result->pts;
  self->now.inference_time = result->inference_time;
  self->now.n_skipped = result->n_skipped;
  self->now.model = result->model;
}

void
tl_verdict_set_fault (TlVerdict *self, GstClockTime pts, const gchar *reason)
{
  set_absent (self, reason);
  self->now.serial++;
  self->now.pts = pts;
}

/* ---- Frames ---- */

TlResultMeta *
tl_verdict_attach (const TlVerdict *self, GstBuffer *frame)
{
  TlResultMeta *meta = tl_buffer_get_result_meta (frame);
  GstClockTime pts = GST_BUFFER_PTS (frame);
  GstMeta head;

  if (!meta)
    meta = tl_buffer_add_result_meta (frame);
  head = meta->meta;
  *meta = self->now;
  meta->meta = head;
  if (GST_CLOCK_TIME_IS_VALID (pts) && GST_CLOCK_TIME_IS_VALID (meta->pts)
      && pts >= meta->pts)
    meta->age = pts - meta->pts;
  return meta;
}

gboolean
tl_verdict_differs (const TlResultMeta *a, const TlResultMeta *b)
{
  guint32 first_a = a->n > 0 ? a->top[0].index : G_MAXUINT32;
  guint32 first_b = b->n > 0 ? b->top[0].index : G_MAXUINT32;

  return a->state != b->state || a->reason != b->reason || first_a != first_b;
}
