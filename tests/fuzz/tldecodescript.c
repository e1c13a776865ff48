/* SPDX-License-Identifier: BSD-3-Clause */

#include "tldecodescript.h"

#include "tlimagedecode.h"

#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tlcaps.h>
#include <tlevents.h>
#include <tlsamplemeta.h>

#define MAX_FRAME (64 * 64 * 4)

typedef struct
{
  GstHarness *harness;
  const guint8 *picture;
  gsize size;
  gsize frame_size; /* of the newest caps, if these are raw video */
  guint64 n_pushed; /* pictures that the element took */
  guint n_errors, n_reports;
  gboolean disturbed; /* by a flush, an EOS or a change of state */
} Play;

void
tl_decode_script_register (void)
{
  GST_ELEMENT_REGISTER (imagedecode, NULL);
}

static void
require (gboolean holds, const gchar *promise)
{
  if (holds)
    return;
  fprintf (stderr, "broken promise: %s\n", promise);
  abort ();
}

/* ---- Pictures ---- */

/* The part of the picture that the step names, or a frame of the size that the
 * caps ask for. */
static GBytes *
choose_bytes (const Play *play, const guint8 *step)
{
  gsize from = play->size * step[2] / 256;
  gsize to = step[3] ? play->size * step[3] / 256 : play->size;

  if (step[1] & TL_PICTURE_EMPTY)
    return g_bytes_new (NULL, 0);
  if ((step[1] & TL_PICTURE_FIT_CAPS) && play->frame_size
      && play->frame_size <= MAX_FRAME) {
    guint8 *frame = g_malloc0 (play->frame_size);

    if (play->size > 0)
      memcpy (frame, play->picture, MIN (play->size, play->frame_size));
    return g_bytes_new_take (frame, play->frame_size);
  }
  return g_bytes_new (play->picture + MIN (from, to),
      MAX (from, to) - MIN (from, to));
}

static void
append_bytes (GstBuffer *buffer, GBytes *bytes, gsize from, gsize to,
    gboolean read_only)
{
  const guint8 *data = g_bytes_get_data (bytes, NULL);
  gsize size = to - from;
  guint8 *copy;

  if (size == 0)
    return;
  copy = g_memdup2 (data + from, size);
  gst_buffer_append_memory (buffer,
      gst_memory_new_wrapped (read_only ? GST_MEMORY_FLAG_READONLY : 0, copy,
          size, 0, size, copy, g_free));
}

static GstBuffer *
make_buffer (const Play *play, const guint8 *step)
{
  g_autoptr (GBytes) bytes = choose_bytes (play, step);
  gsize size = g_bytes_get_size (bytes);
  gsize half = step[1] & TL_PICTURE_TWO_MEMORIES ? size / 2 : size;
  GstBuffer *buffer = gst_buffer_new ();

  append_bytes (buffer, bytes, 0, half, step[1] & TL_PICTURE_READ_ONLY);
  append_bytes (buffer, bytes, half, size, step[1] & TL_PICTURE_READ_ONLY);
  if (!(step[1] & TL_PICTURE_NO_META)) {
    TlSampleMeta *sample = tl_buffer_add_sample_meta (buffer);

    sample->index = play->n_pushed;
    sample->split =
        step[1] & TL_PICTURE_TRAIN ? TL_SPLIT_TRAIN : TL_SPLIT_VALID;
  }
  return buffer;
}

static void
push_picture (Play *play, const guint8 *step)
{
  if (gst_harness_push (play->harness, make_buffer (play, step)) == GST_FLOW_OK)
    play->n_pushed++;
  else
    play->disturbed = TRUE;
}

/* ---- Events and queries ---- */

static void
push_event (Play *play, GstEvent *event)
{
  if (!gst_harness_push_event (play->harness, event))
    play->disturbed = TRUE;
}

static void
push_caps (Play *play, const guint8 *step)
{
  static const gchar *const names[] = {TL_CAPS_IMAGE, "image/jpeg", "image/png",
      "image/webp", "video/x-raw,format=RGB", "video/x-raw,format=GRAY8",
      "video/x-raw,format=I420", "application/x-tl-batch"};
  g_autoptr (GstCaps) caps =
      gst_caps_from_string (names[step[1] % G_N_ELEMENTS (names)]);
  GstVideoInfo info;

  play->frame_size = 0;
  if (step[1] % G_N_ELEMENTS (names) >= 4) {
    gst_caps_set_simple (caps, "width", G_TYPE_INT, 1 + step[2] % 64, "height",
        G_TYPE_INT, 1 + step[3] % 64, "framerate", GST_TYPE_FRACTION, 0, 1,
        NULL);
    if (gst_video_info_from_caps (&info, caps))
      play->frame_size = GST_VIDEO_INFO_SIZE (&info);
  }
  push_event (play, gst_event_new_caps (caps));
}

static void
push_segment (Play *play)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  push_event (play, gst_event_new_segment (&segment));
}

/* What every stream begins with. */
static void
start_stream (Play *play)
{
  push_event (play, gst_event_new_stream_start ("stream"));
  push_caps (play, (const guint8[TL_SCRIPT_STEP]){TL_STEP_CAPS});
  push_segment (play);
}

static void
flush (Play *play, gboolean start, gboolean stop)
{
  play->disturbed = TRUE;
  if (start)
    push_event (play, gst_event_new_flush_start ());
  if (stop)
    push_event (play, gst_event_new_flush_stop (TRUE));
  if (start && stop)
    push_segment (play);
}

static void
push_phase (Play *play, const guint8 *step)
{
  TlPhase phase = {.split = (TlSplit) (step[1] % TL_N_SPLITS), .n = step[2]};

  push_event (play, tl_event_new_phase (&phase));
}

static void
push_phase_end (Play *play, const guint8 *step)
{
  TlPhaseEnd end = {.split = (TlSplit) (step[1] % TL_N_SPLITS),
      .sent = step[2]};

  push_event (play, tl_event_new_phase_end (&end));
}

static void
push_other_event (Play *play, guint which)
{
  TlTransform transform = {.steps = (gchar *) "videoflip"};
  g_autoptr (TlDatasetInfo) dataset = tl_dataset_info_new ();

  switch (which % 6) {
    case 0:
      push_segment (play);
      break;
    case 1:
      push_event (play, gst_event_new_gap (0, GST_SECOND));
      break;
    case 2:
      push_event (play, tl_event_new_transform (&transform));
      break;
    case 3:
      push_event (play, tl_event_new_dataset (dataset));
      break;
    case 4:
      push_event (play, gst_event_new_stream_start ("again"));
      break;
    default:
      gst_harness_push_upstream_event (play->harness,
          gst_event_new_reconfigure ());
      break;
  }
}

static void
ask (Play *play, guint which)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (TL_CAPS_IMAGE);
  GstQuery *query;

  switch (which % 4) {
    case 0:
      query = gst_query_new_allocation (caps, TRUE);
      break;
    case 1:
      query = gst_query_new_caps (NULL);
      break;
    case 2:
      query = gst_query_new_drain ();
      break;
    default:
      query = gst_query_new_latency ();
      break;
  }
  gst_pad_peer_query (play->harness->srcpad, query);
  gst_query_unref (query);
}

/* ---- State and properties ---- */

static void
change_state (Play *play, guint which)
{
  static const GstState states[] = {GST_STATE_NULL, GST_STATE_READY,
      GST_STATE_PAUSED};
  GstElement *element = play->harness->element;

  play->disturbed = TRUE;
  gst_element_set_state (element, states[which % G_N_ELEMENTS (states)]);
  if (which >= 128)
    return;
  gst_element_set_state (element, GST_STATE_PLAYING);
  start_stream (play);
}

static void
set_property (Play *play, guint which, guint value)
{
  static const gchar *const numbers[] = {"n-threads", "width", "height",
      "resize", "max-errors", "max-pixels"};
  static const gchar *const names[] = {"crop", "interpolation", "dct-scaling",
      "on-error", "accept-truncated", "auto-orient", "region", "scale-min"};
  static const gchar *const regions[] = {"", "10%,10%,50%,50%", "1,1,2,2",
      "0,0"};
  GObject *object = G_OBJECT (play->harness->element);
  guint n_numbers = G_N_ELEMENTS (numbers), n_names = G_N_ELEMENTS (names);
  g_autofree gchar *text = NULL;
  const gchar *name;

  which %= n_numbers + n_names;
  name = which < n_numbers ? numbers[which] : names[which - n_numbers];
  /* Threads stay few, sizes small. */
  if (which == 0)
    value %= 4;
  if (which < n_numbers)
    text = g_strdup_printf ("%u", which == 5 ? value * value : value % 65);
  else if (g_str_equal (name, "region"))
    text = g_strdup (regions[value % G_N_ELEMENTS (regions)]);
  else if (g_str_equal (name, "scale-min"))
    text = g_strdup_printf ("%g", value / 255.0);
  else
    text = g_strdup_printf ("%u", value % 2);
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (object), name))
    gst_util_set_object_arg (object, name, text);
}

/* ---- The whole ---- */

static void
pull_all (Play *play)
{
  GstBuffer *buffer;

  while ((buffer = gst_harness_try_pull (play->harness)))
    gst_buffer_unref (buffer);
}

static void
take_messages (Play *play)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (play->harness->element);
  GstMessage *message;

  while ((message = gst_bus_pop (bus))) {
    play->n_errors += GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR;
    play->n_reports += gst_message_has_name (message, "tl-sample-error");
    gst_message_unref (message);
  }
}

static void
do_step (Play *play, const guint8 *step)
{
  switch (step[0] % TL_N_STEPS) {
    case TL_STEP_PICTURE:
      push_picture (play, step);
      break;
    case TL_STEP_PHASE:
      push_phase (play, step);
      break;
    case TL_STEP_PHASE_END:
      push_phase_end (play, step);
      break;
    case TL_STEP_CAPS:
      push_caps (play, step);
      break;
    case TL_STEP_FLUSH:
      flush (play, TRUE, TRUE);
      break;
    case TL_STEP_FLUSH_HALF:
      flush (play, step[1] % 2 == 0, step[1] % 2 == 1);
      break;
    case TL_STEP_EOS:
      push_event (play, gst_event_new_eos ());
      play->disturbed = TRUE;
      break;
    case TL_STEP_STATE:
      change_state (play, step[1]);
      break;
    case TL_STEP_PROPERTY:
      set_property (play, step[1], step[2]);
      break;
    case TL_STEP_QUERY:
      ask (play, step[1]);
      break;
    case TL_STEP_EVENT:
      push_other_event (play, step[1]);
      break;
    default:
      pull_all (play);
      break;
  }
  /* The bus holds at most what one step posts. */
  take_messages (play);
}

/* Everything is through once EOS is out. */
static void
check_counts (Play *play)
{
  GstEvent *event = NULL;
  guint64 decoded, skipped;

  if (!gst_harness_push_event (play->harness, gst_event_new_eos ()))
    return;
  do {
    gst_clear_event (&event);
    event = gst_harness_pull_event (play->harness);
    require (event != NULL, "EOS comes through");
  } while (GST_EVENT_TYPE (event) != GST_EVENT_EOS);
  gst_event_unref (event);
  take_messages (play);
  require (play->n_errors <= 1, "one error is posted once");
  if (play->n_errors > 0)
    return;
  g_object_get (play->harness->element, "n-decoded", &decoded, "n-skipped",
      &skipped, NULL);
  require (decoded + skipped == play->n_pushed && skipped == play->n_reports,
      "a picture is decoded or reported");
}

static GstElement *
make_element (const guint8 *settings)
{
  GstElement *element = gst_element_factory_make ("imagedecode", NULL);

  g_object_set (element, "n-threads", 1 + settings[0] % 3, "width",
      1 + settings[1] % 64, "height", 1 + settings[2] % 64, "max-pixels",
      (guint64) 128 * 128, "accept-truncated", settings[3] & 1, "crop",
      settings[3] / 2 % 4, NULL);
  return element;
}

static void
note_end (gpointer user_data, GObject *object)
{
  *(gboolean *) user_data = TRUE;
}

void
tl_decode_script_play (const uint8_t *data, size_t size)
{
  guint n_steps =
      size > TL_SCRIPT_SETTINGS ? data[0] % (TL_SCRIPT_MAX_STEPS + 1) : 0;
  gsize header = 1 + TL_SCRIPT_SETTINGS + (gsize) n_steps * TL_SCRIPT_STEP;
  g_autoptr (GstBus) bus = gst_bus_new ();
  gboolean ended = FALSE;
  GstElement *element;
  Play play = {0};

  if (size <= TL_SCRIPT_SETTINGS || size < header)
    return;
  play.picture = data + header;
  play.size = size - header;
  element = make_element (data + 1);
  gst_element_set_bus (element, bus);
  g_object_weak_ref (G_OBJECT (element), note_end, &ended);
  play.harness = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  start_stream (&play);
  for (guint i = 0; i < n_steps; i++)
    do_step (&play, data + 1 + TL_SCRIPT_SETTINGS + i * TL_SCRIPT_STEP);
  if (!play.disturbed)
    check_counts (&play);
  gst_element_set_bus (element, NULL);
  gst_harness_teardown (play.harness);
  gst_bus_set_flushing (bus, TRUE); /* messages hold their source */
  require (ended, "nothing holds the element after its end");
}
