/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlinfersettings.h"

#include <math.h>

#include <tlresultmeta.h>
#include <tlsettings.h>

#include "tllivepicture.h"

static GType
mode_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] =
      {{TL_INFER_AUTO, "async for a live source, sync for files", "auto"},
          {TL_INFER_ASYNC,
              "The model works beside the video, on the latest frame", "async"},
          {TL_INFER_SYNC, "Each frame waits for its own result", "sync"},
          {0, NULL, NULL}};

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("TlInferMode", values));
  return type;
}

static GType
field_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] =
      {{TL_FIELD_AUTO, "The first in time of interlaced frames, else all rows",
           "auto"},
          {TL_FIELD_TOP, "Rows 0, 2, 4 and so on", "top"},
          {TL_FIELD_BOTTOM, "Rows 1, 3, 5 and so on", "bottom"},
          {TL_FIELD_BOTH, "All rows", "both"}, {0, NULL, NULL}};

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("TlField", values));
  return type;
}

#define AT(field) G_STRUCT_OFFSET (TlInferSettings, field)

static const TlSetting rows[] = {
    {"checkpoint", "Checkpoint",
        "Checkpoint file of resnetfinetune (.safetensors); it carries the "
        "classes and the preprocessing",
        TL_SETTING_STRING, AT (checkpoint), ""},
    {"device", "Device", "Where the model runs: auto, cpu, cuda or cuda:N",
        TL_SETTING_STRING, AT (device), "auto"},
    {"mode", "Mode", "Whether frames wait for their result", TL_SETTING_ENUM,
        AT (mode), NULL, TL_INFER_AUTO, {0}, mode_type},
    {"n-threads", "Threads",
        "CPU threads of the model, up to 1024; 0: as many as the affinity mask "
        "has",
        TL_SETTING_UINT, AT (n_threads), NULL, 0, {0, 1024}},
    {"timeout-ms", "Timeout",
        "Milliseconds after which a frame no longer waits for the model, and a "
        "stop leaves it behind; 0: never",
        TL_SETTING_UINT, AT (timeout_ms), NULL, 10000, {0, G_MAXUINT}},
    {"interval", "Interval",
        "Frames from one that is classified to the next, 1 or more; 1: every "
        "frame",
        TL_SETTING_UINT, AT (interval), NULL, 1, {1, G_MAXUINT}, NULL, TRUE},
    {"top-k", "Top k", "Classes listed per frame, best first (1 to 16)",
        TL_SETTING_UINT, AT (top_k), NULL, 3, {1, TL_RESULT_MAX}, NULL, TRUE},
    {"threshold", "Threshold",
        "Probability below which a class is not listed, 0 to 1; the first "
        "always is",
        TL_SETTING_DOUBLE, AT (threshold), NULL, 0, {0, 1}, NULL, TRUE},
    {"abstain-below", "Abstain below",
        "Probability of the first class below which the result is "
        "\"abstained\", 0 to 1; 0: never",
        TL_SETTING_DOUBLE, AT (abstain_below), NULL, 0, {0, 1}, NULL, TRUE},
    {"smoothing", "Smoothing",
        "Time constant, in seconds of the video, of an exponential average of "
        "the probabilities; 0: none",
        TL_SETTING_DOUBLE, AT (smoothing), NULL, 0, {0, INFINITY, FALSE, TRUE},
        NULL, TRUE},
    {"hysteresis", "Hysteresis",
        "By how much the probability of another class must exceed that of the "
        "first to take its place, 0 to 1; 0: none",
        TL_SETTING_DOUBLE, AT (hysteresis), NULL, 0, {0, 1}, NULL, TRUE},
    {"message-interval-ms", "Message interval",
        "Milliseconds from one tl-result message of a live source to the next "
        "that says the same; 0: one per result",
        TL_SETTING_UINT, AT (message_interval_ms), NULL, 100, {0, G_MAXUINT},
        NULL, TRUE},
    {"field", "Field", "Which rows of a frame the model sees", TL_SETTING_ENUM,
        AT (field), NULL, TL_FIELD_AUTO, {0}, field_type, TRUE},
};

void
tl_infer_settings_clear (TlInferSettings *self)
{
  g_free (self->checkpoint);
  g_free (self->device);
  *self = (TlInferSettings){0};
}

guint
tl_infer_settings_install (GObjectClass *klass, guint first_id)
{
  tl_settings_install (klass, first_id, rows, G_N_ELEMENTS (rows));
  return first_id + G_N_ELEMENTS (rows);
}

void
tl_infer_settings_set (TlInferSettings *self, guint id, const GValue *value)
{
  tl_settings_set (self, &rows[id], value);
}

void
tl_infer_settings_get (const TlInferSettings *self, guint id, GValue *value)
{
  tl_settings_get (self, &rows[id], value);
}
