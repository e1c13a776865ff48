/* SPDX-License-Identifier: BSD-3-Clause */

/* What datasetsrc says of its samples comes, whenever it is flushed. */

#include "tlstage.h"

#include <gst/check/gstcheck.h>

#include <tlevents.h>

typedef struct
{
  Stage stage;
  guint n_flushed;
  gint64 n_ended; /* phases whose end has come */
} Flushed;

/* Once, on the streaming thread. */
static void
begin_flush (Flushed *flushed)
{
  if (flushed->n_flushed++ == 0)
    gst_element_send_event (flushed->stage.element,
        gst_event_new_flush_start ());
}

static void
end_flush (Flushed *flushed)
{
  stage_wait_for_pause (&flushed->stage);
  fail_unless (flushed->n_flushed > 0);
  gst_element_send_event (flushed->stage.element,
      gst_event_new_flush_stop (TRUE));
}

static GstPadProbeReturn
flush_at_end (GstPad *pad, GstPadProbeInfo *info, gpointer flushed)
{
  TlPhaseEnd end;

  if (tl_event_parse_phase_end (GST_PAD_PROBE_INFO_EVENT (info), &end))
    begin_flush (flushed);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
count_end (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  Flushed *flushed = user;
  TlPhaseEnd end;

  if (!tl_event_parse_phase_end (GST_PAD_PROBE_INFO_EVENT (info), &end))
    return GST_PAD_PROBE_OK;
  fail_unless_equals_int64 (end.epoch, flushed->n_ended);
  fail_unless_equals_uint64 (end.sent, 12);
  flushed->n_ended++;
  return GST_PAD_PROBE_OK;
}

GST_START_TEST (phase_ends_though_a_flush_catches_its_end)
{
  Flushed flushed = {.n_flushed = 0};
  Stage *stage = &flushed.stage;
  g_autoptr (GstPad) src = NULL;

  stage_init (stage, "datasetsrc");
  src = gst_element_get_static_pad (stage->element, "src");
  gst_pad_add_probe (src, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, flush_at_end,
      &flushed, NULL);
  gst_pad_add_probe (stage->take, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      count_end, &flushed, NULL);
  stage_start (stage);
  end_flush (&flushed);
  stage_wait_for_buffers (stage, 30);
  stage_stop (stage, GST_STATE_READY, TRUE);
  fail_unless (flushed.n_ended >= 2);
  stage_expect_errors (stage, 0);
  stage_clear (stage);
}
GST_END_TEST

static Suite *
datasetsrc_flushes_suite (void)
{
  Suite *suite = suite_create ("datasetsrc_flushes");
  TCase *tc = tcase_create ("datasetsrc_flushes");

  stage_register ();
  tcase_add_checked_fixture (tc, stage_set_up, stage_tear_down);
  tcase_add_test (tc, phase_ends_though_a_flush_catches_its_end);
  suite_add_tcase (suite, tc);
  return suite;
}

GST_CHECK_MAIN (datasetsrc_flushes);
