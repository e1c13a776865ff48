/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlevents.h"

#include <string.h>

#define DATASET "tl-dataset"
#define TRANSFORM "tl-transform"
#define PHASE "tl-phase"
#define PHASE_END "tl-phase-end"
#define CACHED "tl-cached"

static const GstStructure *
structure_of (GstEvent *event, const gchar *name)
{
  const GstStructure *s = gst_event_get_structure (event);

  return s && gst_structure_has_name (s, name) ? s : NULL;
}

static GstEvent *
sticky_event (GstStructure *s)
{
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, s);
}

static gboolean
get_split (const GstStructure *s, TlSplit *ret)
{
  const gchar *nick = gst_structure_get_string (s, "split");

  return nick && tl_split_from_nick (nick, ret);
}

/* ---- tl-dataset ---- */

TlDatasetInfo *
tl_dataset_info_new (void)
{
  return g_new0 (TlDatasetInfo, 1);
}

void
tl_dataset_info_free (TlDatasetInfo *info)
{
  if (!info)
    return;
  g_strfreev (info->classes);
  for (guint i = 0; i < TL_N_SPLITS; i++)
    g_free (info->counts[i]);
  g_free (info->digest);
  g_free (info);
}

static void
set_strings (GstStructure *s, const gchar *field, gchar **strings, guint n)
{
  GValue array = G_VALUE_INIT, item = G_VALUE_INIT;

  gst_value_array_init (&array, n);
  for (guint i = 0; i < n; i++) {
    g_value_init (&item, G_TYPE_STRING);
    g_value_set_string (&item, strings[i]);
    gst_value_array_append_and_take_value (&array, &item);
    memset (&item, 0, sizeof item);
  }
  gst_structure_take_value (s, field, &array);
}

static void
set_counts (GstStructure *s, const gchar *field, const guint64 *counts, guint n)
{
  GValue array = G_VALUE_INIT, item = G_VALUE_INIT;

  gst_value_array_init (&array, n);
  for (guint i = 0; i < n; i++) {
    g_value_init (&item, G_TYPE_UINT64);
    g_value_set_uint64 (&item, counts[i]);
    gst_value_array_append_and_take_value (&array, &item);
    memset (&item, 0, sizeof item);
  }
  gst_structure_take_value (s, field, &array);
}

GstEvent *
tl_event_new_dataset (const TlDatasetInfo *info)
{
  GstStructure *s = gst_structure_new (DATASET, "digest", G_TYPE_STRING,
      info->digest, "seed", G_TYPE_UINT64, info->seed, "epochs", G_TYPE_UINT,
      info->epochs, "shuffle", G_TYPE_BOOLEAN, info->shuffle, NULL);

  set_strings (s, "classes", info->classes, info->n_classes);
  for (guint i = 0; i < TL_N_SPLITS; i++) {
    const gchar *nick = tl_split_nick (i);
    g_autofree gchar *counts = g_strconcat (nick, "-counts", NULL);
    g_autofree gchar *samples = g_strconcat (nick, "-samples", NULL);
    g_autofree gchar *groups = g_strconcat (nick, "-groups", NULL);

    if (!info->counts[i])
      continue;
    set_counts (s, counts, info->counts[i], info->n_classes);
    gst_structure_set (s, samples, G_TYPE_UINT64, info->n_samples[i], groups,
        G_TYPE_UINT64, info->n_groups[i], NULL);
  }
  return sticky_event (s);
}

static gchar **
get_classes (const GstStructure *s, guint *n)
{
  const GValue *array = gst_structure_get_value (s, "classes");
  gchar **classes;

  if (!array || !GST_VALUE_HOLDS_ARRAY (array))
    return NULL;
  *n = gst_value_array_get_size (array);
  if (*n == 0 || *n > TL_MAX_CLASSES)
    return NULL;
  classes = g_new0 (gchar *, *n + 1);
  for (guint i = 0; i < *n; i++) {
    const GValue *item = gst_value_array_get_value (array, i);

    classes[i] = G_VALUE_HOLDS_STRING (item) ? g_value_dup_string (item) : NULL;
    if (!classes[i]) {
      g_strfreev (classes);
      return NULL;
    }
  }
  return classes;
}

/* FALSE if the field is there and not @n counts; @ret is then owned too. */
static gboolean
get_counts (const GstStructure *s, const gchar *field, guint n, guint64 **ret)
{
  const GValue *array = gst_structure_get_value (s, field);

  if (!array)
    return TRUE;
  if (!GST_VALUE_HOLDS_ARRAY (array) || gst_value_array_get_size (array) != n)
    return FALSE;
  *ret = g_new (guint64, n);
  for (guint i = 0; i < n; i++) {
    const GValue *item = gst_value_array_get_value (array, i);

    if (!G_VALUE_HOLDS_UINT64 (item))
      return FALSE;
    (*ret)[i] = g_value_get_uint64 (item);
  }
  return TRUE;
}

TlDatasetInfo *
tl_event_parse_dataset (GstEvent *event)
{
  const GstStructure *s = structure_of (event, DATASET);
  g_autoptr (TlDatasetInfo) info = tl_dataset_info_new ();

  if (!s || !gst_structure_get_uint64 (s, "seed", &info->seed)
      || !gst_structure_get_uint (s, "epochs", &info->epochs))
    return NULL;
  if (!gst_structure_get_boolean (s, "shuffle", &info->shuffle))
    info->shuffle = TRUE;
  info->digest = g_strdup (gst_structure_get_string (s, "digest"));
  info->classes = get_classes (s, &info->n_classes);
  if (!info->digest || !info->classes)
    return NULL;
  for (guint i = 0; i < TL_N_SPLITS; i++) {
    const gchar *nick = tl_split_nick (i);
    g_autofree gchar *counts = g_strconcat (nick, "-counts", NULL);
    g_autofree gchar *samples = g_strconcat (nick, "-samples", NULL);
    g_autofree gchar *groups = g_strconcat (nick, "-groups", NULL);

    if (!get_counts (s, counts, info->n_classes, &info->counts[i]))
      return NULL;
    if (info->counts[i]) {
      gst_structure_get_uint64 (s, samples, &info->n_samples[i]);
      gst_structure_get_uint64 (s, groups, &info->n_groups[i]);
    }
  }
  return g_steal_pointer (&info);
}

/* ---- tl-transform ---- */

void
tl_transform_clear (TlTransform *transform)
{
  g_clear_pointer (&transform->steps, g_free);
}

GstEvent *
tl_event_new_transform (const TlTransform *transform)
{
  g_autofree gchar *text = tl_preprocess_to_string (&transform->preprocess);

  return sticky_event (gst_structure_new (TRANSFORM, "preprocess",
      G_TYPE_STRING, text, "steps", G_TYPE_STRING, transform->steps, NULL));
}

gboolean
tl_event_parse_transform (GstEvent *event, TlTransform *ret)
{
  const GstStructure *s = structure_of (event, TRANSFORM);
  const gchar *preprocess, *steps;

  if (!s)
    return FALSE;
  preprocess = gst_structure_get_string (s, "preprocess");
  steps = gst_structure_get_string (s, "steps");
  if (!preprocess || !steps
      || !tl_preprocess_from_string (&ret->preprocess, preprocess))
    return FALSE;
  ret->steps = g_strdup (steps);
  return TRUE;
}

GstEvent *
tl_event_append_transform (GstEvent *event, const gchar *step)
{
  g_auto (TlTransform) transform = {0};
  gchar *steps;

  g_return_val_if_fail (tl_event_parse_transform (event, &transform), NULL);
  steps = g_strconcat (transform.steps, "; ", step, NULL);
  g_free (transform.steps);
  transform.steps = steps;
  return tl_event_new_transform (&transform);
}

/* ---- tl-phase, tl-phase-end ---- */

GstEvent *
tl_event_new_phase (const TlPhase *phase)
{
  return sticky_event (gst_structure_new (PHASE, "epoch", G_TYPE_UINT,
      phase->epoch, "split", G_TYPE_STRING, tl_split_nick (phase->split), "n",
      G_TYPE_UINT64, phase->n, "first", G_TYPE_UINT64, phase->first, "view",
      G_TYPE_UINT, phase->view, "cached", G_TYPE_BOOLEAN, phase->cached,
      "final", G_TYPE_BOOLEAN, phase->final, NULL));
}

gboolean
tl_event_parse_phase (GstEvent *event, TlPhase *ret)
{
  const GstStructure *s = structure_of (event, PHASE);
  TlPhase phase;

  if (!s || !get_split (s, &phase.split)
      || !gst_structure_get (s, "epoch", G_TYPE_UINT, &phase.epoch, "n",
          G_TYPE_UINT64, &phase.n, "first", G_TYPE_UINT64, &phase.first, "view",
          G_TYPE_UINT, &phase.view, "cached", G_TYPE_BOOLEAN, &phase.cached,
          "final", G_TYPE_BOOLEAN, &phase.final, NULL))
    return FALSE;
  *ret = phase;
  return TRUE;
}

GstEvent *
tl_event_new_phase_end (const TlPhaseEnd *end)
{
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
      gst_structure_new (PHASE_END, "epoch", G_TYPE_UINT, end->epoch, "split",
          G_TYPE_STRING, tl_split_nick (end->split), "sent", G_TYPE_UINT64,
          end->sent, "skipped", G_TYPE_UINT64, end->skipped, NULL));
}

gboolean
tl_event_parse_phase_end (GstEvent *event, TlPhaseEnd *ret)
{
  const GstStructure *s = structure_of (event, PHASE_END);
  TlPhaseEnd end;

  if (!s || !get_split (s, &end.split)
      || !gst_structure_get (s, "epoch", G_TYPE_UINT, &end.epoch, "sent",
          G_TYPE_UINT64, &end.sent, "skipped", G_TYPE_UINT64, &end.skipped,
          NULL))
    return FALSE;
  *ret = end;
  return TRUE;
}

/* ---- tl-cached ---- */

GstEvent *
tl_event_new_cached (const TlCached *cached)
{
  return gst_event_new_custom (GST_EVENT_CUSTOM_UPSTREAM,
      gst_structure_new (CACHED, "split", G_TYPE_STRING,
          tl_split_nick (cached->split), "view", G_TYPE_UINT, cached->view,
          NULL));
}

gboolean
tl_event_parse_cached (GstEvent *event, TlCached *ret)
{
  const GstStructure *s = structure_of (event, CACHED);
  TlCached cached;

  if (!s || !get_split (s, &cached.split)
      || !gst_structure_get_uint (s, "view", &cached.view))
    return FALSE;
  *ret = cached;
  return TRUE;
}
