/* SPDX-License-Identifier: BSD-3-Clause */

/* The whole element imagedecode under any sequence of events. */

#include "tldecodescript.h"
#include "tlfuzzformat.h"
#include "tlfuzztarget.h"

#include <gst/gst.h>
#include <stdlib.h>
#include <string.h>

#define HEADER (1 + TL_SCRIPT_SETTINGS)

/* Warnings about the order of events are what is to be expected here; anything
 * worse ends the program all the same. */
static void
say_nothing (const gchar *domain, GLogLevelFlags level, const gchar *message,
    gpointer user_data)
{
  if (level & G_LOG_FLAG_FATAL)
    g_log_default_handler (domain, level, message, user_data);
}

static void
start_gstreamer (void)
{
  static gboolean started;

  if (started)
    return;
  started = TRUE;
  /* No plugin is wanted, and none may be looked for. */
  g_setenv ("GST_REGISTRY_DISABLE", "yes", TRUE);
  gst_init (NULL, NULL);
  atexit (gst_deinit); /* the leaks tracer reports there */
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  g_log_set_default_handler (say_nothing, NULL);
  tl_decode_script_register ();
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  start_gstreamer ();
  tl_decode_script_play (data, size);
  return 0;
}

static size_t
steps_end (const uint8_t *data)
{
  return HEADER
      + (size_t) (data[0] % (TL_SCRIPT_MAX_STEPS + 1)) * TL_SCRIPT_STEP;
}

/* Changes either the steps, whose number stays, or the picture, which stays of
 * its format. */
size_t
LLVMFuzzerCustomMutator (uint8_t *data, size_t size, size_t max_size,
    unsigned seed)
{
  size_t steps = size > HEADER ? steps_end (data) : 0;
  const TlFuzzFormat *format;

  if (size <= HEADER || steps >= size || steps >= max_size)
    return LLVMFuzzerMutate (data, size, max_size);
  if (seed % 2 == 0) {
    LLVMFuzzerMutate (data + 1, steps - 1, steps - 1);
    return size;
  }
  format = tl_fuzz_format_of (data + steps, size - steps);
  size =
      steps + LLVMFuzzerMutate (data + steps, size - steps, max_size - steps);
  if (format) {
    tl_fuzz_format_stamp (format, data + steps, size - steps, seed >> 8);
    tl_fuzz_format_repair (format, data + steps, size - steps);
  }
  return size;
}

/* Steps from which fuzzing starts; each with every picture would be too many,
 * so they take turns. */
typedef struct
{
  const char *name;
  guint n;
  guint8 steps[8][TL_SCRIPT_STEP];
} Script;

static const Script scripts[] = {
    {"phase", 7,
        {{TL_STEP_CAPS, 0}, {TL_STEP_PHASE, 1, 3}, {TL_STEP_PICTURE},
            {TL_STEP_PICTURE, 0, 0, 90}, {TL_STEP_PICTURE},
            {TL_STEP_PHASE_END, 1, 3}, {TL_STEP_PULL}}},
    {"train", 4,
        {{TL_STEP_CAPS, 0}, {TL_STEP_PICTURE, TL_PICTURE_TRAIN},
            {TL_STEP_PICTURE, TL_PICTURE_TRAIN | TL_PICTURE_TWO_MEMORIES},
            {TL_STEP_PICTURE, TL_PICTURE_EMPTY}}},
    {"flush", 8,
        {{TL_STEP_CAPS, 1}, {TL_STEP_PICTURE}, {TL_STEP_PICTURE},
            {TL_STEP_FLUSH}, {TL_STEP_PICTURE}, {TL_STEP_FLUSH_HALF, 0},
            {TL_STEP_FLUSH_HALF, 1}, {TL_STEP_PICTURE}}},
    {"states", 8,
        {{TL_STEP_CAPS, 0}, {TL_STEP_PICTURE}, {TL_STEP_STATE, 1},
            {TL_STEP_CAPS, 0}, {TL_STEP_PICTURE}, {TL_STEP_STATE, 2},
            {TL_STEP_PICTURE}, {TL_STEP_EOS}}},
    {"raw", 6,
        {{TL_STEP_CAPS, 4, 20, 11}, {TL_STEP_PICTURE, TL_PICTURE_FIT_CAPS},
            {TL_STEP_CAPS, 5, 7, 9},
            {TL_STEP_PICTURE, TL_PICTURE_FIT_CAPS | TL_PICTURE_NO_META},
            {TL_STEP_CAPS, 0}, {TL_STEP_PICTURE}}},
    {"settings", 8,
        {{TL_STEP_CAPS, 0}, {TL_STEP_PROPERTY, 9, 1}, {TL_STEP_PROPERTY, 4, 1},
            {TL_STEP_STATE, 0}, {TL_STEP_CAPS, 0}, {TL_STEP_PICTURE, 0, 0, 40},
            {TL_STEP_PICTURE}, {TL_STEP_EVENT, 2}}},
    {"queries", 7,
        {{TL_STEP_CAPS, 0}, {TL_STEP_QUERY, 0}, {TL_STEP_EVENT, 3},
            {TL_STEP_PICTURE, TL_PICTURE_READ_ONLY}, {TL_STEP_QUERY, 2},
            {TL_STEP_EVENT, 1}, {TL_STEP_EVENT, 5}}},
    {"refused", 4,
        {{TL_STEP_CAPS, 7, 3, 3}, {TL_STEP_PICTURE}, {TL_STEP_EOS},
            {TL_STEP_PICTURE}}},
};

static void
give_input (const Script *script, const char *name, const uint8_t *file,
    size_t size, TlSeedFunc func, void *user)
{
  g_autoptr (GByteArray) input = g_byte_array_new ();
  g_autofree gchar *path = g_strdup_printf ("%s-%s", script->name, name);
  guint8 header[HEADER] = {(guint8) script->n, (guint8) size, 31, 23,
      (guint8) (size / 8)};

  g_byte_array_append (input, header, sizeof header);
  g_byte_array_append (input, script->steps[0], script->n * TL_SCRIPT_STEP);
  g_byte_array_append (input, file, (guint) size);
  func (user, path, input->data, input->len);
}

void
tl_fuzz_target_each_of_file (const char *name, const uint8_t *file, size_t size,
    TlSeedFunc func, void *user)
{
  static guint turn;

  give_input (&scripts[turn++ % G_N_ELEMENTS (scripts)], name, file, size, func,
      user);
}

typedef struct
{
  TlSeedFunc func;
  void *user;
  const char *format;
} Receiver;

static void
give_seed (void *user, const char *name, const uint8_t *file, size_t size)
{
  const Receiver *receiver = user;
  g_autofree gchar *path = g_strdup_printf ("%s-%s", receiver->format, name);

  tl_fuzz_target_each_of_file (path, file, size, receiver->func,
      receiver->user);
}

void
tl_fuzz_target_each_start (TlSeedFunc func, void *user)
{
  for (gsize i = 0; tl_seed_formats[i]; i++) {
    Receiver receiver = {func, user, tl_seed_formats[i]};

    tl_seeds_each (tl_seed_formats[i], give_seed, &receiver);
  }
}
