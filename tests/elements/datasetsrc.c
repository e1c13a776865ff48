/* SPDX-License-Identifier: BSD-3-Clause */

#include "tldatasetsrc.h"
#include "tlorder.h"
#include "../unit/tltree.h"

#include <tlevents.h>
#include <tlqueries.h>
#include <tlsamplemeta.h>

#include <gst/check/gstcheck.h>

#include <string.h>
#include <sys/stat.h>

/* ---- a sink that writes down what it gets ---- */

typedef struct
{
  GstElement *src;
  GstPad *pad;
  GstBus *bus;
  const gchar *caps; /* that it takes; NULL: any */
  TlCursor cursor;   /* its answer to tl-cursor; none with an empty digest */
  gint cached_view;  /* says so after the first phase; -1: never */

  GMutex lock;
  GCond changed;
  GPtrArray *log; /* one line per event and buffer, under lock */
  GPtrArray *buffers;
  TlDatasetInfo *info;
  gboolean ended;
} Player;

static gchar *root;

static void
set_up (void)
{
  root = tree_new ();
}

static void
tear_down (void)
{
  tree_free (root);
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
  write_down (p, g_strdup (meta->path + strlen (root) + 1));
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

static void
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
  g_object_set (p->src, "location", root, "shuffle", FALSE, NULL);

  p->pad = gst_pad_new ("sink", GST_PAD_SINK);
  gst_pad_set_element_private (p->pad, p);
  gst_pad_set_chain_function (p->pad, player_chain);
  gst_pad_set_event_function (p->pad, player_event);
  gst_pad_set_query_function (p->pad, player_query);
  gst_pad_set_active (p->pad, TRUE);
  src = gst_element_get_static_pad (p->src, "src");
  fail_unless_equals_int (gst_pad_link (src, p->pad), GST_PAD_LINK_OK);
}

static void
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

/* Starts, and waits for EOS or @n lines. */
static void
play_lines (Player *p, guint n)
{
  fail_unless (gst_element_set_state (p->src, GST_STATE_PLAYING)
      != GST_STATE_CHANGE_FAILURE);
  g_mutex_lock (&p->lock);
  while (!p->ended && p->log->len < n)
    g_cond_wait (&p->changed, &p->lock);
  g_mutex_unlock (&p->lock);
}

static void
play (Player *p)
{
  play_lines (p, G_MAXUINT);
}

static void
assert_log (Player *p, const gchar *const *lines)
{
  guint n = g_strv_length ((gchar **) lines);

  for (guint i = 0; i < MIN (n, p->log->len); i++)
    fail_unless_equals_string (p->log->pdata[i], lines[i]);
  fail_unless_equals_int (p->log->len, n);
}

static guint
count_messages (Player *p, GstMessageType type, const gchar *name)
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

/* There is exactly one error, whose text has @text. */
static void
assert_one_error (Player *p, const gchar *text)
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

static void
assert_does_not_start (Player *p, const gchar *text)
{
  fail_unless_equals_int (gst_element_set_state (p->src, GST_STATE_PLAYING),
      GST_STATE_CHANGE_FAILURE);
  assert_one_error (p, text);
}

static void
add_small_set (void)
{
  tree_add (root, "train/a/1.jpg");
  tree_add (root, "train/a/2.jpg");
  tree_add (root, "train/b/3.jpg");
  tree_add (root, "val/a/4.jpg");
}

/* ---- phases ---- */

GST_START_TEST (train_and_valid_alternate)
{
  static const gchar *const lines[] = {"phase 0 train of 3", "train/a/1.jpg",
      "train/a/2.jpg", "train/b/3.jpg", "end 0 train sent 3 skipped 0",
      "phase 0 valid of 1", "val/a/4.jpg", "end 0 valid sent 1 skipped 0",
      "phase 1 train of 3", "train/a/1.jpg", "train/a/2.jpg", "train/b/3.jpg",
      "end 1 train sent 3 skipped 0", "phase 1 valid of 1 final", "val/a/4.jpg",
      "end 1 valid sent 1 skipped 0", "eos", NULL};
  Player p;

  add_small_set ();
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "epochs", 2, NULL);
  play (&p);
  assert_log (&p, lines);
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (only_the_named_split_is_played)
{
  static const gchar *const lines[] = {"phase 0 valid of 1 final",
      "val/a/4.jpg", "end 0 valid sent 1 skipped 0", "eos", NULL};
  Player p;

  add_small_set ();
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "splits", "valid", NULL);
  play (&p);
  assert_log (&p, lines);
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (data_set_is_described)
{
  g_autofree gchar *classes = NULL;
  guint64 n;
  Player p;

  add_small_set ();
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "epochs", 3, "seed", (guint64) 9, NULL);
  play (&p);
  fail_unless_equals_string (p.info->classes[1], "b");
  fail_unless_equals_uint64 (p.info->counts[TL_SPLIT_TRAIN][0], 2);
  fail_unless_equals_uint64 (p.info->n_samples[TL_SPLIT_VALID], 1);
  fail_unless_equals_uint64 (p.info->n_groups[TL_SPLIT_TRAIN], 3);
  fail_unless (p.info->counts[TL_SPLIT_TEST] == NULL);
  fail_unless_equals_uint64 (p.info->seed, 9);
  fail_unless_equals_int (p.info->epochs, 3);
  fail_unless_equals_int ((int) strlen (p.info->digest), 64);
  g_object_get (p.src, "classes", &classes, "n-samples", &n, NULL);
  fail_unless_equals_string (classes, "a\nb");
  fail_unless_equals_uint64 (n, 4);
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (buffers_carry_everything)
{
  TlSampleMeta *meta;
  GstBuffer *buffer;
  Player p;

  add_small_set ();
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "epochs", 2, "seed", (guint64) 9, NULL);
  play (&p);
  buffer = p.buffers->pdata[4 + 2];
  meta = tl_buffer_get_sample_meta (buffer);
  fail_unless_equals_int (meta->label, 1);
  fail_unless_equals_uint64 (meta->index, 2);
  fail_unless_equals_uint64 (meta->seed, 9);
  fail_unless_equals_int (meta->epoch, 1);
  fail_unless_equals_int (meta->view, 1);
  fail_unless_equals_uint64 (meta->position, 2);
  fail_unless_equals_uint64 (meta->n, 3);
  fail_unless_equals_int (meta->split, TL_SPLIT_TRAIN);
  fail_unless (g_str_has_suffix (meta->path, "train/b/3.jpg"));
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), 6);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), 200 * GST_MSECOND);
  fail_unless_equals_int ((int) gst_buffer_get_size (buffer), 12);
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (order_is_that_of_tlorder)
{
  guint32 order[20];
  Player p;

  tree_add_many (root, "train/a", "x", 10);
  tree_add_many (root, "train/b", "x", 10);
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "epochs", 2, "seed", (guint64) 5, "shuffle", TRUE,
      "valid-fraction", 0.0, NULL);
  play (&p);
  for (guint epoch = 0; epoch < 2; epoch++) {
    tl_order_fill (order, 20, 5, epoch, TRUE);
    for (guint i = 0; i < 20; i++)
      fail_unless_equals_uint64 (tl_buffer_get_sample_meta (
                                     p.buffers->pdata[20 * epoch + i])
                                     ->index,
          order[i]);
  }
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (max_samples_limits_every_split)
{
  guint64 n;
  Player p;

  tree_add_many (root, "train/a", "x", 10);
  tree_add_many (root, "train/b", "x", 10);
  tree_add_many (root, "val/a", "y", 8);
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "max-samples", 6, "group", "none", NULL);
  play (&p);
  fail_unless_equals_int (p.buffers->len, 12);
  fail_unless_equals_uint64 (p.info->counts[TL_SPLIT_TRAIN][0], 3);
  g_object_get (p.src, "n-samples", &n, NULL);
  fail_unless_equals_uint64 (n, 12);
  player_clear (&p);
}
GST_END_TEST;

/* ---- resuming ---- */

static const struct
{
  guint epoch;
  TlSplit split;
  guint64 position;
  guint skipped; /* samples of the whole run before it */
} cursors[] = {
    {0, TL_SPLIT_TRAIN, 0, 0},
    {0, TL_SPLIT_TRAIN, 7, 7},
    {0, TL_SPLIT_VALID, 0, 20},
    {1, TL_SPLIT_TRAIN, 20, 44},
    {1, TL_SPLIT_VALID, 3, 47},
};

/* A folder of 20 + 4 samples, and the digest that it has. */
static void
add_resume_set (gchar digest[65])
{
  Player p;

  tree_add_many (root, "train/a", "x", 10);
  tree_add_many (root, "train/b", "x", 10);
  tree_add_many (root, "val/a", "y", 4);
  player_init (&p, TL_CAPS_IMAGE);
  play (&p);
  g_strlcpy (digest, p.info->digest, 65);
  player_clear (&p);
}

static void
init_resumed (Player *p, const gchar *digest, guint i)
{
  player_init (p, TL_CAPS_IMAGE);
  g_object_set (p->src, "epochs", 2, "shuffle", TRUE, NULL);
  p->cursor = (TlCursor){TRUE, 77, cursors[i].epoch, cursors[i].split,
      cursors[i].position, 0, ""};
  g_strlcpy (p->cursor.digest, digest, sizeof p->cursor.digest);
}

static TlSampleMeta *
meta_at (Player *p, guint i)
{
  return tl_buffer_get_sample_meta (p->buffers->pdata[i]);
}

GST_START_TEST (resumed_run_plays_the_rest)
{
  gchar digest[65];
  Player whole, rest;

  add_resume_set (digest);
  player_init (&whole, TL_CAPS_IMAGE);
  g_object_set (whole.src, "epochs", 2, "shuffle", TRUE, "seed", (guint64) 77,
      NULL);
  play (&whole);
  init_resumed (&rest, digest, __i__);
  play (&rest);

  fail_unless_equals_int (rest.buffers->len, 48 - cursors[__i__].skipped);
  fail_unless_equals_uint64 (rest.info->seed, 77);
  for (guint i = 0; i < rest.buffers->len; i++) {
    guint k = cursors[__i__].skipped + i;

    fail_unless_equals_uint64 (meta_at (&rest, i)->index,
        meta_at (&whole, k)->index);
    fail_unless_equals_uint64 (meta_at (&rest, i)->position,
        meta_at (&whole, k)->position);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (rest.buffers->pdata[i]), k);
  }
  player_clear (&whole);
  player_clear (&rest);
}
GST_END_TEST;

GST_START_TEST (a_phase_resumed_in_the_middle_says_so)
{
  gchar digest[65];
  Player p;

  add_resume_set (digest);
  init_resumed (&p, digest, 1);
  play (&p);
  fail_unless_equals_string (p.log->pdata[0], "phase 0 train from 7 of 20");
  fail_unless_equals_string (p.log->pdata[14], "end 0 train sent 13 skipped 0");
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (another_data_set_is_refused)
{
  gchar digest[65];
  Player p;

  add_resume_set (digest);
  tree_add (root, "train/a/new.jpg");
  init_resumed (&p, digest, 1);
  gst_element_set_state (p.src, GST_STATE_PLAYING);
  assert_one_error (&p, digest);
  gst_element_set_state (p.src, GST_STATE_NULL);
  /* Nothing but the end, unless the stop was faster. */
  fail_unless (p.log->len == 0 || g_str_equal (p.log->pdata[0], "eos"));
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (a_contradicting_seed_is_refused)
{
  gchar digest[65];
  Player p;

  add_resume_set (digest);
  init_resumed (&p, digest, 1);
  g_object_set (p.src, "seed", (guint64) 3, NULL);
  gst_element_set_state (p.src, GST_STATE_PLAYING);
  assert_one_error (&p,
      "seed=3 contradicts the checkpoint, which was trained "
      "with seed=77");
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (a_finished_run_is_not_resumed)
{
  gchar digest[65];
  Player p;

  add_resume_set (digest);
  init_resumed (&p, digest, 1);
  p.cursor.epoch = 2;
  gst_element_set_state (p.src, GST_STATE_PLAYING);
  assert_one_error (&p, "set epochs above 2");
  player_clear (&p);
}
GST_END_TEST;

/* ---- the cache ---- */

GST_START_TEST (cached_phases_have_no_buffers)
{
  static const gchar *const lines[] = {"phase 0 train of 3", "train/a/1.jpg",
      "train/a/2.jpg", "train/b/3.jpg", "end 0 train sent 3 skipped 0",
      "phase 0 valid of 1", "val/a/4.jpg", "end 0 valid sent 1 skipped 0",
      "phase 1 train of 3 cached", "end 1 train sent 0 skipped 0",
      "phase 1 valid of 1 cached final", "end 1 valid sent 0 skipped 0", "eos",
      NULL};
  Player p;

  add_small_set ();
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "epochs", 2, NULL);
  p.cursor.views = 1;
  g_strlcpy (p.cursor.digest, "none", sizeof p.cursor.digest);
  p.cached_view = 0;
  play (&p);
  assert_log (&p, lines);
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (views_repeat)
{
  Player p;

  add_small_set ();
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "epochs", 5, "splits", "train", NULL);
  p.cursor.views = 2;
  g_strlcpy (p.cursor.digest, "none", sizeof p.cursor.digest);
  play (&p);
  for (guint i = 0; i < 15; i++)
    fail_unless_equals_int (meta_at (&p, i)->view, i / 3 % 2);
  player_clear (&p);
}
GST_END_TEST;

/* ---- files that are of no use ---- */

GST_START_TEST (bad_files_are_reported_once_and_left_out)
{
  static const gchar *const lines[] = {"phase 0 train of 5", "train/b/3.jpg",
      "end 0 train sent 5 skipped 4", "phase 0 valid of 1 final", "val/a/4.jpg",
      "end 0 valid sent 1 skipped 0", "eos", NULL};
  g_autofree gchar *fifo = g_build_filename (root, "train/a/fifo.jpg", NULL);
  g_autofree gchar *huge = g_build_filename (root, "train/a/huge.jpg", NULL);
  Player p;

  tree_add_bytes (root, "train/a/empty.jpg", "", 0);
  tree_add (root, "train/a/huge.jpg");
  fail_unless_equals_int (truncate (huge, 513 * 1024 * 1024), 0);
  tree_link (root, "nowhere", "train/a/gone.jpg");
  fail_unless_equals_int (mkfifo (fifo, 0600), 0);
  tree_add (root, "train/b/3.jpg");
  tree_add (root, "val/a/4.jpg");
  player_init (&p, TL_CAPS_IMAGE);
  play (&p);
  assert_log (&p, lines);
  fail_unless_equals_int (count_messages (&p, GST_MESSAGE_ELEMENT,
                              "tl-sample-error"),
      4);
  fail_unless_equals_int (count_messages (&p, GST_MESSAGE_WARNING, NULL), 4);
  fail_unless_equals_int (count_messages (&p, GST_MESSAGE_ERROR, NULL), 0);
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (a_phase_without_one_good_file_is_an_error)
{
  Player p;

  for (guint i = 0; i < 20; i++) {
    g_autofree gchar *path =
        g_strdup_printf ("train/%c/%u.jpg", 'a' + i % 2, i);

    tree_add_bytes (root, path, "", 0);
  }
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "splits", "train", "valid-fraction", 0.0, NULL);
  gst_element_set_state (p.src, GST_STATE_PLAYING);
  assert_one_error (&p, "Not one of the 20 files of train");
  player_clear (&p);
}
GST_END_TEST;

/* Ten warnings and a sum, but every file as a message. */
GST_START_TEST (warnings_are_limited)
{
  Player p;

  for (guint i = 0; i < 20; i++) {
    g_autofree gchar *path = g_strdup_printf ("train/a/%u.jpg", i);

    tree_add_bytes (root, path, "", 0);
  }
  tree_add (root, "train/b/1.jpg");
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "splits", "train", "valid-fraction", 0.0, NULL);
  play (&p);
  fail_unless_equals_int (count_messages (&p, GST_MESSAGE_ELEMENT,
                              "tl-sample-error"),
      20);
  fail_unless_equals_int (count_messages (&p, GST_MESSAGE_WARNING, NULL), 11);
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (any_file_name_is_shown_as_one_line)
{
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) warning = NULL;
  Player p;

  tree_add_bytes (root, "train/a/two\nlines \xff.jpg", "", 0);
  tree_add (root, "train/b/1.jpg");
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "splits", "train", "group", "none", "valid-fraction",
      0.0, NULL);
  play (&p);
  while (!warning || !strstr (warning->message, "Left out")) {
    gst_clear_message (&message);
    g_clear_error (&warning);
    message = gst_bus_pop_filtered (p.bus, GST_MESSAGE_WARNING);
    fail_unless (message != NULL);
    gst_message_parse_warning (message, &warning, NULL);
  }
  fail_unless (strstr (warning->message, "/two\\nlines \xef\xbf\xbd.jpg")
          && !strchr (warning->message, '\n'),
      "%s", warning->message);
  gst_clear_message (&message); /* holds the source */
  player_clear (&p);
}
GST_END_TEST;

/* ---- caps ---- */

static void
assert_caps (Player *p, const gchar *text)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (p->pad);
  g_autofree gchar *got = caps ? gst_caps_to_string (caps) : NULL;

  fail_unless_equals_string (got, text);
}

GST_START_TEST (a_peer_that_names_tl_image_gets_it)
{
  Player p;

  add_small_set ();
  player_init (&p, "application/x-tl-image; video/x-raw");
  play (&p);
  assert_caps (&p, TL_CAPS_IMAGE);
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (a_peer_that_takes_anything_gets_the_files_type)
{
  Player p;

  add_small_set ();
  player_init (&p, NULL);
  play (&p);
  assert_caps (&p, "image/jpeg");
  fail_unless_equals_int (p.buffers->len, 4);
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (files_that_the_peer_refuses_are_left_out)
{
  static const gchar *const lines[] = {"phase 0 train of 3 final",
      "train/b/2.jpg", "end 0 train sent 3 skipped 2", "eos", NULL};
  Player p;

  tree_add (root, "train/a/1.jpg");
  tree_add_bytes (root, "train/b/2.jpg", "\x89PNG\r\n\x1a\n...", 11);
  tree_add_bytes (root, "train/b/3.jpg", "what is this", 12);
  player_init (&p, "image/png");
  g_object_set (p.src, "splits", "train", "valid-fraction", 0.0, NULL);
  play (&p);
  assert_log (&p, lines);
  assert_caps (&p, "image/png");
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (a_peer_for_something_else_is_an_error)
{
  Player p;

  add_small_set ();
  player_init (&p, NULL);
  p.caps = "video/x-raw"; /* as behind a queue, which links with anything */
  gst_element_set_state (p.src, GST_STATE_PLAYING);
  assert_one_error (&p, "put imagedecode or decodebin after it");
  player_clear (&p);
}
GST_END_TEST;

/* ---- life cycle ---- */

static const struct
{
  const gchar *property, *value, *text;
} bad_settings[] = {
    {"location", "", "set location to a folder"},
    {"location", "/nowhere/at/all", "There is no folder"},
    {"epochs", "4294967295", "epochs=4294967295 is out of range"},
    {"max-samples", "4294967295", "max-samples=4294967295 is out of range"},
    {"valid-fraction", "1.5", "valid-fraction=1.5"},
    {"splits", "tset", "\"tset\" is no split"},
    {"group", "(", "group=\"(\""},
};

GST_START_TEST (bad_settings_are_one_error)
{
  Player p;

  add_small_set ();
  player_init (&p, TL_CAPS_IMAGE);
  gst_util_set_object_arg (G_OBJECT (p.src), bad_settings[__i__].property,
      bad_settings[__i__].value);
  assert_does_not_start (&p, bad_settings[__i__].text);
  player_clear (&p);
}
GST_END_TEST;

/* gst-launch-1.0 -e: a phase that was cut short has no end. */
GST_START_TEST (eos_by_the_application_ends_promptly)
{
  Player p;
  guint n_ends = 0, n_phases = 0;

  add_small_set ();
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "epochs", 0, NULL);
  play_lines (&p, 100);
  fail_unless (gst_element_send_event (p.src, gst_event_new_eos ()));
  play (&p);
  for (guint i = 0; i < p.log->len; i++) {
    n_phases += g_str_has_prefix (p.log->pdata[i], "phase");
    n_ends += g_str_has_prefix (p.log->pdata[i], "end");
  }
  fail_unless (n_ends == n_phases || n_ends + 1 == n_phases);
  fail_unless_equals_string (p.log->pdata[p.log->len - 1], "eos");
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (random_stops_do_not_hang)
{
  add_small_set ();
  for (guint i = 0; i < 20; i++) {
    Player p;

    player_init (&p, i % 2 ? TL_CAPS_IMAGE : NULL);
    g_object_set (p.src, "epochs", 0, NULL);
    play_lines (&p, 17 * i);
    player_clear (&p);
  }
}
GST_END_TEST;

GST_START_TEST (second_run_repeats_the_first)
{
  Player p;
  guint n;

  add_small_set ();
  player_init (&p, TL_CAPS_IMAGE);
  play (&p);
  n = p.log->len;
  gst_element_set_state (p.src, GST_STATE_READY);
  g_clear_pointer (&p.info, tl_dataset_info_free);
  p.ended = FALSE;
  /* What EOS left on the pad goes with the old stream. */
  gst_pad_set_active (p.pad, FALSE);
  gst_pad_set_active (p.pad, TRUE);
  play (&p);
  fail_unless_equals_int (p.log->len, 2 * n);
  for (guint i = 0; i < n; i++)
    fail_unless_equals_string (p.log->pdata[i], p.log->pdata[n + i]);
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (position_and_duration_are_samples)
{
  g_autoptr (GstQuery) seeking = gst_query_new_seeking (GST_FORMAT_TIME);
  gint64 position = -1, duration = -1;
  gboolean seekable = TRUE;
  Player p;

  add_small_set ();
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "epochs", 30, NULL);
  play (&p);
  fail_unless (gst_element_query_duration (p.src, GST_FORMAT_TIME, &duration));
  fail_unless (gst_element_query_position (p.src, GST_FORMAT_TIME, &position));
  fail_unless_equals_uint64 (duration, 4 * GST_SECOND);
  fail_unless_equals_uint64 (position, 4 * GST_SECOND);
  fail_unless (gst_element_query (p.src, seeking));
  gst_query_parse_seeking (seeking, NULL, &seekable, NULL, NULL);
  fail_if (seekable);
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (endless_runs_have_no_duration)
{
  gint64 duration;
  Player p;

  add_small_set ();
  player_init (&p, TL_CAPS_IMAGE);
  g_object_set (p.src, "epochs", 0, NULL);
  play_lines (&p, 50);
  fail_if (gst_element_query_duration (p.src, GST_FORMAT_TIME, &duration));
  player_clear (&p);
}
GST_END_TEST;

/* gst-launch-1.0 waits for every PROGRESS to be complete. */
/* A name with an escape sequence would speak to the terminal. */
GST_START_TEST (class_names_do_not_reach_the_terminal)
{
  GstMessage *message;
  guint n = 0;
  Player p;

  add_small_set ();
  tree_add (root, "train/x\033y/some.jpg");
  tree_add (root, "val/x\033y/other.jpg");
  player_init (&p, TL_CAPS_IMAGE);
  play (&p);
  while ((message = gst_bus_pop_filtered (p.bus, GST_MESSAGE_PROGRESS))) {
    g_autofree gchar *text = NULL;

    gst_message_parse_progress (message, NULL, NULL, &text);
    fail_unless (strchr (text, '\033') == NULL, "%s", text);
    n += strstr (text, "x\\u001by") != NULL;
    gst_message_unref (message);
  }
  fail_unless (n > 0, "it is not named");
  player_clear (&p);
}
GST_END_TEST;

GST_START_TEST (progress_is_opened_and_closed)
{
  GstMessage *message;
  gint open = 0, n = 0;
  Player p;

  add_small_set ();
  player_init (&p, TL_CAPS_IMAGE);
  play (&p);
  while ((message = gst_bus_pop_filtered (p.bus, GST_MESSAGE_PROGRESS))) {
    GstProgressType type;

    gst_message_parse_progress (message, &type, NULL, NULL);
    open += type == GST_PROGRESS_TYPE_START;
    open -= type == GST_PROGRESS_TYPE_COMPLETE;
    n++;
    gst_message_unref (message);
  }
  fail_unless_equals_int (open, 0);
  fail_unless (n >= 3);
  player_clear (&p);
}
GST_END_TEST;

/* ---- with stock elements ---- */

static void
assert_line_ends (const gchar *line)
{
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, NULL);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GstBus) bus = NULL;

  fail_unless (pipeline != NULL, "%s", line);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  fail_unless (message != NULL, "%s does not end", line);
  fail_unless (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS, "%s", line);
}

static void
add_real_picture (const gchar *path)
{
  g_autofree gchar *full = g_build_filename (root, path, NULL);
  g_autofree gchar *folder = g_path_get_dirname (full);
  g_autofree gchar *line = g_strdup_printf ("videotestsrc num-buffers=1 ! "
                                            "jpegenc ! filesink location=%s",
      full);

  g_mkdir_with_parents (folder, 0700);
  assert_line_ends (line);
}

static const gchar *const stock_lines[] = {
    "! fakesink",
    "! queue ! fakesink",
    "! decodebin ! fakesink",
    "! jpegdec ! videoconvert ! fakesink",
    "epochs=3 ! queue ! jpegdec ! queue ! fakesink",
};

GST_START_TEST (stock_elements_take_it)
{
  g_autofree gchar *line = NULL;

  add_real_picture ("train/a/1.jpg");
  add_real_picture ("train/b/2.jpg");
  add_real_picture ("val/b/3.jpg");
  line =
      g_strdup_printf ("datasetsrc location=%s %s", root, stock_lines[__i__]);
  assert_line_ends (line);
}
GST_END_TEST;

static Suite *
datasetsrc_suite (void)
{
  Suite *suite = suite_create ("datasetsrc");
  TCase *tc = tcase_create ("datasetsrc");

  gst_element_register_datasetsrc (NULL);
  tcase_add_checked_fixture (tc, set_up, tear_down);
  tcase_add_test (tc, train_and_valid_alternate);
  tcase_add_test (tc, only_the_named_split_is_played);
  tcase_add_test (tc, data_set_is_described);
  tcase_add_test (tc, buffers_carry_everything);
  tcase_add_test (tc, order_is_that_of_tlorder);
  tcase_add_test (tc, max_samples_limits_every_split);
  tcase_add_loop_test (tc, resumed_run_plays_the_rest, 0,
      G_N_ELEMENTS (cursors));
  tcase_add_test (tc, a_phase_resumed_in_the_middle_says_so);
  tcase_add_test (tc, another_data_set_is_refused);
  tcase_add_test (tc, a_contradicting_seed_is_refused);
  tcase_add_test (tc, a_finished_run_is_not_resumed);
  tcase_add_test (tc, cached_phases_have_no_buffers);
  tcase_add_test (tc, views_repeat);
  tcase_add_test (tc, bad_files_are_reported_once_and_left_out);
  tcase_add_test (tc, a_phase_without_one_good_file_is_an_error);
  tcase_add_test (tc, warnings_are_limited);
  tcase_add_test (tc, any_file_name_is_shown_as_one_line);
  tcase_add_test (tc, a_peer_that_names_tl_image_gets_it);
  tcase_add_test (tc, a_peer_that_takes_anything_gets_the_files_type);
  tcase_add_test (tc, files_that_the_peer_refuses_are_left_out);
  tcase_add_test (tc, a_peer_for_something_else_is_an_error);
  tcase_add_loop_test (tc, bad_settings_are_one_error, 0,
      G_N_ELEMENTS (bad_settings));
  tcase_add_test (tc, eos_by_the_application_ends_promptly);
  tcase_add_test (tc, random_stops_do_not_hang);
  tcase_add_test (tc, second_run_repeats_the_first);
  tcase_add_test (tc, position_and_duration_are_samples);
  tcase_add_test (tc, endless_runs_have_no_duration);
  tcase_add_test (tc, class_names_do_not_reach_the_terminal);
  tcase_add_test (tc, progress_is_opened_and_closed);
  tcase_add_loop_test (tc, stock_elements_take_it, 0,
      G_N_ELEMENTS (stock_lines));
  suite_add_tcase (suite, tc);
  return suite;
}

GST_CHECK_MAIN (datasetsrc);
