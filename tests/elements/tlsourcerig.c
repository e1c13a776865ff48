/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlsourcerig.h"

#include "tltree.h"

#include <gst/check/gstcheck.h>

#include <string.h>

gchar *player_folder;

void
player_set_up (void)
{
  player_folder = tree_new ();
}

void
player_tear_down (void)
{
  tree_free (player_folder);
}

static void
write_down (Player *p, gchar *line)
{
  g_mutex_lock (&p->lock);
  p->ended |= g_str_equal (line, "eos");
  g_ptr_array_add (p->log, line);
  g_cond_broadcast (&p->changed);
  g_mutex_unlock (&p->lock);
}

static GstFlowReturn
player_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  Player *p = gst_pad_get_element_private (pad);
  TlSampleMeta *meta = tl_buffer_get_sample_meta (buffer);

  fail_unless (meta != NULL);
  g_mutex_lock (&p->lock);
  g_ptr_array_add (p->buffers, buffer);
  g_mutex_unlock (&p->lock);
  write_down (p, g_strdup (meta->path + strlen (player_folder) + 1));
  return GST_FLOW_OK;
}

static void
take_phase (Player *p, const TlPhase *phase)
{
  GString *line = g_string_new (NULL);

  g_string_printf (line, "phase %u %s", phase->epoch,
      tl_split_nick (phase->split));
  if (phase->first)
    g_string_append_printf (line, " from %" G_GUINT64_FORMAT, phase->first);
  g_string_append_printf (line, " of %" G_GUINT64_FORMAT, phase->n);
  if (phase->cached)
    g_string_append (line, " cached");
  if (phase->final)
    g_string_append (line, " final");
  write_down (p, g_string_free (line, FALSE));
}

static void
take_phase_end (Player *p, const TlPhaseEnd *end)
{
  TlCached cached = {end->split, (guint32) p->cached_view};

  write_down (p,
      g_strdup_printf ("end %u %s sent %" G_GUINT64_FORMAT
                       " skipped %" G_GUINT64_FORMAT,
          end->epoch, tl_split_nick (end->split), end->sent, end->skipped));
  if (p->cached_view >= 0 && end->epoch == 0)
    fail_unless (gst_pad_push_event (p->pad, tl_event_new_cached (&cached)));
}

static gboolean
player_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  Player *p = gst_pad_get_element_private (pad);
  TlDatasetInfo *info = tl_event_parse_dataset (event);
  TlPhase phase;
  TlPhaseEnd end;

  if (info) {
    fail_unless (p->info == NULL);
    p->info = info;
  } else if (tl_event_parse_phase (event, &phase)) {
    fail_unless (p->info != NULL);
    take_phase (p, &phase);
  } else if (tl_event_parse_phase_end (event, &end)) {
    take_phase_end (p, &end);
  } else if (GST_EVENT_TYPE (event) == GST_EVENT_EOS) {
    write_down (p, g_strdup ("eos"));
  }
  gst_event_unref (event);
  return TRUE;
}

static gboolean
player_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  Player *p = gst_pad_get_element_private (pad);
  g_autoptr (GstCaps) caps =
      p->caps ? gst_caps_from_string (p->caps) : gst_caps_new_any ();
  GstCaps *asked;

  if (GST_QUERY_TYPE (query) == GST_QUERY_CAPS) {
    gst_query_parse_caps (query, &asked);
    asked = asked ? gst_caps_intersect (asked, caps) : gst_caps_ref (caps);
    gst_query_set_caps_result (query, asked);
    gst_caps_unref (asked);
    return TRUE;
  }
  if (GST_QUERY_TYPE (query) == GST_QUERY_ACCEPT_CAPS) {
    gst_query_parse_accept_caps (query, &asked);
    gst_query_set_accept_caps_result (query,
        gst_caps_can_intersect (asked, caps));
    return TRUE;
  }
  if (!tl_query_is_cursor (query) || !p->cursor.digest[0])
    return FALSE;
  tl_query_answer_cursor (query, &p->cursor);
  return TRUE;
}

void
player_init (Player *p, const gchar *caps)
{
  g_autoptr (GstPad) src = NULL;

  memset (p, 0, sizeof *p);
  g_mutex_init (&p->lock);
  g_cond_init (&p->changed);
  p->caps = caps;
  p->cached_view = -1;
  p->log = g_ptr_array_new_with_free_func (g_free);
  p->buffers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  p->src = gst_check_setup_element ("datasetsrc");
  p->bus = gst_bus_new ();
  gst_element_set_bus (p->src, p->bus);
  g_object_set (p->src, "location", player_folder, "shuffle", FALSE, NULL);

  p->pad = gst_pad_new ("sink", GST_PAD_SINK);
  gst_pad_set_element_private (p->pad, p);
  gst_pad_set_chain_function (p->pad, player_chain);
  gst_pad_set_event_function (p->pad, player_event);
  gst_pad_set_query_function (p->pad, player_query);
  gst_pad_set_active (p->pad, TRUE);
  src = gst_element_get_static_pad (p->src, "src");
  fail_unless_equals_int (gst_pad_link (src, p->pad), GST_PAD_LINK_OK);
}

void
player_clear (Player *p)
{
  g_autoptr (GstPad) src = gst_element_get_static_pad (p->src, "src");

  fail_unless_equals_int (gst_element_set_state (p->src, GST_STATE_NULL),
      GST_STATE_CHANGE_SUCCESS);
  gst_pad_set_active (p->pad, FALSE);
  gst_pad_unlink (src, p->pad);
  gst_object_unref (p->pad);
  gst_element_set_bus (p->src, NULL);
  gst_bus_set_flushing (p->bus, TRUE);
  gst_object_unref (p->bus);
  gst_check_teardown_element (p->src);
  g_ptr_array_unref (p->log);
  g_ptr_array_unref (p->buffers);
  tl_dataset_info_free (p->info);
  g_mutex_clear (&p->lock);
  g_cond_clear (&p->changed);
}

void
player_play_lines (Player *p, guint n)
{
  fail_unless (gst_element_set_state (p->src, GST_STATE_PLAYING)
      != GST_STATE_CHANGE_FAILURE);
  g_mutex_lock (&p->lock);
  while (!p->ended && p->log->len < n)
    g_cond_wait (&p->changed, &p->lock);
  g_mutex_unlock (&p->lock);
}

void
player_play (Player *p)
{
  player_play_lines (p, G_MAXUINT);
}

void
player_expect_log (Player *p, const gchar *const *lines)
{
  guint n = g_strv_length ((gchar **) lines);

  for (guint i = 0; i < MIN (n, p->log->len); i++)
    fail_unless_equals_string (p->log->pdata[i], lines[i]);
  fail_unless_equals_int (p->log->len, n);
}

guint
player_count_messages (Player *p, GstMessageType type, const gchar *name)
{
  GstMessage *message;
  GList *kept = NULL;
  guint n = 0;

  while ((message = gst_bus_pop (p->bus))) {
    n += GST_MESSAGE_TYPE (message) == type
        && (!name || gst_message_has_name (message, name));
    kept = g_list_prepend (kept, message);
  }
  kept = g_list_reverse (kept);
  for (GList *l = kept; l; l = l->next)
    gst_bus_post (p->bus, l->data);
  g_list_free (kept);
  return n;
}

void
player_expect_one_error (Player *p, const gchar *text)
{
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  message =
      gst_bus_timed_pop_filtered (p->bus, 10 * GST_SECOND, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (strstr (error->message, text) != NULL, "expected \"%s\" in: %s",
      text, error->message);
  fail_unless (
      gst_bus_timed_pop_filtered (p->bus, 50 * GST_MSECOND, GST_MESSAGE_ERROR)
      == NULL);
}

void
player_expect_no_start (Player *p, const gchar *text)
{
  fail_unless_equals_int (gst_element_set_state (p->src, GST_STATE_PLAYING),
      GST_STATE_CHANGE_FAILURE);
  player_expect_one_error (p, text);
}

void
player_add_small_set (void)
{
  tree_add (player_folder, "train/a/1.jpg");
  tree_add (player_folder, "train/a/2.jpg");
  tree_add (player_folder, "train/b/3.jpg");
  tree_add (player_folder, "val/a/4.jpg");
}

TlSampleMeta *
player_get_meta (Player *p, guint i)
{
  return tl_buffer_get_sample_meta (p->buffers->pdata[i]);
}
